//! Latencies of the last seconds, by buckets of a few percent.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// Each power of two is cut into as many buckets: a quantile is at most 1/16 above the true one.
const PARTS: u64 = 16;
const PARTS_LOG2: u32 = PARTS.ilog2();
/// Up to 2^32 µs, more than an hour.
const BUCKETS: usize = (32 - PARTS_LOG2 as usize + 1) * PARTS as usize;

/// Two windows take turns: one is being filled, and the one before is whole.
const WINDOW: Duration = Duration::from_secs(10);

/// Latencies of the last 10 to 20 s. Recording is one addition.
pub(super) struct Latencies {
    started: Instant,
    windows: [Window; 2],
}

struct Window {
    /// Counts windows since the start.
    number: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

/// What [`Latencies::recent`] found.
pub(super) struct Recent {
    /// How long ago the first of it can be.
    pub(super) span: Duration,
    buckets: Vec<u64>,
    count: u64,
}

impl Latencies {
    pub(super) fn new(started: Instant) -> Self {
        let window = |number: u64| Window {
            number: AtomicU64::new(number),
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
        };
        Self { started, windows: [window(0), window(1)] }
    }

    /// The window of `now`, emptied if it was that of an earlier time. What others record just then may be lost.
    fn window(&self, now: Instant) -> &Window {
        let number = (now - self.started).as_secs() / WINDOW.as_secs();
        let window = &self.windows[(number % 2) as usize];
        if window.number.load(Relaxed) != number && window.number.swap(number, Relaxed) != number {
            window.buckets.iter().for_each(|bucket| bucket.store(0, Relaxed));
        }
        window
    }

    pub(super) fn record(&self, now: Instant, latency: Duration) {
        self.window(now).buckets[bucket_of(latency.as_micros() as u64)].fetch_add(1, Relaxed);
    }

    pub(super) fn recent(&self, now: Instant) -> Recent {
        let since_start = now - self.started;
        let number = since_start.as_secs() / WINDOW.as_secs();
        let mut span = since_start - WINDOW * number as u32;
        let mut buckets = vec![0; BUCKETS];
        let mut add = |window: &Window| {
            for (sum, bucket) in buckets.iter_mut().zip(&window.buckets) {
                *sum += bucket.load(Relaxed);
            }
        };
        add(self.window(now));
        if number > 0 {
            span += WINDOW;
            let before = &self.windows[((number - 1) % 2) as usize];
            // If nothing was recorded then, it is of a time long past.
            if before.number.load(Relaxed) == number - 1 {
                add(before);
            }
        }
        let count = buckets.iter().sum();
        Recent { span, buckets, count }
    }
}

impl Recent {
    pub(super) fn per_second(&self) -> f64 {
        if self.span.is_zero() { 0.0 } else { self.count as f64 / self.span.as_secs_f64() }
    }

    /// The latency in milliseconds that the share `quantile` did not exceed. 0 if there was none.
    pub(super) fn quantile_ms(&self, quantile: f64) -> f64 {
        let rank = ((self.count as f64 * quantile).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bucket.map_or(0.0, |bucket| highest_us(bucket) as f64 / 1e3)
    }
}

/// Buckets of 1 µs up to [`PARTS`], then `PARTS` for each power of two.
fn bucket_of(us: u64) -> usize {
    let us = us.min(u64::from(u32::MAX));
    let doublings = us.max(PARTS).ilog2() - PARTS_LOG2;
    (u64::from(doublings) * PARTS + (us >> doublings)) as usize
}

/// The highest value of a bucket, in microseconds.
fn highest_us(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let doublings = (bucket / PARTS).saturating_sub(1);
    ((bucket - doublings * PARTS + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_values_within_a_sixteenth(us in 0..u64::from(u32::MAX)) {
            let bucket = bucket_of(us);
            prop_assert!(bucket < BUCKETS);
            prop_assert!(us <= highest_us(bucket));
            prop_assert!(highest_us(bucket) - us <= us / PARTS);
            prop_assert!(bucket == 0 || highest_us(bucket - 1) < us, "one bucket each");
        }
    }

    #[test]
    fn the_longest_has_the_last_bucket() {
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_of_the_last_windows() {
        let started = Instant::now();
        let latencies = Latencies::new(started);
        let at = |s: u64| started + Duration::from_secs(s);
        assert_eq!(latencies.recent(at(0)).quantile_ms(0.5), 0.0);
        for latency in 1..=100 {
            latencies.record(at(1), ms(latency));
        }
        let check = |now_s: u64, quantile: f64, expected_ms: f64| {
            let found = latencies.recent(at(now_s)).quantile_ms(quantile);
            assert!((expected_ms..=expected_ms * 17.0 / 16.0).contains(&found), "{found} at {now_s} s");
        };
        check(5, 0.50, 50.0);
        check(5, 0.95, 95.0);
        check(5, 0.99, 99.0);
        assert_eq!(latencies.recent(at(5)).per_second(), 20.0);
        // The next window begins, and this one counts until it ends.
        latencies.record(at(12), ms(1_000));
        check(12, 0.50, 51.0);
        check(12, 1.00, 1_000.0);
        check(25, 0.50, 1_000.0);
        assert_eq!(latencies.recent(at(45)).quantile_ms(0.5), 0.0);
        assert_eq!(latencies.recent(at(45)).span, Duration::from_secs(15));
    }
}
