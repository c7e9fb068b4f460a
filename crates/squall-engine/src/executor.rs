//! Executors: each decides when the VUs of a scenario iterate. `plan` says what that will need; `run` follows
//! the plan on the conductor: it takes VUs from the pool, gives them their work, and waits for them to return.

use std::{future::Future, rc::Rc, sync::Arc, time::Duration};

use squall_options::{Executor, Scenario, Stripe};

use crate::{
    RunState, Time,
    conductor::Conductor,
    progress::ScenarioProgress,
    scenario::ScenarioRun,
    schedule::{Plan, VuRamp},
    vu::VuId,
    worker::{Command, Task, Work},
};

mod arrival_rate;
mod constant_arrival_rate;
mod constant_vus;
mod externally_controlled;
mod per_vu_iterations;
mod ramping_arrival_rate;
mod ramping_vus;
mod shared_iterations;

pub use externally_controlled::{ExternalControl, ExternalState};

/// What a scenario will need in the process that runs this stripe of it.
pub(crate) fn plan(scenario: &Scenario, stripe: &Stripe) -> Plan {
    let graceful_stop = scenario.graceful_stop;
    match own_part(&scenario.executor, stripe) {
        Executor::SharedIterations { vus, iterations, max_duration } => {
            shared_iterations::plan(vus, iterations, max_duration, graceful_stop)
        }
        Executor::PerVuIterations { vus, iterations, max_duration } => {
            per_vu_iterations::plan(vus, iterations, max_duration, graceful_stop)
        }
        Executor::ConstantVus { vus, duration } => constant_vus::plan(vus, duration, graceful_stop),
        Executor::RampingVus { start_vus, stages, graceful_ramp_down } => ramping_vus::plan(
            VuRamp { start_vus, stages: &stages, graceful_ramp_down, graceful_stop },
            stripe,
        ),
        Executor::ConstantArrivalRate { duration, pre_allocated_vus, max_vus, .. } => {
            arrival_rate::plan(pre_allocated_vus..=max_vus, duration, graceful_stop)
        }
        Executor::RampingArrivalRate { stages, pre_allocated_vus, max_vus, .. } => {
            let duration = stages.iter().map(|stage| stage.duration).sum();
            arrival_rate::plan(pre_allocated_vus..=max_vus, duration, graceful_stop)
        }
        Executor::ExternallyControlled { max_vus, duration, .. } => {
            externally_controlled::plan(max_vus, duration, graceful_stop)
        }
    }
}

/// The executor with this process's share of VUs and iterations. Ramps of VUs and rates stay whole: their VUs
/// and arrivals are dealt out one by one.
pub(crate) fn own_part(executor: &Executor, stripe: &Stripe) -> Executor {
    let mut own = executor.clone();
    let share = |count: &mut u64| *count = stripe.share_of(*count);
    match &mut own {
        Executor::SharedIterations { vus, iterations, .. } => {
            *iterations = stripe.by_share_of(*vus).map_or(0, |part| part.share_of(*iterations));
            share(vus);
        }
        Executor::PerVuIterations { vus, .. } | Executor::ConstantVus { vus, .. } => share(vus),
        Executor::RampingVus { .. } => {}
        Executor::ConstantArrivalRate { pre_allocated_vus: vus, max_vus, .. }
        | Executor::RampingArrivalRate { pre_allocated_vus: vus, max_vus, .. }
        | Executor::ExternallyControlled { vus, max_vus, .. } => {
            share(vus);
            share(max_vus);
        }
    }
    own
}

/// Which iterations of a scenario are this process's. Those that VUs share or serve follow the VUs.
pub(crate) fn iteration_stripe(executor: &Executor, stripe: &Stripe) -> Stripe {
    let vus = match executor {
        Executor::SharedIterations { vus, .. } => *vus,
        Executor::ConstantArrivalRate { max_vus, .. } | Executor::RampingArrivalRate { max_vus, .. } => {
            *max_vus
        }
        _ => return stripe.clone(),
    };
    // Without a VU there are no iterations to number.
    stripe.by_share_of(vus).unwrap_or_else(|| stripe.clone())
}

