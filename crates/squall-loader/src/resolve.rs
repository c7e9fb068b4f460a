//! From a specifier as written to the file, URL or host module it means.
//!
//! k6 wants exact paths. On top of those, what a bundler would accept resolves as well: imports without
//! extension, index files, `paths` of tsconfig.json, packages in node_modules.

use std::path::{Component, Path, PathBuf};

use nodejs_built_in_modules::is_nodejs_builtin_module;
use oxc_resolver::{ResolveError, ResolveOptions, Resolver, TsconfigDiscovery};
use url::Url;

use crate::typescript::{HELPER_MODULE, helper};

/// The extensions tried for an import without one, in this order.
const EXTENSIONS: [&str; 8] = [".ts", ".js", ".mjs", ".cjs", ".mts", ".cts", ".json", ".tsx"];

/// What a specifier means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// A local file, by its absolute path.
    File(PathBuf),
    /// The script on standard input, in a directory.
    Stdin(PathBuf),
    /// A module behind an `https://` URL.
    Remote(Url),
    /// A module of the program's: `k6/http`.
    Host(String),
    /// A module the loader brings along for code it emits.
    Helper(String),
}

impl Location {
    /// The canonical name.
    pub(crate) fn specifier(&self) -> String {
        match self {
            Self::File(path) => file_url(path),
            // k6's name for it.
            Self::Stdin(_) => "file:///-".to_owned(),
            Self::Remote(url) => url.to_string(),
            Self::Host(name) | Self::Helper(name) => name.clone(),
        }
    }

    /// The last part of the path, by whose extension the language is told.
    pub(crate) fn file_name(&self) -> &str {
        match self {
            Self::File(path) => path.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
            Self::Remote(url) => url.path(),
            Self::Stdin(_) | Self::Host(_) | Self::Helper(_) => "",
        }
    }

    /// What an exact specifier means here, as far as that can be told without looking at files.
    pub(crate) fn join(&self, specifier: &str) -> Option<Self> {
        if is_host(specifier) {
            return Some(Self::Host(specifier.to_owned()));
        }
        if let Some(scheme) = scheme(specifier) {
            return absolute_url(self, specifier, scheme).ok();
        }
        match self {
            Self::Remote(base) => relative_url(base, specifier).ok(),
            _ if is_path(specifier) => Some(Self::File(beside(&self.base()?, specifier))),
            _ => None,
        }
    }

    /// A local file named relative to this one.
    pub(crate) fn beside(&self, name: &str) -> Option<PathBuf> {
        Some(beside(&self.base()?, name))
    }

    /// A file name whose directory local specifiers are relative to.
    fn base(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Stdin(directory) => Some(directory.join("-")),
            Self::Remote(_) | Self::Host(_) | Self::Helper(_) => None,
        }
    }
}

fn file_url(path: &Path) -> String {
    Url::from_file_path(path).map_or_else(|()| format!("file://{}", path.display()), |url| url.to_string())
}

/// Why a specifier means nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unresolved {
    pub(crate) reason: String,
    pub(crate) hint: Option<String>,
}

impl Unresolved {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Whether `import` or `require` asks: a package may answer differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    Import,
    Require,
}

/// Resolves specifiers against the file system.
pub(crate) struct Resolution {
    import: Resolver,
    require: Resolver,
}

impl Resolution {
    pub(crate) fn new() -> Self {
        let import = Resolver::new(options("import", ["module", "main"]));
        let require = import.clone_with_options(options("require", ["main", "module"]));
        Self { import, require }
    }

    /// The script named on the command line: a path or an `https://` URL.
    pub(crate) fn entry(&self, script: &Path) -> Result<Location, Unresolved> {
        if let Some((specifier, scheme)) = script.to_str().and_then(|text| Some((text, scheme(text)?)))
            && !script.exists()
        {
            return absolute_url(&Location::Host(String::new()), specifier, scheme);
        }
        let path = std::path::absolute(script).map_err(|error| Unresolved::new(error.to_string()))?;
        let path = normalised(&path);
        if path.exists() {
            Ok(Location::File(path))
        } else {
            Err(missing_file(&path, &script.to_string_lossy()))
        }
    }

