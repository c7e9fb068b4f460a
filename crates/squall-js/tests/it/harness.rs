//! Runs a script text to its end and collects what it printed and measured.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use squall_engine::{AbortReason, Clock, ClockSource, Run, RunSpec, RunState, Workers};
use squall_http::{Client, ClientConfig};
use squall_js::{Blueprint, Exports, JsHost, Script, Settings, SharedData};
use squall_loader::{Entry, Fetch, Loader, LoaderConfig, Realms, Sharing};
use squall_metrics::{Aggregate, AggregateConfig, MetricId, Recorder, Registry, TagSet};
use squall_net::{Dialer, NetConfig};
use squall_options::{Options, Stripe, derive_scenarios};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// What became of a script.
pub(crate) struct Ran {
    /// Log events, `level message`, in order.
    pub(crate) log: Vec<String>,
    /// All metrics of the run.
    pub(crate) aggregate: Option<Aggregate>,
    /// Why it ended early.
    pub(crate) abort_reason: Option<AbortReason>,
    /// The error of the init code, if that is how it ended.
    pub(crate) init_error: Option<String>,
    /// Whether its VUs may share realms, if it was loaded.
    pub(crate) sharing: Option<Sharing>,
}

impl Ran {
    /// What `console.log` printed in VU code: what the probing VU prints comes first and is left out.
    #[track_caller]
    pub(crate) fn check_log(&self, expected: &[&str]) {
        assert_eq!(self.log, expected);
    }

    /// How many samples a metric has.
    pub(crate) fn count(&self, metric: MetricId) -> u64 {
        let aggregate = self.aggregate.as_ref().expect("the run started");
        aggregate.total(metric).map_or(0, |total| total.sink.count())
    }

    /// Share of checks that held, and how many there were.
    pub(crate) fn checks(&self) -> (f64, u64) {
        let aggregate = self.aggregate.as_ref().expect("the run started");
        let rates = aggregate.checks().values();
        let (held, all) = rates.fold((0, 0), |(held, all), rate| (held + rate.trues, all + rate.total));
        (held as f64 / (all as f64).max(1.0), all)
    }
}

/// Runs the main file of a project: (name, text) pairs, the first is the script.
pub(crate) fn run_project(files: &[(&str, &str)]) -> Ran {
    run_files(files, Share::Realms)
}

/// What the VUs of a run have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// Realms, where the script lets them.
    Realms,
    /// Runtimes, with a realm for each VU.
    Runtimes,
    /// Nothing, as where runtimes cannot be shared.
    Nothing,
}

/// Runs a script whose VUs share what they are told.
pub(crate) fn run_sharing(share: Share, source: &str) -> Ran {
    run_files(&[("script.js", source)], share)
}

/// Runs a script that talks to a server: time is real, since nobody knows what to wait for on virtual time.
pub(crate) fn run_connected(source: &str) -> Ran {
    run_files_in(&[("script.js", source)], Share::Realms, Time::Real)
}

/// Which time a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    Virtual,
    Real,
}

/// Runs a project whose VUs share what they are told.
pub(crate) fn run_files(files: &[(&str, &str)], share: Share) -> Ran {
    run_files_in(files, share, Time::Virtual)
}

fn run_files_in(files: &[(&str, &str)], share: Share, time: Time) -> Ran {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let subscriber = Collect(Arc::clone(&log));
    let path = folder.path().join(files[0].0);
    let mut ran = tracing::subscriber::with_default(subscriber, || run_file(&path, share, time));
    ran.log = std::mem::take(&mut *log.lock().expect("no panic under this lock"));
    ran
}

/// Runs a script.
pub(crate) fn run(source: &str) -> Ran {
    run_project(&[("script.js", source)])
}

fn run_file(path: &Path, share: Share, time: Time) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(time == Time::Virtual)
        .build()
        .expect("an event loop");
    tokio::task::LocalSet::new().block_on(&runtime, run_script(path, share, time))
}

struct NoNetwork;

impl Fetch for NoNetwork {
    fn get(&self, url: &str) -> Result<String, String> {
        Err(format!("no network for {url}"))
    }
}

