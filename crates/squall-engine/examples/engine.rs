//! Measures the engine alone on real threads, with VUs that do next to nothing.
//!
//! `cargo run --profile quick -p squall-engine --example engine -- MODE SECONDS VUS [RATE | MILLISECONDS]`
//!
//! - `arrivals`: so many iterations a second start and take two milliseconds. How late do they start?
//! - `loop`: VUs iterate without waiting. What does an iteration cost?
//! - `think`: each iteration sleeps for so many milliseconds. How late do they wake, and what does one cost?

#![allow(clippy::print_stdout)]

use std::{
    collections::BTreeMap,
    env, fs,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use squall_engine::{
    ClockSource, Run, RunSpec, RunState, WorkerContext, Workers,
    scenario::ScenarioRun,
    vu::{Host, Iteration, Outcome, ScriptError, SetupData, StopSignal, Vu, VuId},
};
use squall_metrics::{
    Aggregate, AggregateConfig, Contains, MetricId, MetricKind, Registry, SeriesId, Sink, TagSet, builtin,
};
use squall_options::{Executor, Scenario, Stripe};

/// Makes VUs that sleep for a time, or not at all.
#[derive(Clone)]
struct Sleepers {
    context: Rc<WorkerContext>,
    sleep: Duration,
    /// What the first sleep is a part of: VUs that start together shall not wake together.
    first_part: f64,
    lag: SeriesId,
}

impl Host for Sleepers {
    type Vu = Sleepers;

    async fn create(&self, id: VuId, _id_in_test: u64) -> Result<Sleepers, ScriptError> {
        const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;
        Ok(Sleepers { first_part: (id.0 as f64 * GOLDEN_RATIO).fract(), ..self.clone() })
    }
}

impl Vu for Sleepers {
    fn activate(&mut self, _scenario: &Arc<ScenarioRun>) {}

    async fn iterate(&mut self, iteration: Iteration, stop: &StopSignal) -> Outcome {
        if self.sleep.is_zero() {
            return Outcome::Completed;
        }
        let clock = &self.context.clock;
        let part = if iteration.in_vu == 0 { self.first_part } else { 1.0 };
        let due = clock.now() + self.sleep.mul_f64(part);
        tokio::select! {
            () = clock.sleep_until(due) => {
                let now = clock.now();
                let lag_ms = (now - due).as_secs_f64() * 1e3;
                self.context.recorder.borrow_mut().record(self.lag, lag_ms, now);
                Outcome::Completed
            }
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
    let mode = env::args().nth(1).expect("a mode: arrivals, loop or think");
    let numbers: Vec<u64> = env::args()
        .skip(2)
        .map(|it| it.parse().expect("seconds, VUs and the rest are whole numbers"))
        .collect();
    let [seconds, vus, ref rest @ ..] = numbers[..] else { panic!("seconds and VUs are missing") };
    let duration = Duration::from_secs(seconds);
    let last = rest.first().copied();
    let (executor, sleep_ms) = match &*mode {
        "arrivals" => {
            let rate = last.unwrap_or(2_000);
            let time_unit = Duration::from_secs(1);
            let (pre_allocated_vus, max_vus) = (vus, vus);
            (Executor::ConstantArrivalRate { rate, time_unit, duration, pre_allocated_vus, max_vus }, 2)
        }
        "loop" => (Executor::ConstantVus { vus, duration }, 0),
        "think" => (Executor::ConstantVus { vus, duration }, last.unwrap_or(1_000)),
        _ => panic!("there is no mode {mode}"),
    };
    let scenario = Scenario {
        name: mode,
        start_time: Duration::ZERO,
        graceful_stop: Duration::from_secs(1),
        env: BTreeMap::new(),
        exec: "default".to_owned(),
        tags: BTreeMap::new(),
        executor,
    };
    measure(scenario, Duration::from_millis(sleep_ms));
}

fn measure(scenario: Scenario, sleep: Duration) {
    let registry = Arc::new(Registry::new());
    let lag = registry.register("lag", MetricKind::Trend, Contains::Time).expect("a good name");
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
    let execution = run.execute(workers, move |context| {
        let lag = context.recorder.borrow_mut().series(lag, &TagSet::empty());
        Sleepers { context: Rc::new(context), sleep, first_part: 1.0, lag }
    });
    let result = tokio::task::LocalSet::new().block_on(&runtime, execution).expect("threads and timers");
    let iterations = state.iterations_completed.load(Relaxed);
    println!("VUs initialised after {:?}", state.test_started.get().expect("the run started"));
    println!("{iterations} iterations, {:.3} µs of CPU each", cpu().as_secs_f64() * 1e6 / iterations as f64);
    println!("peak memory {} kB", peak_memory_kb());
    let show = |name: &str, metric: MetricId| {
        let Some(Sink::Trend(trend)) = result.aggregate.total(metric).map(|it| &it.sink) else { return };
        let quantiles =
            [0.5, 0.9, 0.99, 0.999, 1.0].map(|q| format!("p({}) {:.3}", q * 100.0, trend.quantile(q)));
        println!("{name} in ms: {}", quantiles.join(", "));
    };
    show("late starts", builtin::ITERATION_LATENESS);
    show("late wake-ups", lag);
}

/// CPU time of this process.
fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` may be written to.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn peak_memory_kb() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("? kB").trim().trim_end_matches(" kB").to_owned()
}
