//! `crypto.subtle`: digests, HMAC and AES. What else the Web Crypto API has rejects with `NotSupportedError`.

use aws_lc_rs::constant_time;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rquickjs::{
    ArrayBuffer, CaughtError, Class, Coerced, Ctx, Exception, Function, IntoJs, JsLifetime, Object, Promise,
    Result, Value,
    class::{Trace, Tracer},
    function::Rest,
};

use super::{cipher::Mode, hash::Algorithm, web::fill_random};
use crate::modules::bytes_of;

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
fn thrown<'js>(ctx: &Ctx<'js>, error: rquickjs::Error) -> Result<Value<'js>> {
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
    let hash = key.borrow().hash_of(arguments)?;
    arguments.buffer(hash.hmac(&key.borrow().secret, &arguments.bytes(2)?))
}

/// `verify("HMAC", key, signature, data)`.
fn verify<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let key = arguments.key_for(1, "verify")?;
    let hash = key.borrow().hash_of(arguments)?;
    let expected = hash.hmac(&key.borrow().secret, &arguments.bytes(3)?);
    constant_time::verify_slices_are_equal(&expected, &arguments.bytes(2)?).is_ok().into_js(&arguments.ctx)
}

/// `encrypt(algorithm, key, data)`.
fn encrypt<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let key = arguments.key_for(1, "encrypt")?;
    let message = arguments.mode()?.encrypt(&key.borrow().secret, arguments.bytes(2)?);
    arguments
        .buffer(message.map_err(|_| arguments.refuse("OperationError", "the message cannot be encrypted"))?)
}

/// `decrypt(algorithm, key, data)`.
fn decrypt<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let key = arguments.key_for(1, "decrypt")?;
    let message = arguments.mode()?.decrypt(&key.borrow().secret, arguments.bytes(2)?);
    arguments
        .buffer(message.map_err(|_| arguments.refuse("OperationError", "the message cannot be decrypted"))?)
}

/// `generateKey(algorithm, extractable, usages)`.
fn generate_key<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let algorithm = arguments.key_algorithm(&arguments.at(0))?;
    let length_bits: Option<u32> = arguments.parameter(0, "length")?;
    let length_bits = match (&algorithm, length_bits) {
        (_, Some(length @ (128 | 192 | 256))) => length,
        (KeyAlgorithm::Hmac(_), Some(length)) if length > 0 && length % 8 == 0 && length <= 1 << 16 => length,
        // By default as many as a block of the hash has.
        (KeyAlgorithm::Hmac(hash), None) => {
            if matches!(hash.name, "sha1" | "sha256") {
                512
            } else {
                1024
            }
        }
        _ => return Err(arguments.refuse("OperationError", "keys cannot have this length")),
    };
    let mut secret = vec![0; length_bits as usize / 8];
    fill_random(&mut secret);
    arguments.new_key(algorithm, secret, 1)
}

/// `importKey(format, data, algorithm, extractable, usages)`; the format is `raw` or `jwk`.
fn import_key<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    let algorithm = arguments.key_algorithm(&arguments.at(2))?;
    let secret = match arguments.text(0)?.as_str() {
        "raw" => arguments.bytes(1)?,
        "jwk" => {
            let digits: Option<String> = arguments.parameter(1, "k")?;
            digits
                .and_then(|digits| URL_SAFE_NO_PAD.decode(digits).ok())
                .ok_or_else(|| arguments.refuse("DataError", "the key needs a property `k` in base64url"))?
        }
        format => {
            return Err(
                arguments.refuse("NotSupportedError", &format!("keys in format {format} are not supported"))
            );
        }
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
        format => {
            Err(arguments.refuse("NotSupportedError", &format!("keys in format {format} are not supported")))
        }
    }
}

fn unsupported<'js>(arguments: &Arguments<'js>) -> Result<Value<'js>> {
    Err(arguments.refuse("NotSupportedError", "this version of Squall does not support the operation"))
}

/// What an operation was called with.
struct Arguments<'js> {
    ctx: Ctx<'js>,
    values: Vec<Value<'js>>,
}

