//! The grammar of the command line. Says what was asked, in the user's words; what it means for a run is
//! worked out in [`crate::flags`] and [`crate::runtime_options`].

use std::{any::TypeId, net::SocketAddr, str::FromStr};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};

use crate::{
    error::{Error, Result},
    process::Process,
};

mod option;
mod runtime;
mod suite;

pub use option::OptionArgs;
pub use runtime::{RunOnlyArgs, RuntimeArgs};
pub use suite::{SuiteArgs, SuiteCommand, SuiteListArgs, SuiteRunArgs};

/// Help is no wider than this: long lines are hard to read.
const HELP_COLUMNS: usize = 110;

/// Load testing with k6 scripts, at a fraction of the cost.
#[derive(Debug, Parser)]
#[command(name = "squall", version = crate::VERSION)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<RunArgs>),
    Suite(Box<SuiteArgs>),
    Inspect(Box<InspectArgs>),
    New(NewArgs),
    Demo(Box<DemoArgs>),
    Version(VersionArgs),
    Completion(CompletionArgs),
}

/// Flags of every command.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Global flags")]
pub struct GlobalArgs {
    /// Address of the control API; without it there is none
    #[arg(short, long, global = true, value_name = "HOST:PORT")]
    pub address: Option<String>,
    /// Configuration file in JSON
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<String>,
    /// Format of log lines: text, json or raw
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Where log lines go: stderr, stdout, none, file=PATH[,level=LEVEL] or loki[=URL,...]
    #[arg(long, global = true, value_name = "OUTPUT")]
    pub log_output: Option<String>,
    /// Print without colours
    #[arg(long, global = true)]
    pub no_color: Option<Switch>,
    /// Accepted for k6's sake, does nothing
    #[arg(long, global = true, hide = true)]
    pub profiling_enabled: Option<Switch>,
    /// Print no banner, description or progress
    #[arg(short, long, global = true)]
    pub quiet: Option<Switch>,
    /// Log details
    #[arg(short, long, global = true)]
    pub verbose: Option<Switch>,
    /// Accepted for k6's sake, does nothing
    #[arg(long, global = true, hide = true, value_name = "SOURCE")]
    pub secret_source: Vec<String>,
}

/// Run a test
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct RunArgs {
    /// The script, or - to read it from standard input
    pub script: String,
    #[command(flatten)]
    pub flags: RunFlags,
}

const RUN_EXAMPLES: &str = "\
Examples:
  squall run script.js                                   as the script says
  squall run -u 5 -d 10s script.js                       5 VUs for 10 seconds
  squall run -u 5 -i 10 script.js                        10 iterations shared by 5 VUs
  squall run -s 10s:100 -s 60s:100 -s 10s:0 script.js    ramp to 100 VUs, stay, ramp down
  squall run -o json=samples.json script.js              keep every sample";

/// What `run` and `demo` share.
#[derive(Debug, Default, Args)]
pub struct RunFlags {
    #[command(flatten)]
    pub options: OptionArgs,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
    #[command(flatten)]
    pub run_only: RunOnlyArgs,
}

/// Print the options that a script exports, as JSON
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The script, or - to read it from standard input
    pub script: String,
    #[command(flatten)]
    pub runtime: RuntimeArgs,
    /// Merge configuration and environment in, and add totalDuration and maxVUs
    #[arg(long)]
    pub execution_requirements: Option<Switch>,
}

/// Write a first script
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Where to write it
    #[arg(default_value = "script.js")]
    pub file: String,
    /// Overwrite the file if it exists
    #[arg(short, long)]
    pub force: Option<Switch>,
    /// minimal, protocol, or the path of a template of your own
    #[arg(long, default_value = "minimal", value_name = "TEMPLATE")]
    pub template: String,
    /// Value of {{ .ProjectID }} in a template
    #[arg(long, default_value = "", value_name = "ID", hide_default_value = true)]
    pub project_id: String,
}

/// Run a mixed load against a small built-in target, for about 20 seconds
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Only start the target, at this address, and wait for an interrupt
    #[arg(long, value_name = "HOST:PORT")]
    pub target_at: Option<SocketAddr>,
    #[command(flatten)]
    pub flags: RunFlags,
}

/// Print the version
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// As one line of JSON
    #[arg(long)]
    pub json: Option<Switch>,
}

/// Print a script that completes Squall's commands and flags in a shell
#[derive(Debug, Args)]
pub struct CompletionArgs {
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// A flag that stands alone or takes a boolean: `--no-setup`, `--no-setup=false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch(pub bool);

impl FromStr for Switch {
    type Err = String;

    /// The spellings that k6 knows.
    fn from_str(text: &str) -> std::result::Result<Switch, String> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Switch(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Switch(false)),
            _ => Err("expected true or false".into()),
        }
    }
}

/// The value of a switch, when it was given.
pub fn switch(given: Option<Switch>) -> Option<bool> {
    given.map(|Switch(value)| value)
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Invocation {
    Command(Box<Cli>),
    /// Print this and end well.
    Help(String),
}

/// Reads the process's arguments.
pub fn parse(process: &Process) -> Result<Invocation> {
    // clap would ask the process itself how wide its terminal is.
    let columns = process.console.stdout_size().map_or(HELP_COLUMNS, |size| size.columns.min(HELP_COLUMNS));
    let matches = command().term_width(columns).try_get_matches_from(&process.args);
    match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => Ok(Invocation::Command(Box::new(cli))),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Ok(Invocation::Help(
                    match process.console.stdout_is_terminal() && !process.env_forbids_color() {
                        true => error.render().ansi().to_string(),
                        false => error.render().to_string(),
                    },
                ))
            }
            ErrorKind::DisplayVersion => Ok(Invocation::Help(crate::commands::version::text())),
            _ => Err(usage_error(&error)),
        },
    }
}

/// Flags of `run` that stand in a file rather than on the command line.
///
/// # Errors
/// What is wrong with them.
pub fn run_flags(flags: &[String]) -> std::result::Result<RunFlags, String> {
    let command = RunFlags::augment_args(clap::Command::new("run").no_binary_name(true));
    let matches = relax_switches(command).try_get_matches_from(flags);
    matches.and_then(|matches| RunFlags::from_arg_matches(&matches)).map_err(|error| message_of(&error))
}

/// The grammar, with every [`Switch`] allowed to stand alone.
pub fn command() -> clap::Command {
    relax_switches(Cli::command())
}

fn relax_switches(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| match arg.get_value_parser().type_id() == TypeId::of::<Switch>() {
            true => arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("BOOL"),
            false => arg,
        })
        .mut_subcommands(relax_switches)
}

/// clap's message without its decoration: the first paragraph.
pub fn message_of(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let message = rendered.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ").trim();
    message.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The message says what is wrong, tips say what to do.
fn usage_error(error: &clap::Error) -> Error {
    let message = message_of(error);
    let rendered = error.render().to_string();
    let tip = rendered
        .split("\n\n")
        .skip(1)
        .flat_map(str::lines)
        .find_map(|line| line.trim().strip_prefix("tip: ").filter(|tip| tip.contains("similar")));
    Error::usage(message).hint(match tip {
        Some(tip) => tip.to_owned(),
        None => "squall --help lists the commands, squall COMMAND --help the flags of one".to_owned(),
    })
}

#[cfg(test)]
mod tests;
