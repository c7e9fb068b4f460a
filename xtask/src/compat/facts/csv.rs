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

/// `metric,timestamp,value,tags…` with `~` for what differs from run to run, and `key=value&…` in order.
fn row(line: &str) -> String {
    let mut cells: Vec<String> = line.split(',').map(in_order).collect();
    if let [name, timestamp, value, ..] = &mut cells[..] {
        if timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            *timestamp = "~".to_owned();
        }
        if measured(name) {
            *value = "~".to_owned();
        }
    }
    cells.join(",")
}

fn in_order(cell: &str) -> String {
    let mut pairs: Vec<&str> = cell.split('&').collect();
    pairs.sort_unstable();
    pairs.join("&")
}
