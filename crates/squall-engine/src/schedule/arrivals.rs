//! When iterations of an arrival rate start: where the area under the rate reaches a whole number.
//!
//! The area is kept in whole units, `2 × time_unit` in nanoseconds being one iteration. A stage from rate a to
//! b then has area `(a + b) × duration`: sums over stages are exact and nothing drifts, however long the run.

use std::time::Duration;

use squall_options::Stage;

#[cfg(test)]
mod tests;

/// The start times of a whole test's arrivals, in time since the scenario's start.
#[derive(Clone, Debug)]
pub(crate) struct ArrivalSchedule {
    ramps: Vec<Ramp>,
    /// Area of one iteration.
    unit: u128,
    /// The area at which the first iteration starts, in iterations.
    first: u64,
    count: u64,
    duration: Duration,
}

/// A stage with its place in the whole.
#[derive(Clone, Debug)]
struct Ramp {
    start: Duration,
    duration: Duration,
    from: u64,
    to: u64,
    area_before: u128,
}

impl ArrivalSchedule {
    /// The first at zero, then one every `time_unit / rate`, none at the end.
    pub(crate) fn constant(rate: u64, time_unit: Duration, duration: Duration) -> ArrivalSchedule {
        let level = Stage { duration, target: rate };
        let schedule = ArrivalSchedule::ramping(rate, time_unit, &[level]);
        let count = clamped(schedule.area().div_ceil(schedule.unit));
        ArrivalSchedule { first: 0, count, ..schedule }
    }

    /// The n-th when the integral of the rate reaches n: none at zero, and the last may be at the very end.
    pub(crate) fn ramping(start_rate: u64, time_unit: Duration, stages: &[Stage]) -> ArrivalSchedule {
        let (mut start, mut from, mut area_before) = (Duration::ZERO, start_rate, 0);
        let mut ramps = Vec::with_capacity(stages.len());
        for stage in stages {
            let ramp = Ramp { start, duration: stage.duration, from, to: stage.target, area_before };
            (start, from) = (start + stage.duration, stage.target);
            area_before += ramp.area();
            ramps.push(ramp);
        }
        let unit = 2 * time_unit.as_nanos().max(1);
        ArrivalSchedule { ramps, unit, first: 1, count: clamped(area_before / unit), duration: start }
    }

    /// When the n-th arrival (from 0) starts, if there are so many.
    pub(crate) fn start_of(&self, n: u64) -> Option<Duration> {
        if n >= self.count {
            return None;
        }
        let area = (u128::from(n) + u128::from(self.first)) * self.unit;
        let reached = self.ramps.partition_point(|ramp| ramp.area_before + ramp.area() < area);
        let ramp = &self.ramps[reached];
        Some((ramp.start + ramp.time_of(area - ramp.area_before)).min(self.duration))
    }

    /// How many arrivals there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    fn area(&self) -> u128 {
        self.ramps.last().map_or(0, |last| last.area_before + last.area())
    }

    /// Iterations that start in a `time_unit` at the rate of this moment.
    pub(crate) fn rate_at(&self, time: Duration) -> f64 {
        let begun = self.ramps.partition_point(|ramp| ramp.start <= time);
        let Some(ramp) = begun.checked_sub(1).map(|last| &self.ramps[last]) else { return 0.0 };
        let part = (time - ramp.start).div_duration_f64(ramp.duration.max(Duration::from_nanos(1))).min(1.0);
        ramp.from as f64 + (ramp.to as f64 - ramp.from as f64) * part
    }

    /// Length of the schedule.
    pub(crate) fn duration(&self) -> Duration {
        self.duration
    }
}

fn clamped(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Ramp {
    fn area(&self) -> u128 {
        (u128::from(self.from) + u128::from(self.to)) * self.duration.as_nanos()
    }

    /// The time since the ramp's start at which `area` is under it. With x the time and d the duration,
    /// `(to − from)/d × x² + 2 × from × x = area`; solved in the form that does not cancel.
    fn time_of(&self, area: u128) -> Duration {
        if self.from == self.to {
            return Duration::from_nanos_u128(area / (2 * u128::from(self.from)).max(1));
        }
        let (from, to, area) = (self.from as f64, self.to as f64, area as f64);
        let slope = (to - from) / self.duration.as_nanos() as f64;
        let nanos = area / (from + (from * from + slope * area).max(0.0).sqrt());
        if nanos.is_finite() { Duration::from_nanos(nanos.round() as u64) } else { Duration::ZERO }
    }
}
