//! The log: what the script wrote, and whether the tool reported errors.

use serde_json::Value;

/// Console lines as `level: message`; lines that are not JSON stand for themselves.
pub(super) fn console(log: &[String], any_order: bool) -> Vec<String> {
    let mut lines: Vec<String> = log.iter().filter_map(|line| console_line(line)).collect();
    if any_order {
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
    match serde_json::from_str::<Value>(line) {
        Ok(entry) if entry["source"] == "console" => {
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            Some(format!("{}: {}", text("level"), text("msg")))
        }
        Ok(_) => None,
        Err(_) => Some(without_time(line).to_owned()),
    }
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
