//! Password hashing: argon2id on a few threads, with a bounded line in front of them.

#[cfg(test)]
mod tests;

use std::{sync::Arc, thread, time::Duration};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, histogram::Histogram},
};
use tokio::{sync::Semaphore, time::Instant};

use super::{AuthError, AuthSettings};
use crate::kit::{metrics::Metrics, problem::Problem};

/// Hashes and checks passwords. Cloning shares it.
#[derive(Clone)]
pub struct Passwords(Arc<Inner>);

struct Inner {
    argon2: Argon2<'static>,
    /// How hashes of the present cost begin.
    prefix: String,
    /// The hash of no password: what a password is checked against when there is no such user.
    nobody: String,
    /// Who works or waits for it.
    places: Arc<Semaphore>,
    /// Who works.
    threads: Arc<Semaphore>,
    hashed: Counter,
    verified: Counter,
    refused: Counter,
    seconds: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

impl Passwords {
    pub(super) fn new(settings: &AuthSettings, metrics: &Metrics) -> Result<Self, AuthError> {
        let (memory, passes) = (settings.password_memory_kib, settings.password_passes);
        // One lane: more would spread a hash over cores, and there are always more requests than cores to fill them.
        let params = Params::new(memory, passes, 1, None).map_err(AuthError::Cost)?;
        let prefix = format!("$argon2id$v=19$m={memory},t={passes},p=1$");
        let salt = STANDARD_NO_PAD.encode(rand::random::<[u8; 16]>());
        let nobody = format!("{prefix}{salt}${}", STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let threads = match settings.password_threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let operations = metrics.counters("auth_password_hashes", "Passwords hashed, to store or to check");
        let counter = |operation| operations.get_or_create_owned(&Operation { operation });
        Ok(Self(Arc::new(Inner {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            prefix,
            nobody,
            places: Arc::new(Semaphore::new(threads + settings.password_queue)),
            threads: Arc::new(Semaphore::new(threads)),
            hashed: counter("store"),
            verified: counter("check"),
            refused: metrics
                .counter("auth_password_refused", "Passwords not hashed because too many were waiting"),
            seconds: metrics.seconds("auth_password_seconds", "Time to hash a password, with the wait"),
        })))
    }

    /// The hash to store, as a PHC string.
    pub async fn hash(&self, password: String) -> Result<String, Problem> {
        self.0.hashed.inc();
        let hash = self.work(move |argon2| argon2.hash_password(password.as_bytes())).await?;
        hash.map(|hash| hash.to_string()).map_err(|error| Problem::internal(anyhow::Error::new(error)))
    }

    /// Whether `password` is the one of `stored`, a PHC string. With no user, and so nothing stored, it works as long as
    /// with one: the time does not tell who exists.
    pub async fn verify(&self, password: String, stored: Option<&str>) -> Result<bool, Problem> {
        self.0.verified.inc();
        let hash = stored.unwrap_or(&self.0.nobody).to_owned();
        let right =
            self.work(move |argon2| argon2.verify_password(password.as_bytes(), hash.as_str())).await?;
        Ok(right.is_ok() && stored.is_some())
    }

    /// Whether `stored` was made at another cost than the present one, and is to be replaced while the password is at hand.
    pub fn is_outdated(&self, stored: &str) -> bool {
        !stored.starts_with(&self.0.prefix)
    }

    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Argon2<'_>) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let begun = Instant::now();
        let place = self.0.places.clone().try_acquire_owned().map_err(|_| {
            self.0.refused.inc();
            Problem::unavailable("too many are signing in at this moment", Duration::from_secs(1))
        })?;
        let thread = self.0.threads.clone().acquire_owned().await.expect("it is never closed");
        let inner = self.0.clone();
        // What has begun ends, whether its client still waits or not: the thread is free only then.
        let work = tokio::task::spawn_blocking(move || {
            let done = job(&inner.argon2);
            drop((thread, place));
            done
        });
        let done = work.await.map_err(Problem::internal)?;
        self.0.seconds.observe(begun.elapsed().as_secs_f64());
        Ok(done)
    }
}
