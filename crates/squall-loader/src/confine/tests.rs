//! Which scripts are confined, why others are not, and what factories look like.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use oxc::allocator::Allocator;
use oxc::parser::Parser;
use oxc::span::SourceType;
use tempfile::TempDir;

use crate::{Entry, Loader, LoaderConfig, ModuleGraph, ModuleKind, Realms, Sharing, rewrite_stack};

struct Offline;

impl crate::Fetch for Offline {
    fn get(&self, _url: &str) -> Result<String, String> {
        Err("offline".to_owned())
    }
}

fn load(entry: PathBuf) -> Option<ModuleGraph> {
    let entry = Entry::File(entry);
    let config = LoaderConfig { entry, fetch: Box::new(Offline), cache_dir: None, refresh: false };
    Loader::new(config).with_realms(Realms::Shared).load().ok()
}

/// A project whose entry is its first file.
fn project(files: &[(&str, &str)]) -> ModuleGraph {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    load(directory.path().join(files[0].0)).expect("it loads")
}

/// What keeps a project from sharing: `file:line:column: reason`; empty when nothing does.
fn escape(files: &[(&str, &str)]) -> String {
    match project(files).sharing {
        Sharing::Shared { .. } => String::new(),
        Sharing::Private(mut escape) => {
            escape.specifier = escape.specifier.rsplit('/').next().unwrap().to_owned();
            escape.to_string()
        }
    }
}

/// The factories of a project, whose code must parse.
fn factories(files: &[(&str, &str)]) -> String {
    let graph = project(files);
    if let Sharing::Private(escape) = &graph.sharing {
        panic!("{escape}");
    }
    let factories = graph.modules.iter().filter(|module| module.kind == ModuleKind::Factory);
    let codes: Vec<&str> = factories.map(|module| &*module.code).collect();
    codes.iter().for_each(|code| check_script(code));
    codes.join("\n---\n")
}

fn check_script(code: &str) {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, code, SourceType::script()).parse();
    assert!(parsed.diagnostics.is_empty(), "{:?}\n{code}", parsed.diagnostics);
}

/// Imports that the tables below use.
const IMPORTS: &str = "import http, { get as fetched } from 'k6/http'; import { check } from 'k6'; import exec, { vu } from 'k6/execution'; import * as metrics from 'k6/metrics';";

#[test]
fn scripts_that_keep_nothing_are_confined() {
    let scripts = [
        "export default () => { check(http.get('x', { tags: { a: 1 } }), { ok: (r) => r.status === 200 }) }",
        "const t = new metrics.Trend('t'); class T extends metrics.Trend {} export default () => t instanceof T",
        "console.log(JSON.parse('1'), Object.keys({}), Math.PI, Number.MAX_SAFE_INTEGER, http.TLS_1_2, undefined, NaN)",
        "[1].map(Number).filter(Boolean).map(parseInt); ['a'].map(encodeURIComponent); Array.from('12', Number)",
        "__ENV.X = __ENV.Y || 'z'; __ENV['a'] = 1; const { A, B = 2 } = __ENV; const all = { ...__ENV }",
        "exec.vu.tags.a = 1; exec.vu.metrics.tags['b'] = 2; vu.tags[__VU] = 3; console.log(exec.scenario.name, exec.vu)",
        "const { floor, random } = Math, get = http.get; floor(random()); get('x'); const methods = { get: http.get }",
        "http[__ENV.METHOD]('x'); Math[__ENV.F](1)",
        "const has = Object.prototype.hasOwnProperty, slice = Array.prototype.slice; has.call({}, 'a'); slice.call([], 1)",
        "Object.assign({}, {}); Object.defineProperty(exec.vu.tags, 'a', {}); const a = {}; Object.freeze(a); a.b = {}; a.b.c = 1",
        "class Foo { static n = 0; constructor() { this.constructor.n++; Foo.n++ } } Foo.prototype.bar = () => 1",
        "function Old() { this.x = 1 } Old.prototype = Object.create(Array.prototype); Old.prototype.constructor = Old",
        "class E extends Error { constructor(m) { super(m); this.name = this.constructor.name; Object.setPrototypeOf(this, new.target.prototype) } }",
        "const isPlain = (x) => { const proto = Object.getPrototypeOf(x); return proto === null || proto === Object.prototype }",
        "const kind = (x) => x.constructor === Object ? x.constructor.name : Object.prototype.toString.call(x)",
        "const of = (a, k, v) => { if (k === '__proto__' || k === 'constructor') return; a[k] = v; a[k][k] = v }",
        "typeof globalThis !== 'undefined' && globalThis.crypto.getRandomValues(new Uint8Array(1)); typeof window",
        "if (typeof window !== 'undefined') window.x = 1; const w = typeof self === 'object' ? self : null",
        "export let base; if (__ENV.A) base = 1; else base = 2; function inner() { return arguments.length }",
        "const o = { __proto__: null, constructor: 1, get [Symbol.iterator]() { return 1 } }; class G { *[Symbol.iterator]() {} }",
        "const later = async () => { await 1; for await (const x of []) {} }; setTimeout(later, 1); await_; var await_",
        "const html = `<!-- a --> ${'<!--'}`; /<!--/; let i = 3; while (i --> 0);",
        "try {} catch (e) { if (e instanceof TypeError || e.name === 'GoError') throw e }",
        "Promise.all([]).then(() => new Map([[1, new Set()]])); new Proxy({}, { set: (t, k, v) => Reflect.set(t, k, v) })",
        "const old = http; old.get('x'); const { post: send } = old; send('y')",
    ];
    for script in scripts {
        assert_eq!(escape(&[("s.js", &format!("{IMPORTS}\n{script}; export {{}}"))]), "", "{script}");
    }
}

