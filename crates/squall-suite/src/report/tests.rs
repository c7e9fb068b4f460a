//! How a run of a suite reads.

use insta::assert_snapshot;

use super::*;

fn report() -> Report {
    let outcome = |name: &str, verdict: Verdict, measured: Option<Measured>| Outcome {
        name: name.into(),
        about: format!("about {name}"),
        kind: (name == "stress").then(|| "stress".into()),
        exit_code: Some(if verdict == Verdict::Passed { 0 } else { 99 }),
        verdict,
        duration: Duration::from_millis(61_249),
        command: vec!["squall".into(), "run".into(), format!("{name}.js")],
        breakwater: (name == "smoke").then(|| "breakwater connex --workers=2".into()),
        measured,
    };
    let smoke = Measured {
        requests: Some(Rated { count: 1234567, per_second: 20158.6 }),
        error_share: Some(0.0),
        median_ms: Some(0.7),
        p95_ms: Some(4.256),
        p99_ms: Some(1530.0),
        thresholds: 2,
        generator_saturated: Some(false),
        ..Measured::default()
    };
    let failed = |metric: &str, limit: &str, value| FailedThreshold {
        metric: metric.into(),
        limit: limit.into(),
        value,
    };
    let load = Measured {
        error_share: Some(0.1234),
        checks_failed: 1500,
        dropped_iterations: 7,
        thresholds_failed: vec![
            failed("http_req_duration{a:b}", "p(95)<500", Some(812.3456)),
            failed("http_req_failed", "rate<0.01", Some(0.1234)),
            failed("x", "p(99.9)<1", None),
        ],
        generator_saturated: Some(true),
        ..smoke.clone()
    };
    Report {
        title: "Connex".into(),
        suite: "suites/connex/suite.toml".into(),
        set: Some("full".into()),
        base_url: "http://127.0.0.1:8080".into(),
        breakwater: Some("breakwater connex --connex-seed=10".into()),
        started_at: "2026-01-02T03:04:05Z".into(),
        duration: Duration::from_secs(200),
        outcomes: vec![
            outcome("smoke", Verdict::Passed, Some(smoke)),
            outcome("load", Verdict::ThresholdsFailed, Some(load)),
            outcome("stress", Verdict::NotRun("it needs load, which failed".into()), None),
            outcome("crash", Verdict::Failed("the script threw".into()), None),
        ],
        skipped: vec!["performance".into()],
    }
}

#[test]
fn people_read_a_table_and_what_failed() {
    assert_snapshot!(report().text());
}

#[test]
fn a_report_is_markdown() {
    assert_snapshot!(report().markdown());
}

#[test]
fn programs_read_json() {
    assert_snapshot!(format!("{:#}", report().to_json()));
}

#[test]
fn messages_have_columns_when_there_are_some() {
    let mut report = report();
    report.outcomes.truncate(1);
    let measured = report.outcomes[0].measured.as_mut().expect("smoke has measured");
    measured.messages = measured.requests.take();
    let head = report.text().lines().next().map(str::to_owned).unwrap_or_default();
    assert_eq!(
        head.split_whitespace().collect::<Vec<_>>().join(" "),
        "test verdict took ws messages ws rate p95 p99 generator"
    );
}

#[test]
fn numbers_are_short() {
    assert_eq!(
        [0.0, 0.12344, 9.87654, 812.3456, 12345.6].map(rounded),
        ["0", "0.1234", "9.877", "812.3", "12346"]
    );
    assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!([0.5, 12.3, 1500.0].map(millis), ["0.50ms", "12ms", "1.50s"]);
}

#[test]
fn a_suite_has_passed_when_every_test_has() {
    let mut report = report();
    assert!(!report.has_passed());
    report.outcomes.truncate(1);
    assert!(report.has_passed());
}
