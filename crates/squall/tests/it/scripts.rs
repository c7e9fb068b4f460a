//! Scripts that cannot be read or understood, and odd ones that can.

use crate::sandbox::{Sandbox, check};

const EMPTY: &str = "export default function () {}";

#[test]
fn syntax_errors_show_the_place() {
    let message = r"SyntaxError: Unexpected token\n    at file://";
    check("export default () => {\n  let x = ;\n}", &[], 107, message)
        .check(107, r"script.js:2:11\n2 |   let x = ;\n  |           ^");

    let sandbox = Sandbox::new().file("script.ts", "export default () => {\n  let x: number = ;\n}");
    sandbox.start_with(&["run", "script.ts"]).finish().check(107, r"script.ts:2:19\n");

    let sandbox = Sandbox::with_script("import data from './data.json';\nexport default () => data;")
        .file("data.json", "{\"a\": 1,}");
    sandbox.run(&[]).check(107, r"data.json:1:9\n");
}

#[test]
fn what_cannot_be_imported_is_named_with_its_importer() {
    let import = |specifier: &str| format!("import it from '{specifier}';\n{EMPTY}");
    for (specifier, message) in [
        ("./nope.js", "cannot load module \\\"./nope.js\\\": no such file"),
        ("lodash", "hint: run `npm install lodash`"),
        ("http://localhost/a.js", "hint: try https://localhost/a.js"),
        ("https://127.0.0.1:1/a.js", "connection refused"),
    ] {
        check(&import(specifier), &[], 107, message).check(107, "script.js:1:16");
    }
    check(&import("k6/nope"), &[], 107, "unknown module: k6/nope");
    check("const data = open('nope.txt');", &[], 107, "No such file or directory");
    Sandbox::new().run(&[]).check(255, "no such file");
}

#[test]
fn a_script_without_functions_is_told_what_to_export() {
    check("", &[], 107, "hint=\"export a default function");
    check("export const answer = 42;", &[], 107, "no exported functions");
}

#[test]
fn bytes_that_are_no_script_are_a_syntax_error() {
    let sandbox = Sandbox::new().file("script.js", b"\x7fELF\0\0\xff\xfe\x80");
    sandbox.run(&[]).check(107, "SyntaxError: Invalid Character");
}

#[test]
fn byte_order_marks_line_ends_and_utf_16_do_not_matter() {
    let script = "export default function () {\r\n  console.log('héllo');\r\n  nope();\r\n}\r\n";
    let little: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = script.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (mark, text) in
        [(&b"\xef\xbb\xbf"[..], script.as_bytes()), (b"\xff\xfe", &little), (b"\xfe\xff", &big)]
    {
        let output = Sandbox::new().file("script.js", [mark, text].concat()).run(&[]);
        output.check(0, "héllo");
        output.check(0, "script.js:3:3");
    }
}

#[test]
fn names_of_scripts_may_have_spaces_and_any_letters() {
    let sandbox = Sandbox::new().file("dír with späce/scr ipt é.js", "export default () => nope();");
    let output = sandbox.start_with(&["run", "dír with späce/scr ipt é.js"]).finish();
    output.check(0, "ReferenceError: nope is not defined");
    assert!(output.stdout.contains("script: dír with späce/scr ipt é.js"), "{}", output.stdout);
}

#[test]
fn a_linked_script_imports_from_where_the_link_is() {
    let script = "import { answer } from './answer.js'; export default () => console.log(answer);";
    let sandbox = Sandbox::new()
        .file("real/script.js", script)
        .file("answer.js", "export const answer = 'beside the link';");
    std::os::unix::fs::symlink("real/script.js", sandbox.path("script.js")).unwrap();
    sandbox.run(&[]).check(0, "beside the link");
}

#[test]
fn modules_may_import_each_other_in_a_circle() {
    let sandbox = Sandbox::with_script(
        "import { b } from './b.js'; export const a = () => 'a'; export default () => console.log(b());",
    )
    .file("b.js", "import { a } from './script.js'; export const b = () => a() + 'b';");
    sandbox.run(&[]).check(0, "msg=ab");
}

#[test]
fn a_script_of_a_megabyte_runs() {
    let entries: String =
        (0..30_000).map(|n| format!("  k{n}: 'some text to make it long {n}',\n")).collect();
    let script =
        format!("const data = {{\n{entries}}};\nexport default () => console.log(Object.keys(data).length);");
    check(&script, &[], 0, "msg=30000");
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let nested = |open: &str, close: &str| {
        format!("export default () => {}1{};", open.repeat(100_000), close.repeat(100_000))
    };
    for script in
        [nested("(", ")"), nested("[", "]"), nested("{a:", "}"), "[".repeat(100_000), "`${".repeat(50_000)]
    {
        let output = Sandbox::with_script(&script).run(&[]);
        assert_eq!(output.status.code(), Some(107), "{}", output.stderr);
    }
}

#[test]
fn a_script_may_come_from_standard_input() {
    let sandbox = Sandbox::with_script("export default () => nope();");
    sandbox.shell("squall run - < script.js").check(0, "file:///-:1:23");
    sandbox.shell("squall run - < /dev/null").check(107, "no exported functions");
    sandbox.shell("squall run - <&-").check(107, "no exported functions");
}

#[test]
fn who_runs_a_script_can_give_each_vu_its_own_built_ins() {
    let script = "const list = [Math.max]; export default () => { list[0].mark = 1; console.log('marked', list[0].mark); };";
    Sandbox::with_script(script).run(&[]).check(0, "TypeError");
    let own = Sandbox::with_script(script).env("SQUALL_REALMS", "own").run(&["--verbose"]);
    own.check(0, "marked 1");
    own.check(0, "each VU has a realm of its own");
    Sandbox::with_script("globalThis.a = 1; export default () => {};").run(&["-v"]).check(0, "script.js:1:1");
}
