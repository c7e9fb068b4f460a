//! Scripts whose VUs share a realm do what they do in realms of their own.

use squall_loader::Sharing;

use crate::harness::{Ran, Share, run_files};

/// Runs a project whose VUs must be found to share realms; returns its sorted log, which is the same however much
/// its VUs share.
#[track_caller]
fn log_of(files: &[(&str, &str)]) -> Vec<String> {
    let observed = |share| {
        let ran = run_files(files, share);
        if let (Share::Realms, Some(Sharing::Private(escape))) = (share, &ran.sharing) {
            panic!("realms are not shared: {escape}");
        }
        observe(ran)
    };
    let shared = observed(Share::Realms);
    assert_eq!(shared, observed(Share::Runtimes), "shared realms, private realms");
    assert_eq!(shared, observed(Share::Nothing), "shared realms, private runtimes");
    shared
}

/// What can be seen of a run: its log, its error, and how many samples there are of each metric.
fn observe(ran: Ran) -> Vec<String> {
    let mut seen = ran.log;
    seen.extend(ran.init_error.map(|error| format!("init {error}")));
    seen.extend(ran.abort_reason.map(|reason| format!("abort {reason:?}")));
    seen.extend(
        ran.aggregate
            .iter()
            .flat_map(|it| it.checks())
            .map(|(check, rate)| format!("check {check:?} {} of {}", rate.trues, rate.total)),
    );
    // The temporary folder has a name of its own each time.
    let mut seen: Vec<String> = seen.iter().map(|line| in_any_folder(line)).collect();
    seen.sort();
    seen
}

fn in_any_folder(text: &str) -> String {
    let folder = std::env::temp_dir().to_string_lossy().into_owned() + "/";
    let mut parts = text.split(&folder);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| whole + part.split_once('/').map_or(part, |(_, rest)| rest))
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(log_of(files), expected);
}

#[track_caller]
fn check_script(script: &str, expected: &[&str]) {
    check(&[("script.js", script)], expected);
}

/// Three VUs, two iterations each, on two workers.
const VUS: &str = "import exec from 'k6/execution';
    export const options = { scenarios: { all: { executor: 'per-vu-iterations', vus: 3, iterations: 2, maxDuration: '1h' } } };\n";

/// Every VU logs the same, iteration by iteration: the log of one of them.
#[track_caller]
fn check_vus(body: &str, expected: &[&str]) {
    check_vus_of(&[("script.js", &format!("{VUS}{body}"))], expected);
}

#[track_caller]
fn check_vus_of(files: &[(&str, &str)], expected: &[&str]) {
    let mut thrice: Vec<String> = expected.iter().flat_map(|line| [*line; 3]).map(str::to_owned).collect();
    thrice.sort();
    assert_eq!(log_of(files), thrice);
}

