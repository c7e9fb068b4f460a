//! Modules as real scripts mix them: ES, CommonJS, JSON, TypeScript, and k6's own.

use crate::harness::{run, run_project};

#[test]
fn es_modules_import_common_js_by_name_by_default_and_as_a_namespace() {
    run_project(&[
        (
            "script.js",
            r#"
            import { add, missing } from './math.js';
            import math from './math.js';
            import * as all from './math.js';
            export default function () { console.log(add(1, 2), typeof missing, math.add(2, 2), Object.keys(all).sort().join(), all.default); }
            "#,
        ),
        ("math.js", "exports.add = (a, b) => a + b; exports.name = 'math';"),
    ])
    .check_log(&["info 3 undefined 4 add,name undefined"]);
}

#[test]
fn common_js_requires_lazily_and_sees_cycles() {
    run_project(&[
        (
            "script.js",
            "const a = require('./a.js'); const { sleep } = require('k6');\n\
             module.exports.default = function () { console.log(a.b.name, a.b.a === a, typeof sleep) };",
        ),
        ("a.js", "exports.b = require('./b.js');"),
        ("b.js", "exports.name = 'b'; exports.a = require('./a.js');"),
    ])
    .check_log(&["info b true function"]);
}

#[test]
fn a_name_that_a_k6_module_lacks_is_undefined_not_an_error() {
    run("import { Counter, sleep } from 'k6'; export default function () { console.log(typeof Counter, typeof sleep) }")
        .check_log(&["info undefined function"]);
}

#[test]
fn sloppy_code_runs_in_common_js() {
    run_project(&[
        ("script.js", "import template from './template.js'; export default function () { console.log(template({ who: 'you' })) }"),
        ("template.js", "module.exports = function (data) { with (data) { return new Function('who', 'return \"hello \" + who')(who) } };"),
    ])
    .check_log(&["info hello you"]);
}

#[test]
fn a_file_may_mix_require_and_export() {
    run_project(&[
        ("script.js", "const lib = require('./lib.js');\nexport default function () { console.log(lib.x) }"),
        ("lib.js", "module.exports = { x: 1 };"),
    ])
    .check_log(&["info 1"]);
}

#[test]
fn json_and_files_can_be_loaded() {
    run_project(&[
        (
            "script.js",
            r#"
            import users from './users.json';
            const text = open('./users.json'); const bytes = open('users.json', 'b');
            export default function () { console.log(users[0].name, JSON.parse(text).length, bytes.byteLength, __ENV.NAME); }
            "#,
        ),
        ("users.json", r#"[{"name":"ada"}]"#),
    ])
    .check_log(&["info ada 1 16 value"]);
}

#[test]
fn type_script_errors_show_the_lines_of_the_source() {
    let ran = run_project(&[(
        "script.ts",
        "enum Color { Red = 1, Green }\ninterface Shape { side: number }\n\n\
         function fail(shape: Shape): never {\n  throw new Error(Color[Color.Green] + shape.side);\n}\n\
         export default function (): void { fail({ side: 3 }) }\n",
    )]);
    assert!(ran.log[0].starts_with("error Error: Green3\n\tat fail (file://"), "{}", ran.log[0]);
    assert!(ran.log[0].contains("script.ts:5:"), "{}", ran.log[0]);
    assert!(
        ran.log[0].contains("5 |   throw new Error(Color[Color.Green] + shape.side);\n"),
        "{}",
        ran.log[0]
    );
}

#[test]
fn errors_of_loading_name_the_module_and_the_place() {
    let missing =
        run("import './nope.js';\nexport default function () {}").init_error.expect("it cannot load");
    assert!(missing.contains("nope.js") && missing.contains("script.js:1:"), "{missing}");
    let unknown =
        run("import ws from 'k6/nope'; export default function () {}").init_error.expect("it cannot load");
    assert!(unknown.contains("unknown module: k6/nope") && unknown.contains("script.js:1:16"), "{unknown}");
    assert!(unknown.contains("1 | import ws from 'k6/nope';"), "{unknown}");
    let syntax = run("export default function () {\n  let x = ;\n}").init_error.expect("it cannot load");
    assert!(syntax.contains("script.js:2:11"), "{syntax}");
}

#[test]
fn modern_language_works() {
    run(r#"
        export default async function () {
            async function* numbers() { yield 1; yield 2; }
            const seen = [];
            for await (const n of numbers()) seen.push(n);
            console.log(seen.join(), Object.groupBy([1, 2, 3], (n) => n % 2 ? 'odd' : 'even').odd.length, new Set([1]).union(new Set([2])).size);
        }
    "#)
    .check_log(&["info 1,2 2 2"]);
}

#[test]
fn this_of_a_common_js_module_is_what_it_exports() {
    run("'use strict';\nconst seen = this === module.exports;\nexports.default = () => console.log(seen);")
        .check_log(&["info true"]);
}
