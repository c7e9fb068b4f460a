//! What the engine tells of a run, as [`ProgressView`]: k6's words at the right of each bar.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use squall_engine::{self as engine, RunProgress, RunState, ScenarioStatus, Time};
use squall_options::{Executor, Stage, Stripe, format_go_duration};

use super::{ProgressView, ScenarioState, ScenarioView, fixed_width_duration, padded};

/// Watches one run.
pub struct Observer {
    run: Arc<RunProgress>,
    state: Arc<RunState>,
    stripe: Stripe,
    seen: Vec<Seen>,
}

/// What must be remembered of a scenario, because the engine tells only how things are now.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// How long it had run when it was first seen to be done.
    ended_after: Option<Duration>,
    /// The most VUs that it held.
    vus_held_max: u64,
}

impl Seen {
    fn look(&mut self, scenario: &engine::ScenarioView) {
        self.vus_held_max = self.vus_held_max.max(scenario.vus_held);
        if scenario.status == ScenarioStatus::Done {
            self.ended_after.get_or_insert(scenario.elapsed);
        }
    }
}

impl Observer {
    /// `stripe` is the part of the test that this process runs.
    pub fn new(run: Arc<RunProgress>, state: Arc<RunState>, stripe: Stripe) -> Observer {
        Observer { run, state, stripe, seen: Vec::new() }
    }

    /// The run at `now`, a time of its clock.
    pub fn view(&mut self, now: Time) -> ProgressView {
        let elapsed =
            self.state.test_started.get().map_or(Duration::ZERO, |start| now.saturating_sub(*start));
        let scenarios = self.run.scenarios(now);
        self.seen.resize(scenarios.len(), Seen::default());
        let aborted = self.state.is_aborted();
        let views = scenarios.iter().zip(&mut self.seen).map(|(scenario, seen)| {
            seen.look(scenario);
            show(scenario, *seen, aborted, &self.stripe)
        });
        ProgressView {
            phase: self.run.phase(),
            elapsed,
            max_duration: self.run.requirements.duration_max.unwrap_or(elapsed),
            vus: scenarios.iter().map(|scenario| scenario.vus).sum(),
            vus_max: self.state.vus_initialized.load(Relaxed),
            complete: self.state.iterations_completed.load(Relaxed),
            interrupted: self.state.iterations_interrupted.load(Relaxed),
            scenarios: views.collect(),
        }
    }
}

fn show(scenario: &engine::ScenarioView, seen: Seen, aborted: bool, stripe: &Stripe) -> ScenarioView {
    let run = &scenario.run;
    let elapsed = seen.ended_after.unwrap_or(scenario.elapsed);
    let progress = run.started.get().map_or(0.0, |started| run.progress(*started + elapsed));
    let state = match scenario.status {
        ScenarioStatus::Waiting(_) if aborted => ScenarioState::Interrupted,
        ScenarioStatus::Waiting(_) => ScenarioState::Waiting,
        ScenarioStatus::Running if run.duration.is_some_and(|duration| elapsed >= duration) => {
            ScenarioState::Stopping
        }
        ScenarioStatus::Running => ScenarioState::Running,
        ScenarioStatus::Done if aborted && progress < 1.0 => ScenarioState::Interrupted,
        ScenarioStatus::Done => ScenarioState::Done,
    };
    let texts = match scenario.status {
        ScenarioStatus::Waiting(left) => {
            vec!["waiting".to_owned(), fixed_width_duration(left, run.config.start_time)]
        }
        _ => texts(scenario, elapsed, seen.vus_held_max, state, stripe),
    };
    ScenarioView {
        name: run.config.name.clone(),
        state,
        progress: if state == ScenarioState::Done { 1.0 } else { progress },
        texts,
    }
}

fn texts(
    scenario: &engine::ScenarioView,
    elapsed: Duration,
    vus_held_max: u64,
    state: ScenarioState,
    stripe: &Stripe,
) -> Vec<String> {
    let share = |count| stripe.share_of(count);
    let of_iterations = || {
        let planned = scenario.run.iterations_planned.unwrap_or_default();
        format!("{}/{planned}", padded(scenario.iterations_completed, planned))
    };
    let of_vus = |max| format!("{}/{max} VUs", padded(scenario.vus, max));
    let of_rate = |time_unit: Duration| {
        let rate =
            scenario.rate.unwrap_or_default() * scenario.run.stripe.fraction() / time_unit.as_secs_f64();
        format!("{rate:.2} iters/s")
    };
    let of_time = |duration| time_of(elapsed, duration, state);
    match &scenario.run.config.executor {
        Executor::SharedIterations { vus, max_duration, .. } => vec![
            format!("{} VUs", share(*vus)),
            elapsed_of(elapsed, *max_duration),
            format!("{} shared iters", of_iterations()),
        ],
        Executor::PerVuIterations { vus, max_duration, iterations } => vec![
            format!("{} VUs", share(*vus)),
            elapsed_of(elapsed, *max_duration),
            format!("{} iters, {iterations} per VU", of_iterations()),
        ],
        Executor::ConstantVus { vus, duration } => {
            vec![format!("{} VUs", share(*vus)), of_time(*duration)]
        }
        Executor::RampingVus { start_vus, stages, .. } => {
            let highest = stages.iter().map(|stage| stage.target).fold(*start_vus, u64::max);
            vec![of_vus(share(highest)), of_time(total(stages))]
        }
        Executor::ConstantArrivalRate { time_unit, duration, .. } => {
            vec![of_vus(vus_held_max), of_time(*duration), of_rate(*time_unit)]
        }
        Executor::RampingArrivalRate { time_unit, stages, .. } => {
            vec![of_vus(vus_held_max), of_time(total(stages)), of_rate(*time_unit)]
        }
        Executor::ExternallyControlled { max_vus, duration, .. } => {
            let time = duration.map_or_else(|| fixed_width_duration(elapsed, elapsed), of_time);
            vec![of_vus(share(*max_vus)), time]
        }
    }
}

/// Where time says how much is done: `1.0s/2s`, and at the end the whole.
fn time_of(elapsed: Duration, duration: Duration, state: ScenarioState) -> String {
    match state {
        ScenarioState::Done | ScenarioState::Stopping => format_go_duration(duration),
        _ => elapsed_of(elapsed.min(duration), duration),
    }
}

/// Where something else says it: the time that was needed, and the limit.
fn elapsed_of(elapsed: Duration, limit: Duration) -> String {
    format!("{}/{}", fixed_width_duration(elapsed, limit), format_go_duration(limit))
}

fn total(stages: &[Stage]) -> Duration {
    stages.iter().map(|stage| stage.duration).sum()
}

#[cfg(test)]
mod tests;
