//! Shows how a run gets on: bars that stay at the bottom of a terminal, plain lines now and then elsewhere.
//! Knows no clock: whoever watches the run hands in a [`ProgressView`] whenever [`Progress::interval`] is over; an
//! [`Observer`] makes it from what the engine tells.

use std::time::Duration;

use squall_engine::Phase;

use crate::console::{Console, TerminalSize};

mod observe;
mod render;

pub use observe::Observer;
pub use render::{fixed_width_duration, padded};

/// All that progress shows at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgressView {
    pub phase: Phase,
    /// Since the start of the run.
    pub elapsed: Duration,
    /// The longest the run can take; decides how many digits times get.
    pub max_duration: Duration,
    /// VUs that are busy with an iteration or wait for their next.
    pub vus: u64,
    /// VUs that have been initialised.
    pub vus_max: u64,
    pub complete: u64,
    pub interrupted: u64,
    /// In the order in which they are shown.
    pub scenarios: Vec<ScenarioView>,
}

/// One scenario's bar.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioView {
    pub name: String,
    pub state: ScenarioState,
    /// Part of the schedule that is over, 0 to 1.
    pub progress: f64,
    /// Texts at the right of the bar, each a column: VUs, time, iterations or rate.
    pub texts: Vec<String>,
}

/// Where a scenario is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScenarioState {
    /// Its start time has not come.
    Waiting,
    Running,
    /// No new iterations; the last ones may finish.
    Stopping,
    Done,
    Interrupted,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Bars that are drawn over and over.
    Bars { colors: bool },
    /// Lines.
    Lines,
    /// Not at all.
    Quiet,
}

impl Mode {
    /// Bars need a terminal.
    pub fn choose(console: &Console, quiet: bool, colors: bool) -> Mode {
        match (quiet, console.stdout_is_terminal()) {
            (true, _) => Mode::Quiet,
            (false, true) => Mode::Bars { colors },
            (false, false) => Mode::Lines,
        }
    }
}

/// Draws on standard output.
pub struct Progress {
    console: Console,
    mode: Mode,
}

impl Progress {
    pub fn new(console: Console, mode: Mode) -> Progress {
        Progress { console, mode }
    }

    /// How long to wait between two calls of [`Progress::update`]; `None`: do not call it.
    pub fn interval(&self) -> Option<Duration> {
        match self.mode {
            Mode::Bars { .. } => Some(Duration::from_millis(100)),
            Mode::Lines => Some(Duration::from_secs(1)),
            Mode::Quiet => None,
        }
    }

    /// Shows the state of now.
    pub fn update(&self, view: &ProgressView) {
        match self.mode {
            Mode::Bars { colors } => {
                self.console.set_live(render::bars(view, self.size(), colors));
            }
            Mode::Lines => self.console.print(&render::lines(view)),
            Mode::Quiet => {}
        }
    }

    /// Takes the bars away, so that results can be printed.
    pub fn clear(&self) {
        if let Mode::Bars { .. } = self.mode {
            self.console.set_live(String::new());
        }
    }

    /// Shows how the run ended; this stays.
    pub fn finish(&self, view: &ProgressView) {
        self.clear();
        match self.mode {
            Mode::Bars { colors } => self.console.print(&render::bars(view, self.size(), colors)),
            Mode::Lines => self.console.print(&render::lines(view)),
            Mode::Quiet => {}
        }
    }

    fn size(&self) -> TerminalSize {
        self.console.stdout_size().unwrap_or(TerminalSize { columns: 80, rows: 24 })
    }
}

#[cfg(test)]
mod tests;
