//! [`ProgressView`] to text. Pure.

use std::time::Duration;

use squall_engine::Phase;

use super::{ProgressView, ScenarioState, ScenarioView};
use crate::console::TerminalSize;

/// Characters between a bar's brackets when there is room: k6's.
const BAR_WIDTH: usize = 38;
/// A bar that would be narrower becomes a percentage.
const BAR_WIDTH_MIN: usize = 8;

const DIM: (&str, &str) = ("\x1b[2m", "\x1b[22m");
const GREEN: (&str, &str) = ("\x1b[32m", "\x1b[0m");
const RED: (&str, &str) = ("\x1b[31m", "\x1b[0m");

/// The block for a terminal: a free line, the status, and a bar a scenario as far as they fit.
pub(super) fn bars(view: &ProgressView, size: TerminalSize, colors: bool) -> String {
    // Free line, status and the line that the cursor stands in.
    let rows = size.rows.saturating_sub(3).max(1);
    let hidden = match view.scenarios.len() {
        len if len > rows => len - (rows - 1),
        _ => 0,
    };
    let columns = Columns::of(view);
    let mut block = format!("\n{}\n", clip(&status(view), size.columns));
    for scenario in &view.scenarios[..view.scenarios.len() - hidden] {
        block.push_str(&bar_line(scenario, &columns, size.columns, colors));
        block.push('\n');
    }
    if hidden > 0 {
        block.push_str(&clip(&format!("… and {hidden} more"), size.columns));
        block.push('\n');
    }
    block
}

/// The same for everything else: percentages in place of bars.
pub(super) fn lines(view: &ProgressView) -> String {
    let columns = Columns::of(view);
    let mut text = format!("\n{}\n", status(view));
    for scenario in &view.scenarios {
        let left = columns.left(scenario);
        text.push_str(format!("{left} {} {}", percentage(scenario), columns.right(scenario)).trim_end());
        text.push('\n');
    }
    text
}

/// `running (00m12.3s), 10/10 VUs, 120 complete and 0 interrupted iterations`
fn status(view: &ProgressView) -> String {
    let phase = match view.phase {
        Phase::Init => "init",
        Phase::Setup => "setup",
        Phase::Running | Phase::Ended => "running",
        Phase::Teardown => "teardown",
    };
    format!(
        "{phase} ({}), {}/{} VUs, {} complete and {} interrupted iterations",
        fixed_width_duration(view.elapsed, view.max_duration),
        padded(view.vus, view.vus_max),
        view.vus_max,
        view.complete,
        view.interrupted,
    )
}

/// Widths that let all scenarios line up.
struct Columns {
    name: usize,
    texts: Vec<usize>,
}

impl Columns {
    fn of(view: &ProgressView) -> Columns {
        let count = view.scenarios.iter().map(|scenario| scenario.texts.len()).max().unwrap_or(0);
        let widest = |index: usize| {
            view.scenarios
                .iter()
                .filter_map(|scenario| Some(width(scenario.texts.get(index)?)))
                .max()
                .unwrap_or(0)
        };
        Columns {
            name: view.scenarios.iter().map(|scenario| width(&scenario.name)).max().unwrap_or(0),
            texts: (0..count).map(widest).collect(),
        }
    }

    /// Name and symbol.
    fn left(&self, scenario: &ScenarioView) -> String {
        format!("{:<width$} {}", scenario.name, symbol(scenario.state), width = self.name)
    }

