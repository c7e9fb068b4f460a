//! Sign-in: passwords, access tokens, refresh tokens, and who a request comes from.
//!
//! Each system has a [`Realm`] of its own, so what one hands out opens nothing in another. Signing in begins a family of
//! tokens: an access token (JWT, a quarter of an hour) that is believed by its signature alone, and a refresh token (random,
//! kept as its SHA-256) that is good once and gives the next pair. A refresh token that comes a second time has been stolen or
//! lost its answer: nobody can tell which, so the family ends. The access tokens of an ended family are refused at once by
//! the instance that ended it, and by the others when they have read of it in the database.

mod active;
mod passwords;
mod revoked;
mod sign_ins;
#[cfg(test)]
mod tests;
mod tokens;

use std::{sync::Arc, time::Duration};

use axum::extract::{FromRef, FromRequestParts};
use clap::Args;
use http::request::Parts;
use prometheus_client::metrics::{counter::Counter, family::Family};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::{
    Modify, ToSchema,
    openapi::{
        OpenApi,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use uuid::Uuid;

pub use passwords::Passwords;
pub use sign_ins::{Realm, Tokens};

use super::{config::Secret, db::Db, metrics::Metrics, now_ms, problem::Problem};
use active::{Active, OfRealm};
use revoked::Revoked;
use tokens::Keys;

/// How people sign in, and for how long.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sign-in")]
pub struct AuthSettings {
    /// Secret that signs access tokens, of 32 bytes or more. Of several, separated by commas, the first signs and all are
    /// accepted: put a new one first and take the old one away when its tokens have expired. Without it: a random one
    #[arg(
        long,
        env = "BREAKWATER_JWT_SECRET",
        value_name = "SECRET",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub jwt_secret: Vec<Secret>,
    /// How long an access token is good. What it says of a user, such as the role, may be as old
    #[arg(long, env = "BREAKWATER_ACCESS_TOKEN_S", value_name = "S", default_value_t = 900)]
    pub access_token_s: u32,
    /// How long a refresh token is good. Each use gives a new one with its full time
    #[arg(long, env = "BREAKWATER_REFRESH_TOKEN_S", value_name = "S", default_value_t = 30 * 24 * 3600)]
    pub refresh_token_s: u32,
    /// How often an instance asks the database which sign-ins others have ended
    #[arg(long, env = "BREAKWATER_REVOCATION_POLL_MS", value_name = "MS", default_value_t = 1_000)]
    pub revocation_poll_ms: u64,
    /// Memory of one password hash (argon2id). With 2 passes, 19 MiB is the least that OWASP recommends: about 20 ms of a
    /// core, which bounds sign-ins to 50 a second and core. Hashes of another cost are renewed when their user signs in
    #[arg(long, env = "BREAKWATER_PASSWORD_MEMORY_KIB", value_name = "KIB", default_value_t = 19 << 10)]
    pub password_memory_kib: u32,
    /// Passes over that memory
    #[arg(long, env = "BREAKWATER_PASSWORD_PASSES", value_name = "N", default_value_t = 2)]
    pub password_passes: u32,
    /// Passwords hashed at a time. 0: one a core, as more would only take the cores from all other requests
    #[arg(long, env = "BREAKWATER_PASSWORD_THREADS", value_name = "N", default_value_t = 0)]
    pub password_threads: usize,
    /// Requests that may wait for their turn to hash. More are answered with 503 at once: at 20 ms each, 2 cores take 1.3 s
    /// for 128, and whoever waits longer gives up
    #[arg(long, env = "BREAKWATER_PASSWORD_QUEUE", value_name = "N", default_value_t = 128)]
    pub password_queue: usize,
}
super::config::defaults_of_flags!(AuthSettings);

/// Why nobody could sign in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("--jwt-secret: a secret needs 32 bytes or more, and one has {bytes}")]
    ShortSecret { bytes: usize },
    #[error("--password-memory-kib, --password-passes: {0}")]
    Cost(argon2::Error),
    #[error("cannot read which sign-ins have ended: {0}")]
    Db(#[from] sqlx::Error),
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What is their own.
    User,
    /// Everything.
    Admin,
}

impl Role {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// What [`Role::as_str`] gave. Anything else has the least rights.
    pub fn from_stored(text: &str) -> Self {
        if text == "admin" { Self::Admin } else { Self::User }
    }
}

/// Who a request comes from: an argument of handlers whose state has a [`Realm`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    pub user_id: Uuid,
    pub role: Role,
    /// The sign-in that it goes back to.
    pub family: Uuid,
}

impl Signed {
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// 403 unless it is an admin.
    pub fn admin_only(&self) -> Result<(), Problem> {
        match self.is_admin() {
            true => Ok(()),
            false => Err(Problem::forbidden("only an admin may do this")),
        }
    }

    /// 403 unless it is this user or an admin. Asked before anything is looked up, it does not tell who exists.
    pub fn own_only(&self, user_id: Uuid) -> Result<(), Problem> {
        match self.user_id == user_id || self.is_admin() {
            true => Ok(()),
            false => Err(Problem::forbidden("only the user themself or an admin may do this")),
        }
    }
}

impl<S> FromRequestParts<S> for Signed
where
    S: Send + Sync,
    Realm: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = super::http::bearer(&parts.headers).ok_or_else(|| {
            Problem::unauthorized("sign in and send the access token: Authorization: Bearer TOKEN")
        })?;
        Realm::from_ref(state).verify(token)
    }
}

