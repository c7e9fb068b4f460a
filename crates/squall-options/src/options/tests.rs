use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn read(json: &str) -> Options {
    Options::from_json(json).expect("valid options").0
}

fn error(json: &str) -> String {
    Options::from_json(json).expect_err("an error").to_string()
}

/// What `inspect` would print of the keys that are set.
fn echo(json: &str) -> String {
    let set = |(_, value): &(String, Value)| !value.is_null();
    let map: Map<String, Value> = read(json).to_json().into_iter().filter(set).collect();
    Value::Object(map).to_string().replace("},", "},\n").replace("],", "],\n")
}

#[test]
fn errors_name_path_and_value() {
    let cases = [
        r#"{"stages": [{"duration": "1s", "target": 1}, {"duration": "1s", "target": "x"}]}"#,
        r#"{"vus": 1.5}"#,
        r#"{"vus": -1}"#,
        r#"{"duration": "x"}"#,
        r#"{"duration": true}"#,
        r#"{"duration": -5}"#,
        r#"{"throw": "true"}"#,
        r#"{"tags": {"a": 1}}"#,
        r#"{"thresholds": {"a": "x"}}"#,
        r#"{"thresholds": {"a": [1]}}"#,
        r#"{"dns": "ttl=1m"}"#,
        r#"{"dns": {"select": "best"}}"#,
        r#"{"tlsVersion": "tls9"}"#,
        r#"{"tlsAuth": [{"crt": "x"}]}"#,
        r#"{"tlsCipherSuites": ["TLS_FOO"]}"#,
        r#"{"hosts": {"a.com": "x"}}"#,
        r#"{"blacklistIPs": ["1.2.3.4"]}"#,
        r#"{"blockHostnames": ["foo*"]}"#,
        r#"{"summaryTrendStats": ["p(101)"]}"#,
        r#"{"summaryTimeUnit": "h"}"#,
        r#"{"executionSegment": "1/0"}"#,
        r#"{"vuMemoryLimit": "lots"}"#,
        r#"{"scenarios": []}"#,
        r#"{"scenarios": {"a": {}}}"#,
        r#"{"scenarios": {"a": {"executor": "nope"}}}"#,
        r#"{"scenarios": {"a": {"executor": "constant-vus", "duration": "1s", "bad": 1}}}"#,
        r#"{"scenarios": {"a": {"executor": "constant-vus"}}}"#,
        r#"{"scenarios": {"a": {"executor": "ramping-vus", "stages": [{"target": 2}]}}}"#,
        r#"{"scenarios": {"a": {"executor": "externally-controlled", "duration": 0, "gracefulStop": "1s"}}}"#,
        "[1]",
        "{",
    ];
    assert_snapshot!(cases.map(error).join("\n"), @r#"
    options.stages[1].target: expected an integer, found "x"
    options.vus: expected an integer, found 1.5
    options.vus: expected an integer that is not negative, found -1
    options.duration: "x" is not a duration (like 30s, 1m30s, 500ms)
    options.duration: expected a duration (like "30s" or 500 for milliseconds), found true
    options.duration: expected a duration that is not negative, found -5
    options.throw: expected true or false, found "true"
    options.tags.a: expected a string, found 1
    options.thresholds.a: expected a list, found "x"
    options.thresholds.a[0]: expected an expression or {threshold, abortOnFail, delayAbortEval}, found 1
    options.dns: expected an object, found "ttl=1m"
    options.dns.select: expected one of first, random, roundRobin, found "best"
    options.tlsVersion: expected one of tls1.0, tls1.1, tls1.2, tls1.3, found "tls9"
    options.tlsAuth[0].crt: unknown key (expected cert, key, password or domains)
    options.tlsCipherSuites[0]: unknown cipher suite "TLS_FOO"
    options.hosts.a.com: "x" is not an address (like 10.0.0.1 or 10.0.0.1:8080)
    options.blacklistIPs[0]: "1.2.3.4" is not a network (like 10.0.0.0/8)
    options.blockHostnames: "foo*" is not a host name pattern (like a.com or *.a.com)
    options.summaryTrendStats[0]: expected avg, min, med, max, count or p(N) with N from 0 to 100, found "p(101)"
    options.summaryTimeUnit: expected s, ms or us, found "h"
    options.executionSegment: "1/0" is not a part of a test (like 20%, 0.2 or 1/5)
    options.vuMemoryLimit: "lots" is not a size (like 512MB)
    options.scenarios: expected an object, found a list
    options.scenarios.a.executor: is required
    options.scenarios.a.executor: unknown executor "nope" (expected one of shared-iterations, per-vu-iterations, constant-vus, ramping-vus, constant-arrival-rate, ramping-arrival-rate, externally-controlled)
    options.scenarios.a.bad: unknown key
    options.scenarios.a.duration: is required
    options.scenarios.a.stages[0].duration: is required
    options.scenarios.a.gracefulStop: is not supported by externally-controlled
    options: expected an object, found a list
    options: not valid JSON: EOF while parsing an object at line 1 column 1
    "#);
}

#[test]
fn unknown_keys_are_warnings() {
    let (options, warnings) =
        Options::from_json(r#"{"vus": 1, "foo": 1, "localIPs": "::1"}"#).expect("valid");
    assert_eq!(options, Options { vus: Some(1), ..Options::default() });
    assert_snapshot!(warnings.join("\n"), @r#"
    unknown option options.foo is ignored
    options.localIPs cannot be set by a script and is ignored
    "#);
}

#[test]
fn null_is_unset() {
    assert_eq!(read("null"), Options::default());
    assert_eq!(read(r#"{"vus": null, "dns": null, "scenarios": null}"#), Options::default());
}

#[test]
fn numbers_may_stand_in_strings() {
    assert_eq!(read(r#"{"vus": "3"}"#).vus, Some(3));
    assert_eq!(read(r#"{"duration": "100"}"#).duration, Some(Duration::from_millis(100)));
    assert_eq!(read(r#"{"vuMemoryLimit": "512MB"}"#).vu_memory_limit, Some(ByteSize(512 << 20)));
}

/// Every value as k6 1.1 prints it for the same script.
#[test]
fn echoes_as_k6_does() {
    assert_snapshot!(echo(r#"{
        "vus": 3, "stages": [{"duration": "10s", "target": 5}, {"target": 2}, {"duration": 60000, "target": "0"}],
        "thresholds": {
            "http_req_duration": ["p(95)<500", {"threshold": "avg<2", "abortOnFail": true, "delayAbortEval": "10s"}],
            "checks": [{"threshold": "rate>0", "delayAbortEval": "1s"}, {"threshold": "rate>0", "abortOnFail": true}]
        },
        "tags": {"b": "1", "a": "2"}, "dns": {"ttl": "1m", "other": 1}, "tlsVersion": {"min": "tls1.2"},
        "hosts": {"a.com": "1.2.3.4:80", "*.b.com": "1.2.3.4", "v6.com": "[::1]:80", "V7.com": "::1"},
        "blacklistIPs": ["10.1.0.0/8", "1.2.3.4/32"], "blockHostnames": ["*.foo.com", "Bar.com", "*"],
        "summaryTrendStats": ["avg", "p(99.9)"], "summaryTimeUnit": "ms", "systemTags": ["url", "vu", "?"],
        "tlsCipherSuites": ["TLS_RSA_WITH_RC4_128_SHA"], "executionSegment": "25%",
        "executionSegmentSequence": "0,0.25,1", "setupTimeout": 1000, "ext": {"a": 1}, "cloud": {"b": 2},
        "httpDebug": "full", "minIterationDuration": "1d2h"
    }"#), @r#"
    {"vus":3,"stages":[{"duration":"10s","target":5},
    {"duration":"1m0s","target":0}],
    "executionSegment":"0:1/4","executionSegmentSequence":"0,1/4,1","setupTimeout":"1s","dns":{"ttl":"1m","select":null,"policy":null},
    "httpDebug":"full","tlsCipherSuites":["TLS_RSA_WITH_RC4_128_SHA"],
    "tlsVersion":{"min":"tls1.2","max":""},
    "thresholds":{"checks":["rate>0",{"threshold":"rate>0","abortOnFail":true,"delayAbortEval":null}],
    "http_req_duration":["p(95)<500",{"threshold":"avg<2","abortOnFail":true,"delayAbortEval":"10s"}]},
    "blacklistIPs":["10.0.0.0/8","1.2.3.4/32"],
    "blockHostnames":["*.foo.com","Bar.com","*"],
    "hosts":{"*.b.com":"1.2.3.4","a.com":"1.2.3.4:80","v6.com":"[::1]:80","v7.com":"::1"},
    "minIterationDuration":"26h0m0s","cloud":{"b":2},
    "ext":{"a":1},
    "summaryTrendStats":["avg","p(99.9)"],
    "summaryTimeUnit":"ms","systemTags":["url","vu"],
    "tags":{"a":"2","b":"1"}}
    "#);
}

#[test]
fn scenarios_echo_every_key_of_their_executor() {
    assert_snapshot!(echo(r#"{"scenarios": {
        "si": {"executor": "shared-iterations"},
        "pv": {"executor": "per-vu-iterations", "vus": "2"},
        "cv": {"duration": 1000, "executor": "constant-vus", "exec": "f", "tags": {"x": "1"}},
        "rv": {"executor": "ramping-vus", "stages": [{"duration": "1s", "target": 1}]},
        "ca": {"executor": "constant-arrival-rate", "rate": 1, "duration": "1s", "preAllocatedVUs": 1,
               "options": {"browser": {"type": "chromium"}}},
        "ra": {"executor": "ramping-arrival-rate", "preAllocatedVUs": 1, "stages": []},
        "ec": {"executor": "externally-controlled", "duration": "0s", "maxVUs": 3}
    }}"#), @r#"
    {"scenarios":{"ca":{"executor":"constant-arrival-rate","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"options":{"browser":{"type":"chromium"}},
    "rate":1,"timeUnit":null,"duration":"1s","preAllocatedVUs":1,"maxVUs":null},
    "cv":{"executor":"constant-vus","startTime":null,"gracefulStop":null,"env":null,"exec":"f","tags":{"x":"1"},
    "vus":null,"duration":"1s"},
    "ec":{"executor":"externally-controlled","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":null,"duration":"0s","maxVUs":3},
    "pv":{"executor":"per-vu-iterations","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":2,"iterations":null,"maxDuration":null},
    "ra":{"executor":"ramping-arrival-rate","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"startRate":null,"timeUnit":null,"stages":[],
    "preAllocatedVUs":1,"maxVUs":null},
    "rv":{"executor":"ramping-vus","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"startVUs":null,"stages":[{"duration":"1s","target":1}],
    "gracefulRampDown":null},
    "si":{"executor":"shared-iterations","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":null,"iterations":null,"maxDuration":null}},
    "dns":{"ttl":null,"select":null,"policy":null}}
    "#);
}

#[test]
fn unset_keys_show_as_in_k6() {
    let keys = |map: Map<String, Value>| {
        let keys: Vec<_> = map.keys().map(String::as_str).collect();
        keys.chunks(8).map(|line| line.join(" ")).collect::<Vec<_>>().join(
            "
",
        )
    };
    assert_snapshot!(keys(Options::default().to_json()), @r#"
    paused vus duration iterations stages scenarios executionSegment executionSegmentSequence
    noSetup setupTimeout noTeardown teardownTimeout rps dns maxRedirects userAgent
    batch batchPerHost httpDebug insecureSkipTLSVerify tlsCipherSuites tlsVersion tlsAuth throw
    thresholds blacklistIPs blockHostnames hosts noConnectionReuse noVUConnectionReuse minIterationDuration ext
    summaryTrendStats summaryTimeUnit systemTags tags metricSamplesBufferSize noCookiesReset discardResponseBodies
    "#);
    assert_snapshot!(keys(Options::default().to_full_json()), @r#"
    paused scenarios executionSegment executionSegmentSequence noSetup setupTimeout noTeardown teardownTimeout
    rps dns maxRedirects userAgent batch batchPerHost httpDebug insecureSkipTLSVerify
    tlsCipherSuites tlsVersion tlsAuth throw thresholds blacklistIPs blockHostnames hosts
    noConnectionReuse noVUConnectionReuse minIterationDuration ext summaryTrendStats summaryTimeUnit systemTags tags
    metricSamplesBufferSize noCookiesReset discardResponseBodies consoleOutput localIPs
    "#);
    assert_snapshot!(Options::default().to_json()["dns"].to_string(), @r#"{"ttl":null,"select":null,"policy":null}"#);
}

#[test]
fn what_is_echoed_reads_back() {
    let options = Options { vus: Some(3), dns: Some(Dns::default()), ..defaults::layer() };
    let json = Value::Object(options.to_json()).to_string();
    assert_eq!(Options::from_json(&json), Ok((options, Vec::new())));
}

/// Values that scripts get wrong: every JSON type, extremes, and texts that look like something.
fn any_value() -> impl Strategy<Value = Value> {
    let texts =
        ["", "0", "-1", "1s", "1e9", "∞", "a:b", "0,1", "1/0", "::", "*", "p()", "99999999999999999999d"];
    let numbers = [-1.0, 0.0, 0.5, 1e18, 1e300, f64::MIN];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(numbers.to_vec()).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(texts.to_vec()).prop_map(Value::from),
    ];
    let keys = [
        "duration", "target", "executor", "vus", "stages", "ttl", "cert", "a.com", "latency", "events",
        "loss",
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(keys.to_vec()), inner, 0..4)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_options_are_read_or_refused(values in prop::collection::vec(any_value(), 46)) {
        for ((key, _), value) in Options::default().entries().into_iter().zip(values) {
            let json = Value::Object(Map::from_iter([(key.to_owned(), value)])).to_string();
            let Ok((options, _)) = Options::from_json(&json) else { continue };
            let Ok(scenarios) = crate::derive_scenarios(&options) else { continue };
            let _ = crate::validate(&options, &scenarios);
        }
    }

    #[test]
    fn any_variable_is_read_or_refused(text in ".*") {
        for name in ["K6_VUS", "K6_STAGES", "K6_DNS", "K6_LOCAL_IPS", "K6_HOSTS", "K6_BLACKLIST_IPS", "K6_TAGS", "SQUALL_NETWORK"] {
            let _ = crate::from_env(|variable| (variable == name).then(|| text.clone()));
        }
    }
}
