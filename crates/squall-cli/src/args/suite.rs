//! Flags of `squall suite`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Switch;

/// Run the tests of a service together, as its suite.toml describes them
#[derive(Debug, Args)]
pub struct SuiteArgs {
    #[command(subcommand)]
    pub command: SuiteCommand,
}

/// What to do with suites.
#[derive(Debug, Subcommand)]
pub enum SuiteCommand {
    Run(SuiteRunArgs),
    List(SuiteListArgs),
}

/// Run a suite: wait for its target, run its tests one after the other, and sum up
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct SuiteRunArgs {
    /// Its name in suites/, here or in a folder above, or the path of a suite.toml
    #[arg(value_name = "NAME|FILE")]
    pub suite: String,
    /// Run only these tests, and those that they need
    #[arg(value_name = "TEST")]
    pub tests: Vec<String>,
    /// Set of tests to run [default: quick, or all tests where there is no such set]
    #[arg(long, value_name = "NAME")]
    pub set: Option<String>,
    /// Leave out a test, or all tests of a kind
    #[arg(long, value_name = "NAME|KIND", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Where the target is [default: $BASE_URL, or what the suite says]
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Where results go [default: $OUTPUT_DIR, or results/NAME-TIME]
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Set a variable that every script finds in __ENV
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Start the suite's system of Breakwater on a free port, and stop it in the end
    #[arg(long, conflicts_with = "base_url")]
    pub breakwater: Option<Switch>,
}

const RUN_EXAMPLES: &str = "\
Variables: BASE_URL, OUTPUT_DIR, SKIP_STRESS=1 (as --skip stress), SCALE and DURATION (for the scripts).

Examples:
  squall suite run connex --breakwater                   the set quick, against Breakwater
  squall suite run connex load --base-url http://host    one test, and what it needs
  squall suite run my/suite.toml --set full --skip stress";

/// Show the suites there are, or the tests and sets of one
#[derive(Debug, Args)]
pub struct SuiteListArgs {
    /// Its name in suites/, here or in a folder above, or the path of a suite.toml
    #[arg(value_name = "NAME|FILE")]
    pub suite: Option<String>,
}
