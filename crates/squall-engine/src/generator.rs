//! What the load generator notices about itself while a run goes on.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Kept in [`RunState`](crate::RunState), so every thread of a run can add to it.
#[derive(Debug, Default)]
pub struct Generator {
    pauses: AtomicU64,
    pauses_ns: AtomicU64,
    pause_ns_max: AtomicU64,
}

impl Generator {
    /// A worker's VUs all stood still for this long, because memory of one of them was collected. Cheap enough for
    /// thousands a second; call it once a collection, from the thread that paused.
    pub fn record_pause(&self, pause: Duration) {
        let pause_ns = u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX);
        self.pauses.fetch_add(1, Relaxed);
        self.pauses_ns.fetch_add(pause_ns, Relaxed);
        self.pause_ns_max.fetch_max(pause_ns, Relaxed);
    }

    /// The pauses so far.
    pub fn pauses(&self) -> Pauses {
        Pauses {
            count: self.pauses.load(Relaxed),
            sum: Duration::from_nanos(self.pauses_ns.load(Relaxed)),
            longest: Duration::from_nanos(self.pause_ns_max.load(Relaxed)),
        }
    }
}

/// Times at which a worker stood still to collect memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pauses {
    /// How many there were, on all workers.
    pub count: u64,
    /// All of them together.
    pub sum: Duration,
    /// The longest one.
    pub longest: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_add_up() {
        let generator = Generator::default();
        assert_eq!(generator.pauses(), Pauses::default());
        for ms in [3, 7, 2] {
            generator.record_pause(Duration::from_millis(ms));
        }
        let (sum, longest) = (Duration::from_millis(12), Duration::from_millis(7));
        assert_eq!(generator.pauses(), Pauses { count: 3, sum, longest });
    }
}