async fn run_script(path: &Path, share: Share, time: Time) -> Ran {
    let failed = |init_error: String, sharing| Ran {
        log: Vec::new(),
        aggregate: None,
        abort_reason: None,
        init_error: Some(init_error),
        sharing,
    };
    let config = LoaderConfig {
        entry: Entry::File(path.to_owned()),
        fetch: Box::new(NoNetwork),
        cache_dir: None,
        refresh: false,
    };
    let realms = if share == Share::Realms { Realms::Shared } else { Realms::Private };
    let graph = match Loader::new(config).with_realms(realms).load() {
        Ok(graph) => graph,
        Err(error) => return failed(error.to_string(), None),
    };
    let sharing = graph.sharing.clone();
    let registry = Arc::new(Registry::new());
    let state = Arc::new(RunState::new(SystemTime::UNIX_EPOCH));
    let clock = match time {
        Time::Virtual => Clock::virtual_time(),
        Time::Real => ClockSource::new().clock().expect("the system has timers"),
    };
    let base_dir = path.parent().expect("a file has a folder").to_owned();
    let settings = |options: Options, options_json: String| Settings {
        vu_memory_limit_bytes: options.vu_memory_limit.as_ref().map_or(256 << 20, |limit| limit.0 as usize),
        vus_share_runtimes: share != Share::Nothing,
        system_tags: options.system_tags.unwrap_or_default(),
        throw: options.throw == Some(true),
        options,
        options_json,
        env: BTreeMap::from([("NAME".to_owned(), "value".to_owned())]),
        run_tags: TagSet::empty(),
        base_dir: base_dir.clone(),
    };
    let dialer = Arc::new(Dialer::new(NetConfig::default()).expect("a dialer"));
    let blueprint = Blueprint {
        script: Arc::new(Script::new(graph)),
        settings: Arc::new(settings(Options::default(), "{}".to_owned())),
        registry: Arc::clone(&registry),
        run: Arc::clone(&state),
        shared: Arc::new(SharedData::default()),
        client: Arc::new(move || Client::new(Arc::clone(&dialer), ClientConfig::default())),
    };
    let recorder = std::rc::Rc::new(std::cell::RefCell::new(Recorder::new(Arc::clone(&registry))));
    let exports: Exports = match JsHost::new(blueprint.clone(), clock.clone(), recorder).probe().await {
        Ok(exports) => exports,
        Err(error) => return failed(error.to_string(), Some(sharing)),
    };
    let options = match &exports.options_json {
        Some(json) => Options::from_json(json).expect("valid options").0,
        None => Options::default(),
    };
    let json = serde_json::Value::Object(options.to_full_json()).to_string();
    let blueprint = Blueprint { settings: Arc::new(settings(options.clone(), json)), ..blueprint };
    let aggregate = Aggregate::new(
        Arc::clone(&registry),
        AggregateConfig { expected_response: true, ..Default::default() },
    );
    let run = Run::new(RunSpec {
        scenarios: derive_scenarios(&options).expect("valid scenarios"),
        stripe: Stripe::default(),
        registry,
        aggregate: aggregate.expect("no thresholds, no errors"),
        sinks: Vec::new(),
        state: Arc::clone(&state),
        tags: TagSet::empty(),
        scenario_tag: true,
        setup_timeout: Some(Duration::from_secs(60)),
        teardown_timeout: Some(Duration::from_secs(60)),
        min_iteration_duration: Duration::ZERO,
        workers: Some(2),
    });
    let build_host = move |context: squall_engine::WorkerContext| {
        JsHost::new(blueprint.clone(), context.clock, context.recorder)
    };
    let result = run.execute(Workers::Local(clock), build_host).await.expect("workers start");
    Ran {
        log: Vec::new(),
        abort_reason: result.abort_reason,
        aggregate: Some(result.aggregate),
        init_error: None,
        sharing: Some(sharing),
    }
}

/// Collects log events as text.
struct Collect(Arc<Mutex<Vec<String>>>);

impl Subscriber for Collect {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::INFO && metadata.target().starts_with("squall")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    let _ = write!(self.0, "{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        let level = event.metadata().level().as_str().to_lowercase();
        self.0.lock().expect("no panic under this lock").push(format!("{level} {}", message.0));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