impl<'js> Arguments<'js> {
    /// An argument; undefined when there are not that many.
    fn at(&self, index: usize) -> Value<'js> {
        self.values.get(index).cloned().unwrap_or_else(|| Value::new_undefined(self.ctx.clone()))
    }

    fn text(&self, index: usize) -> Result<String> {
        Ok(self.at(index).get::<Coerced<String>>()?.0)
    }

    /// A buffer's or a view's bytes.
    fn bytes(&self, index: usize) -> Result<Vec<u8>> {
        self.view(&self.at(index))
    }

    fn view(&self, value: &Value<'js>) -> Result<Vec<u8>> {
        let bytes = if value.is_string() { None } else { bytes_of(value)? };
        bytes.ok_or_else(|| Exception::throw_type(&self.ctx, "data must be an ArrayBuffer or a view of one"))
    }

    /// A member of the object at `index`, if there is one.
    fn parameter<V: rquickjs::FromJs<'js>>(&self, index: usize, name: &str) -> Result<Option<V>> {
        match self.at(index).as_object() {
            Some(object) => object.get(name),
            None => Ok(None),
        }
    }

    fn key(&self, index: usize) -> Result<Class<'js, CryptoKey>> {
        Class::from_value(&self.at(index))
            .map_err(|_| Exception::throw_type(&self.ctx, "a CryptoKey is needed"))
    }

    /// A key that is made for the operation and for the algorithm that the first argument names.
    fn key_for(&self, index: usize, usage: &str) -> Result<Class<'js, CryptoKey>> {
        let key = self.key(index)?;
        let fits = key.borrow().algorithm.name() == self.algorithm_name(&self.at(0))?;
        if !fits || !key.borrow().usages.iter().any(|known| known == usage) {
            return Err(self.refuse("InvalidAccessError", "the key is not for this algorithm and operation"));
        }
        Ok(key)
    }

    /// The name of an algorithm, given as such or as an object with it, in capitals.
    fn algorithm_name(&self, algorithm: &Value<'js>) -> Result<String> {
        let name = match algorithm.as_object() {
            Some(object) => object.get("name")?,
            None => algorithm.clone(),
        };
        match name.as_string() {
            Some(name) => Ok(name.to_string()?.to_ascii_uppercase()),
            None => Err(Exception::throw_type(&self.ctx, "an algorithm needs a name")),
        }
    }

    fn hash(&self, algorithm: &Value<'js>) -> Result<&'static Algorithm> {
        let name = self.algorithm_name(algorithm)?;
        let known = HASHES
            .iter()
            .find(|(web_name, _)| *web_name == name)
            .and_then(|(_, name)| Algorithm::named(name));
        known.ok_or_else(|| self.refuse("NotSupportedError", &format!("hash {name} is not supported")))
    }

    fn key_algorithm(&self, algorithm: &Value<'js>) -> Result<KeyAlgorithm> {
        let name = self.algorithm_name(algorithm)?;
        if name == "HMAC" {
            let object = algorithm.as_object();
            let hash = object.map(|object| object.get("hash")).transpose()?;
            return Ok(KeyAlgorithm::Hmac(
                self.hash(&hash.unwrap_or_else(|| Value::new_undefined(self.ctx.clone())))?,
            ));
        }
        let mode = AES_MODES.iter().find(|mode| **mode == name);
        mode.map(|mode| KeyAlgorithm::Aes(mode))
            .ok_or_else(|| self.refuse("NotSupportedError", &format!("algorithm {name} is not supported")))
    }

    /// The mode of AES that the first argument describes.
    fn mode(&self) -> Result<Mode> {
        let bytes = |name: &str| match self.parameter::<Value>(0, name)? {
            Some(value) => self.view(&value),
            None => Err(Exception::throw_type(&self.ctx, &format!("the algorithm needs `{name}`"))),
        };
        let wrong_length = |_| self.refuse("OperationError", "the initial block must have 16 bytes");
        match self.algorithm_name(&self.at(0))?.as_str() {
            "AES-CBC" => Ok(Mode::Cbc { iv: bytes("iv")?.try_into().map_err(wrong_length)? }),
            "AES-CTR" => Ok(Mode::Ctr {
                counter: bytes("counter")?.try_into().map_err(wrong_length)?,
                length_bits: match self.parameter(0, "length")? {
                    Some(length @ 1..=128) => length,
                    _ => return Err(self.refuse("OperationError", "`length` must be from 1 to 128")),
                },
            }),
            _ => {
                let iv = bytes("iv")?.try_into().map_err(|_| {
                    self.refuse("NotSupportedError", "AES-GCM is supported with an `iv` of 12 bytes only")
                })?;
                if !matches!(self.parameter(0, "tagLength")?, None | Some(128)) {
                    return Err(self
                        .refuse("NotSupportedError", "AES-GCM is supported with a `tagLength` of 128 only"));
                }
                let additional = match self.parameter::<Value>(0, "additionalData")? {
                    Some(value) if !value.is_undefined() => self.view(&value)?,
                    _ => Vec::new(),
                };
                Ok(Mode::Gcm { iv, additional })
            }
        }
    }

    /// A key with the `extractable` and `usages` that the arguments from `index` on say.
    fn new_key(&self, algorithm: KeyAlgorithm, secret: Vec<u8>, index: usize) -> Result<Value<'js>> {
        let extractable = self.at(index).get::<Coerced<bool>>()?.0;
        let usages: Vec<String> = self.at(index + 1).get()?;
        if usages.is_empty() || usages.iter().any(|usage| !algorithm.usages().contains(&usage.as_str())) {
            return Err(
                self.refuse("SyntaxError", &format!("a key's usages are some of {:?}", algorithm.usages()))
            );
        }
        let key = CryptoKey { algorithm, extractable, usages, secret };
        Ok(Class::instance(self.ctx.clone(), key)?.into_value())
    }

    fn buffer(&self, bytes: Vec<u8>) -> Result<Value<'js>> {
        Ok(ArrayBuffer::new(self.ctx.clone(), bytes)?.into_value())
    }

    fn refuse(&self, name: &str, message: &str) -> rquickjs::Error {
        Exception::throw_dom(&self.ctx, name, message)
    }
}

