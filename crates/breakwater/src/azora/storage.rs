//! SQL, and the door in front of it.
//!
//! Reads of profiles and courses pass an admission control: `--azora-clients` of them have a place, as many at work as the pool
//! has connections without the reserve, the others waiting for as long as one may wait for a connection; who finds no place
//! is answered with 503 at once. Sign-in and writes pass by it, so that however many read, they find a connection of
//! the reserve. A connection is held for one statement or transaction.

mod courses;
mod users;

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use anyhow::Context;
use jiff::Timestamp;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};
use sqlx::AnyPool;
use tokio::time::Instant;

use super::AzoraSettings;
use crate::kit::{
    Kit,
    admission::{Admission, Limits, Permit},
    db::Db,
    problem::Problem,
};

/// For this long after a write its instance reads lists from the primary: a replica that lags more is not in order.
const REPLICA_LAG_MAX: Duration = Duration::from_secs(10);

pub(super) struct Storage {
    db: Db,
    reads: Admission,
    started: Instant,
    /// When a course was changed here, in ms after `started`.
    courses_changed_ms: AtomicU64,
}

impl Storage {
    /// Registers its metrics: once a [`Kit`].
    pub(super) fn new(kit: &Kit) -> anyhow::Result<Self> {
        let (settings, storage) = (&kit.settings.azora, &kit.settings.storage);
        let longest_wait = Duration::from_millis(storage.pool_timeout_ms);
        let reads = Admission::new(limits(settings, storage.pool_size, longest_wait)?);
        kit.metrics.collector(Box::new(Door(reads.clone())));
        Ok(Self {
            db: kit.db.clone(),
            reads,
            started: Instant::now(),
            // As if one had been changed just before: another instance may have.
            courses_changed_ms: AtomicU64::new(0),
        })
    }

    /// A place among those who read. It is held as long as the connection.
    async fn reading(&self) -> Result<Permit, Problem> {
        self.reads.admit().await.map_err(|refusal| {
            let after = Duration::from_secs(refusal.retry_after_s.into());
            Problem::unavailable("too many requests are waiting for the database", after)
        })
    }

    fn courses_changed(&self) {
        self.courses_changed_ms.store(self.started.elapsed().as_millis() as u64, Relaxed);
    }

    /// Where lists are read from.
    fn lists(&self) -> &AnyPool {
        let changed = Duration::from_millis(self.courses_changed_ms.load(Relaxed));
        match self.started.elapsed() - changed < REPLICA_LAG_MAX {
            true => self.db.current(),
            false => &self.db.read,
        }
    }
}

fn limits(settings: &AzoraSettings, pool_size: u32, longest_wait: Duration) -> anyhow::Result<Limits> {
    let reading = pool_size.saturating_sub(settings.azora_reserve).max(1);
    let clients = settings.azora_clients.max(reading);
    let share = f64::from(reading) / f64::from(clients);
    Limits::new(clients, share, longest_wait).context("--azora-clients")
}

/// The figures of the door, read at each scrape.
#[derive(Debug)]
struct Door(Admission);

impl Collector for Door {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let figures = self.0.figures();
        for (name, help, value) in [
            ("azora_reads_in_progress", "Reads that have a database connection", figures.in_progress),
            ("azora_reads_waiting", "Reads that wait for one", figures.waiting),
        ] {
            encoder
                .encode_descriptor(name, help, None, MetricType::Gauge)?
                .encode_gauge(&i64::from(value))?;
        }
        let refused = figures.refused_full + figures.refused_waited_too_long;
        let help = "Reads answered with 503, at once or after waiting";
        encoder
            .encode_descriptor("azora_reads_refused", help, None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, f64>(&refused, None)
    }
}

/// An instant as it is stored.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_leave_the_reserve() {
        let wait = Duration::from_secs(1);
        for (pool_size, reserve, reading) in [(25, 5, 20), (10, 5, 5), (5, 5, 1), (1, 5, 1), (25, 0, 25)] {
            let settings = AzoraSettings { azora_reserve: reserve, ..AzoraSettings::default() };
            let limits = limits(&settings, pool_size, wait).unwrap();
            assert_eq!((limits.max_in_progress(), limits.max_clients()), (reading, 1000), "{pool_size}");
        }
    }
}
