//! Ctrl-C once ends a run gracefully, twice at once; SIGTERM is the same, SIGPIPE is nothing.

use rustix::process::Signal;

use crate::sandbox::{Output, Sandbox};

/// Starts a script, sends a signal whenever the next of these texts is logged, and waits for the end.
#[track_caller]
fn interrupt(script: &str, signals: &[(&str, Signal)], arguments: &[&str]) -> Output {
    let mut running = Sandbox::with_script(script).start(arguments);
    for (text, signal) in signals {
        running.wait_for(text);
        running.signal(*signal);
    }
    running.finish()
}

/// Two VUs, of which the one that starts last says that both are up.
const SLEEPER: &str = "import { sleep } from 'k6';
    import exec from 'k6/execution';
    export const options = { vus: 2, duration: '10m' };
    export default () => { if (exec.scenario.iterationInTest === 1) console.log('up'); sleep(600); }
    export const teardown = () => console.log('torn down');";

#[test]
fn one_signal_interrupts_iterations_then_tears_down_and_sums_up() {
    for signal in [Signal::INT, Signal::TERM] {
        let output = interrupt(SLEEPER, &[("msg=up", signal)], &[]);
        output.check(105, "test run was aborted because of an interrupt signal");
        output.check(105, "torn down");
        assert!(output.stdout.contains("0 complete and 2 interrupted iterations"), "{}", output.stdout);
        assert!(output.stdout.contains("data_sent"), "{}", output.stdout);
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let script = "export default () => {}; export function teardown() { console.log('up'); for (;;); }";
    let output = interrupt(script, &[("msg=up", Signal::INT), ("aborted", Signal::TERM)], &[]);
    output.check(105, "aborted because of an interrupt signal");
    assert!(!output.stdout.contains("iteration_duration"), "{}", output.stdout);
}

#[test]
fn one_signal_ends_an_endless_loop_wherever_it_is() {
    let loops = "console.log('up'); for (;;) { try { for (;;); } catch (e) {} }";
    for script in [
        format!("{loops} export default () => {{}};"),
        format!("if (__VU > 0) {{ {loops} }} export default () => {{}};"),
        format!("export default () => {{}}; export function setup() {{ {loops} }}"),
        format!("export const options = {{ duration: '10m' }}; export default () => {{ {loops} }};"),
    ] {
        interrupt(&script, &[("msg=up", Signal::INT)], &[])
            .check(105, "aborted because of an interrupt signal");
    }
}

#[test]
fn a_signal_in_handle_summary_leaves_the_usual_summary() {
    let script = "export default () => {}; export function handleSummary() { console.log('up'); for (;;); }";
    let output = interrupt(script, &[("msg=up", Signal::INT)], &[]);
    output.check(105, "handleSummary() was interrupted by a signal");
    output.check_iterations(1);
}

#[test]
fn a_lingering_run_keeps_its_verdict() {
    let output = interrupt("export default () => {};", &[("waiting for Ctrl+C", Signal::INT)], &["--linger"]);
    output.check(0, "");
    output.check_iterations(1);
}

#[test]
fn sigpipe_is_ignored() {
    let output = interrupt(SLEEPER, &[("msg=up", Signal::PIPE), ("msg=up", Signal::INT)], &[]);
    output.check(105, "torn down");
}
