//! A response's body as a value of the script's, made from the wire's bytes in one pass.
//!
//! A third of the instructions of QuickJS's own parser, which makes a string of every key first. What is refused here
//! QuickJS decides, so that errors are QuickJS's and what only JavaScript takes, such as halves of surrogate pairs
//! and any depth, is taken.

use std::{borrow::Cow, cell::Cell};

use rquickjs::{Ctx, Error, Result, Value, qjs};

/// What `JSON.parse` makes of the bytes.
pub(super) fn parse<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    let elements = Elements { context: ctx.as_raw().as_ptr(), values: ELEMENTS.take() };
    let mut reader = Reader { context: elements.context, bytes, at: 0, elements };
    match reader.document() {
        // SAFETY: a value of this context that nobody else owns.
        Ok(value) => Ok(unsafe { Value::from_raw(ctx.clone(), value.release()) }),
        // A value could not be made, for want of memory.
        Err(Refused) if ctx.has_exception() => Err(Error::Exception),
        Err(Refused) => ctx.json_parse(bytes),
    }
}

/// How deep values may lie in each other: a fiber's stack is small.
const DEPTH_MAX: u32 = 128;

/// What cannot be read here, or not be made.
struct Refused;

type Read<T> = std::result::Result<T, Refused>;

/// A value that is freed unless it is released.
struct Owned {
    context: *mut qjs::JSContext,
    value: qjs::JSValue,
}

impl Owned {
    fn release(self) -> qjs::JSValue {
        std::mem::ManuallyDrop::new(self).value
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the value is alive and ours.
        unsafe { qjs::JS_FreeValue(self.context, self.value) };
    }
}

/// A property name that is freed at the end.
struct Name {
    context: *mut qjs::JSContext,
    atom: qjs::JSAtom,
}

impl Drop for Name {
    fn drop(&mut self) {
        // SAFETY: the atom is alive and ours.
        unsafe { qjs::JS_FreeAtom(self.context, self.atom) };
    }
}

thread_local! {
    /// A list for the elements of arrays that are not complete, inner ones after outer ones: its memory stays.
    static ELEMENTS: Cell<Vec<qjs::JSValue>> = const { Cell::new(Vec::new()) };
}

/// A list that has grown beyond this is given up.
const ELEMENTS_MAX: usize = 4096;

/// The list in use. What is left in it at the end is freed.
struct Elements {
    context: *mut qjs::JSContext,
    values: Vec<qjs::JSValue>,
}

impl Drop for Elements {
    fn drop(&mut self) {
        let mut values = std::mem::take(&mut self.values);
        for value in values.drain(..) {
            // SAFETY: the value is alive and ours.
            unsafe { qjs::JS_FreeValue(self.context, value) };
        }
        if values.capacity() <= ELEMENTS_MAX {
            ELEMENTS.set(values);
        }
    }
}

/// Reads values of a live context.
struct Reader<'b> {
    context: *mut qjs::JSContext,
    bytes: &'b [u8],
    at: usize,
    elements: Elements,
}

impl<'b> Reader<'b> {
    fn document(&mut self) -> Read<Owned> {
        let value = self.value(0)?;
        match self.next_token() {
            None => Ok(value),
            Some(_) => Err(Refused),
        }
    }

