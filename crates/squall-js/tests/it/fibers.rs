//! Many VUs in shared runtimes: what one does must not show in another, wherever they are left and entered again.

use crate::harness::{Share, run, run_sharing};

/// Goal: prove that suspended VUs do not disturb one another. Method: hundreds of VUs block at random depths, in
/// callbacks, generators, `finally`, async functions and with promises pending, and check every result.
#[test]
fn interleaved_vus_keep_their_stacks_jobs_and_globals() {
    for share in [Share::Realms, Share::Runtimes, Share::Nothing] {
        let ran = run_sharing(share, TORTURE);
        let (held, count) = ran.checks();
        assert_eq!(held, 1.0, "{share:?}: {:?}", ran.log);
        assert!(count >= 8_000, "{share:?}: {count} checks");
    }
}

const TORTURE: &str = r#"
        import { check, sleep } from 'k6';
        export const options = { scenarios: { a: { executor: 'per-vu-iterations', vus: 100, iterations: 10 } } };
        let mine = 0;
        function deep(n) {
            if (n === 0) {
                sleep(Math.random() * 0.01);
                if (Math.random() < 0.3) throw new Error('boom ' + __VU);
                return __VU;
            }
            const o = { f: () => n };
            return deep(n - 1) + (o.f() - n);
        }
        function forever(n) { if (n % 64 === 0) sleep(0.001); return forever(n + 1) + 1; }
        export default function () {
            mine++;
            let got;
            try { got = deep(Math.floor(Math.random() * 40)); } catch (e) {
                check(e, { message: (e) => e.message === 'boom ' + __VU, stack: (e) => /deep/.test(e.stack) });
                got = __VU;
            }
            let ran = false;
            Promise.resolve(1).then(() => { ran = true; });
            sleep(0.001);
            const numbers = (function* () { yield 1; sleep(0.001); yield 2; })();
            let sum = 0;
            for (const x of numbers) sum += x;
            const mapped = [1, 2, 3].map((x) => { sleep(0.001); return x * __VU; });
            let overflow = true;
            if (__ITER === 0) { overflow = false; try { forever(1); } catch (e) { overflow = /stack/i.test(e.message); } }
            let inner;
            try { try { throw new Error('in'); } finally { sleep(0.001); } } catch (e) { inner = e.message; }
            const cycles = {};
            for (let i = 0; i < 50; i++) cycles['k' + i] = { self: cycles, i };
            check(null, {
                value: got === __VU, 'no job ran while blocked': !ran, generator: sum === 3, map: mapped[2] === 3 * __VU,
                'own globals': mine === __ITER + 1, overflow, 'finally': inner === 'in',
            });
            return (async () => {
                await null;
                sleep(0.001);
                await new Promise((resolve) => setTimeout(resolve, 3));
                check(null, { async: true });
            })();
        }
"#;

#[test]
fn a_vu_that_takes_too_much_memory_gets_an_error_and_the_others_go_on() {
    let ran = run(r#"
        export const options = { vus: 2, iterations: 2, vuMemoryLimit: '20MB' };
        export default function () {
            if (__VU === 1) { const kept = []; for (;;) kept.push(new Array(1000).fill({})); }
            console.log('fine');
        }
    "#);
    assert!(ran.log.contains(&"info fine".to_owned()), "{:?}", ran.log);
    assert!(
        ran.log.iter().any(|line| line.starts_with("error InternalError: out of memory")),
        "{:?}",
        ran.log
    );
}

#[test]
fn a_stack_overflow_is_an_error_of_its_vu() {
    let ran = run("function f() { return f() + 1 } export default function () { f() }");
    assert!(ran.log[0].contains("Maximum call stack size exceeded"), "{:?}", ran.log);
}

#[test]
fn host_classes_belong_to_their_vu() {
    let ran = run(r#"
        import http from 'k6/http';
        import { check } from 'k6';
        import { Rate, Trend } from 'k6/metrics';
        import { SharedArray } from 'k6/data';
        const trend = new Trend('a_trend');
        const shared = new SharedArray('data', () => [{ list: [1] }]);
        export const options = { scenarios: { a: { executor: 'per-vu-iterations', vus: 4 } } };
        if (__VU === 1) {
            Object.getPrototypeOf(Object.getPrototypeOf(trend)).add = 'spoilt';
            http.CookieJar.prototype.set = 'spoilt';
            Array.prototype.spoilt = true;
        }
        export default function () {
            let error;
            try { http.cookieJar().cookiesForURL('not a url'); } catch (e) { error = e; }
            check(null, {
                'own methods': __VU === 1 || (typeof trend.add === 'function' && typeof http.cookieJar().set === 'function'),
                'own errors': error instanceof Error,
                'own arrays': shared[0].list instanceof Array && (__VU === 1) === (shared[0].list.spoilt === true),
                kinds: trend instanceof Trend && !(trend instanceof Rate),
            });
        }
    "#);
    assert_eq!(ran.checks(), (1.0, 16), "{:?}", ran.log);
}
