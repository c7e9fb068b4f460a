//! The text summary: blocks of aligned lines, as k6 users know them.

use std::{
    fmt::{Display, Write},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use indexmap::IndexMap;
use squall_metrics::{
    Aggregation, Contains, MetricInfo, MetricKind, MetricTotal, Pauses, RateSink, Section, Sign, Sink,
    Threshold,
};

use self::{
    block::Block,
    table::{Cells, Layout, Row},
};
use crate::{Detail, Summary, format, values};

mod block;
mod table;

pub(crate) fn render(summary: &Summary<'_>, detail: Detail, colors: bool) -> String {
    let mut text = Text { summary, detail, colors, out: String::from("\n") };
    let totals = summary.aggregate.totals();
    text.thresholds(&totals);
    text.heading("TOTAL RESULTS");
    let lines: Vec<_> =
        totals.iter().map(|total| Line::new(&total.info, total.suffix(), &total.sink)).collect();
    text.results(1, summary.aggregate.checks(), &lines);
    if let (Detail::Full, Some(sections)) = (detail, summary.aggregate.sections()) {
        for (name, group) in &sections.default.groups {
            text.heading(&format!("GROUP: {name}"));
            text.section(1, group);
        }
        for (name, scenario) in &sections.scenarios {
            text.heading(&format!("SCENARIO: {name}"));
            text.section(1, scenario);
        }
    }
    text.generator();
    text.out.push_str("\n\n");
    text.out
}

struct Text<'a> {
    summary: &'a Summary<'a>,
    detail: Detail,
    colors: bool,
    out: String,
}

/// A metric, or a submetric below it.
struct Line<'a> {
    metric: &'a str,
    suffix: Option<&'a str>,
    contains: Contains,
    sink: &'a Sink,
}

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const CYAN: Style = AnsiColor::Cyan.on_default();
const FAINT_CYAN: Style = AnsiColor::Cyan.on_default().dimmed();
const WHITE: Style = AnsiColor::White.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();

