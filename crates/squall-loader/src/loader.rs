//! Walks from the entry over every import.
//!
//! A static import that fails takes its importer down with it, up to the entry. A literal `require()` or
//! `import()` is followed too, so that later inits find it, but may fail: libraries ask for modules they can do without.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::confine::{Confined, Escape, Sharing, confine};
use crate::emit::{Emission, emission};
use crate::error::{Importer, LoadError};
use crate::graph::{Module, ModuleGraph, ModuleId, ModuleKind};
use crate::parse::{Form, Request};
use crate::position::Edit;
use crate::remote::{Fetch, Remote};
use crate::resolve::{Asker, Location, Resolution, Unresolved, normalised};
use crate::stack::with_room_for;
use crate::text::decode_text;
use crate::trace::frame;
use crate::typescript::helper;
use crate::understand::Understood;

/// The script to load.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A file, or an `https://` URL.
    File(PathBuf),
    /// A script read from standard input; its imports are relative to `cwd`.
    Stdin {
        /// The script's text.
        source: String,
        /// An absolute directory.
        cwd: PathBuf,
    },
}

/// What a [`Loader`] needs.
pub struct LoaderConfig {
    /// The script to load.
    pub entry: Entry,
    /// How remote modules are got.
    pub fetch: Box<dyn Fetch>,
    /// Where fetched modules are kept; `None` fetches them each time.
    pub cache_dir: Option<PathBuf>,
    /// Fetch again what the cache has.
    pub refresh: bool,
}

/// Which VUs evaluate a script in which realm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Realms {
    /// Each VU in one of its own, which is always right.
    #[default]
    Private,
    /// In one that they have in common when the script provably keeps nothing there; see [`ModuleGraph::sharing`].
    Shared,
}

/// Loads a script and everything it imports.
pub struct Loader {
    entry: Entry,
    remote: Remote,
    resolution: Resolution,
    realms: Realms,
}

impl Loader {
    /// A loader that has read nothing yet.
    pub fn new(config: LoaderConfig) -> Self {
        let LoaderConfig { entry, fetch, cache_dir, refresh } = config;
        Self {
            entry,
            remote: Remote { fetch, cache_dir, refresh },
            resolution: Resolution::new(),
            realms: Realms::default(),
        }
    }

    /// A loader that proves what `realms` asks for.
    pub fn with_realms(self, realms: Realms) -> Self {
        Self { realms, ..self }
    }

    /// Loads the entry and all it reaches through literal specifiers.
    pub fn load(&self) -> Result<ModuleGraph, LoadError> {
        let sharing = Sharing::Private(Escape::asked_for(String::new()));
        let mut graph =
            ModuleGraph { modules: Vec::new(), entry: ModuleId(0), sharing, by_specifier: HashMap::new() };
        let (name, location) = match &self.entry {
            Entry::File(path) => (path.to_string_lossy().into_owned(), self.resolution.entry(path)),
            Entry::Stdin { cwd, .. } => ("-".to_owned(), Ok(Location::Stdin(normalised(cwd)))),
        };
        graph.entry = location
            .map_err(Problem::Module)
            .and_then(|location| self.walk(&mut graph, location))
            .map_err(|problem| problem.of(&name, None))?;
        Ok(graph)
    }

    /// Adds what a computed `require(specifier)` or `import(specifier)` in `from` leads to, unless the graph has it.
    ///
    /// For the first init only: as in k6, later ones may use what the first has seen
    /// ([`ModuleGraph::resolve`]) and nothing else. Names that the new modules import from a CommonJS module
    /// that has already run are not added to it in this init.
    pub fn load_more(
        &self,
        graph: &mut ModuleGraph,
        from: ModuleId,
        specifier: &str,
    ) -> Result<ModuleId, LoadError> {
        if let Some(known) = graph.resolve(from, specifier) {
            return known.map_err(Clone::clone);
        }
        let loaded = self
            .resolution
            .resolve(&graph.module(from).location, specifier, Asker::Require)
            .map_err(Problem::Module)
            .and_then(|location| self.walk(graph, location))
            .map_err(|problem| problem.of(specifier, None));
        let importer = &mut graph.modules[from.0];
        match &loaded {
            Ok(id) => drop(importer.imports.insert(specifier.to_owned(), *id)),
            Err(error) => drop(importer.broken_imports.insert(specifier.to_owned(), error.clone())),
        }
        loaded
    }

