//! The csv output: a row for each sample, with a column for each system tag that is on.

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::Arc,
};

use csv::ByteRecord;
use squall_metrics::{Registry, Sample, TagSet};
use squall_options::parse_duration;

use crate::{Encoder, OutputContext, OutputError, OutputHandle, WallClock, target::Target};

/// Starts the output. The argument is a path or pairs such as `fileName=f,timeFormat=unix`.
pub(crate) fn start(argument: &str, context: &OutputContext<'_>) -> Result<OutputHandle, OutputError> {
    let config =
        Config::new(argument, context.env).map_err(|reason| OutputError::Config { output: "csv", reason })?;
    let target = Target::open("csv", &config.file_name)?;
    OutputHandle::start("csv", target, CsvEncoder::new(context, config.time_format))
}

#[derive(Clone, Debug, PartialEq)]
struct Config {
    file_name: String,
    time_format: TimeFormat,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum TimeFormat {
    Unix,
    UnixMilli,
    UnixMicro,
    UnixNano,
    Rfc3339,
    Rfc3339Nano,
}

impl Config {
    /// The argument goes over the environment, and that over the defaults.
    fn new(argument: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, String> {
        let mut config = Config { file_name: "file.csv".to_owned(), time_format: TimeFormat::Unix };
        let variables = [
            ("K6_CSV_FILENAME", "fileName"),
            ("K6_CSV_SAVE_INTERVAL", "saveInterval"),
            ("K6_CSV_TIME_FORMAT", "timeFormat"),
        ];
        for (variable, key) in variables {
            if let Some(value) = env(variable) {
                config.set(key, &value).map_err(|reason| format!("{variable}: {reason}"))?;
            }
        }
        if argument.is_empty() {
            return Ok(config);
        }
        if !argument.contains('=') {
            config.set("fileName", argument)?;
            return Ok(config);
        }
        for pair in argument.split(',') {
            let (key, value) = pair.split_once('=').ok_or_else(|| format!("'{pair}' is not key=value"))?;
            config.set(key, value)?;
        }
        Ok(config)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "fileName" | "file_name" => self.file_name = value.to_owned(),
            "timeFormat" => self.time_format = TimeFormat::parse(value)?,
            // Rows are written as soon as they come, which is never later than any interval.
            "saveInterval" | "save_interval" => drop(parse_duration(value)?),
            _ => return Err(format!("unknown key '{key}', known are fileName, saveInterval and timeFormat")),
        }
        Ok(())
    }
}

impl TimeFormat {
    fn parse(name: &str) -> Result<TimeFormat, String> {
        Ok(match name {
            "unix" => TimeFormat::Unix,
            "unix_milli" => TimeFormat::UnixMilli,
            "unix_micro" => TimeFormat::UnixMicro,
            "unix_nano" => TimeFormat::UnixNano,
            "rfc3339" => TimeFormat::Rfc3339,
            "rfc3339_nano" => TimeFormat::Rfc3339Nano,
            _ => {
                return Err(format!(
                    "unknown time format '{name}', known are unix, unix_milli, unix_micro, unix_nano, rfc3339 \
                     and rfc3339_nano"
                ));
            }
        })
    }

    fn format(self, time: jiff::Timestamp) -> String {
        match self {
            TimeFormat::Unix => time.as_second().to_string(),
            TimeFormat::UnixMilli => time.as_millisecond().to_string(),
            TimeFormat::UnixMicro => time.as_microsecond().to_string(),
            TimeFormat::UnixNano => time.as_nanosecond().to_string(),
            TimeFormat::Rfc3339 => format!("{time:.0}"),
            TimeFormat::Rfc3339Nano => time.to_string(),
        }
    }
}

struct CsvEncoder {
    registry: Arc<Registry>,
    clock: WallClock,
    time_format: TimeFormat,
    tag_columns: Vec<&'static str>,
    /// The row being written, kept for its memory.
    row: ByteRecord,
}

impl CsvEncoder {
    fn new(context: &OutputContext<'_>, time_format: TimeFormat) -> CsvEncoder {
        // `vu` and `iter` are metadata, not tags.
        let is_tag = |name: &&str| !matches!(*name, "vu" | "iter");
        CsvEncoder {
            registry: Arc::clone(context.aggregate.registry()),
            clock: WallClock::new(context),
            time_format,
            tag_columns: context.system_tags.names().into_iter().filter(is_tag).collect(),
            row: ByteRecord::new(),
        }
    }

