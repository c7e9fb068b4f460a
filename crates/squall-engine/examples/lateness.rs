//! Measures the engine alone on real threads: how late arrivals start and how fast VUs are initialised.
//!
//! `cargo run --release -p squall-engine --example lateness -- [RATE] [SECONDS] [VUS]`

#![allow(clippy::print_stdout)]

use std::{
    collections::BTreeMap,
    env,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use squall_engine::{
    ClockSource, Run, RunSpec, RunState, WorkerContext, Workers,
    scenario::ScenarioRun,
    vu::{Host, Iteration, Outcome, ScriptError, SetupData, StopSignal, Vu, VuId},
};
use squall_metrics::{Aggregate, AggregateConfig, Registry, Sink, TagSet, builtin};
use squall_options::{Executor, Scenario, Stripe};

/// An iteration that waits two milliseconds, as a request would.
struct Sleeper(Rc<WorkerContext>);

impl Host for Sleeper {
    type Vu = Sleeper;

    async fn create(&self, _id: VuId, _id_in_test: u64) -> Result<Sleeper, ScriptError> {
        Ok(Sleeper(self.0.clone()))
    }
}

impl Vu for Sleeper {
    fn activate(&mut self, _scenario: &Arc<ScenarioRun>) {}

    async fn iterate(&mut self, _iteration: Iteration, stop: &StopSignal) -> Outcome {
        tokio::select! {
            () = self.0.clock.sleep(Duration::from_millis(2)) => Outcome::Completed,
            () = stop.raised() => Outcome::Interrupted,
        }
    }

    async fn setup(&mut self, _stop: &StopSignal) -> Result<SetupData, ScriptError> {
        Ok(None)
    }

    async fn teardown(&mut self, _stop: &StopSignal) -> Result<(), ScriptError> {
        Ok(())
    }
}

fn main() {
    let mut arguments = env::args().skip(1).map(|it| it.parse().expect("arguments are whole numbers"));
    let rate = arguments.next().unwrap_or(2_000);
    let duration = Duration::from_secs(arguments.next().unwrap_or(5));
    let vus = arguments.next().unwrap_or(10_000);
    let scenario = Scenario {
        name: "lateness".to_owned(),
        start_time: Duration::ZERO,
        graceful_stop: Duration::from_secs(1),
        env: BTreeMap::new(),
        exec: "default".to_owned(),
        tags: BTreeMap::new(),
        executor: Executor::ConstantArrivalRate {
            rate,
            time_unit: Duration::from_secs(1),
            duration,
            pre_allocated_vus: vus,
            max_vus: vus,
        },
    };
    let registry = Arc::new(Registry::new());
    let state = Arc::new(RunState::new(SystemTime::now()));
    let run = Run::new(RunSpec {
        scenarios: vec![scenario],
        stripe: Stripe::default(),
        aggregate: Aggregate::new(registry.clone(), AggregateConfig::default())
            .expect("no thresholds, no errors"),
        registry,
        sinks: Vec::new(),
        state: state.clone(),
        tags: TagSet::empty(),
        scenario_tag: true,
        setup_timeout: None,
        teardown_timeout: None,
        min_iteration_duration: Duration::ZERO,
        workers: None,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let workers = Workers::Threads(ClockSource::new());
    let execution = run.execute(workers, |context| Sleeper(Rc::new(context)));
    let result = tokio::task::LocalSet::new().block_on(&runtime, execution).expect("threads and timers");
    println!("{vus} VUs initialised after {:?}", state.test_started.get().expect("the run started"));
    println!("{} iterations completed", state.iterations_completed.load(Relaxed));
    if let Some(Sink::Trend(lateness)) =
        result.aggregate.total(builtin::ITERATION_LATENESS).map(|it| &it.sink)
    {
        for q in [0.5, 0.9, 0.99, 0.999, 1.0] {
            println!("lateness p({}) {:.3} ms", q * 100.0, lateness.quantile(q));
        }
    }
}
