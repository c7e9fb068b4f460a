//! `k6/data`: `SharedArray`, data that is made once a process and read by all VUs.
//!
//! The elements live outside of QuickJS, each as JSON text. What a VU has of an array is a proxy, whose handler
//! ([`Traps`]) parses an element anew each time it is read; so memory does not grow with VUs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rquickjs::{
    Array, CString, Coerced, Ctx, Exception, IntoJs, JsLifetime, Object, Proxy, Result, Value,
    class::{Trace, Tracer},
    function::{Constructor, Opt},
    proxy::ProxyHandler,
    qjs,
};

use super::is_async;
use crate::{classes, errors::throw_go, vu};

/// JSON texts of an array's elements.
type Elements = Arc<[Box<str>]>;

/// The arrays of a process, by name.
#[derive(Default)]
pub(crate) struct SharedArrays(Mutex<HashMap<String, Elements>>);

impl SharedArrays {
    fn get(&self, name: &str) -> Option<Elements> {
        self.lock().get(name).cloned()
    }

    /// Keeps `elements` under `name`, unless there are some already; returns what is kept.
    fn insert(&self, name: String, elements: Elements) -> Elements {
        Arc::clone(self.lock().entry(name).or_insert(elements))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Elements>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let make = |ctx: Ctx<'js>, name: Opt<Coerced<String>>, make: Opt<Value<'js>>| {
        let vu = vu::current();
        if !vu.in_init() {
            return Err(throw_go(&ctx, "new SharedArray must be called in the init context"));
        }
        shared_array(&ctx, &vu.worker.shared.arrays, name, make)
    };
    let constructor = Constructor::new_prototype(ctx, prototype(ctx)?, make)?;
    constructor.set_name("SharedArray")?;
    let module = Object::new(ctx.clone())?;
    module.set("SharedArray", constructor)?;
    Ok(module)
}

/// What shared arrays inherit: all that arrays have.
fn prototype<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let of_arrays = ctx.globals().get::<_, Object>("Array")?.get("prototype")?;
    Object::new_proto(ctx.clone(), Some(&of_arrays))
}

/// `new SharedArray(name, make)`. The first VU that asks for the name calls `make`.
fn shared_array<'js>(
    ctx: &Ctx<'js>,
    arrays: &SharedArrays,
    name: Opt<Coerced<String>>,
    make: Opt<Value<'js>>,
) -> Result<Proxy<'js>> {
    let name = name.0.map_or("undefined".to_owned(), |name| name.0);
    if name.is_empty() {
        return Err(throw_go(ctx, "SharedArray needs a name: the first argument is empty"));
    }
    let Some(make) = make.0.as_ref().and_then(Value::as_function) else {
        return Err(throw_go(ctx, "SharedArray needs a function as its second argument"));
    };
    if is_async(make) {
        return Err(throw_go(ctx, "SharedArray does not take async functions"));
    }
    let elements = match arrays.get(&name) {
        Some(elements) => elements,
        // Nothing is locked meanwhile: the function may pause its VU.
        None => arrays.insert(name, elements_of(ctx, make.call(())?)?),
    };
    let handler = ProxyHandler::from_object(classes::instance(ctx, Traps { elements })?.into_inner())?;
    Proxy::new(ctx.clone(), Array::new(ctx.clone())?, handler)
}

fn elements_of<'js>(ctx: &Ctx<'js>, made: Value<'js>) -> Result<Elements> {
    let Some(array) = made.as_array() else {
        return Err(throw_go(ctx, "SharedArray's function must return an array"));
    };
    // What JSON cannot say is kept as a text that throws when it is read, as in k6.
    let text = |element| match ctx.json_stringify::<Value>(element)? {
        Some(text) => Ok(text.to_string()?.into_boxed_str()),
        None => Ok("undefined".into()),
    };
    array.iter().map(|element| text(element?)).collect()
}

/// What a proxy does instead of reaching for its target, which is an empty array: that makes `Array.isArray` true.
#[derive(JsLifetime)]
#[rquickjs::class]
struct Traps {
    #[qjs(skip_trace)]
    elements: Elements,
}

