//! Outputs: raw samples to files while the run goes on. Each output has a bounded queue and a thread of its
//! own, so a slow disk delays no iteration; what does not fit is dropped and counted. Aggregates are not its
//! business.

use std::{
    io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use squall_metrics::{Aggregate, Sample, ThresholdSpec};
use squall_options::SystemTags;

mod csv;
mod json;
mod queue;
mod target;

pub use queue::{OutputHandle, OutputReport};

/// Names that [`start`] knows.
pub const NAMES: [&str; 2] = ["csv", "json"];

/// What outputs need to know about the run.
pub struct OutputContext<'a> {
    /// Tells which metrics and submetrics there are.
    pub aggregate: &'a Aggregate,
    /// The thresholds of the options, by metric or submetric.
    pub thresholds: &'a [(String, Vec<ThresholdSpec>)],
    /// Wall time of the run's start, which samples count from.
    pub started_at: SystemTime,
    /// System tags that are on; they are csv's columns.
    pub system_tags: SystemTags,
    /// Looks up an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// Why an output cannot start or did not write everything.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// There is no output of this name.
    #[error("unknown output '{0}', available are: {names}", names = NAMES.join(", "))]
    Unknown(String),
    /// The argument or an environment variable of the output is wrong.
    #[error("{output} output: {reason}")]
    Config { output: &'static str, reason: String },
    /// The file could not be created.
    #[error("{output} output: cannot create {}: {source}", path.display())]
    Create { output: &'static str, path: PathBuf, source: io::Error },
    /// Samples were lost because writing failed during the run.
    #[error("{output} output: cannot write to {target}: {source}; samples are lost")]
    Write { output: &'static str, target: String, source: io::Error },
    /// No thread for the output.
    #[error("{output} output: cannot start its thread: {source}")]
    Thread { output: &'static str, source: io::Error },
}

/// Writes samples in the format of one output.
trait Encoder: Send {
    /// Writes what comes before all samples.
    fn begin(&mut self, _out: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }

    /// Writes samples.
    fn samples(&mut self, samples: &[Sample], out: &mut dyn io::Write) -> io::Result<()>;
}

/// Starts the output that `spec` asks for: `name` or `name=argument`, as `--out` takes it.
pub fn start(spec: &str, context: &OutputContext<'_>) -> Result<OutputHandle, OutputError> {
    let (name, argument) = spec.split_once('=').unwrap_or((spec, ""));
    match name {
        "json" => json::start(argument, context),
        "csv" => csv::start(argument, context),
        _ => Err(OutputError::Unknown(name.to_owned())),
    }
}

/// Turns samples' times into wall time.
#[derive(Clone, Copy)]
struct WallClock {
    started_at: jiff::Timestamp,
}

impl WallClock {
    fn new(context: &OutputContext<'_>) -> WallClock {
        // Only a clock set before the year -9999 or after 9999 does not fit.
        WallClock { started_at: context.started_at.try_into().unwrap_or(jiff::Timestamp::UNIX_EPOCH) }
    }

    fn at(self, since_start: Duration) -> jiff::Timestamp {
        self.started_at.saturating_add(since_start).unwrap_or(jiff::Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests;
