//! The modules that scripts import, a file each, made for a VU when it first imports them.

use std::ops::Deref;

use rquickjs::{
    ArrayBuffer, Atom, CString, Coerced, Ctx, Function, Object, Persistent, Result, Value,
    atom::PredefinedAtom, function::This, qjs,
};

use crate::{errors, tags::CustomTags, vu};

pub(crate) mod crypto;
pub(crate) mod data;
mod encoding;
mod execution;
pub(crate) mod http;
pub(crate) mod k6;
mod metrics;
pub(crate) mod timers;
mod websocket;

type Build = for<'js> fn(&Ctx<'js>) -> Result<Object<'js>>;

const MODULES: &[(&str, Build)] = &[
    ("k6", k6::exports),
    ("k6/crypto", crypto::exports),
    ("k6/data", data::exports),
    ("k6/encoding", encoding::exports),
    ("k6/execution", execution::exports),
    ("k6/experimental/websockets", websocket::experimental_exports),
    ("k6/http", http::exports),
    ("k6/metrics", metrics::exports),
    ("k6/timers", timers::exports),
    ("k6/websockets", websocket::exports),
    ("k6/ws", websocket::blocking_exports),
];

/// What `require` and `import module from` give.
pub(crate) fn load_default<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Object<'js>> {
    let named = load(ctx, name)?;
    match name {
        "k6/execution" => execution::default_export(ctx, &named),
        _ => Ok(named),
    }
}

/// Whether there is a module of this name.
pub(crate) fn exists(name: &str) -> bool {
    MODULES.iter().any(|(known, _)| *known == name)
}

/// What is said of a module that is not there.
pub(crate) fn unknown(name: &str) -> String {
    let known: Vec<&str> = MODULES.iter().map(|(name, _)| *name).collect();
    format!("unknown module: {name} (this version of Squall has {})", known.join(", "))
}

/// The module's object, whose properties are its named exports.
pub(crate) fn load<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Object<'js>> {
    let Some(&(name, build)) = MODULES.iter().find(|(known, _)| *known == name) else {
        return Err(errors::throw_go(ctx, &unknown(name)));
    };
    let vu = vu::current();
    if let Some(module) = vu.realm.host_modules.borrow().get(name) {
        return module.clone().restore(ctx);
    }
    let module = build(ctx)?;
    vu.realm.guard(ctx, module.as_value())?;
    vu.realm.host_modules.borrow_mut().insert(name, Persistent::save(ctx, module.clone()));
    Ok(module)
}

/// The value as an object of any kind. rquickjs would find out first which kind.
pub(crate) fn object_of<'v, 'js>(value: &'v Value<'js>) -> Option<&'v Object<'js>> {
    // SAFETY: its tag says that it is one.
    unsafe { qjs::JS_IsObject(value.as_raw()).then(|| value.ref_object()) }
}

/// The bytes of text, an `ArrayBuffer`, a typed array or a `DataView`; `None` for anything else.
pub(crate) fn bytes_of(value: &Value) -> Result<Option<Vec<u8>>> {
    if let Some(text) = value.as_string() {
        return Ok(Some(well_formed(text)?.into_bytes()));
    }
    let Some(object) = value.as_object() else { return Ok(None) };
    if let Some(buffer) = ArrayBuffer::from_object(object.clone()) {
        return Ok(Some(copy(&buffer, None)));
    }
    // Typed arrays and `DataView`: their part of their buffer.
    let buffer: Option<ArrayBuffer> = object.get("buffer").unwrap_or(None);
    let (Some(buffer), Ok(offset), Ok(length)) =
        (buffer, object.get::<_, usize>("byteOffset"), object.get::<_, usize>("byteLength"))
    else {
        return Ok(None);
    };
    Ok(Some(copy(&buffer, Some(offset..offset + length))))
}

fn copy(buffer: &ArrayBuffer, range: Option<std::ops::Range<usize>>) -> Vec<u8> {
    // SAFETY: no script runs while the slice is borrowed, so the buffer can be neither detached nor resized.
    let bytes = unsafe { buffer.as_bytes() }.unwrap_or_default();
    match range {
        Some(range) => bytes.get(range).unwrap_or_default().to_vec(),
        None => bytes.to_vec(),
    }
}

/// A string's text; halves of surrogate pairs, which no encoding has, become U+FFFD.
pub(crate) fn well_formed(text: &rquickjs::String) -> Result<String> {
    text.to_string().or_else(|_| to_well_formed(text)?.to_string())
}

fn to_well_formed<'js>(text: &rquickjs::String<'js>) -> Result<rquickjs::String<'js>> {
    let strings: Object = text.ctx().globals().get("String")?;
    let to_well_formed: Function = strings.get::<_, Object>("prototype")?.get("toWellFormed")?;
    to_well_formed.call((This(text.clone()),))
}

/// A string's text, read where QuickJS has it: only what is not ASCII is copied.
pub(crate) struct Text<'js>(CString<'js>);

impl<'js> Text<'js> {
    /// An error for halves of surrogate pairs.
    pub(crate) fn of(string: &rquickjs::String<'js>) -> Result<Text<'js>> {
        let text = string.clone().to_cstring()?;
        // SAFETY: so many bytes are there.
        let bytes = unsafe { std::slice::from_raw_parts(text.as_ptr().cast::<u8>(), text.len()) };
        std::str::from_utf8(bytes)?;
        Ok(Text(text))
    }

    /// The name of a property; halves of surrogate pairs become U+FFFD.
    pub(crate) fn of_name(name: &Atom<'js>) -> Result<Text<'js>> {
        let name = name.to_js_string()?;
        Text::of(&name).or_else(|_| Text::of(&to_well_formed(&name)?))
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

/// Tags as scripts give them: an object whose values are strings, numbers or booleans.
pub(crate) fn tags_of<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<CustomTags> {
    let mut tags = CustomTags::default();
    if value.is_undefined() || value.is_null() {
        return Ok(tags);
    }
    let Some(object) = value.as_object() else {
        return Err(errors::throw_go(ctx, &format!("tags must be an object, not {}", value.type_name())));
    };
    for entry in object.props::<Atom, Value>() {
        let (key, value) = entry?;
        let key = Text::of_name(&key)?;
        let text = tag_text(&value).ok_or_else(|| {
            let (key, kind) = (&*key, value.type_name());
            errors::throw_go(ctx, &format!("tag {key:?} must be a string, a number or a boolean, not {kind}"))
        })?;
        tags.push(&key, &text);
    }
    Ok(tags)
}

/// A tag's value as text; `None` when it is not a primitive.
pub(crate) fn tag_text<'js>(value: &Value<'js>) -> Option<Text<'js>> {
    let is_primitive = value.is_string() || value.is_number() || value.is_bool();
    let text = is_primitive.then(|| value.get::<Coerced<rquickjs::String>>().ok()).flatten()?;
    Text::of(&text.0).ok()
}

/// Whether a function was declared `async`.
pub(crate) fn is_async(function: &Function) -> bool {
    let tag = function.get::<_, Option<String>>(PredefinedAtom::SymbolToStringTag);
    matches!(tag, Ok(Some(tag)) if tag == "AsyncFunction")
}
