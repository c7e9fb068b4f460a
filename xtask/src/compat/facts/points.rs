//! The JSON output: each metric's declaration, and its samples counted by tags.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Metrics;

/// Declarations, then samples by metric and tags with how many there are.
pub(super) fn lines(text: Option<&str>, metrics: Metrics) -> Vec<String> {
    let Some(text) = text else { return vec!["no output".to_owned()] };
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines() {
        let line = match serde_json::from_str::<Value>(line) {
            Ok(entry) if metrics.compares(entry["metric"].as_str().unwrap_or_default()) => describe(&entry),
            Ok(_) => continue,
            Err(_) => format!("not JSON: {line}"),
        };
        *counted.entry(line).or_default() += 1;
    }
    counted.into_iter().map(|(line, count)| format!("{line} ×{count}")).collect()
}

fn describe(entry: &Value) -> String {
    let (name, kind, data) = (&entry["metric"], &entry["type"], &entry["data"]);
    let keys = |value: &Value| match value.as_object() {
        Some(object) => object.keys().map(String::as_str).collect::<Vec<_>>().join(","),
        None => String::new(),
    };
    match kind.as_str() {
        Some("Metric") => format!("{kind} {}", sorted(data)),
        _ => format!(
            "{kind} {name} {} metadata={} [{}]",
            sorted(&data["tags"]),
            sorted(&data["metadata"]),
            keys(data)
        ),
    }
}

/// The value with its keys, and its submetrics, in order.
fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    if let Some(submetrics) = value.get_mut("submetrics").and_then(Value::as_array_mut) {
        submetrics.sort_by_key(|submetric| submetric["name"].to_string());
    }
    value
}
