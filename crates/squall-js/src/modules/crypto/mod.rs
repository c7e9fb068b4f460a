//! `k6/crypto`; `web` has the global `crypto`.

use base64::{Engine, engine::general_purpose};
use rquickjs::{
    ArrayBuffer, Class, Coerced, Ctx, Function, IntoJs, JsLifetime, Object, Result, Value,
    class::{Trace, Tracer},
    function::Opt,
};

use self::hash::{ALGORITHMS, Algorithm, State};
use super::encoding::bytes_argument;
use crate::{classes, errors::throw_go};

mod arguments;
mod cipher;
mod hash;
mod key;
mod subtle;
mod web;

pub(crate) use self::web::web_crypto;

type Text = Opt<Coerced<String>>;

pub(crate) fn exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    for algorithm in ALGORITHMS {
        let hash = move |ctx: Ctx<'js>, input: Opt<Value<'js>>, encoding: Text| {
            let bytes = bytes_argument(&ctx, &input)?;
            encoded(&ctx, algorithm.hash(&bytes), &encoding)
        };
        module.set(algorithm.name, Function::new(ctx.clone(), hash)?.with_name(algorithm.name)?)?;
    }
    module.set("createHMAC", Function::new(ctx.clone(), create_hmac)?.with_name("createHMAC")?)?;
    module.set("createHash", Function::new(ctx.clone(), create_hash)?.with_name("createHash")?)?;
    module.set("hexEncode", Function::new(ctx.clone(), hex_encode)?.with_name("hexEncode")?)?;
    module.set("hmac", Function::new(ctx.clone(), hmac)?.with_name("hmac")?)?;
    module.set("randomBytes", Function::new(ctx.clone(), random_bytes)?.with_name("randomBytes")?)?;
    Ok(module)
}

fn create_hash<'js>(ctx: Ctx<'js>, name: Text) -> Result<Class<'js, Hasher>> {
    classes::instance(&ctx, Hasher { state: (algorithm(&ctx, &name)?.plain)() })
}

fn create_hmac<'js>(ctx: Ctx<'js>, name: Text, key: Opt<Value<'js>>) -> Result<Class<'js, Hasher>> {
    let algorithm = algorithm(&ctx, &name)?;
    classes::instance(&ctx, Hasher { state: (algorithm.keyed)(&bytes_argument(&ctx, &key)?) })
}

fn hmac<'js>(
    ctx: Ctx<'js>,
    name: Text,
    key: Opt<Value<'js>>,
    input: Opt<Value<'js>>,
    encoding: Text,
) -> Result<Value<'js>> {
    let algorithm = algorithm(&ctx, &name)?;
    let key = bytes_argument(&ctx, &key)?;
    let input = bytes_argument(&ctx, &input)?;
    encoded(&ctx, algorithm.hmac(&key, &input), &encoding)
}

fn hex_encode<'js>(ctx: Ctx<'js>, input: Opt<Value<'js>>) -> Result<String> {
    Ok(hex(&bytes_argument(&ctx, &input)?))
}

fn random_bytes<'js>(ctx: Ctx<'js>, size: Opt<Coerced<f64>>) -> Result<ArrayBuffer<'js>> {
    let size = size.0.map_or(0.0, |size| size.0);
    if !(1.0..=f64::from(i32::MAX)).contains(&size) {
        return Err(throw_go(&ctx, "invalid size: randomBytes makes at least 1 byte"));
    }
    let mut bytes = vec![0; size as usize];
    web::fill_random(&mut bytes);
    ArrayBuffer::new_copy(ctx, bytes)
}

/// A hash that takes its input in parts.
#[derive(JsLifetime)]
#[rquickjs::class]
struct Hasher {
    #[qjs(skip_trace)]
    state: Box<dyn State>,
}

impl<'js> Trace<'js> for Hasher {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

#[rquickjs::methods]
impl Hasher {
    fn update<'js>(&mut self, ctx: Ctx<'js>, input: Opt<Value<'js>>) -> Result<()> {
        self.state.update(&bytes_argument(&ctx, &input)?);
        Ok(())
    }

    /// The hash so far; more may follow.
    fn digest<'js>(&self, ctx: Ctx<'js>, encoding: Text) -> Result<Value<'js>> {
        encoded(&ctx, self.state.digest(), &encoding)
    }
}

fn algorithm(ctx: &Ctx, name: &Text) -> Result<&'static Algorithm> {
    let name = name.0.as_ref().map_or("", |name| &name.0);
    Algorithm::named(name).ok_or_else(|| throw_go(ctx, &format!("invalid algorithm: {name}")))
}

/// A hash in the form that the script asked for.
fn encoded<'js>(ctx: &Ctx<'js>, hash: Vec<u8>, encoding: &Text) -> Result<Value<'js>> {
    let encoding = encoding.0.as_ref().map_or("", |encoding| &encoding.0);
    let text = match encoding {
        "base64" => general_purpose::STANDARD.encode(hash),
        "base64url" => general_purpose::URL_SAFE.encode(hash),
        "base64rawurl" => general_purpose::URL_SAFE_NO_PAD.encode(hash),
        "hex" => hex(&hash),
        "binary" => return Ok(ArrayBuffer::new_copy(ctx.clone(), hash)?.into_value()),
        _ => return Err(throw_go(ctx, &format!("invalid output encoding: {encoding}"))),
    };
    text.into_js(ctx)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests;
