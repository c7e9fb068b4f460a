//! What the VUs of a realm have in common, by the names that lead there.

use std::fmt;

/// Something that the VUs of a realm share, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    root: Root,
    names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    /// The global object.
    Global,
    /// The exports of a host module.
    Host(String),
    /// Something built in, nobody knows what: what `x.constructor` or `Object.getPrototypeOf(x)` gives.
    Unknown,
}

/// What may be done with what is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// Nobody can write to it.
    Primitive,
    /// Every VU has its own, or nobody has it.
    Own,
    /// It has no property that could be overwritten, so it may go anywhere.
    Function,
    /// It has properties that could be overwritten, and a prototype.
    Class,
    /// It has properties that could be overwritten.
    Object,
}

impl Place {
    /// The global of this name.
    pub(super) fn global(name: &str) -> Self {
        let names = if is_global_object(name) { Vec::new() } else { vec![name.to_owned()] };
        Self { root: Root::Global, names }
    }

    /// What a host module exports.
    pub(super) fn host(module: &str) -> Self {
        Self { root: Root::Host(module.to_owned()), names: Vec::new() }
    }

    /// Something built in.
    pub(super) fn unknown() -> Self {
        Self { root: Root::Unknown, names: Vec::new() }
    }

    /// The property of this name.
    pub(super) fn member(&self, name: &str) -> Self {
        if matches!(name, "constructor" | "__proto__") {
            return Self::unknown();
        }
        let mut place = self.clone();
        match &place.root {
            Root::Global if place.names.is_empty() => return Self::global(name),
            // A host module is its own default export.
            Root::Host(_) if place.names.is_empty() && name == "default" => {}
            _ => place.names.push(name.to_owned()),
        }
        place
    }

    /// What may be done with it; `is_module` when ES modules ask.
    pub(super) fn nature(&self, is_module: bool) -> Nature {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let is_env = self.root == Root::Global && names.first() == Some(&"__ENV");
        if !is_env && names.len() > 1 && names.last().is_some_and(|last| is_constant(last)) {
            return Nature::Primitive;
        }
        match (&self.root, names.as_slice()) {
            (Root::Global, []) => Nature::Object,
            // Whoever has these functions has prototypes.
            (Root::Global, ["Object" | "Reflect", "getPrototypeOf", ..]) => Nature::Object,
            (Root::Global, [name, rest @ ..]) => global_nature(name, rest, is_module),
            (Root::Host(module), names) => host_nature(module, names),
            (Root::Unknown, [.., "name" | "length"]) => Nature::Primitive,
            (Root::Unknown, _) => Nature::Object,
        }
    }

    /// Whether scripts may write to it because every VU has its own.
    pub(super) fn is_writable(&self, is_module: bool) -> bool {
        match (&self.root, self.names.as_slice()) {
            (Root::Host(module), [part, below, _, ..]) if module == "k6/execution" => {
                part == "vu" && matches!(below.as_str(), "tags" | "metrics")
            }
            (Root::Host(module), _) if module == "k6/execution" => false,
            (Root::Global, [_, _, ..]) => self.nature(is_module) == Nature::Own,
            (Root::Global, [name]) => !is_module && is_of_common_js(name) && name != "require",
            _ => false,
        }
    }

    /// Whether it is a prototype, or a class where classes serve as one.
    pub(super) fn may_be_inherited_from(&self, is_module: bool) -> bool {
        self.root == Root::Unknown
            || self.names.last().is_some_and(|last| last == "prototype")
            || self.nature(is_module) == Nature::Class
    }

    /// Whether it is this global, or what is below it: `Object.keys`.
    pub(super) fn is(&self, path: &str) -> bool {
        self.root == Root::Global && self.names.iter().map(String::as_str).eq(path.split('.'))
    }

