//! `squall demo`: something to look at before there is a script or a service to test.

use crate::{
    args::{GlobalArgs, RunFlags},
    commands::run::{self, RunPlan, ScriptSource},
    demo::{SCRIPT, target::Target},
    error::{Error, Result},
    exit_code::ExitCode,
    logging::Logging,
    process::Process,
};

/// Starts the target, runs the demo's script against it as `run` would, and stops the target.
pub fn execute(
    global: &GlobalArgs,
    mut flags: RunFlags,
    process: &mut Process,
    logging: &Logging,
) -> Result<ExitCode> {
    let target =
        Target::start().map_err(|error| Error::usage(format!("cannot start the demo's target: {error}")))?;
    flags.runtime.env.push(format!("BASE_URL={}", target.base_url()));
    let script = ScriptSource::Text { name: "demo.js".into(), source: SCRIPT.to_owned() };
    let plan = RunPlan::gather(global, &flags, script, process)?;
    run::start(plan, process, logging)
}
