//! The summary export: metrics, submetrics, checks and thresholds.

use serde_json::{Map, Value};

use super::{Metrics, measured};

/// A summary export; `None` when the run wrote none.
pub(super) struct Export(Option<Value>);

/// Reads the text of an export.
pub(super) fn parse(text: Option<&str>) -> Export {
    Export(text.and_then(|text| serde_json::from_str(text).ok()))
}

impl Export {
    /// A line for each metric.
    pub(super) fn counts(&self, metrics: Metrics) -> Vec<String> {
        self.metric_lines(metrics, |name| !name.contains('{'))
    }

    /// A line for each submetric.
    pub(super) fn submetrics(&self, metrics: Metrics) -> Vec<String> {
        self.metric_lines(metrics, |name| name.contains('{'))
    }

    /// A line for each threshold.
    pub(super) fn thresholds(&self) -> Vec<String> {
        self.lines(|export| {
            let thresholds = entries(&export["metrics"]).flat_map(|(name, metric)| {
                entries(&metric["thresholds"])
                    .map(move |(text, crossed)| format!("{name}: {text} crossed={crossed}"))
            });
            thresholds.collect()
        })
    }

    /// A line for each group and each check.
    pub(super) fn checks(&self) -> Vec<String> {
        self.lines(|export| group(&export["root_group"]))
    }

    fn metric_lines(&self, metrics: Metrics, wanted: fn(&str) -> bool) -> Vec<String> {
        self.lines(|export| {
            let compared =
                entries(&export["metrics"]).filter(|(name, _)| wanted(name) && metrics.compares(name));
            compared.map(|(name, metric)| self::metric(name, metric)).collect()
        })
    }

    fn lines(&self, lines: impl FnOnce(&Value) -> Vec<String>) -> Vec<String> {
        let mut lines = self.0.as_ref().map_or_else(|| vec!["no export".to_owned()], lines);
        lines.sort();
        lines
    }
}

/// The metric's values; those that depend on timing only by name.
fn metric(name: &str, metric: &Value) -> String {
    let is_trend = metric.get("med").is_some();
    let stable = |key: &str| match key {
        "count" => is_trend || !measured(name),
        "rate" => false,
        _ => !measured(name),
    };
    let values = entries(metric).filter(|(key, _)| *key != "thresholds");
    let mut values: Vec<String> = values
        .map(|(key, value)| if stable(key) { format!("{key}={}", number(value)) } else { format!("{key}=~") })
        .collect();
    values.sort();
    format!("{name}: {}", values.join(" "))
}

/// Ten significant digits: the order of additions may differ.
fn number(value: &Value) -> String {
    let rounded = value.as_f64().and_then(|number| format!("{number:.9e}").parse::<f64>().ok());
    rounded.map_or_else(|| value.to_string(), |number| number.to_string())
}

fn group(group: &Value) -> Vec<String> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or("?").to_owned();
    let checks = entries(&group["checks"]).map(|(key, check)| {
        let (path, id) = (text(check, "path"), text(check, "id"));
        format!("check {key} {path} {id} passes={} fails={}", check["passes"], check["fails"])
    });
    let groups = entries(&group["groups"]).flat_map(|(key, inner)| {
        let line = format!("group {key} {} {}", text(inner, "path"), text(inner, "id"));
        std::iter::once(line).chain(self::group(inner))
    });
    checks.chain(groups).collect()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(key, value)| (key.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timing_becomes_a_tilde() {
        let text = r#"{"metrics": {
            "iterations": {"count": 3, "rate": 9.1},
            "group_duration": {"avg": 1.5, "med": 1, "count": 2},
            "mine": {"avg": 1.5, "med": 1, "thresholds": {"avg<2": false}},
            "checks": {"passes": 1, "fails": 2, "value": 0.25}
        }}"#;
        let export = parse(Some(text));
        let metrics = Metrics { ignored: &[] };
        assert_eq!(
            export.counts(metrics),
            [
                "checks: fails=2 passes=1 value=0.25",
                "group_duration: avg=~ count=2 med=~",
                "iterations: count=3 rate=~",
                "mine: avg=1.5 med=1",
            ]
        );
        assert_eq!(export.thresholds(), ["mine: avg<2 crossed=false"]);
    }

    #[test]
    fn no_export_is_a_fact() {
        assert_eq!(parse(None).checks(), ["no export"]);
    }
}
