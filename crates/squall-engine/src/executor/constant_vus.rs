//! `constant-vus`: a fixed number of VUs iterate one after the other until the duration is over.

use std::time::Duration;

use super::Control;
use crate::{
    schedule::{Plan, Tenure},
    worker::{Quota, Work},
};

pub(super) fn plan(vus: u64, duration: Duration, graceful_stop: Duration) -> Plan {
    Plan::level(vus, Some(duration), graceful_stop)
}

pub(super) async fn run(control: &Control, vus: u64, duration: Duration) {
    let ends_at = control.starts_at + duration;
    let tenure = Tenure::single(control.starts_at, ends_at, control.graceful_stop());
    control.activate_all(vus, || Work::Loop { tenure: tenure.clone(), quota: Quota::Unlimited }).await;
}
