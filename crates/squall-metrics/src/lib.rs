//! Metrics: registry, tags, series, sinks, thresholds and the aggregate they end in. Pure: no I/O, no clock.

mod aggregate;
mod generator;
mod network;
mod recorder;
mod registry;
mod sample;
mod section;
mod selector;
mod sink;
mod tags;
mod threshold;
mod trend;

pub use aggregate::{Aggregate, AggregateConfig, AggregateError, MetricTotal, ThresholdOutcome};
pub use generator::{
    CPU_SHARE_MAX, GeneratorHealth, LATENESS_P999_MAX, PAUSE_MAX, Pauses, Sign, TIMER_LAG_P99_MAX,
};
pub use network::NetworkMetrics;
pub use recorder::{Recorder, SERIES_LIMIT, SeriesDelta, SeriesId, Snapshot};
pub use registry::{Contains, MetricId, MetricInfo, MetricKind, RegisterError, Registry, builtin};
pub use sample::{Sample, SampleSink};
pub use section::{GROUP_SEPARATOR, Section, Sections};
pub use selector::{Selector, SelectorError};
pub use sink::{CounterSink, GaugeSink, RateSink, Sink};
pub use tags::{TagSet, TagText};
pub use threshold::{Aggregation, Operator, Threshold, ThresholdError, ThresholdExpression, ThresholdSpec};
pub use trend::{EXACT_LIMIT, TrendSink};
