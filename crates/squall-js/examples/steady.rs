//! What iterations cost in memory: allocations and bytes of a steady iteration, and the bytes that an idle VU holds.
//!
//! `steady [ITERATIONS]` counts so many iterations a case (1,000 unless told) of one VU in the engine. Only the worker's
//! thread is counted, and there what the Rust parts allocate: QuickJS has an allocator of its own, so strings and
//! objects of the script's do not show. The server runs in another thread.

#![allow(clippy::print_stdout)]

use std::cell::RefCell;
use std::error::Error;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::{Duration, SystemTime};

use squall_engine::scenario::ScenarioRun;
use squall_engine::vu::{Host, Iteration, Outcome, ScriptError, SetupData, StopSignal, Vu, VuId};
use squall_engine::{Clock, ClockSource, Run, RunSpec, RunState, WorkerContext, Workers};
use squall_http::{Client, ClientConfig};
use squall_js::{Blueprint, JsHost, JsVu, Script, Settings, SharedData};
use squall_loader::{Entry, Fetch, Loader, LoaderConfig, Realms};
use squall_metrics::{Aggregate, AggregateConfig, Recorder, Registry, Sink, TagSet};
use squall_net::{Dialer, NetConfig};
use squall_options::{Options, Stripe, derive_scenarios};
use squall_testing::{Allocated, CountingAllocator, Target, TargetOptions};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Iterations of a VU before the counting begins.
const WARM_UP: u64 = 300;

/// VUs whose memory is measured, besides a first one that pays for what they share.
const IDLE_VUS: u64 = 100;

/// Names, options and exec functions; `URL` is the server's.
const CASES: &[(&str, &str, &str)] = &[
    ("nothing", "{}", ""),
    ("GET", "{}", "http.get('URL/get')"),
    ("GET, discarded", "{ discardResponseBodies: true }", "http.get('URL/get')"),
    (
        "GET, two checks, json()",
        "{}",
        "const res = http.get('URL/json')
         check(res, { 'is 200': (r) => r.status === 200, 'has a title': (r) => r.json().slideshow.title !== '' })",
    ),
    (
        "POST, headers and tags",
        "{}",
        "http.post('URL/post', body, {
             headers: { 'Content-Type': 'application/json', 'X-Request': 'steady' },
             tags: { kind: 'order', priority: 1 },
         })",
    ),
    ("group and Trend", "{}", "group('a group', () => { trend.add(1.5); trend.add(2.5, { kind: 'tagged' }) })"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let iterations = std::env::args().nth(1).map_or(Ok(1_000), |iterations| iterations.parse())?;
    let target = Target::with_options(TargetOptions { tls: false, ..TargetOptions::default() })?;
    println!("{:26} {:>12} {:>12} {:>14}", "a steady iteration", "allocations", "bytes", "bytes of a VU");
    for (name, options, body) in CASES {
        let source = format!(
            "import http from 'k6/http'
             import {{ check, group }} from 'k6'
             import {{ Counter, Trend }} from 'k6/metrics'
             export const options = {options}
             const done = new Counter('iterations_done')
             const trend = new Trend('a_trend')
             const body = JSON.stringify({{ id: 7, items: ['apple', 'pear'] }})
             export default function () {{ {}; done.add(1) }}",
            body.replace("URL", &target.url(""))
        );
        let steady = count(&source, iterations)?;
        let (allocations, bytes) = (steady.allocations as f64, steady.bytes as f64);
        let iterations = iterations as f64;
        println!(
            "{name:26} {:>12.2} {:>12.0} {:>14.0}",
            allocations / iterations,
            bytes / iterations,
            held(&source)?
        );
    }
    Ok(())
}

/// Runs a script in the engine, on a worker thread, and counts after the warm-up.
fn count(source: &str, iterations: u64) -> Result<Allocated, Box<dyn Error>> {
    let options = format!("{{\"vus\": 1, \"iterations\": {}}}", WARM_UP + iterations + 1);
    let (counts, counted) = mpsc::channel();
    on_this_thread(async {
        let source_of_time = ClockSource::new();
        let prepared = Prepared::new(source, source_of_time.clock()?).await?;
        let blueprint = prepared.blueprint;
        let run = Run::new(RunSpec {
            scenarios: derive_scenarios(&Options::from_json(&options)?.0)?,
            stripe: Stripe::default(),
            registry: Arc::clone(&blueprint.registry),
            aggregate: Aggregate::new(Arc::clone(&blueprint.registry), AggregateConfig::default())?,
            sinks: Vec::new(),
            state: Arc::clone(&blueprint.run),
            tags: TagSet::empty(),
            scenario_tag: true,
            setup_timeout: None,
            teardown_timeout: None,
            min_iteration_duration: Duration::ZERO,
            workers: Some(1),
        });
        let build_host = move |context: WorkerContext| CountedHost {
            host: JsHost::new(blueprint.clone(), context.clock, context.recorder),
            iterations,
            counts: counts.clone(),
        };
        let result = run.execute(Workers::Threads(source_of_time), build_host).await?;
        check(&result.aggregate, iterations)
    })?;
    Ok(counted.recv()?)
}

