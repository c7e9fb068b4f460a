//! Keys of the Web Crypto API.

use rquickjs::{
    Ctx, JsLifetime, Object, Result,
    class::{Trace, Tracer},
};

use super::hash::Algorithm;

/// Hashes as the Web Crypto API and as `k6/crypto` name them.
pub(super) const HASHES: [(&str, &str); 4] =
    [("SHA-1", "sha1"), ("SHA-256", "sha256"), ("SHA-384", "sha384"), ("SHA-512", "sha512")];

/// Modes of AES.
pub(super) const AES_MODES: [&str; 3] = ["AES-CBC", "AES-CTR", "AES-GCM"];

/// What a key is for.
#[derive(Clone, Copy)]
pub(super) enum KeyAlgorithm {
    Hmac(&'static Algorithm),
    /// The mode's name.
    Aes(&'static str),
}

impl KeyAlgorithm {
    /// The name that scripts know it by.
    pub(super) fn name(self) -> &'static str {
        match self {
            KeyAlgorithm::Hmac(_) => "HMAC",
            KeyAlgorithm::Aes(mode) => mode,
        }
    }

    /// What its keys can be used for.
    pub(super) fn usages(self) -> &'static [&'static str] {
        match self {
            KeyAlgorithm::Hmac(_) => &["sign", "verify"],
            KeyAlgorithm::Aes(_) => &["encrypt", "decrypt", "wrapKey", "unwrapKey"],
        }
    }
}

/// A secret key in a script's hands.
#[derive(JsLifetime)]
#[rquickjs::class]
pub(super) struct CryptoKey {
    #[qjs(skip_trace)]
    pub(super) algorithm: KeyAlgorithm,
    #[qjs(skip_trace)]
    pub(super) extractable: bool,
    #[qjs(skip_trace)]
    pub(super) usages: Vec<String>,
    #[qjs(skip_trace)]
    pub(super) secret: Vec<u8>,
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
    /// The name that JSON Web Keys have for the key's algorithm: `HS256`, `A128GCM`.
    pub(super) fn jwk_algorithm(&self) -> String {
        match self.algorithm {
            KeyAlgorithm::Hmac(hash) => hash.name.replace("sha", "HS"),
            KeyAlgorithm::Aes(mode) => format!("A{}{}", self.secret.len() * 8, &mode["AES-".len()..]),
        }
    }
}