    /// Whether calling it runs text that the analysis has not seen, changes it, or gives who knows what.
    pub(super) fn is_unsafe_to_call(&self) -> bool {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        match (&self.root, names.as_slice()) {
            (Root::Global, ["eval" | "Function"]) => true,
            (Root::Global, ["eval" | "Function", method]) => is_borrowed(method),
            (Root::Global, ["Object" | "Reflect", "getPrototypeOf", ..]) => names.len() > 2,
            // Its `this` is the prototype.
            (Root::Global | Root::Host(_), [.., "prototype", method]) => !HARMLESS_METHODS.contains(method),
            (Root::Unknown, [method]) => !HARMLESS_METHODS.contains(method),
            (Root::Unknown, [.., method]) => !is_borrowed(method),
            (Root::Unknown, []) => true,
            _ => false,
        }
    }

    /// Whether one of its properties, whichever it is, may be called.
    pub(super) fn has_methods_safe_to_call(&self) -> bool {
        match &self.root {
            Root::Global => ["Math", "JSON", "console"].iter().any(|name| self.is(name)),
            Root::Host(_) => self.names.is_empty(),
            Root::Unknown => false,
        }
    }

    /// Whether calling it gives a prototype.
    pub(super) fn gives_prototypes(&self) -> bool {
        self.is("Object.getPrototypeOf") || self.is("Reflect.getPrototypeOf")
    }

    /// Whether it reads its arguments and neither keeps nor returns them.
    pub(super) fn only_reads(&self) -> bool {
        let is_console = self.names.first().is_some_and(|name| name == "console");
        READERS.iter().any(|reader| self.is(reader)) || (self.root == Root::Global && is_console)
    }

    /// Whether it turns a value into another kind of value, as callbacks of `map` and `filter` do.
    pub(super) fn is_conversion(&self) -> bool {
        ["Number", "String", "Boolean", "BigInt", "Symbol", "Date", "Array", "Object"]
            .iter()
            .any(|name| self.is(name))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.join(".");
        match (&self.root, names.is_empty()) {
            (Root::Global, true) => write!(f, "the global object"),
            (Root::Global, false) => write!(f, "{names}"),
            (Root::Host(module), true) => write!(f, "{module}"),
            (Root::Host(module), false) => write!(f, "{names} of {module}"),
            (Root::Unknown, true) => write!(f, "a constructor or prototype"),
            (Root::Unknown, false) => write!(f, "{names} of a constructor or prototype"),
        }
    }
}

/// What `typeof` gives for a name that the text does not declare, when it is known.
pub(super) fn type_of(name: &str, is_module: bool) -> Option<&'static str> {
    match name {
        "exports" | "module" if !is_module => Some("object"),
        "require" if !is_module => Some("function"),
        "console" | "JSON" | "Math" => Some("object"),
        _ if is_global_object(name) => Some("object"),
        _ if ABSENT.contains(&name) => Some("undefined"),
        "exports" | "module" => Some("undefined"),
        _ => None,
    }
}

/// Names that the wrapper of a CommonJS module declares.
pub(super) fn is_of_common_js(name: &str) -> bool {
    matches!(name, "exports" | "module" | "require" | "__filename" | "__dirname")
}

fn is_global_object(name: &str) -> bool {
    matches!(name, "globalThis" | "global")
}

fn global_nature(name: &str, rest: &[&str], is_module: bool) -> Nature {
    let is_own = name == "__ENV"
        || ABSENT.contains(&name)
        || (is_of_common_js(name) && (is_module || name != "require"));
    match (name, rest) {
        _ if is_own => Nature::Own,
        ("undefined" | "NaN" | "Infinity" | "__VU" | "__ITER", _) => Nature::Primitive,
        ("Symbol", [symbol]) if WELL_KNOWN_SYMBOLS.contains(symbol) => Nature::Primitive,
        ("performance", ["timeOrigin"]) => Nature::Primitive,
        (_, [.., "name" | "length"]) => Nature::Primitive,
        (_, []) if CLASSES.contains(&name) => Nature::Class,
        (_, []) if FUNCTIONS.contains(&name) => Nature::Function,
        ("crypto", ["subtle"]) => Nature::Object,
        (_, [.., "prototype"]) => Nature::Object,
        (_, [_, ..]) if CLASSES.contains(&name) || NAMESPACES.contains(&name) => Nature::Function,
        (_, [.., name]) if is_borrowed(name) => Nature::Function,
        _ => Nature::Object,
    }
}

