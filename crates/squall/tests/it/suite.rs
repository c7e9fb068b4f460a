//! `squall suite`: gates, verdicts, what is kept, variables, signals, and what is said of bad files.

use std::{io::Read, net::TcpListener, time::Duration};

use rustix::process::Signal;
use serde_json::Value;
use squall_testing::Target;

use crate::sandbox::{Output, Running, Sandbox};

const PASSES: &str = "import http from 'k6/http';
    export const options = { thresholds: { http_reqs: ['count==2'] } };
    export default () => { http.get(`${__ENV.BASE_URL}/get`); http.get(`${__ENV.BASE_URL}/status/500`); };";
const FAILS: &str = "export const options = { thresholds: { iterations: ['count>5'] } };
    export default () => {};";
const BREAKS: &str = "throw new Error('not today'); export default () => {};";
const SAYS: &str = "export default () => console.log(['SCALE', 'DURATION', 'MINE', 'OUTPUT_DIR']
    .map((name) => `${name}=${__ENV[name]}`).join(' '));";

/// A suite in `suites/shop/`, with the scripts that tests share.
fn sandbox(manifest: &str) -> Sandbox {
    let scripts = [("passes", PASSES), ("fails", FAILS), ("breaks", BREAKS), ("says", SAYS)];
    let manifest = format!("title = 'Shop'\n{manifest}");
    let sandbox = Sandbox::new().file("suites/shop/suite.toml", manifest);
    scripts
        .into_iter()
        .fold(sandbox, |sandbox, (name, text)| sandbox.file(&format!("suites/shop/{name}.js"), text))
}

fn start(sandbox: &Sandbox, arguments: &[&str]) -> Running {
    sandbox.start_with(&[&["suite", "run", "shop", "--output-dir", "out"], arguments].concat())
}

fn run(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    start(sandbox, arguments).finish()
}

/// Name and verdict of each test, from `suite.json`.
fn verdicts(sandbox: &Sandbox) -> String {
    let report: Value = serde_json::from_str(&sandbox.read("out/suite.json")).expect("JSON");
    let tests = report["tests"].as_array().expect("tests").iter();
    let verdict = |test: &Value| {
        let text = |key: &str| test[key].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text("name"), text("verdict"), text("reason")).trim().to_owned()
    };
    tests.map(verdict).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_good_run_keeps_everything_and_ends_in_a_table() {
    let target = Target::start();
    let sandbox = sandbox(
        "target = { base_url = 'http://127.0.0.1:1', ready = '/get' }
        tests.one.script = 'passes.js'
        tests.two = { script = 'passes.js', needs = ['one'], options = ['--no-thresholds', '--tag', 'a=b'] }",
    );
    let sandbox = sandbox.env("BASE_URL", format!("http://{}", target.address()));
    let output = run(&sandbox, &[]);
    output.check(0, "");
    assert_eq!(verdicts(&sandbox), "one passed; two passed");
    assert!(output.stdout.contains("== 2/2: two"), "{}", output.stdout);
    let row = output.stdout.lines().find(|line| line.trim_start().starts_with("one ")).expect("a row");
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!((cells[1], cells[3], cells[7]), ("passed", "2", "50.00%"), "{row}");
    assert!(sandbox.read("out/suite.md").contains("| one | passed |"), "{}", sandbox.read("out/suite.md"));
    assert!(sandbox.read("out/two/console.log").contains("http_reqs"), "{}", output.stdout);
    let summary: Value = serde_json::from_str(&sandbox.read("out/one/summary.json")).expect("JSON");
    assert!(summary["metrics"]["http_req_duration"]["p(99)"].is_number(), "{summary:#}");
}