    fn set_row(&mut self, sample: &Sample) {
        self.row.clear();
        self.row.push_field(self.registry.info(sample.metric).name.as_bytes());
        self.row.push_field(self.time_format.format(self.clock.at(sample.at)).as_bytes());
        self.row.push_field(format!("{:.6}", sample.value).as_bytes());
        for column in &self.tag_columns {
            self.row.push_field(sample.tags.get(column).unwrap_or_default().as_bytes());
        }
        self.row.push_field(pairs(&sample.tags, &self.tag_columns).as_bytes());
        let metadata = sample.metadata.as_ref().map(|metadata| pairs(metadata, &[]));
        self.row.push_field(metadata.unwrap_or_default().as_bytes());
    }
}

impl Encoder for CsvEncoder {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let first = ["metric_name", "timestamp", "metric_value"];
        let columns = first.iter().chain(&self.tag_columns).chain(&["extra_tags", "metadata"]);
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(columns)?;
        writer.flush()
    }

    fn samples(&mut self, samples: &[Sample], out: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        for sample in samples {
            self.set_row(sample);
            writer.write_byte_record(&self.row)?;
        }
        writer.flush()
    }
}

/// `key=value&key=value` of the tags that have no column.
fn pairs(tags: &TagSet, columns: &[&str]) -> String {
    let mut text = String::new();
    for (key, value) in tags.iter().filter(|(key, _)| !columns.contains(key)) {
        let separator = if text.is_empty() { "" } else { "&" };
        let _ = write!(text, "{separator}{key}={value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(argument: &str) -> Result<Config, String> {
        let env = |name: &str| (name == "K6_CSV_TIME_FORMAT").then(|| "rfc3339".to_owned());
        Config::new(argument, &env)
    }

    #[test]
    fn the_argument_goes_over_the_environment() {
        let check = |argument, file_name: &str, time_format| {
            assert_eq!(config(argument), Ok(Config { file_name: file_name.to_owned(), time_format }));
        };
        check("", "file.csv", TimeFormat::Rfc3339);
        check("a,b.csv", "a,b.csv", TimeFormat::Rfc3339);
        check("fileName=x.csv,saveInterval=2s,timeFormat=unix_nano", "x.csv", TimeFormat::UnixNano);
    }

    #[test]
    fn bad_arguments_say_why() {
        let error = |argument| config(argument).unwrap_err();
        insta::assert_snapshot!(error("x.csv,timeFormat=unix"), @"'x.csv' is not key=value");
        insta::assert_snapshot!(error("file=x"), @"unknown key 'file', known are fileName, saveInterval and timeFormat");
        insta::assert_snapshot!(error("timeFormat=iso"), @"unknown time format 'iso', known are unix, unix_milli, unix_micro, unix_nano, rfc3339 and rfc3339_nano");
        assert!(error("saveInterval=soon").contains("soon"));
        let env = |name: &str| (name == "K6_CSV_TIME_FORMAT").then(|| "iso".to_owned());
        assert!(Config::new("", &env).unwrap_err().starts_with("K6_CSV_TIME_FORMAT: "));
    }

    #[test]
    fn times_in_all_formats() {
        let time: jiff::Timestamp = "2026-01-02T03:04:05.0600007Z".parse().unwrap();
        let formats = [
            (TimeFormat::Unix, "1767323045"),
            (TimeFormat::UnixMilli, "1767323045060"),
            (TimeFormat::UnixMicro, "1767323045060000"),
            (TimeFormat::UnixNano, "1767323045060000700"),
            (TimeFormat::Rfc3339, "2026-01-02T03:04:05Z"),
            (TimeFormat::Rfc3339Nano, "2026-01-02T03:04:05.0600007Z"),
        ];
        for (format, expected) in formats {
            assert_eq!(format.format(time), expected);
        }
    }
}
