//! What the VUs of one thread share, and the [`Host`] that makes them for the engine.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
    path::PathBuf,
    rc::Rc,
    sync::{Arc, Mutex},
};

use squall_engine::{
    Clock, RunState,
    vu::{Host, ScriptError, VuId},
};
use squall_http::Client;
use squall_metrics::{NetworkMetrics, Recorder, Registry, TagSet};
use squall_options::{Options, SystemTag, SystemTags};

use crate::{
    modules::{
        data::SharedArrays,
        http::{RequestSeriesCache, Targets},
    },
    runtime::group::Groups,
    script::Script,
    stacks::Stacks,
    stages::{Done, Task},
    tags::{LastSeries, TagCache},
    vu::JsVu,
};

/// What scripts of a run may see and do: the same for all VUs.
pub struct Settings {
    /// Consolidated options; empty while the script is probed for its own.
    pub options: Options,
    /// `exec.test.options` as JSON.
    pub options_json: String,
    /// `__ENV` outside of scenarios.
    pub env: BTreeMap<String, String>,
    /// Tags of every sample.
    pub run_tags: Arc<TagSet>,
    /// Folder that `open()` starts from: the entry script's.
    pub base_dir: PathBuf,
    /// Bytes that one VU's script may hold.
    pub vu_memory_limit_bytes: usize,
    /// VUs share QuickJS runtimes where that can be done safely; otherwise each has its own, for twice the memory.
    pub vus_share_runtimes: bool,
    /// System tags to set.
    pub system_tags: SystemTags,
    /// `GoError`s of HTTP and metrics throw instead of being logged.
    pub throw: bool,
}

impl Settings {
    pub(crate) fn has_tag(&self, tag: SystemTag) -> bool {
        self.system_tags.contains(tag)
    }
}

/// Everything a thread needs to host VUs of a script. Cheap to clone and to send.
#[derive(Clone)]
pub struct Blueprint {
    /// The script.
    pub script: Arc<Script>,
    /// What it may see and do.
    pub settings: Arc<Settings>,
    /// Where its metrics are registered.
    pub registry: Arc<Registry>,
    /// The run's state.
    pub run: Arc<RunState>,
    /// Data that VUs of all threads share.
    pub shared: Arc<SharedData>,
    /// Makes the thread's HTTP client.
    pub client: Arc<dyn Fn() -> Client + Send + Sync>,
}

/// Data that VUs of all threads share.
#[derive(Default)]
pub struct SharedData {
    pub(crate) arrays: SharedArrays,
    /// Files that `open()` has read, by path.
    pub(crate) files: Mutex<BTreeMap<PathBuf, Arc<[u8]>>>,
}

/// What the VUs of one thread share.
pub(crate) struct Worker {
    pub(crate) script: Arc<Script>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) run: Arc<RunState>,
    pub(crate) shared: Arc<SharedData>,
    pub(crate) clock: Clock,
    pub(crate) recorder: Rc<RefCell<Recorder>>,
    pub(crate) client: Rc<Client>,
    pub(crate) groups: Groups,
    pub(crate) tag_cache: TagCache,
    pub(crate) iteration_series: LastSeries<2>,
    pub(crate) traffic_series: LastSeries<2>,
    pub(crate) request_series: RequestSeriesCache,
    pub(crate) targets: Targets,
    pub(crate) stacks: Stacks,
    /// Where a scenario has a network profile.
    pub(crate) network_metrics: Option<NetworkMetrics>,
    /// The options that are set, as JSON; made for the first VU that shows them to its script.
    set_options_json: OnceCell<String>,
}

impl Worker {
    /// The consolidated options that are set, as JSON.
    pub(crate) fn set_options_json(&self) -> &str {
        let make = || serde_json::Value::Object(self.settings.options.to_set_json()).to_string();
        self.set_options_json.get_or_init(make)
    }