#[test]
fn a_failed_gate_holds_back_what_needs_it_and_nothing_else() {
    let sandbox = sandbox(
        "target.base_url = 'http://127.0.0.1:1'
        tests.gate.script = 'fails.js'
        tests.behind = { script = 'says.js', needs = ['gate'] }
        tests.further = { script = 'says.js', needs = ['behind'] }
        tests.free.script = 'says.js'",
    );
    let output = run(&sandbox, &[]);
    output.check(99, "gate: thresholds failed");
    assert_eq!(
        verdicts(&sandbox),
        "gate thresholds_failed; behind not_run it needs gate, which failed; \
         further not_run it needs behind, which was not run; free passed"
    );
    assert!(output.stdout.contains("gate: ✗ iterations count>5, was 1"), "{}", output.stdout);
    run(&sandbox, &["behind", "--skip", "gate"]).check(0, "");
    assert_eq!(verdicts(&sandbox), "behind passed");
}

#[test]
fn a_test_that_breaks_costs_no_results_of_others() {
    let sandbox = sandbox(
        "target.base_url = 'http://127.0.0.1:1'
        tests.a = { script = 'fails.js' }
        tests.b = { script = 'breaks.js' }
        tests.c = { script = 'says.js' }",
    );
    // What an earlier run has left is not taken for this one's.
    let sandbox = sandbox.file("out/b/summary.json", r#"{ "metrics": { "http_reqs": { "count": 7 } } }"#);
    run(&sandbox, &[]).check(107, "not today");
    let reason = "the script threw an exception outside iterations";
    assert_eq!(verdicts(&sandbox), format!("a thresholds_failed; b failed {reason}; c passed"));
    let report: Value = serde_json::from_str(&sandbox.read("out/suite.json")).expect("JSON");
    assert_eq!(
        (&report["tests"][1]["measured"], &report["tests"][1]["exit_code"]),
        (&Value::Null, &107.into())
    );
}

#[test]
fn variables_reach_the_scripts() {
    let sandbox = sandbox(
        "target.base_url = 'http://127.0.0.1:1'
        tests.says = { script = 'says.js', env = { SCALE = 1, MINE = 'file' } }
        tests.peak = { script = 'fails.js', kind = 'stress' }
        sets.quick.env = { SCALE = 0.2, DURATION = '1m' }",
    );
    let sandbox = sandbox.env("DURATION", "5s").env("SKIP_STRESS", "1").env("OUTPUT_DIR", "kept");
    let output = sandbox.start_with(&["suite", "run", "shop", "-e", "MINE=hand"]).finish();
    output.check(0, "SCALE=0.2 DURATION=5s MINE=hand OUTPUT_DIR=");
    let row = output.stdout.lines().find(|line| line.trim_start().starts_with("peak ")).expect("a row");
    assert!(row.contains("left out"), "{row}");
    assert!(sandbox.read("kept/says/console.log").contains("kept/says"), "{}", output.stderr);
    assert!(sandbox.read("kept/suite.md").contains("left out: peak"), "{}", sandbox.read("kept/suite.md"));
}

#[test]
fn a_test_finds_figures_of_the_one_that_it_needs() {
    let sandbox = sandbox(
        "target.base_url = 'http://127.0.0.1:1'
        tests.one.script = 'measures.js'
        [tests.two]
        script = 'says.js'
        needs = ['one']
        env.SCALE = 3
        env_from.MINE = { test = 'one', metric = 'speed', statistic = 'value' }
        env_from.DURATION = { test = 'one', metric = 'nothing', statistic = 'value' }",
    );
    let script = "import { Gauge } from 'k6/metrics';
        const speed = new Gauge('speed');
        export default () => speed.add(82.25);";
    let sandbox = sandbox.file("suites/shop/measures.js", script).env("MINE", "7").env("SCALE", "2");
    let output = run(&sandbox, &[]);
    output.check(0, "SCALE=2 DURATION=undefined MINE=82.25");
    output.check(0, "two: no result for DURATION: one has no value of nothing");
    run(&sandbox, &["two", "--skip", "one"]).check(0, "MINE=7");
}

#[test]
fn results_have_a_folder_of_their_own_unless_one_is_named() {
    let sandbox = sandbox("target.base_url = 'http://127.0.0.1:1'\ntests.says.script = 'says.js'");
    sandbox.start_with(&["suite", "run", "suites/shop/suite.toml"]).finish().check(0, "");
    let folders = std::fs::read_dir(sandbox.path("results")).expect("a folder").flatten();
    let names: Vec<String> =
        folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    assert!(names.len() == 1 && names[0].starts_with("shop-20"), "{names:?}");
}

#[test]
fn a_target_that_is_never_ready_is_told_with_its_answer() {
    let target = Target::start();
    let sandbox = sandbox(
        "target = { ready = '/status/503', ready_timeout = '1s' }
        tests.one.script = 'passes.js'
        tests.two.script = 'passes.js'",
    );
    let base_url = format!("http://{}", target.address());
    let output = run(&sandbox, &["--base-url", &base_url]);
    output.check(102, "the target was not ready within 1s");
    output.check(102, "/status/503: 503");
    assert_eq!(verdicts(&sandbox), "one not_run there was no target; two not_run there was no target");
}

#[test]
fn the_environment_says_which_certificates_are_good() {
    let target = Target::start();
    let url = format!("https://{}", target.tls_address().expect("it has TLS"));
    let check = |accept: &str, timeout: &str, exit_code: i32, message: &str| {
        let target = format!("target = {{ ready = '/get', ready_timeout = '{timeout}' }}");
        let sandbox = sandbox(&format!("{target}\ntests.one.script = 'passes.js'"))
            .env("BASE_URL", &url)
            .env("K6_INSECURE_SKIP_TLS_VERIFY", accept);
        run(&sandbox, &[]).check(exit_code, message);
    };
    check("true", "1m", 0, "");
    check("false", "1s", 102, "x509: unknown authority");
}

#[test]
fn breakwater_serves_for_the_run() {
    let sandbox = sandbox(
        "target = { ready = '/ready', breakwater = 'fluxor' }
        tests.one.script = 'one.js'
        tests.two = { script = 'one.js', breakwater_options = ['--max-connections', '77'] }",
    );
    let script = "import http from 'k6/http';
        export const options = { thresholds: { http_req_failed: ['rate==0'] } };
        export default () => http.get(`${__ENV.BASE_URL}/health`);";
    let sandbox = sandbox.file("suites/shop/one.js", script);
    let output = run(&sandbox, &["--breakwater"]);
    output.check(0, "");
    assert_eq!(verdicts(&sandbox), "one passed; two passed");
    assert!(output.stdout.contains(" is breakwater fluxor --max-connections 77\n"), "{}", output.stdout);
    let report: Value = serde_json::from_str(&sandbox.read("out/suite.json")).expect("JSON");
    let served_by: Vec<_> = (0..2).map(|test| report["tests"][test]["breakwater"].as_str()).collect();
    assert_eq!(served_by, [Some("breakwater fluxor"), Some("breakwater fluxor --max-connections 77")]);
}

const SLEEPS: &str = "import { sleep } from 'k6';
    export const options = { iterations: 1, vus: 1 };
    export default () => { console.log('up'); sleep(600); }
    export const teardown = () => { console.log('torn down'); if (__ENV.HANG) for (;;); }";

#[test]
fn ctrl_c_lets_the_test_finish_and_the_rest_be() {
    let sandbox = sandbox(
        "target.base_url = 'http://127.0.0.1:1'
        tests.sleeps.script = 'sleeps.js'
        tests.says.script = 'says.js'",
    );
    let sandbox = sandbox.file("suites/shop/sleeps.js", SLEEPS);
    let mut running = start(&sandbox, &[]);
    running.wait_for("msg=up");
    running.signal(Signal::INT);
    let output = running.finish();
    output.check(105, "torn down");
    assert_eq!(verdicts(&sandbox), "sleeps failed it was interrupted; says not_run interrupted");
    assert!(output.stdout.contains("results: out"), "{}", output.stdout);
    assert!(sandbox.read("out/sleeps/summary.json").contains("data_sent"));
}

#[test]
fn a_second_ctrl_c_stops_the_test_and_still_sums_up() {
    let sandbox = sandbox("target.base_url = 'http://127.0.0.1:1'\ntests.sleeps.script = 'sleeps.js'");
    let sandbox = sandbox.file("suites/shop/sleeps.js", SLEEPS).env("HANG", "1");
    let mut running = start(&sandbox, &[]);
    running.wait_for("msg=up");
    running.signal(Signal::INT);
    running.wait_for("torn down");
    running.signal(Signal::INT);
    let output = running.finish();
    output.check(105, "sleeps: failed: it was interrupted");
    assert!(output.stdout.contains("results: out"), "{}", output.stdout);
}

#[test]
fn a_signal_ends_the_waiting_for_a_target() {
    let sandbox =
        sandbox("target = { base_url = 'http://127.0.0.1:1', ready = '/' }\ntests.says.script = 'says.js'");
    let mut running = start(&sandbox, &[]);
    running.wait_for("waiting until");
    running.signal(Signal::TERM);
    running.finish().check(105, "says: not run: interrupted");
}

#[test]
fn a_test_ends_with_its_suite() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let sandbox = sandbox("tests.asks.script = 'asks.js'").file(
        "suites/shop/asks.js",
        "import http from 'k6/http'; export default () => http.get(__ENV.BASE_URL, { timeout: '10m' });",
    );
    let running =
        start(&sandbox, &["--base-url", &format!("http://{}", listener.local_addr().expect("an address"))]);
    let (mut connection, _) = listener.accept().expect("the test asks");
    connection.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    connection.read_exact(&mut [0]).expect("the request begins");
    running.signal(Signal::KILL);
    std::io::copy(&mut connection, &mut std::io::sink()).expect("the process that asked has ended");
}