impl Text<'_> {
    fn line(&mut self, level: usize, text: impl Display) {
        let _ = writeln!(self.out, "{:indent$}{text}", "", indent = 2 + 2 * level);
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }

    fn paint(&self, style: Style, text: impl Display) -> String {
        if self.colors { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    fn heading(&mut self, title: &str) {
        let title = self.paint(BOLD, title);
        let _ = write!(self.out, "\n  █ {title} \n\n");
    }

    fn thresholds(&mut self, totals: &[&MetricTotal]) {
        let judged: Vec<_> = totals.iter().filter(|total| !total.thresholds.is_empty()).collect();
        if judged.is_empty() {
            return;
        }
        self.heading("THRESHOLDS");
        for same_metric in judged.chunk_by(|a, b| a.info.id == b.info.id) {
            let is_nested = same_metric[0].selector.is_none();
            for total in same_metric {
                self.thresholds_of(total, is_nested);
                self.blank();
            }
        }
    }

    /// Submetrics go below their metric, or by their full name when the metric itself has no thresholds.
    fn thresholds_of(&mut self, total: &MetricTotal, is_nested: bool) {
        let (level, title) = match total.suffix() {
            Some(suffix) if is_nested => (2, format!("{{{suffix}}}")),
            _ => (1, total.name()),
        };
        self.line(level, title);
        for threshold in &total.thresholds {
            let mark = if threshold.ok { self.paint(GREEN, "✓") } else { self.paint(RED, "✗") };
            let expression = self.paint(WHITE, format_args!("'{}'", threshold.spec.expression));
            let value = self.threshold_value(threshold, total);
            self.line(level, format_args!("{mark} {expression} {value}"));
        }
    }

    fn threshold_value(&self, threshold: &Threshold, total: &MetricTotal) -> String {
        let facts = self.summary.facts;
        let aggregation = threshold.expression.aggregation;
        let value = aggregation.of(&total.sink, facts.run_duration);
        let shown = format::value(value, total.info.kind, total.info.contains, facts.time_unit);
        let is_speed = total.info.kind == MetricKind::Counter && aggregation == Aggregation::Rate;
        let per_second = if is_speed { "/s" } else { "" };
        format!(
            "{}={}",
            self.paint(WHITE, aggregation),
            self.paint(CYAN, format_args!("{shown}{per_second}"))
        )
    }

    /// How far the numbers can be trusted: what makes the generator saturated first, then the rest.
    fn generator(&mut self) {
        let generator = &self.summary.facts.generator;
        let (bad, good): (Vec<_>, Vec<_>) = generator.signs().partition(Sign::is_bad);
        let told = |signs: &[Sign]| signs.iter().map(|sign| self.sign(sign)).collect::<Vec<_>>().join(", ");
        let verdict = match bad.is_empty() {
            true => self.paint(GREEN, "ok"),
            false => self.paint(RED, format_args!("saturated: {}", told(&bad))),
        };
        let rest = match good.is_empty() {
            true => String::new(),
            false => format!(" {}", self.paint(FAINT, format_args!("({})", told(&good)))),
        };
        self.line(1, format_args!("generator: {verdict}{rest}"));
    }

    fn sign(&self, sign: &Sign) -> String {
        let time = |time: Duration| format::duration(time.as_secs_f64() * 1e3, self.summary.facts.time_unit);
        match *sign {
            Sign::Lateness(late) => format!("iterations started up to {} late (p99.9)", time(late)),
            Sign::TimerLag(late) => format!("timers fired up to {} late (p99)", time(late)),
            Sign::Cpu { share, cores } => format!("CPU {:.0}% of {cores} cores", share * 100.0),
            Sign::Pauses(Pauses { longest, sum, .. }) => {
                format!("paused for up to {} to collect memory, {} in all", time(longest), time(sum))
            }
            Sign::SamplesDropped(count) => format!("{count} samples did not fit into the outputs"),
        }
    }

    fn section(&mut self, level: usize, section: &Section) {
        let registry = self.summary.aggregate.registry();
        let metrics: Vec<_> = section.metrics.iter().map(|(id, sink)| (registry.info(*id), sink)).collect();
        let mut lines: Vec<_> = metrics.iter().map(|(info, sink)| Line::new(info, None, sink)).collect();
        lines.sort_by_key(|line| line.metric);
        self.results(level, &section.checks, &lines);
        for (name, group) in &section.groups {
            let title = self.paint(BOLD, format_args!("GROUP: {name}"));
            self.line(level, format_args!("↳ {title} "));
            self.blank();
            self.section(level + 1, group);
        }
    }

    /// Checks and metrics, each block followed by a blank line.
    fn results(&mut self, level: usize, checks: &IndexMap<String, RateSink>, lines: &[Line<'_>]) {
        if !checks.is_empty() {
            self.check_totals(level, checks);
            self.blank();
            for (name, rate) in checks {
                self.check(level, name, *rate);
            }
            self.blank();
        }
        self.metrics(level, lines);
    }

    fn check_totals(&mut self, level: usize, checks: &IndexMap<String, RateSink>) {
        let total: u64 = checks.values().map(|rate| rate.total).sum();
        let trues: u64 = checks.values().map(|rate| rate.trues).sum();
        let seconds = self.summary.facts.run_duration.as_secs_f64();
        let speed = if seconds == 0.0 { 0.0 } else { total as f64 / seconds };
        let share = |part: u64| {
            Cells::Value(format::percent(part as f64 / total as f64), vec![format!("{part} out of {total}")])
        };
        let speed = Cells::Value(total.to_string(), vec![format!("{}/s", format::number(speed, 6))]);
        let rows = [
            Row::plain("checks_total", speed),
            Row::plain("checks_succeeded", share(trues)),
            Row::plain("checks_failed", share(total - trues)),
        ];
        let layout = Layout::of(&rows);
        for row in &rows {
            self.aligned(level, row, &layout);
        }
    }

    fn check(&mut self, level: usize, name: &str, rate: RateSink) {
        let fails = rate.total - rate.trues;
        if fails == 0 {
            self.line(level, self.paint(GREEN, format_args!("✓ {name}")));
            return;
        }
        self.line(level, self.paint(RED, format_args!("✗ {name}")));
        let percent = rate.trues * 100 / rate.total;
        let numbers = format!("↳  {percent}% — ✓ {} / ✗ {fails}", rate.trues);
        // The indent doubles with the depth of the group, as in k6.
        self.line(2 * level, self.paint(RED, numbers));
    }

    fn metrics(&mut self, level: usize, lines: &[Line<'_>]) {
        let in_block = |line: &Line<'_>| Some((Block::of(line.metric, self.detail)?, self.row(line)));
        let mut rows: Vec<(Block, Row)> = lines.iter().filter_map(in_block).collect();
        rows.sort_by_key(|(block, _)| *block);
        let layout = Layout::of(rows.iter().map(|(_, row)| row));
        for same_block in rows.chunk_by(|(a, _), (b, _)| a == b) {
            self.line(level, self.paint(BOLD, same_block[0].0.title()));
            for (_, row) in same_block {
                self.aligned(level, row, &layout);
            }
            self.blank();
        }
    }

    fn aligned(&mut self, level: usize, row: &Row, layout: &Layout) {
        let dots = ".".repeat(layout.name - row.name.chars().count());
        let name = format!("{}{}", row.name, self.paint(FAINT, format_args!("{dots}:")));
        let cells = self.cells(&row.cells, layout);
        self.line(level, format_args!("{name} {cells}"));
    }

    fn cells(&self, cells: &Cells, layout: &Layout) -> String {
        let padding = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.chars().count()));
        match cells {
            Cells::Trend(columns) => {
                let column = |((name, value), width): (&(String, String), &usize)| {
                    format!("{name}={}{}", self.paint(CYAN, value), padding(value, *width))
                };
                columns.iter().zip(&layout.columns).map(column).collect::<Vec<_>>().join(" ")
            }
            Cells::Value(value, extras) => {
                let mut text = format!("{}{}", self.paint(CYAN, value), padding(value, layout.value));
                for (extra, width) in extras.iter().zip(&layout.extras) {
                    let padding = if extras.len() > 1 { padding(extra, *width) } else { String::new() };
                    let _ = write!(text, " {}{padding}", self.paint(FAINT_CYAN, extra));
                }
                text
            }
        }
    }

    fn row(&self, line: &Line<'_>) -> Row {
        let (full_name, name) = match line.suffix {
            None => (line.metric.to_owned(), line.metric.to_owned()),
            Some(suffix) => (format!("{}{{{suffix}}}", line.metric), format!("  {{ {suffix} }}")),
        };
        let name_width = full_name.chars().count() + name.chars().count();
        Row { name, name_width, cells: self.cells_of(line) }
    }

    fn cells_of(&self, line: &Line<'_>) -> Cells {
        let facts = self.summary.facts;
        let show = |value| format::value(value, line.sink.kind(), line.contains, facts.time_unit);
        match line.sink {
            Sink::Counter(sink) => {
                Cells::Value(show(sink.sum), vec![format!("{}/s", show(sink.rate(facts.run_duration)))])
            }
            Sink::Gauge(sink) => Cells::Value(
                show(sink.last),
                vec![format!("min={}", show(sink.min)), format!("max={}", show(sink.max))],
            ),
            Sink::Rate(sink) => {
                Cells::Value(show(sink.rate()), vec![format!("{} out of {}", sink.trues, sink.total)])
            }
            Sink::Trend(sink) => {
                let column = |(name, value): (String, f64)| match &*name {
                    "count" => (name, format::number(value, 0)),
                    _ => (name, show(value)),
                };
                Cells::Trend(values::of_trend(sink, &facts.trend_stats).into_iter().map(column).collect())
            }
        }
    }
}

impl<'a> Line<'a> {
    fn new(info: &'a MetricInfo, suffix: Option<&'a str>, sink: &'a Sink) -> Line<'a> {
        Line { metric: &info.name, suffix, contains: info.contains, sink }
    }
}
