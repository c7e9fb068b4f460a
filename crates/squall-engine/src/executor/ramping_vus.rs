//! `ramping-vus`: the number of looping VUs follows a line through the stages. Each VU starts and stops at the
//! exact time at which the line crosses its number.

use std::time::Duration;

use squall_options::{Stage, Stripe};

use super::Control;
use crate::{
    schedule::{Plan, ramping_tenures},
    worker::{Quota, Work},
};

pub(super) fn plan(
    start_vus: u64,
    stages: &[Stage],
    graceful_ramp_down: Duration,
    graceful_stop: Duration,
    stripe: &Stripe,
) -> Plan {
    let tenures = ramping_tenures(start_vus, stages, graceful_ramp_down, graceful_stop, stripe);
    let duration = stages.iter().map(|stage| stage.duration).sum();
    Plan {
        demand: tenures.iter().flat_map(|tenure| tenure.demand()).collect(),
        is_idle: tenures.is_empty(),
        ..Plan::level(0, Some(duration), graceful_stop)
    }
}

pub(super) async fn run(control: &Control, start_vus: u64, stages: &[Stage], graceful_ramp_down: Duration) {
    let graceful_stop = control.graceful_stop();
    let tenures = ramping_tenures(start_vus, stages, graceful_ramp_down, graceful_stop, control.stripe());
    for tenure in tenures {
        let tenure = tenure.after(control.starts_at);
        if !control.reach(tenure.start()).await {
            return;
        }
        let Some(vu) = control.take_vu().await else { return };
        control.activate(vu, Work::Loop { tenure, quota: Quota::Unlimited });
    }
}
