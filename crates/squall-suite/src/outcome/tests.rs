//! What is read from the export of a summary.

use super::*;

fn export() -> Value {
    json!({
        "metrics": {
            "checks": { "value": 0.5, "passes": 3, "fails": 3, "thresholds": { "rate>0.9": true } },
            "http_reqs": { "count": 120, "rate": 60.0 },
            "http_req_failed": { "value": 0.25, "passes": 30, "fails": 90 },
            "http_req_duration": {
                "avg": 5.0, "med": 4.0, "p(95)": 9.0, "p(99)": 12.0,
                "thresholds": { "p(95) < 8": true, "p(99)<900": false, "p(99.9)<1": true }
            },
            "http_req_duration{scenario:a}": { "p(95)": 7.0, "thresholds": { "p(95)<8": false } },
            "ws_msgs_sent": { "count": 10, "rate": 5.0 },
            "ws_msgs_received": { "count": 30, "rate": 15.0 }
        },
        "generator": { "saturated": true }
    })
}

#[test]
fn an_export_gives_the_figures_of_the_table() {
    let measured = Measured::from_export(&export());
    assert_eq!(measured.requests, Some(Rated { count: 120, per_second: 60.0 }));
    assert_eq!(measured.messages, Some(Rated { count: 40, per_second: 20.0 }));
    assert_eq!(measured.error_share, Some(0.25));
    assert_eq!((measured.median_ms, measured.p95_ms, measured.p99_ms), (Some(4.0), Some(9.0), Some(12.0)));
    assert_eq!((measured.checks_failed, measured.dropped_iterations), (3, 0));
    assert_eq!(measured.generator_saturated, Some(true));
}

#[test]
fn failed_thresholds_come_with_what_was_measured() {
    let measured = Measured::from_export(&export());
    let failed: Vec<_> =
        measured.thresholds_failed.iter().map(|it| (&*it.metric, &*it.limit, it.value)).collect();
    let duration = "http_req_duration";
    assert_eq!(measured.thresholds, 5);
    assert_eq!(
        failed,
        [
            ("checks", "rate>0.9", Some(0.5)),
            (duration, "p(95) < 8", Some(9.0)),
            (duration, "p(99.9)<1", None)
        ]
    );
}

#[test]
fn a_test_without_requests_has_no_times() {
    let trend = json!({ "med": 0, "p(95)": 0, "p(99)": 0 });
    let measured = Measured::from_export(&json!({ "metrics": { "http_req_duration": trend } }));
    assert_eq!(measured, Measured::default());
    assert_eq!(Measured::from_export(&json!([1])), Measured::default());
}
