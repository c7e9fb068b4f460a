//! `TextEncoder` and `TextDecoder`, as the Encoding standard has them.

use encoding_rs::{Decoder, DecoderResult, Encoding};
use rquickjs::{
    Coerced, Ctx, Exception, JsLifetime, Object, Result, TypedArray, Value,
    class::{Trace, Tracer},
    function::Opt,
};

use crate::{
    classes,
    modules::{bytes_of, well_formed},
};

pub(super) fn encoder<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let make = |ctx: Ctx<'js>| classes::instance(&ctx, TextEncoder {});
    Ok(classes::constructor::<TextEncoder, _, _>(ctx, make)?.into_value())
}

pub(super) fn decoder<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let make = |ctx: Ctx<'js>, label: Opt<Value<'js>>, options: Opt<Value<'js>>| {
        classes::instance(&ctx, TextDecoder::new(&ctx, label, options)?)
    };
    Ok(classes::constructor::<TextDecoder, _, _>(ctx, make)?.into_value())
}

#[derive(JsLifetime)]
#[rquickjs::class]
struct TextEncoder {}

impl<'js> Trace<'js> for TextEncoder {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

#[rquickjs::methods(rename_all = "camelCase")]
impl TextEncoder {
    #[qjs(get)]
    fn encoding(&self) -> &'static str {
        "utf-8"
    }

    fn encode<'js>(&self, ctx: Ctx<'js>, text: Opt<Value<'js>>) -> Result<TypedArray<'js, u8>> {
        let text = match text.0.filter(|text| !text.is_undefined()) {
            Some(text) => well_formed(&text.get::<Coerced<rquickjs::String>>()?.0)?,
            None => String::new(),
        };
        TypedArray::new_copy(ctx, text)
    }

    /// Writes as many whole characters as `target` has room for.
    fn encode_into<'js>(
        &self,
        ctx: Ctx<'js>,
        text: Coerced<rquickjs::String<'js>>,
        target: TypedArray<'js, u8>,
    ) -> Result<Object<'js>> {
        let text = well_formed(&text.0)?;
        let fitting = &text[..text.floor_char_boundary(target.len())];
        // SAFETY: no script runs while the bytes are borrowed.
        if let Some(target) = target.as_raw().map(|mut bytes| unsafe { bytes.as_mut() }) {
            target[..fitting.len()].copy_from_slice(fitting.as_bytes());
        }
        let progress = Object::new(ctx)?;
        progress.set("read", fitting.encode_utf16().count())?;
        progress.set("written", fitting.len())?;
        Ok(progress)
    }
}

/// A decoder in a script's hands.
#[derive(JsLifetime)]
#[rquickjs::class]
struct TextDecoder {
    #[qjs(skip_trace)]
    encoding: &'static Encoding,
    #[qjs(skip_trace)]
    mode: Mode,
    /// What the calls with `stream` so far have left; none between texts.
    #[qjs(skip_trace)]
    decoder: Option<Decoder>,
}

/// How a decoder was asked to treat what it meets.
#[derive(Clone, Copy)]
struct Mode {
    is_fatal: bool,
    keeps_bom: bool,
}

impl<'js> Trace<'js> for TextDecoder {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

impl TextDecoder {
    fn new<'js>(ctx: &Ctx<'js>, label: Opt<Value<'js>>, options: Opt<Value<'js>>) -> Result<TextDecoder> {
        let label = match label.0.filter(|label| !label.is_undefined()) {
            Some(label) => label.get::<Coerced<String>>()?.0,
            None => "utf-8".to_owned(),
        };
        let encoding = Encoding::for_label_no_replacement(label.as_bytes())
            .ok_or_else(|| Exception::throw_range(ctx, &format!("unknown encoding: {label}")))?;
        let mode = Mode { is_fatal: flag(&options, "fatal")?, keeps_bom: flag(&options, "ignoreBOM")? };
        Ok(TextDecoder { encoding, mode, decoder: None })
    }
}

#[rquickjs::methods]
impl TextDecoder {
    #[qjs(get)]
    fn encoding(&self) -> String {
        self.encoding.name().to_ascii_lowercase()
    }

    #[qjs(get)]
    fn fatal(&self) -> bool {
        self.mode.is_fatal
    }

    #[qjs(get, rename = "ignoreBOM")]
    fn ignore_bom(&self) -> bool {
        self.mode.keeps_bom
    }

    /// With `stream`, a character may be cut off at the end of the input: the next call has its rest.
    fn decode<'js>(
        &mut self,
        ctx: Ctx<'js>,
        input: Opt<Value<'js>>,
        options: Opt<Value<'js>>,
    ) -> Result<String> {
        let bytes = match input.0.filter(|input| !input.is_undefined()) {
            None => Vec::new(),
            Some(input) => match bytes_of(&input)? {
                Some(bytes) if !input.is_string() => bytes,
                _ => {
                    return Err(Exception::throw_type(
                        &ctx,
                        "decode() takes an ArrayBuffer or a view of one",
                    ));
                }
            },
        };
        let is_last = !flag(&options, "stream")?;
        let mut decoder = self.decoder.take().unwrap_or_else(|| decoder_of(self.encoding, self.mode));
        let text = decode(&mut decoder, self.mode, &bytes, is_last)
            .ok_or_else(|| Exception::throw_type(&ctx, "the bytes are not valid in this encoding"))?;
        if !is_last {
            self.decoder = Some(decoder);
        }
        Ok(text)
    }
}

fn flag(options: &Opt<Value>, name: &str) -> Result<bool> {
    match options.0.as_ref().and_then(Value::as_object) {
        Some(options) => Ok(options.get::<_, Option<Coerced<bool>>>(name)?.is_some_and(|flag| flag.0)),
        None => Ok(false),
    }
}

fn decoder_of(encoding: &'static Encoding, mode: Mode) -> Decoder {
    if mode.keeps_bom {
        encoding.new_decoder_without_bom_handling()
    } else {
        encoding.new_decoder_with_bom_removal()
    }
}

/// `None`: the bytes are no text, and that is fatal.
fn decode(decoder: &mut Decoder, mode: Mode, bytes: &[u8], is_last: bool) -> Option<String> {
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len())?);
    if !mode.is_fatal {
        let _ = decoder.decode_to_string(bytes, &mut text, is_last);
        return Some(text);
    }
    let (result, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, is_last);
    (result == DecoderResult::InputEmpty).then_some(text)
}

#[cfg(test)]
mod tests;
