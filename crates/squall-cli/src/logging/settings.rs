//! Reads `--log-format`, `--log-output` and `--verbose`.

use std::path::PathBuf;

use tracing::level_filters::LevelFilter;

use super::{Format, LokiSettings};
use crate::error::{Error, Result};

/// What to log, how, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    pub level: LevelFilter,
    pub format: Format,
    pub target: Target,
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Stderr,
    Stdout,
    None,
    File(PathBuf),
    Loki(Box<LokiSettings>),
}

impl LogSettings {
    /// Settings from the texts that flags or environment give. An unknown format means text, as in k6.
    pub fn parse(format: Option<&str>, output: Option<&str>, verbose: bool) -> Result<LogSettings> {
        let format = match format.unwrap_or_default() {
            "json" => Format::Json,
            "raw" => Format::Raw,
            _ => Format::Text,
        };
        let level = if verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
        let plain = |target| LogSettings { level, format, target };
        match output.unwrap_or("stderr") {
            "stderr" => Ok(plain(Target::Stderr)),
            "stdout" => Ok(plain(Target::Stdout)),
            "none" => Ok(plain(Target::None)),
            output => match (output.strip_prefix("file"), output.strip_prefix("loki")) {
                (Some(settings), _) => to_file(settings, format, level),
                (_, Some(settings)) => {
                    let (settings, own_level) = LokiSettings::parse(settings)?;
                    let target = Target::Loki(Box::new(settings));
                    Ok(LogSettings { level: own_level.unwrap_or(level), format, target })
                }
                _ => Err(Error::usage(format!("unknown log output '{output}'"))
                    .hint("use stderr, stdout, none, file=PATH or loki=URL")),
            },
        }
    }
}

/// `=PATH[,level=LEVEL]`, in any order of the two.
fn to_file(settings: &str, format: Format, mut level: LevelFilter) -> Result<LogSettings> {
    let mut path = None;
    for setting in settings.trim_start_matches('=').split(',').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some(("level", name)) => level = parse_level(name)?,
            Some((key, _)) => return Err(Error::usage(format!("unknown setting '{key}' of the log file"))),
            None => path = Some(PathBuf::from(setting)),
        }
    }
    match path {
        Some(path) => Ok(LogSettings { level, format, target: Target::File(path) }),
        None => Err(Error::usage("--log-output file needs a path").hint("use --log-output file=PATH")),
    }
}

/// The names that k6 takes for levels.
pub(super) fn parse_level(name: &str) -> Result<LevelFilter> {
    match name {
        "panic" | "fatal" | "error" => Ok(LevelFilter::ERROR),
        "warn" | "warning" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err(Error::usage(format!("unknown log level '{name}'"))
            .hint("use error, warning, info, debug or trace")),
    }
}
