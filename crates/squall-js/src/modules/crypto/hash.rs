//! The hashes that scripts can name, each also as a keyed hash (HMAC).

use hmac::{EagerHash, Hmac, KeyInit};
use sha2::digest::{FixedOutput, Update, common::BlockSizeUser, typenum::Unsigned};

/// A hash by the name that scripts call it.
pub(super) struct Algorithm {
    pub(super) name: &'static str,
    /// Bytes that it takes at a time.
    pub(super) block_bytes: usize,
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
    D: EagerHash + BlockSizeUser + Update + FixedOutput + Clone + Default + 'static,
    Hmac<D>: Update + FixedOutput + Clone + KeyInit,
{
    Algorithm {
        name,
        block_bytes: <D as BlockSizeUser>::BlockSize::USIZE,
        plain: || Box::new(D::default()),
        keyed: |key| {
            Box::new(<Hmac<D> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length"))
        },
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
        check("md4", "a448017aaf21d8525fc10ae87aa6729d", "32c43d6d6eda7f1e464711473b956b68");
        check("md5", "900150983cd24fb0d6963f7d28e17f72", "d2fe98063f876b03193afb49b4979591");
        check(
            "ripemd160",
            "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
            "67fdce738ebfc7372bcd38f03c023b5746724d18",
        );
        check("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d", "4fd0b215276ef12f2b3e4c8ecac2811498b656fc");
        check(
            "sha256",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab",
        );
        check(
            "sha384",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            "30ddb9c8f347cffbfb44e519d814f074cf4047a55d6f563324f1c6a33920e5edfb2a34bac60bdc96cd33a95623d7d638",
        );
        check(
            "sha512",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "3926a207c8c42b0c41792cbd3e1a1aaaf5f7a25704f62dfc939c4987dd7ce060009c5bb1c2447355b3216f10b537e9afa7b64a4e5391b0d631172d07939e087a",
        );
        check(
            "sha512_224",
            "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa",
            "28bc0433ef684ea9877c2f2437aa0ccfc2e8eb3a9b4c731606877b4f",
        );
        check(
            "sha512_256",
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
            "f367b7ca80ab2cf85c23e58b73a8fd525a6fa2c66ff105804a2d4cf4df06e129",
        );
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
