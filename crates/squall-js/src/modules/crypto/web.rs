//! The global `crypto`, as the Web Crypto API has it.

use rand::Rng;
use rquickjs::{
    ArrayBuffer, Ctx, Exception, Function, Object, Result, Value, atom::PredefinedAtom, object::Property,
};

use super::subtle;

/// Bytes that one call of `getRandomValues` fills at most: the standard's limit.
const RANDOM_BYTES_MAX: usize = 65_536;

/// Views that `getRandomValues` fills.
const INTEGER_ARRAYS: [&str; 9] = [
    "BigInt64Array",
    "BigUint64Array",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
];

pub(crate) fn web_crypto<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let crypto = Object::new(ctx.clone())?;
    let get_random_values = Function::new(ctx.clone(), get_random_values)?.with_name("getRandomValues")?;
    crypto.set("getRandomValues", get_random_values)?;
    crypto.set("randomUUID", Function::new(ctx.clone(), random_uuid)?.with_name("randomUUID")?)?;
    crypto.set("subtle", subtle::subtle(ctx)?)?;
    crypto.prop(PredefinedAtom::SymbolToStringTag, Property::from("Crypto").configurable())?;
    Ok(crypto.into_value())
}

/// Fills `bytes` with what nobody can guess.
pub(super) fn fill_random(bytes: &mut [u8]) {
    rand::rng().fill_bytes(bytes);
}

/// Fills an array of integers and returns it.
fn get_random_values<'js>(ctx: Ctx<'js>, array: Object<'js>) -> Result<Object<'js>> {
    let type_name: Option<String> = array.get(PredefinedAtom::SymbolToStringTag).unwrap_or(None);
    if !type_name.is_some_and(|name| INTEGER_ARRAYS.contains(&name.as_str())) {
        return Err(Exception::throw_dom(
            &ctx,
            "TypeMismatchError",
            "getRandomValues() fills typed arrays of integers only",
        ));
    }
    let (buffer, offset, length): (ArrayBuffer, usize, usize) =
        (array.get("buffer")?, array.get("byteOffset")?, array.get("byteLength")?);
    if length > RANDOM_BYTES_MAX {
        return Err(Exception::throw_dom(
            &ctx,
            "QuotaExceededError",
            "getRandomValues() fills at most 65536 bytes",
        ));
    }
    // SAFETY: nothing else runs while the bytes are borrowed.
    let bytes = buffer.as_raw().map(|mut bytes| unsafe { bytes.as_mut() });
    if let Some(bytes) = bytes.and_then(|bytes| bytes.get_mut(offset..offset.saturating_add(length))) {
        fill_random(bytes);
    }
    Ok(array)
}

/// A UUID of version 4.
fn random_uuid() -> String {
    let mut bytes = [0; 16];
    fill_random(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = super::hex(&bytes);
    let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    groups.join("-")
}
