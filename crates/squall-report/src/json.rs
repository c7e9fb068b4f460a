//! The shapes of `handleSummary`'s argument and of `--summary-export`, which is older and differs in details.

use std::{fmt::Write, time::Duration};

use indexmap::IndexMap;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use squall_metrics::{GROUP_SEPARATOR, GeneratorHealth, MetricTotal, RateSink, Section, Sink};

use crate::{Summary, values};

/// `handleSummary`'s argument.
pub(crate) fn handle_summary_data(summary: &Summary<'_>) -> Value {
    let facts = summary.facts;
    let stats: Vec<String> = facts.trend_stats.iter().map(|stat| stat.name()).collect();
    let mut data = json!({
        "root_group": Group::root(summary).to_list(),
        "options": {
            "summaryTrendStats": stats,
            "summaryTimeUnit": facts.time_unit.name(),
            "noColor": facts.no_color,
        },
        "state": {
            "isStdOutTTY": facts.stdout_is_terminal,
            "isStdErrTTY": facts.stderr_is_terminal,
            "testRunDurationMs": number(facts.run_duration.as_secs_f64() * 1000.0),
        },
        "metrics": metrics(summary, metric_data),
    });
    add_setup_data(&mut data, summary);
    data
}

/// The content of the `--summary-export` file. Only `generator` is not k6's: who reads the file asks for names.
pub(crate) fn export(summary: &Summary<'_>) -> Value {
    let mut data = json!({
        "root_group": Group::root(summary).to_map(),
        "metrics": metrics(summary, metric_export),
        "generator": generator(&summary.facts.generator),
    });
    add_setup_data(&mut data, summary);
    data
}

/// Times in milliseconds; null for what the run does not know.
fn generator(health: &GeneratorHealth) -> Value {
    let millis = |time: Duration| number(time.as_secs_f64() * 1e3);
    json!({
        "saturated": health.is_saturated(),
        "lateness_p99.9": health.lateness_p999.map(millis),
        "timer_lag_p99": health.timer_lag_p99.map(millis),
        "cpu_share": health.cpu_share.map(number),
        "cores": health.cores,
        "pauses": health.pauses.count,
        "pauses_sum": millis(health.pauses.sum),
        "pause_max": millis(health.pauses.longest),
        "samples_dropped": health.samples_dropped,
    })
}

/// A number as JavaScript prints it: whole ones without a decimal point.
pub(crate) fn number(value: f64) -> Value {
    const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT_INTEGERS { (value as i64).into() } else { value.into() }
}

fn metrics(summary: &Summary<'_>, shape: fn(&Summary<'_>, &MetricTotal) -> Value) -> Map<String, Value> {
    summary.aggregate.totals().into_iter().map(|total| (total.name(), shape(summary, total))).collect()
}

fn metric_data(summary: &Summary<'_>, total: &MetricTotal) -> Value {
    let values: Map<_, _> = metric_values(summary, total).collect();
    let mut data = json!({
        "type": total.info.kind.name(),
        "contains": total.info.contains.name(),
        "values": values,
    });
    add_thresholds(&mut data, total, |ok| json!({ "ok": ok }));
    data
}

/// Flat, with `value` for a rate's share, and thresholds that are true when they were crossed.
fn metric_export(summary: &Summary<'_>, total: &MetricTotal) -> Value {
    let is_rate = matches!(total.sink, Sink::Rate(_));
    let rename = |name: String| if is_rate && name == "rate" { "value".to_owned() } else { name };
    let values = metric_values(summary, total).map(|(name, value)| (rename(name), value));
    let mut data = Value::Object(values.collect());
    add_thresholds(&mut data, total, |ok| Value::from(!ok));
    data
}

fn metric_values(summary: &Summary<'_>, total: &MetricTotal) -> impl Iterator<Item = (String, Value)> {
    values::of_sink(&total.sink, &summary.facts.trend_stats, summary.facts.run_duration)
        .into_iter()
        .map(|(name, value)| (name, number(value)))
}

fn add_thresholds(data: &mut Value, total: &MetricTotal, verdict: impl Fn(bool) -> Value) {
    if !total.thresholds.is_empty() {
        let entry = |threshold: &squall_metrics::Threshold| {
            (threshold.spec.expression.clone(), verdict(threshold.ok))
        };
        data["thresholds"] = Value::Object(total.thresholds.iter().map(entry).collect());
    }
}

fn add_setup_data(data: &mut Value, summary: &Summary<'_>) {
    let setup_data = summary.facts.setup_data.as_deref().and_then(|text| serde_json::from_str(text).ok());
    if let Some(setup_data) = setup_data {
        data["setup_data"] = setup_data;
    }
}

/// A group with its place in the tree.
struct Group<'a> {
    name: &'a str,
    path: String,
    section: &'a Section,
}

impl<'a> Group<'a> {
    fn root(summary: &Summary<'a>) -> Group<'a> {
        Group { name: "", path: String::new(), section: summary.aggregate.root_group() }
    }

    fn groups(&self) -> impl Iterator<Item = Group<'a>> {
        self.section.groups.iter().map(|(name, section)| Group {
            name,
            path: path_of(&self.path, name),
            section,
        })
    }

    /// As `handleSummary` has it: groups and checks are lists.
    fn to_list(&self) -> Value {
        let groups = self.groups().map(|group| group.to_list()).collect();
        let checks = self.checks().map(|(_, check)| check).collect();
        self.to_value(Value::Array(groups), Value::Array(checks))
    }

    /// As the export has it: groups and checks are maps.
    fn to_map(&self) -> Value {
        let groups = self.groups().map(|group| (group.name.to_owned(), group.to_map())).collect();
        let checks = self.checks().map(|(name, check)| (name.to_owned(), check)).collect();
        self.to_value(Value::Object(groups), Value::Object(checks))
    }

    fn to_value(&self, groups: Value, checks: Value) -> Value {
        json!({
            "name": self.name,
            "path": self.path,
            "id": id_of(&self.path),
            "groups": groups,
            "checks": checks,
        })
    }

    fn checks(&self) -> impl Iterator<Item = (&'a String, Value)> {
        let checks: &IndexMap<String, RateSink> = &self.section.checks;
        checks.iter().map(|(name, rate)| {
            let path = path_of(&self.path, name);
            let check = json!({
                "name": name,
                "path": path,
                "id": id_of(&path),
                "passes": rate.trues,
                "fails": rate.total - rate.trues,
            });
            (name, check)
        })
    }
}

fn path_of(parent: &str, name: &str) -> String {
    format!("{parent}{GROUP_SEPARATOR}{name}")
}

/// k6 numbers groups and checks by the MD5 of their path.
fn id_of(path: &str) -> String {
    Md5::digest(path.as_bytes()).iter().fold(String::new(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}
