//! What stands above a run.

use super::*;

#[test]
fn describes_the_run_as_k6_does() {
    let description = ExecutionDescription {
        script: "b.js".into(),
        outputs: vec!["csv (x.csv)".into(), "json (/dev/null)".into()],
        segment_percent: "100.00".into(),
        max_vus: 6,
        max_duration: Duration::from_secs(630),
        scenarios: vec![
            ("one".into(), "2 looping VUs for 2s (gracefulStop: 1s)".into()),
            ("two".into(), "5.00 iterations/s for 1s (maxVUs: 2-4)".into()),
        ],
    };
    insta::assert_snapshot!(description.render(false), @"
         execution: local
            script: b.js
            output: csv (x.csv), json (/dev/null)

         scenarios: (100.00%) 2 scenarios, 6 max VUs, 10m30s max duration (incl. graceful stop):
                  * one: 2 looping VUs for 2s (gracefulStop: 1s)
                  * two: 5.00 iterations/s for 1s (maxVUs: 2-4)
    ");
}

#[test]
fn colours_only_on_request() {
    assert!(!banner(false).contains('\x1b'));
    assert!(banner(true).contains('\x1b'));
}
