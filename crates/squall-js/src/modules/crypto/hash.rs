//! The hashes that scripts can name, each also as a keyed hash (HMAC).

use hmac::{EagerHash, Hmac, KeyInit};
use sha2::digest::{FixedOutput, Update};

/// A hash by the name that scripts call it.
pub(super) struct Algorithm {
    pub(super) name: &'static str,
    /// An empty hash.
    pub(super) plain: fn() -> Box<dyn State>,
    /// An empty HMAC with this key.
    pub(super) keyed: fn(&[u8]) -> Box<dyn State>,
}

/// All of them.
pub(super) const ALGORITHMS: &[Algorithm] = &[
    algorithm::<md4::Md4>("md4"),
    algorithm::<md5::Md5>("md5"),
    algorithm::<ripemd::Ripemd160>("ripemd160"),
    algorithm::<sha1::Sha1>("sha1"),
    algorithm::<sha2::Sha256>("sha256"),
    algorithm::<sha2::Sha384>("sha384"),
    algorithm::<sha2::Sha512>("sha512"),
    algorithm::<sha2::Sha512_224>("sha512_224"),
    algorithm::<sha2::Sha512_256>("sha512_256"),
];

impl Algorithm {
    /// The algorithm of that name.
    pub(super) fn named(name: &str) -> Option<&'static Algorithm> {
        ALGORITHMS.iter().find(|algorithm| algorithm.name == name)
    }

    /// The hash of `bytes`.
    pub(super) fn hash(&self, bytes: &[u8]) -> Vec<u8> {
        let mut state = (self.plain)();
        state.update(bytes);
        state.digest()
    }

    /// The HMAC of `bytes` with `key`.
    pub(super) fn hmac(&self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut state = (self.keyed)(key);
        state.update(bytes);
        state.digest()
    }
}

/// A hash, plain or keyed, that takes its input in parts.
pub(super) trait State {
    /// Takes more input.
    fn update(&mut self, bytes: &[u8]);

    /// The hash of the input so far; more may follow.
    fn digest(&self) -> Vec<u8>;
}

impl<T: Update + FixedOutput + Clone> State for T {
    fn update(&mut self, bytes: &[u8]) {
        Update::update(self, bytes);
    }

    fn digest(&self) -> Vec<u8> {
        self.clone().finalize_fixed().to_vec()
    }
}

const fn algorithm<D>(name: &'static str) -> Algorithm
where
    D: EagerHash + Update + FixedOutput + Clone + Default + 'static,
    Hmac<D>: Update + FixedOutput + Clone + KeyInit,
{
    Algorithm {
        name,
        plain: || Box::new(D::default()),
        keyed: |key| Box::new(<Hmac<D> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of "abc" and its HMAC with the key "key", as hexadecimal digits.
    #[track_caller]
    fn check(name: &str, plain: &str, keyed: &str) {
        let algorithm = Algorithm::named(name).unwrap();
        let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(algorithm.hash(b"abc")), plain);
        assert_eq!(hex(algorithm.hmac(b"key", b"abc")), keyed);
    }

    #[test]
    fn hashes_and_keyed_hashes() {
        check("md4", "a448017aaf21d8525fc10ae87aa6729d", "MD4");
    }

    #[test]
    fn digest_does_not_end_the_hash() {
        let algorithm = Algorithm::named("sha1").unwrap();
        let mut state = (algorithm.plain)();
        state.update(b"a");
        assert_eq!(state.digest(), algorithm.hash(b"a"));
        state.update(b"b");
        assert_eq!(state.digest(), algorithm.hash(b"ab"));
    }
}
