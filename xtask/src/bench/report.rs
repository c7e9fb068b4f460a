//! The results as Markdown: a table a case, with ratios to Squall.

use std::fmt::Write;
use std::thread;

use super::case::{Case, Extra};
use super::peer::{Measured, Peer};

/// A report under construction.
pub(super) struct Report {
    date: jiff::civil::Date,
    cores: usize,
    head: String,
    tables: Vec<String>,
}

impl Report {
    /// A report that says how and with what it was made.
    pub(super) fn new(seconds: u64, rounds: u64, peers: &[Peer], server: &str) -> Report {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let date = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let mut head = format!("# Squall and its peers, {date}\n\n");
        let _ = writeln!(
            head,
            "`cargo xtask bench peers --seconds {seconds} --rounds {rounds}` on {cores} cores, against one nginx process\n\
             on the same machine. Medians of {rounds} interleaved rounds. Processor time is user and system time of the\n\
             whole process; ratios are to Squall. The scripts are in `benches/scripts`.\n"
        );
        let _ = writeln!(head, "- server: {server}");
        for peer in peers {
            let _ = writeln!(head, "- {}: {}, `{}`", peer.name, peer.version, peer.command_line(seconds));
        }
        Report { date, cores, head, tables: Vec::new() }
    }

    /// Adds a case's table. Squall comes first in `rows`.
    pub(super) fn add(&mut self, case: &Case, rows: &[(&Peer, Vec<Measured>)]) {
        let title = case.extra.map_or(String::new(), |extra| format!(" {} |", extra.title()));
        let rule = case.extra.map_or("", |_| "---:|");
        let mut table = format!("## {}: {}\n\n", case.name, case.title);
        let _ = writeln!(table, "| | CPU µs each | ratio | each second | peak RSS MB | ratio |{title}");
        let _ = writeln!(table, "|---|---:|---:|---:|---:|---:|{rule}");
        let squall = Row::new(&rows[0].1);
        for (peer, rounds) in rows {
            let row = Row::new(rounds);
            let _ = write!(
                table,
                "| {} | {:.1} | {:.2} | {:.0} | {:.1} | {:.2} |",
                peer.name,
                row.cpu_us,
                row.cpu_us / squall.cpu_us,
                row.rate,
                row.rss_mb,
                row.rss_mb / squall.rss_mb,
            );
            let extra =
                case.extra.map_or(String::new(), |extra| format!(" {} |", extra_cell(extra, &row.extra)));
            let _ = writeln!(table, "{extra}");
        }
        self.tables.push(table);
    }

    /// The table that was added last.
    pub(super) fn last(&self) -> &str {
        self.tables.last().map_or("", String::as_str)
    }

    /// The whole report.
    pub(super) fn text(&self) -> String {
        format!("{}\n{}", self.head, self.tables.join("\n"))
    }

    /// The file's name: the date, and the machine's size but not its name.
    pub(super) fn file_name(&self) -> String {
        format!("{}-{}-cores.md", self.date, self.cores)
    }
}

/// Medians over the rounds.
struct Row {
    cpu_us: f64,
    rate: f64,
    rss_mb: f64,
    extra: Vec<f64>,
}

impl Row {
    fn new(rounds: &[Measured]) -> Row {
        let median_of = |number: &dyn Fn(&Measured) -> f64| median(rounds.iter().map(number).collect());
        let columns = rounds.iter().map(|round| round.extra.len()).min().unwrap_or_default();
        Row {
            cpu_us: median_of(&|round| round.cpu_us),
            rate: median_of(&|round| round.rate),
            rss_mb: median_of(&|round| round.rss_bytes as f64 / 1e6),
            extra: (0..columns).map(|column| median_of(&|round| round.extra[column])).collect(),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (below, above) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    (below + above) / 2.0
}

fn extra_cell(extra: Extra, values: &[f64]) -> String {
    let join =
        |unit: &str| values.iter().map(|value| format!("{value:.2}")).collect::<Vec<_>>().join(" / ") + unit;
    match (values, extra) {
        ([], _) => "n/a".to_owned(),
        ([value, ..], Extra::KilobytesPerVu(_)) => format!("{value:.1} KB"),
        ([value, ..], Extra::AllRunning) => format!("{:.2} s", value / 1000.0),
        (_, Extra::Lateness) => join(" ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_odd_and_even_counts() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn missing_numbers_are_not_available() {
        assert_eq!(extra_cell(Extra::Lateness, &[]), "n/a");
        assert_eq!(extra_cell(Extra::Lateness, &[0.1, 0.25]), "0.10 / 0.25 ms");
        assert_eq!(extra_cell(Extra::AllRunning, &[1500.0]), "1.50 s");
    }
}
