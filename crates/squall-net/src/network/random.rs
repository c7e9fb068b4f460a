//! Random numbers that are the same wherever and whenever a seed is used.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): small, and its numbers are
/// part of no library's promise that could change.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The numbers that belong to these numbers.
    pub(super) fn of(parts: &[u64]) -> Self {
        let mut random = Self(0);
        for part in parts {
            random.0 ^= part;
            random.0 = random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Even over 0 to 1, without 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// `mean`, more or less by up to `spread`, and never less than nothing.
    pub(super) fn around(&mut self, mean: Duration, spread: Duration) -> Duration {
        if spread.is_zero() {
            return mean;
        }
        (mean + spread.mul_f64(2.0 * self.unit())).saturating_sub(spread)
    }

    /// How often something that comes once in a unit of time on average lets wait: exponential, mean 1.
    pub(super) fn wait(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }
}
