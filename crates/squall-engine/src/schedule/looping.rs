//! When looping VUs start and stop. A ramp of VUs is a line; the n-th VU runs while the line is at or above n
//! on its way up, and until it has come down to n − 1.

use std::{cmp::Reverse, time::Duration};

use squall_options::{Stage, Stripe};

use super::Change;
use crate::Time;

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

/// All tenures of a ramping-vus scenario in this process, by start. Those of one VU slot whose graceful
/// ramp-down reaches into the next ramp-up are one: as in k6, the slot keeps its VU and its running iteration.
pub(crate) fn ramping_tenures(
    start_vus: u64,
    stages: &[Stage],
    graceful_ramp_down: Duration,
    graceful_stop: Duration,
    stripe: &Stripe,
) -> Vec<Tenure> {
    let end: Duration = stages.iter().map(|stage| stage.duration).sum();
    let most = stages.iter().map(|stage| stage.target).fold(start_vus, u64::max);
    let last_interrupt = end + graceful_stop;
    let mut tenures: Vec<Tenure> = (0..stripe.share_of(most))
        .flat_map(|slot| {
            let spans = slot_spans(stripe.global_index(slot) + 1, start_vus, stages);
            hold_through_grace(spans, |span| {
                let grace = if span.stop < end { graceful_ramp_down } else { graceful_stop };
                (span.stop + grace).min(last_interrupt)
            })
        })
        .collect();
    // Stable: slots that start together take VUs in the order of their numbers.
    tenures.sort_by_key(|tenure| (tenure.start(), Reverse(tenure.interrupt_at)));
    tenures
}

/// The spans of the n-th slot (from 1): walks the stages and notes where the line crosses it.
fn slot_spans(nth: u64, start_vus: u64, stages: &[Stage]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut running_since = (nth <= start_vus).then_some(Time::ZERO);
    let (mut stage_start, mut from) = (Time::ZERO, start_vus);
    for stage in stages {
        let height = from.abs_diff(stage.target);
        match running_since {
            None if nth <= stage.target => {
                running_since = Some(stage_start + part(stage.duration, nth - from, height));
            }
            Some(start) if nth > stage.target => {
                let stop = stage_start + part(stage.duration, from - (nth - 1), height);
                spans.push(Span { start, stop });
                running_since = None;
            }
            _ => {}
        }
        stage_start += stage.duration;
        from = stage.target;
    }
    spans.extend(running_since.map(|start| Span { start, stop: stage_start }));
    spans.retain(|span| span.start < span.stop);
    spans
}

fn hold_through_grace(spans: Vec<Span>, interrupt_at: impl Fn(&Span) -> Time) -> Vec<Tenure> {
    let mut tenures: Vec<Tenure> = Vec::new();
    for span in spans {
        let interrupt = interrupt_at(&span);
        match tenures.last_mut().filter(|held| span.start <= held.interrupt_at) {
            Some(held) => {
                held.spans.push(span);
                held.interrupt_at = interrupt;
            }
            None => tenures.push(Tenure { spans: vec![span], interrupt_at: interrupt }),
        }
    }
    tenures
}

/// `numerator / denominator` of a duration, exact to the nanosecond.
fn part(duration: Duration, numerator: u64, denominator: u64) -> Duration {
    let nanos = duration.as_nanos() * u128::from(numerator) / u128::from(denominator);
    Duration::from_nanos_u128(nanos)
}
