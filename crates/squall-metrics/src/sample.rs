//! Raw samples, which exist only while an output asks for them.

use std::{sync::Arc, time::Duration};

use crate::{MetricId, TagSet};

/// One measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What was measured.
    pub metric: MetricId,
    /// Those of its series.
    pub tags: Arc<TagSet>,
    /// Time since the run's start.
    pub at: Duration,
    /// In the metric's unit: milliseconds, bytes or none.
    pub value: f64,
    /// What belongs to this sample but must not make a series of its own, such as `vu` and `iter`.
    pub metadata: Option<Arc<TagSet>>,
}

/// Takes batches of raw samples from the workers. Never blocks: what does not fit is dropped and counted.
pub trait SampleSink: Send + Sync {
    /// Takes a batch, in order of time.
    fn push(&self, batch: Arc<[Sample]>);
}
