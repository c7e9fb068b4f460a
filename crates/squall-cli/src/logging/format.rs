//! One log record to one line (or, on a terminal, to as many as its message has). Pure.
//!
//! The formats are those of logrus, which k6 uses: people grep them and machines parse them.

use std::fmt::Write;

use jiff::Zoned;
use serde_json::{Map, Value};
use tracing::Level;

/// How a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people on a terminal, logfmt elsewhere.
    Text,
    /// An object a line, keys sorted.
    Json,
    /// The message alone.
    Raw,
}

/// Who reads [`Format::Text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A terminal that shows colours.
    Terminal,
    /// Anything else.
    Plain,
}

/// Something that is to be logged.
#[derive(Clone, Debug)]
pub struct Record {
    pub time: Zoned,
    /// Since the process started to log.
    pub elapsed_seconds: u64,
    pub level: Level,
    pub message: String,
    /// Sorted by name.
    pub fields: Vec<(&'static str, Value)>,
}

impl Format {
    /// The record as text that ends in a newline.
    pub fn line(self, record: &Record, style: Style) -> String {
        match (self, style) {
            (Format::Text, Style::Terminal) => terminal_line(record),
            (Format::Text, Style::Plain) => logfmt_line(record),
            (Format::Json, _) => json_line(record),
            (Format::Raw, _) => format!("{}\n", record.message),
        }
    }
}

/// `INFO[0001] message        source=console`, with the message padded to 44 characters.
fn terminal_line(record: &Record) -> String {
    let (name, color) = match record.level {
        Level::ERROR => ("ERRO", 31),
        Level::WARN => ("WARN", 33),
        Level::INFO => ("INFO", 36),
        Level::DEBUG => ("DEBU", 37),
        Level::TRACE => ("TRAC", 37),
    };
    let message = record.message.strip_suffix('\n').unwrap_or(&record.message);
    let mut line = format!("\x1b[{color}m{name}\x1b[0m[{:04}] {message:<44} ", record.elapsed_seconds);
    for (name, value) in &record.fields {
        let _ = write!(line, " \x1b[{color}m{name}\x1b[0m={}", logfmt_value(value));
    }
    line.push('\n');
    line
}

/// `time="…" level=info msg="…" source=console`; an empty message is left out.
fn logfmt_line(record: &Record) -> String {
    let mut line = format!("time=\"{}\" level={}", rfc3339(&record.time), level_name(record.level));
    if !record.message.is_empty() {
        let _ = write!(line, " msg={}", logfmt_text(&record.message));
    }
    for (name, value) in &record.fields {
        let _ = write!(line, " {name}={}", logfmt_value(value));
    }
    line.push('\n');
    line
}

fn json_line(record: &Record) -> String {
    let mut entries: Vec<(&str, Value)> = record.fields.clone();
    entries.push(("level", level_name(record.level).into()));
    entries.push(("msg", record.message.as_str().into()));
    entries.push(("time", rfc3339(&record.time).into()));
    entries.sort_by_key(|(name, _)| *name);
    let object: Map<String, Value> =
        entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    format!("{}\n", escape_html(&Value::from(object).to_string()))
}

/// Go's JSON encoder keeps these characters out of its output, wherever it goes.
fn escape_html(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

pub(super) fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Seconds, and `Z` for UTC.
fn rfc3339(time: &Zoned) -> String {
    match time.offset().is_zero() {
        true => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        false => time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    }
}

pub(super) fn logfmt_value(value: &Value) -> String {
    match value {
        Value::String(text) => logfmt_text(text),
        other => logfmt_text(&other.to_string()),
    }
}

/// The text as it is when it is made of harmless characters, else quoted as Go does.
fn logfmt_text(text: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-._/@^+".contains(c);
    match text.chars().all(harmless) {
        true => text.to_owned(),
        false => go_quote(text),
    }
}

/// Go's `%q`.
fn go_quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x0b' => quoted.push_str("\\v"),
            c if is_printable(c) => quoted.push(c),
            c => push_code(&mut quoted, u32::from(c)),
        }
    }
    quoted.push('"');
    quoted
}

fn push_code(quoted: &mut String, code: u32) {
    let _ = match code {
        0..0x80 => write!(quoted, "\\x{code:02x}"),
        0x80..0x1_0000 => write!(quoted, "\\u{code:04x}"),
        _ => write!(quoted, "\\U{code:08x}"),
    };
}

/// As Rust's debug output sees it, which agrees with Go but for marks that combine with the character before:
/// Go prints them.
fn is_printable(c: char) -> bool {
    c == '\'' || ['a', c].iter().collect::<String>().escape_debug().nth(1) == Some(c)
}
