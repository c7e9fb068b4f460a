//! What a run is told besides its options: the script's environment, the summary, outputs. Flags win over
//! `K6_*` variables, those over the configuration file.

use std::{collections::BTreeMap, path::PathBuf};

use squall_options::ConfigFile;

use crate::{
    args::{GlobalArgs, RunOnlyArgs, RuntimeArgs, Switch, switch},
    error::{Error, Result},
    process::Process,
};

/// Settings of one run that are not script options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeOptions {
    /// The script's `__ENV`.
    pub env: BTreeMap<String, String>,
    /// Do not evaluate thresholds.
    pub no_thresholds: bool,
    pub summary_mode: SummaryMode,
    /// File that gets the summary as JSON.
    pub summary_export: Option<PathBuf>,
    /// Use the newer shape of summary data.
    pub machine_readable_summary: bool,
    /// Print no banner, description or progress.
    pub quiet: bool,
    pub no_color: bool,
    /// Where the control API listens; `None`: nowhere.
    pub address: Option<String>,
}

/// How much the end-of-test summary says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SummaryMode {
    /// The totals.
    #[default]
    Compact,
    /// Totals, and sections by group and scenario.
    Full,
    /// The layout of k6 before version 1.
    Legacy,
    /// No summary, no `handleSummary`, no export.
    Disabled,
}

/// Whether a command shows the process's environment to the script unless told otherwise: `run` does, the
/// commands that only look at a script do not, so that their answer depends on the script alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemEnv {
    Shown,
    Hidden,
}

impl RuntimeOptions {
    /// Resolves flags and environment; what neither sets has k6's default.
    pub fn resolve(
        global: &GlobalArgs,
        runtime: &RuntimeArgs,
        system_env: SystemEnv,
        process: &Process,
    ) -> Result<RuntimeOptions> {
        check_compatibility_mode(text(&runtime.compatibility_mode, "K6_COMPATIBILITY_MODE", process))?;
        check_script_type(text(&runtime.script_type, "K6_TYPE", process))?;
        let show_env = boolean(runtime.include_system_env_vars, "K6_INCLUDE_SYSTEM_ENV_VARS", process)?
            .unwrap_or(system_env == SystemEnv::Shown);
        Ok(RuntimeOptions {
            env: script_env(show_env, &runtime.env, process)?,
            no_thresholds: flag(runtime.no_thresholds, "K6_NO_THRESHOLDS", process)?,
            summary_mode: summary_mode(runtime, process)?,
            summary_export: text(&runtime.summary_export, "K6_SUMMARY_EXPORT", process)
                .map(|path| process.resolve(path)),
            machine_readable_summary: flag(
                runtime.new_machine_readable_summary,
                "K6_NEW_MACHINE_READABLE_SUMMARY",
                process,
            )?,
            quiet: global.quiet.is_some_and(|Switch(value)| value),
            no_color: no_color(global, process),
            address: text(&global.address, "K6_ADDRESS", process).map(str::to_owned),
        })
    }
}

/// Outputs as `name` or `name=argument`.
pub fn outs(run_only: &RunOnlyArgs, config: &ConfigFile, process: &Process) -> Vec<String> {
    match (run_only.outs.as_slice(), process.env("K6_OUT")) {
        ([], Some(outs)) => outs.split(',').map(str::to_owned).collect(),
        ([], None) => config.out.clone().unwrap_or_default(),
        (outs, _) => outs.to_vec(),
    }
}

/// Whether to stay after the test until a signal comes.
pub fn linger(run_only: &RunOnlyArgs, config: &ConfigFile, process: &Process) -> Result<bool> {
    Ok(boolean(run_only.linger, "K6_LINGER", process)?.or(config.linger).unwrap_or(false))
}

/// Whether colours are unwelcome, by flag or environment.
pub fn no_color(global: &GlobalArgs, process: &Process) -> bool {
    switch(global.no_color).unwrap_or_else(|| process.env_forbids_color())
}

/// A setting that flag or variable gives as text.
pub(crate) fn text<'a>(flag: &'a Option<String>, variable: &str, process: &'a Process) -> Option<&'a str> {
    flag.as_deref().or_else(|| process.env(variable))
}

fn boolean(flag: Option<Switch>, variable: &str, process: &Process) -> Result<Option<bool>> {
    if flag.is_some() {
        return Ok(switch(flag));
    }
    let Some(text) = process.env(variable) else { return Ok(None) };
    match text.parse() {
        Ok(Switch(value)) => Ok(Some(value)),
        Err(expected) => Err(Error::usage(format!("{variable} is '{text}': {expected}"))),
    }
}

fn flag(flag: Option<Switch>, variable: &str, process: &Process) -> Result<bool> {
    Ok(boolean(flag, variable, process)?.unwrap_or(false))
}

/// k6 compiles scripts differently by mode; Squall runs every script in one way that suits all of them.
fn check_compatibility_mode(mode: Option<&str>) -> Result<()> {
    match mode.unwrap_or("extended") {
        "extended" | "base" | "experimental_enhanced" => Ok(()),
        other => Err(Error::usage(format!("unknown compatibility mode '{other}'"))
            .hint("use extended, base or experimental_enhanced; all of them run the same here")),
    }
}

fn check_script_type(script_type: Option<&str>) -> Result<()> {
    match script_type.unwrap_or("js") {
        "js" => Ok(()),
        "archive" => Err(Error::usage("archives cannot be run yet").hint("run the script itself")),
        other => Err(Error::usage(format!("unknown script type '{other}'")).hint("use --type js")),
    }
}

fn summary_mode(runtime: &RuntimeArgs, process: &Process) -> Result<SummaryMode> {
    if flag(runtime.no_summary, "K6_NO_SUMMARY", process)? {
        return Ok(SummaryMode::Disabled);
    }
    match text(&runtime.summary_mode, "K6_SUMMARY_MODE", process).unwrap_or("compact") {
        "compact" => Ok(SummaryMode::Compact),
        "full" => Ok(SummaryMode::Full),
        "legacy" => Ok(SummaryMode::Legacy),
        "disabled" => Ok(SummaryMode::Disabled),
        other => Err(Error::usage(format!("unknown summary mode '{other}'"))
            .hint("use compact, full, legacy or disabled")),
    }
}

/// `__ENV`: the process's environment if it is shown, and `-e` over it.
fn script_env(shown: bool, given: &[String], process: &Process) -> Result<BTreeMap<String, String>> {
    let mut env = if shown { process.env.clone() } else { BTreeMap::new() };
    assignments(given, &mut env)?;
    Ok(env)
}

/// Adds variables given as NAME=VALUE. A name without value is empty.
pub(crate) fn assignments(given: &[String], env: &mut BTreeMap<String, String>) -> Result<()> {
    for assignment in given {
        let (name, value) = assignment.split_once('=').unwrap_or((assignment, ""));
        if !is_variable_name(name) {
            return Err(Error::usage(format!("'{name}' cannot be the name of an environment variable"))
                .hint("use -e NAME=VALUE with a name of letters, digits and underscores"));
        }
        env.insert(name.to_owned(), value.to_owned());
    }
    Ok(())
}

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
