//! `ramping-vus`: the number of looping VUs follows a line through the stages. Each VU starts and stops at the
//! exact time at which the line crosses its number.

use squall_options::Stripe;

use super::Control;
use crate::{
    schedule::{Plan, VuRamp},
    worker::{Quota, Work},
};

/// As in k6 it ends with its last VU: trailing stages at zero take no time.
pub(super) fn plan(ramp: VuRamp<'_>, stripe: &Stripe) -> Plan {
    let tenures = ramp.tenures(stripe);
    Plan {
        duration: Some(tenures.iter().map(|tenure| tenure.stop()).max().unwrap_or_default()),
        duration_max: Some(tenures.iter().map(|tenure| tenure.interrupt_at).max().unwrap_or_default()),
        iterations: None,
        demand: tenures.iter().flat_map(|tenure| tenure.demand()).collect(),
        unplanned_vus: 0,
        is_idle: tenures.is_empty(),
    }
}

pub(super) async fn run(control: &Control, ramp: VuRamp<'_>) {
    for tenure in ramp.tenures(control.stripe()) {
        let tenure = tenure.after(control.starts_at);
        if !control.reach(tenure.start()).await {
            return;
        }
        let Some(vu) = control.take_vu().await else { return };
        control.activate(vu, Work::Loop { tenure, quota: Quota::Unlimited });
    }
}
