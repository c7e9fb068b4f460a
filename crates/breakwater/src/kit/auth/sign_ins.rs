//! Sign-ins in the database: families of refresh tokens, one row each.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Validation;
use moka::sync::Cache;
use serde::Serialize;
use sqlx::{
    Any, AnyConnection,
    any::{AnyArguments, AnyRow},
    query::Query,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Auth, CLOCKS_DIFFER, Role, Signed, active::OfRealm, tokens};
use crate::kit::{now_ms, problem::Problem};

/// Access tokens that a realm remembers having verified: at about 500 bytes each, 8 MB.
const VERIFIED_MAX: u64 = 16_384;
/// Longer ones are not ours.
const TOKEN_BYTES_MAX: usize = 1024;

/// What signing in gives.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Tokens {
    /// Goes with each request: `Authorization: Bearer …`.
    pub access_token: String,
    #[schema(value_type = String, example = "Bearer")]
    pub token_type: &'static str,
    /// How long the access token is good, in seconds.
    pub expires_in: u32,
    /// Gives new tokens, once.
    pub refresh_token: String,
}

/// Accounts of one system. Cloning shares it.
#[derive(Clone)]
pub struct Realm(Arc<Inner>);

struct Inner {
    auth: Auth,
    name: &'static str,
    accepted: Validation,
    /// Tokens by their text. A cached read of Connex takes 23 µs of a core with it, and 30 µs or more when each is verified.
    verified: Cache<Box<str>, Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    signed: Signed,
    /// ms since 1970.
    expires: i64,
}

impl Auth {
    /// Learns which families have ended in the last `window`.
    pub(super) async fn learn(&self, now: i64, window: Duration) -> Result<(), sqlx::Error> {
        let since = now - window.as_millis() as i64;
        // From the primary: what a replica has not heard of yet would be missed for good.
        let ended: Vec<(String, i64)> =
            sqlx::query_as("SELECT family, revoked_at FROM sign_ins WHERE revoked_at > $1")
                .bind(since)
                .fetch_all(&self.0.db.write)
                .await?;
        self.revoke(ended.iter().filter_map(|(family, at)| Some((family.parse().ok()?, *at))));
        self.0.revoked.forget_expired(now);
        Ok(())
    }

    /// Deletes what nobody needs to know any more.
    pub(super) async fn sweep(&self, now: i64) -> Result<(), sqlx::Error> {
        let told_everyone = now - (self.0.access + 2 * CLOCKS_DIFFER).as_millis() as i64;
        sqlx::query("DELETE FROM sign_ins WHERE expires_at < $1 OR (revoked_at > 0 AND revoked_at < $2)")
            .bind(now)
            .bind(told_everyone)
            .execute(&self.0.db.write)
            .await?;
        Ok(())
    }

    fn revoke(&self, families: impl IntoIterator<Item = (Uuid, i64)>) {
        let longest = (self.0.access + CLOCKS_DIFFER).as_millis() as i64;
        self.0.revoked.add(families.into_iter().map(|(family, at)| (family, at + longest)));
    }
}

impl Realm {
    pub(super) fn new(auth: Auth, name: &'static str) -> Self {
        let verified = Cache::builder().max_capacity(VERIFIED_MAX).time_to_live(auth.0.access).build();
        Self(Arc::new(Inner { auth, name, accepted: tokens::accepted(name), verified }))
    }

    /// Who the bearer of this access token is. 401 when it is not good, whatever the reason: the bearer of a bad token is
    /// told nothing more.
    pub fn verify(&self, token: &str) -> Result<Signed, Problem> {
        self.verify_at(token, now_ms()).ok_or_else(|| {
            Problem::unauthorized("the access token is not valid, or not any more: sign in again")
        })
    }

    pub(super) fn verify_at(&self, token: &str, now: i64) -> Option<Signed> {
        let inner = &*self.0;
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let known = match inner.verified.get(token) {
            Some(known) => known,
            None => {
                let claims = inner.auth.0.keys.verify(token, &inner.accepted)?;
                let known = Known { signed: claims.signed(), expires: claims.exp.checked_mul(1000)? };
                inner.verified.insert(token.into(), known);
                known
            }
        };
        (now < known.expires && !inner.auth.0.revoked.has(known.signed.family)).then_some(known.signed)
    }

    /// Begins a sign-in, for a user who has shown who they are.
    pub async fn begin(&self, user_id: Uuid, role: Role) -> Result<Tokens, Problem> {
        let now = now_ms();
        let signed = Signed { user_id, role, family: Uuid::new_v4() };
        let refresh = Refresh::new(signed.family);
        sqlx::query(
            "INSERT INTO sign_ins (family, realm, user_id, role, token_hash, expires_at, revoked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 0)",
        )
        .bind(signed.family.to_string())
        .bind(self.0.name)
        .bind(user_id.to_string())
        .bind(role.as_str())
        .bind(refresh.hash())
        .bind(self.refresh_expiry(now))
        .execute(&self.0.auth.0.db.write)
        .await?;
        Ok(self.tokens(signed, refresh, now))
    }

