//! `k6/encoding`: base64 in four variants.

use base64::{DecodeError, Engine, engine::general_purpose};
use rquickjs::{ArrayBuffer, Coerced, Ctx, Function, IntoJs, Object, Result, Value, function::Opt};

use super::bytes_of;
use crate::errors::throw_go;

pub(crate) fn exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    module.set("b64decode", Function::new(ctx.clone(), b64decode)?.with_name("b64decode")?)?;
    module.set("b64encode", Function::new(ctx.clone(), b64encode)?.with_name("b64encode")?)?;
    Ok(module)
}

fn b64encode<'js>(ctx: Ctx<'js>, input: Opt<Value<'js>>, variant: Opt<Coerced<String>>) -> Result<String> {
    let bytes = bytes_argument(&ctx, &input)?;
    Ok(engine(&variant).encode(bytes))
}

/// An `ArrayBuffer`, or a string when `format` is `"s"`.
fn b64decode<'js>(
    ctx: Ctx<'js>,
    input: Opt<Coerced<String>>,
    variant: Opt<Coerced<String>>,
    format: Opt<Coerced<String>>,
) -> Result<Value<'js>> {
    let text = input.0.map_or(String::new(), |text| text.0);
    let bytes = decode(&engine(&variant), &text).map_err(|error| throw_go(&ctx, &error.to_string()))?;
    match format.0.as_ref().map(|format| format.0.as_str()) {
        Some("s") => String::from_utf8_lossy(&bytes).into_js(&ctx),
        _ => Ok(ArrayBuffer::new_copy(ctx, bytes)?.into_value()),
    }
}

/// Unknown variants are the standard one.
fn engine(variant: &Opt<Coerced<String>>) -> general_purpose::GeneralPurpose {
    /// Like k6, forgives bits that the last character has to spare.
    const fn variant_of(
        alphabet: &base64::alphabet::Alphabet,
        is_padded: bool,
    ) -> general_purpose::GeneralPurpose {
        let config = if is_padded { general_purpose::PAD } else { general_purpose::NO_PAD };
        general_purpose::GeneralPurpose::new(alphabet, config.with_decode_allow_trailing_bits(true))
    }
    use base64::alphabet::{STANDARD, URL_SAFE};
    match variant.0.as_ref().map(|variant| variant.0.as_str()) {
        Some("rawstd") => variant_of(&STANDARD, false),
        Some("url") => variant_of(&URL_SAFE, true),
        Some("rawurl") => variant_of(&URL_SAFE, false),
        _ => variant_of(&STANDARD, true),
    }
}

/// Line breaks inside of the text do not count.
fn decode(engine: &impl Engine, text: &str) -> std::result::Result<Vec<u8>, DecodeError> {
    if text.contains(['\r', '\n']) {
        return engine.decode(text.replace(['\r', '\n'], ""));
    }
    engine.decode(text)
}

/// The bytes that an argument stands for: those of its text, or of its buffer.
pub(super) fn bytes_argument<'js>(ctx: &Ctx<'js>, argument: &Opt<Value<'js>>) -> Result<Vec<u8>> {
    let (bytes, kind) = match &argument.0 {
        Some(value) => (bytes_of(value)?, value.type_name()),
        None => (None, "undefined"),
    };
    bytes.ok_or_else(|| {
        throw_go(ctx, &format!("invalid type {kind}: expected a string, an ArrayBuffer or a typed array"))
    })
}

#[cfg(test)]
mod tests;
