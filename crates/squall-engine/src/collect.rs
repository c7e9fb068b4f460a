//! The run's bookkeeping: brings what the threads recorded together every second, and looks at the thresholds.

use std::{
    cell::RefCell,
    convert::Infallible,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use squall_metrics::{Aggregate, TagSet, builtin};

use crate::{AbortReason, conductor::Conductor, worker::flush_raw_samples};

/// How often snapshots are collected and VUs are counted.
const INTERVAL: Duration = Duration::from_secs(1);

/// Thresholds are evaluated at every so-many-th collection: k6 looks at them every two seconds.
const THRESHOLDS_EVERY: u32 = 2;

/// Owns the aggregate while the run lasts.
pub(crate) struct Collector {
    conductor: Rc<Conductor>,
    aggregate: RefCell<Aggregate>,
    tags: Arc<TagSet>,
}

impl Collector {
    /// `tags` are those of the run, for the VU gauges.
    pub(crate) fn new(conductor: Rc<Conductor>, aggregate: Aggregate, tags: Arc<TagSet>) -> Collector {
        Collector { conductor, aggregate: RefCell::new(aggregate), tags }
    }

    /// Collects until it is dropped.
    pub(crate) async fn run(&self) -> Infallible {
        let context = &self.conductor.context;
        tokio::join!(self.tick(), flush_raw_samples(context, &self.conductor.shared.sinks)).0
    }

    /// The last collection, when all VUs are idle for good.
    pub(crate) async fn finish(self, test_duration: Duration) -> Aggregate {
        self.collect().await;
        let mut aggregate = self.aggregate.into_inner();
        aggregate.evaluate_final(test_duration);
        aggregate
    }

    async fn tick(&self) -> Infallible {
        let clock = &self.conductor.context.clock;
        let mut next = clock.now();
        for tick in 1_u32.. {
            next += INTERVAL;
            clock.sleep_until(next).await;
            self.count_vus();
            self.collect().await;
            if tick % THRESHOLDS_EVERY == 0 {
                self.evaluate();
            }
        }
        unreachable!("a run of 136 years")
    }

    fn count_vus(&self) {
        let state = self.conductor.state();
        self.conductor.record(builtin::VUS, &self.tags, state.vus_active.load(Relaxed) as f64);
        self.conductor.record(builtin::VUS_MAX, &self.tags, state.vus_initialized.load(Relaxed) as f64);
    }

    async fn collect(&self) {
        let snapshots = self.conductor.drain().await;
        let mut aggregate = self.aggregate.borrow_mut();
        for snapshot in &snapshots {
            aggregate.merge(snapshot);
        }
    }

    fn evaluate(&self) {
        let test_duration = self.conductor.test_duration();
        if self.aggregate.borrow_mut().evaluate(test_duration).abort {
            self.conductor.state().abort(AbortReason::Thresholds);
        }
    }
}
