//! Standard streams that are closed or full, and places where a process has little.

use crate::sandbox::Sandbox;

const SCRIPT: &str = "export default () => console.log('counted');";

#[test]
fn a_lost_standard_output_is_told_and_the_run_goes_on() {
    let sandbox = Sandbox::with_script(SCRIPT);
    for line in [
        "squall run --summary-export e.json script.js > /dev/full",
        "squall run --summary-export e.json script.js | true",
    ] {
        let output = sandbox.shell(line);
        output.check(0, "standard output did not take everything");
        output.check(0, "msg=counted");
        assert!(sandbox.read("e.json").contains("\"iterations\""));
        std::fs::remove_file(sandbox.path("e.json")).unwrap();
    }
    sandbox.shell("squall run script.js >&-").check(0, "msg=counted");
}

#[test]
fn a_lost_standard_error_costs_no_result() {
    let sandbox = Sandbox::with_script(SCRIPT);
    for redirection in ["2>&-", "2>/dev/full"] {
        sandbox.shell(&format!("squall run script.js {redirection}")).check_iterations(1);
    }
    let output = sandbox.shell("squall run script.js <&- >&- 2>&-");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn samples_for_a_closed_standard_output_are_lost_loudly() {
    let output = Sandbox::with_script(SCRIPT).shell("squall run --out json=- script.js > /dev/full");
    output.check(255, "json output: cannot write to standard output");
}

#[test]
fn neither_home_nor_environment_nor_a_writable_directory_is_needed() {
    let sandbox = Sandbox::with_script(SCRIPT);
    sandbox.shell("unset HOME; squall run script.js").check(0, "counted");
    std::fs::create_dir(sandbox.path("gone")).unwrap();
    sandbox.shell("script=$PWD/script.js; cd gone; rmdir ../gone; squall run $script").check(0, "counted");
    std::fs::create_dir(sandbox.path("locked")).unwrap();
    sandbox.shell("chmod 555 locked; cd locked; squall run ../script.js").check(0, "counted");
}

#[test]
fn few_descriptors_are_warned_about_and_run_out_clearly() {
    let script = "import http from 'k6/http'; export default () => http.get('http://127.0.0.1:1/');";
    let sandbox = Sandbox::with_script(script);
    let output = sandbox.shell("ulimit -n 64; squall run -u 200 -i 200 script.js");
    output.check(0, "up to 200 VUs share 64 open files");
    output.check_iterations(200);
    sandbox.shell("ulimit -n 12; squall run script.js").check(109, "Too many open files");
    // The soft limit is raised to the hard one, so it needs no warning.
    let output = sandbox.shell("ulimit -S -n 64; squall run -u 200 -i 200 script.js");
    assert!(!output.stderr.contains("open files"), "{}", output.stderr);
}

#[test]
fn logs_go_where_they_are_sent() {
    let sandbox = Sandbox::with_script(SCRIPT);
    let output = sandbox.run(&["--log-output", "file=run.log", "--log-format", "json"]);
    assert!(!output.stderr.contains("counted"), "{}", output.stderr);
    let log = sandbox.read("run.log");
    let entry: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!((&entry["level"], &entry["msg"]), (&"info".into(), &"counted".into()));
    let raw = sandbox.run(&["--log-format", "raw"]);
    assert_eq!(raw.stderr, "counted\n");
    assert_eq!(sandbox.run(&["--log-output", "none"]).stderr, "");
    let quiet = sandbox.run(&["--quiet"]);
    assert!(!quiet.stdout.contains("execution:") && quiet.stdout.contains("iterations"), "{}", quiet.stdout);
    assert!(!quiet.stdout.contains('\x1b'), "{}", quiet.stdout);
}

#[test]
fn a_full_disk_under_the_log_is_told_once() {
    let script = "export default () => { console.log('one'); console.log('two'); };";
    for flag in ["--log-output=file=/dev/full", "--console-output=/dev/full"] {
        let output = Sandbox::with_script(script).run(&[flag]);
        output.check(0, "cannot write the log file /dev/full: No space left on device");
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        output.check_iterations(1);
    }
}
