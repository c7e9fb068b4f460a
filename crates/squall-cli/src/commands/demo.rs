//! `squall demo`: something to look at before there is a script or a service to test.

use std::net::{Ipv4Addr, SocketAddr};

use crate::{
    args::{DemoArgs, GlobalArgs, RunFlags},
    commands::run::{self, RunPlan, ScriptSource},
    demo::{self, target},
    embedded::Embedded,
    error::{Error, Result},
    exit_code::ExitCode,
    logging::Logging,
    process::Process,
};

/// Starts the target, runs the demo's script against it as `run` would, and stops the target.
pub fn execute(
    global: &GlobalArgs,
    args: DemoArgs,
    process: &mut Process,
    logging: &Logging,
) -> Result<ExitCode> {
    match args.target_at {
        Some(address) => serve_until_interrupted(start(address)?, process),
        None => run_demo(global, args.flags, process, logging),
    }
}

fn run_demo(
    global: &GlobalArgs,
    mut flags: RunFlags,
    process: &mut Process,
    logging: &Logging,
) -> Result<ExitCode> {
    let target = start((Ipv4Addr::LOCALHOST, 0).into())?;
    let env = demo::ENV.map(str::to_owned).into_iter().chain([format!("BASE_URL={}", target.base_url())]);
    flags.runtime.env.splice(0..0, env);
    let script = ScriptSource::Demo;
    let plan = RunPlan::gather(global, &flags, script, process)?;
    run::start(plan, process, logging)
}

fn start(address: SocketAddr) -> Result<Embedded> {
    target::start(address)
        .map_err(|error| Error::usage(format!("the demo's target cannot listen on {address}: {error}")))
}

fn serve_until_interrupted(target: Embedded, process: &Process) -> Result<ExitCode> {
    let cannot_wait = |error| Error::usage(format!("cannot wait for signals: {error}"));
    let mut interrupts = (process.trap_signals)().map_err(cannot_wait)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(cannot_wait)?;
    process.console.print(&format!("The demo's target is at {}. Ctrl-C stops it.\n", target.base_url()));
    runtime.block_on(interrupts.first());
    Ok(ExitCode::Success)
}
