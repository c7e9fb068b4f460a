//! Flags that say how a script is run and reported, rather than what load it makes.

use clap::Args;

use super::Switch;

/// Flags of every command that loads a script.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Script and summary")]
pub struct RuntimeArgs {
    /// Show the process's environment to the script [default: true for run, false for inspect]
    #[arg(long)]
    pub include_system_env_vars: Option<Switch>,
    /// extended, base or experimental_enhanced; all run the same here
    #[arg(long, value_name = "MODE")]
    pub compatibility_mode: Option<String>,
    /// What the file is: js
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    pub script_type: Option<String>,
    /// Set a variable that the script finds in __ENV
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Do not evaluate thresholds
    #[arg(long)]
    pub no_thresholds: Option<Switch>,
    /// Print no summary; the same as --summary-mode disabled
    #[arg(long)]
    pub no_summary: Option<Switch>,
    /// compact, full, legacy or disabled [default: compact]
    #[arg(long, value_name = "MODE")]
    pub summary_mode: Option<String>,
    /// Write the summary to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub summary_export: Option<String>,
    /// Use k6's newer shape of summary data
    #[arg(long)]
    pub new_machine_readable_summary: Option<Switch>,
    /// Accepted for k6's sake, does nothing
    #[arg(long, value_name = "OUTPUT", hide = true)]
    pub traces_output: Option<String>,
}

/// Flags of `run` and `demo` only.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Results")]
pub struct RunOnlyArgs {
    /// Send samples to an output: json=FILE or csv=FILE
    #[arg(short, long = "out", value_name = "OUTPUT")]
    pub outs: Vec<String>,
    /// Stay until interrupted after the test has ended
    #[arg(short, long)]
    pub linger: Option<Switch>,
    /// Accepted for k6's sake: Squall never reports usage
    #[arg(long, hide = true)]
    pub no_usage_report: Option<Switch>,
    /// Accepted for k6's sake, does nothing
    #[arg(long, value_name = "FEATURES", value_delimiter = ',', hide = true)]
    pub features: Vec<String>,
}