/// A scenario's hold on the run.
pub(crate) struct Control {
    conductor: Rc<Conductor>,
    index: usize,
    run: Arc<ScenarioRun>,
    /// By the clock.
    starts_at: Time,
    /// Listened to by externally-controlled only.
    external: ExternalControl,
}

impl Control {
    pub(crate) fn new(
        conductor: Rc<Conductor>,
        index: usize,
        base: Time,
        external: ExternalControl,
    ) -> Control {
        let run = conductor.progress.scenarios[index].run.clone();
        let starts_at = base + run.config.start_time;
        Control { conductor, index, run, starts_at, external }
    }

    /// Waits for the start time and runs the scenario to the return of its last VU.
    pub(crate) async fn run(&self) {
        if !self.progress().plan.is_idle && self.reach(self.starts_at).await {
            // Nobody else sets it.
            let _ = self.run.started.set(self.starts_at);
            self.execute().await;
            self.progress().all_returned().await;
        }
        self.progress().finish(self.conductor.now());
    }

    async fn execute(&self) {
        match own_part(&self.run.config.executor, self.stripe()) {
            Executor::SharedIterations { vus, iterations, max_duration } => {
                shared_iterations::run(self, vus, iterations, max_duration).await;
            }
            Executor::PerVuIterations { vus, iterations, max_duration } => {
                per_vu_iterations::run(self, vus, iterations, max_duration).await;
            }
            Executor::ConstantVus { vus, duration } => constant_vus::run(self, vus, duration).await,
            Executor::RampingVus { start_vus, stages, graceful_ramp_down } => {
                let graceful_stop = self.graceful_stop();
                let ramp = VuRamp { start_vus, stages: &stages, graceful_ramp_down, graceful_stop };
                ramping_vus::run(self, ramp).await;
            }
            Executor::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus } => {
                constant_arrival_rate::run(self, rate, time_unit, duration, pre_allocated_vus..=max_vus)
                    .await;
            }
            Executor::RampingArrivalRate { start_rate, time_unit, stages, pre_allocated_vus, max_vus } => {
                let vus = pre_allocated_vus..=max_vus;
                ramping_arrival_rate::run(self, start_rate, time_unit, &stages, vus).await;
            }
            Executor::ExternallyControlled { duration, .. } => {
                externally_controlled::run(self, duration).await;
            }
        }
    }

    fn progress(&self) -> &ScenarioProgress {
        &self.conductor.progress.scenarios[self.index]
    }

    fn state(&self) -> &Arc<RunState> {
        self.conductor.state()
    }

    fn stripe(&self) -> &Stripe {
        &self.conductor.shared.stripe
    }

    fn graceful_stop(&self) -> Duration {
        self.run.config.graceful_stop
    }

    /// The output, or `None` when the run is aborted first.
    async fn unless_aborted<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.state().aborted() => None,
            output = future => Some(output),
        }
    }

    /// Waits for `time`; false when the run is aborted first.
    async fn reach(&self, time: Time) -> bool {
        self.unless_aborted(self.conductor.context.clock.sleep_until(time)).await.is_some()
    }

    /// A VU from the pool; `None` when the run is aborted before there is one.
    async fn take_vu(&self) -> Option<VuId> {
        self.unless_aborted(self.conductor.pool.take()).await
    }

    fn activate(&self, vu: VuId, work: Work) {
        self.progress().hold_vu();
        let task = Task { scenario_index: self.index, scenario: self.run.clone(), work };
        self.conductor.send(self.conductor.worker_of(vu), Command::Activate { vu, task });
    }

    /// Gives each of so many VUs its work, as fast as the pool has them.
    async fn activate_all(&self, vus: u64, work: impl Fn() -> Work) {
        for _ in 0..vus {
            let Some(vu) = self.take_vu().await else { return };
            self.activate(vu, work());
        }
    }
}
