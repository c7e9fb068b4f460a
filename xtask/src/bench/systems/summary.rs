//! What Squall tells of a run: the summary export.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A summary export.
#[derive(Debug)]
pub(super) struct Summary(Value);

impl Summary {
    pub(super) fn new(export: Value) -> Summary {
        Summary(export)
    }

    /// A statistic of a trend (`med`, `p(95)`), in the metric's unit. One that counted nothing has none, whatever it says.
    pub(super) fn trend(&self, metric: &str, statistic: &str) -> Result<f64> {
        ensure!(self.number(metric, "count")? > 0.0, "nothing was counted in {metric}");
        self.number(metric, statistic)
    }

    /// The 95th percentile, in milliseconds.
    pub(super) fn p95(&self, metric: &str) -> Result<f64> {
        self.trend(metric, "p(95)")
    }

    /// The last value of a gauge.
    pub(super) fn gauge(&self, metric: &str) -> Result<f64> {
        self.number(metric, "value")
    }

    /// The share of a rate that is not zero.
    pub(super) fn share(&self, metric: &str) -> Result<f64> {
        self.number(metric, "value")
    }

    /// How much a counter came to; nothing where the run never counted.
    pub(super) fn count(&self, metric: &str) -> f64 {
        self.number(metric, "count").unwrap_or(0.0)
    }

    /// Whether Squall says of itself that it could not keep up.
    pub(super) fn is_saturated(&self) -> bool {
        self.0["generator"]["saturated"] == Value::Bool(true)
    }

    fn number(&self, metric: &str, field: &str) -> Result<f64> {
        let value = self.0["metrics"][metric][field].as_f64();
        value.with_context(|| format!("the summary has no {field} of {metric}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_each_kind_of_metric_and_names_what_is_missing() {
        let summary = Summary::new(json!({"metrics": {
            "http_reqs": {"count": 10, "rate": 2.5},
            "http_req_duration{users:100}": {"med": 1.5, "p(95)": 4.0, "count": 3},
            "http_req_duration{users:300}": {"med": 0.0, "p(95)": 0.0, "count": 0},
            "http_req_failed": {"value": 0.25},
        }}));
        assert_eq!(summary.p95("http_req_duration{users:100}").unwrap(), 4.0);
        assert_eq!((summary.count("http_reqs"), summary.count("errors")), (10.0, 0.0));
        assert_eq!(summary.share("http_req_failed").unwrap(), 0.25);
        assert!(!summary.is_saturated());
        assert!(Summary::new(json!({"generator": {"saturated": true}})).is_saturated());
        let error = summary.p95("http_req_duration{users:200}").unwrap_err().to_string();
        assert_eq!(error, "the summary has no count of http_req_duration{users:200}");
        let error = summary.p95("http_req_duration{users:300}").unwrap_err().to_string();
        assert_eq!(error, "nothing was counted in http_req_duration{users:300}");
    }
}