    /// The byte behind white space; it is not taken.
    fn next_token(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Takes the byte behind white space if it is this one.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.next_token() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Read<()> {
        if self.takes(byte) { Ok(()) } else { Err(Refused) }
    }

    fn own(&self, value: qjs::JSValue) -> Read<Owned> {
        // SAFETY: only the tag is looked at.
        match unsafe { qjs::JS_IsException(value) } {
            true => Err(Refused),
            false => Ok(Owned { context: self.context, value }),
        }
    }

    fn value(&mut self, depth: u32) -> Read<Owned> {
        match self.next_token().ok_or(Refused)? {
            b'"' => self.string(),
            b'{' if depth < DEPTH_MAX => self.object(depth + 1),
            b'[' if depth < DEPTH_MAX => self.array(depth + 1),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true", qjs::JS_TRUE),
            b'f' => self.word(b"false", qjs::JS_FALSE),
            b'n' => self.word(b"null", qjs::JS_NULL),
            _ => Err(Refused),
        }
    }

    fn word(&mut self, word: &[u8], value: qjs::JSValue) -> Read<Owned> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(Refused);
        }
        self.at += word.len();
        self.own(value)
    }

    fn object(&mut self, depth: u32) -> Read<Owned> {
        self.at += 1;
        // SAFETY: a live context.
        let object = self.own(unsafe { qjs::JS_NewObject(self.context) })?;
        if self.takes(b'}') {
            return Ok(object);
        }
        loop {
            let name = self.name()?;
            self.expect(b':')?;
            let value = self.value(depth)?.release();
            let flags = qjs::JS_PROP_C_W_E as i32;
            // SAFETY: object and name are alive; the value is taken over.
            if unsafe { qjs::JS_DefinePropertyValue(self.context, object.value, name.atom, value, flags) } < 0
            {
                return Err(Refused);
            }
            if !self.takes(b',') {
                break;
            }
        }
        self.expect(b'}').map(|()| object)
    }

    fn array(&mut self, depth: u32) -> Read<Owned> {
        self.at += 1;
        let start = self.elements.values.len();
        if !self.takes(b']') {
            loop {
                let element = self.value(depth)?.release();
                self.elements.values.push(element);
                if !self.takes(b',') {
                    break;
                }
            }
            self.expect(b']')?;
        }
        let values = &self.elements.values[start..];
        let count = i32::try_from(values.len()).map_err(|_| Refused)?;
        // SAFETY: takes the values over, which are the last of the list.
        let array = unsafe { qjs::JS_NewArrayFrom(self.context, count, values.as_ptr()) };
        self.elements.values.truncate(start);
        self.own(array)
    }

    fn string(&mut self) -> Read<Owned> {
        let text = self.text()?;
        // SAFETY: the bytes are well-formed and their number is right.
        self.own(unsafe { qjs::JS_NewStringLen(self.context, text.as_ptr().cast(), text.len() as _) })
    }

    fn name(&mut self) -> Read<Name> {
        if self.next_token() != Some(b'"') {
            return Err(Refused);
        }
        let text = self.text()?;
        // SAFETY: the bytes are well-formed and their number is right.
        let atom = unsafe { qjs::JS_NewAtomLen(self.context, text.as_ptr().cast(), text.len() as _) };
        match atom {
            qjs::JS_ATOM_NULL => Err(Refused),
            atom => Ok(Name { context: self.context, atom }),
        }
    }

    /// The UTF-8 text of a string; nearly always it stands there as it is.
    fn text(&mut self) -> Read<Cow<'b, [u8]>> {
        let start = self.at;
        self.at = plain_end(self.bytes, start + 1);
        if self.bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.bytes[start + 1..self.at - 1]));
        }
        loop {
            match self.bytes.get(self.at).ok_or(Refused)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let text: String = serde_json::from_slice(&self.bytes[start..self.at]).map_err(|_| Refused)?;
        Ok(Cow::Owned(text.into_bytes()))
    }

    fn number(&mut self) -> Read<Owned> {
        let start = self.at;
        let is_negative = self.bytes[start] == b'-';
        let first = start + usize::from(is_negative);
        let mut magnitude = 0_u64;
        let mut end = first;
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(end) {
            magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            end += 1;
        }
        self.at = end;
        let has_more = matches!(self.bytes.get(end), Some(b'.' | b'e' | b'E'));
        let is_small_integer = match end - first {
            1 => magnitude != 0 || !is_negative,
            2..=9 => self.bytes[first] != b'0',
            _ => false,
        };
        if is_small_integer && !has_more {
            let integer = if is_negative { -(magnitude as i32) } else { magnitude as i32 };
            return self.own(qjs::JS_MKVAL(qjs::JS_TAG_INT, integer));
        }
        while let Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') = self.bytes.get(self.at) {
            self.at += 1;
        }
        let number: f64 = serde_json::from_slice(&self.bytes[start..self.at]).map_err(|_| Refused)?;
        self.own(qjs::JS_NewFloat64(number))
    }
}

