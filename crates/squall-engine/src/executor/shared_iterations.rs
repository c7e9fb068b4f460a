//! `shared-iterations`: VUs take iterations from one number until none is left or the maximum duration is over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use squall_metrics::builtin;

use super::Control;
use crate::{
    schedule::{Plan, Tenure},
    worker::{Quota, Work},
};

pub(super) fn plan(vus: u64, iterations: u64, max_duration: Duration, graceful_stop: Duration) -> Plan {
    let plan = Plan::level(vus, Some(max_duration), graceful_stop);
    Plan { iterations: Some(iterations), is_idle: vus == 0 || iterations == 0, ..plan }
}

pub(super) async fn run(control: &Control, vus: u64, iterations: u64, max_duration: Duration) {
    let ends_at = control.starts_at + max_duration;
    let tenure = Tenure::single(control.starts_at, ends_at, control.graceful_stop());
    let left = Arc::new(AtomicU64::new(iterations));
    let work = || Work::Loop { tenure: tenure.clone(), quota: Quota::Shared(left.clone()) };
    control.activate_all(vus, work).await;
    control.progress().all_returned().await;
    let dropped = left.load(Relaxed);
    if dropped > 0 && !control.state().is_aborted() {
        control.conductor.record(builtin::DROPPED_ITERATIONS, &control.run.tags, dropped as f64);
    }
}
