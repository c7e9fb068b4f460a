//! Sinks: what is kept of the samples of a series. They merge in any order to the same result.

use std::time::Duration;

use crate::{MetricKind, TrendSink};

/// The sum of a series' samples, by kind of metric.
#[derive(Clone, Debug)]
pub enum Sink {
    Counter(CounterSink),
    Gauge(GaugeSink),
    Rate(RateSink),
    Trend(TrendSink),
}

/// Sum of values and how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CounterSink {
    /// Of all values; k6 calls it count.
    pub sum: f64,
    /// Number of samples.
    pub count: u64,
}

/// Last value and extremes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GaugeSink {
    /// The value taken last.
    pub last: f64,
    /// When the last value was taken, since the run's start.
    pub last_at: Duration,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Number of samples.
    pub count: u64,
}

/// How many values there were and how many were not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RateSink {
    /// Values that are not zero.
    pub trues: u64,
    /// All values.
    pub total: u64,
}

impl Sink {
    /// An empty sink.
    pub fn new(kind: MetricKind) -> Sink {
        match kind {
            MetricKind::Counter => Sink::Counter(CounterSink::default()),
            MetricKind::Gauge => Sink::Gauge(GaugeSink::default()),
            MetricKind::Rate => Sink::Rate(RateSink::default()),
            MetricKind::Trend => Sink::Trend(TrendSink::default()),
        }
    }

    /// The kind of metric it sums up.
    pub fn kind(&self) -> MetricKind {
        match self {
            Sink::Counter(_) => MetricKind::Counter,
            Sink::Gauge(_) => MetricKind::Gauge,
            Sink::Rate(_) => MetricKind::Rate,
            Sink::Trend(_) => MetricKind::Trend,
        }
    }

    /// Number of samples.
    pub fn count(&self) -> u64 {
        match self {
            Sink::Counter(sink) => sink.count,
            Sink::Gauge(sink) => sink.count,
            Sink::Rate(sink) => sink.total,
            Sink::Trend(sink) => sink.count(),
        }
    }

    /// Adds a sample taken at a time since the run's start.
    #[inline]
    pub fn add(&mut self, value: f64, at: Duration) {
        match self {
            Sink::Counter(sink) => sink.add(value),
            Sink::Gauge(sink) => sink.add(value, at),
            Sink::Rate(sink) => sink.add(value),
            Sink::Trend(sink) => sink.add(value),
        }
    }

    /// Adds the samples of another sink of the same kind. Panics when the kinds differ.
    pub fn merge(&mut self, other: &Sink) {
        match (self, other) {
            (Sink::Counter(sink), Sink::Counter(other)) => sink.merge(other),
            (Sink::Gauge(sink), Sink::Gauge(other)) => sink.merge(other),
            (Sink::Rate(sink), Sink::Rate(other)) => sink.merge(other),
            (Sink::Trend(sink), Sink::Trend(other)) => sink.merge(other),
            (sink, other) => panic!("a {} cannot be merged into a {}", other.kind(), sink.kind()),
        }
    }

    /// Takes the contents out, leaving an empty sink.
    pub(crate) fn take(&mut self) -> Sink {
        match self {
            Sink::Counter(sink) => Sink::Counter(std::mem::take(sink)),
            Sink::Gauge(sink) => Sink::Gauge(std::mem::take(sink)),
            Sink::Rate(sink) => Sink::Rate(std::mem::take(sink)),
            Sink::Trend(sink) => Sink::Trend(sink.take()),
        }
    }
}

impl CounterSink {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn merge(&mut self, other: &CounterSink) {
        self.sum += other.sum;
        self.count += other.count;
    }

    /// Sum per second; 0 for a run without duration.
    pub fn rate(&self, run_duration: Duration) -> f64 {
        if run_duration.is_zero() { 0.0 } else { self.sum / run_duration.as_secs_f64() }
    }
}

impl GaugeSink {
    fn add(&mut self, value: f64, at: Duration) {
        self.merge(&GaugeSink { last: value, last_at: at, min: value, max: value, count: 1 });
        // Of samples at the same moment the one that was added last is the last.
        if at == self.last_at {
            self.last = value;
        }
    }

    fn merge(&mut self, other: &GaugeSink) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        // Across workers the larger of two values at the same moment is last: then no order of merging matters.
        if (other.last_at, other.last) >= (self.last_at, self.last) {
            (self.last_at, self.last) = (other.last_at, other.last);
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count += other.count;
    }
}

impl RateSink {
    fn add(&mut self, value: f64) {
        self.trues += u64::from(value != 0.0);
        self.total += 1;
    }

    pub(crate) fn merge(&mut self, other: &RateSink) {
        self.trues += other.trues;
        self.total += other.total;
    }

    /// Share of values that are not zero; 0 without values.
    pub fn rate(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.trues as f64 / self.total as f64 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const KINDS: [MetricKind; 3] = [MetricKind::Counter, MetricKind::Gauge, MetricKind::Rate];

    fn sink(kind: MetricKind, samples: &[(i8, u8)]) -> Sink {
        let mut sink = Sink::new(kind);
        samples.iter().for_each(|&(value, at)| sink.add(f64::from(value), Duration::from_secs(at.into())));
        sink
    }

    fn merged(mut into: Sink, other: &Sink) -> String {
        into.merge(other);
        format!("{into:?}")
    }

    #[test]
    fn a_gauge_has_its_latest_value_and_its_extremes() {
        let Sink::Gauge(gauge) = sink(MetricKind::Gauge, &[(5, 1), (-3, 9), (4, 2)]) else { unreachable!() };
        assert_eq!((gauge.last, gauge.min, gauge.max, gauge.count), (-3.0, -3.0, 5.0, 3));
        let Sink::Gauge(gauge) = sink(MetricKind::Gauge, &[(5, 1), (1, 1)]) else { unreachable!() };
        assert_eq!(gauge.last, 1.0);
    }

    #[test]
    fn rates_per_second_and_of_all() {
        let counter = CounterSink { sum: 3.0, count: 2 };
        assert_eq!((counter.rate(Duration::from_secs(2)), counter.rate(Duration::ZERO)), (1.5, 0.0));
        assert_eq!((RateSink { trues: 1, total: 4 }.rate(), RateSink::default().rate()), (0.25, 0.0));
    }

    proptest! {
        #[test]
        fn merging_equals_adding_in_any_order(values in vec(any::<i8>(), 0..40), cut in 0usize..40) {
            let all: Vec<_> = values.into_iter().zip(0..).collect();
            let (left, right) = all.split_at(cut.min(all.len()));
            for kind in KINDS {
                let (left, right) = (sink(kind, left), sink(kind, right));
                let expected = format!("{:?}", sink(kind, &all));
                prop_assert_eq!(merged(left.clone(), &right), expected.clone());
                prop_assert_eq!(merged(right, &left), expected);
            }
        }
    }
}