    /// What `specifier` means when written in `from`.
    pub(crate) fn resolve(
        &self,
        from: &Location,
        specifier: &str,
        asker: Asker,
    ) -> Result<Location, Unresolved> {
        if is_host(specifier) {
            return Ok(Location::Host(specifier.to_owned()));
        }
        if specifier.starts_with(HELPER_MODULE) && helper(specifier).is_some() {
            return Ok(Location::Helper(specifier.to_owned()));
        }
        if let Some(scheme) = scheme(specifier) {
            return absolute_url(from, specifier, scheme);
        }
        if let Some(replaced) = retired_short_form(specifier) {
            return Err(replaced);
        }
        if let Location::Remote(base) = from {
            return relative_url(base, specifier);
        }
        match from.base() {
            Some(base) => self.local(&base, specifier, asker),
            None => Err(Unresolved::new("a built-in module imports nothing")),
        }
    }

    fn local(&self, base: &Path, specifier: &str, asker: Asker) -> Result<Location, Unresolved> {
        if is_path(specifier) {
            let exact = beside(base, specifier);
            if exact.is_file() {
                return Ok(Location::File(exact));
            }
        }
        let resolver = match asker {
            Asker::Import => &self.import,
            Asker::Require => &self.require,
        };
        match resolver.resolve_file(base, specifier) {
            Ok(found) => Ok(Location::File(found.into_path_buf())),
            Err(error) => Err(unresolved(base, specifier, &error)),
        }
    }
}

fn options(condition: &str, main_fields: [&str; 2]) -> ResolveOptions {
    let alias = |from: &str, to: [&str; 2]| (from.to_owned(), to.map(str::to_owned).to_vec());
    ResolveOptions {
        tsconfig: Some(TsconfigDiscovery::Auto),
        condition_names: vec![condition.to_owned(), "default".to_owned()],
        extensions: EXTENSIONS.map(str::to_owned).to_vec(),
        // TypeScript sources name the file that their import will be compiled to.
        extension_alias: vec![
            alias(".js", [".js", ".ts"]),
            alias(".mjs", [".mjs", ".mts"]),
            alias(".cjs", [".cjs", ".cts"]),
        ],
        main_fields: main_fields.map(str::to_owned).to_vec(),
        node_path: false,
        ..ResolveOptions::default()
    }
}

/// The scheme of a URL; a Windows drive letter is none.
fn scheme(specifier: &str) -> Option<&str> {
    let (scheme, _) = specifier.split_once(':')?;
    let valid =
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    valid.then_some(scheme)
}

fn absolute_url(from: &Location, specifier: &str, scheme: &str) -> Result<Location, Unresolved> {
    let url = Url::parse(specifier).map_err(|error| Unresolved::new(format!("not a valid URL: {error}")))?;
    match scheme {
        "https" => Ok(Location::Remote(url)),
        "file" if matches!(from, Location::Remote(_)) => {
            Err(Unresolved::new("a remote module may not import local files"))
        }
        "file" => url
            .to_file_path()
            .map(|path| Location::File(normalised(&path)))
            .map_err(|()| Unresolved::new("a file URL needs an absolute path and no host")),
        "http" => Err(Unresolved::new("modules come from https:// and local files, not from http://")
            .hint(format!("try {}", specifier.replacen("http:", "https:", 1)))),
        "node" => Err(node_module()),
        _ => Err(Unresolved::new(format!("modules come from https:// and local files, not from {scheme}:"))),
    }
}

