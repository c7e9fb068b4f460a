//! Rate limits by client.
//!
//! [`RateLimit`] is the count (GCRA, by `governor`): so many requests at once, and then as many a span as trickle back. It is
//! checked with any key, such as the name that somebody signs in with; [`RateLayer`] checks it for whole routes, by address
//! or by a header.

mod client;
mod layer;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::{Duration, Instant};

pub use client::TrustedProxies;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
pub use layer::{Key, RateLayer, RateLimited};
use utoipa_axum::router::OpenApiRouter;

use super::config::ServerSettings;

/// A limit for each of many clients, in bounded memory.
///
/// A key is kept as its hash, so long keys cost no more than short ones, and only until it has its whole allowance back.
/// Should more than 65,536 be active at once, they share the allowances of 1,024 clients until it is fewer again:
/// someone who invents keys makes the limit stricter for others, and the memory no larger.
#[derive(Debug)]
pub struct RateLimit {
    limiter: RateLimiter<u64, DashMapStateStore<u64>, RuntimeClock, NoOpMiddleware<Instant>>,
    /// Seeded at random: nobody can choose keys that meet in one hash.
    hasher: RandomState,
    clients_max: usize,
    checks_since_sweep: AtomicU32,
    is_crowded: AtomicBool,
}

/// Allowances that clients share when there are too many of them.
const SHARED: u64 = 1024;

impl RateLimit {
    /// `requests` at once, and as many more in each `per`.
    pub fn new(requests: NonZeroU32, per: Duration) -> Self {
        Self::with_clients_max(requests, per, 65_536)
    }

    /// `requests` a minute, of which none is kept waiting that come at once. 0: no limit.
    pub fn a_minute(requests: u32) -> Option<Self> {
        NonZeroU32::new(requests).map(|requests| Self::new(requests, Duration::from_secs(60)))
    }

    fn with_clients_max(requests: NonZeroU32, per: Duration, clients_max: usize) -> Self {
        let one_each = (per / requests.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(one_each).expect("it is above zero").allow_burst(requests);
        Self {
            limiter: RateLimiter::dashmap_with_clock(quota, RuntimeClock),
            hasher: RandomState::new(),
            clients_max,
            checks_since_sweep: AtomicU32::new(0),
            is_crowded: AtomicBool::new(false),
        }
    }

    /// Takes one from the allowance of `key`. With none left: how long until there is.
    pub fn check(&self, key: impl Hash) -> Result<(), Duration> {
        self.sweep_now_and_then();
        let hash = self.hasher.hash_one(key);
        let slot = if self.is_crowded.load(Relaxed) { hash % SHARED } else { hash };
        self.limiter.check_key(&slot).map_err(|refused| refused.wait_time_from(RuntimeClock.now()))
    }

    /// Forgets clients that have their whole allowance back, once in as many checks as can fill a quarter of the memory: the
    /// cost is that of a few entries a check.
    fn sweep_now_and_then(&self) {
        let sweep_every = (self.clients_max / 4) as u32;
        if self.checks_since_sweep.fetch_add(1, Relaxed) < sweep_every {
            return;
        }
        self.checks_since_sweep.store(0, Relaxed);
        self.limiter.retain_recent();
        let is_crowded = self.limiter.len() > self.clients_max;
        if self.is_crowded.swap(is_crowded, Relaxed) != is_crowded {
            tracing::warn!(
                is_crowded,
                clients_max = self.clients_max,
                "rate limit by client: number of clients"
            );
        }
        if !is_crowded {
            self.limiter.shrink_to_fit();
        }
    }
}

/// Lets each address send at most `a_minute` requests a minute to these routes; 0: as many as it likes.
pub fn by_address<S>(routes: OpenApiRouter<S>, a_minute: u32, server: &ServerSettings) -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let Some(limit) = RateLimit::a_minute(a_minute) else { return routes };
    let proxies = TrustedProxies::new(server.trusted_proxies.iter().copied());
    routes.route_layer(RateLayer::new(Arc::new(limit), Key::Address(proxies)))
}

/// The runtime's clock, which tests can set.
#[derive(Clone, Copy, Debug)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
