//! Draws the progress of a run while it goes on.

use std::{cell::RefCell, rc::Rc};

use squall_engine::ClockSource;
use tokio::{task::JoinHandle, time::MissedTickBehavior};

use crate::progress::{Observer, Progress};

/// Progress that is being drawn.
pub(super) struct Watching {
    display: Rc<Display>,
    drawing: Option<JoinHandle<()>>,
}

struct Display {
    progress: Progress,
    observer: RefCell<Observer>,
    clock: ClockSource,
}

/// Starts to draw. Must be called within a `LocalSet`.
pub(super) fn start(progress: Progress, observer: Observer, clock: ClockSource) -> Watching {
    let interval = progress.interval();
    let display = Rc::new(Display { progress, observer: RefCell::new(observer), clock });
    let drawing = interval.map(|interval| {
        let display = Rc::clone(&display);
        tokio::task::spawn_local(async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first tick is at once: there is nothing to show yet.
            ticks.tick().await;
            loop {
                ticks.tick().await;
                display.draw();
            }
        })
    });
    Watching { display, drawing }
}

impl Watching {
    /// Takes the bars away, so that results can be printed. What is drawn does not change any more.
    pub(super) fn stop(&self) {
        if let Some(drawing) = &self.drawing {
            drawing.abort();
        }
        self.display.progress.clear();
    }

    /// Shows how the run ended, as k6 does below the results.
    pub(super) fn finish(&self) {
        let view = self.display.observer.borrow_mut().view(self.display.clock.now());
        self.display.progress.finish(&view);
    }
}

impl Display {
    fn draw(&self) {
        let view = self.observer.borrow_mut().view(self.clock.now());
        self.progress.update(&view);
    }
}