/// `github.com/…` and `cdnjs.com/…` once were short for the raw file's URL.
fn retired_short_form(specifier: &str) -> Option<Unresolved> {
    let (host, advice) = [
        ("github.com", "use the file's https://raw.githubusercontent.com/ URL"),
        ("cdnjs.com", "use the file's https://cdnjs.cloudflare.com/ URL"),
    ]
    .into_iter()
    .find(|(host, _)| specifier.strip_prefix(host).is_some_and(|rest| rest.starts_with('/')))?;
    Some(Unresolved::new(format!("{host} short forms are no longer supported, in k6 either")).hint(advice))
}

fn relative_url(base: &Url, specifier: &str) -> Result<Location, Unresolved> {
    if !is_path(specifier) {
        return Err(Unresolved::new("a remote module may import URLs, relative paths and k6 modules only"));
    }
    base.join(specifier)
        .map(Location::Remote)
        .map_err(|error| Unresolved::new(format!("not a valid URL against {base}: {error}")))
}

fn is_host(specifier: &str) -> bool {
    specifier == "k6" || specifier.starts_with("k6/")
}

/// The path that a relative or absolute specifier in the file `base` spells.
fn beside(base: &Path, specifier: &str) -> PathBuf {
    normalised(&base.with_file_name("").join(specifier))
}

fn is_path(specifier: &str) -> bool {
    matches!(specifier, "." | "..")
        || specifier.starts_with("./")
        || specifier.starts_with("../")
        || Path::new(specifier).is_absolute()
}

fn node_module() -> Unresolved {
    Unresolved::new("Node.js modules are not available: a script runs in a load generator, not in Node.js")
}

fn unresolved(base: &Path, specifier: &str, error: &ResolveError) -> Unresolved {
    if !matches!(
        error,
        ResolveError::NotFound(_) | ResolveError::MatchedAliasNotFound(..) | ResolveError::ExtensionAlias(..)
    ) {
        return Unresolved::new(error.to_string());
    }
    if is_path(specifier) {
        let path = beside(base, specifier);
        return missing_file(&path, specifier);
    }
    if is_nodejs_builtin_module(specifier) {
        return node_module();
    }
    let missing =
        Unresolved::new("no such package in node_modules, and no path of tsconfig.json leads to it");
    let beside = base.with_file_name(specifier);
    if beside.is_file() || EXTENSIONS.iter().any(|extension| with_suffix(&beside, extension).is_file()) {
        return missing.hint(format!("did you mean {:?}?", format!("./{specifier}")));
    }
    missing.hint(format!("run `npm install {}`, or begin a path with ./", package_of(specifier)))
}

fn missing_file(path: &Path, specifier: &str) -> Unresolved {
    let missing = Unresolved::new(format!("no such file: {}", path.display()));
    match similar_file(path) {
        Some(name) => missing.hint(format!("did you mean {:?}?", renamed(specifier, &name))),
        None => missing,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// `@scope/name` or `name`, without the path inside the package.
fn package_of(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    match specifier.match_indices('/').nth(parts - 1) {
        Some((end, _)) => &specifier[..end],
        None => specifier,
    }
}

/// A file in the same directory whose name is nearly the same.
fn similar_file(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?.to_lowercase();
    let names = path.parent()?.read_dir().ok()?.flatten();
    names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .map(|name| (likeness(&wanted, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, a_name), (b, b_name)| a.total_cmp(b).then_with(|| b_name.cmp(a_name)))
        .map(|(_, name)| name)
}

/// From 0 to 1; a name that differs only in its extension counts as near.
fn likeness(wanted: &str, name: &str) -> f64 {
    let stem = |name: &str| Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let same_stem = if stem(wanted) == stem(name) { 0.9 } else { 0.0 };
    strsim::normalized_damerau_levenshtein(wanted, name).max(same_stem)
}

/// `specifier` with another last part.
fn renamed(specifier: &str, name: &str) -> String {
    let directory = specifier.rfind('/').map_or("./", |slash| &specifier[..=slash]);
    format!("{directory}{name}")
}

/// An absolute path without `.` and `..`.
pub(crate) fn normalised(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}
