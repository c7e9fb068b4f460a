//! Finds and reads the configuration file: `--config`, else `K6_CONFIG`, else a default place, where it may be
//! missing.

use std::{fs, io::ErrorKind, path::PathBuf};

use squall_options::{ConfigFile, from_config_file};

use crate::{
    args::GlobalArgs,
    error::{Error, Result},
    process::Process,
    runtime_options::text,
};

/// The configuration in force; the default one when there is no file.
pub fn read(global: &GlobalArgs, process: &Process) -> Result<ConfigFile> {
    let Some((path, json)) = find(global, process)? else { return Ok(ConfigFile::default()) };
    let (config, warnings) =
        from_config_file(&json).map_err(|error| Error::config(format!("{}: {error}", path.display())))?;
    for warning in warnings {
        tracing::warn!("{}: {warning}", path.display());
    }
    Ok(config)
}

/// Path and text of the file. One that was asked for by name must exist.
fn find(global: &GlobalArgs, process: &Process) -> Result<Option<(PathBuf, String)>> {
    if let Some(path) = text(&global.config, "K6_CONFIG", process) {
        let path = process.resolve(path);
        return match fs::read_to_string(&path) {
            Ok(json) => Ok(Some((path, json))),
            Err(error) => Err(unreadable(&path, &error)),
        };
    }
    for path in default_paths(process) {
        match fs::read_to_string(&path) {
            Ok(json) => return Ok(Some((path, json))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(unreadable(&path, &error)),
        }
    }
    Ok(None)
}

/// Squall's own file, then the one that k6 left.
fn default_paths(process: &Process) -> Vec<PathBuf> {
    let base = match (process.env("XDG_CONFIG_HOME"), process.env("HOME")) {
        (Some(config_home), _) => PathBuf::from(config_home),
        (None, Some(home)) => PathBuf::from(home).join(".config"),
        (None, None) => return Vec::new(),
    };
    ["squall", "k6"].into_iter().map(|name| base.join(name).join("config.json")).collect()
}

fn unreadable(path: &std::path::Path, error: &std::io::Error) -> Error {
    Error::config(format!("cannot read the configuration file {}: {error}", path.display()))
        .hint("check --config and K6_CONFIG")
}

#[cfg(test)]
mod tests;
