//! Finds a suite, reads its file and checks what only the command line can check.

use std::{
    fs,
    path::{Path, PathBuf},
};

use squall_suite::{Manifest, ManifestError, Test};

use crate::{
    args, embedded,
    error::{Error, Result},
    process::Process,
};

/// The folder of suites, in the working directory or one above.
const SUITES: &str = "suites";
/// The file that makes a folder a suite.
const FILE: &str = "suite.toml";

/// A suite whose file is good.
pub(super) struct Suite {
    /// What its results are called after.
    pub(super) name: String,
    /// From the working directory, where it lies below.
    pub(super) file: PathBuf,
    pub(super) manifest: Manifest,
}

impl Suite {
    /// The suite that a user means.
    pub(super) fn load(argument: &str, process: &Process) -> Result<Suite> {
        let file = find(argument, process)?;
        let shown = shown(&file, process);
        let text = fs::read_to_string(&file).map_err(|error| {
            Error::usage(format!("cannot read {}: {error}", shown.display()))
                .hint("give the name of a suite, or the path of its suite.toml")
        })?;
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        let refused = |error: ManifestError| {
            let place = match error.line {
                Some(line) => format!("{}:{line}", shown.display()),
                None => shown.display().to_string(),
            };
            Error::config(format!("{place}: {error}")).hint(error.hint)
        };
        let manifest = Manifest::parse(&text).map_err(refused)?;
        manifest.check_scripts(|script| folder.join(script).is_file()).map_err(refused)?;
        check_flags(&manifest).map_err(refused)?;
        Ok(Suite { name: name(&file), file: shown, manifest })
    }

    /// The script of a test, from the working directory.
    pub(super) fn script(&self, test: &Test) -> PathBuf {
        self.file.parent().map_or_else(|| test.script.clone(), |folder| folder.join(&test.script))
    }
}

/// Names of the suites that there are here, or in the next folder above that has some.
pub(super) fn names(process: &Process) -> Vec<String> {
    let folder = process.current_dir.ancestors().map(|folder| folder.join(SUITES)).find(|it| it.is_dir());
    let entries = folder.and_then(|folder| fs::read_dir(folder).ok());
    let folders = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    let suites = folders.filter(|folder| folder.join(FILE).is_file());
    let mut names: Vec<String> = suites.map(|folder| name(&folder.join(FILE))).collect();
    names.sort();
    names
}

/// A name is looked for in `suites/`, from the working directory upwards; anything else is a path.
fn find(argument: &str, process: &Process) -> Result<PathBuf> {
    if argument.ends_with(".toml") || argument.contains('/') {
        let path = process.resolve(argument);
        return Ok(if path.is_dir() { path.join(FILE) } else { path });
    }
    let candidates =
        process.current_dir.ancestors().map(|folder| folder.join(SUITES).join(argument).join(FILE));
    candidates.into_iter().find(|file| file.is_file()).ok_or_else(|| {
        let error = Error::usage(format!("there is no suite '{argument}' in {SUITES}/ here or above"));
        match names(process).join(", ") {
            names if names.is_empty() => error.hint("give the path of a suite.toml"),
            names => error.hint(format!("there are {names}; the path of a suite.toml works, too")),
        }
    })
}

/// The folder's name, or that of the file when it is called something of its own.
fn name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    match folder {
        Some(folder) if stem == "suite" => folder,
        _ => stem,
    }
}

fn shown(file: &Path, process: &Process) -> PathBuf {
    file.strip_prefix(&process.current_dir).unwrap_or(file).to_owned()
}

/// Flags are told to be wrong before anything runs.
fn check_flags(manifest: &Manifest) -> std::result::Result<(), ManifestError> {
    let refused = |key: String, message: String, hint: &str| {
        Err(ManifestError { line: None, message: format!("{key}: {message}"), hint: hint.into() })
    };
    let target = &manifest.target;
    if let Some(name) = &target.breakwater
        && embedded::system(name).is_none()
    {
        let hint = "the systems are connex, birthday, location, azora and fluxor";
        return refused("target.breakwater".into(), format!("there is no system '{name}'"), hint);
    }
    let breakwaters_hint = "docs/breakwater.md tells the flags";
    if let Err(message) = embedded::settings(&target.breakwater_options) {
        return refused("target.breakwater_options".into(), message, breakwaters_hint);
    }
    for test in &manifest.tests {
        let key = |key: &str| format!("tests.{}.{key}", test.name);
        if let Err(message) = embedded::settings(&test.breakwater_options) {
            return refused(key("breakwater_options"), message, breakwaters_hint);
        }
        let flags = match args::run_flags(&test.options) {
            Ok(flags) => flags.runtime,
            Err(message) => return refused(key("options"), message, "squall run --help tells the flags"),
        };
        if flags.summary_export.is_some() || flags.new_machine_readable_summary.is_some() {
            let message = "--summary-export and --new-machine-readable-summary are the suite's own".into();
            let hint = "leave them out: summary.json is kept beside the other results";
            return refused(key("options"), message, hint);
        }
    }
    Ok(())
}