/// Tells in an OpenAPI document what the security scheme `bearer` is: access tokens.
pub struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        add_bearer(document, "bearer", "An access token, as signing in gives it");
    }
}

/// Says in an OpenAPI document that the security scheme `name` is a token of `Authorization: Bearer …`.
pub fn add_bearer(document: &mut OpenApi, name: &str, description: &str) {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(name, SecurityScheme::Http(scheme));
}

/// What the realms share. Cloning shares it.
#[derive(Clone)]
pub struct Auth(Arc<Shared>);

struct Shared {
    keys: Keys,
    passwords: Passwords,
    revoked: Revoked,
    active: Active,
    reuses: Family<OfRealm, Counter>,
    db: Db,
    access: Duration,
    refresh: Duration,
    poll: Duration,
}

impl Auth {
    /// Reads which sign-ins have ended lately. [`Auth::keep_up`] must run beside it.
    pub async fn start(settings: &AuthSettings, db: &Db, metrics: &Metrics) -> Result<Self, AuthError> {
        let auth = Self(Arc::new(Shared {
            keys: Keys::new(&settings.jwt_secret)?,
            passwords: Passwords::new(settings, metrics)?,
            revoked: Revoked::new(metrics),
            active: Active::new(metrics),
            reuses: metrics
                .counters("auth_refresh_reuses", "Refresh tokens that came twice, and ended their sign-in"),
            db: db.clone(),
            access: Duration::from_secs(settings.access_token_s.into()),
            refresh: Duration::from_secs(settings.refresh_token_s.into()),
            poll: Duration::from_millis(settings.revocation_poll_ms.max(10)),
        }));
        auth.learn(now_ms(), auth.0.access + CLOCKS_DIFFER).await?;
        Ok(auth)
    }

    /// Accounts of one system.
    pub fn realm(&self, name: &'static str) -> Realm {
        if !self.0.keys.are_lasting {
            tracing::warn!(
                realm = name,
                "no --jwt-secret: access tokens end with this process, and other instances do not accept them"
            );
        }
        Realm::new(self.clone(), name)
    }

    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// Learns what other instances end, and forgets what has expired, until `shutdown`.
    pub async fn keep_up(self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(self.0.poll);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut known_until = now_ms();
        let mut swept = now_ms();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = shutdown.cancelled() => return,
            }
            let now = now_ms();
            self.0.active.forget_expired(now);
            let unknown = Duration::from_millis((now - known_until).max(0) as u64);
            match self.learn(now, unknown + CLOCKS_DIFFER).await {
                Ok(()) => known_until = now,
                Err(error) => tracing::warn!(%error, "cannot read which sign-ins have ended elsewhere"),
            }
            if now - swept > SWEEP_EVERY.as_millis() as i64 {
                swept = now;
                if let Err(error) = self.sweep(now).await {
                    tracing::warn!(%error, "cannot delete sign-ins that have expired");
                }
            }
        }
    }
}

/// Instances may disagree on the time by this much, and still learn of all that the others end.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);
/// How often sign-ins are deleted that have expired.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
