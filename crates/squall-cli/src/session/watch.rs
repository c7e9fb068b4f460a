//! Draws the progress of a run while it goes on.

use std::{
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use squall_engine::{
    ClockSource, Phase as EnginePhase, RunProgress, RunState, ScenarioStatus, ScenarioView as EngineView,
};
use squall_options::{Executor, format_go_duration};
use tokio::task::JoinHandle;

use crate::progress::{
    Phase, Progress, ProgressView, ScenarioState, ScenarioView, fixed_width_duration, padded,
};

/// Progress that is being drawn.
pub(super) struct Watching {
    source: Rc<Source>,
    progress: Rc<Progress>,
    drawing: Option<JoinHandle<()>>,
}

struct Source {
    run: Arc<RunProgress>,
    clock: ClockSource,
    state: Arc<RunState>,
}

/// Starts to draw. Must be called within a `LocalSet`.
pub(super) fn start(
    progress: Progress,
    run: Arc<RunProgress>,
    clock: ClockSource,
    state: Arc<RunState>,
) -> Watching {
    let source = Rc::new(Source { run, clock, state });
    let progress = Rc::new(progress);
    let drawing = progress.interval().map(|interval| {
        let (source, progress) = (Rc::clone(&source), Rc::clone(&progress));
        tokio::task::spawn_local(async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                progress.update(&source.view());
            }
        })
    });
    Watching { source, progress, drawing }
}

impl Watching {
    /// Draws the end.
    pub(super) fn stop(self) {
        if let Some(drawing) = self.drawing {
            drawing.abort();
            self.progress.finish(&self.source.view());
        }
    }
}

impl Source {
    fn view(&self) -> ProgressView {
        let now = self.clock.now();
        let phase = match self.run.phase() {
            EnginePhase::Init => Phase::Initializing,
            EnginePhase::Setup => Phase::Setup,
            EnginePhase::Running => Phase::Running,
            EnginePhase::Teardown | EnginePhase::Ended => Phase::Teardown,
        };
        let phase = if self.run.phase() == EnginePhase::Ended { Phase::Running } else { phase };
        let started = self.state.test_started.get().copied().unwrap_or(now);
        let scenarios = self.run.scenarios(now);
        ProgressView {
            phase,
            elapsed: now.saturating_sub(started),
            max_duration: self.run.requirements.duration_max.unwrap_or_default(),
            vus: scenarios.iter().map(|scenario| scenario.vus).sum(),
            vus_max: self.state.vus_initialized.load(Relaxed),
            complete: self.state.iterations_completed.load(Relaxed),
            interrupted: self.state.iterations_interrupted.load(Relaxed),
            scenarios: scenarios.iter().map(|scenario| self.scenario(scenario)).collect(),
        }
    }

    fn scenario(&self, scenario: &EngineView) -> ScenarioView {
        let state = match scenario.status {
            ScenarioStatus::Waiting(_) => ScenarioState::Waiting,
            ScenarioStatus::Running if scenario.time_left == Some(Duration::ZERO) => ScenarioState::Stopping,
            ScenarioStatus::Running => ScenarioState::Running,
            ScenarioStatus::Done if self.state.is_aborted() && scenario.fraction < 1.0 => {
                ScenarioState::Interrupted
            }
            ScenarioStatus::Done => ScenarioState::Done,
        };
        ScenarioView {
            name: scenario.run.config.name.clone(),
            state,
            progress: scenario.fraction,
            texts: texts(scenario),
        }
    }
}

/// The columns at the right of a bar, by executor.
fn texts(scenario: &EngineView) -> Vec<String> {
    if let ScenarioStatus::Waiting(wait) = scenario.status {
        return vec![format!("waiting {}", format_go_duration(Duration::from_secs(wait.as_secs())))];
    }
    let config = &scenario.run.config;
    let time = scenario.run.duration.map_or_else(
        || format_go_duration(Duration::from_secs(scenario.elapsed.as_secs())),
        |duration| {
            let elapsed = fixed_width_duration(scenario.elapsed.min(duration), duration);
            format!("{elapsed}/{}", format_go_duration(duration))
        },
    );
    match &config.executor {
        Executor::SharedIterations { vus, iterations, .. } => vec![
            format!("{vus} VUs"),
            time,
            format!("{}/{iterations} shared iters", padded(scenario.iterations_completed, *iterations)),
        ],
        Executor::PerVuIterations { vus, iterations, .. } => {
            let all = vus * iterations;
            vec![
                format!("{vus} VUs"),
                time,
                format!("{}/{all} iters, {iterations} per VU", padded(scenario.iterations_completed, all)),
            ]
        }
        Executor::ConstantVus { vus, .. } => vec![format!("{vus} VUs"), time],
        Executor::RampingVus { stages, start_vus, .. } => {
            let most = stages.iter().map(|stage| stage.target).chain([*start_vus]).max().unwrap_or(0);
            vec![format!("{}/{most} VUs", padded(scenario.vus_held, most)), time]
        }
        Executor::ConstantArrivalRate { .. } | Executor::RampingArrivalRate { .. } => {
            let rate = scenario.rate.unwrap_or_default();
            vec![
                format!("{}/{} VUs", padded(scenario.vus, scenario.vus_held), scenario.vus_held),
                time,
                format!("{rate:.2} iters/s"),
            ]
        }
        Executor::ExternallyControlled { max_vus, .. } => {
            vec![format!("{}/{max_vus} VUs", padded(scenario.vus_held, *max_vus)), time]
        }
    }
}
