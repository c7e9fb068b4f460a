//! The run's bookkeeping: brings what the threads recorded together every second, and looks at the thresholds.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use squall_metrics::{Aggregate, GeneratorHealth, Sink, TagSet, TrendSink, builtin};

use crate::{AbortReason, conductor::Conductor, run::cores, vu::StopSignal, worker::Drained};

/// How often snapshots are collected and VUs are counted.
const INTERVAL: Duration = Duration::from_secs(1);

/// Thresholds are evaluated at every so-many-th collection: k6 looks at them every two seconds.
const THRESHOLDS_EVERY: u32 = 2;

/// Owns the aggregate while the run lasts.
pub(crate) struct Collector {
    conductor: Rc<Conductor>,
    aggregate: RefCell<Aggregate>,
    timer_lag_ms: RefCell<TrendSink>,
    tags: Arc<TagSet>,
}

impl Collector {
    /// `tags` are those of the run, for the VU gauges.
    pub(crate) fn new(conductor: Rc<Conductor>, aggregate: Aggregate, tags: Arc<TagSet>) -> Collector {
        Collector { conductor, aggregate: RefCell::new(aggregate), timer_lag_ms: RefCell::default(), tags }
    }

    /// Collects until the run has ended. Not to be dropped before: samples may be on their way.
    pub(crate) async fn run(&self, ended: &StopSignal) {
        let clock = &self.conductor.context.clock;
        let mut next = clock.now();
        for tick in 1_u32.. {
            // Ticks that were missed, because a worker took long to answer, are not made up for.
            next = (next + INTERVAL).max(clock.now());
            tokio::select! {
                biased;
                () = clock.sleep_until(next) => {}
                () = ended.raised() => return,
            }
            self.count_vus();
            self.collect().await;
            if tick % THRESHOLDS_EVERY == 0 {
                self.evaluate();
            }
        }
    }

    /// The last collection, when all VUs are idle for good.
    pub(crate) async fn finish(self, test_duration: Duration) -> (Aggregate, GeneratorHealth) {
        self.collect().await;
        let mut aggregate = self.aggregate.into_inner();
        aggregate.evaluate_final(test_duration);
        let lateness = aggregate.total(builtin::ITERATION_LATENESS).map(|total| &total.sink);
        let lateness_p999 = match lateness {
            Some(Sink::Trend(lateness)) => quantile(lateness, 0.999),
            _ => None,
        };
        let generator = GeneratorHealth {
            lateness_p999,
            timer_lag_p99: quantile(&self.timer_lag_ms.into_inner(), 0.99),
            cpu_share: self.conductor.cpu_share(),
            cores: cores(),
            pauses: self.conductor.state().generator.pauses(),
            // The outputs know.
            samples_dropped: 0,
        };
        (aggregate, generator)
    }

    fn count_vus(&self) {
        let state = self.conductor.state();
        self.conductor.record(builtin::VUS, &self.tags, state.vus_active.load(Relaxed) as f64);
        self.conductor.record(builtin::VUS_MAX, &self.tags, state.vus_initialized.load(Relaxed) as f64);
    }

    async fn collect(&self) {
        let drained = self.conductor.drain().await;
        let (mut aggregate, mut timer_lag_ms) = (self.aggregate.borrow_mut(), self.timer_lag_ms.borrow_mut());
        for Drained { snapshot, timer_lag_ms: lag_ms } in &drained {
            aggregate.merge(snapshot);
            timer_lag_ms.merge(lag_ms);
        }
        aggregate.merge(&self.conductor.context.recorder.borrow_mut().drain());
    }

    fn evaluate(&self) {
        let test_duration = self.conductor.test_duration();
        if self.aggregate.borrow_mut().evaluate(test_duration).abort {
            self.conductor.state().abort(AbortReason::Thresholds);
        }
    }
}

/// Of a trend in milliseconds.
fn quantile(trend_ms: &TrendSink, q: f64) -> Option<Duration> {
    (trend_ms.count() > 0).then(|| Duration::from_secs_f64(trend_ms.quantile(q).max(0.0) / 1e3))
}
