//! Caches: in the process or in Redis, filled once however many ask at the same time.
//!
//! A [`Cache`] is one store; a [`Layer`] is a name in it with a time to live. What a layer promises:
//!
//! - **One fill.** Of those who ask for the same missing key at once in a process, one computes the value; the others wait for it
//!   and get its answer, also when it is an error. Errors are not kept. If the one goes away, another takes over.
//! - **No stale value after a write.** Once [`Layer::remove`] or [`Layer::clear`] has returned, nobody gets a value whose
//!   fill began before it was called: such a value is not stored, and nobody who asks later waits for it. The caller writes
//!   first, removes then. With Redis that holds for all instances, but for one thing: on another instance a request can join
//!   a fill that was running already, and get what that gets.
//! - **It is not needed.** A Redis that does not answer costs a fill for each that asks, and no waiting: after a few failures it
//!   is left alone until it is back. What it did not hear meanwhile is made up for before it is believed again.
//!
//! Times to live vary by ±10 %, lest what was filled together expires together.

mod flights;
mod memory;
#[cfg(feature = "servers")]
mod redis;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use clap::Args;
use flights::{Flights, Landed, Turn};
use memory::Memory;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::{metrics::Metrics, problem::Problem};

/// Part of every key: raise it when the kept values of a new release cannot be read by the old one or the other way round.
const VERSION: u32 = 1;

/// Where values are kept that are expensive to compute.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cache")]
pub struct CacheSettings {
    /// memory: (in the process) or redis://HOST:PORT/NUMBER (shared by all instances)
    #[arg(
        long,
        env = "BREAKWATER_CACHE",
        value_name = "URL",
        default_value = "memory:",
        hide_env_values = true
    )]
    pub cache: String,
    /// How much the cache in the process may hold. What is asked for least goes first. Redis has its own limit, maxmemory
    #[arg(long, env = "BREAKWATER_CACHE_BYTES", value_name = "BYTES", default_value_t = 64 << 20)]
    pub cache_bytes: u64,
    /// Begins every key, so that several deployments can share a Redis
    #[arg(long, env = "BREAKWATER_CACHE_NAMESPACE", value_name = "NAME", default_value = "breakwater")]
    pub cache_namespace: String,
}
super::config::defaults_of_flags!(CacheSettings);

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    #[error("--cache {url}: unknown kind; give memory: or redis://HOST:PORT/NUMBER")]
    Kind { url: String },
    #[error("--cache {url}: {reason}")]
    Url { url: String, reason: String },
}

/// The cache of the service. Cloning shares it.
#[derive(Clone)]
pub struct Cache(Arc<Shared>);

struct Shared {
    store: Store,
    flights: Flights,
    namespace: String,
    requests: Family<Outcome, Counter>,
    invalidations: Family<OfLayer, Counter>,
    fill_seconds: Family<OfLayer, Histogram, fn() -> Histogram>,
}

