//! Private keys of client certificates, encrypted ones too.
//!
//! As in k6 a password opens keys with a `DEK-Info` header (RFC 1421, what `openssl ec -aes256` writes) but not
//! encrypted PKCS#8: the crate that reads those brings twenty others.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use md5::{Digest as _, Md5};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

/// The private key in `pem`. The error is a clause that says what is wrong.
pub(crate) fn private_key(pem: &str, password: Option<&str>) -> Result<PrivateKeyDer<'static>, String> {
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        return Err("encrypted PKCS#8 keys are not supported, `openssl pkcs8` decrypts them".to_owned());
    }
    let Some(encrypted) = EncryptedKey::find(pem) else {
        return PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| format!("invalid private key: {error}"));
    };
    let password = password.ok_or("the private key is encrypted and has no password")?;
    let der = encrypted.decrypt(password)?;
    PrivateKeyDer::try_from(der).map_err(|_| WRONG_PASSWORD.to_owned())
}

const WRONG_PASSWORD: &str = "the password does not fit the private key";

/// A key whose PEM block has headers.
struct EncryptedKey<'a> {
    /// Like `AES-256-CBC`.
    cipher: &'a str,
    /// The initialisation vector in hexadecimal.
    iv: &'a str,
    /// In Base64.
    body: String,
}

impl<'a> EncryptedKey<'a> {
    fn find(pem: &'a str) -> Option<Self> {
        let mut lines = pem.lines().map(str::trim);
        let (cipher, iv) = lines.find_map(|line| line.strip_prefix("DEK-Info:")?.trim().split_once(','))?;
        Some(Self { cipher, iv, body: lines.take_while(|line| !line.starts_with('-')).collect() })
    }

    fn decrypt(&self, password: &str) -> Result<Vec<u8>, String> {
        let (algorithm, key_bytes) = match self.cipher {
            "AES-128-CBC" => (&AES_128, 16),
            "AES-192-CBC" => (&AES_192, 24),
            "AES-256-CBC" => (&AES_256, 32),
            other => return Err(format!("private keys encrypted with {other} are not supported")),
        };
        let iv = u128::from_str_radix(self.iv, 16).map_err(|_| "invalid private key: bad DEK-Info")?;
        let iv = iv.to_be_bytes();
        let mut body = base64::engine::general_purpose::STANDARD
            .decode(&self.body)
            .map_err(|error| format!("invalid private key: {error}"))?;
        let key = derived_key(password.as_bytes(), &iv[..8], key_bytes);
        let wrong = |_| WRONG_PASSWORD;
        let key = UnboundCipherKey::new(algorithm, &key)
            .and_then(PaddedBlockDecryptingKey::cbc_pkcs7)
            .map_err(wrong)?;
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        Ok(key.decrypt(&mut body, context).map_err(wrong)?.to_vec())
    }
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round: each digest takes in the one before.
fn derived_key(password: &[u8], salt: &[u8], key_bytes: usize) -> Vec<u8> {
    let mut key = Vec::new();
    let mut last = Vec::new();
    while key.len() < key_bytes {
        last = Md5::new().chain_update(&last).chain_update(password).chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(key_bytes);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made for this test by `openssl ec -aes128`.
    const ENCRYPTED: &str = "
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,A0EF928E9D907798511A83E480A7B1E2

syR5VScvWW/6BKmUPXBOHYv54J6APM6YwSqIQvGy2GP4XjO7rcz1fuMeI5gYNZmS
0LohVnz7wype2rzCnCA/2Vw7GieiBr/7YIbgxJHF/jkrZKQGwO708OVghua4TCbf
JHnFf+KDc69AtmrrmOpRrHjqfkXDGuQ7ujzpeM0t+tE=
-----END EC PRIVATE KEY-----
";

    fn problem(pem: &str, password: Option<&str>) -> String {
        private_key(pem, password).map_or_else(|problem| problem, |_| "none".to_owned())
    }

    #[test]
    fn the_password_opens_the_key() {
        assert!(matches!(private_key(ENCRYPTED, Some("secret")), Ok(PrivateKeyDer::Sec1(_))));
        assert_eq!(problem(ENCRYPTED, Some("wrong")), WRONG_PASSWORD);
        assert_eq!(problem(ENCRYPTED, None), "the private key is encrypted and has no password");
    }

    #[test]
    fn keys_are_as_long_as_their_cipher_wants() {
        let key = |key_bytes| derived_key(b"secret", b"saltsalt", key_bytes);
        assert_eq!((key(16).len(), key(24).len(), key(32).len()), (16, 24, 32));
        assert!(key(32).starts_with(&key(24)) && key(24).starts_with(&key(16)));
    }

    #[test]
    fn what_cannot_be_opened_is_explained() {
        let des = ENCRYPTED.replace("AES-128-CBC", "DES-CBC");
        assert_eq!(problem(&des, Some("secret")), "private keys encrypted with DES-CBC are not supported");
        let bad_iv = ENCRYPTED.replace("CBC,", "CBC,x");
        assert_eq!(problem(&bad_iv, Some("secret")), "invalid private key: bad DEK-Info");
        let cut = &ENCRYPTED[..ENCRYPTED.len() / 2];
        assert_ne!(problem(cut, Some("secret")), "none");
        let pkcs8 = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
        assert!(problem(pkcs8, Some("secret")).starts_with("encrypted PKCS#8 keys are not supported"));
        assert!(problem("nonsense", None).starts_with("invalid private key: "));
    }
}
