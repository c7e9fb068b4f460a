//! Which tests run, when, and with what.

use super::*;

const SUITE: &str = r#"
title = "T"
[tests.report]
script = "report.js"
needs = ["load", "stress"]
[tests.smoke]
script = "smoke.js"
[tests.load]
script = "load.js"
needs = ["smoke"]
env = { SCALE = "1", USERS = "10", DATA = "file", WORKERS = "1" }
[tests.stress]
script = "stress.js"
kind = "heavy"
needs = ["smoke"]
[sets.quick]
tests = ["load", "smoke"]
env = { SCALE = "0.2", MODE = "set", DATA = "set" }
tests_env.load = { DURATION = "1m" }
[sets.full]
"#;

fn request(tests: &str, set: &str, skip: &str) -> Request {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    Request { set: words(set).pop(), tests: words(tests), skip: words(skip), ..Request::default() }
}

fn check(tests: &str, set: &str, skip: &str, expected: &str) {
    let manifest = Manifest::parse(SUITE).unwrap();
    let plan = match Plan::new(&manifest, &request(tests, set, skip)) {
        Ok(plan) => plan.steps.iter().map(describe).collect::<Vec<_>>().join(" "),
        Err(error) => format!("{error}: {}", error.hint),
    };
    assert_eq!(plan, expected, "tests {tests:?}, set {set:?}, skip {skip:?}");
}

fn describe(step: &Step<'_>) -> String {
    match step.needs.is_empty() {
        true => step.test.name.clone(),
        false => format!("{}({})", step.test.name, step.needs.join(",")),
    }
}

#[test]
fn tests_run_in_the_order_of_the_file_after_what_they_need() {
    check("", "full", "", "smoke load(smoke) stress(smoke) report(load,stress)");
    check("", "", "", "smoke load(smoke)");
}

#[test]
fn named_tests_bring_what_they_need() {
    check("stress", "", "", "smoke stress(smoke)");
    check("report", "quick", "", "smoke load(smoke) stress(smoke) report(load,stress)");
}

#[test]
fn what_is_skipped_holds_nothing_back() {
    check("", "full", "heavy", "smoke load(smoke) report(load)");
    check("", "full", "smoke stress", "load report(load)");
}

#[test]
fn what_is_not_there_is_told() {
    check("nope", "", "", "there is no test 'nope': the tests are report, smoke, load, stress");
    check("", "nope", "", "there is no set 'nope': the sets are quick, full");
    let hint = "the tests are report, smoke, load, stress";
    check("", "", "nope", &format!("there is no test and no kind of test 'nope' to skip: {hint}"));
    check("smoke", "", "smoke", "nothing is left to run: skip less, or name tests or another set");
}

#[test]
fn without_sets_everything_runs() {
    let manifest = Manifest::parse("title = 'T'\ntests.a.script = 'a.js'").unwrap();
    let plan = Plan::new(&manifest, &Request::default()).unwrap();
    assert_eq!((plan.steps.len(), plan.set), (1, None));
    let error = Plan::new(&manifest, &request("", "quick", "")).unwrap_err();
    assert_eq!(error.hint, "the suite has no sets: leave --set out");
}

#[test]
fn the_nearer_a_variable_is_said_the_more_it_counts() {
    let manifest = Manifest::parse(SUITE).unwrap();
    let env = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let request = Request {
        tests: vec!["load".into()],
        env: env(&[("USERS", "hand"), ("EXTRA", "hand")]),
        system_env: env(&[
            ("USERS", "system"),
            ("WORKERS", "7"),
            ("DATA", "system"),
            ("HOME", "/root"),
            ("MODE", ""),
        ]),
        ..Request::default()
    };
    let plan = Plan::new(&manifest, &request).unwrap();
    let expected = [
        ("SCALE", "0.2"),
        ("USERS", "hand"),
        ("DATA", "system"),
        ("MODE", "set"),
        ("WORKERS", "1"),
        ("DURATION", "1m"),
        ("EXTRA", "hand"),
    ];
    assert_eq!(plan.steps[1].env, env(&expected));
    let request = Request { system_env: env(&[("DURATION", "9s")]), ..request };
    let plan = Plan::new(&manifest, &request).unwrap();
    assert_eq!((&*plan.steps[0].env["DURATION"], &*plan.steps[1].env["DURATION"]), ("9s", "9s"));
}

#[test]
fn figures_come_from_tests_that_run_unless_they_are_said_by_hand() {
    let text = "title = 'T'
        tests.one.script = 'a.js'
        [tests.many]
        script = 'a.js'
        needs = ['one']
        env_from.RATE = { test = 'one', metric = 'rate', statistic = 'value' }";
    let manifest = Manifest::parse(text).unwrap();
    let check = |skip: &str, by_hand: &str, expected: &[&str]| {
        let mut request = request("", "", skip);
        request.env.extend((!by_hand.is_empty()).then(|| (by_hand.to_owned(), "7".to_owned())));
        let plan = Plan::new(&manifest, &request).unwrap();
        let many = plan.steps.last().unwrap();
        assert_eq!(many.env_from.keys().copied().collect::<Vec<_>>(), expected, "{skip} {by_hand}");
    };
    check("", "", &["RATE"]);
    check("", "OTHER", &["RATE"]);
    check("", "RATE", &[]);
    check("one", "", &[]);
}

#[test]
fn a_step_waits_for_all_it_needs() {
    let manifest = Manifest::parse(SUITE).unwrap();
    let plan = Plan::new(&manifest, &request("report", "full", "")).unwrap();
    let report = plan.steps.last().unwrap();
    assert_eq!(report.held_back_by(|_| true), None);
    assert_eq!(report.held_back_by(|name| name == "load"), Some("stress"));
}
