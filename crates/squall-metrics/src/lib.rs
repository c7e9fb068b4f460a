//! Metrics: registry, tags, series, sinks, thresholds and the aggregate they end in. Pure: no I/O, no clock.

mod recorder;
mod registry;
mod sample;
mod selector;
mod sink;
mod tags;
mod trend;

pub use recorder::{Recorder, SERIES_LIMIT, SeriesDelta, SeriesId, Snapshot};
pub use registry::{Contains, MetricId, MetricInfo, MetricKind, RegisterError, Registry, builtin};
pub use sample::{Sample, SampleSink};
pub use selector::{Selector, SelectorError};
pub use sink::{CounterSink, GaugeSink, RateSink, Sink};
pub use tags::{TagSet, TagText};
pub use trend::{EXACT_LIMIT, TrendSink};