    /// New tokens for a refresh token, which is good once. When it comes again the sign-in ends.
    pub async fn refresh(&self, refresh_token: &str) -> Result<(Signed, Tokens), Problem> {
        let (db, now) = (&self.0.auth.0.db.write, now_ms());
        let Some(shown) = Refresh::parse(refresh_token) else { return Err(bad_refresh_token()) };
        let next = Refresh::new(shown.family);
        // One statement: of two who show the same token at once, one gets the next.
        let row: Option<(String, String)> = sqlx::query_as(
            "UPDATE sign_ins SET token_hash = $1, expires_at = $2 WHERE family = $3 AND realm = $4 \
             AND token_hash = $5 AND revoked_at = 0 AND expires_at > $6 RETURNING user_id, role",
        )
        .bind(next.hash())
        .bind(self.refresh_expiry(now))
        .bind(shown.family.to_string())
        .bind(self.0.name)
        .bind(shown.hash())
        .bind(now)
        .fetch_optional(db)
        .await?;
        if let Some((user_id, role)) = row {
            let user_id = user_id.parse().map_err(|error| Problem::internal(anyhow::Error::new(error)))?;
            let signed = Signed { user_id, role: Role::from_stored(&role), family: shown.family };
            return Ok((signed, self.tokens(signed, next, now)));
        }
        let reused = sqlx::query(
            "UPDATE sign_ins SET revoked_at = $1 WHERE family = $2 AND realm = $3 AND token_hash <> $4 \
             AND revoked_at = 0",
        )
        .bind(now)
        .bind(shown.family.to_string())
        .bind(self.0.name)
        .bind(shown.hash())
        .execute(db)
        .await?;
        if reused.rows_affected() > 0 {
            self.0.auth.revoke([(shown.family, now)]);
            let realm = self.0.name;
            self.0.auth.0.reuses.get_or_create(&OfRealm { realm }).inc();
            tracing::warn!(realm, family = %shown.family, "a refresh token came twice: its sign-in has ended");
        }
        Err(bad_refresh_token())
    }

    /// Ends the sign-in that a request goes back to.
    pub async fn end(&self, signed: &Signed) -> Result<(), Problem> {
        let now = now_ms();
        sqlx::query("UPDATE sign_ins SET revoked_at = $1 WHERE family = $2 AND revoked_at = 0")
            .bind(now)
            .bind(signed.family.to_string())
            .execute(&self.0.auth.0.db.write)
            .await?;
        self.0.auth.revoke([(signed.family, now)]);
        self.0.auth.0.active.leave(self.0.name, signed.user_id);
        Ok(())
    }

    /// Ends all sign-ins of a user.
    pub async fn end_all(&self, user_id: Uuid) -> Result<(), Problem> {
        let mut connection = self.0.auth.0.db.write.acquire().await?;
        let ended = self.end_stored(&mut connection, user_id).await?;
        self.learn_of_end(user_id, ended);
        Ok(())
    }

    /// Does `write`, which deletes a user or changes their role or password, and ends all their sign-ins: both or neither, or
    /// old rights would outlast the change. `write` gives the row that it wrote; when it gives none, nothing ends.
    pub async fn end_all_with(
        &self,
        user_id: Uuid,
        write: Query<'_, Any, AnyArguments>,
    ) -> Result<Option<AnyRow>, sqlx::Error> {
        let mut transaction = self.0.auth.0.db.write.begin().await?;
        let Some(row) = write.fetch_optional(&mut *transaction).await? else { return Ok(None) };
        let ended = self.end_stored(&mut transaction, user_id).await?;
        transaction.commit().await?;
        self.learn_of_end(user_id, ended);
        Ok(Some(row))
    }

    /// The families that it ended, and when.
    async fn end_stored(
        &self,
        connection: &mut AnyConnection,
        user_id: Uuid,
    ) -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
        let now = now_ms();
        let ended: Vec<(String,)> = sqlx::query_as(
            "UPDATE sign_ins SET revoked_at = $1 WHERE realm = $2 AND user_id = $3 AND revoked_at = 0 \
             RETURNING family",
        )
        .bind(now)
        .bind(self.0.name)
        .bind(user_id.to_string())
        .fetch_all(connection)
        .await?;
        Ok(ended.iter().filter_map(|(family,)| Some((family.parse().ok()?, now))).collect())
    }

    fn learn_of_end(&self, user_id: Uuid, ended: Vec<(Uuid, i64)>) {
        self.0.auth.revoke(ended);
        self.0.auth.0.active.leave(self.0.name, user_id);
    }

    fn refresh_expiry(&self, now: i64) -> i64 {
        now + self.0.auth.0.refresh.as_millis() as i64
    }

    fn tokens(&self, signed: Signed, refresh: Refresh, now: i64) -> Tokens {
        let shared = &*self.0.auth.0;
        let life = shared.access.as_secs();
        shared.active.enter(self.0.name, signed.user_id, now + life as i64 * 1000);
        Tokens {
            access_token: shared.keys.sign(signed, self.0.name, now / 1000, life as i64),
            token_type: "Bearer",
            expires_in: life as u32,
            refresh_token: refresh.text(),
        }
    }
}

fn bad_refresh_token() -> Problem {
    Problem::unauthorized("the refresh token is not valid, or not any more: sign in again")
}

/// A refresh token: its family, by which it is found, and a secret of 256 random bits.
struct Refresh {
    family: Uuid,
    secret: [u8; 32],
}

impl Refresh {
    fn new(family: Uuid) -> Self {
        Self { family, secret: rand::random() }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 48];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let (family, secret) = bytes.split_at(16);
        (length == bytes.len()).then_some(())?;
        Some(Self { family: Uuid::from_slice(family).ok()?, secret: secret.try_into().ok()? })
    }

    fn text(&self) -> String {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(self.family.as_bytes());
        bytes[16..].copy_from_slice(&self.secret);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What is stored of it. A plain hash is enough: 256 random bits cannot be guessed.
    fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.secret))
    }
}
