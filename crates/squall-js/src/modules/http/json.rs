//! A response's body as a value of the script's, made from the wire's bytes in one pass.
//!
//! serde_json reads, and the values are made as they come: half the instructions of QuickJS's own parser, which makes
//! a string of every key first. What serde_json refuses QuickJS decides, so that errors are QuickJS's and what
//! only JavaScript takes, such as halves of surrogate pairs and any depth, is taken.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use rquickjs::{Ctx, Error, Result, Value, qjs};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// What `JSON.parse` makes of the bytes.
pub(super) fn parse<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let context = ctx.as_raw().as_ptr();
    let elements = Elements { context, values: RefCell::new(ELEMENTS.take()) };
    let build = Build { context, elements: &elements.values };
    match build.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)) {
        // SAFETY: a value of this context that nobody else owns.
        Ok(value) => Ok(unsafe { Value::from_raw(ctx.clone(), value.release()) }),
        // A value could not be made, for want of memory.
        Err(_) if ctx.has_exception() => Err(Error::Exception),
        Err(_) => ctx.json_parse(bytes),
    }
}

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

thread_local! {
    /// A list for the elements of arrays that are not complete, inner ones after outer ones: its memory stays.
    static ELEMENTS: Cell<Vec<qjs::JSValue>> = const { Cell::new(Vec::new()) };
}

/// A list that has grown beyond this is given up.
const ELEMENTS_MAX: usize = 4096;

/// The list in use. What is left in it at the end is freed.
struct Elements {
    context: *mut qjs::JSContext,
    values: RefCell<Vec<qjs::JSValue>>,
}

impl Drop for Elements {
    fn drop(&mut self) {
        let mut values = self.values.take();
        for value in values.drain(..) {
            // SAFETY: the value is alive and ours.
            unsafe { qjs::JS_FreeValue(self.context, value) };
        }
        if values.capacity() <= ELEMENTS_MAX {
            ELEMENTS.set(values);
        }
    }
}

/// Makes one value of a live context.
#[derive(Clone, Copy)]
struct Build<'a> {
    context: *mut qjs::JSContext,
    elements: &'a RefCell<Vec<qjs::JSValue>>,
}

impl Build<'_> {
    fn own<E: serde::de::Error>(self, value: qjs::JSValue) -> std::result::Result<Owned, E> {
        // SAFETY: only the tag is looked at.
        match unsafe { qjs::JS_IsException(value) } {
            true => Err(E::custom("no memory")),
            false => Ok(Owned { context: self.context, value }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Build<'_> {
    type Value = Owned;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> std::result::Result<Owned, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Build<'_> {
    type Value = Owned;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> std::result::Result<Owned, E> {
        self.own(qjs::JS_NULL)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> std::result::Result<Owned, E> {
        self.own(if value { qjs::JS_TRUE } else { qjs::JS_FALSE })
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> std::result::Result<Owned, E> {
        match i32::try_from(value) {
            Ok(value) => self.own(qjs::JS_MKVAL(qjs::JS_TAG_INT, value)),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Owned, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> std::result::Result<Owned, E> {
        self.own(qjs::JS_NewFloat64(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Owned, E> {
        // SAFETY: the bytes are well-formed and their number is right.
        self.own(unsafe { qjs::JS_NewStringLen(self.context, text.as_ptr().cast(), text.len() as _) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> std::result::Result<Owned, A::Error> {
        let start = self.elements.borrow().len();
        while let Some(element) = elements.next_element_seed(self)? {
            self.elements.borrow_mut().push(element.release());
        }
        let mut values = self.elements.borrow_mut();
        let count = i32::try_from(values.len() - start).map_err(|_| A::Error::custom("too many elements"))?;
        // SAFETY: takes the values over, which are the last of the list.
        let array = unsafe { qjs::JS_NewArrayFrom(self.context, count, values[start..].as_ptr()) };
        values.truncate(start);
        self.own(array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Owned, A::Error> {
        // SAFETY: a live context.
        let object = self.own(unsafe { qjs::JS_NewObject(self.context) })?;
        while let Some(name) = entries.next_key_seed(Name { context: self.context })? {
            let value = entries.next_value_seed(self)?.release();
            let flags = qjs::JS_PROP_C_W_E as i32;
            // SAFETY: object and name are alive; the value is taken over.
            if unsafe { qjs::JS_DefinePropertyValue(self.context, object.value, name.atom, value, flags) } < 0
            {
                return Err(A::Error::custom("no memory"));
            }
        }
        Ok(object)
    }
}

/// Makes the name of a property.
struct Name {
    context: *mut qjs::JSContext,
}

/// A name that is freed at the end.
struct OwnedName {
    context: *mut qjs::JSContext,
    atom: qjs::JSAtom,
}

impl Drop for OwnedName {
    fn drop(&mut self) {
        // SAFETY: the atom is alive and ours.
        unsafe { qjs::JS_FreeAtom(self.context, self.atom) };
    }
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = OwnedName;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> std::result::Result<OwnedName, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = OwnedName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property name")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<OwnedName, E> {
        // SAFETY: the bytes are well-formed and their number is right.
        let atom = unsafe { qjs::JS_NewAtomLen(self.context, text.as_ptr().cast(), text.len() as _) };
        match atom {
            qjs::JS_ATOM_NULL => Err(E::custom("no memory")),
            atom => Ok(OwnedName { context: self.context, atom }),
        }
    }
}

#[cfg(test)]
mod tests {
    use rquickjs::{Context, Ctx, Function, Object, Result, Runtime, Value};

    use super::parse;

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
}
