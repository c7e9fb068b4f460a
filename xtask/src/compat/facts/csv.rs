//! The CSV output: its header, and its rows without timestamps and measured values.

use super::measured;

/// The header, then the rows in order of their text.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(row).collect();
    if let Some((_header, rows)) = lines.split_first_mut() {
        rows.sort();
    }
    lines
}

/// `metric,timestamp,value,tags…` with `~` for what differs from run to run.
fn row(line: &str) -> String {
    let mut cells: Vec<&str> = line.split(',').collect();
    if let [name, timestamp, value, ..] = &mut cells[..] {
        if timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            *timestamp = "~";
        }
        if measured(name) {
            *value = "~";
        }
    }
    cells.join(",")
}
