//! The results as Markdown: a table a case, with ratios to Squall and, where there is one, the goal.

use std::fmt::Write;
use std::thread;

use super::case::Case;
use super::figure::Figure;
use super::peer::Peer;

/// What the rounds of a peer came to.
pub(super) enum Row {
    /// The medians of the case's figures.
    Medians(Vec<Option<f64>>),
    /// Why there are none.
    Missing(String),
}

/// A report under construction.
pub(super) struct Report {
    date: jiff::civil::Date,
    cores: usize,
    head: String,
    tables: Vec<String>,
}

impl Report {
    /// A report that says how and with what it was made.
    pub(super) fn new(command: &str, seconds: u64, rounds: u64, peers: &[Peer], server: &str) -> Report {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let date = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let mut head = format!("# Squall and its peers, {date}\n\n");
        let _ = writeln!(
            head,
            "`{command}` on {cores} cores, against one nginx process\n\
             on the same machine. Medians of {rounds} interleaved rounds. Processor time is user and system time of the\n\
             whole process; ratios are to Squall. Goals are there to compare with. The scripts are in `benches/scripts`.\n"
        );
        let _ = writeln!(head, "- server: {server}");
        for peer in peers {
            let _ = writeln!(head, "- {}: {}, `{}`", peer.name, peer.version, peer.command_line(seconds));
        }
        Report { date, cores, head, tables: Vec::new() }
    }

    /// Adds a case's table. Squall comes first in `rows`.
    pub(super) fn add(&mut self, case: &Case, rows: &[(&'static str, Row)]) {
        self.tables.push(table(case, rows));
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

impl Row {
    /// The medians over the rounds.
    pub(super) fn of(rounds: &[Vec<Option<f64>>]) -> Row {
        let figures = rounds.first().map_or(0, Vec::len);
        let median_of = |index| median(rounds.iter().filter_map(|round: &Vec<_>| round[index]).collect());
        Row::Medians((0..figures).map(median_of).collect())
    }

    fn get(&self, index: usize) -> Option<f64> {
        match self {
            Row::Medians(values) => values.get(index).copied().flatten(),
            Row::Missing(_) => None,
        }
    }
}

fn table(case: &Case, rows: &[(&'static str, Row)]) -> String {
    let figures: Vec<Figure> = case.all_figures().collect();
    let mut text = format!("## {}: {}\n\n", case.name, case.title);
    let (mut titles, mut rule) = ("| |".to_owned(), "|---|".to_owned());
    for figure in &figures {
        let ratio = figure.has_ratio();
        let _ = write!(titles, " {} |{}", figure.title(), if ratio { " ratio |" } else { "" });
        rule += if ratio { "---:|---:|" } else { "---:|" };
    }
    if !case.goals.is_empty() {
        titles += " goal |";
        rule += "---|";
    }
    let _ = writeln!(text, "{titles}\n{rule}");

    let squall = rows.first().map(|(_, row)| row);
    for (place, (name, row)) in rows.iter().enumerate() {
        let _ = write!(text, "| {name} |");
        for (index, figure) in figures.iter().enumerate() {
            let value = row.get(index);
            let _ = write!(text, " {} |", value.map_or("n/a".to_owned(), |value| figure.print(value)));
            if figure.has_ratio() {
                let ratio = value.zip(squall.and_then(|squall| squall.get(index)));
                let _ =
                    write!(text, " {} |", ratio.map_or("n/a".to_owned(), |(a, b)| format!("{:.2}", a / b)));
            }
        }
        if !case.goals.is_empty() {
            let _ =
                write!(text, " {} |", if place == 0 { goals(case, &figures, rows) } else { String::new() });
        }
        text.push('\n');
    }
    let missing = rows.iter().filter_map(|(name, row)| match row {
        Row::Missing(why) => Some(format!("\n{name} has no figures: {why}.\n")),
        Row::Medians(_) => None,
    });
    text.extend(missing);
    text
}

fn goals(case: &Case, figures: &[Figure], rows: &[(&'static str, Row)]) -> String {
    let measured = |name: &str, figure: Figure| {
        let row = rows.iter().find(|(peer, _)| *peer == name).map(|(_, row)| row)?;
        row.get(figures.iter().position(|other| *other == figure)?)
    };
    case.goals.iter().map(|goal| goal.print(measured)).collect::<Vec<_>>().join("; ")
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len().checked_sub(1)?;
    Some((values[middle / 2] + values[values.len() / 2]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::super::case::CASES;
    use super::*;

    #[test]
    fn median_of_odd_and_even_counts_and_of_nothing() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn a_table_has_ratios_goals_and_what_is_missing() {
        let case = CASES.into_iter().find(|case| case.name == "idle").unwrap();
        let rounds = [vec![Some(10.0), Some(1000.0), Some(200.0), Some(40.0)]];
        let rows = [
            ("Squall", Row::of(&rounds)),
            ("k6", Row::of(&[vec![Some(25.0), Some(900.0), Some(500.0), None]])),
            ("other", Row::Missing("does not fit".to_owned())),
        ];
        assert_eq!(
            table(&case, &rows),
            "## idle: 5,000 VUs, a connection each, mostly idle\n\n\
             | | CPU µs each | ratio | each second | peak RSS MB | ratio | KB a VU | goal |\n\
             |---|---:|---:|---:|---:|---:|---:|---|\n\
             | Squall | 10.0 | 1.00 | 1000 | 200.0 | 1.00 | 40.0 | KB a VU ≤ 40 |\n\
             | k6 | 25.0 | 2.50 | 900 | 500.0 | 2.50 | n/a |  |\n\
             | other | n/a | n/a | n/a | n/a | n/a | n/a |  |\n\
             \nother has no figures: does not fit.\n"
        );
    }
}
