//! The machine-readable summary of newer k6 versions.

use serde_json::{Map, Value, json};
use squall_metrics::{MetricTotal, Sink, builtin};

use crate::{Summary, json::number, values};

/// What the machine-readable summary tells about the run itself.
#[derive(Clone, Debug)]
pub struct MachineFacts {
    /// Source of the script.
    pub script: String,
    /// When the summary was made, in RFC 3339.
    pub generated_at: String,
    /// Version of the program.
    pub version: String,
}

pub(crate) fn summary(summary: &Summary<'_>, facts: &MachineFacts) -> Value {
    let totals = summary.aggregate.totals();
    let metrics = |wanted: fn(&MetricTotal) -> bool| -> Vec<Value> {
        totals.iter().filter(|total| wanted(total)).map(|total| metric(summary, total)).collect()
    };
    let mut results = Map::new();
    if !summary.aggregate.checks().is_empty() {
        let checks = json!({ "metrics": metrics(is_checks), "results": checks(summary) });
        results.insert("checks".to_owned(), checks);
    }
    results.insert("metrics".to_owned(), Value::Array(metrics(|total| !is_checks(total))));
    json!({
        "version": "1.0.0",
        "config": {
            "duration": number(summary.facts.run_duration.as_secs_f64()),
            "execution": "local",
            "script": facts.script,
        },
        "metadata": { "generated_at": facts.generated_at, "k6_version": facts.version },
        "results": results,
    })
}

fn is_checks(total: &MetricTotal) -> bool {
    total.info.id == builtin::CHECKS
}

fn checks(summary: &Summary<'_>) -> Vec<Value> {
    let result = |(name, rate): (&String, &squall_metrics::RateSink)| json!({ "name": name, "passes": rate.trues, "fails": rate.total - rate.trues });
    summary.aggregate.checks().iter().map(result).collect()
}

fn metric(summary: &Summary<'_>, total: &MetricTotal) -> Value {
    json!({
        "name": total.name(),
        "type": total.info.kind.name(),
        "contains": total.info.contains.name(),
        "values": metric_values(summary, total),
    })
}

fn metric_values(summary: &Summary<'_>, total: &MetricTotal) -> Value {
    match &total.sink {
        Sink::Counter(sink) => json!({ "count": number(sink.sum) }),
        Sink::Gauge(sink) => {
            json!({ "value": number(sink.last), "min": number(sink.min), "max": number(sink.max) })
        }
        Sink::Rate(sink) => {
            json!({ "matches": sink.trues, "total": sink.total, "rate": number(sink.rate()) })
        }
        Sink::Trend(sink) => {
            let values = values::of_trend(sink, &summary.facts.trend_stats).into_iter();
            let plain = |name: String| name.replace(['(', ')'], "");
            Value::Object(values.map(|(name, value)| (plain(name), number(value))).collect())
        }
    }
}
