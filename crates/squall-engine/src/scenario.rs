//! A scenario while it runs: what its VUs and the host modules may ask about it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use squall_metrics::TagSet;
use squall_options::{Scenario, Stripe};

use crate::Time;

/// Shared by the conductor and all workers.
pub struct ScenarioRun {
    pub config: Scenario,
    /// Run tags, scenario tags and the `scenario` system tag: the base of every sample's tags.
    pub tags: Arc<TagSet>,
    /// Which of the scenario's iterations are this process's.
    pub stripe: Stripe,
    /// When it started; unset until then.
    pub started: OnceLock<Time>,
    /// Length of its schedule without graceful periods; `None` runs until it is told to stop.
    pub duration: Option<Duration>,
    /// Iterations started so far in this process.
    pub iterations_started: AtomicU64,
    /// Iterations that the schedule asks for, when it counts them (shared and per-VU iterations).
    pub iterations_planned: Option<u64>,
    pub iterations_completed: AtomicU64,
}

impl ScenarioRun {
    /// Part of the schedule that is over, 0 to 1: by iterations where they are counted, else by time.
    pub fn progress(&self, now: Time) -> f64 {
        let Some(started) = self.started.get() else { return 0.0 };
        if let Some(planned) = self.iterations_planned.filter(|&planned| planned > 0) {
            return (self.iterations_completed.load(Relaxed) as f64 / planned as f64).min(1.0);
        }
        match self.duration {
            Some(duration) if !duration.is_zero() => {
                (now.saturating_sub(*started).as_secs_f64() / duration.as_secs_f64()).min(1.0)
            }
            _ => 0.0,
        }
    }
}
