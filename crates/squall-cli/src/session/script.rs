//! The script of a run: loaded with all it imports, and asked what it exports.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use squall_engine::{ClockSource, RunState, vu::ScriptError};
use squall_js::{Blueprint, Exports, JsHost, Script, Settings, SharedData};
use squall_loader::{Entry, Fetch, LoadError, Loader, LoaderConfig, Realms, Sharing};
use squall_metrics::{Recorder, Registry, TagSet};
use squall_options::{Options, defaults};

use super::{Test, network};
use crate::{
    commands::run::ScriptSource,
    demo,
    error::{Error, Result},
    exit_code::ExitCode,
    process::Process,
    runtime_options::RuntimeOptions,
};

pub(super) struct LoadedScript {
    script: Arc<Script>,
    base_dir: PathBuf,
    shared: Arc<SharedData>,
    env: std::collections::BTreeMap<String, String>,
    env_of_process: std::collections::BTreeMap<String, String>,
}

impl LoadedScript {
    /// Reads, fetches and parses everything the script imports.
    pub(super) fn load(
        source: &ScriptSource,
        runtime: &RuntimeOptions,
        process: &Process,
    ) -> Result<LoadedScript> {
        let (entry, base_dir) = match source {
            ScriptSource::File(url) if url.to_str().is_some_and(|url| url.starts_with("https://")) => {
                (Entry::File(url.clone()), process.current_dir.clone())
            }
            ScriptSource::File(path) => {
                let path = process.resolve(path);
                let base_dir = path.parent().map_or_else(|| process.current_dir.clone(), Path::to_owned);
                (Entry::File(path), base_dir)
            }
            ScriptSource::Demo => (Entry::File(demo::SCRIPT.into()), process.current_dir.clone()),
            ScriptSource::Text { source, .. } => {
                let cwd = process.current_dir.clone();
                (Entry::Stdin { source: source.clone(), cwd: cwd.clone() }, cwd)
            }
        };
        let (fetch, cache_dir): (Box<dyn Fetch>, _) = match source {
            ScriptSource::Demo => (Box::new(demo::Bundle), None),
            _ => (Box::new(HttpsFetch { env: process.env.clone() }), cache_dir(process)),
        };
        let loader = Loader::new(LoaderConfig { entry, fetch, cache_dir, refresh: false });
        let realms = match process.env.get("SQUALL_REALMS").map(String::as_str) {
            Some("own") => Realms::Private,
            _ => Realms::Shared,
        };
        let graph = loader.with_realms(realms).load().map_err(load_error)?;
        if let Sharing::Private(escape) = &graph.sharing {
            tracing::debug!("each VU has a realm of its own: {escape}");
        }
        Ok(LoadedScript {
            script: Arc::new(Script::new(graph)),
            base_dir,
            shared: Arc::default(),
            env: runtime.env.clone(),
            env_of_process: process.env.clone(),
        })
    }

    /// The entry's text, for summaries that carry it.
    pub(super) fn source(&self) -> &str {
        let graph = self.script.graph();
        &graph.module(graph.entry).source
    }

    /// Runs the init code once, before there are options.
    pub(super) async fn probe(
        &self,
        memory_limit: Option<u64>,
        registry: &Arc<Registry>,
        state: &Arc<RunState>,
    ) -> Result<Exports> {
        let settings = Settings {
            options: Options::default(),
            options_json: "{}".to_owned(),
            run_tags: TagSet::empty(),
            system_tags: Default::default(),
            throw: false,
            vu_memory_limit_bytes: memory_limit_bytes(memory_limit),
            vus_share_runtimes: true,
            env: self.env.clone(),
            base_dir: self.base_dir.clone(),
        };
        let client = network::client_maker(&settings.options, &self.env_of_process)?;
        let blueprint = Blueprint {
            script: Arc::clone(&self.script),
            settings: Arc::new(settings),
            registry: Arc::clone(registry),
            run: Arc::clone(state),
            shared: Arc::clone(&self.shared),
            client,
        };
        let clock = ClockSource::new().clock().map_err(|error| {
            Error::new(ExitCode::InternalError, format!("cannot create a timer: {error}"))
        })?;
        let recorder = Rc::new(RefCell::new(Recorder::new(Arc::clone(registry))));
        let host = JsHost::new(blueprint, clock, recorder);
        host.probe().await.map_err(|error| match error {
            ScriptError::Exception(message) => {
                Error::new(ExitCode::ScriptException, message).hint("script exception")
            }
            ScriptError::Interrupted => {
                Error::new(ExitCode::Interrupted, "interrupted while the script was loaded")
            }
        })
    }

    /// What worker threads make the VUs of a run from.
    pub(super) fn blueprint(
        &self,
        test: &Test,
        runtime: &RuntimeOptions,
        process: &Process,
        registry: &Arc<Registry>,
        state: &Arc<RunState>,
    ) -> Result<Blueprint> {
        let options = &test.options;
        let settings = Settings {
            options_json: serde_json::Value::Object(options.to_full_json()).to_string(),
            run_tags: Arc::clone(&test.run_tags),
            system_tags: options.system_tags.unwrap_or_default(),
            throw: options.throw == Some(true),
            vu_memory_limit_bytes: memory_limit_bytes(options.vu_memory_limit.as_ref().map(|limit| limit.0)),
            vus_share_runtimes: true,
            env: runtime.env.clone(),
            base_dir: self.base_dir.clone(),
            options: options.clone(),
        };
        Ok(Blueprint {
            script: Arc::clone(&self.script),
            client: network::client_maker(&settings.options, &process.env)?,
            settings: Arc::new(settings),
            registry: Arc::clone(registry),
            run: Arc::clone(state),
            shared: Arc::clone(&self.shared),
        })
    }
}

fn memory_limit_bytes(wanted: Option<u64>) -> usize {
    usize::try_from(wanted.unwrap_or(defaults::VU_MEMORY_LIMIT_BYTES)).unwrap_or(usize::MAX)
}

/// A script that is not there is bad usage; one that cannot be understood is a script exception.
fn load_error(error: LoadError) -> Error {
    let code = match &error {
        LoadError::Module { importer: None, .. } => ExitCode::Usage,
        _ => ExitCode::ScriptException,
    };
    Error::new(code, error.to_string())
}

/// Where fetched modules are kept: the user's cache folder.
fn cache_dir(process: &Process) -> Option<PathBuf> {
    let cache = process.env("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || process.env("HOME").map(|home| Path::new(home).join(".cache"));
    Some(cache.or_else(home)?.join("squall").join("modules"))
}

/// Fetches remote modules with the client that VUs use.
struct HttpsFetch {
    env: std::collections::BTreeMap<String, String>,
}

impl Fetch for HttpsFetch {
    fn get(&self, url: &str) -> std::result::Result<String, String> {
        // On a thread of its own: the caller's thread is inside an event loop already.
        std::thread::scope(|scope| {
            let fetch = scope.spawn(|| network::fetch(url, &self.env));
            fetch.join().unwrap_or_else(|_| Err("the fetching thread failed".to_owned()))
        })
    }
}
