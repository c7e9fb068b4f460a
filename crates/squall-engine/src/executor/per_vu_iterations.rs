//! `per-vu-iterations`: each VU runs the same number of iterations, within the maximum duration.

use std::time::Duration;

use super::Control;
use crate::{
    schedule::{Plan, Tenure},
    worker::{Quota, Work},
};

/// Iterations are not divided among segments: each VU keeps its number.
pub(super) fn plan(vus: u64, iterations: u64, max_duration: Duration, graceful_stop: Duration) -> Plan {
    let iterations = Some(vus.saturating_mul(iterations));
    Plan { iterations, ..Plan::level(vus, Some(max_duration), graceful_stop) }
}

pub(super) async fn run(control: &Control, vus: u64, iterations: u64, max_duration: Duration) {
    let ends_at = control.starts_at + max_duration;
    let tenure = Tenure::single(control.starts_at, ends_at, control.graceful_stop());
    control.activate_all(vus, || Work::Loop { tenure: tenure.clone(), quota: Quota::Own(iterations) }).await;
}
