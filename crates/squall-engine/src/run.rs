//! The life of a run: workers up, VUs initialised, setup, scenarios, teardown, last samples.
//!
//! While that story is told, three things go on beside it on the same thread: VUs are taken back as they become
//! idle, samples are collected, and thresholds are looked at. Whoever aborts the run only raises a flag in
//! `RunState`: workers then interrupt their iterations, executors stop, and the story goes on with teardown.

use std::{
    cell::Cell,
    future::{Future, pending},
    rc::Rc,
    sync::Arc,
    thread,
    time::Duration,
};

use futures_util::future::{join, join_all};
use squall_metrics::TagSet;
use squall_options::Scenario;
use tokio::sync::mpsc;

use crate::{
    AbortReason, ExternalControl, Phase, Requirements, RunError, RunProgress, RunResult, RunSpec,
    WorkerContext,
    collect::Collector,
    conductor::Conductor,
    executor::{Control, iteration_stripe, own_part},
    progress::ScenarioProgress,
    scenario::ScenarioRun,
    schedule::Plan,
    vu::{Host, ScriptError, StopSignal, Vu, VuId},
    worker::{self, ContextParts, Shared, Workers, flush_raw_samples, push_raw_samples},
};

/// A run that is ready to start.
pub struct Run {
    spec: RunSpec,
    progress: Arc<RunProgress>,
    /// One a scenario.
    externals: Vec<ExternalControl>,
}

impl Run {
    /// Plans the scenarios; nothing starts yet.
    pub fn new(spec: RunSpec) -> Run {
        let scenarios = spec.scenarios.iter().map(|scenario| {
            let plan = Plan::of(scenario, &spec.stripe);
            ScenarioProgress::new(Arc::new(scenario_run(scenario, &plan, &spec)), plan)
        });
        let requirements = Requirements::of(&spec.scenarios, &spec.stripe);
        let progress = Arc::new(RunProgress::new(requirements, scenarios.collect()));
        let external = |it: &Scenario| ExternalControl::new(&own_part(&it.executor, &spec.stripe));
        let externals = spec.scenarios.iter().map(external).collect();
        Run { spec, progress, externals }
    }

    /// Where the run stands, also while it goes on.
    pub fn progress(&self) -> Arc<RunProgress> {
        self.progress.clone()
    }

    /// The control of an externally-controlled scenario.
    pub fn external_control(&self, scenario: &str) -> Option<ExternalControl> {
        let place = self.spec.scenarios.iter().position(|it| it.name == scenario)?;
        Some(self.externals[place].clone())
    }

    /// Runs to the end. Must be called within a `LocalSet`. `build_host` is called once on each worker's thread
    /// and once on this one, for setup and teardown.
    pub async fn execute<H: Host>(
        self,
        workers: Workers,
        build_host: impl Fn(WorkerContext) -> H + Clone + Send + 'static,
    ) -> Result<RunResult, RunError> {
        let clock = workers.conductor_clock()?;
        let count = worker_count(self.spec.workers, self.progress.requirements.vus_max);
        let (commands, receivers) = (0..count).map(|_| mpsc::unbounded_channel()).unzip();
        let (returned, returns) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            stripe: self.spec.stripe.clone(),
            min_iteration_duration: self.spec.min_iteration_duration,
            sinks: self.spec.sinks.clone(),
            workers: commands,
            returned,
        });
        let parts = ContextParts {
            registry: self.spec.registry.clone(),
            state: self.spec.state.clone(),
            with_raw_samples: !self.spec.sinks.is_empty(),
        };
        let team = worker::start(&workers, receivers, &shared, &parts, &build_host).await?;
        let context = parts.assemble(None, clock);
        let host = build_host(context.clone());
        let conductor = Conductor::new(context, shared, self.progress.clone());
        let collector = Collector::new(conductor.clone(), self.spec.aggregate, self.spec.tags);
        let story = Story {
            conductor: conductor.clone(),
            host,
            setup_timeout: self.spec.setup_timeout,
            teardown_timeout: self.spec.teardown_timeout,
            externals: self.externals,
        };
        let ended = StopSignal::default();
        let story_and_samples = join(collector.run(&ended), async {
            story.tell().await;
            ended.raise();
        });
        tokio::select! {
            biased;
            never = conductor.receive_vus(returns) => match never {},
            never = flush_raw_samples(&conductor.context, &conductor.shared.sinks) => match never {},
            _ = story_and_samples => {}
        }
        let duration = conductor.test_duration();
        let (aggregate, generator) = collector.finish(duration).await;
        push_raw_samples(&conductor.context, &conductor.shared.sinks);
        drop(story);
        team.finish().await;
        Ok(RunResult { aggregate, generator, duration, abort_reason: conductor.state().abort_reason() })
    }
}

