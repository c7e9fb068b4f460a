//! Connects a [`RunPlan`] to the script host and the engine.

use squall_options::Options;

use crate::{
    commands::run::{RunPlan, ScriptSource},
    error::{Error, Result},
    exit_code::ExitCode,
    process::Process,
    runtime_options::RuntimeOptions,
};

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
