//! Access tokens: JWT signed with HMAC-SHA256. No I/O and no clock.

use aws_lc_rs::digest;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AuthError, Role, Signed};
use crate::kit::config::Secret;

const ISSUER: &str = "breakwater";
const SECRET_BYTES_MIN: usize = 32;

/// What a token says (RFC 7519, section 4.1).
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    role: Role,
    /// The sign-in, which all tokens that go back to it share.
    sid: Uuid,
    jti: Uuid,
    iat: i64,
    pub(super) exp: i64,
}

impl Claims {
    pub(super) fn signed(&self) -> Signed {
        Signed { user_id: self.sub, role: self.role, family: self.sid }
    }
}

/// What signs tokens.
pub(super) struct Keys {
    /// The first signs, all are accepted.
    keys: Vec<Key>,
    /// Whether they outlive the process, and other instances have them.
    pub(super) are_lasting: bool,
}

struct Key {
    id: String,
    sign: EncodingKey,
    verify: DecodingKey,
}

impl Key {
    fn new(secret: &[u8]) -> Self {
        // A name that instances agree on. The first bytes of a hash tell nothing of a secret that cannot be guessed.
        let hash = digest::digest(&digest::SHA256, secret);
        let id = hash.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id, sign: EncodingKey::from_secret(secret), verify: DecodingKey::from_secret(secret) }
    }
}

/// Which tokens a realm accepts.
pub(super) fn accepted(realm: &str) -> Validation {
    let mut accepted = Validation::new(Algorithm::HS256);
    accepted.set_issuer(&[ISSUER]);
    accepted.set_audience(&[realm]);
    accepted.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The caller compares the expiry: it knows the time, here and when it meets the token again.
    accepted.validate_exp = false;
    accepted
}

impl Keys {
    pub(super) fn new(secrets: &[Secret]) -> Result<Self, AuthError> {
        if let Some(short) = secrets.iter().find(|secret| secret.expose().len() < SECRET_BYTES_MIN) {
            return Err(AuthError::ShortSecret { bytes: short.expose().len() });
        }
        if secrets.is_empty() {
            return Ok(Self { keys: vec![Key::new(&rand::random::<[u8; 32]>())], are_lasting: false });
        }
        let keys = secrets.iter().map(|secret| Key::new(secret.expose().as_bytes())).collect();
        Ok(Self { keys, are_lasting: true })
    }

    /// A token for `signed` that is good in `realm` from `now_s` for `life_s` (seconds since 1970).
    pub(super) fn sign(&self, signed: Signed, realm: &str, now_s: i64, life_s: i64) -> String {
        let key = &self.keys[0];
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: realm.to_owned(),
            sub: signed.user_id,
            role: signed.role,
            sid: signed.family,
            jti: Uuid::new_v4(),
            iat: now_s,
            exp: now_s + life_s,
        };
        jsonwebtoken::encode(&header, &claims, &key.sign).expect("claims are JSON and HMAC takes any key")
    }

    /// What a token says whose signature, issuer and audience are right. Its expiry is still to be compared.
    pub(super) fn verify(&self, token: &str, accepted: &Validation) -> Option<Claims> {
        let key = match self.keys.as_slice() {
            [only] => only,
            several => {
                let header = jsonwebtoken::decode_header(token).ok()?;
                several.iter().find(|key| Some(&key.id) == header.kid.as_ref())?
            }
        };
        jsonwebtoken::decode(token, &key.verify, accepted).ok().map(|token| token.claims)
    }
}