/// Where the first byte from `at` on is that does not stand for itself in a string: a quote, a backslash, a control
/// character, or what is not ASCII.
fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * EACH;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let below = |word: u64, limit: u64| word.wrapping_sub(limit * EACH) & !word;
        let is = |byte: u8| below(word ^ (u64::from(byte) * EACH), 1);
        // The lowest bit that is set is right; those above it may be borrowed from.
        let found = (word | below(word, 0x20) | is(b'"') | is(b'\\')) & TOP;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_plain = |byte: &u8| matches!(byte, 0x20..=0x7f) && !matches!(byte, b'"' | b'\\');
    at + bytes[at.min(bytes.len())..].iter().take_while(|byte| is_plain(byte)).count()
}

#[cfg(test)]
mod tests {
    use rquickjs::{Context, Ctx, Function, Object, Result, Runtime, Value};

    use super::{parse, plain_end};

    fn tell<'js>(ctx: &Ctx<'js>, show: &Function<'js>, parsed: Result<Value<'js>>) -> String {
        match parsed {
            Ok(value) => show.call((value,)).unwrap(),
            Err(_) => ctx.catch().get::<Object>().unwrap().get("message").unwrap(),
        }
    }

    /// Goal: the fast way makes what QuickJS's own parser makes. Method: both parse the same texts; their results,
    /// errors included, are compared as text, types and key order and all.
    #[test]
    fn bodies_are_parsed_as_json_parse_does() {
        const TEXTS: &[&str] = &[
            r#"{"id": 7, "name": "crocodile", "tags": ["green", []], "owner": {"n": null}, "ok": [true, false]}"#,
            "[[1, [2, 3]], [[4, []], 5], {\"a\": [6, [7]]}]",
            "[1, [2, [3, nul]]]",
            "-0",
            "0",
            "1e400",
            "-1e400",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "2147483648",
            "0.1",
            "1E-7",
            "123456789012345678901234567890.5e-10",
            r#""\u00e9\ud83d\ude00\n\u0000 é 😀""#,
            r#""\ud800""#,
            r#"{"\udc00": "\ud800x"}"#,
            r#"{"a": 1, "a": 2, "__proto__": 3, "1": 4, "0": 5, "": 6}"#,
            r#"{"__proto__": {"x": 1}}"#,
            "",
            " ",
            "nul",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "[1 2]",
            "1 2",
            "01",
            "+1",
            ".5",
            "1.",
            "'a'",
            "\u{feff}1",
            "\"\t\"",
            "[\u{a0}1]",
            "NaN",
            "[",
            "{",
            "\"",
            "{\"a\"}",
            " [ 1 , 2 ] \n\r\t",
            r#"{"seven b": "eight by", "nine byte": "é at start", "at the end é": "a\\tb longer text \" x"}"#,
            "\"control \u{1} character\"",
            r#"["\\"#,
            "[-1, -10, 100000000, 999999999, 1000000000, 2147483647, -2147483648, -00, 1e5, 12.50]",
            "-",
            "1-2",
            "1e",
            "truefalse",
        ];
        let runtime = Runtime::new().unwrap();
        let context = Context::full(&runtime).unwrap();
        let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
        context.with(|ctx| {
            let show: Function = ctx
                .eval(
                    r"(v) => { const f = (v) => v === null || typeof v !== 'object' ? (Object.is(v, -0) ? '-0' : typeof v +
                        JSON.stringify(v) + (typeof v === 'number' ? v : '')) : Array.isArray(v) ? '[' + v.map(f) + ']' :
                        '{' + Object.entries(Object.getOwnPropertyDescriptors(v)).map(([k, d]) => JSON.stringify(k) + ':' + f(d.value) +
                        d.writable + d.enumerable + d.configurable) + '}'; return f(v); }",
                )
                .unwrap();
            let tell = |parsed| tell(&ctx, &show, parsed);
            for text in TEXTS.iter().copied().chain([deep.as_str()]) {
                assert_eq!(tell(parse(&ctx, text.as_bytes())), tell(ctx.json_parse(text)), "{text:?}");
            }
            let broken: &[u8] = b"\"\xff\"";
            assert_eq!(tell(parse(&ctx, broken)), tell(ctx.json_parse(broken)));
        });
    }

    #[test]
    fn the_end_of_plain_text_is_found_anywhere() {
        for byte in 0..=u8::MAX {
            let is_plain = (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
            for at in 0..20 {
                let mut text = *b"plain text, and more";
                text[at] = byte;
                assert_eq!(plain_end(&text, 0), if is_plain { text.len() } else { at }, "{byte} at {at}");
            }
        }
    }
}
