//! The stages of a script's life and what each may do.

use squall_engine::AbortReason;

use crate::harness::run;

#[test]
fn setup_data_reaches_vus_and_teardown_and_iterations_share_their_copy() {
    run(r#"
        export const options = { vus: 1, iterations: 2 };
        export function setup() { return { n: 1, list: [1, 2] }; }
        export default function (data) { console.log(JSON.stringify(data)); data.n++; }
        export function teardown(data) { console.log(JSON.stringify(data)); }
    "#)
    .check_log(&[
        r#"info {"n":1,"list":[1,2]}"#,
        r#"info {"n":2,"list":[1,2]}"#,
        r#"info {"n":1,"list":[1,2]}"#,
    ]);
}

#[test]
fn an_iteration_ends_when_its_event_loop_is_empty() {
    run(r#"
        export default function () {
            setTimeout(() => console.log('timer'), 50);
            Promise.resolve().then(() => console.log('job'));
            console.log('sync');
            let n = 0;
            const id = setInterval(() => { console.log('tick'); if (++n === 2) clearInterval(id); }, 100);
        }
    "#)
    .check_log(&["info sync", "info job", "info timer", "info tick", "info tick"]);
}

#[test]
fn exceptions_are_logged_with_their_stack_and_count_as_iterations() {
    let ran = run(
        "export const options = { iterations: 2 };\nexport default function () {\n  throw new TypeError('bad');\n}",
    );
    assert_eq!(ran.log.len(), 2);
    assert!(ran.log[0].starts_with("error TypeError: bad\n\tat default (file://"), "{}", ran.log[0]);
    assert!(ran.log[0].contains("script.js:3:"), "{}", ran.log[0]);
}

#[test]
fn a_rejected_promise_that_nobody_handles_is_an_exception() {
    let ran = run("export default async function () { throw new Error('late') }");
    assert!(ran.log[0].starts_with("error Uncaught (in promise) Error: late"), "{:?}", ran.log);
}

#[test]
fn abort_ends_the_run_at_once_and_nothing_catches_it() {
    let ran = run(r#"
        import exec from 'k6/execution';
        import { sleep } from 'k6';
        export default function () {
            try { exec.test.abort('enough'); } catch (e) { console.log('caught'); } finally { console.log('finally'); }
            sleep(1);
        }
        export function teardown() { console.log('teardown'); }
    "#);
    ran.check_log(&["info teardown"]);
    assert_eq!(ran.abort_reason, Some(AbortReason::Script("test aborted: enough".to_owned())));
    let iterations = ran.aggregate.as_ref().and_then(|it| it.total(squall_metrics::builtin::ITERATIONS));
    assert_eq!(
        iterations.map(|total| total.sink.count()),
        Some(1),
        "the iteration that aborts counts, as in k6"
    );
}

#[test]
fn an_exception_in_setup_ends_the_run_without_teardown() {
    let ran = run(r#"
        export function setup() { throw new Error('no'); }
        export default function () { console.log('never'); }
        export function teardown() { console.log('never'); }
    "#);
    ran.check_log(&[]);
    let Some(AbortReason::Exception(message)) = ran.abort_reason else { panic!("{:?}", ran.abort_reason) };
    assert!(message.starts_with("Error: no\n\tat setup"), "{message}");
}

#[test]
fn an_endless_loop_ends_when_its_time_is_over() {
    let ran = run(r#"
        import exec from 'k6/execution';
        import { sleep } from 'k6';
        export const options = { scenarios: {
            endless: { executor: 'per-vu-iterations' , exec: 'endless' },
            ender: { executor: 'per-vu-iterations', exec: 'ender' },
        } };
        export function endless() { for (;;) {} }
        export function ender() { exec.test.abort(); }
    "#);
    assert_eq!(ran.abort_reason, Some(AbortReason::Script("test aborted".to_owned())));
}

#[test]
fn init_only_and_vu_only_functions_say_so() {
    run(r#"
        import http from 'k6/http';
        import { check } from 'k6';
        import { Counter } from 'k6/metrics';
        if (__VU > 0) {
            try { http.get('http://localhost'); } catch (e) { console.log(String(e)); }
            try { check(1, {}); } catch (e) { console.log(String(e)); }
        }
        export default function () {
            try { new Counter('late'); } catch (e) { console.log(String(e)); }
            try { open('x'); } catch (e) { console.log(String(e).slice(0, 40)); }
        }
    "#)
    .check_log(&[
        "info GoError: requests can be made only in the functions that VUs run",
        "info GoError: check() works only in the functions that VUs run",
        "info GoError: metrics can be made only while the script is loaded, outside of the functions that VUs run",
        "info GoError: open() works only while the scr",
    ]);
}

#[test]
fn what_runs_can_be_imported_but_not_read_in_the_init_context() {
    run(r#"
        import exec, { vu } from 'k6/execution';
        const attempts = [() => exec.vu, () => exec.scenario, () => exec.instance, () => vu.idInTest, () => exec.test];
        const worked = attempts.map((attempt) => { try { attempt(); return true; } catch { return false; } });
        export default function () { console.log(`${worked} ${vu.idInTest} ${exec.vu === vu} ${exec.scenario.name}`); }
    "#)
    .check_log(&["info false,false,false,false,true 1 true default"]);
}

#[test]
fn numbers_that_json_lacks_are_no_setup_data() {
    let ran = run(
        "export function setup() { return [{ n: NaN }]; }\nexport default function () { console.log('never'); }",
    );
    ran.check_log(&[]);
    let Some(AbortReason::Exception(message)) = ran.abort_reason else { panic!("{:?}", ran.abort_reason) };
    assert!(message.contains("NaN is a number that JSON cannot hold"), "{message}");
}

#[test]
fn functions_see_consolidated_options_and_init_code_its_own() {
    run(r#"
        export const options = { vus: 1, setupTimeout: 5000, own: 1 };
        const before = JSON.stringify(options);
        export default function () {
            console.log(before);
            console.log(JSON.stringify([options.vus, options.setupTimeout, options.own]));
        }
    "#)
    .check_log(&[r#"info {"vus":1,"setupTimeout":5000,"own":1}"#, r#"info [1,"5s",1]"#]);
    run("export const options = Object.freeze({ vus: 1 });\nexport default () => console.log(options.vus);")
        .check_log(&["info 1"]);
}
