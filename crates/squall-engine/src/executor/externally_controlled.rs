//! `externally-controlled`: VUs loop until the duration is over, as many as somebody outside says at the moment.

use std::{sync::Arc, time::Duration};

use squall_options::Executor;
use tokio::sync::watch;

use super::Control;
use crate::{
    AbortReason, Time,
    schedule::{Plan, Tenure},
    vu::{ScriptError, VuId},
    worker::{Command, Quota, Work},
};

/// What an externally controlled scenario is told to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalState {
    /// VUs that loop.
    pub vus: u64,
    /// VUs that exist for it, at least.
    pub vus_max: u64,
    /// No iterations start.
    pub is_paused: bool,
}

/// Controls a running scenario from any thread. Without effect on scenarios of other executors.
#[derive(Clone)]
pub struct ExternalControl(Arc<watch::Sender<ExternalState>>);

impl ExternalControl {
    /// What the configuration says at first, for this process's part of the executor.
    pub(crate) fn new(own_part: &Executor) -> ExternalControl {
        let (vus, vus_max) = match own_part {
            Executor::ExternallyControlled { vus, max_vus, .. } => (*vus, *max_vus),
            _ => (0, 0),
        };
        ExternalControl(Arc::new(watch::Sender::new(ExternalState { vus, vus_max, is_paused: false })))
    }

    /// What the scenario was told last.
    pub fn state(&self) -> ExternalState {
        *self.0.borrow()
    }

    /// Tells it something else. VUs that are too many finish their iteration.
    pub fn set(&self, state: ExternalState) {
        self.0.send_replace(state);
    }
}

pub(super) fn plan(vus_max: u64, duration: Option<Duration>, graceful_stop: Duration) -> Plan {
    Plan::level(vus_max, duration, graceful_stop)
}

pub(super) async fn run(control: &Control, duration: Option<Duration>) {
    let ends_at = duration.map_or(Time::MAX, |duration| control.starts_at + duration);
    tokio::select! {
        _ = control.reach(ends_at) => {}
        Err(error) = follow(control, ends_at) => {
            if let ScriptError::Exception(message) = error {
                control.state().abort(AbortReason::Exception(message));
            }
        }
    }
}

/// Starts and retires VUs, the youngest first, so that their number is the one wanted. Ends only with an error.
async fn follow(control: &Control, ends_at: Time) -> Result<std::convert::Infallible, ScriptError> {
    let conductor = &control.conductor;
    let mut wanted = control.external.0.subscribe();
    let mut looping: Vec<VuId> = Vec::new();
    let mut vus_max = control.external.state().vus_max;
    loop {
        let state = *wanted.borrow_and_update();
        if state.vus_max > vus_max {
            conductor.fill_pool(state.vus_max - vus_max).await?;
            vus_max = state.vus_max;
        }
        let target = if state.is_paused { 0 } else { state.vus.min(state.vus_max) as usize };
        while looping.len() < target {
            let vu = conductor.pool.take().await;
            let tenure = Tenure::single(conductor.now(), ends_at, control.graceful_stop());
            control.activate(vu, Work::Loop { tenure, quota: Quota::Unlimited });
            looping.push(vu);
        }
        for vu in looping.split_off(target) {
            conductor.send(conductor.worker_of(vu), Command::Retire(vu));
        }
        // The sender lives in the control.
        let _ = wanted.changed().await;
    }
}
