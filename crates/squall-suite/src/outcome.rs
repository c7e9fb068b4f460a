//! How a test ended and what it measured, read from the summary that it exported.

use std::time::Duration;

use serde_json::{Value, json};

/// One test of a suite, after its turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub name: String,
    pub about: String,
    pub kind: Option<String>,
    pub verdict: Verdict,
    /// Of its process, which ended by itself.
    pub exit_code: Option<i32>,
    /// From the start of its process to the end.
    pub duration: Duration,
    /// What was run, to run it again.
    pub command: Vec<String>,
    /// Breakwater's command line, when it served the test.
    pub breakwater: Option<String>,
    /// What its summary says; a test that ended before it measured anything has none.
    pub measured: Option<Measured>,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    /// It ran to its end, and limits were not kept.
    ThresholdsFailed,
    /// It did not run as it should: the words say why.
    Failed(String),
    /// It never ran: the words say why.
    NotRun(String),
}

impl Verdict {
    /// For tables.
    pub fn text(&self) -> String {
        match self {
            Verdict::Passed => "passed".into(),
            Verdict::ThresholdsFailed => "thresholds failed".into(),
            Verdict::Failed(why) => format!("failed: {why}"),
            Verdict::NotRun(why) => format!("not run: {why}"),
        }
    }

    /// For programs.
    fn word(&self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::ThresholdsFailed => "thresholds_failed",
            Verdict::Failed(_) => "failed",
            Verdict::NotRun(_) => "not_run",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Verdict::Failed(why) | Verdict::NotRun(why) => Some(why),
            Verdict::Passed | Verdict::ThresholdsFailed => None,
        }
    }
}

impl Outcome {
    /// For `suite.json`.
    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "about": self.about,
            "kind": self.kind,
            "verdict": self.verdict.word(),
            "reason": self.verdict.reason(),
            "exit_code": self.exit_code,
            "duration_s": self.duration.as_secs_f64(),
            "command": self.command,
            "breakwater": self.breakwater,
            "measured": self.measured.as_ref().map(Measured::to_json),
        })
    }
}

/// What stands in the table over all tests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    pub requests: Option<Rated>,
    /// WebSocket messages, both ways.
    pub messages: Option<Rated>,
    /// Share of failed requests, 0 to 1.
    pub error_share: Option<f64>,
    pub median_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// Checks that failed.
    pub checks_failed: u64,
    /// Iterations that did not start because no VU was free.
    pub dropped_iterations: u64,
    pub thresholds: usize,
    pub thresholds_failed: Vec<FailedThreshold>,
    /// Whether the generator spoiled the numbers; `None` when it did not say.
    pub generator_saturated: Option<bool>,
}

/// How many there were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rated {
    pub count: u64,
    pub per_second: f64,
}

/// A limit that was not kept.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedThreshold {
    pub metric: String,
    /// Such as `p(95)<200`.
    pub limit: String,
    /// What was measured, when the summary has that statistic.
    pub value: Option<f64>,
}

impl Measured {
    /// Reads what `--summary-export` wrote.
    pub fn from_export(export: &Value) -> Measured {
        let metrics = &export["metrics"];
        let duration = &metrics["http_req_duration"];
        let sum = |names: [&str; 2]| {
            let parts = names.map(|name| rated(&metrics[name]));
            parts.into_iter().flatten().reduce(|one, other| Rated {
                count: one.count + other.count,
                per_second: one.per_second + other.per_second,
            })
        };
        let requests = rated(&metrics["http_reqs"]);
        // A trend without values says zero; it has measured nothing.
        let trend = |statistic: &str| requests.and_then(|_| duration[statistic].as_f64());
        let (thresholds, thresholds_failed) = thresholds(metrics);
        Measured {
            requests,
            messages: sum(["ws_msgs_sent", "ws_msgs_received"]),
            error_share: metrics["http_req_failed"]["value"].as_f64(),
            median_ms: trend("med"),
            p95_ms: trend("p(95)"),
            p99_ms: trend("p(99)"),
            checks_failed: metrics["checks"]["fails"].as_u64().unwrap_or(0),
            dropped_iterations: metrics["dropped_iterations"]["count"].as_u64().unwrap_or(0),
            thresholds,
            thresholds_failed,
            generator_saturated: export["generator"]["saturated"].as_bool(),
        }
    }

    fn to_json(&self) -> Value {
        let failed =
            |it: &FailedThreshold| json!({ "metric": it.metric, "limit": it.limit, "value": it.value });
        json!({
            "requests": self.requests.map(|it| it.count),
            "requests_per_s": self.requests.map(|it| it.per_second),
            "messages": self.messages.map(|it| it.count),
            "messages_per_s": self.messages.map(|it| it.per_second),
            "error_share": self.error_share,
            "median_ms": self.median_ms,
            "p95_ms": self.p95_ms,
            "p99_ms": self.p99_ms,
            "checks_failed": self.checks_failed,
            "dropped_iterations": self.dropped_iterations,
            "thresholds": self.thresholds,
            "thresholds_failed": self.thresholds_failed.iter().map(failed).collect::<Vec<_>>(),
            "generator_saturated": self.generator_saturated,
        })
    }
}

fn rated(metric: &Value) -> Option<Rated> {
    let count = metric["count"].as_f64().filter(|&count| count > 0.0)?;
    Some(Rated { count: count as u64, per_second: metric["rate"].as_f64().unwrap_or(0.0) })
}

/// How many there are, and those that failed. The export says `true` of a threshold that was crossed, as k6's does.
fn thresholds(metrics: &Value) -> (usize, Vec<FailedThreshold>) {
    let mut count = 0;
    let mut failed = Vec::new();
    for (name, metric) in metrics.as_object().into_iter().flatten() {
        for (limit, is_crossed) in metric["thresholds"].as_object().into_iter().flatten() {
            count += 1;
            if is_crossed.as_bool() == Some(true) {
                failed.push(FailedThreshold {
                    metric: name.clone(),
                    limit: limit.clone(),
                    value: statistic(metric, limit),
                });
            }
        }
    }
    (count, failed)
}

/// The statistic that a limit such as `p(95)<200` is about. Of a rate metric, `rate` is its only value.
fn statistic(metric: &Value, limit: &str) -> Option<f64> {
    let name = limit.split(['<', '>', '=', '!']).next()?.trim();
    let key = if name == "rate" && metric.get("value").is_some() { "value" } else { name };
    metric[key].as_f64()
}

#[cfg(test)]
mod tests;