/// A thread more than there are VUs has nothing to do.
fn worker_count(wanted: Option<usize>, vus_max: u64) -> usize {
    let count = wanted.unwrap_or_else(cores);
    count.clamp(1, usize::try_from(vus_max).unwrap_or(usize::MAX).max(1))
}

/// Processors of the machine.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn scenario_run(scenario: &Scenario, plan: &Plan, spec: &RunSpec) -> ScenarioRun {
    let own = scenario.tags.iter().map(|(key, value)| (key.clone(), value.clone()));
    let mut tags: Arc<TagSet> = spec.tags.with_all(own);
    if spec.scenario_tag {
        tags = tags.with("scenario", scenario.name.clone());
    }
    ScenarioRun {
        config: scenario.clone(),
        tags,
        stripe: iteration_stripe(&scenario.executor, &spec.stripe),
        started: Default::default(),
        duration: plan.duration,
        iterations_started: 0.into(),
        iterations_planned: plan.iterations,
        iterations_completed: 0.into(),
    }
}

/// How long a call may take, and what the run ends with when it takes longer.
struct Limit {
    timeout: Duration,
    reason: AbortReason,
}

/// What the conductor does from the first VU to the end of teardown.
struct Story<H: Host> {
    conductor: Rc<Conductor>,
    host: H,
    setup_timeout: Option<Duration>,
    teardown_timeout: Option<Duration>,
    externals: Vec<ExternalControl>,
}

impl<H: Host> Story<H> {
    async fn tell(&self) {
        let (progress, state) = (&self.conductor.progress, self.conductor.state());
        match self.prepare().await {
            Ok(()) => {
                progress.enter(Phase::Running);
                self.run_scenarios().await;
                progress.enter(Phase::Teardown);
                self.teardown().await.unwrap_or_else(|reason| state.abort(reason));
            }
            Err(reason) => state.abort(reason),
        }
        progress.enter(Phase::Ended);
    }

    /// Init and setup. After an error in them nothing else runs, teardown included.
    async fn prepare(&self) -> Result<(), AbortReason> {
        let conductor = &self.conductor;
        let planned = conductor.progress.requirements.vus_planned;
        conductor.fill_pool(planned).await.map_err(|error| self.reason(error))?;
        // Nobody else sets it.
        let _ = conductor.state().test_started.set(conductor.now());
        conductor.progress.enter(Phase::Setup);
        self.setup().await
    }

    async fn setup(&self) -> Result<(), AbortReason> {
        let Some(timeout) = self.setup_timeout else { return Ok(()) };
        let state = self.conductor.state();
        let limit = Limit { timeout, reason: AbortReason::SetupTimeout };
        let data = self.call(limit, state.aborted(), async |vu, stop| vu.setup(stop).await).await?;
        // Nobody else sets it.
        let _ = state.setup_data.set(data);
        Ok(())
    }

    async fn run_scenarios(&self) {
        self.conductor.begin();
        let base = self.conductor.now();
        // Nobody else sets it.
        let _ = self.conductor.progress.base.set(base);
        let scenarios = self.externals.iter().enumerate().map(async |(index, external)| {
            Control::new(self.conductor.clone(), index, base, external.clone()).run().await;
        });
        join_all(scenarios).await;
    }

    /// Runs after an abort too, so only its own time limit interrupts it.
    async fn teardown(&self) -> Result<(), AbortReason> {
        let Some(timeout) = self.teardown_timeout else { return Ok(()) };
        let limit = Limit { timeout, reason: AbortReason::TeardownTimeout };
        self.call(limit, pending(), async |vu, stop| vu.teardown(stop).await).await
    }

    /// Calls the script in a new VU, as k6 does. It is interrupted by `cancel` and at its time limit.
    async fn call<T>(
        &self,
        limit: Limit,
        cancel: impl Future<Output = ()>,
        script: impl AsyncFnOnce(&mut H::Vu, &StopSignal) -> Result<T, ScriptError>,
    ) -> Result<T, AbortReason> {
        let (stop, timed_out) = (StopSignal::default(), Cell::new(false));
        let cause = async {
            tokio::select! {
                () = self.conductor.context.clock.sleep(limit.timeout) => timed_out.set(true),
                () = cancel => {}
            }
        };
        let work = async { script(&mut self.host.create(VuId(0), 0).await?, &stop).await };
        match stop.raise_when(cause, work).await {
            Err(ScriptError::Interrupted) if timed_out.get() => Err(limit.reason),
            result => result.map_err(|error| self.reason(error)),
        }
    }

    /// Why the run ends after this error. One that was interrupted has its reason already.
    fn reason(&self, error: ScriptError) -> AbortReason {
        let known = self.conductor.state().abort_reason();
        known.unwrap_or_else(|| AbortReason::Exception(error.to_string()))
    }
}
