//! `crypto.subtle`: digests, HMAC and AES. What else the Web Crypto API has rejects with `NotSupportedError`.

use aws_lc_rs::constant_time;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rquickjs::{
    CaughtError, Class, Ctx, Error, Exception, Function, IntoJs, Object, Promise, Result, Value,
    function::Rest,
};

use super::{
    arguments::Arguments,
    key::{CryptoKey, KeyAlgorithm},
    web::fill_random,
};

type Operation = for<'js> fn(&Arguments<'js>) -> Result<Value<'js>>;

const OPERATIONS: &[(&str, Operation)] = &[
    ("decrypt", decrypt),
    ("deriveBits", unsupported),
    ("deriveKey", unsupported),
    ("digest", digest),
    ("encrypt", encrypt),
    ("exportKey", export_key),
    ("generateKey", generate_key),
    ("importKey", import_key),
    ("sign", sign),
    ("unwrapKey", unsupported),
    ("verify", verify),
    ("wrapKey", unsupported),
];

pub(super) fn subtle<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let subtle = Object::new(ctx.clone())?;
    for &(name, operation) in OPERATIONS {
        let run = move |ctx: Ctx<'js>, values: Rest<Value<'js>>| {
            let arguments = Arguments { ctx: ctx.clone(), values: values.0 };
            settled(&ctx, operation(&arguments))
        };
        subtle.set(name, Function::new(ctx.clone(), run)?.with_name(name)?)?;
    }
    Ok(subtle)
}

/// A promise that has the result already: nothing here takes long enough to be worth another thread.
fn settled<'js>(ctx: &Ctx<'js>, result: Result<Value<'js>>) -> Result<Promise<'js>> {
    let (promise, resolve, reject) = ctx.promise()?;
    match result {
        Ok(value) => resolve.call::<_, ()>((value,))?,
        Err(error) => reject.call::<_, ()>((thrown(ctx, error)?,))?,
    }
    Ok(promise)
}

/// The exception that an error stands for.
fn thrown<'js>(ctx: &Ctx<'js>, error: Error) -> Result<Value<'js>> {
    match CaughtError::from_error(ctx, error) {
        CaughtError::Exception(exception) => Ok(exception.into_object().into_value()),
        CaughtError::Value(value) => Ok(value),
        CaughtError::Error(error) => {
            Ok(Exception::from_message(ctx.clone(), &error.to_string())?.into_object().into_value())
        }
    }
}

/// `digest(algorithm, data)`.
fn digest<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let hash = arguments.hash(&arguments.at(0))?;
    arguments.buffer(hash.hash(&arguments.bytes(1)?))
}

/// `sign("HMAC", key, data)`.
fn sign<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let key = arguments.key_for(1, "sign")?;
    arguments.buffer(hmac(arguments, &key, &arguments.bytes(2)?)?)
}

/// `verify("HMAC", key, signature, data)`.
fn verify<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let key = arguments.key_for(1, "verify")?;
    let expected = hmac(arguments, &key, &arguments.bytes(3)?)?;
    constant_time::verify_slices_are_equal(&expected, &arguments.bytes(2)?).is_ok().into_js(&arguments.ctx)
}

fn hmac<'js>(arguments: &Arguments<'js>, key: &Class<'js, CryptoKey>, message: &[u8]) -> Result<Vec<u8>> {
    let key = key.borrow();
    match key.algorithm {
        KeyAlgorithm::Hmac(hash) => Ok(hash.hmac(&key.secret, message)),
        KeyAlgorithm::Aes(_) => Err(arguments.refuse("InvalidAccessError", "the key is not for HMAC")),
    }
}

/// `encrypt(algorithm, key, data)`.
fn encrypt<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let key = arguments.key_for(1, "encrypt")?;
    let message = arguments.mode()?.encrypt(&key.borrow().secret, arguments.bytes(2)?);
    let message =
        message.map_err(|_| arguments.refuse("OperationError", "the message cannot be encrypted"))?;
    arguments.buffer(message)
}

/// `decrypt(algorithm, key, data)`.
fn decrypt<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let key = arguments.key_for(1, "decrypt")?;
    let message = arguments.mode()?.decrypt(&key.borrow().secret, arguments.bytes(2)?);
    let message =
        message.map_err(|_| arguments.refuse("OperationError", "the message cannot be decrypted"))?;
    arguments.buffer(message)
}

/// `generateKey(algorithm, extractable, usages)`.
fn generate_key<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let algorithm = arguments.key_algorithm(0)?;
    let length_bits: Option<usize> = arguments.parameter(0, "length")?;
    let length_bits = match (&algorithm, length_bits) {
        (_, Some(length @ (128 | 192 | 256))) => length,
        (KeyAlgorithm::Hmac(_), Some(length)) if length > 0 && length % 8 == 0 && length <= 1 << 16 => length,
        // By default as many as a block of the hash has.
        (KeyAlgorithm::Hmac(hash), None) => hash.block_bytes * 8,
        _ => return Err(arguments.refuse("OperationError", "keys cannot have this length")),
    };
    let mut secret = vec![0; length_bits / 8];
    fill_random(&mut secret);
    arguments.new_key(algorithm, secret, 1)
}

/// `importKey(format, data, algorithm, extractable, usages)`; the format is `raw` or `jwk`.
fn import_key<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let algorithm = arguments.key_algorithm(2)?;
    let secret = match arguments.text(0)?.as_str() {
        "raw" => arguments.bytes(1)?,
        "jwk" => {
            let digits: Option<String> = arguments.parameter(1, "k")?;
            digits
                .and_then(|digits| URL_SAFE_NO_PAD.decode(digits).ok())
                .ok_or_else(|| arguments.refuse("DataError", "the key needs a property `k` in base64url"))?
        }
        format => return Err(unsupported_format(arguments, format)),
    };
    let has_length = match algorithm {
        KeyAlgorithm::Hmac(_) => !secret.is_empty(),
        KeyAlgorithm::Aes(_) => matches!(secret.len(), 16 | 24 | 32),
    };
    if !has_length {
        return Err(arguments.refuse("DataError", "keys cannot have this length"));
    }
    arguments.new_key(algorithm, secret, 3)
}

/// `exportKey(format, key)`; the format is `raw` or `jwk`.
fn export_key<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let key = arguments.key(1)?;
    let key = key.borrow();
    if !key.extractable {
        return Err(arguments.refuse("InvalidAccessError", "the key is not extractable"));
    }
    match arguments.text(0)?.as_str() {
        "raw" => arguments.buffer(key.secret.clone()),
        "jwk" => {
            let jwk = Object::new(arguments.ctx.clone())?;
            jwk.set("kty", "oct")?;
            jwk.set("k", URL_SAFE_NO_PAD.encode(&key.secret))?;
            jwk.set("alg", key.jwk_algorithm())?;
            jwk.set("ext", true)?;
            jwk.set("key_ops", key.usages.clone())?;
            Ok(jwk.into_value())
        }
        format => Err(unsupported_format(arguments, format)),
    }
}

fn unsupported_format(arguments: &Arguments, format: &str) -> Error {
    arguments.refuse("NotSupportedError", &format!("keys in format {format} are not supported"))
}

fn unsupported<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    Err(arguments.refuse("NotSupportedError", "this version of Squall does not support the operation"))
}
