use rquickjs::{Ctx, Result};

use super::exports;
use crate::testing::evaluate;

fn install(ctx: &Ctx) -> Result<()> {
    ctx.globals().set("encoding", exports(ctx)?)
}

#[track_caller]
fn check(script: &str, expected: &str) {
    assert_eq!(evaluate(install, script), expected);
}

#[test]
fn variants() {
    check(
        "[undefined, 'std', 'rawstd', 'url', 'rawurl', 'unknown'].map((variant) => encoding.b64encode('a?>~', variant))",
        r#"["YT8+fg==","YT8+fg==","YT8+fg","YT8-fg==","YT8-fg","YT8+fg=="]"#,
    );
    check(
        "['std', 'rawstd', 'url', 'rawurl'].map((variant) => encoding.b64decode(encoding.b64encode('é?>', variant), variant, 's'))",
        r#"["é?>","é?>","é?>","é?>"]"#,
    );
}

#[test]
fn bytes_in_and_out() {
    check("encoding.b64encode(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))", r#""AgM=""#);
    check(r"encoding.b64encode('\ud83d')", r#""77+9""#);
    check("[...new Uint8Array(encoding.b64decode('//79'))]", "[255,254,253]");
    check("encoding.b64decode('//79', 'std', 's')", r#""���""#);
    check("encoding.b64decode().byteLength", "0");
}

#[test]
fn what_decoding_forgives() {
    check(r"encoding.b64decode('aGVs\r\nbG8=', 'std', 's')", r#""hello""#);
    check("encoding.b64decode('aGVsbG9=', 'std', 's')", r#""hello""#);
}

#[test]
fn bad_input_throws() {
    check(
        "encoding.b64encode(5)",
        "GoError: invalid type int: expected a string, an ArrayBuffer or a typed array",
    );
    check(
        "encoding.b64encode()",
        "GoError: invalid type undefined: expected a string, an ArrayBuffer or a typed array",
    );
    check("encoding.b64decode('not base64 !')", "GoError: Invalid symbol 32, offset 3.");
    check("encoding.b64decode('aGVsbG8')", "GoError: Invalid padding");
    check("encoding.b64decode('aGVsbG8=', 'rawstd')", "GoError: Invalid padding");
}
