//! Walks from the entry over every import.

use std::path::PathBuf;

use crate::error::LoadError;
use crate::graph::{ModuleGraph, ModuleId};
use crate::remote::Fetch;

/// The script to load.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A file.
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

/// Loads a script and everything it imports.
pub struct Loader {
    config: LoaderConfig,
}

impl Loader {
    /// A loader that has read nothing yet.
    pub fn new(config: LoaderConfig) -> Self {
        Self { config }
    }

    /// Loads the entry and all it reaches through literal specifiers.
    pub fn load(&mut self) -> Result<ModuleGraph, LoadError> {
        let _ = &self.config;
        Err(LoadError::Module {
            specifier: String::new(),
            importer: None,
            reason: "not yet".into(),
            hint: None,
        })
    }

    /// Adds what a computed `require(specifier)` or `import(specifier)` in `from` leads to, unless the graph has it.
    ///
    /// For the first init only: as in k6, later ones may use what the first has seen
    /// ([`ModuleGraph::resolve`]) and nothing else.
    pub fn load_more(
        &mut self,
        graph: &mut ModuleGraph,
        from: ModuleId,
        specifier: &str,
    ) -> Result<ModuleId, LoadError> {
        graph.resolve(from, specifier).unwrap_or(Ok(from)).map_err(Clone::clone)
    }
}
