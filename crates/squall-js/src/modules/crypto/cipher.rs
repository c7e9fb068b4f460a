//! AES in the modes that the Web Crypto API knows.

use aws_lc_rs::{
    aead::{self, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{
        self, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, PaddedBlockDecryptingKey,
        PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    error::Unspecified,
    iv::FixedLength,
};

/// Bytes of an AES block.
const BLOCK_BYTES: usize = 16;

/// A mode with what a message needs beside the key.
pub(super) enum Mode {
    /// Cipher block chaining, padded as PKCS#7 says.
    Cbc { iv: [u8; BLOCK_BYTES] },
    /// Counter mode; the last `length_bits` of the counter count.
    Ctr { counter: [u8; BLOCK_BYTES], length_bits: u32 },
    /// Galois/counter mode with a tag of 16 bytes.
    Gcm { iv: [u8; aead::NONCE_LEN], additional: Vec<u8> },
}

/// The message is forged, damaged or too long, or the key has another length than 16, 24 or 32 bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CipherError;

impl From<Unspecified> for CipherError {
    fn from(_: Unspecified) -> CipherError {
        CipherError
    }
}

impl Mode {
    /// Encrypts a message.
    pub(super) fn encrypt(&self, key: &[u8], mut message: Vec<u8>) -> Result<Vec<u8>, CipherError> {
        match self {
            Mode::Cbc { iv } => {
                let iv = EncryptionContext::Iv128(FixedLength::from(*iv));
                PaddedBlockEncryptingKey::cbc_pkcs7(block_key(key)?)?.less_safe_encrypt(&mut message, iv)?;
            }
            Mode::Ctr { counter, length_bits } => {
                refuse_overflow(counter, *length_bits, message.len())?;
                let iv = EncryptionContext::Iv128(FixedLength::from(*counter));
                EncryptingKey::ctr(block_key(key)?)?.less_safe_encrypt(&mut message, iv)?;
            }
            Mode::Gcm { iv, additional } => {
                let nonce = Nonce::assume_unique_for_key(*iv);
                gcm_key(key)?.seal_in_place_append_tag(nonce, Aad::from(additional), &mut message)?;
            }
        }
        Ok(message)
    }

    /// Decrypts a message.
    pub(super) fn decrypt(&self, key: &[u8], mut message: Vec<u8>) -> Result<Vec<u8>, CipherError> {
        let length = match self {
            Mode::Cbc { iv } => {
                let iv = DecryptionContext::Iv128(FixedLength::from(*iv));
                PaddedBlockDecryptingKey::cbc_pkcs7(block_key(key)?)?.decrypt(&mut message, iv)?.len()
            }
            Mode::Ctr { counter, length_bits } => {
                refuse_overflow(counter, *length_bits, message.len())?;
                let iv = DecryptionContext::Iv128(FixedLength::from(*counter));
                DecryptingKey::ctr(block_key(key)?)?.decrypt(&mut message, iv)?.len()
            }
            Mode::Gcm { iv, additional } => {
                let nonce = Nonce::assume_unique_for_key(*iv);
                gcm_key(key)?.open_in_place(nonce, Aad::from(additional), &mut message)?.len()
            }
        };
        message.truncate(length);
        Ok(message)
    }
}

fn block_key(key: &[u8]) -> Result<UnboundCipherKey, CipherError> {
    let algorithm = match key.len() {
        16 => &cipher::AES_128,
        24 => &cipher::AES_192,
        32 => &cipher::AES_256,
        _ => return Err(CipherError),
    };
    Ok(UnboundCipherKey::new(algorithm, key)?)
}

fn gcm_key(key: &[u8]) -> Result<LessSafeKey, CipherError> {
    let algorithm = match key.len() {
        16 => &aead::AES_128_GCM,
        24 => &aead::AES_192_GCM,
        32 => &aead::AES_256_GCM,
        _ => return Err(CipherError),
    };
    Ok(LessSafeKey::new(UnboundKey::new(algorithm, key)?))
}

/// The library counts in all 128 bits; where that would carry beyond `length_bits`, the result would be another.
fn refuse_overflow(
    counter: &[u8; BLOCK_BYTES],
    length_bits: u32,
    message_bytes: usize,
) -> Result<(), CipherError> {
    let blocks = message_bytes.div_ceil(BLOCK_BYTES) as u128;
    let fits = match 1_u128.checked_shl(length_bits) {
        Some(limit) => (u128::from_be_bytes(*counter) & (limit - 1)) + blocks <= limit,
        None => true,
    };
    if fits { Ok(()) } else { Err(CipherError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From NIST SP 800-38A, F.2.1: the first block, and the padding that follows.
    #[test]
    fn cbc_of_the_standard() {
        let key = 0x2b7e151628aed2a6abf7158809cf4f3c_u128.to_be_bytes();
        let mode = Mode::Cbc { iv: 0x000102030405060708090a0b0c0d0e0f_u128.to_be_bytes() };
        let message = 0x6bc1bee22e409f96e93d7e117393172a_u128.to_be_bytes();
        let encrypted = mode.encrypt(&key, message.to_vec()).unwrap();
        assert_eq!(encrypted[..16], 0x7649abac8119b246cee98e9b12e9197d_u128.to_be_bytes());
        assert_eq!(mode.decrypt(&key, encrypted).unwrap(), message);
    }

    #[test]
    fn what_was_not_encrypted_cannot_be_decrypted() {
        let key = [1; 16];
        for message in [Vec::new(), vec![0; 5], vec![0; 32]] {
            assert_eq!(Mode::Cbc { iv: [0; 16] }.decrypt(&key, message.clone()), Err(CipherError));
            assert_eq!(
                Mode::Gcm { iv: [0; 12], additional: Vec::new() }.decrypt(&key, message),
                Err(CipherError)
            );
        }
    }

    #[test]
    fn a_counter_that_would_overflow() {
        let almost_full = |length_bits| Mode::Ctr { counter: [0xff; 16], length_bits };
        assert!(almost_full(8).encrypt(&[1; 16], vec![0; 16]).is_ok());
        assert_eq!(almost_full(8).encrypt(&[1; 16], vec![0; 17]), Err(CipherError));
        assert!(almost_full(128).encrypt(&[1; 16], vec![0; 17]).is_ok());
    }
}
