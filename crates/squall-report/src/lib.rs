//! What a run tells at its end: the text summary and the JSON shapes that k6 scripts and tools read.
//! Numbers come from the aggregate; nothing here reads files, clocks or terminals.

use std::{sync::Arc, time::Duration};

use squall_metrics::{Aggregate, GeneratorHealth};
use squall_options::{TimeUnit, TrendStat};

mod format;
mod json;
mod machine;
mod text;
mod values;

pub use machine::MachineFacts;

/// What a summary needs to know beyond the measurements.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// Length of the test run, setup and teardown included.
    pub run_duration: Duration,
    /// `summaryTrendStats`: the columns of trends.
    pub trend_stats: Vec<TrendStat>,
    /// `summaryTimeUnit`.
    pub time_unit: TimeUnit,
    /// Told to scripts as `options.noColor`.
    pub no_color: bool,
    /// Told to scripts as `state.isStdOutTTY`.
    pub stdout_is_terminal: bool,
    /// Told to scripts as `state.isStdErrTTY`.
    pub stderr_is_terminal: bool,
    /// What `setup` returned, as JSON.
    pub setup_data: Option<Arc<str>>,
    /// How the process did that made the load.
    pub generator: GeneratorHealth,
}

/// How much the text summary shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Totals only, without the phases of HTTP requests.
    Compact,
    /// Everything, by group and scenario too. The aggregate must keep sections.
    Full,
}

/// The end-of-test summary of a run.
pub struct Summary<'a> {
    aggregate: &'a Aggregate,
    facts: &'a RunFacts,
}

impl<'a> Summary<'a> {
    /// The summary of what was measured up to now.
    pub fn new(aggregate: &'a Aggregate, facts: &'a RunFacts) -> Summary<'a> {
        Summary { aggregate, facts }
    }

    /// The text that goes to standard output, with the blank lines around it.
    pub fn text(&self, detail: Detail, colors: bool) -> String {
        text::render(self, detail, colors)
    }

    /// The argument of `handleSummary`.
    pub fn handle_summary_data(&self) -> serde_json::Value {
        json::handle_summary_data(self)
    }

    /// The content of the `--summary-export` file.
    pub fn export(&self) -> serde_json::Value {
        json::export(self)
    }

    /// What `--new-machine-readable-summary` puts in place of both.
    pub fn machine_readable(&self, facts: &MachineFacts) -> serde_json::Value {
        machine::summary(self, facts)
    }
}

#[cfg(test)]
mod tests;
