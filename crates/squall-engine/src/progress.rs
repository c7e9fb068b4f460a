//! Where a run stands, readable from any thread at any time.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    Time,
    scenario::ScenarioRun,
    schedule::{ArrivalSchedule, Plan, Requirements, arrivals},
    worker::ArrivalRun,
};

/// What a run does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// VUs are created.
    Init,
    /// The script's `setup`.
    Setup,
    /// Scenarios run or wait for their start time.
    Running,
    /// The script's `teardown`.
    Teardown,
    /// Nothing of the script runs any more.
    Ended,
}

/// A run as the progress display sees it.
pub struct RunProgress {
    /// What it needs in all.
    pub requirements: Requirements,
    pub(crate) scenarios: Vec<ScenarioProgress>,
    pub(crate) phase: Mutex<Phase>,
    /// When scenarios' start times count from.
    pub(crate) base: OnceLock<Time>,
}

impl RunProgress {
    pub(crate) fn new(requirements: Requirements, scenarios: Vec<ScenarioProgress>) -> RunProgress {
        RunProgress { requirements, scenarios, phase: Mutex::new(Phase::Init), base: OnceLock::new() }
    }

    /// What the run does now.
    pub fn phase(&self) -> Phase {
        *self.phase.lock().expect("no panic under this lock")
    }

    pub(crate) fn enter(&self, phase: Phase) {
        *self.phase.lock().expect("no panic under this lock") = phase;
    }

    /// All scenarios, in the order of the options. `now` is the clock's time.
    pub fn scenarios(&self, now: Time) -> Vec<ScenarioView> {
        let since_base = self.base.get().map_or(Duration::ZERO, |base| now.saturating_sub(*base));
        self.scenarios.iter().map(|scenario| scenario.view(now, since_base)).collect()
    }
}

/// Where a scenario is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScenarioStatus {
    /// Before its start time, which is so far away.
    Waiting(Duration),
    /// From its start time to the return of its last VU.
    Running,
    /// Its VUs are back, or the run ended before its start.
    Done,
}

/// A scenario at one moment.
#[derive(Clone)]
pub struct ScenarioView {
    /// Name and configuration.
    pub run: Arc<ScenarioRun>,
    /// Where it is in its life.
    pub status: ScenarioStatus,
    /// VUs at work. An arrival rate's VUs are at work while they run an iteration.
    pub vus: u64,
    /// VUs that belong to the scenario now.
    pub vus_held: u64,
    /// Iterations that came to their end.
    pub iterations_completed: u64,
    /// Iterations that a time unit has at this moment of the plan, for arrival rates.
    pub rate: Option<f64>,
    /// Since its start, up to its end.
    pub elapsed: Duration,
    /// Until its regular end; `None` when it runs until it is told to stop.
    pub time_left: Option<Duration>,
    /// Part that is over, 0 to 1.
    pub fraction: f64,
}

/// Counts of one scenario, kept by the conductor.
pub(crate) struct ScenarioProgress {
    pub(crate) run: Arc<ScenarioRun>,
    pub(crate) plan: Plan,
    schedule: Option<ArrivalSchedule>,
    /// VUs activated and not yet returned.
    vus_held: AtomicU64,
    vu_returned: Notify,
    ended: OnceLock<Time>,
    pub(crate) arrivals: OnceLock<Arc<ArrivalRun>>,
}

impl ScenarioProgress {
    pub(crate) fn new(run: Arc<ScenarioRun>, plan: Plan) -> ScenarioProgress {
        ScenarioProgress {
            schedule: arrivals(&run.config.executor),
            run,
            plan,
            vus_held: AtomicU64::new(0),
            vu_returned: Notify::new(),
            ended: OnceLock::new(),
            arrivals: OnceLock::new(),
        }
    }

    pub(crate) fn vus_held(&self) -> u64 {
        self.vus_held.load(Relaxed)
    }

    pub(crate) fn hold_vu(&self) {
        self.vus_held.fetch_add(1, Relaxed);
    }

    pub(crate) fn release_vu(&self) {
        self.vus_held.fetch_sub(1, Relaxed);
        self.vu_returned.notify_one();
    }

    /// Ready when the scenario holds no VU any more.
    pub(crate) async fn all_returned(&self) {
        while self.vus_held() > 0 {
            self.vu_returned.notified().await;
        }
    }

    pub(crate) fn finish(&self, now: Time) {
        // A scenario ends once.
        let _ = self.ended.set(now);
    }

    fn view(&self, now: Time, since_base: Duration) -> ScenarioView {
        let held = self.vus_held();
        let idle = self.arrivals.get().map_or(0, |arrivals| arrivals.idle_count());
        let now = self.ended.get().copied().unwrap_or(now);
        let elapsed = self.run.started.get().map_or(Duration::ZERO, |started| now.saturating_sub(*started));
        let status = match (self.run.started.get(), self.ended.get()) {
            (_, Some(_)) => ScenarioStatus::Done,
            (Some(_), None) => ScenarioStatus::Running,
            (None, None) => ScenarioStatus::Waiting(self.run.config.start_time.saturating_sub(since_base)),
        };
        ScenarioView {
            status,
            vus: held.saturating_sub(idle),
            vus_held: held,
            iterations_completed: self.run.iterations_completed.load(Relaxed),
            rate: self.schedule.as_ref().map(|schedule| schedule.rate_at(elapsed)),
            elapsed,
            time_left: self.plan.duration.map(|duration| duration.saturating_sub(elapsed)),
            fraction: if status == ScenarioStatus::Done { 1.0 } else { self.run.progress(now) },
            run: self.run.clone(),
        }
    }
}
