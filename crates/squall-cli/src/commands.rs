//! The commands, a file each. A command takes its arguments and the process, and says how it ended.

use crate::{
    args::{Cli, Command},
    error::Result,
    exit_code::ExitCode,
    logging::Logging,
    process::Process,
};

pub mod completion;
pub mod demo;
pub mod inspect;
pub mod new;
pub mod run;
pub mod suite;
pub mod version;

/// Runs the command that was asked for.
pub fn dispatch(cli: Cli, process: &mut Process, logging: &Logging) -> Result<ExitCode> {
    match cli.command {
        Command::Run(args) => run::execute(&cli.global, &args, process, logging),
        Command::Suite(args) => suite::execute(&cli.global, *args, process),
        Command::Inspect(args) => inspect::execute(&cli.global, &args, process),
        Command::New(args) => new::execute(&args, process),
        Command::Demo(args) => demo::execute(&cli.global, *args, process, logging),
        Command::Version(args) => version::execute(&args, process),
        Command::Completion(args) => completion::execute(&args, process),
    }
}