    /// Loads a module and all it reaches.
    fn walk(&self, graph: &mut ModuleGraph, start: Location) -> Result<ModuleId, Problem> {
        let mut walk = Walk { loader: self, graph, drafts: Vec::new(), failures: HashMap::new() };
        let start = walk.visit(start)?;
        let mut next = 0;
        while next < walk.drafts.len() {
            walk.follow(next);
            next += 1;
        }
        walk.spread_failures();
        let factories = walk.confine(start);
        walk.emit(factories);
        walk.failures.remove(&start).map_or(Ok(start), |error| Err(Problem::Loading(error)))
    }

    fn read(&self, location: &Location) -> Result<String, Problem> {
        let text = match location {
            Location::File(path) => fs::read(path)
                .map(|bytes| decode_text(&bytes))
                .map_err(|error| Unresolved::new(format!("cannot read {}: {error}", path.display()))),
            Location::Remote(url) => self
                .remote
                .get(url.as_str())
                .map_err(|error| Unresolved::new(format!("cannot fetch {url}: {error}"))),
            Location::Stdin(_) => match &self.entry {
                Entry::Stdin { source, .. } => Ok(source.clone()),
                Entry::File(_) => Err(Unresolved::new("there is no script on standard input")),
            },
            Location::Helper(name) => Ok(helper(name).unwrap_or_default().to_owned()),
            Location::Host(_) => Ok(String::new()),
        };
        let text = text.map_err(Problem::Module)?;
        Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }
}

/// A module that is read but not yet emitted.
pub(crate) struct Draft {
    pub(crate) id: ModuleId,
    /// JavaScript before splicing.
    pub(crate) text: String,
    pub(crate) uses_require: bool,
    pub(crate) requests: Vec<Request>,
}

/// Why a module cannot be had.
enum Problem {
    /// It cannot be found or read; who asked for it is still to be said.
    Module(Unresolved),
    /// Something in it, or in what it imports, is wrong.
    Loading(LoadError),
}

impl Problem {
    fn of(self, specifier: &str, importer: Option<Importer>) -> LoadError {
        match self {
            Self::Module(Unresolved { reason, hint }) => {
                let importer = importer.map(Box::new);
                LoadError::Module { specifier: specifier.to_owned(), importer, reason, hint }
            }
            Self::Loading(error) => error,
        }
    }
}

/// One pass over modules that are not in the graph yet.
struct Walk<'w> {
    loader: &'w Loader,
    graph: &'w mut ModuleGraph,
    drafts: Vec<Draft>,
    /// Modules that cannot run because something they import statically cannot be loaded.
    failures: HashMap<ModuleId, LoadError>,
}

