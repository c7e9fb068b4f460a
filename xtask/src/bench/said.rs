//! What a tool reports of its own run: how much it did, how fast, and whether it was answered well.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::figure::Figure;

/// A tool's report.
#[derive(Debug)]
pub(super) struct Said {
    /// Requests, messages or iterations.
    pub(super) count: u64,
    /// The same a second, where the tool tells it.
    pub(super) rate: Option<f64>,
    /// The summary export; null for tools without scripts.
    export: Value,
}

impl Said {
    /// The summary export of k6 or Squall. A request or check that failed makes the run worthless.
    pub(super) fn of_export(export: Value) -> Result<Said> {
        let metrics = &export["metrics"];
        // Where there are sockets, it is about messages.
        let done = ["ws_msgs_received", "iterations"].map(|name| &metrics[name]);
        let done =
            done.into_iter().find(|metric| !metric.is_null()).context("the export has no iterations")?;
        let count = done["count"].as_f64().unwrap_or(0.0) as u64;
        let failed = metrics["http_req_failed"]["value"].as_f64().unwrap_or(0.0);
        ensure!(failed == 0.0, "{:.2} % of the requests failed", failed * 100.0);
        let checked = metrics["checks"]["value"].as_f64().unwrap_or(1.0);
        ensure!(checked == 1.0, "{:.2} % of the checks failed", (1.0 - checked) * 100.0);
        let rate = done["rate"].as_f64();
        Ok(Said { count, rate, export })
    }

    /// `  123456 requests in 5.00s, 20.3MB read` and `Requests/sec:  24691.20`.
    pub(super) fn of_wrk(text: &str) -> Result<Said> {
        let word_before =
            |mark: &str| text.lines().find_map(|line| line.trim().split_once(mark)).map(|(count, _)| count);
        let count = word_before(" requests in").context("wrk names no requests")?.parse()?;
        ensure!(!text.contains("Non-2xx"), "some requests of wrk failed");
        let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")).map(str::trim);
        Ok(Said { count, rate: rate.and_then(|rate| rate.parse().ok()), export: Value::Null })
    }

    pub(super) fn of_oha(report: &Value) -> Result<Said> {
        let statuses = report["statusCodeDistribution"].as_object().context("oha names no statuses")?;
        ensure!(statuses.keys().all(|status| status == "200"), "some requests of oha failed");
        let count = statuses.values().filter_map(Value::as_u64).sum();
        Ok(Said { count, rate: report["summary"]["requestsPerSec"].as_f64(), export: Value::Null })
    }

    /// `Total requests            50000` and `Requests per second       9876.54 [#/sec]`, for all of the plan.
    pub(super) fn of_drill(text: &str) -> Result<Said> {
        let number = |title: &str| {
            let rest = text.lines().find_map(|line| line.strip_prefix(title))?;
            rest.split_whitespace().next()?.parse::<f64>().ok()
        };
        let count = number("Total requests").context("drill names no requests")? as u64;
        ensure!(number("Failed requests") == Some(0.0), "some requests of drill failed");
        Ok(Said { count, rate: number("Requests per second"), export: Value::Null })
    }

    /// A statistic of a trend, if the run has it.
    pub(super) fn trend(&self, figure: Figure) -> Option<f64> {
        let Figure::Trend { metric, stat, .. } = figure else { return None };
        self.export["metrics"][metric][stat].as_f64()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_wrk_says() {
        let text = "Running 5s test\n  123456 requests in 5.00s, 20MB read\nRequests/sec:  24691.20\n";
        let said = Said::of_wrk(text).unwrap();
        assert_eq!((said.count, said.rate), (123_456, Some(24_691.2)));
        assert!(Said::of_wrk(&text.replace("Requests/sec", "Non-2xx or 3xx responses: 1")).is_err());
    }

    #[test]
    fn reads_what_oha_says() {
        let report = json!({"summary": {"requestsPerSec": 2.5}, "statusCodeDistribution": {"200": 5}});
        let said = Said::of_oha(&report).unwrap();
        assert_eq!((said.count, said.rate), (5, Some(2.5)));
        assert!(Said::of_oha(&json!({"statusCodeDistribution": {"200": 5, "404": 1}})).is_err());
    }

    #[test]
    fn reads_what_drill_says() {
        let text = "request   Total requests   9\n\nTotal requests            9\nFailed requests           0\n\
                    Requests per second       2.50 [#/sec]\n";
        let said = Said::of_drill(text).unwrap();
        assert_eq!((said.count, said.rate), (9, Some(2.5)));
        assert!(Said::of_drill(&text.replace("           0", "           1")).is_err());
    }

    #[test]
    fn reads_the_export_of_a_script() {
        let export = json!({"metrics": {
            "iterations": {"count": 10, "rate": 2.5},
            "http_req_failed": {"passes": 0, "fails": 10, "value": 0},
            "iteration_lateness": {"med": 0.1, "p(99)": 0.4},
        }});
        let said = Said::of_export(export).unwrap();
        assert_eq!((said.count, said.rate), (10, Some(2.5)));
        let late = |stat| Figure::Trend { metric: "iteration_lateness", stat, title: "" };
        assert_eq!((said.trend(late("p(99)")), said.trend(late("max"))), (Some(0.4), None));
    }

    #[test]
    fn messages_count_where_there_are_any() {
        let metrics =
            json!({"iterations": {"count": 10, "rate": 2.5}, "ws_msgs_received": {"count": 70, "rate": 7}});
        let said = Said::of_export(json!({ "metrics": metrics })).unwrap();
        assert_eq!((said.count, said.rate), (70, Some(7.0)));
    }

    #[test]
    fn a_run_with_failures_is_refused() {
        let export = |requests: f64, checks: f64| {
            json!({"metrics": {
                "iterations": {"count": 10, "rate": 2.5},
                "http_req_failed": {"value": requests}, "checks": {"value": checks},
            }})
        };
        assert!(Said::of_export(export(0.0, 1.0)).is_ok());
        assert_eq!(
            Said::of_export(export(0.25, 1.0)).unwrap_err().to_string(),
            "25.00 % of the requests failed"
        );
        assert_eq!(
            Said::of_export(export(0.0, 0.5)).unwrap_err().to_string(),
            "50.00 % of the checks failed"
        );
    }
}