    fn right(&self, scenario: &ScenarioView) -> String {
        let texts = scenario.texts.iter().zip(&self.texts);
        let padded: Vec<String> = texts.map(|(text, &width)| format!("{text:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    }

    /// Room for a bar, so that all bars are of one width.
    fn bar(&self, terminal_columns: usize) -> usize {
        let texts: usize = self.texts.iter().map(|width| width + 2).sum::<usize>().saturating_sub(2);
        // Space, symbol, space, brackets, space.
        let other = self.name + 6 + texts;
        terminal_columns.saturating_sub(other).min(BAR_WIDTH)
    }
}

fn bar_line(scenario: &ScenarioView, columns: &Columns, terminal_columns: usize, colors: bool) -> String {
    let right = columns.right(scenario);
    let (bar, bar_columns) = match columns.bar(terminal_columns) {
        room if room >= BAR_WIDTH_MIN => (bar(scenario, room, colors), room + 2),
        _ => (percentage(scenario), 8),
    };
    let left = columns.left(scenario);
    let right_room = terminal_columns.saturating_sub(width(&left) + bar_columns + 2);
    if right_room == 0 {
        return clip(&left, terminal_columns);
    }
    let name = &left[..left.len() - symbol(scenario.state).len()];
    format!("{name}{} {bar} {}", colored_symbol(scenario.state, colors), clip(&right, right_room))
}

/// `[=====>-----]`
fn bar(scenario: &ScenarioView, room: usize, colors: bool) -> String {
    let done = scenario.progress.clamp(0.0, 1.0);
    // Rounded down: a bar is full only when nothing is left.
    let filled = (done * room as f64) as usize;
    let head = match filled {
        0 => String::new(),
        _ if filled == room => "=".repeat(room),
        _ => format!("{}>", "=".repeat(filled - 1)),
    };
    format!("[{head}{}]", paint(DIM, &"-".repeat(room - filled), colors))
}

/// `[  50% ]`
fn percentage(scenario: &ScenarioView) -> String {
    format!("[ {:>3.0}% ]", scenario.progress.clamp(0.0, 1.0) * 100.0)
}

fn symbol(state: ScenarioState) -> &'static str {
    match state {
        ScenarioState::Waiting => "•",
        ScenarioState::Running => " ",
        ScenarioState::Stopping => "↓",
        ScenarioState::Done => "✓",
        ScenarioState::Interrupted => "✗",
    }
}

fn colored_symbol(state: ScenarioState, colors: bool) -> String {
    match state {
        ScenarioState::Waiting => paint(DIM, symbol(state), colors),
        ScenarioState::Running | ScenarioState::Stopping => symbol(state).to_owned(),
        ScenarioState::Done => paint(GREEN, symbol(state), colors),
        ScenarioState::Interrupted => paint(RED, symbol(state), colors),
    }
}

fn paint((on, off): (&str, &str), text: &str, colors: bool) -> String {
    if colors && !text.is_empty() { format!("{on}{text}{off}") } else { text.to_owned() }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The text's first `columns` characters.
fn clip(text: &str, columns: usize) -> String {
    text.chars().take(columns).collect()
}

/// A time to a tenth of a second, with as many digits as `max` needs: `00m01.0s` of ten minutes. So text that
/// stands behind it does not move.
pub fn fixed_width_duration(duration: Duration, max: Duration) -> String {
    let tenths = |duration: Duration| (duration.as_millis() as u64 + 50) / 100;
    let (value, max) = (tenths(duration), tenths(max).max(tenths(duration)));
    // From here on in tenths of a second.
    const SECOND: u64 = 10;
    const UNITS: [(u64, u64, &str); 3] =
        [(24 * 3600 * SECOND, u64::MAX, "d"), (3600 * SECOND, 24, "h"), (60 * SECOND, 60, "m")];
    let mut text = String::new();
    for (unit, modulus, name) in UNITS {
        if max >= unit {
            // The highest unit has the digits of the maximum, those below always two.
            let digits = if text.is_empty() { digits(max / unit) } else { 2 };
            text.push_str(&format!("{:0digits$}{name}", value / unit % modulus));
        }
    }
    let digits = if text.is_empty() { digits(max / SECOND) } else { 2 };
    let seconds = value / SECOND % 60;
    text.push_str(&format!("{seconds:0digits$}.{}s", value % SECOND));
    text
}

/// A count with zeros in front, as wide as `max`.
pub fn padded(count: u64, max: u64) -> String {
    format!("{count:0width$}", width = digits(max))
}

fn digits(number: u64) -> usize {
    number.to_string().len()
}