/// Every iteration came to its end, where it counts `iterations_done`, and what it asked for was there.
fn check(aggregate: &Aggregate, iterations: u64) -> Result<(), Box<dyn Error>> {
    let mut done = 0.0;
    for total in aggregate.totals() {
        match (&*total.info.name, &total.sink) {
            ("iterations_done", Sink::Counter(counter)) => done = counter.sum,
            ("http_req_failed", Sink::Rate(rate)) if rate.trues > 0 => return Err("a request failed".into()),
            ("checks", Sink::Rate(rate)) if rate.trues < rate.total => return Err("a check failed".into()),
            _ => {}
        }
    }
    if done == (WARM_UP + iterations + 1) as f64 { Ok(()) } else { Err("an iteration threw".into()) }
}

/// What a VU holds between its iterations.
fn held(source: &str) -> Result<f64, Box<dyn Error>> {
    on_this_thread(async {
        let clock = ClockSource::new().clock()?;
        let prepared = Prepared::new(source, clock).await?;
        let mut vus = Vec::with_capacity(IDLE_VUS as usize + 1);
        let mut before = Allocated::default();
        for id in 0..=IDLE_VUS {
            let mut vu = prepared.host.create(VuId(id + 1), id + 1).await?;
            for _ in 0..3 {
                vu.iterate(Iteration::default(), &StopSignal::default()).await;
            }
            vus.push(vu);
            if id == 0 {
                before = Allocated::now();
            }
        }
        Ok(Allocated::since(before).live_bytes as f64 / IDLE_VUS as f64)
    })
}

fn on_this_thread<T>(work: impl Future<Output = Result<T, Box<dyn Error>>>) -> Result<T, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

/// A script that has been probed.
struct Prepared {
    blueprint: Blueprint,
    host: JsHost,
}

impl Prepared {
    async fn new(source: &str, clock: Clock) -> Result<Prepared, Box<dyn Error>> {
        let graph = Loader::new(LoaderConfig {
            entry: Entry::Stdin { source: source.to_owned(), cwd: std::env::temp_dir() },
            fetch: Box::new(NoNetwork),
            cache_dir: None,
            refresh: false,
        })
        .with_realms(Realms::Shared)
        .load()?;
        let registry = Arc::new(Registry::new());
        let dialer = Arc::new(Dialer::new(NetConfig::default())?);
        let mut blueprint = Blueprint {
            script: Arc::new(Script::new(graph)),
            settings: Arc::new(settings(Options::default())),
            registry: Arc::clone(&registry),
            run: Arc::new(RunState::new(SystemTime::now())),
            shared: Arc::new(SharedData::default()),
            client: Arc::new(move || Client::new(Arc::clone(&dialer), ClientConfig::default())),
        };
        let recorder = Rc::new(RefCell::new(Recorder::new(registry)));
        let probing = JsHost::new(blueprint.clone(), clock.clone(), Rc::clone(&recorder));
        let exports = probing.probe().await?;
        let options = Options::from_json(exports.options_json.as_deref().unwrap_or("{}"))?.0;
        blueprint.settings = Arc::new(settings(options));
        let host = JsHost::new(blueprint.clone(), clock, recorder);
        Ok(Prepared { blueprint, host })
    }
}

fn settings(options: Options) -> Settings {
    Settings {
        vu_memory_limit_bytes: 256 << 20,
        vus_share_runtimes: true,
        system_tags: options.system_tags.unwrap_or_default(),
        throw: false,
        options_json: "{}".to_owned(),
        options,
        env: Default::default(),
        run_tags: TagSet::empty(),
        base_dir: std::env::temp_dir(),
    }
}

struct NoNetwork;

impl Fetch for NoNetwork {
    fn get(&self, url: &str) -> Result<String, String> {
        Err(format!("no network for {url}"))
    }
}

/// Makes VUs that count so many iterations after the warm-up.
struct CountedHost {
    host: JsHost,
    iterations: u64,
    counts: mpsc::Sender<Allocated>,
}

struct CountedVu {
    vu: JsVu,
    iterations: u64,
    before: Allocated,
    counts: mpsc::Sender<Allocated>,
}

impl Host for CountedHost {
    type Vu = CountedVu;

    async fn create(&self, id: VuId, id_in_test: u64) -> Result<CountedVu, ScriptError> {
        let vu = self.host.create(id, id_in_test).await?;
        let (iterations, counts) = (self.iterations, self.counts.clone());
        Ok(CountedVu { vu, iterations, before: Allocated::now(), counts })
    }
}

impl Vu for CountedVu {
    fn activate(&mut self, scenario: &Arc<ScenarioRun>) {
        self.vu.activate(scenario);
    }

    async fn iterate(&mut self, iteration: Iteration, stop: &StopSignal) -> Outcome {
        if iteration.in_vu == WARM_UP {
            self.before = Allocated::now();
        } else if iteration.in_vu == WARM_UP + self.iterations {
            let _ = self.counts.send(Allocated::since(self.before));
        }
        self.vu.iterate(iteration, stop).await
    }

    async fn setup(&mut self, stop: &StopSignal) -> Result<SetupData, ScriptError> {
        self.vu.setup(stop).await
    }

    async fn teardown(&mut self, stop: &StopSignal) -> Result<(), ScriptError> {
        self.vu.teardown(stop).await
    }
}
