//! The stages of a script's life, each of them failing, hanging or returning nonsense.

use crate::sandbox::{Output, Sandbox, check};

/// What a test must still print when its script fails late.
#[track_caller]
fn check_summary(output: &Output) {
    assert!(output.stdout.contains("iteration_duration"), "{}", output.stdout);
}

#[test]
fn lifecycle_names_that_are_no_functions_are_refused() {
    check(
        "export const setup = 5; export default () => {};",
        &[],
        107,
        "exported 'setup' must be a function",
    );
    check(
        "export const teardown = {}; export default () => {};",
        &[],
        107,
        "exported 'teardown' must be a function",
    );
}

#[test]
fn an_error_in_the_init_code_of_one_vu_names_the_vu() {
    let script = "if (__VU === 3) throw new Error('no third');\nexport default () => {};";
    let output = check(script, &["--vus", "4", "--iterations", "8"], 107, "Error: no third");
    output.check(107, "script.js:1:28)");
    output.check(107, "while VU 3 was initialized");
}

#[test]
fn errors_in_setup_and_teardown_end_the_test() {
    let output = check(
        "export function setup() { throw new Error('boom'); }
        export default () => console.log('iteration');
        export const teardown = () => console.log('teardown');",
        &[],
        107,
        "Error: boom",
    );
    assert!(!output.stderr.contains("msg=iteration") && !output.stderr.contains("msg=teardown"));
    let output = check(
        "export default () => {}; export const teardown = () => nope();",
        &[],
        107,
        "nope is not defined",
    );
    output.check_iterations(1);
}

#[test]
fn setup_must_return_data_that_has_json() {
    let setup = |body: &str| format!("export {body}\nexport default () => {{}};");
    check(
        &setup("function setup() { const a = {}; a.a = a; return a; }"),
        &[],
        107,
        "data of setup(): TypeError",
    );
    check(&setup("const setup = () => 1n;"), &[], 107, "data of setup(): TypeError");
    let never = "async function setup() { await new Promise(() => {}); }";
    check(&setup(never), &[], 107, "setup() returned a promise that nothing can settle");
}

#[test]
fn setup_and_teardown_have_a_time_limit_that_nothing_escapes() {
    for body in ["for (;;);", "for (;;) try { for (;;); } catch (e) {}", "sleep(60);"] {
        let import = "import { sleep } from 'k6'; export default () => {};";
        let setup = format!(
            "{import} export const options = {{ setupTimeout: '100ms' }}; export function setup() {{ {body} }}"
        );
        check(&setup, &[], 100, "setup() execution timed out\" hint=");
        let teardown = format!(
            "{import} export const options = {{ teardownTimeout: '100ms' }}; export function teardown() {{ {body} }}"
        );
        check(&teardown, &[], 101, "teardown() execution timed out\" hint=").check_iterations(1);
    }
}

/// Iterations that end only because somebody ends them. Scenarios last a second at least.
#[test]
fn iterations_without_end_stop_at_their_end_time() {
    let bodies = [
        "for (;;);",
        "for (;;) { try { for (;;); } catch (e) {} finally { for (;;); } }",
        "await (async () => { for (;;) await null; })()",
        "(function again() { setTimeout(again, 0); })()",
        "setInterval(() => {}, 1000)",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "console.log({ toJSON() { for (;;); } })",
        "JSON.stringify({ toJSON() { for (;;); } })",
        "new Promise((resolve) => sleep(60))",
    ];
    let scenarios: String = (0..bodies.len())
        .map(|n| {
            format!("s{n}: {{ executor: 'constant-vus', duration: '1s', gracefulStop: '0s', exec: 'f{n}' }},")
        })
        .collect();
    let functions: String = bodies
        .iter()
        .enumerate()
        .map(|(n, body)| format!("export async function f{n}() {{ {body}; }}\n"))
        .collect();
    let script = format!(
        "import {{ sleep }} from 'k6';\nexport const options = {{ scenarios: {{ {scenarios} }} }};\n{functions}"
    );
    let output = Sandbox::with_script(&script).run(&[]);
    output.check(0, "");
    let ended = format!("0 complete and {} interrupted iterations", bodies.len());
    assert!(output.stdout.contains(&ended), "{}", output.stdout);
}

#[test]
fn what_iterations_throw_is_logged_and_counts() {
    for (body, message) in [
        ("throw null", "msg=null"),
        ("throw undefined", "msg=undefined"),
        ("throw { toString() { throw 1; } }", "msg=\"[object]\""),
        ("throw Symbol('q')", "msg=\"[symbol]\""),
        ("process.exit(3)", "ReferenceError: process is not defined"),
        ("(function deeper() { return deeper() + 1; })()", "RangeError: Maximum call stack size exceeded"),
        ("JSON.parse('['.repeat(1e6))", "RangeError: Maximum call stack size exceeded"),
        ("Promise.reject(new Error('lost'))", "Uncaught (in promise) Error: lost"),
        ("new RegExp('('.repeat(1e6))", "SyntaxError: too many captures"),
    ] {
        check(&format!("export default () => {{ {body}; }}"), &[], 0, message).check_iterations(1);
    }
}

#[test]
fn a_promise_that_nothing_settles_ends_the_iteration() {
    check("export default async () => { await new Promise(() => {}); }", &[], 0, "").check_iterations(1);
}

#[test]
fn a_broken_handle_summary_leaves_the_usual_summary() {
    for (handle_summary, message) in [
        ("() => { throw new Error('boom'); }", "handleSummary() failed: Error: boom"),
        ("() => 5", "must return an object"),
        ("() => ({ stdout: 5 })", "neither text nor bytes for \\\"stdout\\\""),
        ("async () => { await new Promise(() => {}); }", "a promise that nothing can settle"),
        ("() => { for (;;); }", "handleSummary() took longer than 100ms"),
        ("() => exec.test.abort()", "handleSummary() called exec.test.abort(), which comes too late"),
        ("7", "the exported handleSummary must be a function"),
    ] {
        let script = format!(
            "import exec from 'k6/execution';
            export const options = {{ handleSummaryTimeout: '100ms' }};
            export default () => {{}};
            export const handleSummary = {handle_summary};"
        );
        check_summary(&check(&script, &[], 0, message));
    }
}

#[test]
fn one_unwritable_file_of_handle_summary_costs_no_other() {
    let script = "export default () => {};
        export const handleSummary = () => ({ '/nodir/a': 'a', 'b.txt': 'b', stdout: 'on stdout' });";
    let sandbox = Sandbox::with_script(script);
    let output = sandbox.run(&["--summary-export", "/nodir/export.json"]);
    output.check(0, "could not save the summary to /nodir/a: No such file or directory");
    output.check(0, "could not save the summary to /nodir/export.json");
    assert_eq!(sandbox.read("b.txt"), "b");
    assert!(output.stdout.contains("on stdout"));
}

/// As in k6: the VUs that there are go on.
#[test]
fn a_vu_that_cannot_be_added_while_the_test_runs_is_logged() {
    let script = "import { sleep } from 'k6';
        if (__VU > 1) throw new Error('only one');
        export const options = { scenarios: { a: { executor: 'constant-arrival-rate', rate: 20, duration: '1s',
            preAllocatedVUs: 1, maxVUs: 3, gracefulStop: '0s' } } };
        export default () => sleep(0.2);";
    let output = check(script, &[], 0, "a VU could not be added: Error: only one");
    assert_eq!(output.stderr.matches("a VU could not be added").count(), 2, "{}", output.stderr);
    output.check(0, "Insufficient VUs");
}
