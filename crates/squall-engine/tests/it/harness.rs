//! Runs scenarios with VUs that only take time, and shows what they did.

use std::{
    collections::BTreeMap,
    fmt::Write,
    future::Future,
    rc::Rc,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use futures_util::future::LocalBoxFuture;
use squall_engine::{
    Clock, Run, RunProgress, RunResult, RunSpec, RunState, Time, WorkerContext, Workers,
    scenario::ScenarioRun,
    vu::{Host, Iteration, Outcome, ScriptError, SetupData, StopSignal, Vu, VuId},
};
use squall_metrics::{
    Aggregate, AggregateConfig, MetricId, MetricTotal, Registry, Sample, SampleSink, Sink, TagSet,
    ThresholdSpec, builtin,
};
use squall_options::{Executor, Scenario, Stage, Stripe};
use tokio::task::{LocalSet, spawn_local};

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn stages(stages: &[(u64, u64)]) -> Vec<Stage> {
    stages.iter().map(|&(millis, target)| Stage { duration: ms(millis), target }).collect()
}

pub(crate) fn scenario(name: &str, executor: Executor) -> Scenario {
    Scenario {
        name: name.to_owned(),
        start_time: Duration::ZERO,
        graceful_stop: secs(30),
        env: BTreeMap::new(),
        exec: "default".to_owned(),
        tags: BTreeMap::new(),
        executor,
    }
}

/// How a call of the script goes.
#[derive(Clone)]
pub(crate) enum Call {
    Takes(Duration),
    Throws,
}

type Length = Arc<dyn Fn(VuId, Iteration) -> Duration + Send + Sync>;
type Meddler = Box<dyn FnOnce(Meddling) -> LocalBoxFuture<'static, ()>>;

/// What somebody who interferes with a run gets to hold.
pub(crate) struct Meddling {
    pub(crate) clock: Clock,
    pub(crate) state: Arc<RunState>,
    pub(crate) progress: Arc<RunProgress>,
    pub(crate) external: Option<squall_engine::ExternalControl>,
}

/// A run to be.
pub(crate) struct Given {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) stripe: Stripe,
    pub(crate) workers: usize,
    /// How long an iteration takes.
    pub(crate) length: Length,
    pub(crate) init: Call,
    pub(crate) setup: Call,
    pub(crate) teardown: Call,
    pub(crate) threshold: Option<(&'static str, &'static str)>,
    pub(crate) min_iteration_duration: Duration,
    pub(crate) sink: Option<Arc<Collected>>,
    pub(crate) meddler: Option<Meddler>,
}

/// A run of these scenarios whose iterations take this long.
pub(crate) fn given(scenarios: impl IntoIterator<Item = Scenario>, length: Duration) -> Given {
    Given {
        scenarios: scenarios.into_iter().collect(),
        stripe: Stripe::default(),
        workers: 2,
        length: Arc::new(move |_, _| length),
        init: Call::Takes(Duration::ZERO),
        setup: Call::Takes(Duration::ZERO),
        teardown: Call::Takes(Duration::ZERO),
        threshold: None,
        min_iteration_duration: Duration::ZERO,
        sink: None,
        meddler: None,
    }
}

/// A run that was.
pub(crate) struct Ran {
    pub(crate) result: RunResult,
    pub(crate) state: Arc<RunState>,
    log: Vec<Entry>,
    /// Clock time at its end.
    pub(crate) ended: Time,
}

#[derive(Clone, Debug)]
enum Entry {
    Call { name: &'static str, at: Time },
    Iteration { scenario: String, vu: VuId, iteration: Iteration, start: Time, end: Time, outcome: Outcome },
}

impl Given {
    pub(crate) fn length(
        self,
        length: impl Fn(VuId, Iteration) -> Duration + Send + Sync + 'static,
    ) -> Given {
        Given { length: Arc::new(length), ..self }
    }

    pub(crate) fn meddle<F: Future<Output = ()> + 'static>(
        self,
        meddler: impl FnOnce(Meddling) -> F + 'static,
    ) -> Given {
        Given { meddler: Some(Box::new(|run| Box::pin(meddler(run)))), ..self }
    }

