//! The JSON output: each metric's declaration, and its samples counted by tags.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Metrics;

/// The declarations, and for each set of tags the metrics that have it with how many samples.
pub(super) fn lines(text: Option<&str>, metrics: Metrics) -> Vec<String> {
    let Some(text) = text else { return vec!["no output".to_owned()] };
    let mut lines = Vec::new();
    let mut samples: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for line in text.lines() {
        let Ok(entry) = serde_json::from_str::<Value>(line) else {
            lines.push(format!("not JSON: {line}"));
            continue;
        };
        let metric = entry["metric"].as_str().unwrap_or_default();
        if !metrics.compares(metric) {
            continue;
        }
        match entry["type"].as_str() {
            Some("Point") => {
                *samples.entry(tags(&entry["data"])).or_default().entry(metric.to_owned()).or_default() += 1
            }
            _ => lines.push(sorted(&entry).to_string()),
        }
    }
    lines.sort();
    lines.extend(samples.into_iter().map(|(tags, metrics)| format!("{tags}: {}", counted(&metrics))));
    lines
}

/// A sample's tags and metadata, and the names of its other fields.
fn tags(data: &Value) -> String {
    let fields: Vec<&str> = data.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
    format!("[{}] {} metadata={}", fields.join(","), sorted(&data["tags"]), sorted(&data["metadata"]))
}

fn counted(metrics: &BTreeMap<String, usize>) -> String {
    metrics.iter().map(|(metric, count)| format!("{metric} ×{count}")).collect::<Vec<_>>().join(", ")
}

/// The value with its keys, and its submetrics, in order.
fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    if let Some(submetrics) = value.pointer_mut("/data/submetrics").and_then(Value::as_array_mut) {
        submetrics.sort_by_key(|submetric| submetric["name"].to_string());
    }
    value
}
