//! The suites in `suites/`: each script runs, tiny, against the service that it is for, and what its data is made of is as
//! it says. No script can rot unnoticed; whether limits hold is for a machine that does nothing else.

use serde_json::Value;

use crate::sandbox::Sandbox;

const SUITES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../suites");

/// Runs the suite's smallest set, much smaller: every test has to run, ask something, and find right answers.
#[track_caller]
fn check_suite(system: &str) {
    let tiny = [("SCALE", "0.002"), ("DURATION", "1s"), ("K6_NO_THRESHOLDS", "true")];
    let sandbox = tiny.into_iter().fold(Sandbox::new(), |sandbox, (name, value)| sandbox.env(name, value));
    let manifest = format!("{SUITES}/{system}/suite.toml");
    let output = sandbox.start_with(&[
        "suite",
        "run",
        &manifest,
        "--set",
        "smoke",
        "--breakwater",
        "--output-dir",
        "results",
    ]);
    output.finish().check(0, "");
    let report: Value = serde_json::from_str(&sandbox.read("results/suite.json")).expect("JSON");
    let tests = report["tests"].as_array().expect("a list of tests");
    assert!(!tests.is_empty());
    for test in tests {
        let console =
            || sandbox.read(&format!("results/{}/console.log", test["name"].as_str().unwrap_or("")));
        assert_eq!(test["verdict"], "passed", "{test}\n{}", console());
        assert_eq!(test["measured"]["checks_failed"], 0, "{test}\n{}", console());
        assert!(test["measured"]["requests"].as_u64() > Some(0), "{test}");
    }
}

#[test]
fn connex() {
    check_suite("connex");
}

#[test]
fn birthday() {
    check_suite("birthday");
}

#[test]
fn location() {
    check_suite("location");
}

#[test]
fn azora() {
    check_suite("azora");
}

#[test]
fn fluxor() {
    check_suite("fluxor");
}

/// How long requests take is the machine's; whether they are refused is the number of clients against the number of places.
#[test]
fn beyond_the_capacity_of_fluxor_requests_are_refused_and_below_none() {
    let manifest = format!("{SUITES}/fluxor/suite.toml");
    let only = ["capacity", "--skip", "load", "--set", "smoke", "--breakwater", "--output-dir", "results"];
    let sandbox = Sandbox::new();
    let output = sandbox.start_with(&[&["suite", "run", &manifest], &only[..]].concat()).finish();
    let summary = sandbox.read("results/capacity/summary.json");
    let summary: Value = serde_json::from_str(&summary).expect("JSON");
    let refused = |region: &str| &summary["metrics"][format!("refused{{scenario:{region}}}")];
    assert_eq!(refused("below")["value"], 0.0, "{}", output.stdout);
    // The export says true of a limit that was crossed.
    let limits = refused("beyond")["thresholds"].as_object().expect("limits");
    assert!(limits.keys().any(|limit| limit.starts_with("rate>0.1")), "{limits:?}");
    assert!(limits.values().all(|is_crossed| is_crossed == false), "{}", output.stdout);
}

/// The service's own scheduler takes the burst's messages away, so that there is no rate to judge.
#[test]
fn a_burst_of_birthday_that_measured_nothing_fails() {
    let manifest = format!(
        "title = 'T'
        [target]
        breakwater = 'birthday'
        ready = '/ready'
        breakwater_options = ['--admin-token=breakwater-demo', '--birthday-interval-ms=1']
        [tests.workers]
        script = '{SUITES}/birthday/workers.js'
        env = {{ WORKERS = 1, SCALE = 0.2, DURATION = '1s' }}"
    );
    let sandbox = Sandbox::new().file("suite.toml", manifest);
    let arguments = ["suite", "run", "./suite.toml", "--breakwater", "--output-dir", "results"];
    let output = sandbox.start_with(&arguments).finish();
    output.check(99, "workers: thresholds failed");
    assert!(output.stdout.contains("workers: ✗ bursts_judged count==1, was 0"), "{}", output.stdout);
}

#[test]
fn a_scale_that_is_none_is_told_as_such() {
    let path = format!("{SUITES}/fluxor/load.js");
    for scale in ["Infinity", "1e999", "-1", "0", "much"] {
        let output = Sandbox::new().start_with(&["inspect", &path, "-e", &format!("SCALE={scale}")]).finish();
        output.check(107, &format!("SCALE: '{scale}' is not a finite number above 0"));
    }
}

#[test]
fn what_the_data_of_suites_is_made_of_keeps_its_word() {
    for script in ["random", "people", "gps", "scale"] {
        let path = format!("{SUITES}/lib/tests/{script}.js");
        let arguments = ["run", &path, "-e", "SCALE=0.1", "-e", "DURATION=1m"];
        let output = Sandbox::new().start_with(&arguments).finish();
        assert_eq!(output.status.code(), Some(0), "{script}: {}", output.stdout);
    }
}
