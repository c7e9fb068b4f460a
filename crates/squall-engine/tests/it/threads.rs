//! The wiring that virtual time leaves out: real worker threads and the real clock.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    thread::{self, ThreadId},
    time::{Duration, SystemTime},
};

use squall_engine::{
    ClockSource, Run, RunResult, RunSpec, RunState, WorkerContext, Workers,
    scenario::ScenarioRun,
    vu::{Host, Iteration, Outcome, ScriptError, SetupData, StopSignal, Vu, VuId},
};
use squall_metrics::{Aggregate, AggregateConfig, Registry, Sink, TagSet, builtin};
use squall_options::{Executor, Stripe};
use tokio::task::LocalSet;

use crate::harness::{ms, scenario, secs};

type Threads = Arc<Mutex<HashSet<ThreadId>>>;

struct Counter {
    context: WorkerContext,
    threads: Threads,
}

struct Counting {
    clock: squall_engine::Clock,
    threads: Threads,
}

impl Host for Counter {
    type Vu = Counting;

    async fn create(&self, _id: VuId, _id_in_test: u64) -> Result<Counting, ScriptError> {
        Ok(Counting { clock: self.context.clock.clone(), threads: self.threads.clone() })
    }
}

impl Vu for Counting {
    fn activate(&mut self, _scenario: &Arc<ScenarioRun>) {}

    async fn iterate(&mut self, _iteration: Iteration, _stop: &StopSignal) -> Outcome {
        self.threads.lock().unwrap().insert(thread::current().id());
        self.clock.sleep(Duration::from_micros(50)).await;
        Outcome::Completed
    }

    async fn setup(&mut self, _stop: &StopSignal) -> Result<SetupData, ScriptError> {
        Ok(None)
    }

    async fn teardown(&mut self, _stop: &StopSignal) -> Result<(), ScriptError> {
        Ok(())
    }
}

fn run(executor: Executor) -> (RunResult, Arc<RunState>, usize) {
    let registry = Arc::new(Registry::new());
    let state = Arc::new(RunState::new(SystemTime::now()));
    let run = Run::new(RunSpec {
        scenarios: vec![scenario("default", executor)],
        stripe: Stripe::default(),
        aggregate: Aggregate::new(registry.clone(), AggregateConfig::default()).unwrap(),
        registry,
        sinks: Vec::new(),
        state: state.clone(),
        tags: TagSet::empty(),
        scenario_tag: true,
        setup_timeout: Some(secs(60)),
        teardown_timeout: Some(secs(60)),
        min_iteration_duration: Duration::ZERO,
        workers: Some(3),
    });
    let threads = Threads::default();
    let seen = threads.clone();
    let build = move |context| Counter { context, threads: threads.clone() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let execution = run.execute(Workers::Threads(ClockSource::new()), build);
    let result = LocalSet::new().block_on(&runtime, execution).unwrap();
    let thread_count = seen.lock().unwrap().len();
    (result, state, thread_count)
}

#[test]
fn vus_are_spread_over_threads() {
    let (result, state, threads) =
        run(Executor::PerVuIterations { vus: 30, iterations: 10, max_duration: secs(60) });
    assert_eq!((threads, result.abort_reason), (3, None));
    assert_eq!(state.iterations_completed.load(Relaxed), 300);
    assert_eq!(state.vus_initialized.load(Relaxed), 30);
}

/// How late they are is the machine's business; that all start or are dropped is ours.
#[test]
fn every_arrival_is_started_or_dropped() {
    let (result, state, _) = run(Executor::ConstantArrivalRate {
        rate: 5_000,
        time_unit: secs(1),
        duration: ms(100),
        pre_allocated_vus: 4,
        max_vus: 6,
    });
    let dropped = match result.aggregate.total(builtin::DROPPED_ITERATIONS).map(|total| &total.sink) {
        Some(Sink::Counter(dropped)) => dropped.sum,
        _ => 0.0,
    };
    assert_eq!(state.iterations_completed.load(Relaxed) as f64 + dropped, 500.0);
    // So is the processor; that the generator knows how it did is ours too.
    let generator = result.generator;
    assert!(generator.timer_lag_p99.is_some() && generator.cpu_share.is_some_and(|share| share > 0.0));
}