impl Walk<'_> {
    /// Reads the module at a location, unless the graph has it.
    fn visit(&mut self, location: Location) -> Result<ModuleId, Problem> {
        let specifier = location.specifier();
        if let Some(id) = self.graph.find(&specifier) {
            return Ok(id);
        }
        let source = self.loader.read(&location)?;
        let understood =
            with_room_for(&source, || Understood::new(&location, &source)).map_err(Problem::Loading)?;
        let id = ModuleId(self.graph.modules.len());
        let source: Arc<str> = source.into();
        self.graph.by_specifier.insert(specifier.clone(), id);
        self.graph.modules.push(Module {
            specifier,
            path: match &location {
                Location::File(path) => Some(path.clone()),
                _ => None,
            },
            kind: understood.kind,
            code: Arc::clone(&source),
            source,
            imports: HashMap::new(),
            broken_imports: HashMap::new(),
            requested_names: BTreeSet::new(),
            reads_options: understood.reads_options,
            location,
            exports: understood.exports,
            mapping: understood.mapping,
            authored: OnceLock::new(),
        });
        self.drafts.push(Draft {
            id,
            text: understood.text,
            uses_require: understood.uses_require,
            requests: understood.requests,
        });
        Ok(id)
    }

    /// Visits everything a draft asks for.
    fn follow(&mut self, draft: usize) {
        let id = self.drafts[draft].id;
        let requests = std::mem::take(&mut self.drafts[draft].requests);
        for request in &requests {
            let is_static = matches!(request.form, Form::Static(_));
            let module = self.graph.module(id);
            let known = module.imports.contains_key(&request.specifier)
                || (!is_static && module.broken_imports.contains_key(&request.specifier));
            if known {
                continue;
            }
            let found = self
                .loader
                .resolution
                .resolve(&module.location, &request.specifier, asker(&request.form))
                .map_err(Problem::Module)
                .and_then(|location| self.visit(location));
            let specifier = request.specifier.clone();
            match found {
                Ok(target) => drop(self.graph.modules[id.0].imports.insert(specifier, target)),
                Err(problem) => {
                    let importer = self.importer(&self.drafts[draft], request.offset);
                    let error = problem.of(&specifier, Some(importer));
                    if is_static {
                        self.failures.entry(id).or_insert(error);
                    } else {
                        self.graph.modules[id.0].broken_imports.insert(specifier, error);
                    }
                }
            }
        }
        self.drafts[draft].requests = requests;
    }

    fn importer(&self, draft: &Draft, offset: u32) -> Importer {
        let module = self.graph.module(draft.id);
        let (line, column) = module.mapping.offset_to_source(&draft.text, &module.source, offset as usize);
        let frame = frame(module.source_line(line).unwrap_or_default(), line, column);
        Importer { file: module.specifier.clone(), line, column, frame }
    }

    /// Takes down what statically imports a failed module; turns other references to one into broken imports.
    fn spread_failures(&mut self) {
        if self.failures.is_empty() {
            return;
        }
        while let Some((id, error)) = self.next_failure() {
            self.failures.insert(id, error);
        }
        for draft in &self.drafts {
            let module = &mut self.graph.modules[draft.id.0];
            for (specifier, target) in
                module.imports.extract_if(|_, target| self.failures.contains_key(target))
            {
                module.broken_imports.insert(specifier, self.failures[&target].clone());
            }
        }
        let failures = &self.failures;
        self.graph.by_specifier.retain(|_, id| !failures.contains_key(id));
    }

    fn next_failure(&self) -> Option<(ModuleId, LoadError)> {
        let healthy = self.drafts.iter().rev().filter(|draft| !self.failures.contains_key(&draft.id));
        healthy.flat_map(|draft| draft.requests.iter().map(move |request| (draft.id, request))).find_map(
            |(id, request)| {
                let target = self.graph.module(id).imports.get(&request.specifier)?;
                let error = self.failures.get(target)?;
                matches!(request.form, Form::Static(_)).then(|| (id, error.clone()))
            },
        )
    }

    /// Finds out whether VUs may share a realm; if so, by module, the edits that make it a factory.
    /// What is loaded later on is not looked at: a script that computes specifiers is no such script.
    fn confine(&mut self, start: ModuleId) -> HashMap<ModuleId, Vec<Edit>> {
        if start != ModuleId(0) || self.failures.contains_key(&start) {
            return HashMap::new();
        }
        let confined = match self.loader.realms {
            Realms::Private => Err(Escape::asked_for(self.graph.module(start).specifier.clone())),
            Realms::Shared => confine(self.graph, &self.drafts),
        };
        match confined {
            Ok(Confined { edits, assigned_names, only_reads_env }) => {
                self.graph.sharing = Sharing::Shared { assigned_names, only_reads_env };
                edits
            }
            Err(escape) => {
                self.graph.sharing = Sharing::Private(escape);
                HashMap::new()
            }
        }
    }

    /// Writes the code of every draft.
    fn emit(&mut self, mut factories: HashMap<ModuleId, Vec<Edit>>) {
        let drafts = std::mem::take(&mut self.drafts);
        let emissions: Vec<Emission> = drafts.iter().map(|draft| emission(self.graph, draft)).collect();
        for (draft, Emission { mut edits, requested }) in drafts.into_iter().zip(emissions) {
            if let Some(factory) = factories.remove(&draft.id) {
                edits = factory;
                self.graph.modules[draft.id.0].kind = ModuleKind::Factory;
            }
            for (target, names) in requested {
                self.graph.modules[target.0].requested_names.extend(names);
            }
            let module = &mut self.graph.modules[draft.id.0];
            let is_source = edits.is_empty() && *draft.text == *module.source;
            if !is_source {
                module.code = module.mapping.splice(&draft.text, &edits).into();
            }
        }
    }
}

fn asker(form: &Form) -> Asker {
    match form {
        Form::Require => Asker::Require,
        Form::Static(_) | Form::Dynamic => Asker::Import,
    }
}

#[cfg(test)]
mod tests;