#[test]
fn what_modules_keep_is_a_vus_own() {
    check_vus(
        "let n = 0; var v = 0; const map = new Map(), list = [], weak = new WeakMap(), key = {};
         class Count { static all = 0; static #own = 0; static up() { Count.all++; return ++this.#own } }
         const next = (() => { let i = 0; return () => ++i })();
         function bump() { bump.calls = (bump.calls ?? 0) + 1; return bump.calls }
         const tag = (strings) => { weak.set(strings, (weak.get(strings) ?? 0) + 1); return weak.get(strings) };
         const again = () => tag`a`;
         const numbers = (function* () { let i = 0; while (true) yield ++i })();
         const word = /a/g;
         export default () => {
           n++; v++; map.set('n', (map.get('n') ?? 0) + 1); list.push(n); key.n = (key.n ?? 0) + 1;
           word.test('aaa');
           console.log(n, v, map.get('n'), list.join(''), Count.up(), Count.all, next(), bump(), again(), numbers.next().value, word.lastIndex, key.n);
         }",
        &["info 1 1 1 1 1 1 1 1 1 1 1 1", "info 2 2 2 12 2 2 2 2 2 2 2 2"],
    );
}

#[test]
fn what_imported_modules_keep_is_a_vus_own() {
    let script = format!(
        "{VUS} import * as es from './es.js'; import again, {{ renamed as bump, cjs, data }} from './passed.js'; import fromTs from './lib.ts';
         export default () => {{
           data.n++; cjs.n++; es.state.n++; again.list.push(1);
           console.log(data.n, cjs.n, es.state.n, again.list.length, bump(), fromTs(), cjs.up(), es.default.n, cjs.late());
         }}"
    );
    check_vus_of(
        &[
            ("script.js", &script),
            (
                "es.js",
                "export const state = { n: 0 }; let i = 0; export const bump = () => ++i; export default state; console.log",
            ),
            (
                "passed.js",
                "import cjs from './c.cjs'; import data from './d.json'; export { bump as renamed } from './es.js'; export { cjs, data }; export * from './es.js'; export default { list: [] };",
            ),
            (
                "lib.ts",
                "enum Step { One = 1 }\nlet total: number = 0;\nexport default function add(): number { return total += Step.One }",
            ),
            (
                "c.cjs",
                "'use strict'; var calls = 0; exports.n = 0; exports.up = function () { return ++calls }; module.exports.late = () => require.name + typeof this;",
            ),
            ("d.json", r#"{"n": 0}"#),
        ],
        &["info 1 1 1 1 1 1 1 1 requireobject", "info 2 2 2 2 2 2 2 2 requireobject"],
    );
}

#[test]
fn the_environment_is_a_vus_own_and_of_its_scenario() {
    check_script(
        "const scenario = (env) => ({ executor: 'per-vu-iterations', vus: 2, iterations: 2, maxDuration: '1h', env });
         export const options = { scenarios: { a: scenario({ WHO: 'a' }), b: scenario({}) } };
         __ENV.INIT = 'i'; let first = __ENV;
         export default () => {
           __ENV.N = String(Number(__ENV.N ?? 0) + 1);
           const { NAME, WHO = 'none' } = __ENV;
           console.log(NAME, WHO, __ENV.N, __ENV.INIT, Object.keys(__ENV).length);
         }",
        &[
            "info value a 1 undefined 3", "info value a 1 undefined 3", "info value a 2 undefined 3", "info value a 2 undefined 3",
            "info value none 1 undefined 2", "info value none 1 undefined 2", "info value none 2 undefined 2", "info value none 2 undefined 2",
        ],
    );
}

#[test]
fn an_environment_that_is_only_read_is_the_same() {
    check_vus(
        "const { NAME, NONE = 'none', ...rest } = __ENV; rest.own = (rest.own ?? 0) + 1;
         const at = (key) => __ENV[key];
         export default (data) => {
           const all = { ...__ENV }; all.NAME = 'mine'; data = { NAME: 1 }; data.NAME = 2;
           let keys = ''; for (const key in __ENV) keys += key;
           console.log(NAME, NONE, at('NAME'), at('NOPE'), rest.own, all.NAME, 'NAME' in __ENV, Object.keys(__ENV), keys, JSON.stringify(__ENV), typeof __ENV, Object.values(__ENV), __ENV?.NAME);
         }",
        &[r#"info value none value undefined 1 mine true ["NAME"] NAME {"NAME":"value"} object ["value"] value"#; 2],
    );
}

#[test]
fn a_vu_sees_its_own_numbers_tags_and_metadata() {
    check_vus(
        "import { Counter } from 'k6/metrics';
         const initial = __VU; const made = new Counter('made');
         export default () => {
           const before = exec.vu.tags.who;
           exec.vu.tags.who = `vu${__VU}`; exec.vu.metrics.metadata.m = `m${__VU}`;
           Object.assign(exec.vu.metrics.tags, { iteration: __ITER });
           const { vu, scenario } = exec;
           if (!( initial === __VU && vu.idInTest === __VU && exec.vu.idInInstance > 0 && vu.tags.who === `vu${__VU}` && vu.iterationInInstance === __ITER)) console.log('not own');
           made.add(1);
           console.log(scenario.name, before === (__ITER ? `vu${__VU}` : undefined), vu.metrics.metadata.m === `m${__VU}`, exec.vu.tags.iteration, 'who' in exec.vu.tags, delete exec.vu.tags.iteration, made instanceof Counter, exec.test.options.scenarios.all.vus);
         }",
        &["info all true true 0 true true true 3", "info all true true 1 true true true 3"],
    );
}

#[test]
fn tags_take_what_tags_can_be_and_cannot_be_closed() {
    check_vus(
        "const told = (act) => { try { return act() } catch (error) { return error.name } };
         export default () => {
           const { tags } = exec.vu;
           console.log(
             told(() => Object.defineProperty(tags, 'a', { value: 'v', configurable: true }).a),
             told(() => Object.defineProperty(tags, 'b', { get: () => 1 })), told(() => Object.freeze(tags)),
             told(() => Object.preventExtensions(tags)), Object.isExtensible(tags), told(() => Object.setPrototypeOf(tags, { x: 1 }).x),
             told(() => Reflect.set(tags, 'c', {})), told(() => { tags.d = 1; return tags.d }));
         }",
        &["info v TypeError TypeError TypeError true undefined TypeError 1"; 2],
    );
}

#[test]
fn errors_tell_the_same_places() {
    let files = |script| {
        [
            ("script.js", script),
            (
                "lib.js",
                "// a library\nexport function fail() {\n  null.x;\n}\nexport const late = () => { throw new RangeError('late') };",
            ),
            ("broken.js", "export const a = 1;\n  undefinedName();"),
            ("c.cjs", "exports.fail = function () { throw new Error('cjs') };\nexports.n = 1;"),
            ("broken.cjs", "'use strict';\nexports.a = 1; throw new Error('broken');"),
            ("through.js", "import './broken.js';"),
        ]
    };
    let logs = [
        "import { fail } from './lib.js';\nexport default function () { fail() }",
        "import { late } from './lib.js'; import cjs from './c.cjs'\nexport default () => { try { late() } catch (e) { console.log(e.name, e.message) } cjs.fail() }",
        "export default class { static x = boom() }",
        "const a = 1;\n  throw new TypeError('top');\nexport default () => {}",
        "import './lib.js'; import './broken.js'; export default () => {}",
        "import './through.js'; export default () => {}",
        "import './broken.cjs'; export default () => {}",
        "import './nope.js'; export default () => {}",
        "import { nope } from './lib.js'; export default () => nope",
        "import { nope } from './c.cjs'; export default () => { console.log(typeof nope); nope() }",
        "import { nope } from 'k6/http'; export default () => { console.log(typeof nope); nope() }",
        "import ws from 'k6/nope'; export default () => {}",
        "export default async () => { await null; throw new Error('async') }",
        "export default () => { Promise.reject(new Error('unhandled')); setTimeout(() => { throw new Error('timer') }, 10) }",
        "export default () => { const f = () => f(); f() }",
        "let x = y; let y = 1; export default () => {}",
        "const c = 1; export default () => { c = 2 }",
        "export default () => { throw { message: 'plain' } }",
        "export default function named() { new (class Deep { constructor() { this.m() } m() { (() => { throw new Error('deep') })() } })() }",
        "export function setup() { throw new Error('setup') } export default () => {}",
        "export function teardown() { throw new Error('teardown') } export default () => {}",
        "import exec from 'k6/execution'; exec.vu.idInTest; export default () => {}",
        "import http from 'k6/http'; http.get('http://localhost'); export default () => {}",
        "import { Trend } from 'k6/metrics'; export default () => { new Trend('late') }",
        "class E extends Error { constructor(m) { super(m); this.name = this.constructor.name } } export default () => { throw new E('own') }",
        "function E(m) { this.message = m } E.prototype = Object.create(Error.prototype); E.prototype.name = 'Old'; E.prototype.constructor = E; export default () => { const e = new E('old'); console.log(String(e), e instanceof Error, e.constructor === E); throw e }",
    ];
    for script in logs {
        let log = match script.contains("nope } from './lib") || script.contains("./nope.js") {
            true => continue_of(&files(script)),
            false => log_of(&files(script)),
        };
        assert!(!log.is_empty(), "{script}");
        assert!(
            !log.iter().any(|line| line.contains("__squall") || line.contains("guard.js")),
            "{script}: {log:?}"
        );
    }
}

/// The log of a project that may need realms of its own: the same however much its VUs share.
#[track_caller]
fn continue_of(files: &[(&str, &str)]) -> Vec<String> {
    let [shared, private, nothing] =
        [Share::Realms, Share::Runtimes, Share::Nothing].map(|share| observe(run_files(files, share)));
    assert_eq!(shared, private);
    assert_eq!(shared, nothing);
    shared
}

#[test]
fn exports_have_their_forms() {
    let forms = [
        "export default function () {}",
        "export default function named() {}",
        "export default () => {}",
        "export default async () => {}",
        "export default class {}",
        "export default class Named {}",
        "export default (function () {})",
        "export default (class {})",
        "const own = () => {}; export default own",
        "const own = () => {}; export { own as default }",
        "export default { a: 1 }",
        "export default [1]",
        "export default 'text'",
        "export default async function* () {}",
        "export default class { static name = 'static' }",
        "export default class { static name() {} }",
    ];
    for form in forms {
        let script = "import it from './form.js'; import * as all from './form.js'; const top = this;
            export default () => console.log(typeof it, typeof it.name === 'string' ? it.name : typeof it.name, String(it), it === all.default, this === undefined, top === undefined)";
        let log = log_of(&[("script.js", script), ("form.js", form)]);
        assert_eq!(log.len(), 1, "{form}: {log:?}");
    }
}

#[test]
fn namespaces_are_the_same() {
    check(
        &[
            (
                "script.js",
                "import * as es from './es.js'; import * as cjs from './c.cjs'; import * as http from 'k6/http'; export * as through from './es.js';
                 const told = (act) => { try { return String(act()) } catch (error) { return error.name } };
                 const show = (ns) => [
                   Object.keys(ns), Object.prototype.toString.call(ns), ns[Symbol.toStringTag], Object.isExtensible(ns), Object.isSealed(ns), 'toString' in ns, 'default' in ns,
                   told(() => { ns.a = 2 }), told(() => { ns.zzz = 2 }), told(() => { delete ns.a }), told(() => { delete ns.zzz }), told(() => `${ns}`), JSON.stringify(ns), ns.a,
                 ].join('|');
                 export default () => { console.log(show(es)); console.log(show(cjs)); console.log(Object.prototype.toString.call(http), Object.keys(http).includes('get'), Object.hasOwn(http, 'post')) }",
            ),
            ("es.js", "export const b = 1; export const a = 1; export default 3; export function z() {}"),
            ("c.cjs", "exports.b = 1; exports.a = 1"),
        ],
        &[
            "info [object Module] true true",
            "info a,b,default,z|[object Module]|Module|false|true|false|true|TypeError|TypeError|TypeError|undefined|TypeError|{\"a\":1,\"b\":1,\"default\":3}|1",
            "info b,a|[object Module]|Module|false|true|false|false|TypeError|TypeError|TypeError|undefined|TypeError|{\"b\":1,\"a\":1}|1",
        ],
    );
}

#[test]
fn life_outside_of_iterations_is_the_same() {
    check_vus(
        "import { SharedArray } from 'k6/data'; import http, { expectedStatuses } from 'k6/http';
         const shared = new SharedArray('s', () => [{ n: 1, list: [1] }]);
         let state = 0; let seen;
         const told = (act) => { try { return act() } catch (error) { return error.name } };
         export function setup() { state = 9; return { n: 0, list: [] } }
         export default (data) => {
           state++; data.n++; data.list.push(1); seen = (seen ?? 0) + 1;
           http.setResponseCallback(expectedStatuses(200 + __VU));
           console.log(state, data.n, data.list.length, seen, shared[0].n, told(() => { shared[0].n = 2 }), told(() => { shared[0] = 1 }), shared.length, shared.map((it) => it.list[0]).join(), http.TLS_1_3);
         }
         export function teardown(data) { if (state !== 0 || data.n !== 0) console.log('not fresh', state, data.n) }",
        &["info 1 1 1 1 1 TypeError TypeError 1 1 tls1.3", "info 2 2 2 2 1 TypeError TypeError 1 1 tls1.3"],
    );
}

#[test]
fn what_waits_belongs_to_its_vu() {
    check_vus(
        "import { sleep } from 'k6'; let n = 0; const log = [];
         export default async () => {
           const me = __VU; const timer = setInterval(() => log.push(__VU === me ? 'i' : 'X'), 10);
           queueMicrotask(() => log.push(__VU === me ? 'm' : 'X'));
           const later = new Promise((resolve) => setTimeout(() => resolve(++n), 35));
           sleep(0.001);
           log.push(await later, __VU === me);
           clearInterval(timer);
           for await (const x of (async function* () { yield 1; await null; yield 2 })()) log.push(x);
           console.log(log.splice(0).join(), __VU === me);
         }",
        &["info m,i,i,i,1,true,1,2 true", "info m,i,i,i,2,true,1,2 true"],
    );
}

/// VUs that write to all they come to, by names that they compute; later come others and look for what was written.
const ATTACK: &str = r#"
    import http from 'k6/http'; import { check, sleep } from 'k6'; import exec from 'k6/execution'; import hashes from 'k6/crypto';
    import { Trend, Counter } from 'k6/metrics'; import { SharedArray } from 'k6/data';
    const trend = new Trend('trend'), counter = new Counter('counter'), shared = new SharedArray('shared', () => [{ a: 1 }]);
    const scenario = (exec, startTime) => ({ executor: 'per-vu-iterations', vus: 4, iterations: 1, maxDuration: '1h', exec, startTime });
    export const options = { scenarios: { attack: scenario('attack', '0s'), look: scenario('look', '10s') } };
    const caught = (act) => { try { return act() } catch (error) { return error } };
    const { ownKeys, getOwnPropertyDescriptor: describe, defineProperty: define, setPrototypeOf: inherit, deleteProperty: remove } = Reflect;
    const proto = ['__pro', 'to__'].join('');

    const roots = () => [[], {}, function () {}, () => {}, function* () {}, async function () {}, async function* () {}, async () => {},
      (function* () {})(), (async function* () {})(), [].values(), new Map(), new Set(), new Map().values(), new Set().values(), 'x'.matchAll(/x/g),
      ''[Symbol.iterator](), [].values().map((x) => x), Iterator.from({ next() {} }), new WeakMap(), new WeakSet(), new WeakRef({}), Promise.resolve(),
      /x/, new Date(), new Error('x'), new TypeError('x'), new RangeError('x'), new SyntaxError('x'), new ReferenceError('x'), new EvalError('x'),
      new URIError('x'), new AggregateError([], 'x'), new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Uint8Array(1), new Float64Array(1),
      new BigInt64Array(1), Object(1), Object('s'), Object(true), Object(Symbol.iterator), Object(10n), new Proxy({}, {}), new FinalizationRegistry(() => {}),
      new URL('http://a/?b=1'), new URLSearchParams('a=1'), new TextEncoder(), new TextDecoder(), trend, counter, shared, http.cookieJar(), new http.CookieJar(),
      http.file('x'), http.url`http://a/${1}`, http.get, http.post, check, sleep, parseInt, setTimeout, structuredClone, console.log, Math.max, JSON.parse,
      performance.now, atob, queueMicrotask, hashes.createHash('md5'), exec.vu, exec.scenario, exec.test, exec.instance, exec.vu.tags, exec.vu.metrics,
      exec.vu.metrics.metadata, exec.test.abort, crypto.getRandomValues, crypto.subtle.digest, structuredClone({}), (function () { return arguments })(),
      caught(() => structuredClone(() => 1)), caught(() => new URL('')), caught(() => new Trend('late')), caught(() => null.x), http.get('nope'), __ENV,
      describe((function () { 'use strict'; return arguments })(), 'callee').get, class extends Array {}, class extends Error {}, Iterator.from([1]).take(1),
      new (class extends Map {})(), ((tag) => tag`a${1}b`)((strings) => strings), (async () => {})(), Symbol.for];

    // All that values lead to, each with its names and the way there.
    const reached = () => {
      const all = [], seen = new Set();
      const visit = (value, path) => { if (Object(value) === value && !seen.has(value)) { seen.add(value); all.push([value, path, []]) } };
      roots().forEach((value, index) => visit(value, index + Object.prototype.toString.call(value)));
      for (const [value, path, keys] of all) {
        caught(() => visit(value[proto], path + '.^'));
        for (const key of caught(() => ownKeys(value))) {
          keys.push(key);
          const { value: now, get, set } = caught(() => describe(value, key)) ?? {};
          for (const it of [now, get, set]) visit(it, path + '.' + String(key));
        }
      }
      return all;
    };

    const mark = () => 'marked', isMark = (value) => typeof value === 'function' && value.name === 'mark';
    export function attack() {
      const all = reached();
      if (all.length < 700) console.log('only', all.length);
      // Nothing built in works from here on, if the realm lets it happen.
      for (let i = 0; i < all.length; i++) {
        const value = all[i][0], keys = all[i][2];
        try { value.marked = mark } catch {}
        try { define(value, 'marked', { value: mark }) } catch {}
        for (let k = 0; k < keys.length; k++) {
          try { value[keys[k]] = mark } catch {}
          try { define(value, keys[k], { value: mark }) } catch {}
          try { define(value, keys[k], { get: mark }) } catch {}
          try { remove(value, keys[k]) } catch {}
        }
        try { inherit(value, { marked: mark }) } catch {}
      }
    }
    export function look() {
      for (const [value, path, keys] of reached()) {
        for (const key of keys) {
          const found = caught(() => describe(value, key)) ?? {};
          if (key === 'marked' || isMark(found.value) || isMark(found.get)) console.log(path, String(key));
        }
        if (isMark(caught(() => value.marked))) console.log(path, 'inherits');
      }
      const limit = (class extends Error {})[['stackTrace', 'Limit'].join('')];
      console.log(reached().length > 700, limit, [3, 1, 2].map((x) => x + 1).sort().join(), new URL('/b?c=1', 'http://a').searchParams.get('c'), exec.vu.tags.marked, __ENV.NAME);
    }
"#;

#[test]
fn what_a_vu_writes_by_computed_names_reaches_no_other() {
    for share in [Share::Realms, Share::Runtimes, Share::Nothing] {
        let ran = run_files(&[("script.js", ATTACK)], share);
        assert_eq!(share == Share::Realms, matches!(ran.sharing, Some(Sharing::Shared { .. })));
        let told: Vec<String> = ran.log.into_iter().filter(|line| line != "warn Request Failed").collect();
        assert_eq!(told, ["info true 10 2,3,4 1 undefined value"; 4]);
    }
}

#[test]
fn what_is_inherited_can_be_replaced() {
    check_vus(
        "const key = (...parts) => parts.join('');
         function Old(m) { this.message = m } Old.prototype = Object.create(Error.prototype); Old.prototype.constructor = Old; Old.prototype.toString = () => 'old';
         function List() {} List.prototype = Object.create(Array.prototype); List.prototype.constructor = List; List.prototype.push = function (x) { this.pushed = x; this.length = 7 };
         class Stack extends Array {} Stack.of = () => 'of'; Stack.prototype.at = () => 'at';
         class Failure extends Error {} Failure.stackTraceLimit = 1; Failure.prototype.name = 'Failure';
         class Shy extends Map { get(k) { return super.get(k) ?? 'none' } }
         export default () => {
           const words = {}; for (const word of ['constructor', 'toString', 'valueOf', 'hasOwnProperty', 'a']) words[word] = word;
           const list = new List(); list.push(1);
           const array = [1]; array.map = () => 'mapped'; array.constructor = 1;
           const error = new Error('e'); error.name = 'Own'; error.message = 'm'; Object.assign(error, { name: 'Assigned' });
           const f = () => 1; f.call = () => 'called'; f[key('to', 'String')] = () => 'text';
           const promise = Promise.resolve(); promise.then = () => 'then';
           const map = new Map(); map.get = () => 'got';
           const date = new Date(0); date.toISOString = () => 'date';
           const descriptor = Object.getOwnPropertyDescriptor(words, 'toString');
           console.log(Object.values(words).join(), Object.keys(error).join(), String(error), list.pushed, list.length, list.constructor === List, String(new Old('x')), new Old('x') instanceof Error,
             Stack.of(), new Stack().at(), Array.of(1).length, [5].at(0), array.map(), f.call(), String(f), promise.then(), map.get(), new Map([[1, 2]]).get(1), date.toISOString(), new Shy().get(1),
             String(new Failure('f')), Failure.stackTraceLimit, descriptor.writable && descriptor.enumerable && descriptor.configurable);
         }",
        &["info constructor,toString,valueOf,hasOwnProperty,a name Assigned: m 1 7 true old true of at 1 5 mapped called text then got 2 date none Failure: f 1 true"; 2],
    );
}

#[test]
fn words_of_data_may_be_names_that_lists_inherit() {
    check_vus(
        "const key = (...parts) => parts.join('');
         class Own extends Map {} Own.prototype[Symbol.iterator] = function* () { yield 'own' };
         export default () => {
           const counts = []; let length = 0;
           for (const word of 'the map with the keys fill the map'.split(' ')) counts[word] = (Object.hasOwn(counts, word) ? counts[word] : 0) + 1;
           const made = Object.assign([], { keys: 1 }), date = Object.assign(new Date(0), { getTime: () => 'time' });
           const list = [1]; list[Symbol.iterator] = function* () { yield 'mine' };
           console.log(Object.entries(counts).join(), made.keys, date.getTime(), [...list].join(), [...new Own()].join(), [1, 2].map((x) => x + 1).join());
         }",
        &["info the,3,map,2,with,1,keys,1,fill,1 1 time mine own 2,3"; 2],
    );
}

#[test]
fn classes_of_the_host_are_what_they_are() {
    check_vus(
        "import http from 'k6/http'; import { Trend, Rate } from 'k6/metrics';
         const trend = new Trend('trend'); class Own extends Trend { add2() { return this.add(1) } } const own = new Own('own');
         export default () => {
           const jar = new http.CookieJar(), url = new URL('http://a/b');
           console.log(trend instanceof Trend, trend instanceof Rate, trend.constructor === Trend, own instanceof Own, own.add2(), jar instanceof http.CookieJar, jar.constructor === http.CookieJar, jar.constructor.name,
             http.cookieJar() instanceof http.CookieJar, url.constructor === URL, url.searchParams instanceof URLSearchParams, new URLSearchParams('a=1').constructor === URLSearchParams, new TextEncoder().constructor === TextEncoder,
             URL === URL, setTimeout === setTimeout, typeof crypto.subtle, structuredClone(new Map()) instanceof Map);
         }",
        &["info true false true true true true true CookieJar true true true true true true true object true"; 2],
    );
}

#[test]
fn text_becomes_no_code_that_reaches_globals() {
    let script = "const name = ['construc', 'tor'].join(''); const made = [() => {}, async () => {}, function* () {}, async function* () {}];
        export default () => {
          for (const f of made) { try { f[name]('return this')() } catch (error) { console.log(f[name].name, error.name) } }
          console.log((() => {}) instanceof Function, made[0].constructor === Function, Function.name);
        }";
    let ran = run_files(&[("script.js", script)], Share::Realms);
    assert!(matches!(ran.sharing, Some(Sharing::Shared { .. })), "{:?}", ran.sharing);
    let expected = [
        "info Function EvalError",
        "info AsyncFunction EvalError",
        "info GeneratorFunction EvalError",
        "info AsyncGeneratorFunction EvalError",
        "info true true Function",
    ];
    ran.check_log(&expected);
}

#[test]
fn a_response_keeps_what_is_assigned_to_it() {
    check_vus(
        "import http from 'k6/http';
         export default () => {
           const response = http.get('nope'), list = [1, { a: 2 }];
           response.body = list; response.headers = { a: [] }; response.note = list; response.note = { list };
           for (let i = 0; i < 50; i++) response.body = i % 2 ? list : { list: [i] };
           console.log(response.body === list, list.length, list[1].a, JSON.stringify(response.headers));
         }",
        &[
            "info true 2 2 {\"a\":[]}",
            "info true 2 2 {\"a\":[]}",
            "warn Request Failed",
            "warn Request Failed",
        ],
    );
}

#[test]
fn functions_of_the_host_are_of_the_realm_they_are_in() {
    let script = format!(
        "{VUS} import http from 'k6/http'; import {{ Trend }} from 'k6/metrics';
         Function.prototype.mine = __VU; // This needs a realm of its own.
         export default () => {{
           const all = [http.get, Trend, console.log, Math.random, setTimeout, URL, URL.parse, open, exec.test.abort, http.cookieJar().set, new TextEncoder().encode, crypto.getRandomValues];
           console.log(all.every((it) => it instanceof Function && it.mine === __VU), 'seen' in http.get);
           Object.getPrototypeOf(http.get).seen = true;
         }}"
    );
    for share in [Share::Realms, Share::Runtimes, Share::Nothing] {
        let mut log = run_files(&[("script.js", &script)], share).log;
        log.sort();
        let expected = [
            "info true false",
            "info true false",
            "info true false",
            "info true true",
            "info true true",
            "info true true",
        ];
        assert_eq!(log, expected, "{share:?}");
    }
}