/// Hashes as the Web Crypto API and as `k6/crypto` name them.
const HASHES: [(&str, &str); 4] =
    [("SHA-1", "sha1"), ("SHA-256", "sha256"), ("SHA-384", "sha384"), ("SHA-512", "sha512")];

const AES_MODES: [&str; 3] = ["AES-CBC", "AES-CTR", "AES-GCM"];

/// What a key is for.
#[derive(Clone, Copy)]
enum KeyAlgorithm {
    Hmac(&'static Algorithm),
    /// The mode's name.
    Aes(&'static str),
}

impl KeyAlgorithm {
    fn name(self) -> &'static str {
        match self {
            KeyAlgorithm::Hmac(_) => "HMAC",
            KeyAlgorithm::Aes(mode) => mode,
        }
    }

    fn usages(self) -> &'static [&'static str] {
        match self {
            KeyAlgorithm::Hmac(_) => &["sign", "verify"],
            KeyAlgorithm::Aes(_) => &["encrypt", "decrypt", "wrapKey", "unwrapKey"],
        }
    }
}

/// A secret key in a script's hands.
#[derive(JsLifetime)]
#[rquickjs::class]
struct CryptoKey {
    #[qjs(skip_trace)]
    algorithm: KeyAlgorithm,
    #[qjs(skip_trace)]
    extractable: bool,
    #[qjs(skip_trace)]
    usages: Vec<String>,
    #[qjs(skip_trace)]
    secret: Vec<u8>,
}

impl<'js> Trace<'js> for CryptoKey {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

#[rquickjs::methods]
impl CryptoKey {
    #[qjs(get, enumerable, rename = "type")]
    fn kind(&self) -> &'static str {
        "secret"
    }

    #[qjs(get, enumerable)]
    fn extractable(&self) -> bool {
        self.extractable
    }

    #[qjs(get, enumerable)]
    fn algorithm<'js>(&self, ctx: Ctx<'js>) -> Result<Object<'js>> {
        let algorithm = Object::new(ctx.clone())?;
        algorithm.set("name", self.algorithm.name())?;
        algorithm.set("length", self.secret.len() * 8)?;
        if let KeyAlgorithm::Hmac(hash) = self.algorithm {
            let name = HASHES.iter().find(|(_, name)| *name == hash.name).map(|(web_name, _)| *web_name);
            let of_hash = Object::new(ctx)?;
            of_hash.set("name", name)?;
            algorithm.set("hash", of_hash)?;
        }
        Ok(algorithm)
    }

    #[qjs(get, enumerable)]
    fn usages(&self) -> Vec<String> {
        self.usages.clone()
    }
}

impl CryptoKey {
    /// The hash of a key for HMAC.
    fn hash_of(&self, arguments: &Arguments) -> Result<&'static Algorithm> {
        match self.algorithm {
            KeyAlgorithm::Hmac(hash) => Ok(hash),
            KeyAlgorithm::Aes(_) => Err(arguments.refuse("InvalidAccessError", "the key is not for HMAC")),
        }
    }

    /// The name that JSON Web Keys have for the key's algorithm: `HS256`, `A128GCM`.
    fn jwk_algorithm(&self) -> String {
        match self.algorithm {
            KeyAlgorithm::Hmac(hash) => hash.name.replace("sha", "HS"),
            KeyAlgorithm::Aes(mode) => format!("A{}{}", self.secret.len() * 8, &mode["AES-".len()..]),
        }
    }
}