    /// Tags of code outside of any group: k6 has an empty `group` tag there.
    pub(crate) fn with_root_group(&self, tags: &Arc<TagSet>) -> Arc<TagSet> {
        match self.settings.has_tag(SystemTag::Group) {
            true => self.tag_cache.with(tags, SystemTag::Group.name(), ""),
            false => Arc::clone(tags),
        }
    }
}

/// Makes the VUs of one thread.
pub struct JsHost {
    worker: Rc<Worker>,
}

impl JsHost {
    /// Call on the thread that will run the VUs.
    pub fn new(blueprint: Blueprint, clock: Clock, recorder: Rc<RefCell<Recorder>>) -> JsHost {
        let client = Rc::new((blueprint.client)());
        // A script's own metric under such a name has been told before the run.
        let has_network = blueprint.settings.options.has_network();
        let network_metrics =
            has_network.then(|| NetworkMetrics::register(&blueprint.registry).ok()).flatten();
        let groups =
            Groups::new(blueprint.settings.vus_share_runtimes, blueprint.script.lets_vus_share_a_realm());
        let worker = Worker {
            script: blueprint.script,
            settings: blueprint.settings,
            registry: blueprint.registry,
            run: blueprint.run,
            shared: blueprint.shared,
            clock,
            recorder,
            client,
            groups,
            tag_cache: TagCache::default(),
            iteration_series: LastSeries::default(),
            traffic_series: LastSeries::default(),
            request_series: RequestSeriesCache::default(),
            targets: Targets::default(),
            stacks: Stacks::default(),
            network_metrics,
            set_options_json: OnceCell::new(),
        };
        JsHost { worker: Rc::new(worker) }
    }

    /// Runs the init code once, as VU 0, and tells what the script exports.
    pub async fn probe(&self) -> Result<Exports, ScriptError> {
        let mut vu = JsVu::new(&self.worker, VuId(0), 0)?;
        match vu.run(Task::Probe, None).await {
            Done::Probed(result) => result,
            _ => Err(ScriptError::Interrupted),
        }
    }

    /// Calls `handleSummary` in a VU of its own with the summary's data as JSON. `None`: there is no such
    /// function, or it returned nothing to write.
    pub async fn handle_summary(
        &self,
        data_json: String,
        stop: &squall_engine::vu::StopSignal,
    ) -> Result<Option<Vec<SummaryFile>>, ScriptError> {
        let mut vu = self.create(VuId(0), 0).await?;
        match vu.run(Task::Summarize(data_json), Some(stop)).await {
            Done::Summarized(result) => result,
            _ => Err(ScriptError::Interrupted),
        }
    }
}

impl Host for JsHost {
    type Vu = JsVu;

    async fn create(&self, id: VuId, id_in_test: u64) -> Result<JsVu, ScriptError> {
        let mut vu = JsVu::new(&self.worker, id, id_in_test)?;
        match vu.run(Task::Init, None).await {
            Done::Ran(Ok(())) => Ok(vu),
            // The script has run once already: it matters that it failed here.
            Done::Ran(Err(ScriptError::Exception(text))) if id_in_test > 0 => {
                Err(ScriptError::Exception(format!("{text}\n\twhile VU {id_in_test} was initialized")))
            }
            Done::Ran(Err(error)) => Err(error),
            _ => Err(ScriptError::Interrupted),
        }
    }

    async fn tidy(&self) {
        self.worker.stacks.tidy().await;
    }
}

/// What a script's init code leaves behind.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// The exported `options` as JSON.
    pub options_json: Option<String>,
    /// Names of exported functions.
    pub functions: Vec<String>,
    /// Names of other exports, to tell `setup = 5` from no setup.
    pub values: Vec<String>,
}

/// One entry of what `handleSummary` returned.
#[derive(Debug, Clone)]
pub struct SummaryFile {
    /// `stdout`, `stderr` or a path.
    pub target: String,
    pub content: Vec<u8>,
}
