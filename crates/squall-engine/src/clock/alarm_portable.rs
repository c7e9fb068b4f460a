//! An alarm on tokio's timer, for systems without timerfd: precise to a millisecond.

use std::{cell::Cell, io, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// Longest time set at once; the clock sets the alarm again when it rings early.
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Alarm {
    rings_at: Cell<Option<Instant>>,
    changed: Notify,
}

impl Alarm {
    pub(super) fn new() -> io::Result<Alarm> {
        Ok(Alarm { rings_at: Cell::new(None), changed: Notify::new() })
    }

    /// Rings after `delay`, instead of any earlier setting.
    pub(super) fn set(&self, delay: Duration) {
        self.rings_at.set(Some(Instant::now() + delay.min(LONGEST_DELAY)));
        self.changed.notify_one();
    }

    /// Ready when it rings.
    pub(super) async fn rang(&self) -> io::Result<()> {
        loop {
            let Some(rings_at) = self.rings_at.get() else {
                self.changed.notified().await;
                continue;
            };
            tokio::select! {
                () = sleep_until(rings_at) => {
                    self.rings_at.set(None);
                    return Ok(());
                }
                () = self.changed.notified() => {}
            }
        }
    }
}
