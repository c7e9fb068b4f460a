//! Log lines as k6 prints them: coloured on a terminal, logfmt elsewhere, JSON or bare messages on request.
//! What scripts print with `console.log` and its like are log lines, too, with `source=console`.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use jiff::Zoned;
use serde_json::Value;
use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    dispatcher::DefaultGuard,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

use crate::{
    args::{Cli, switch},
    console::Console,
    error::{Error, Result},
    process::Process,
    runtime_options::{no_color, text},
};

mod file;
mod format;
mod loki;
mod settings;

use file::LogFile;
use loki::Loki;

pub use format::{Format, Record, Style};
pub use loki::LokiSettings;
pub use settings::{LogSettings, Target};

/// The logger of a command. Dropping it pushes what has not been pushed, and ends the logging of a process that is
/// not the real one.
pub struct Logging {
    console_file: Arc<OnceLock<LogFile>>,
    loki: Option<Arc<Loki>>,
    _guard: Option<DefaultGuard>,
}

impl Logging {
    /// Appends what the script prints with `console` to a file from now on, instead of logging it.
    pub fn redirect_console(&self, path: &str, process: &Process) -> Result<()> {
        let file = LogFile::open(&process.resolve(path), &process.console)?;
        // A second redirection of one run would have no meaning; the first stays.
        let _ = self.console_file.set(file);
        Ok(())
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        if let Some(loki) = &self.loki {
            loki.finish();
        }
    }
}

/// Starts to log as flags and environment say.
pub fn start(cli: &Cli, process: &Process) -> Result<Logging> {
    let settings = LogSettings::parse(
        text(&cli.global.log_format, "K6_LOG_FORMAT", process),
        text(&cli.global.log_output, "K6_LOG_OUTPUT", process),
        switch(cli.global.verbose).unwrap_or(false),
    )?;
    let console_file = Arc::new(OnceLock::new());
    let style = style(&settings.target, !no_color(&cli.global, process), &process.console);
    let sink = Sink::open(settings.target, process)?;
    let loki = match &sink {
        Sink::Loki(loki) => Some(Arc::clone(loki)),
        _ => None,
    };
    let layer = LogLayer {
        max_level: settings.level,
        format: settings.format,
        style,
        sink,
        console_file: Arc::clone(&console_file),
        started: Instant::now(),
    };
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    Ok(Logging { console_file, loki, _guard: (process.install_logger)(dispatch) })
}

/// Prints an error that came up before there was a logger.
pub fn report_unlogged(process: &Process, error: &Error) {
    let colors = process.console.stderr_is_terminal() && !process.env_forbids_color();
    let record = Record {
        time: Zoned::now(),
        elapsed_seconds: 0,
        level: Level::ERROR,
        message: error.message.clone(),
        fields: error.hint.iter().map(|hint| ("hint", Value::from(hint.as_str()))).collect(),
    };
    process
        .console
        .print_error(&Format::Text.line(&record, if colors { Style::Terminal } else { Style::Plain }));
}

fn style(target: &Target, colors: bool, console: &Console) -> Style {
    let terminal = match target {
        Target::Stderr => console.stderr_is_terminal(),
        Target::Stdout => console.stdout_is_terminal(),
        Target::None | Target::File(_) | Target::Loki(_) => false,
    };
    if terminal && colors { Style::Terminal } else { Style::Plain }
}

/// Where lines end up.
enum Sink {
    Stderr(Console),
    Stdout(Console),
    None,
    File(LogFile),
    Loki(Arc<Loki>),
}

impl Sink {
    fn open(target: Target, process: &Process) -> Result<Sink> {
        Ok(match target {
            Target::Stderr => Sink::Stderr(process.console.clone()),
            Target::Stdout => Sink::Stdout(process.console.clone()),
            Target::None => Sink::None,
            Target::File(path) => Sink::File(LogFile::open(&process.resolve(path), &process.console)?),
            Target::Loki(settings) => Sink::Loki(Arc::new(Loki::start(*settings, process.console.clone())?)),
        })
    }

    fn write(&self, record: &Record, format: Format, style: Style) {
        match self {
            Sink::Stderr(console) => console.print_error(&format.line(record, style)),
            Sink::Stdout(console) => console.print(&format.line(record, style)),
            Sink::None => {}
            Sink::File(file) => file.append(&format.line(record, style)),
            Sink::Loki(loki) => loki.add(record),
        }
    }
}

struct LogLayer {
    max_level: LevelFilter,
    format: Format,
    style: Style,
    sink: Sink,
    console_file: Arc<OnceLock<LogFile>>,
    started: Instant,
}

impl LogLayer {
    fn write(&self, mut record: Record) {
        let is_console = record.fields.iter().any(|(name, value)| *name == "source" && value == "console");
        match self.console_file.get() {
            Some(file) if is_console => {
                record.fields.retain(|(name, _)| *name != "source");
                file.append(&self.format.line(&record, Style::Plain));
            }
            _ => self.sink.write(&record, self.format, self.style),
        }
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    /// Events of dependencies are not for the users of Squall.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with(crate::PROGRAM) && *metadata.level() <= self.max_level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.max_level)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        fields.named.sort_by_key(|(name, _)| *name);
        self.write(Record {
            time: Zoned::now(),
            elapsed_seconds: self.started.elapsed().as_secs(),
            level: *event.metadata().level(),
            message: fields.message,
            fields: fields.named,
        });
    }
}

/// Collects the fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    named: Vec<(&'static str, Value)>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => self.named.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.add(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }
}

#[cfg(test)]
mod tests;
