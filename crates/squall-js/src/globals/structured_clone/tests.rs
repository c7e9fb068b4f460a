use rquickjs::{Ctx, Result};

use super::structured_clone;
use crate::testing::evaluate;

fn install(ctx: &Ctx) -> Result<()> {
    ctx.globals().set("structuredClone", structured_clone(ctx)?)
}

#[track_caller]
fn check(script: &str, expected: &str) {
    assert_eq!(evaluate(install, script), expected);
}

#[test]
fn cycles_and_shared_references_stay() {
    check(
        "const object = { list: [1] }; object.self = object; object.again = object.list;
         const copy = structuredClone(object);
         [copy !== object, copy.self === copy, copy.list === copy.again, copy.list !== object.list]",
        "[true,true,true,true]",
    );
    check(
        "const map = new Map(); map.set('self', map); const copy = structuredClone(map); copy !== map && copy.get('self') === copy",
        "true",
    );
}

#[test]
fn types_stay() {
    check("const date = structuredClone(new Date(5)); [date instanceof Date, +date]", "[true,5]");
    check(
        "const pattern = /a/gi; pattern.lastIndex = 3; const copy = structuredClone(pattern); [`${copy}`, copy.lastIndex]",
        r#"["/a/gi",0]"#,
    );
    check(
        "[[...structuredClone(new Map([[1, { a: 2 }]]))], [...structuredClone(new Set([3]))]]",
        r#"[[[1,{"a":2}]],[3]]"#,
    );
    check(
        "const wrapped = structuredClone(Object('s')); [typeof wrapped, wrapped.length]",
        r#"["object",1]"#,
    );
    check("const list = structuredClone([1, , 3]); [list.length, 1 in list]", "[3,false]");
    check("structuredClone(10n) === 10n && structuredClone(undefined) === undefined", "true");
}

#[test]
fn views_of_one_buffer_stay_together() {
    check(
        "const buffer = new ArrayBuffer(8);
         const copy = structuredClone({ bytes: new Uint8Array(buffer, 2, 4), words: new Uint16Array(buffer), view: new DataView(buffer, 1) });
         copy.bytes[0] = 7;
         [copy.bytes.buffer !== buffer, copy.words[1], copy.bytes.length, copy.view.getUint8(1), copy.view.byteLength]",
        "[true,7,4,7,7]",
    );
}

#[test]
fn errors() {
    check(
        "const error = new TypeError('m', { cause: { a: 1 } }); error.own = 1;
         const copy = structuredClone(error);
         [copy instanceof TypeError, copy.message, copy.cause, copy.own === undefined, copy.stack === error.stack, Object.keys(copy)]",
        r#"[true,"m",{"a":1},true,true,[]]"#,
    );
    check("class Mine extends Error {} structuredClone(new Mine('m')).constructor.name", r#""Error""#);
}

#[test]
fn plain_objects_of_classes() {
    check(
        "class A { x = 1; get y() { return 2; } }
         const copy = structuredClone(new A());
         [copy, copy.constructor === Object, structuredClone({ get a() { return 5; } })]",
        r#"[{"x":1},true,{"a":5}]"#,
    );
    check(
        r#"const copy = structuredClone(JSON.parse('{"__proto__":{"x":1}}')); [Object.keys(copy), copy.x === undefined]"#,
        r#"[["__proto__"],true]"#,
    );
}

#[test]
fn transferred_buffers_are_emptied() {
    check(
        "const buffer = new ArrayBuffer(2);
         const copy = structuredClone({ buffer }, { transfer: [buffer] });
         [copy.buffer.byteLength, buffer.byteLength]",
        "[2,0]",
    );
}

#[test]
fn what_cannot_be_cloned() {
    check("structuredClone({ a: [() => 1] })", "DataCloneError: a function cannot be cloned");
    check("structuredClone(Symbol())", "DataCloneError: a symbol cannot be cloned");
    check("structuredClone(new WeakMap())", "DataCloneError: a WeakMap cannot be cloned");
    check(
        "structuredClone(1, { transfer: [{}] })",
        "DataCloneError: an entry of `transfer` that is no ArrayBuffer cannot be cloned",
    );
    check(
        "let deep = {}; for (let i = 0; i < 1e5; i += 1) deep = { deep }; structuredClone(deep)",
        "RangeError: Maximum call stack size exceeded",
    );
}
