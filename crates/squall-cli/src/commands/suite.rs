//! `squall suite`: the tests of a service, one after the other, and a report over all.

use crate::{
    args::{GlobalArgs, SuiteArgs, SuiteCommand},
    error::Result,
    exit_code::ExitCode,
    process::Process,
};

mod child;
mod list;
mod load;
mod results;
mod run;
mod target;

/// Runs or lists suites.
pub fn execute(global: &GlobalArgs, args: SuiteArgs, process: &mut Process) -> Result<ExitCode> {
    match args.command {
        SuiteCommand::Run(args) => run::execute(global, &args, process),
        SuiteCommand::List(args) => list::execute(&args, process),
    }
}
