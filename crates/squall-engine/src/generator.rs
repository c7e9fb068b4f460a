//! What the load generator notices about itself while a run goes on.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use squall_metrics::Pauses;

use crate::{Clock, Time};

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

/// Processor time of a stretch of the run.
pub(crate) struct CpuWatch {
    began: Option<(Time, Duration)>,
}

impl CpuWatch {
    /// From now on.
    pub(crate) fn start(clock: &Clock) -> CpuWatch {
        CpuWatch { began: clock.cpu_time().map(|cpu| (clock.now(), cpu)) }
    }

    /// The process's share of `cores` processors until now, 0 to 1.
    pub(crate) fn share(&self, clock: &Clock, cores: usize) -> Option<f64> {
        let (began, cpu_then) = self.began?;
        let cpu = clock.cpu_time()?.saturating_sub(cpu_then);
        let passed = clock.now().saturating_sub(began).as_secs_f64();
        (passed > 0.0).then(|| (cpu.as_secs_f64() / (passed * cores as f64)).min(1.0))
    }
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
