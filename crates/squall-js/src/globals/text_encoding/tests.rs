use encoding_rs::{UTF_8, UTF_16LE};
use rquickjs::Result;

use super::*;
use crate::testing::evaluate;

const LENIENT: Mode = Mode { is_fatal: false, keeps_bom: false };
const FATAL: Mode = Mode { is_fatal: true, keeps_bom: false };

/// Decodes the parts as one stream.
#[track_caller]
fn check(encoding: &'static Encoding, mode: Mode, parts: &[&[u8]], expected: Option<&str>) {
    let mut decoder = decoder_of(encoding, mode);
    let mut text = Some(String::new());
    for (index, part) in parts.iter().enumerate() {
        let more = decode(&mut decoder, mode, part, index + 1 == parts.len());
        text = text.zip(more).map(|(text, more)| text + &more);
    }
    assert_eq!(text.as_deref(), expected);
}

#[test]
fn characters_may_be_cut_anywhere() {
    check(UTF_8, FATAL, &[b"a\xf0\x9f", b"\x99\x82b"], Some("a🙂b"));
    check(UTF_16LE, FATAL, &[b"\x3d\xd8\x42", b"\xde"], Some("🙂"));
}

#[test]
fn byte_order_marks() {
    check(UTF_8, LENIENT, &[b"\xef\xbb", b"\xbfa"], Some("a"));
    check(UTF_8, Mode { keeps_bom: true, ..LENIENT }, &[b"\xef\xbb\xbfa"], Some("\u{feff}a"));
}

#[test]
fn bytes_that_are_no_text() {
    check(UTF_8, LENIENT, &[b"a\xffb"], Some("a\u{fffd}b"));
    check(UTF_8, FATAL, &[b"a\xffb"], None);
    check(UTF_8, FATAL, &[b"a\xe6"], None);
    check(UTF_8, LENIENT, &[b"a\xe6"], Some("a\u{fffd}"));
}

fn install(ctx: &Ctx) -> Result<()> {
    ctx.globals().set("TextEncoder", encoder(ctx)?)?;
    ctx.globals().set("TextDecoder", decoder(ctx)?)
}

#[track_caller]
fn check_script(script: &str, expected: &str) {
    assert_eq!(evaluate(install, script), expected);
}

#[test]
fn encoding() {
    check_script(
        "const encoder = new TextEncoder(); [encoder.encoding, ...encoder.encode('é')]",
        r#"["utf-8",195,169]"#,
    );
    check_script(
        r"[[...new TextEncoder().encode('\ud83d')], new TextEncoder().encode().length]",
        "[[239,191,189],0]",
    );
    check_script(
        "const target = new Uint8Array(4); const progress = new TextEncoder().encodeInto('aé🙂', target); [progress, [...target]]",
        r#"[{"read":2,"written":3},[97,195,169,0]]"#,
    );
}

#[test]
fn decoding() {
    check_script(
        "const decoder = new TextDecoder();
         [decoder.decode(new Uint8Array([0xf0, 0x9f]), { stream: true }), decoder.decode(new Uint8Array([0x99, 0x82])), decoder.decode()]",
        r#"["","🙂",""]"#,
    );
    check_script("new TextDecoder('utf-16be').decode(new Uint8Array([0, 97]).buffer)", r#""a""#);
    check_script(
        "new TextDecoder().decode(new DataView(new Uint8Array([97, 98, 99]).buffer, 1, 1))",
        r#""b""#,
    );
    check_script(
        "const { encoding, fatal, ignoreBOM } = new TextDecoder('UTF8', { fatal: true }); [encoding, fatal, ignoreBOM]",
        r#"["utf-8",true,false]"#,
    );
}

#[test]
fn what_cannot_be_decoded() {
    check_script("new TextDecoder('nope')", "RangeError: unknown encoding: nope");
    check_script(
        "new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255]))",
        "TypeError: the bytes are not valid in this encoding",
    );
    check_script(
        "new TextDecoder().decode('text')",
        "TypeError: decode() takes an ArrayBuffer or a view of one",
    );
}