#[test]
fn libraries_in_common_js_are_confined() {
    let libraries = [
        "!function (e, t) { 'object' == typeof exports && 'undefined' != typeof module ? module.exports = t() : 'function' == typeof define && define.amd ? define(t) : (e = 'undefined' != typeof globalThis ? globalThis : e || self).lib = t() }(this, function () { 'use strict'; return {} })",
        "(function () { this.lib = {}; }).call(this)",
        "function Parser() { this.rows = [] } Parser.prototype.read = function () { return this.rows }; exports.parse = () => new Parser().read()",
        "function clock(at) { if (!(this instanceof clock)) return new clock(at); this.at = at } module.exports = clock",
        "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = void 0; exports['default'] = function () {}",
        "const http = require('k6/http'), { check } = require('k6'); module.exports = { run() { this.n = 1; return check(http.get('x'), {}) } }",
    ];
    for library in libraries {
        let files = [("s.js", "import lib from './lib.js'; export default lib"), ("lib.js", library)];
        assert_eq!(escape(&files), "", "{library}");
    }
}

#[test]
fn what_may_write_to_something_shared_escapes() {
    let reasons: Vec<String> = [
        "counter = 1",
        "Array.prototype.last = function () {}",
        "const P = Promise; P.prototype.then = 1",
        "http.get = () => {}",
        "delete http.get",
        "[http.get] = [1]; ",
        "({ a: http.get } = {})",
        "for (http.get of []);",
        "Math.x++",
        "Error.stackTraceLimit = 0",
        "globalThis.x = 1",
        "const g = globalThis; g.x = 1",
        "globalThis[__ENV.A] = 1",
        "((g) => { g.x = 1 })(globalThis)",
        "const all = { http }",
        "const copy = { ...http }",
        "const maybe = __ENV.A ? http : {}",
        "let later; later = http",
        "Object.assign(http, {})",
        "Object.defineProperty(Array.prototype, 'x', {})",
        "Object[__ENV.A]({})",
        "Array.prototype.push(1)",
        "eval('1')",
        "(0, eval)('1')",
        "new Function('return this')()",
        "Function.apply(null, ['return this'])",
        "Reflect.construct(Function, ['return this'])",
        "class F extends Function {}",
        "(() => {}).constructor('return this')()",
        "(() => {}).constructor.call(null, 'return this')",
        "[].constructor.x = 1",
        "const { constructor } = []",
        "[]['constructor'].x = 1",
        "const key = 'constructor'; [][key].x = 1",
        "({}).__proto__.x = 1",
        "Object.getPrototypeOf([]).x = 1",
        "const up = [[]].map(Object.getPrototypeOf)",
        "Object.getPrototypeOf.call(Object, [])",
        "const proto = Object.getPrototypeOf([]); proto.x = 1",
        "class A extends Array { static f() { super.prototype.x = 1 } }",
        "({}).__defineGetter__('x', () => 1)",
        "exec.vu.idInTest = 1",
        "vu.own = 1",
        "new WeakMap([[http, 1]])",
        "throw http",
        "import.meta.url",
        "import('k6')",
        "await 1",
        "require('k6')",
        "arguments",
        "export let n = 0; export const more = () => n++",
    ]
    .iter()
    .map(|script| {
        let escape = escape(&[("s.js", &format!("{IMPORTS}\n{script};\nexport {{}}"))]);
        assert_ne!(escape, "", "{script}");
        format!("{script}\n  {}", escape.trim_start_matches("s.js:"))
    })
    .collect();
    assert_snapshot!(reasons.join("\n"), @r##"
    counter = 1
      2:1: the global counter is written to
    Array.prototype.last = function () {}
      2:1: Array.prototype.last is written to
    const P = Promise; P.prototype.then = 1
      2:20: Promise.prototype.then is written to
    http.get = () => {}
      2:1: get of k6/http is written to
    delete http.get
      2:8: get of k6/http is written to
    [http.get] = [1]; 
      2:2: get of k6/http is written to
    ({ a: http.get } = {})
      2:7: get of k6/http is written to
    for (http.get of []);
      2:6: get of k6/http is written to
    Math.x++
      2:1: Math.x is written to
    Error.stackTraceLimit = 0
      2:1: Error.stackTraceLimit is written to
    globalThis.x = 1
      2:1: x is written to
    const g = globalThis; g.x = 1
      2:23: x is written to
    globalThis[__ENV.A] = 1
      2:1: the global object is written to
    ((g) => { g.x = 1 })(globalThis)
      2:22: the global object gets where it may be written to
    const all = { http }
      2:15: k6/http gets where it may be written to
    const copy = { ...http }
      2:19: k6/http gets where it may be written to
    const maybe = __ENV.A ? http : {}
      2:15: k6/http gets where it may be written to
    let later; later = http
      2:20: k6/http gets where it may be written to
    Object.assign(http, {})
      2:15: k6/http gets where it may be written to
    Object.defineProperty(Array.prototype, 'x', {})
      2:23: Array.prototype gets where it may be written to
    Object[__ENV.A]({})
      2:1: Object is read by a computed name
    Array.prototype.push(1)
      2:1: Array.prototype.push is called
    eval('1')
      2:1: eval is called
    (0, eval)('1')
      2:1: eval is called
    new Function('return this')()
      2:5: Function is called
    Function.apply(null, ['return this'])
      2:1: Function.apply is called
    Reflect.construct(Function, ['return this'])
      2:19: Function gets where it may be written to
    class F extends Function {}
      2:17: Function is called
    (() => {}).constructor('return this')()
      2:1: a constructor or prototype is called
    (() => {}).constructor.call(null, 'return this')
      2:1: call of a constructor or prototype is called
    [].constructor.x = 1
      2:1: x of a constructor or prototype is written to
    const { constructor } = []
      2:9: what is shared is taken from an object
    []['constructor'].x = 1
      2:1: x of a constructor or prototype is written to
    const key = 'constructor'; [][key].x = 1
      2:13: the name of what is shared may be computed
    ({}).__proto__.x = 1
      2:1: x of a constructor or prototype is written to
    Object.getPrototypeOf([]).x = 1
      2:1: x of a constructor or prototype is written to
    const up = [[]].map(Object.getPrototypeOf)
      2:21: Object.getPrototypeOf gets where it may be written to
    Object.getPrototypeOf.call(Object, [])
      2:1: Object.getPrototypeOf.call is called
    const proto = Object.getPrototypeOf([]); proto.x = 1
      2:42: x of a constructor or prototype is written to
    class A extends Array { static f() { super.prototype.x = 1 } }
      2:38: x of a constructor or prototype is written to
    ({}).__defineGetter__('x', () => 1)
      2:1: __defineGetter__ may reach what is shared
    exec.vu.idInTest = 1
      2:1: vu.idInTest of k6/execution is written to
    vu.own = 1
      2:1: vu.own of k6/execution is written to
    new WeakMap([[http, 1]])
      2:15: k6/http gets where it may be written to
    throw http
      2:7: k6/http gets where it may be written to
    import.meta.url
      2:1: import.meta is not supported
    import('k6')
      2:1: import() is not supported
    await 1
      2:1: top-level await is not supported
    require('k6')
      2:1: an ES module uses require()
    arguments
      2:1: `arguments` stands outside of functions
    export let n = 0; export const more = () => n++
      2:1: the export n changes while the script runs
    "##);
}

#[test]
fn what_only_reads_the_environment_is_told() {
    let check = |code: &str, expected: bool| {
        let files = [("s.js", "import './lib.js'; console.log(__ENV.A)"), ("lib.js", code)];
        let Sharing::Shared { only_reads_env, .. } = project(&files).sharing else { panic!("{code}") };
        assert_eq!(only_reads_env, expected, "{code}");
    };
    let reads = [
        "",
        "const { A, B = 1, ...rest } = __ENV; rest.c = 1; const all = { ...__ENV }; all.d = 1",
        "const n = Number(__ENV.N) || 1, url = `${__ENV.URL}/x`; export const at = (key) => __ENV[key]",
        "if ('A' in __ENV && typeof __ENV === 'object') for (const key in __ENV) console.log(__ENV?.[key])",
        "console.log(Object.keys(__ENV).length, JSON.stringify(__ENV))",
        "// __ENV.A = 1\nconsole.log(__ENV.A === __ENV.B, __ENV == null)",
    ];
    reads.into_iter().for_each(|code| check(code, true));
    let more = [
        "__ENV.A = 1",
        "__ENV['A'] += 1",
        "delete __ENV.A",
        "(__ENV).A++",
        "[__ENV.A] = [1]",
        "({ a: __ENV.A } = { a: 1 })",
        "for (__ENV.A of [1]) ;",
        "const env = __ENV",
        "export const env = { __ENV }",
        "export default () => __ENV",
        "Object.assign(__ENV, {})",
        "JSON.stringify(__ENV, (key, value) => value)",
        "Object.isFrozen(__ENV)",
        "__ENV.hasOwnProperty('A')",
        "const env = __ENV || {}",
        "const f = (env = __ENV) => env",
        "const o = { [__ENV]: 1 }, [a] = [__ENV]",
        "globalThis.__ENV.A = 1",
        "globalThis['__ENV']; globalThis[`__ENV`]",
        "const { __ENV: env } = globalThis",
        r"globalThis[`__\u0045NV`].A = 1",
        // Names of its own: the default here is the environment after all.
        "function f(env = __ENV) { const __ENV = { ...env }; env.A = 1 }",
        "class Own { static [Symbol.hasInstance](env) { env.A = 1 } } __ENV instanceof Own",
    ];
    more.into_iter().for_each(|code| check(code, false));
}

#[test]
fn names_that_are_assigned_to_are_told() {
    let check = |code: &str, expected: &str| {
        let Sharing::Shared { assigned_names, .. } = project(&[("s.js", code)]).sharing else {
            panic!("{code}")
        };
        assert_eq!(assigned_names.into_iter().collect::<Vec<_>>().join(" "), expected, "{code}");
    };
    check("export default (o) => { o.a = 1; o['b']++; [o.c] = []; delete o.d; o.e.f = o.g }", "a b c d f");
    check("const m = []; export default (word) => { m[word] = 1 }", "*");
    check(
        "export default (word) => { const d = new Date(0), s = 'a b'.split(' '); d[word] = 1; s[word] = 2 }",
        "*",
    );
    check("export default (o) => Object.assign([], o)", "*");
    check(
        "class Own extends Map {} Own.prototype[Symbol.iterator] = () => {}; export default () => {}",
        "Symbol.iterator",
    );
    check(
        "const a = []; export default (n) => { for (let i = 0; i < n; i++) { a[i] = i; a[i + 1] = a[a.length - 1]++ } }",
        "",
    );
    check("const m = {}; export default (word) => { m[word] = 1; Object.assign({}, m) }", "");
    check("const a = b, b = a; export default (k) => { a[k] = 1 }", "");
}

#[test]
fn sloppy_code_that_may_reach_the_global_object_escapes() {
    let reasons: Vec<String> = [
        "function f() { this.x = 1 } f()",
        "[1].forEach(function () { this.x = 1 })",
        "exports.f = function () { this.x = 1 }",
        "(function () { return this })().x = 1",
        "(function () { return this }).call(null).x = 1",
        "with ({}) {}",
        "require(__filename)",
        "module.exports = require('k6/http')",
        "exports.require = require",
        "if (!Array.prototype.x) Array.prototype.x = 1",
        "var root = typeof global == 'object' && global",
    ]
    .iter()
    .map(|script| {
        let escape = escape(&[("s.js", script)]);
        assert_ne!(escape, "", "{script}");
        format!("{script}\n  {}", escape.trim_start_matches("s.js:"))
    })
    .collect();
    assert_snapshot!(reasons.join("\n"), @r##"
    function f() { this.x = 1 } f()
      1:16: `this` may be the global object
    [1].forEach(function () { this.x = 1 })
      1:27: `this` may be the global object
    exports.f = function () { this.x = 1 }
      1:27: `this` may be the global object
    (function () { return this })().x = 1
      1:23: `this` may be the global object
    (function () { return this }).call(null).x = 1
      1:23: `this` may be the global object
    with ({}) {}
      1:1: names within `with` may be anything
    require(__filename)
      1:1: what require() asks for is computed
    module.exports = require('k6/http')
      1:18: k6/http gets where it may be written to
    exports.require = require
      1:19: require gets where it may be written to
    if (!Array.prototype.x) Array.prototype.x = 1
      1:25: Array.prototype.x is written to
    var root = typeof global == 'object' && global
      1:12: the global object gets where it may be written to
    "##);
}

#[test]
fn shared_things_are_followed_from_module_to_module() {
    let library = "import http from 'k6/http'; export { http }; export { check } from 'k6'; export default http; export const own = {};";
    let script = |text: &'static str| [("s.js", text), ("lib.js", library)];
    assert_eq!(
        escape(&script(
            "import a, { http, check, own } from './lib.js'; own.x = 1; a.get(); http.get(check())"
        )),
        ""
    );
    assert_eq!(
        escape(&script("import { http } from './lib.js';\nhttp.get = 1")),
        "s.js:2:1: get of k6/http is written to"
    );
    assert_eq!(
        escape(&script("import a from './lib.js';\na.get = 1")),
        "s.js:2:1: get of k6/http is written to"
    );
    assert_eq!(
        escape(&script("import * as all from './lib.js';\nall.http.get = 1")),
        "s.js:1:22: k6/http is in a namespace"
    );
    let through = [
        ("s.js", "import { http } from './a.js'; http.x = 1"),
        ("a.js", "export * from './lib.js'"),
        ("lib.js", library),
    ];
    assert_eq!(escape(&through), "s.js:1:32: x of k6/http is written to");
}

#[test]
fn what_functions_cannot_say_escapes() {
    let cycle = [("a.js", "import './b.js'; export {}"), ("b.js", "import './a.js'; export {}")];
    assert_eq!(escape(&cycle), "b.js:1:8: ES modules import each other in a cycle");
    let missing = [("a.js", "import { b } from './b.js'"), ("b.js", "export const a = 1")];
    assert_eq!(escape(&missing), "a.js:1:19: b is exported 0 times by ./b.js");
    let twice = [
        ("a.js", "import { b } from './b.js'"),
        ("b.js", "export * from './c.js'; export * from './d.js'"),
        ("c.js", "export const b = 1"),
        ("d.js", "export const b = 2"),
    ];
    assert_eq!(escape(&twice), "a.js:1:19: b is exported 2 times by ./b.js");
    assert_eq!(
        escape(&[("a.js", "export * from 'k6/http'")]),
        "a.js:1:15: what `export *` passes on is not known"
    );
    assert_eq!(
        escape(&[("a.js", "function f() {} function f() {} export {}")]),
        "a.js:1:1: the engine has something to say on its syntax"
    );
    let required = [("a.js", "require('./b.js')"), ("b.js", "export const a = 1")];
    assert_eq!(escape(&required), "a.js:1:1: require() of an ES module");
}

#[test]
fn modules_become_functions() {
    assert_snapshot!(factories(&[
        ("s.js", "#!/usr/bin/env k6\nimport http, { get as fetched, unused } from 'k6/http'; import './side.js'\nimport * as lib from './lib.js';\nimport * as cjs from './c.cjs'\nimport d, * as data from './d.json' with {\n  type: 'json' };\nexport const options = { vus: 1 }, { a, b: [c] } = d\nexport { lib, fetched as 'odd name', a as __proto__ };\nexport { x, default as y } from './c.cjs'; export * as all from './lib.js'\nexport async function setup() { return http.get(data, cjs) }\nexport class Page {}\nexport default function () {}\n(options) // end"),
        ("side.js", "console.log('<!--')"),
        ("lib.js", "export const a = 1; export function b() {}"),
        ("c.cjs", "exports.x = 1"),
        ("d.json", "{}"),
    ]), @r##"
    (function(__squall_import){"use strict";const {default:http,get:fetched}=__squall_import(1);__squall_import(2);const lib=__squall_import(3);const {__squall_namespace:cjs}=__squall_import(4);const data=__squall_import(5),{default:d}=data;const __squall_module4=__squall_import(4);const __squall_module3=__squall_import(3);///usr/bin/env k6
    ; ;
    ;
    ;
    ;

    const options = { vus: 1 }, { a, b: [c] } = d
    ;
    ; ;
    async function setup() { return http.get(data, cjs) }
    class Page {}
    const __squall_default=({default:function () {}}).default;
    (options) // end
    return {__proto__:null,Page,["__proto__"]:a,a,all:__squall_module3,c,default:__squall_default,lib,"odd name":fetched,options,setup,x:__squall_module4.x,y:__squall_module4.default};})
    ---
    (function(__squall_import){"use strict";const a = 1; function b() {}
    return {__proto__:null,a,b};})
    "##);
}

#[test]
fn a_default_export_is_named_default() {
    let exported = |text: &str| factories(&[("s.js", text)]);
    assert_snapshot!(exported("export default () => 1"), @r##"
    (function(__squall_import){"use strict";const __squall_default=({default:() => 1}).default;
    return {__proto__:null,default:__squall_default};})
    "##);
    assert_snapshot!(exported("export default class {};"), @r##"
    (function(__squall_import){"use strict";const __squall_default=({default:class {}}).default;;
    return {__proto__:null,default:__squall_default};})
    "##);
    assert_snapshot!(exported("export default async function main() {}"), @r##"
    (function(__squall_import){"use strict";async function main() {}
    return {__proto__:null,default:main};})
    "##);
    assert_snapshot!(exported("export default // a\n  ['__squall_default'] // b"), @r##"
    (function(__squall_import){"use strict";const __squall_default_=({default:
    ['__squall_default']}).default; // b
    return {__proto__:null,default:__squall_default_};})
    "##);
    assert_snapshot!(exported("const a = 1; export { a as default }"), @r##"
    (function(__squall_import){"use strict";const a = 1; ;
    return {__proto__:null,default:a};})
    "##);
}

#[test]
fn modules_return_what_is_asked_for() {
    assert_snapshot!(factories(&[
        ("s.js", "import { a, star, renamed } from './lib.js'; export const sum = a + star + renamed"),
        ("lib.js", "export const a = 1, b = 2; export * from './stars.js'; export { odd as renamed, even } from './stars.js'; export default b"),
        ("stars.js", "export const star = 1, moon = 2, odd = 3, even = 4"),
    ]), @r##"
    (function(__squall_import){"use strict";const {a,star,renamed}=__squall_import(1);; const sum = a + star + renamed
    return {__proto__:null,sum};})
    ---
    (function(__squall_import){"use strict";const __squall_module2=__squall_import(2);const a = 1, b = 2; ; ; const __squall_default=({default:b}).default;
    return {__proto__:null,a,renamed:__squall_module2.odd,star:__squall_module2.star};})
    ---
    (function(__squall_import){"use strict";const star = 1, moon = 2, odd = 3, even = 4
    return {__proto__:null,even,odd,star};})
    "##);
}

#[test]
fn functions_that_nothing_refers_to_are_left_out() {
    assert_snapshot!(factories(&[
        ("s.js", "import { a, e as f } from './lib.js'; export default a + f"),
        ("lib.js", "export function a() { return b() }\nfunction b() { return b }\nexport function c() { d() }\nfunction d() { c() }\nlet x = g\nfunction unused() {\n}\n(0)\nexport { b as e, d as h };\nfunction g() { return () => i }\nfunction i() {}"),
    ]), @r##"
    (function(__squall_import){"use strict";const {a,e:f}=__squall_import(1);; const __squall_default=({default:a + f}).default;
    return {__proto__:null,default:__squall_default};})
    ---
    (function(__squall_import){"use strict";function a() { return b() }
    function b() { return b }
    ;
    ;
    let x = g
    ;

    (0)
    ;
    function g() { return () => i }
    function i() {}
    return {__proto__:null,a,e:b};})
    "##);
}

#[test]
fn of_a_namespace_is_returned_what_is_taken_from_it() {
    assert_snapshot!(factories(&[
        ("s.js", "import * as lib from './lib.js'; export default () => new lib.Page(lib?.add(lib.ONE), lib.none)"),
        ("lib.js", "export * from './math.js'\nexport function unused() {}\nexport class Page { go() { return this } }\nexport const ONE = 1, TWO = 2"),
        ("math.js", "export const add = (a, b) => a + b\nexport function odd() { return this }"),
    ]), @r##"
    (function(__squall_import){"use strict";const lib=__squall_import(1);; const __squall_default=({default:() => new lib.Page(lib?.add(lib.ONE), lib.none)}).default;
    return {__proto__:null,default:__squall_default};})
    ---
    (function(__squall_import){"use strict";const __squall_module2=__squall_import(2);;
    ;
    class Page { go() { return this } }
    const ONE = 1, TWO = 2
    return {__proto__:null,ONE,Page,add:__squall_module2.add};})
    ---
    (function(__squall_import){"use strict";const add = (a, b) => a + b
    ;
    return {__proto__:null,add};})
    "##);
}

/// The names that `lib.js` returns to a script which has its namespace as `lib`.
fn returned(script: &str, library: &str) -> String {
    let files = [
        ("s.js", &*format!("import * as lib from './lib.js'; {script}; export {{}}")),
        ("lib.js", &format!("{library}; export const rest = 1")),
        ("a.js", "export function f() { return f } export default function () { return this }"),
        ("b.js", "export { f } from './a.js'; export * from './a.js'"),
        ("c.cjs", "exports.f = { f() { return this } }.f"),
    ];
    let codes = factories(&files);
    let returns = codes.lines().filter_map(|line| line.strip_prefix("return {__proto__:null"));
    returns.map(|line| line.trim_end_matches("};})").trim_start_matches(',')).nth(1).unwrap().to_owned()
}

#[test]
fn namespaces_are_narrowed_when_all_that_is_taken_from_them_is_plain_to_see() {
    const F: &str = "export function f() { return 1 }";
    let narrowed = [
        ("lib.f()", F, "f"),
        ("lib?.f?.(); (lib).f; lib.f``; (lib?.f)()", F, "f"),
        ("f(); function f() { return lib.f }", F, "f"),
        ("{ const lib = {}; lib[0] = lib }", F, ""),
        ("", F, ""),
        ("lib.none; lib.default", F, ""),
        ("import * as too from './lib.js'; lib.f; too.g", "export const f = 1, g = 2, h = 3", "f,g"),
        ("import { g } from './lib.js'; lib.f; g", "export const f = 1, g = 2, h = 3", "f,g"),
        ("try { lib.f = 1; delete lib.g } catch {}", "export const f = 1, g = 2, h = 3", "f,g"),
        // What is called does not look at what it is called on.
        ("lib.f()", "export const f = () => this", "f"),
        ("lib.f()", "const g = async function () {}; const f = g; export { f }", "f"),
        ("lib.f()", "export function f() { return class { go() { return this } } }", "f"),
        ("lib.f()", "export function f() { return function () { return this } }", "f"),
        ("lib.default()", "export default function () {}", "default:__squall_default"),
        ("lib.f()", "export { f } from './b.js'", "f:__squall_module2.f"),
        ("lib.f()", "export * from './a.js'", "f:__squall_module2.f"),
        // It is not called, or on something else.
        ("new lib.f(); [lib.f][0](); lib.f.call(1); (0, lib.f)()", "export function f() { this.n = 1 }", "f"),
        ("lib.f.f()", "export const f = { f() { return this } }", "f"),
    ];
    for (script, library, names) in narrowed {
        assert_eq!(returned(script, library), names, "{script}\n{library}");
    }
    let whole = [
        ("console.log(lib)", F),
        ("const { f } = lib", F),
        ("const all = { ...lib }", F),
        ("lib['f']()", F),
        ("lib[__ENV.F]()", F),
        ("'f' in lib", F),
        ("for (const name in lib) lib.f", F),
        ("const other = lib; other.f()", F),
        ("lib.f(); export { lib }", F),
        ("lib.f(); export default lib", F),
        ("import * as too from './lib.js'; lib.f; console.log(too)", F),
        ("export * as all from './lib.js'; lib.f()", F),
        // What is called may look at what it is called on.
        ("lib.f()", "export function f() { return this }"),
        ("(lib?.f)()", "export function f(all = this) { return all }"),
        ("lib.f``", "export const f = function () { return () => this }"),
        ("lib.f()", "export function f() { return 1 } f = { f() { return this } }.f"),
        ("lib.f()", "var f = () => 1; var f = { f() { return this } }.f; export { f }"),
        ("lib.f()", "export const { f } = { f() { return this } }"),
        ("lib.f()", "export const f = Object.prototype.valueOf"),
        ("lib.f()", "export { default as f } from './a.js'"),
        ("lib.f()", "export { f } from './c.cjs'"),
        ("lib.f()", "export * from './c.cjs'"),
        ("lib.f()", "import { f } from './a.js'; export { f }"),
        ("lib.default()", "export default function () { return this }"),
    ];
    for (script, library) in whole {
        let names = returned(script, library);
        assert!(names.split(',').any(|name| name == "rest"), "{script}\n{library}\n{names}");
    }
}

#[test]
fn positions_in_factories_lead_to_the_source() {
    let script = "import http from 'k6/http'; import {\n  check } from 'k6'; boom();\nexport default function () { boom() }";
    let graph = project(&[("s.js", script)]);
    let module = graph.module(graph.entry);
    assert_eq!(module.kind, ModuleKind::Factory);
    let shown: Vec<String> = module
        .code
        .lines()
        .zip(1..)
        .filter_map(|(text, line)| {
            // QuickJS counts columns of the first line from 0.
            let frame = format!("({}:{line}:{})", module.specifier, text.find("boom")? + 1);
            Some(rewrite_stack(&graph, &frame).replace(&module.specifier, "s.js"))
        })
        .collect();
    assert_eq!(shown, ["(s.js:2:22)", "(s.js:3:30)"]);
}

/// What users write must be confined: the examples, the benchmarks, nearly all of what is compared with k6.
#[test]
fn ordinary_scripts_are_confined() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let escapes = |folder: &str| {
        let files = fs::read_dir(root.join(folder)).unwrap().map(|file| file.unwrap().path());
        let scripts = files.filter(|file| file.extension().is_some_and(|it| it == "js" || it == "ts"));
        let graphs: Vec<ModuleGraph> = scripts.filter_map(load).collect();
        let mut escapes = Vec::new();
        for graph in &graphs {
            graph
                .modules
                .iter()
                .filter(|it| it.kind == ModuleKind::Factory)
                .for_each(|it| check_script(&it.code));
            if let Sharing::Private(escape) = &graph.sharing {
                escapes.push(escape.to_string());
            }
        }
        (escapes, graphs.len())
    };
    assert_eq!(escapes("examples").0, [""; 0]);
    assert_eq!(escapes("benches/scripts").0, [""; 0]);
    let (private, all) = escapes("compat/scripts");
    assert!(private.len() * 20 < all, "of {all} scripts need realms of their own:\n{}", private.join("\n"));
}
