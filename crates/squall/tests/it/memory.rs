//! Scripts that allocate without end: an error of their VU, nobody else's.

use crate::sandbox::check;

#[test]
fn allocation_without_end_is_an_error_that_names_the_limit() {
    for body in [
        "const a = []; for (;;) a.push({ a: 1 });",
        "const a = []; for (;;) a.push('text ' + a.length);",
        "const a = []; for (;;) a.push(new Uint8Array(1e6));",
        "const a = []; for (;;) a.push(new TextEncoder().encode('x'.repeat(1e5)));",
        "const a = []; for (;;) a.push(crypto.randomBytes(1e6));",
        "const a = []; for (;;) a.push(structuredClone(new Uint8Array(1e6)));",
        "for (;;) setTimeout(() => {}, 1e9);",
        "'x'.repeat(1e9);",
        "new Array(1e9).fill(1);",
        "new ArrayBuffer(1e9);",
    ] {
        let script = format!("import crypto from 'k6/crypto';\nexport default () => {{ {body} }}");
        let output =
            check(&script, &["--vu-memory-limit", "20MB"], 0, "InternalError: out of memory: a VU may hold");
        output.check_iterations(1);
    }
}

#[test]
fn sizes_beyond_any_machine_are_range_errors() {
    check("export default () => new ArrayBuffer(1e12);", &[], 0, "RangeError: invalid array buffer length");
    let doubling = "export default () => { let a = 'a'; for (;;) a += a; }";
    check(doubling, &["--vu-memory-limit", "2GB"], 0, "InternalError: string too long");
}

#[test]
fn the_limit_holds_in_the_init_code_and_for_the_smallest_values() {
    let script = "const a = []; for (;;) a.push('text ' + a.length);\nexport default () => {};";
    check(script, &["--vu-memory-limit", "10MB"], 107, "out of memory: a VU may hold 10");
    check(
        "export default () => {};",
        &["--vu-memory-limit", "1"],
        107,
        "out of memory: a VU may hold 1 bytes",
    );
}

#[test]
fn a_tag_with_too_many_values_is_named() {
    let script = "import { Counter } from 'k6/metrics';
        const made = new Counter('made');
        export default () => { for (let id = 0; id < 110000; id++) made.add(1, { id: String(id) }); }";
    let output = check(script, &[], 0, "the tag 'id' has more values than can be told apart");
    assert!(output.stdout.contains(": 110000"), "{}", output.stdout);
}