    pub(crate) fn run(self) -> Ran {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            // Every jump of the clock takes a millisecond of tokio's time: this is a limit on jumps.
            tokio::time::timeout(secs(1_000), self.run_here()).await.expect("the run hangs")
        })
    }

    async fn run_here(self) -> Ran {
        let clock = Clock::virtual_time();
        let registry = Arc::new(Registry::new());
        let thresholds = self.threshold.map(|(metric, expression)| {
            let spec = ThresholdSpec {
                expression: expression.to_owned(),
                abort_on_fail: true,
                delay_abort_eval: Some(secs(3)),
            };
            (metric.to_owned(), vec![spec])
        });
        let config =
            AggregateConfig { thresholds: thresholds.into_iter().collect(), ..AggregateConfig::default() };
        let state = Arc::new(RunState::new(SystemTime::UNIX_EPOCH));
        let run = Run::new(RunSpec {
            scenarios: self.scenarios,
            stripe: self.stripe,
            aggregate: Aggregate::new(registry.clone(), config).unwrap(),
            registry,
            sinks: self.sink.into_iter().map(|sink| sink as Arc<dyn SampleSink>).collect(),
            state: state.clone(),
            tags: TagSet::empty(),
            scenario_tag: true,
            setup_timeout: Some(secs(60)),
            teardown_timeout: Some(secs(60)),
            min_iteration_duration: self.min_iteration_duration,
            workers: Some(self.workers),
        });
        if let Some(meddler) = self.meddler {
            spawn_local(meddler(Meddling {
                clock: clock.clone(),
                state: state.clone(),
                progress: run.progress(),
                external: run.external_control("external"),
            }));
        }
        let log = Arc::new(Mutex::new(Vec::new()));
        let (length, calls, entries) = (self.length, [self.init, self.setup, self.teardown], log.clone());
        let build = move |context| FakeHost {
            context: Rc::new(context),
            length: length.clone(),
            calls: calls.clone(),
            log: entries.clone(),
        };
        let result = run.execute(Workers::Local(clock.clone()), build).await.unwrap();
        let log = log.lock().unwrap().clone();
        Ran { result, state, log, ended: clock.now() }
    }
}

impl Ran {
    /// A line a VU: `vu1: start-end start-end`, in milliseconds; `!` marks an interrupted iteration.
    pub(crate) fn by_vu(&self) -> String {
        let mut lines: BTreeMap<(String, u64), String> = BTreeMap::new();
        for entry in &self.log {
            let Entry::Iteration { scenario, vu, start, end, outcome, .. } = entry else { continue };
            let line = lines.entry((scenario.clone(), vu.0)).or_default();
            let mark = if *outcome == Outcome::Interrupted { "!" } else { "" };
            write!(line, " {}-{}{mark}", start.as_millis(), end.as_millis()).unwrap();
        }
        let many = lines.keys().any(|(scenario, _)| scenario != "default");
        let render = |((scenario, vu), line): ((String, u64), String)| {
            if many { format!("{scenario} vu{vu}:{line}") } else { format!("vu{vu}:{line}") }
        };
        lines.into_iter().map(render).collect::<Vec<_>>().join("\n")
    }

    /// All starts in milliseconds.
    pub(crate) fn starts(&self) -> Vec<f64> {
        let mut starts: Vec<_> = self.iterations().map(|(_, _, start)| start.as_secs_f64() * 1e3).collect();
        starts.sort_by(f64::total_cmp);
        starts
    }

    pub(crate) fn iterations(&self) -> impl Iterator<Item = (VuId, Iteration, Time)> {
        self.log.iter().filter_map(|entry| match entry {
            Entry::Iteration { vu, iteration, start, .. } => Some((*vu, *iteration, *start)),
            Entry::Call { .. } => None,
        })
    }

