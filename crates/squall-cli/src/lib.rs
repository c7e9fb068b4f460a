//! The command line: one file a command, flags, logging, progress, errors → exit codes.
//!
//! [`main`] is the real program; [`execute`] is the same program with everything it would take from the
//! process handed in, so tests run it in their own process.

pub mod args;
pub mod banner;
pub mod commands;
pub mod config;
pub mod console;
pub mod demo;
pub mod embedded;
pub mod error;
pub mod exit_code;
pub mod flags;
pub mod logging;
pub mod process;
pub mod progress;
pub mod resources;
pub mod runtime_options;
pub mod session;
#[cfg(test)]
mod testing;

use args::Invocation;
use exit_code::ExitCode;
use process::Process;

/// The name every message and help text uses.
pub const PROGRAM: &str = "squall";

/// Squall's own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs the command of this process's arguments and says how it ended.
pub fn main() -> std::process::ExitCode {
    execute(Process::current()).into()
}

/// Runs one command line to its end. Errors have been printed when it returns.
pub fn execute(mut process: Process) -> ExitCode {
    match args::parse(&process) {
        Ok(Invocation::Command(cli)) => run_command(*cli, &mut process),
        Ok(Invocation::Help(text)) => {
            process.console.print(&text);
            ExitCode::Success
        }
        Err(error) => {
            logging::report_unlogged(&process, &error);
            error.exit_code
        }
    }
}

fn run_command(cli: args::Cli, process: &mut Process) -> ExitCode {
    let logging = match logging::start(&cli, process) {
        Ok(logging) => logging,
        Err(error) => {
            logging::report_unlogged(process, &error);
            return error.exit_code;
        }
    };
    commands::dispatch(cli, process, &logging).unwrap_or_else(|error| {
        error.log();
        error.exit_code
    })
}

#[cfg(test)]
mod tests;
