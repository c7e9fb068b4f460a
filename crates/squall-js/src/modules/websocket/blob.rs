//! `Blob`: bytes that do not change.

use std::rc::Rc;

use rquickjs::{
    ArrayBuffer, Class, Coerced, Ctx, Exception, IntoJs, JsLifetime, Promise, Result, TypedArray, Value,
    class::{Trace, Tracer},
    function::{Constructor, Opt},
};

use crate::{classes, errors::throw_go, modules::bytes_of, runtime::memory::Charge};

/// A blob in a script's hands.
#[derive(JsLifetime)]
#[rquickjs::class(rename = "Blob")]
pub(super) struct Blob {
    #[qjs(skip_trace)]
    bytes: Rc<[u8]>,
    #[qjs(skip_trace)]
    kind: String,
    /// Keeps the bytes on the VU's account.
    #[qjs(skip_trace)]
    _charge: Charge,
}

impl<'js> Trace<'js> for Blob {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

#[rquickjs::methods(rename_all = "camelCase")]
impl Blob {
    #[qjs(get, enumerable)]
    fn size(&self) -> usize {
        self.bytes.len()
    }

    #[qjs(get, enumerable, rename = "type")]
    fn kind(&self) -> &str {
        &self.kind
    }

    fn array_buffer<'js>(&self, ctx: Ctx<'js>) -> Result<Promise<'js>> {
        settled(&ctx, ArrayBuffer::new_copy(ctx.clone(), &*self.bytes)?)
    }

    fn bytes<'js>(&self, ctx: Ctx<'js>) -> Result<Promise<'js>> {
        settled(&ctx, TypedArray::<u8>::new_copy(ctx.clone(), &*self.bytes)?)
    }

    fn text<'js>(&self, ctx: Ctx<'js>) -> Result<Promise<'js>> {
        settled(&ctx, String::from_utf8_lossy(&self.bytes).into_owned())
    }

    /// Ends that are negative count from the end.
    fn slice<'js>(
        &self,
        ctx: Ctx<'js>,
        start: Opt<Coerced<f64>>,
        end: Opt<Coerced<f64>>,
        kind: Opt<Coerced<String>>,
    ) -> Result<Class<'js, Blob>> {
        let length = self.bytes.len();
        let place = |at: Opt<Coerced<f64>>, otherwise: usize| match at.0 {
            Some(Coerced(at)) if at < 0.0 => length.saturating_sub(-at as usize),
            Some(Coerced(at)) => (at as usize).min(length),
            None => otherwise,
        };
        let (start, end) = (place(start, 0), place(end, length));
        let bytes = self.bytes.get(start..end).unwrap_or_default();
        instance(&ctx, bytes.into(), kind.0.map_or(String::new(), |kind| kind.0))
    }

    fn stream(&self, ctx: Ctx<'_>) -> Result<()> {
        Err(throw_go(
            &ctx,
            "Blob.stream() is not supported yet by this version of Squall: use bytes() or text()",
        ))
    }

    fn to_string(&self) -> &'static str {
        "[object Blob]"
    }
}

fn settled<'js>(ctx: &Ctx<'js>, value: impl IntoJs<'js>) -> Result<Promise<'js>> {
    let (promise, resolve, _) = ctx.promise()?;
    resolve.call::<_, ()>((value,))?;
    Ok(promise)
}

/// A blob of these bytes.
pub(super) fn instance<'js>(ctx: &Ctx<'js>, bytes: Rc<[u8]>, kind: String) -> Result<Class<'js, Blob>> {
    let Some(charge) = Charge::new(bytes.len()) else {
        return Err(Exception::throw_internal(ctx, "out of memory"));
    };
    classes::instance(ctx, Blob { bytes, kind, _charge: charge })
}

/// The bytes of a blob; none of anything else.
pub(super) fn bytes_of_blob(value: &Value) -> Option<Rc<[u8]>> {
    let blob = value.as_object().and_then(Class::<Blob>::from_object)?;
    Some(Rc::clone(&blob.borrow().bytes))
}

/// `new Blob(parts, { type })`.
pub(super) fn constructor<'js>(ctx: &Ctx<'js>) -> Result<Constructor<'js>> {
    classes::constructor::<Blob, _, _>(ctx, make)
}

fn make<'js>(ctx: Ctx<'js>, parts: Opt<Value<'js>>, options: Opt<Value<'js>>) -> Result<Class<'js, Blob>> {
    let mut bytes = Vec::new();
    if let Some(parts) = parts.0.filter(|parts| !parts.is_undefined()) {
        let wrong = |what: &str| throw_go(&ctx, &format!("failed to process [blobParts]: {what}"));
        let Some(parts) = parts.as_array() else { return Err(wrong("they must be an array")) };
        for part in parts.iter::<Value>() {
            let part = part?;
            match (bytes_of_blob(&part), bytes_of(&part)?) {
                (Some(blob), _) => bytes.extend_from_slice(&blob),
                (None, Some(part)) => bytes.extend_from_slice(&part),
                (None, None) => return Err(wrong(&format!("unsupported type: {}", part.type_name()))),
            }
        }
    }
    let kind = match options.0.filter(|options| !options.is_undefined()) {
        None => None,
        Some(options) => match options.as_object() {
            Some(options) => options.get::<_, Option<Coerced<String>>>("type")?,
            None => return Err(throw_go(&ctx, "[options] must be an object")),
        },
    };
    instance(&ctx, bytes.into(), kind.map_or(String::new(), |kind| kind.0))
}