fn host_nature(module: &str, names: &[&str]) -> Nature {
    match names {
        [] => Nature::Object,
        // The host keeps its parts per VU, or lets nobody write to them.
        _ if module == "k6/execution" => Nature::Own,
        [.., "name" | "length"] if names.len() > 1 => Nature::Primitive,
        [name] if is_constant(name) => Nature::Primitive,
        [name] if name.starts_with(char::is_uppercase) => Nature::Class,
        [_] if MODULES_OF_FUNCTIONS.contains(&module) => Nature::Function,
        [.., "prototype"] => Nature::Object,
        [.., name] if is_borrowed(name) => Nature::Function,
        _ => Nature::Object,
    }
}

/// `PI`, `TLS_1_2`, `MAX_SAFE_INTEGER`.
fn is_constant(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && !matches!(name, "JSON" | "URL")
}

fn is_borrowed(name: &str) -> bool {
    matches!(name, "call" | "apply" | "bind")
}

const CLASSES: &[&str] = &[
    "AggregateError",
    "Array",
    "ArrayBuffer",
    "BigInt",
    "BigInt64Array",
    "BigUint64Array",
    "Boolean",
    "DataView",
    "Date",
    "Error",
    "EvalError",
    "FinalizationRegistry",
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "Function",
    "GoError",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "Iterator",
    "Map",
    "Number",
    "Object",
    "Promise",
    "Proxy",
    "RangeError",
    "ReferenceError",
    "RegExp",
    "Set",
    "SharedArrayBuffer",
    "String",
    "Symbol",
    "SyntaxError",
    "TextDecoder",
    "TextEncoder",
    "TypeError",
    "URIError",
    "URL",
    "URLSearchParams",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "WeakMap",
    "WeakRef",
    "WeakSet",
];

const FUNCTIONS: &[&str] = &[
    "atob",
    "btoa",
    "clearInterval",
    "clearTimeout",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "escape",
    "isFinite",
    "isNaN",
    "open",
    "parseFloat",
    "parseInt",
    "queueMicrotask",
    "setInterval",
    "setTimeout",
    "structuredClone",
    "unescape",
];

const NAMESPACES: &[&str] = &["Atomics", "JSON", "Math", "Reflect", "console", "crypto", "performance"];

/// What libraries look for and no realm has: to read such a name throws, whoever does it.
const ABSENT: &[&str] = &[
    "Buffer",
    "Deno",
    "HTMLElement",
    "WorkerGlobalScope",
    "XMLHttpRequest",
    "__webpack_require__",
    "chrome",
    "define",
    "document",
    "importScripts",
    "location",
    "msCrypto",
    "navigator",
    "process",
    "self",
    "setImmediate",
    "window",
];

const WELL_KNOWN_SYMBOLS: &[&str] = &[
    "asyncIterator",
    "hasInstance",
    "isConcatSpreadable",
    "iterator",
    "match",
    "matchAll",
    "replace",
    "search",
    "species",
    "split",
    "toPrimitive",
    "toStringTag",
    "unscopables",
];

/// Methods of prototypes that change nothing.
const HARMLESS_METHODS: &[&str] =
    &["hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toString", "valueOf"];

const READERS: &[&str] = &[
    "Array.isArray",
    "Boolean",
    "Error.captureStackTrace",
    "Object.getOwnPropertyNames",
    "Object.getPrototypeOf",
    "Object.hasOwn",
    "Object.is",
    "Object.keys",
    "Object.prototype.hasOwnProperty.call",
    "Object.prototype.isPrototypeOf.call",
    "Object.prototype.toString.call",
    "Reflect.getPrototypeOf",
    "Reflect.has",
    "Reflect.ownKeys",
    "String",
];

/// Host modules whose exports with a small first letter are functions.
const MODULES_OF_FUNCTIONS: &[&str] =
    &["k6", "k6/crypto", "k6/data", "k6/encoding", "k6/http", "k6/metrics", "k6/timers", "k6/ws"];
