//! The load generator's verdict on itself. What a saturated generator measures is partly its own slowness, so its
//! signs stand beside the results.

use std::time::Duration;

/// Latest start of an iteration, of 99.9 % of them. What waits longer for its start than that has waited for the
/// generator about as long as for many a service.
pub const LATENESS_P999_MAX: Duration = Duration::from_millis(10);

/// Latest wake-up of a worker's timers, of 99 % of them. A worker that looks at its timers so late looks at its
/// sockets as late, and all response times it takes contain that. The kernel alone makes single wake-ups a few
/// milliseconds late when other processes want the same cores.
pub const TIMER_LAG_P99_MAX: Duration = Duration::from_millis(10);

/// Share of the machine's processors that the process may take over the whole test. Above it requests queue for
/// processor time in any second that is busier than the mean.
pub const CPU_SHARE_MAX: f64 = 0.9;

/// Longest time that a worker may stand still to collect memory: every request under way there seems so much slower.
pub const PAUSE_MAX: Duration = Duration::from_millis(50);

/// What a run noticed about the process that made the load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeneratorHealth {
    /// How late iterations started, 99.9th percentile; `None` when no executor intended a time.
    pub lateness_p999: Option<Duration>,
    /// How late the workers' own timers fired, 99th percentile; `None` without timers.
    pub timer_lag_p99: Option<Duration>,
    /// The process's share of the machine's processors during the test, 0 to 1; `None` when the system does not say.
    pub cpu_share: Option<f64>,
    /// Processors of the machine.
    pub cores: usize,
    /// Workers that stood still to collect memory.
    pub pauses: Pauses,
    /// Raw samples that did not fit into the queue of an output.
    pub samples_dropped: u64,
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

/// One thing that tells how the generator did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sign {
    /// Iterations started so late, 99.9th percentile.
    Lateness(Duration),
    /// Timers fired so late, 99th percentile.
    TimerLag(Duration),
    /// Share of so many processors.
    Cpu { share: f64, cores: usize },
    /// Workers stood still.
    Pauses(Pauses),
    /// So many raw samples are missing from the outputs.
    SamplesDropped(u64),
}

impl GeneratorHealth {
    /// Whether any sign is beyond its limit.
    pub fn is_saturated(&self) -> bool {
        self.signs().any(|sign| sign.is_bad())
    }

    /// What there is to tell, by weight.
    pub fn signs(&self) -> impl Iterator<Item = Sign> {
        let GeneratorHealth { lateness_p999, timer_lag_p99, cpu_share, cores, pauses, samples_dropped } =
            *self;
        let signs = [
            lateness_p999.map(Sign::Lateness),
            timer_lag_p99.map(Sign::TimerLag),
            cpu_share.map(|share| Sign::Cpu { share, cores }),
            (pauses.count > 0).then_some(Sign::Pauses(pauses)),
            (samples_dropped > 0).then_some(Sign::SamplesDropped(samples_dropped)),
        ];
        signs.into_iter().flatten()
    }
}

impl Sign {
    /// Whether it makes the generator saturated.
    pub fn is_bad(&self) -> bool {
        match *self {
            Sign::Lateness(lateness) => lateness > LATENESS_P999_MAX,
            Sign::TimerLag(lag) => lag > TIMER_LAG_P99_MAX,
            Sign::Cpu { share, .. } => share > CPU_SHARE_MAX,
            Sign::Pauses(pauses) => pauses.longest > PAUSE_MAX,
            // What an output did not take is missing for good.
            Sign::SamplesDropped(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_sign_is_enough() {
        let ms = |ms| Some(Duration::from_millis(ms));
        let pauses =
            |ms| Pauses { count: 2, sum: Duration::from_secs(9), longest: Duration::from_millis(ms) };
        let fine = GeneratorHealth {
            lateness_p999: ms(10),
            timer_lag_p99: ms(10),
            cpu_share: Some(0.9),
            cores: 2,
            pauses: pauses(50),
            samples_dropped: 0,
        };
        assert!(!fine.is_saturated() && !GeneratorHealth::default().is_saturated());
        for bad in [
            GeneratorHealth { lateness_p999: ms(11), ..fine.clone() },
            GeneratorHealth { timer_lag_p99: ms(11), ..fine.clone() },
            GeneratorHealth { cpu_share: Some(0.91), ..fine.clone() },
            GeneratorHealth { pauses: pauses(51), ..fine.clone() },
            GeneratorHealth { samples_dropped: 1, ..fine.clone() },
        ] {
            assert_eq!((bad.is_saturated(), bad.signs().filter(Sign::is_bad).count()), (true, 1), "{bad:?}");
        }
    }

    #[test]
    fn what_did_not_happen_is_no_sign() {
        assert_eq!(GeneratorHealth::default().signs().count(), 0);
    }
}
