//! `squall completion`.

use crate::{
    args::{self, CompletionArgs},
    error::Result,
    exit_code::ExitCode,
    process::Process,
};

/// Prints the completion script of a shell.
pub fn execute(args: &CompletionArgs, process: &Process) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), crate::PROGRAM, &mut script);
    process.console.print_bytes(&script);
    Ok(ExitCode::Success)
}