enum Store {
    Memory(Memory),
    #[cfg(feature = "servers")]
    Redis(Arc<redis::Redis>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLayer {
    layer: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    layer: &'static str,
    outcome: &'static str,
}

impl Cache {
    /// Opens the cache that the settings name. A Redis that cannot be reached yet is no error: it is used when it is there.
    pub async fn connect(settings: &CacheSettings, metrics: &Metrics) -> Result<Self, CacheError> {
        let url = settings.cache.as_str();
        let store = if url == "memory:" {
            Store::Memory(Memory::new(settings.cache_bytes, metrics))
        } else {
            Self::remote(url, metrics).await?
        };
        Ok(Self(Arc::new(Shared {
            store,
            flights: Flights::default(),
            namespace: settings.cache_namespace.clone(),
            requests: metrics.counters("cache_requests", "Values asked of the cache, by outcome"),
            invalidations: metrics.counters("cache_invalidations", "Values or layers invalidated by writes"),
            fill_seconds: metrics.seconds_by("cache_fill_seconds", "Time to compute a missing value"),
        })))
    }

    #[cfg(feature = "servers")]
    async fn remote(url: &str, metrics: &Metrics) -> Result<Store, CacheError> {
        let shown = super::config::without_password(url);
        if !url.starts_with("redis:") {
            return Err(CacheError::Kind { url: shown });
        }
        let redis = redis::Redis::open(url, shown.clone(), metrics).await;
        redis.map(Store::Redis).map_err(|reason| CacheError::Url { url: shown, reason: reason.to_string() })
    }

    #[cfg(not(feature = "servers"))]
    async fn remote(url: &str, _: &Metrics) -> Result<Store, CacheError> {
        Err(CacheError::Kind { url: super::config::without_password(url) })
    }

    /// A name in the cache: letters, digits and hyphens. Asking twice for the same name gives two layers that
    /// invalidate each other only with Redis: ask once, and clone.
    pub fn layer(&self, name: &'static str, ttl: Duration) -> Layer {
        let shared = &self.0;
        let counter = |outcome| shared.requests.get_or_create_owned(&Outcome { layer: name, outcome });
        Layer(Arc::new(Inner {
            prefix: format!("{}:{VERSION}:{name}", shared.namespace),
            generation: AtomicU64::new(0),
            ttl,
            name,
            hits: counter("hit"),
            misses: counter("miss"),
            stampedes: counter("stampede"),
            unavailable: counter("unavailable"),
            invalidations: shared.invalidations.get_or_create_owned(&OfLayer { layer: name }),
            fill_seconds: shared.fill_seconds.get_or_create_owned(&OfLayer { layer: name }),
            cache: self.clone(),
        }))
    }
}

/// Values of one kind. Cloning shares it.
#[derive(Clone)]
pub struct Layer(Arc<Inner>);

struct Inner {
    cache: Cache,
    name: &'static str,
    ttl: Duration,
    /// `namespace:version:name`
    prefix: String,
    /// Counts [`Layer::clear`]. Part of the keys in this process: what is older is not found any more.
    generation: AtomicU64,
    hits: Counter,
    misses: Counter,
    stampedes: Counter,
    unavailable: Counter,
    invalidations: Counter,
    fill_seconds: Histogram,
}

impl Layer {
    /// The value of `key`, from the cache or else from `fill`. An empty value is one like others, good for "there is none".
    pub async fn get_or_fill<F, Fut>(&self, key: &str, fill: F) -> Result<Bytes, Problem>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Bytes, Problem>> + Send,
    {
        let inner = &*self.0;
        let shared = &*inner.cache.0;
        let local = inner.local_key(key);
        if let Store::Memory(memory) = &shared.store
            && let Some(value) = memory.get(&local)
        {
            inner.hits.inc();
            return Ok(value);
        }
        let lead = loop {
            match shared.flights.board(&local) {
                Turn::Lead(lead) => break lead,
                Turn::Follow(flight) => {
                    // None: the one who led has gone away, so the place is free.
                    let Some(landed) = flight.landed().await else { continue };
                    match landed.found {
                        true => inner.hits.inc(),
                        false => inner.stampedes.inc(),
                    };
                    return landed.value;
                }
            }
        };
        match &shared.store {
            Store::Memory(memory) => {
                // Who led before may have stored it between the look and the place.
                if let Some(value) = memory.get(&local) {
                    inner.hits.inc();
                    return lead.land(Landed { found: true, value: Ok(value) }, |_| ());
                }
                inner.misses.inc();
                let value = inner.timed(fill()).await;
                lead.land(Landed { found: false, value }, |value| {
                    memory.insert(&local, value.clone(), inner.varied_ttl());
                })
            }
            #[cfg(feature = "servers")]
            Store::Redis(redis) => {
                let ticket = match redis.get(&inner.prefix, key).await {
                    redis::Seen::Value(value) => {
                        inner.hits.inc();
                        return lead.land(Landed { found: true, value: Ok(value) }, |_| ());
                    }
                    redis::Seen::Nothing(ticket) => {
                        inner.misses.inc();
                        Some(ticket)
                    }
                    redis::Seen::Unavailable => {
                        inner.unavailable.inc();
                        None
                    }
                };
                let value = inner.timed(fill()).await;
                if let (Ok(value), Some(ticket)) = (&value, ticket) {
                    redis.insert(&inner.prefix, key, value, inner.varied_ttl(), ticket).await;
                }
                lead.land(Landed { found: false, value }, |_| ())
            }
        }
    }

    /// Invalidates one value: call it after what it was computed from has been written, and do not give up waiting for it.
    pub async fn remove(&self, key: &str) {
        let inner = &*self.0;
        let shared = &*inner.cache.0;
        inner.invalidations.inc();
        let local = inner.local_key(key);
        match &shared.store {
            Store::Memory(memory) => shared.flights.detach(&local, || memory.remove(&local)),
            #[cfg(feature = "servers")]
            Store::Redis(redis) => {
                redis.remove(&inner.prefix, key).await;
                // Afterwards: whoever looked before may have seen the old value, and nobody may join them any more.
                shared.flights.detach(&local, || ());
            }
        }
    }

    /// Invalidates all values of the layer, like [`Layer::remove`].
    pub async fn clear(&self) {
        let inner = &*self.0;
        inner.invalidations.inc();
        #[cfg(feature = "servers")]
        if let Store::Redis(redis) = &inner.cache.0.store {
            redis.clear(&inner.prefix).await;
        }
        inner.generation.fetch_add(1, SeqCst);
    }

    /// What has been asked so far.
    pub fn figures(&self) -> Figures {
        let inner = &*self.0;
        let [hits, misses, stampedes, unavailable] =
            [&inner.hits, &inner.misses, &inner.stampedes, &inner.unavailable].map(Counter::get);
        let mut figures = Figures {
            layer: inner.name,
            ttl_s: inner.ttl.as_secs_f64(),
            hits,
            misses,
            stampedes,
            unavailable,
            invalidations: inner.invalidations.get(),
            hit_rate: 0.0,
        };
        if figures.asked() > 0 {
            figures.hit_rate = hits as f64 / figures.asked() as f64;
        }
        figures
    }
}

impl Inner {
    fn local_key(&self, key: &str) -> Arc<str> {
        format!("{}:{}:{key}", self.prefix, self.generation.load(SeqCst)).into()
    }

    fn varied_ttl(&self) -> Duration {
        self.ttl.mul_f64(rand::random_range(0.9..1.1))
    }

    async fn timed<T>(&self, fill: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let value = fill.await;
        self.fill_seconds.observe(begun.elapsed().as_secs_f64());
        value
    }
}

/// What was asked of a layer since the start of this process, and how it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = CacheFigures)]
pub struct Figures {
    /// The name of the layer.
    #[schema(value_type = String)]
    pub layer: &'static str,
    /// How long a value is kept, give or take a tenth.
    pub ttl_s: f64,
    /// Answered from the cache.
    pub hits: u64,
    /// Computed, for the cache had no value.
    pub misses: u64,
    /// Answered with what another request was computing already.
    pub stampedes: u64,
    /// Computed, for the cache did not answer.
    pub unavailable: u64,
    /// Values, or all of them at once, invalidated by writes.
    pub invalidations: u64,
    /// The share of `hits` among all that was asked, from 0 to 1.
    pub hit_rate: f64,
}

impl Figures {
    /// All that was asked.
    pub fn asked(&self) -> u64 {
        self.hits + self.misses + self.stampedes + self.unavailable
    }
}
