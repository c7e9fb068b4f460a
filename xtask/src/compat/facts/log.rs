//! The log: what the script wrote, and whether the tool reported errors.

use serde_json::Value;

use super::Script;

/// Console lines as `level: message`; in a format that the script chose, every line as it is.
pub(super) fn console(log: &[String], script: &Script) -> Vec<String> {
    let own_format = script.flags.iter().any(|flag| flag.starts_with("--log-format"));
    let line =
        |line: &String| if own_format { Some(without_time(line).to_owned()) } else { console_line(line) };
    let mut lines: Vec<String> = log.iter().filter_map(line).collect();
    if script.any_order {
        lines.sort();
    }
    lines
}

/// Whether there is an error of the tool itself; its words are its own.
pub(super) fn errors(log: &[String]) -> Vec<String> {
    let logged = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = logged.into_iter().any(|entry| is_error(&entry) && entry["source"] != "console");
    vec![if found { "some" } else { "none" }.to_owned()]
}

fn console_line(line: &str) -> Option<String> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    (entry["source"] == "console").then(|| format!("{}: {}", text("level"), text("msg")))
}

fn is_error(entry: &Value) -> bool {
    entry["level"] == "error" || entry["level"] == "fatal"
}

/// A logfmt line without its leading `time="…" `.
fn without_time(line: &str) -> &str {
    match line.strip_prefix("time=\"") {
        Some(rest) => rest.split_once("\" ").map_or(line, |(_, rest)| rest),
        None => line,
    }
}
