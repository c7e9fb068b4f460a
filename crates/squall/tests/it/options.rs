//! Options, flags, environment and configuration that make no sense.

use crate::sandbox::{Sandbox, check};

const EMPTY: &str = "export default function () {}";

#[track_caller]
fn check_options(options: &str, message: &str) {
    check(&format!("export const options = {options};\n{EMPTY}"), &[], 104, message);
}

#[test]
fn options_of_the_wrong_type_or_range_are_named_by_their_path() {
    check_options("{ vus: 'many' }", "options.vus: expected an integer");
    check_options("{ vus: -1, duration: '1s' }", "options.vus: expected an integer that is not negative");
    check_options("{ iterations: 2 ** 70 }", "options.iterations");
    check_options("{ duration: '0s' }", "options.duration: must be more than 0");
    check_options("{ duration: '-5s' }", "options.duration");
    check_options("{ duration: '99999999999999h' }", "options.duration");
    check_options("{ stages: [{ duration: '1s', target: 1e12 }] }", "target: must be at most 100000000");
    check_options("5", "options: expected an object, found 5");
    check_options("[1]", "options: expected an object, found a list");
    check(&format!("export const options = () => 1;\n{EMPTY}"), &[], 107, "options: expected an object");
    check(
        &format!("export const options = {{}}; options.self = options;\n{EMPTY}"),
        &[],
        107,
        "options: TypeError: circular reference",
    );
}

#[test]
fn scenarios_that_make_no_sense_are_named_by_their_path() {
    check_options(
        "{ scenarios: { a: { executor: 'nope' } } }",
        "options.scenarios.a.executor: unknown executor",
    );
    check_options(
        "{ scenarios: { a: { executor: 'constant-vus' } } }",
        "options.scenarios.a.duration: is required",
    );
    check_options(
        "{ scenarios: { a: { executor: 'per-vu-iterations', foo: 1 } } }",
        "options.scenarios.a.foo: unknown key",
    );
    check_options(
        "{ scenarios: { a: { executor: 'per-vu-iterations', exec: 'nope' } } }",
        "executor a: function 'nope' not found in exports",
    );
}

#[test]
fn thresholds_that_make_no_sense_are_refused() {
    let thresholds = |of: &str| format!("{{ thresholds: {{ {of} }} }}");
    check_options(&thresholds("http_req_duration: ['p(95) < ']"), "malformed at column 9");
    check_options(&thresholds("nope: ['count>1']"), "there is no metric 'nope'");
    check_options(&thresholds("http_reqs: ['p(95)<1']"), "does not apply to a counter");
    check_options(&thresholds("'http_reqs{a': ['count<1']"), "'http_reqs{a'");
    check_options("{ thresholds: 'x' }", "options.thresholds: expected an object");
}

#[test]
fn unknown_options_are_only_a_warning() {
    check(&format!("export const options = {{ vuss: 5 }};\n{EMPTY}"), &[], 0, "unknown option options.vuss");
}

#[test]
fn more_vus_than_fit_into_memory_are_refused() {
    check_options("{ vus: 1e9, duration: '1s' }", "must be at most 100000000");
    check_options("{ vus: 1e8, duration: '1s' }", "the test starts with 100000000 VUs");
}

#[test]
fn bad_flags_say_which_and_why() {
    for (arguments, message) in [
        (&["--nope"][..], "unexpected argument '--nope'"),
        (&["--vus", "many"], "'--vus <N>'"),
        (&["--duration", "5"], "--duration: \\\"5\\\" is not a duration"),
        (&["--stage", "5s"], "--stage: expected duration:target"),
        (&["--iterations", "99999999999999999999"], "'--iterations <N>'"),
        (&["--tag", "foo"], "--tag: expected NAME=VALUE"),
        (&["--env", "1x=3"], "'1x' cannot be the name of an environment variable"),
        (&["--execution-segment", "3:2"], "--execution-segment"),
        (&["--vu-memory-limit", "abc"], "is not a size"),
        (&["--dns", "nope"], "--dns: expected key=value"),
        (&["--out", "nope"], "unknown output 'nope', available are: csv, json"),
        (&["--summary-mode", "nope"], "unknown summary mode 'nope'"),
        (&["--log-output", "nope"], "unknown log output 'nope'"),
        (&["--log-output", "file=/nodir/log"], "cannot write the log file /nodir/log"),
        (&["--console-output", "/nodir/log"], "cannot write the log file /nodir/log"),
    ] {
        check(EMPTY, arguments, 255, message);
    }
}

#[test]
fn bad_configuration_and_environment_say_which_and_why() {
    let sandbox = Sandbox::with_script(EMPTY).file("broken.json", "{").file("wrong.json", "{\"vus\":\"x\"}");
    sandbox.run(&["--config", "nope.json"]).check(104, "cannot read the configuration file");
    sandbox.run(&["--config", "broken.json"]).check(104, "broken.json: config: not valid JSON");
    sandbox.run(&["--config", "wrong.json"]).check(104, "wrong.json: config.vus: expected an integer");
    Sandbox::with_script(EMPTY).env("K6_VUS", "abc").run(&[]).check(104, "K6_VUS: expected an integer");
    Sandbox::with_script(EMPTY).env("K6_DURATION", "abc").run(&[]).check(104, "K6_DURATION: ");
}

#[test]
fn a_thousand_scenarios_run() {
    let script = "const scenarios = {};
        for (let i = 0; i < 1000; i++) scenarios['s' + i] = { executor: 'per-vu-iterations' };
        export const options = { scenarios };
        export default function () {}";
    Sandbox::with_script(script).run(&["--quiet"]).check_iterations(1000);
}