#[test]
fn lists_show_suites_tests_and_sets() {
    let sandbox = sandbox(
        "tests.smoke = { script = 'says.js', about = 'is it up?' }
        tests.load = { script = 'says.js', about = 'a day', kind = 'stress', needs = ['smoke'] }
        sets.quick = { about = 'a minute', tests = ['smoke'], env = { SCALE = 0.1 } }",
    );
    let list =
        |arguments: &[&str]| sandbox.start_with(&[&["suite", "list"], arguments].concat()).finish().stdout;
    assert_eq!(list(&[]), "  shop  Shop\n");
    assert_eq!(
        list(&["shop"]),
        "Shop\n\nTests:\n  smoke  is it up?\n  load   a day [stress] (after smoke)\n\n\
         Sets:\n  quick  a minute: smoke SCALE=0.1\n"
    );
}

#[test]
fn bad_suites_are_told_with_file_and_key() {
    let check = |manifest: &str, exit_code: i32, message: &str| {
        sandbox(manifest).start_with(&["suite", "run", "shop"]).finish().check(exit_code, message);
    };
    let file = "suites/shop/suite.toml";
    check("tests.a.scritp = 'a.js'", 104, &format!("{file}:2: unknown field `scritp`"));
    check("tests.a.script = 'no.js'", 104, &format!("{file}: tests.a.script: there is no file no.js"));
    let test = "tests.a.script = 'says.js'";
    let with = |more: &str| format!("{test}\n{more}");
    check(&with("tests.a.options = ['--nope']"), 104, "tests.a.options: unexpected argument '--nope' found");
    check(&with("tests.a.options = ['--summary-export=x']"), 104, "are the suite's own");
    check(&with("target.breakwater = 'all'"), 104, "target.breakwater: there is no system 'all'");
    check(
        &with("target.breakwater_options = ['--nope']"),
        104,
        "target.breakwater_options: unexpected argument",
    );
    check(test, 255, "nobody says where the target is");
    let other =
        Sandbox::new().file("suites/shop/suite.toml", "").start_with(&["suite", "run", "shed"]).finish();
    other.check(255, "there is no suite 'shed' in suites/ here or above");
    other.check(255, "there are shop");
}
