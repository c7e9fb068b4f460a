//! Connects a [`RunPlan`] to the script host and the engine.

use std::time::Duration;

use squall_options::Options;

use crate::{
    commands::run::{RunPlan, ScriptSource},
    error::{Error, Result},
    exit_code::ExitCode,
    process::Process,
    runtime_options::RuntimeOptions,
};

/// What a test needs, as `inspect --execution-requirements` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// Until the last graceful stop is over.
    pub total_duration: Duration,
    /// VUs that may exist at the same time.
    pub max_vus: u64,
}

/// Runs a plan to its end: load, probe, set up, run, tear down, report.
pub fn run(plan: RunPlan, _process: &mut Process) -> Result<ExitCode> {
    Err(Error::new(ExitCode::InternalError, format!("this build cannot run {}", plan.script.name())))
}

/// The options that a script exports.
pub fn probe_options(
    script: &ScriptSource,
    _runtime: &RuntimeOptions,
    _process: &mut Process,
) -> Result<Options> {
    Err(Error::new(ExitCode::InternalError, format!("this build cannot inspect {}", script.name())))
}

/// What a test with these options, all layers combined, needs.
pub fn requirements(_options: &Options) -> Result<Requirements> {
    Err(Error::new(ExitCode::InternalError, "this build cannot plan"))
}
