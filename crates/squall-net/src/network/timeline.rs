//! A profile on the clock of a run: what holds when.

use std::time::Duration;

use squall_options::{Conditions, NetworkProfile};
use tokio::time::Instant;

/// The conditions over time.
#[derive(Debug)]
pub(super) struct Timeline {
    /// By the time from which they hold. What comes first also holds before.
    bands: Vec<(Instant, Conditions)>,
}

impl Timeline {
    /// The profile of a test that has begun, or will begin, at `start`.
    pub(super) fn new(profile: &NetworkProfile, start: Instant) -> Self {
        // A time beyond all clocks never comes.
        let bands = profile.bands().into_iter();
        let bands = bands.filter_map(|band| Some((start.checked_add(band.from)?, band.conditions)));
        Self { bands: bands.collect() }
    }

    /// What holds at a time.
    pub(super) fn at(&self, now: Instant) -> &Conditions {
        let after = self.bands.partition_point(|(from, _)| *from <= now);
        &self.bands[after.saturating_sub(1)].1
    }

    /// When something that happens so often `per_minute` has been due `times` since `from`; it may be never.
    pub(super) fn when(
        &self,
        from: Instant,
        mut times: f64,
        per_minute: impl Fn(&Conditions) -> f64,
    ) -> Option<Instant> {
        let mut since = from;
        loop {
            let rate = per_minute(self.at(since)) / 60.0;
            let next = self.bands.iter().map(|(from, _)| *from).find(|from| *from > since);
            let due = (rate > 0.0).then(|| Duration::try_from_secs_f64(times / rate).ok()).flatten();
            let due = due.and_then(|due| since.checked_add(due));
            match (due, next) {
                (Some(due), Some(next)) if due <= next => return Some(due),
                (_, Some(next)) => {
                    times -= rate * (next - since).as_secs_f64();
                    since = next;
                }
                (due, None) => return due,
            }
        }
    }
}