    /// Init, setup and teardown calls and the first and last iteration, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let mut calls: Vec<String> = Vec::new();
        for entry in &self.log {
            let (name, at) = match entry {
                Entry::Call { name, at } => (*name, at),
                Entry::Iteration { start, .. } => ("iterations", start),
            };
            if name != "iterations" || calls.last().is_none_or(|last| !last.starts_with(name)) {
                calls.push(format!("{name} at {}", at.as_millis()));
            }
        }
        calls
    }

    pub(crate) fn total(&self, metric: MetricId) -> Option<&MetricTotal> {
        self.result.aggregate.total(metric)
    }

    pub(crate) fn dropped(&self) -> f64 {
        match self.total(builtin::DROPPED_ITERATIONS).map(|total| &total.sink) {
            Some(Sink::Counter(counter)) => counter.sum,
            _ => 0.0,
        }
    }

    pub(crate) fn interrupted(&self) -> u64 {
        self.state.iterations_interrupted.load(Relaxed)
    }
}

/// Keeps the raw samples of a run.
#[derive(Default)]
pub(crate) struct Collected(pub(crate) Mutex<Vec<Sample>>);

impl SampleSink for Collected {
    fn push(&self, batch: Arc<[Sample]>) {
        self.0.lock().unwrap().extend(batch.iter().cloned());
    }
}

struct FakeHost {
    context: Rc<WorkerContext>,
    length: Length,
    calls: [Call; 3],
    log: Arc<Mutex<Vec<Entry>>>,
}

impl Host for FakeHost {
    type Vu = FakeVu;

    async fn create(&self, id: VuId, _id_in_test: u64) -> Result<FakeVu, ScriptError> {
        let vu = FakeVu {
            id,
            scenario: String::new(),
            context: self.context.clone(),
            length: self.length.clone(),
            calls: self.calls.clone(),
            log: self.log.clone(),
        };
        if id != VuId(0) {
            vu.call("init", &self.calls[0], &StopSignal::default()).await?;
        }
        Ok(vu)
    }
}

struct FakeVu {
    id: VuId,
    scenario: String,
    context: Rc<WorkerContext>,
    length: Length,
    calls: [Call; 3],
    log: Arc<Mutex<Vec<Entry>>>,
}

impl FakeVu {
    async fn call(&self, name: &'static str, call: &Call, stop: &StopSignal) -> Result<(), ScriptError> {
        if name != "init" {
            self.log.lock().unwrap().push(Entry::Call { name, at: self.context.clock.now() });
        }
        match call {
            Call::Throws => Err(ScriptError::Exception(format!("{name} threw"))),
            Call::Takes(length) => match self.spend(*length, stop).await {
                Outcome::Completed => Ok(()),
                Outcome::Interrupted => Err(ScriptError::Interrupted),
            },
        }
    }

    async fn spend(&self, length: Duration, stop: &StopSignal) -> Outcome {
        tokio::select! {
            biased;
            () = stop.raised() => Outcome::Interrupted,
            () = self.context.clock.sleep(length) => Outcome::Completed,
        }
    }
}

impl Vu for FakeVu {
    fn activate(&mut self, scenario: &Arc<ScenarioRun>) {
        self.scenario = scenario.config.name.clone();
    }

    async fn iterate(&mut self, iteration: Iteration, stop: &StopSignal) -> Outcome {
        let start = self.context.clock.now();
        let outcome = self.spend((self.length)(self.id, iteration), stop).await;
        let end = self.context.clock.now();
        let (scenario, vu) = (self.scenario.clone(), self.id);
        self.log.lock().unwrap().push(Entry::Iteration { scenario, vu, iteration, start, end, outcome });
        if outcome == Outcome::Completed {
            let mut recorder = self.context.recorder.borrow_mut();
            let series = recorder.series(builtin::ITERATIONS, &TagSet::empty());
            recorder.record(series, 1.0, end);
        }
        outcome
    }

    async fn setup(&mut self, stop: &StopSignal) -> Result<SetupData, ScriptError> {
        self.call("setup", &self.calls[1], stop).await.map(|()| Some("{}".into()))
    }

    async fn teardown(&mut self, stop: &StopSignal) -> Result<(), ScriptError> {
        self.call("teardown", &self.calls[2], stop).await
    }
}