impl<'js> Trace<'js> for Traps {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

#[rquickjs::methods(rename_all = "camelCase")]
impl Traps {
    fn get<'js>(&self, ctx: Ctx<'js>, target: Object<'js>, key: Value<'js>) -> Result<Value<'js>> {
        match self.own(&key)? {
            Some(Own::Element(json)) => frozen(&ctx, json),
            Some(Own::Length) => self.elements.len().into_js(&ctx),
            None => target.get(key),
        }
    }

    fn has<'js>(&self, target: Object<'js>, key: Value<'js>) -> Result<bool> {
        Ok(self.own(&key)?.is_some() || target.contains_key(key)?)
    }

    fn own_keys(&self) -> Vec<String> {
        let indices = (0..self.elements.len()).map(|index| index.to_string());
        indices.chain(["length".to_owned()]).collect()
    }

    fn get_own_property_descriptor<'js>(
        &self,
        ctx: Ctx<'js>,
        _target: Value<'js>,
        key: Value<'js>,
    ) -> Result<Option<Object<'js>>> {
        let (value, is_element) = match self.own(&key)? {
            Some(Own::Element(json)) => (frozen(&ctx, json)?, true),
            Some(Own::Length) => (self.elements.len().into_js(&ctx)?, false),
            None => return Ok(None),
        };
        let descriptor = Object::new(ctx)?;
        descriptor.set("value", value)?;
        descriptor.set("writable", true)?;
        descriptor.set("enumerable", is_element)?;
        descriptor.set("configurable", is_element)?;
        Ok(Some(descriptor))
    }

    fn set(&self, ctx: Ctx<'_>) -> Result<bool> {
        Err(immutable(&ctx))
    }

    fn define_property(&self, ctx: Ctx<'_>) -> Result<bool> {
        Err(immutable(&ctx))
    }

    fn prevent_extensions(&self, ctx: Ctx<'_>) -> Result<bool> {
        Err(immutable(&ctx))
    }

    /// What is not there counts as deleted.
    fn delete_property<'js>(&self, ctx: Ctx<'js>, _target: Value<'js>, key: Value<'js>) -> Result<bool> {
        if self.own(&key)?.is_some() { Err(immutable(&ctx)) } else { Ok(true) }
    }
}

/// A property of the shared array itself.
enum Own<'a> {
    Element(&'a str),
    Length,
}

impl Traps {
    fn own(&self, key: &Value) -> Result<Option<Own<'_>>> {
        let Some(key) = key.as_string() else { return Ok(None) };
        let key = CString::from_string(key.clone())?;
        if key.as_ref() as &[u8] == b"length" {
            return Ok(Some(Own::Length));
        }
        Ok(array_index(key.as_ref())
            .and_then(|index| self.elements.get(index))
            .map(|json| Own::Element(json)))
    }
}

/// The index that a property's name is, when it is one: decimal digits without leading zeros.
fn array_index(key: &[u8]) -> Option<usize> {
    let is_index = matches!(key, [b'0'] | [b'1'..=b'9', ..]) && key.len() <= 10;
    if !is_index {
        return None;
    }
    key.iter()
        .try_fold(0, |index, &byte| byte.is_ascii_digit().then(|| index * 10 + usize::from(byte - b'0')))
}

fn immutable(ctx: &Ctx) -> rquickjs::Error {
    Exception::throw_type(ctx, "SharedArray is immutable")
}

/// Parses JSON; everything in the value is frozen.
fn frozen<'js>(ctx: &Ctx<'js>, json: &str) -> Result<Value<'js>> {
    let value = ctx.json_parse(json)?;
    let mut thawed: Vec<Object> = value.as_object().cloned().into_iter().collect();
    while let Some(object) = thawed.pop() {
        // SAFETY: both are alive and belong together.
        if unsafe { qjs::JS_FreezeObject(ctx.as_raw().as_ptr(), object.as_raw()) } < 0 {
            return Err(rquickjs::Error::Exception);
        }
        for entry in object.own_values::<Value>(rquickjs::object::Filter::new().string()) {
            thawed.extend(entry?.into_object());
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
