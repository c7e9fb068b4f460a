//! What both arrival rates share: the VUs that wait for arrivals. The arrivals themselves run on the workers.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use super::Control;
use crate::{
    schedule::{ArrivalSchedule, Plan},
    vu::ScriptError,
    worker::{ArrivalRun, Command, Work},
};

/// `vus` are the VUs to begin with and the most that there may be.
pub(super) fn plan(vus: RangeInclusive<u64>, duration: Duration, graceful_stop: Duration) -> Plan {
    let plan = Plan::level(*vus.start(), Some(duration), graceful_stop);
    Plan { unplanned_vus: vus.end().saturating_sub(*vus.start()), is_idle: *vus.end() == 0, ..plan }
}

/// Starts with the first number of VUs of `vus` and grows to the last one while arrivals find none idle.
pub(super) async fn run(control: &Control, schedule: ArrivalSchedule, vus: RangeInclusive<u64>) {
    let conductor = &control.conductor;
    let workers = conductor.worker_count();
    let (index, scenario) = (control.index, control.run.clone());
    let run = ArrivalRun::new(index, scenario, schedule, control.starts_at, workers);
    let run = control.progress().arrivals.get_or_init(|| Arc::new(run));
    for _ in 0..*vus.start() {
        let Some(vu) = control.take_vu().await else { return };
        control.activate(vu, Work::Arrivals(run.clone()));
    }
    // An arrival must find every VU, also those of other workers.
    conductor.settle().await;
    for worker in 0..workers {
        conductor.send(worker, Command::StartArrivals(run.clone()));
    }
    tokio::select! {
        () = add_vus_on_demand(control, run, *vus.end()) => {}
        _ = control.reach(run.ends_at()) => {}
    }
}

/// One VU at a time is added when an arrival finds none; what is missed meanwhile asks for no other. As in k6
/// such VUs are always new ones: idle VUs of the pool are planned for other scenarios. One whose init code fails is
/// logged and not tried again; the others go on.
async fn add_vus_on_demand(control: &Control, run: &Arc<ArrivalRun>, vus_max: u64) {
    let mut vus_failed = 0;
    loop {
        run.vu_wanted.notified().await;
        let vus = control.progress().vus_held();
        if vus + vus_failed >= vus_max {
            tracing::warn!(
                scenario = control.run.config.name,
                "Insufficient VUs, reached {vus} active VUs and cannot initialize more"
            );
            return std::future::pending().await;
        }
        match control.conductor.create_vu().await {
            Ok(vu) => control.activate(vu, Work::Arrivals(run.clone())),
            Err(ScriptError::Interrupted) => return,
            Err(ScriptError::Exception(error)) => {
                vus_failed += 1;
                let (scenario, executor) =
                    (&control.run.config.name, control.run.config.executor.kind_name());
                tracing::error!(scenario, executor, "a VU could not be added: {error}");
            }
        }
    }
}
