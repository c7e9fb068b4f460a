//! What an operation of `crypto.subtle` was called with, read as the Web Crypto API says.

use rquickjs::{ArrayBuffer, Class, Coerced, Ctx, Error, Exception, FromJs, Result, Value};

use super::{
    cipher::Mode,
    hash::Algorithm,
    key::{AES_MODES, CryptoKey, HASHES, KeyAlgorithm},
};
use crate::{classes, modules::bytes_of};

/// What an operation was called with.
pub(super) struct Arguments<'js> {
    pub(super) ctx: Ctx<'js>,
    pub(super) values: Vec<Value<'js>>,
}

impl<'js> Arguments<'js> {
    /// An argument; undefined when there are not that many.
    pub(super) fn at(&self, index: usize) -> Value<'js> {
        self.values.get(index).cloned().unwrap_or_else(|| Value::new_undefined(self.ctx.clone()))
    }

    /// `String(argument)`.
    pub(super) fn text(&self, index: usize) -> Result<String> {
        Ok(self.at(index).get::<Coerced<String>>()?.0)
    }

    /// A buffer's or a view's bytes.
    pub(super) fn bytes(&self, index: usize) -> Result<Vec<u8>> {
        self.view(&self.at(index))
    }

    fn view(&self, value: &Value<'js>) -> Result<Vec<u8>> {
        let bytes = if value.is_string() { None } else { bytes_of(value)? };
        bytes.ok_or_else(|| Exception::throw_type(&self.ctx, "data must be an ArrayBuffer or a view of one"))
    }

    /// A member of the object at `index`, if there is one.
    pub(super) fn parameter<V: FromJs<'js>>(&self, index: usize, name: &str) -> Result<Option<V>> {
        match self.at(index).as_object() {
            Some(object) => object.get(name),
            None => Ok(None),
        }
    }

    /// A key.
    pub(super) fn key(&self, index: usize) -> Result<Class<'js, CryptoKey>> {
        Class::from_value(&self.at(index))
            .map_err(|_| Exception::throw_type(&self.ctx, "a CryptoKey is needed"))
    }

    /// A key that is made for the operation and for the algorithm that the first argument names.
    pub(super) fn key_for(&self, index: usize, usage: &str) -> Result<Class<'js, CryptoKey>> {
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

    /// The hash that `algorithm` names.
    pub(super) fn hash(&self, algorithm: &Value<'js>) -> Result<&'static Algorithm> {
        let name = self.algorithm_name(algorithm)?;
        let known = HASHES
            .iter()
            .find(|(web_name, _)| *web_name == name)
            .and_then(|(_, name)| Algorithm::named(name));
        known.ok_or_else(|| self.refuse("NotSupportedError", &format!("hash {name} is not supported")))
    }

    /// What the argument at `index` says that a new key is for.
    pub(super) fn key_algorithm(&self, index: usize) -> Result<KeyAlgorithm> {
        let name = self.algorithm_name(&self.at(index))?;
        if name == "HMAC" {
            let hash: Option<Value> = self.parameter(index, "hash")?;
            let hash = hash.ok_or_else(|| Exception::throw_type(&self.ctx, "HMAC needs `hash`"))?;
            return Ok(KeyAlgorithm::Hmac(self.hash(&hash)?));
        }
        let mode = AES_MODES.iter().find(|mode| **mode == name);
        mode.map(|mode| KeyAlgorithm::Aes(mode))
            .ok_or_else(|| self.refuse("NotSupportedError", &format!("algorithm {name} is not supported")))
    }

    /// The mode of AES that the first argument describes.
    pub(super) fn mode(&self) -> Result<Mode> {
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
                let unsupported = || {
                    self.refuse(
                        "NotSupportedError",
                        "AES-GCM needs an `iv` of 12 bytes and a `tagLength` of 128",
                    )
                };
                let iv = bytes("iv")?.try_into().map_err(|_| unsupported())?;
                if !matches!(self.parameter(0, "tagLength")?, None | Some(128)) {
                    return Err(unsupported());
                }
                let additional = match self.parameter::<Value>(0, "additionalData")? {
                    Some(value) => self.view(&value)?,
                    None => Vec::new(),
                };
                Ok(Mode::Gcm { iv, additional })
            }
        }
    }

    /// A key with the `extractable` and `usages` that the arguments from `index` on say.
    pub(super) fn new_key(
        &self,
        algorithm: KeyAlgorithm,
        secret: Vec<u8>,
        index: usize,
    ) -> Result<Value<'js>> {
        let extractable = self.at(index).get::<Coerced<bool>>()?.0;
        let usages: Vec<String> = self.at(index + 1).get()?;
        if usages.is_empty() || usages.iter().any(|usage| !algorithm.usages().contains(&usage.as_str())) {
            return Err(
                self.refuse("SyntaxError", &format!("a key's usages are some of {:?}", algorithm.usages()))
            );
        }
        let key = CryptoKey { algorithm, extractable, usages, secret };
        Ok(classes::instance(&self.ctx, key)?.into_value())
    }

    /// Bytes as an `ArrayBuffer`.
    pub(super) fn buffer(&self, bytes: Vec<u8>) -> Result<Value<'js>> {
        Ok(ArrayBuffer::new_copy(self.ctx.clone(), bytes)?.into_value())
    }

    /// Throws a `DOMException` of that name.
    pub(super) fn refuse(&self, name: &str, message: &str) -> Error {
        Exception::throw_dom(&self.ctx, name, message)
    }
}
