//! What a run of a suite comes to: a table for people, Markdown for reports, JSON for programs.

use std::{fmt::Write, time::Duration};

use serde_json::{Value, json};
use squall_options::format_go_duration;

use crate::outcome::{FailedThreshold, Measured, Outcome, Rated, Verdict};

/// A run of a suite, finished or under way.
#[derive(Clone, Debug)]
pub struct Report {
    pub title: String,
    /// The suite's file.
    pub suite: String,
    pub set: Option<String>,
    /// Where the load went; with `--breakwater` the first one.
    pub base_url: String,
    /// Breakwater's command line, when it was started for this run; that of the first test.
    pub breakwater: Option<String>,
    /// As RFC 3339 says it.
    pub started_at: String,
    pub duration: Duration,
    /// In the order in which they had their turn.
    pub outcomes: Vec<Outcome>,
    /// Tests that the user left out.
    pub skipped: Vec<String>,
}

/// A column's head, and its cell of a test that has measured something.
type Column = (&'static str, fn(&Measured) -> Option<String>);

const COLUMNS: [Column; 7] = [
    ("requests", |it| it.requests.map(|it| grouped(it.count))),
    ("rate", |it| it.requests.map(per_second)),
    ("ws messages", |it| it.messages.map(|it| grouped(it.count))),
    ("ws rate", |it| it.messages.map(per_second)),
    ("p95", |it| it.p95_ms.map(millis)),
    ("p99", |it| it.p99_ms.map(millis)),
    ("errors", |it| it.requests.and(it.error_share).map(|share| format!("{:.2}%", share * 100.0))),
];

impl Report {
    /// Whether every test passed.
    pub fn has_passed(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.verdict == Verdict::Passed)
    }

    /// For a terminal: the table, below it what failed.
    pub fn text(&self) -> String {
        let rows = self.rows();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
        let mut text = String::new();
        for row in &rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if column < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            // Writing into a string cannot fail.
            let _ = writeln!(text, "  {}", line.trim_end());
        }
        let notes = self.notes();
        if !notes.is_empty() {
            text.push('\n');
        }
        for (test, note) in notes {
            let _ = writeln!(text, "  {test}: {note}");
        }
        text
    }

    /// For a report: the facts, the table, what failed, and how to run each test again.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", self.title);
        let mut fact = |name: &str, value: &str| {
            let _ = writeln!(text, "- {name}: {value}");
        };
        fact("suite", &format!("`{}`", self.suite));
        if let Some(set) = &self.set {
            fact("set", set);
        }
        fact("target", &format!("`{}`", self.base_url));
        if let Some(command) = &self.breakwater {
            fact("served by", &format!("`{command}`"));
        }
        fact("started", &self.started_at);
        fact("took", &seconds(self.duration));
        fact("verdict", if self.has_passed() { "passed" } else { "**failed**" });
        if !self.skipped.is_empty() {
            fact("left out", &self.skipped.join(", "));
        }
        text.push('\n');
        for (index, row) in self.rows().iter().enumerate() {
            let _ = writeln!(text, "| {} |", row.join(" | "));
            if index == 0 {
                let rules = (0..row.len()).map(|column| if column < 2 { "---" } else { "---:" });
                let _ = writeln!(text, "|{}|", rules.collect::<Vec<_>>().join("|"));
            }
        }
        let notes = self.notes();
        if !notes.is_empty() {
            text.push('\n');
        }
        for (test, note) in notes {
            let _ = writeln!(text, "- {test}: {note}");
        }
        text
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "title": self.title,
            "suite": self.suite,
            "set": self.set,
            "base_url": self.base_url,
            "breakwater": self.breakwater,
            "started_at": self.started_at,
            "duration_s": self.duration.as_secs_f64(),
            "passed": self.has_passed(),
            "skipped": self.skipped,
            "tests": self.outcomes.iter().map(Outcome::to_json).collect::<Vec<_>>(),
        })
    }

    /// The table, its head first, what was left out last. Columns in which nobody has anything to say are left out.
    fn rows(&self) -> Vec<Vec<String>> {
        let measured = || self.outcomes.iter().filter_map(|outcome| outcome.measured.as_ref());
        let columns: Vec<Column> = COLUMNS
            .into_iter()
            .filter(|(_, cell)| measured().any(|measured| cell(measured).is_some()))
            .collect();
        let head = ["test", "verdict", "took"].into_iter().chain(columns.iter().map(|(head, _)| *head));
        let head: Vec<String> = head.chain(["generator"]).map(str::to_owned).collect();
        let width = head.len();
        let row = |outcome: &Outcome| {
            let of_measured = |cell: &dyn Fn(&Measured) -> Option<String>| {
                outcome.measured.as_ref().and_then(cell).unwrap_or_else(|| "-".into())
            };
            let took = match outcome.verdict {
                Verdict::NotRun(_) => "-".into(),
                _ => seconds(outcome.duration),
            };
            let mut row = vec![outcome.name.clone(), outcome.verdict.text(), took];
            row.extend(columns.iter().map(|(_, cell)| of_measured(cell)));
            row.push(of_measured(&generator));
            row
        };
        let left_out = |name: &String| {
            let cells = [name.as_str(), "left out"].into_iter().chain(std::iter::repeat("-")).take(width);
            cells.map(str::to_owned).collect()
        };
        let (ran, skipped) = (self.outcomes.iter().map(row), self.skipped.iter().map(left_out));
        std::iter::once(head).chain(ran).chain(skipped).collect()
    }

    /// What the table has no room for: a test's name and a line about it.
    fn notes(&self) -> Vec<(&str, String)> {
        let mut notes = Vec::new();
        for outcome in &self.outcomes {
            let Some(measured) = &outcome.measured else { continue };
            let mut note = |text: String| notes.push((outcome.name.as_str(), text));
            for failed in &measured.thresholds_failed {
                note(failed_threshold(failed));
            }
            if measured.checks_failed > 0 {
                note(format!("{} checks failed", grouped(measured.checks_failed)));
            }
            if measured.dropped_iterations > 0 {
                note(format!(
                    "{} iterations were dropped: no VU was free",
                    grouped(measured.dropped_iterations)
                ));
            }
        }
        notes
    }
}

fn generator(measured: &Measured) -> Option<String> {
    measured.generator_saturated.map(|is_saturated| if is_saturated { "saturated" } else { "ok" }.into())
}

fn failed_threshold(failed: &FailedThreshold) -> String {
    match failed.value {
        Some(value) => format!("✗ {} {}, was {}", failed.metric, failed.limit, rounded(value)),
        None => format!("✗ {} {}", failed.metric, failed.limit),
    }
}

/// Four digits that count, without zeros at the end.
fn rounded(value: f64) -> String {
    let whole_digits = if value.abs() < 1.0 { 0 } else { value.abs().log10() as usize + 1 };
    let text = format!("{value:.*}", 4usize.saturating_sub(whole_digits));
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// To a tenth of a second.
fn seconds(duration: Duration) -> String {
    format_go_duration(Duration::from_millis((duration.as_secs_f64() * 10.0).round() as u64 * 100))
}

fn millis(millis: f64) -> String {
    match millis {
        0.0..10.0 => format!("{millis:.2}ms"),
        10.0..1000.0 => format!("{millis:.0}ms"),
        _ => format!("{:.2}s", millis / 1000.0),
    }
}

fn per_second(rated: Rated) -> String {
    match rated.per_second {
        0.0..100.0 => format!("{:.1}/s", rated.per_second),
        rate => format!("{}/s", grouped(rate.round() as u64)),
    }
}

/// With commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
