//! The result of loading: modules, how they refer to each other, and what each is called.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::authored::{Authored, AuthoredPosition};
use crate::confine::Sharing;
use crate::error::LoadError;
use crate::parse::VisibleExports;
use crate::position::Mapping;
use crate::resolve::Location;

/// A module's index in [`ModuleGraph::modules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub usize);

/// What a module is, and so how it is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleKind {
    /// An ES module. `code` is compiled as a module named by the specifier. A file that also calls `require`
    /// begins with `const require=import.meta.require;`, so `import.meta` must have that function.
    Es,
    /// An ES module of a graph whose VUs may share a realm ([`Sharing::Shared`]). `code` is a script whose value is a
    /// function, to be called once for each VU with `this` undefined and one argument: a function that gives
    /// for the number of a [`ModuleId`] the exports of that module, evaluating it the first time. These are, for a factory, what it
    /// returns, frozen; otherwise an object with `default` and the [`requested_names`](Module::requested_names), for
    /// CommonJS also [`NAMESPACE_EXPORT`](crate::NAMESPACE_EXPORT); names that are not there are undefined.
    Factory,
    /// A CommonJS module. `code` is a sloppy-mode script whose value is
    /// `function (exports, require, module, __filename, __dirname)`. To ES importers it exports `default`
    /// (as in k6 `module.exports.default` when that is not undefined, else `module.exports`), its
    /// [`requested_names`](Module::requested_names) and [`NAMESPACE_EXPORT`](crate::NAMESPACE_EXPORT); names that
    /// `module.exports` lacks are undefined.
    CommonJs,
    /// A JSON document; `code` is its text, known to be valid. To ES importers it exports `default` and
    /// [`requested_names`](Module::requested_names).
    Json,
    /// A module built into the program, by its name (`k6/http`); `code` is empty. Whether it exists is for the engine's side to say.
    Host(String),
}

/// One module.
#[derive(Debug)]
pub struct Module {
    /// The canonical name, shown in stack traces: `file:///abs/x.ts`, `https://host/x.js` or `k6/http`.
    pub specifier: String,
    /// Where the file is, when it is a local file.
    pub path: Option<PathBuf>,
    /// How it is evaluated.
    pub kind: ModuleKind,
    /// What the engine evaluates; see [`ModuleKind`].
    pub code: Arc<str>,
    /// The text as it was read.
    pub source: Arc<str>,
    /// The modules it refers to by a literal in `import`, `export … from`, `import()` or `require()`,
    /// by specifier as written. Use [`ModuleGraph::resolve`] to read it.
    pub imports: HashMap<String, ModuleId>,
    /// Literal `require()` and `import()` that lead nowhere. It is no error until they run.
    pub broken_imports: HashMap<String, LoadError>,
    /// Every name that some module imports or re-exports by name from this one (without `default`).
    /// Filled for CommonJS, JSON and host modules, whose own exports are not known before they run.
    pub requested_names: BTreeSet<String>,
    /// A function in it refers to its top-level `options`, so what an entry's `options` become matters.
    pub reads_options: bool,
    pub(crate) location: Location,
    pub(crate) exports: VisibleExports,
    pub(crate) mapping: Mapping,
    pub(crate) authored: OnceLock<Option<Authored>>,
}

impl Module {
    /// The position in [`source`](Self::source) of a position in [`code`](Self::code).
    /// All count from 1; columns of code are bytes, as engines have them, columns of source are characters.
    pub fn original_position(&self, line: u32, column: u32) -> (u32, u32) {
        self.mapping.original(&self.code, &self.source, line, column)
    }

    /// Where the author wrote a position in [`source`](Self::source), when the source is a bundle with a source map.
    pub fn authored_position(&self, line: u32, column: u32) -> Option<AuthoredPosition> {
        let map = self.authored.get_or_init(|| Authored::read(&self.location, &self.source)).as_ref()?;
        let before = self.source_line(line)?.chars().take(column.saturating_sub(1) as usize);
        let utf16_column: usize = before.map(char::len_utf16).sum();
        map.position(line - 1, u32::try_from(utf16_column).ok()?)
    }

    /// The given line of [`source`](Self::source), counting from 1, without its end.
    pub fn source_line(&self, line: u32) -> Option<&str> {
        self.mapping.source_line(&self.source, line)
    }
}

/// Every module a script can reach.
#[derive(Debug)]
pub struct ModuleGraph {
    /// The modules, by [`ModuleId`].
    pub modules: Vec<Module>,
    /// The script itself.
    pub entry: ModuleId,
    /// Whether VUs may evaluate it in a realm that they have in common.
    pub sharing: Sharing,
    pub(crate) by_specifier: HashMap<String, ModuleId>,
}

impl ModuleGraph {
    /// The module with this id.
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0]
    }

    /// The module with this canonical name.
    pub fn find(&self, specifier: &str) -> Option<ModuleId> {
        self.by_specifier.get(specifier).copied()
    }

    /// What `specifier`, as written in module `from` or computed there, leads to: an error when it leads nowhere, `None`
    /// when that is not known because no module names it by a literal.
    pub fn resolve(&self, from: ModuleId, specifier: &str) -> Option<Result<ModuleId, &LoadError>> {
        let module = self.module(from);
        let named = || self.find(&module.location.join(specifier)?.specifier());
        match module.broken_imports.get(specifier) {
            Some(error) => Some(Err(error)),
            None => module.imports.get(specifier).copied().or_else(named).map(Ok),
        }
    }
}
