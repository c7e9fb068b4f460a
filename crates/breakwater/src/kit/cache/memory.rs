//! The cache in the process: bounded by bytes, each value with a time of its own.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use moka::{Expiry, sync::Cache};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use tokio::time::Instant;

use crate::kit::metrics::Metrics;

/// What a value costs besides itself and its key: the map's entry, the order of use, the timer. An estimate.
const OVERHEAD_BYTES: usize = 200;

pub(super) struct Memory(Cache<Arc<str>, Kept>);

#[derive(Clone)]
struct Kept {
    value: Bytes,
    ttl: Duration,
    /// The store frees what has expired, by the wall clock and a little later; whether a value counts is decided by this.
    expires: Instant,
}

impl Memory {
    pub(super) fn new(bytes: u64, metrics: &Metrics) -> Self {
        let cache = Cache::builder()
            .max_capacity(bytes)
            .weigher(|key: &Arc<str>, kept: &Kept| {
                u32::try_from(key.len() + kept.value.len() + OVERHEAD_BYTES).unwrap_or(u32::MAX)
            })
            .expire_after(OwnTtl)
            .build();
        metrics.collector(Box::new(Size(cache.clone())));
        Self(cache)
    }

    pub(super) fn get(&self, key: &str) -> Option<Bytes> {
        self.0.get(key).filter(|kept| Instant::now() < kept.expires).map(|kept| kept.value)
    }

    pub(super) fn insert(&self, key: &Arc<str>, value: Bytes, ttl: Duration) {
        self.0.insert(key.clone(), Kept { value, ttl, expires: Instant::now() + ttl });
    }

    pub(super) fn remove(&self, key: &str) {
        self.0.invalidate(key);
    }
}

struct OwnTtl;

impl Expiry<Arc<str>, Kept> for OwnTtl {
    fn expire_after_create(&self, _: &Arc<str>, kept: &Kept, _: std::time::Instant) -> Option<Duration> {
        Some(kept.ttl)
    }

    fn expire_after_update(
        &self,
        _: &Arc<str>,
        kept: &Kept,
        _: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.ttl)
    }
}

/// How full it is, read at each scrape.
struct Size(Cache<Arc<str>, Kept>);

impl std::fmt::Debug for Size {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Size")
    }
}

impl Collector for Size {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        for (name, help, figure) in [
            ("cache_memory_bytes", "Memory that cached values take, about", self.0.weighted_size()),
            ("cache_memory_entries", "Values in the cache of the process", self.0.entry_count()),
        ] {
            let gauge = ConstGauge::new(figure as i64);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Memory {
    /// What it holds once all that is too much has gone.
    pub(super) fn settled_bytes(&self) -> u64 {
        self.0.run_pending_tasks();
        self.0.weighted_size()
    }
}
