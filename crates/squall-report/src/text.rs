//! The text summary: blocks of aligned lines, as k6 users know them.

use std::fmt::{Display, Write};

use anstyle::{AnsiColor, Style};
use indexmap::IndexMap;
use squall_metrics::{Contains, MetricId, MetricKind, MetricTotal, RateSink, Section, Sink, Threshold};

use crate::{Detail, Summary, format, values};

/// Blocks of metrics in the order they are shown; what fits no other is [`Block::Custom`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Block {
    Custom,
    Http,
    Execution,
    Network,
    Browser,
    WebVitals,
    Grpc,
    WebSocket,
}

/// Metrics of the phases of HTTP requests.
const HTTP_PHASES: [&str; 6] = [
    "http_req_blocked",
    "http_req_connecting",
    "http_req_receiving",
    "http_req_sending",
    "http_req_tls_handshaking",
    "http_req_waiting",
];

pub(crate) fn render(summary: &Summary<'_>, detail: Detail, colors: bool) -> String {
    let mut text = Text { summary, detail, colors, out: String::from("\n") };
    let totals = summary.aggregate.totals();
    text.thresholds(&totals);
    text.heading("TOTAL RESULTS");
    text.results(
        1,
        summary.aggregate.checks(),
        &totals.iter().map(|total| Line::of_total(total)).collect::<Vec<_>>(),
    );
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
    metric: String,
    suffix: Option<&'a str>,
    contains: Contains,
    sink: &'a Sink,
}

/// The cells of a line: a name, then a trend's columns or a value with what explains it.
struct Row {
    block: Block,
    name: String,
    /// Width that aligns the dots, an oddity of k6: the lengths of full name and shown name together.
    name_width: usize,
    cells: Cells,
}

enum Cells {
    /// Names and values.
    Trend(Vec<(String, String)>),
    /// The value, and more about it.
    Value(String, Vec<String>),
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
        let is_speed =
            total.info.kind == MetricKind::Counter && aggregation == squall_metrics::Aggregation::Rate;
        let per_second = if is_speed { "/s" } else { "" };
        format!(
            "{}={}",
            self.paint(WHITE, aggregation),
            self.paint(CYAN, format_args!("{shown}{per_second}"))
        )
    }

    fn section(&mut self, level: usize, section: &Section) {
        let info = |metric: &MetricId| self.summary.aggregate.registry().info(*metric);
        let line = |(metric, sink)| {
            let info = info(metric);
            Line { metric: info.name.to_string(), suffix: None, contains: info.contains, sink }
        };
        let mut lines: Vec<Line<'_>> = section.metrics.iter().map(line).collect();
        lines.sort_by(|a, b| a.metric.cmp(&b.metric));
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
        self.rows(level, &rows);
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
        let mut rows: Vec<Row> = lines.iter().filter_map(|line| self.row(line)).collect();
        rows.sort_by_key(|row| row.block);
        let layout = Layout::of(&rows);
        for block in rows.chunk_by(|a, b| a.block == b.block) {
            self.line(level, self.paint(BOLD, block[0].block.title()));
            self.aligned(level, block, &layout);
            self.blank();
        }
    }

    fn rows(&mut self, level: usize, rows: &[Row]) {
        self.aligned(level, rows, &Layout::of(rows));
    }

    fn aligned(&mut self, level: usize, rows: &[Row], layout: &Layout) {
        for row in rows {
            let dots = ".".repeat(layout.name - row.name.chars().count());
            let name = format!("{}{}", row.name, self.paint(FAINT, format_args!("{dots}:")));
            let cells = self.cells(&row.cells, layout);
            self.line(level, format_args!("{name} {cells}"));
        }
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

    /// The row of a metric, unless the summary leaves it out.
    fn row(&self, line: &Line<'_>) -> Option<Row> {
        let block = Block::of(&line.metric, self.detail)?;
        let (full_name, name) = match line.suffix {
            None => (line.metric.clone(), line.metric.clone()),
            Some(suffix) => (format!("{}{{{suffix}}}", line.metric), format!("  {{ {suffix} }}")),
        };
        let name_width = full_name.chars().count() + name.chars().count();
        Some(Row { block, name, name_width, cells: self.cells_of(line) })
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
    fn of_total(total: &'a MetricTotal) -> Line<'a> {
        let metric = total.info.name.to_string();
        Line { metric, suffix: total.suffix(), contains: total.info.contains, sink: &total.sink }
    }
}

impl Row {
    fn plain(name: &str, cells: Cells) -> Row {
        Row { block: Block::Custom, name: name.to_owned(), name_width: 2 * name.len(), cells }
    }
}

/// Widths that align rows.
#[derive(Default)]
struct Layout {
    name: usize,
    /// Of a trend's values.
    columns: Vec<usize>,
    value: usize,
    extras: Vec<usize>,
}

impl Layout {
    fn of(rows: &[Row]) -> Layout {
        let mut layout = Layout::default();
        for row in rows {
            layout.name = layout.name.max(row.name_width + 3);
            match &row.cells {
                Cells::Trend(columns) => widen(&mut layout.columns, columns.iter().map(|(_, value)| value)),
                Cells::Value(value, extras) => {
                    layout.value = layout.value.max(value.chars().count());
                    widen(&mut layout.extras, extras.iter());
                }
            }
        }
        layout
    }
}

fn widen<'a>(widths: &mut Vec<usize>, cells: impl Iterator<Item = &'a String>) {
    for (index, cell) in cells.enumerate() {
        if index == widths.len() {
            widths.push(0);
        }
        widths[index] = widths[index].max(cell.chars().count());
    }
}

impl Block {
    /// The block of a metric, by the start of its name as in k6. `None` for what is not shown as a metric.
    fn of(metric: &str, detail: Detail) -> Option<Block> {
        const PREFIXES: [(Block, &[&str]); 8] = [
            (Block::Http, &["http_reqs", "http_req_failed", "http_req_duration"]),
            (Block::Http, &HTTP_PHASES),
            (
                Block::Execution,
                &["vus", "iterations", "iteration_duration", "iteration_lateness", "dropped_iterations"],
            ),
            (Block::Network, &["data_sent", "data_received"]),
            (Block::Grpc, &["grpc_"]),
            (Block::WebSocket, &["ws_"]),
            (Block::WebVitals, &["browser_web_vital_"]),
            (Block::Browser, &["browser_"]),
        ];
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| metric.starts_with(prefix));
        if starts(&["checks", "group_duration"]) || detail == Detail::Compact && HTTP_PHASES.contains(&metric)
        {
            return None;
        }
        let block = PREFIXES.iter().find(|(_, prefixes)| starts(prefixes));
        Some(block.map_or(Block::Custom, |(block, _)| *block))
    }

    fn title(self) -> &'static str {
        match self {
            Block::Custom => "CUSTOM",
            Block::Http => "HTTP",
            Block::Execution => "EXECUTION",
            Block::Network => "NETWORK",
            Block::Browser => "BROWSER",
            Block::WebVitals => "WEB_VITALS",
            Block::Grpc => "GRPC",
            Block::WebSocket => "WEBSOCKET",
        }
    }
}
