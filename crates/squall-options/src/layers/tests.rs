use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::{DnsSelect, Executor, Stripe, defaults};

fn read(json: &str) -> Options {
    Options::from_json(json).expect("valid options").0
}

/// The scenarios that a script's options come to, each with its warnings or the error.
fn resolved(json: &str) -> String {
    match resolve_execution(&read(json)) {
        Ok((options, warnings)) => {
            let scenarios = options.scenarios.expect("always set").to_json();
            warnings.iter().fold(scenarios.to_string(), |text, warning| text + "\n  " + warning)
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn shortcuts_become_scenarios() {
    let cases = [
        r#"{}"#,
        r#"{"vus": 3}"#,
        r#"{"iterations": 5}"#,
        r#"{"iterations": 5, "vus": 2, "duration": "3s"}"#,
        r#"{"duration": "3s", "vus": 2}"#,
        r#"{"stages": [{"duration": "1s", "target": 4}], "vus": 2}"#,
        r#"{"stages": []}"#,
        r#"{"scenarios": {}}"#,
        r#"{"vus": 3, "scenarios": {"a": {"executor": "shared-iterations"}}}"#,
    ];
    assert_snapshot!(cases.map(resolved).join("\n"), @r#"
    {"default":{"executor":"per-vu-iterations","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":null,"iterations":null,"maxDuration":null}}
    {"default":{"executor":"shared-iterations","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":3,"iterations":3,"maxDuration":null}}
    {"default":{"executor":"shared-iterations","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":null,"iterations":5,"maxDuration":null}}
    {"default":{"executor":"shared-iterations","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":2,"iterations":5,"maxDuration":"3s"}}
    {"default":{"executor":"constant-vus","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":2,"duration":"3s"}}
    {"default":{"executor":"ramping-vus","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"startVUs":2,"stages":[{"duration":"1s","target":4}],"gracefulRampDown":null}}
    {"default":{"executor":"per-vu-iterations","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":null,"iterations":null,"maxDuration":null}}
      `stages` is empty: the script runs one iteration in one VU
    {"default":{"executor":"per-vu-iterations","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":null,"iterations":null,"maxDuration":null}}
      `scenarios` is empty: the script runs one iteration in one VU
    {"default":{"executor":"shared-iterations","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":3,"iterations":3,"maxDuration":null}}
      `vus` overrides `scenarios`: give `vus` within a scenario to keep them
    "#);
}

#[test]
fn shortcuts_that_exclude_one_another_are_errors() {
    let cases = [
        r#"{"iterations": 1, "stages": [{"duration": "1s", "target": 1}]}"#,
        r#"{"duration": "1s", "stages": [{"duration": "1s", "target": 1}]}"#,
        r#"{"duration": "1s", "scenarios": {"a": {"executor": "shared-iterations"}}}"#,
        r#"{"duration": "1s", "iterations": 3, "scenarios": {"a": {"executor": "shared-iterations"}}}"#,
        r#"{"duration": 0}"#,
    ];
    assert_snapshot!(cases.map(resolved).join("\n"), @r#"
    options: `iterations` and `stages` cannot be used together; use one of them
    options: `duration` and `stages` cannot be used together; use one of them
    options: `duration` and `scenarios` cannot be used together; use one of them
    options: `iterations` and `scenarios` cannot be used together; use one of them
    options.duration: must be more than 0; for an infinite test use the externally-controlled executor
    "#);
}

#[test]
fn execution_options_wipe_lower_layers() {
    let script = read(r#"{"vus": 2, "scenarios": {"a": {"executor": "shared-iterations"}}}"#);
    let flags = Options { duration: Some(Duration::from_secs(5)), ..Options::default() };
    let (options, warnings) = consolidate([script, flags]);
    assert_eq!((options.vus, &options.scenarios), (Some(2), &None));
    assert_eq!(
        derive_scenarios(&options).expect("no conflict")[0].executor,
        Executor::ConstantVus { vus: 2, duration: Duration::from_secs(5) }
    );
    assert_snapshot!(warnings.join("\n"), @"the scenarios of a lower layer (script or config file) are overridden by other execution options");
}

#[test]
fn vus_alone_keeps_what_lower_layers_say() {
    let (options, warnings) = consolidate([read(r#"{"duration": "5s"}"#), read(r#"{"vus": 7}"#)]);
    assert_eq!((options.vus, options.duration), (Some(7), Some(Duration::from_secs(5))));
    assert!(warnings.is_empty());
}

#[test]
fn dns_merges_and_maps_are_replaced() {
    let script = read(r#"{"dns": {"ttl": "1m", "select": "first"}, "tags": {"a": "1"}, "batch": 3}"#);
    let flags = read(r#"{"dns": {"select": "roundRobin"}, "tags": {"b": "2"}}"#);
    let (options, _) = consolidate([defaults::layer(), script, flags]);
    let dns = options.dns.expect("set");
    assert_eq!((dns.cache_time(), dns.select), (Some(Duration::from_secs(60)), Some(DnsSelect::RoundRobin)));
    assert_eq!(options.tags.expect("set").into_keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(options.batch, Some(3));
}

#[test]
fn scenarios_come_in_the_order_of_their_start() {
    let options = read(
        r#"{"scenarios": {
            "c": {"executor": "shared-iterations"},
            "a": {"executor": "shared-iterations", "startTime": "1s"},
            "b": {"executor": "shared-iterations"}
        }}"#,
    );
    let names: Vec<_> = derive_scenarios(&options).expect("valid").into_iter().map(|s| s.name).collect();
    assert_eq!(names, ["b", "c", "a"]);
}

#[test]
fn environment_variables_are_read_as_text() {
    let vars = [
        ("K6_VUS", "5"),
        ("K6_DURATION", "1d"),
        ("K6_STAGES", "10s:5,1m:20"),
        ("K6_NO_SETUP", "true"),
        ("K6_TAGS", "a:1,b:x:y"),
        ("K6_DNS", "ttl=0,policy=any"),
        ("K6_BLACKLIST_IPS", "10.0.0.0/8,::/0"),
        ("K6_SUMMARY_TREND_STATS", "avg,p(99)"),
        ("K6_SYSTEM_TAGS", "url,ip"),
        ("K6_USER_AGENT", ""),
        ("K6_LOCAL_IPS", "10.0.0.1-10.0.0.3"),
    ];
    let lookup = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
    let options = from_env(lookup).expect("valid");
    let set: Map<String, Value> =
        options.to_json().into_iter().filter(|(_, value)| !value.is_null()).collect();
    assert_snapshot!(Value::Object(set).to_string().replace(",\"", ",\n\""), @r#"
    {"vus":5,
    "duration":"24h0m0s",
    "stages":[{"duration":"10s",
    "target":5},{"duration":"1m0s",
    "target":20}],
    "noSetup":true,
    "dns":{"ttl":"0",
    "select":null,
    "policy":"any"},
    "blacklistIPs":["10.0.0.0/8",
    "::/0"],
    "summaryTrendStats":["avg",
    "p(99)"],
    "systemTags":["ip",
    "url"],
    "tags":{"a":"1",
    "b":"x:y"},
    "localIPs":"10.0.0.1-10.0.0.3"}
    "#);
    let bad = from_env(|name| (name == "K6_VUS").then(|| "many".to_owned())).expect_err("not a number");
    assert_snapshot!(bad.to_string(), @r#"K6_VUS: expected an integer that is not negative, found "many""#);
}

#[test]
fn config_files_hold_options_and_outputs() {
    let (config, warnings) = from_config_file(
        r#"{"vus": 2, "out": "json=a.json", "linger": true, "collectors": {"influxdb": {"db": "x"}}, "foo": 1}"#,
    )
    .expect("valid");
    assert_eq!((config.options.vus, config.linger), (Some(2), Some(true)));
    assert_eq!(config.out, Some(vec!["json=a.json".to_owned()]));
    assert_eq!(config.collectors["influxdb"]["db"], "x");
    assert_snapshot!(warnings.join("\n"), @"unknown key config.foo is ignored");
    assert_snapshot!(from_config_file(r#"{"linger": 1}"#).expect_err("not a bool").to_string(), @"config.linger: expected true or false, found 1");
    assert_snapshot!(from_config_file("[]").expect_err("not an object").to_string(), @"config: expected an object, found a list");
}

#[test]
fn descriptions_are_k6s() {
    let options = read(
        r#"{"scenarios": {
            "a": {"executor": "constant-vus", "vus": 7, "duration": "1s"},
            "b": {"executor": "ramping-vus", "startTime": "2s", "gracefulStop": "0s", "exec": "f",
                  "stages": [{"duration": "1s", "target": 10}, {"duration": "65s", "target": 3}]},
            "c": {"executor": "shared-iterations", "vus": 3, "iterations": 10, "maxDuration": "2m"},
            "d": {"executor": "per-vu-iterations", "vus": 3, "iterations": 4},
            "e": {"executor": "constant-arrival-rate", "rate": 7, "timeUnit": "1m", "duration": "1s",
                  "preAllocatedVUs": 3},
            "f": {"executor": "ramping-arrival-rate", "startRate": 1, "preAllocatedVUs": 3, "maxVUs": 9,
                  "stages": [{"duration": "1s", "target": 13}]},
            "g": {"executor": "externally-controlled", "vus": 2, "maxVUs": 5, "duration": "1s"},
            "h": {"executor": "externally-controlled", "duration": 0}
        }}"#,
    );
    let describe = |stripe: &Stripe| {
        let scenarios = derive_scenarios(&options).expect("valid");
        scenarios.iter().map(|s| format!("{}: {}", s.name, s.describe(stripe))).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(describe(&Stripe::default()), @r#"
    a: 7 looping VUs for 1s (gracefulStop: 30s)
    c: 10 iterations shared among 3 VUs (maxDuration: 2m0s, gracefulStop: 30s)
    d: 4 iterations for each of 3 VUs (maxDuration: 10m0s, gracefulStop: 30s)
    e: 0.12 iterations/s for 1s (maxVUs: 3, gracefulStop: 30s)
    f: Up to 13.00 iterations/s for 1s over 1 stages (maxVUs: 3-9, gracefulStop: 30s)
    g: Externally controlled execution with 2 VUs, 5 max VUs, 1s duration
    h: Externally controlled execution with 1 VUs, 1 max VUs, infinite duration
    b: Up to 10 looping VUs for 1m6s over 2 stages (gracefulRampDown: 30s, exec: f, startTime: 2s)
    "#);
    let middle = "1/4:3/4".parse().expect("a segment");
    assert_snapshot!(describe(&Stripe::new(Some(&middle), None).expect("valid")), @r#"
    a: 4 looping VUs for 1s (gracefulStop: 30s)
    c: 7 iterations shared among 2 VUs (maxDuration: 2m0s, gracefulStop: 30s)
    d: 4 iterations for each of 2 VUs (maxDuration: 10m0s, gracefulStop: 30s)
    e: 0.08 iterations/s for 1s (maxVUs: 2, gracefulStop: 30s)
    f: Up to 6.50 iterations/s for 1s over 1 stages (maxVUs: 2-5, gracefulStop: 30s)
    g: Externally controlled execution with 2 VUs, 5 max VUs, 1s duration
    h: Externally controlled execution with 1 VUs, 1 max VUs, infinite duration
    b: Up to 5 looping VUs for 1m6s over 2 stages (gracefulRampDown: 30s, exec: f, startTime: 2s)
    "#);
}
