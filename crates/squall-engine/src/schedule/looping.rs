//! When looping VUs start and stop. A ramp of VUs is a line; the n-th VU runs while the line is at or above n
//! on its way up, and until it has come down to n − 1.

use std::time::Duration;

use squall_options::{Stage, Stripe};

use super::Change;
use crate::Time;

#[cfg(test)]
mod tests;

/// Iterations start from `start` on and before `stop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: Time,
    pub(crate) stop: Time,
}

/// The time for which a scenario holds a VU: spans in which iterations start, and when the last is interrupted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tenure {
    pub(crate) spans: Vec<Span>,
    pub(crate) interrupt_at: Time,
}

impl Tenure {
    /// One span, whose last iteration may go on for `graceful_stop`.
    pub(crate) fn single(start: Time, stop: Time, graceful_stop: Duration) -> Tenure {
        Tenure { spans: vec![Span { start, stop }], interrupt_at: stop.saturating_add(graceful_stop) }
    }

    /// When the VU is needed.
    pub(crate) fn start(&self) -> Time {
        self.spans[0].start
    }

    /// When the last iteration starts at the latest.
    pub(crate) fn stop(&self) -> Time {
        self.spans[self.spans.len() - 1].stop
    }

    /// The same, `offset` later.
    pub(crate) fn after(mut self, offset: Duration) -> Tenure {
        for span in &mut self.spans {
            *span = Span { start: span.start + offset, stop: span.stop + offset };
        }
        self.interrupt_at += offset;
        self
    }

    pub(crate) fn demand(&self) -> [Change; 2] {
        [Change { at: self.start(), vus: 1 }, Change { at: self.interrupt_at, vus: -1 }]
    }
}

/// The number of VUs of a ramping-vus scenario over time.
#[derive(Clone, Copy)]
pub(crate) struct VuRamp<'a> {
    pub(crate) start_vus: u64,
    pub(crate) stages: &'a [Stage],
    /// How long an iteration may go on when the line leaves its VU behind.
    pub(crate) graceful_ramp_down: Duration,
    /// How long an iteration may go on when the last stage is over.
    pub(crate) graceful_stop: Duration,
}

impl VuRamp<'_> {
    /// All tenures in this process, by start. Those of one VU slot whose graceful ramp-down reaches into the
    /// next ramp-up are one: as in k6, the slot keeps its VU and its running iteration.
    pub(crate) fn tenures(&self, stripe: &Stripe) -> Vec<Tenure> {
        let most = self.stages.iter().map(|stage| stage.target).fold(self.start_vus, u64::max);
        let slots = (0..stripe.share_of(most)).map(|slot| stripe.global_index(slot) + 1);
        let mut tenures: Vec<_> = slots.flat_map(|nth| joined(self.slot_tenures(nth))).collect();
        // Stable: slots that start together take VUs in the order of their numbers.
        tenures.sort_by_key(Tenure::start);
        tenures
    }

    /// The spans of the n-th slot (from 1): walks the stages and notes where the line crosses it.
    fn slot_tenures(&self, nth: u64) -> Vec<Tenure> {
        let end: Duration = self.stages.iter().map(|stage| stage.duration).sum();
        let mut tenures = Vec::new();
        let mut running_since = (nth <= self.start_vus).then_some(Time::ZERO);
        let (mut stage_start, mut from) = (Time::ZERO, self.start_vus);
        for stage in self.stages {
            let height = from.abs_diff(stage.target);
            match running_since {
                None if nth <= stage.target => {
                    running_since = Some(stage_start + part(stage.duration, nth - from, height));
                }
                Some(start) if nth > stage.target => {
                    let stop = stage_start + part(stage.duration, from - (nth - 1), height);
                    let grace = self.graceful_ramp_down.min(end - stop + self.graceful_stop);
                    tenures.push(Tenure::single(start, stop, grace));
                    running_since = None;
                }
                _ => {}
            }
            stage_start += stage.duration;
            from = stage.target;
        }
        tenures.extend(running_since.map(|start| Tenure::single(start, end, self.graceful_stop)));
        // A ramp that ends at its peak needs the last VU for no time but its grace. k6 plans it, so do we.
        tenures.retain(|tenure| tenure.start() < tenure.interrupt_at);
        tenures
    }
}

fn joined(tenures: Vec<Tenure>) -> Vec<Tenure> {
    let mut joined: Vec<Tenure> = Vec::new();
    for tenure in tenures {
        match joined.last_mut().filter(|held| tenure.start() <= held.interrupt_at) {
            Some(held) => {
                held.spans.extend(tenure.spans);
                held.interrupt_at = tenure.interrupt_at;
            }
            None => joined.push(tenure),
        }
    }
    joined
}

/// `numerator / denominator` of a duration, exact to the nanosecond.
fn part(duration: Duration, numerator: u64, denominator: u64) -> Duration {
    let nanos = duration.as_nanos() * u128::from(numerator) / u128::from(denominator);
    Duration::from_nanos_u128(nanos)
}
