//! How much of the time of a connection is the network's.
//!
//! What counts is the way of the last bytes: a request waits for the last byte of it to go through, and for the last
//! byte of the answer. A server that takes its time in between, or between the parts of its answer, is not the
//! network's doing, even where some bytes are under way meanwhile.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

/// Kept by one connection, read by who uses it.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// How long the last bytes that went out had been held.
    up: Cell<Duration>,
    /// The same for the last bytes that came in, in this round.
    down: Cell<Duration>,
    /// Since when the first bytes have been waiting that are still held.
    up_since: Cell<Option<Instant>>,
    down_since: Cell<Option<Instant>>,
    /// How long the server or the client could not go on because too much was held.
    blocked: Cell<Duration>,
    /// Rounds that are over: the client spoke, then it listened.
    rounds: Cell<Duration>,
    is_speaking: Cell<bool>,
}

impl Meter {
    /// The client says something. True when it begins to: a round begins.
    pub(super) fn spoke(&self, held_since: Instant) -> bool {
        self.up_since.set(self.up_since.get().or(Some(held_since)));
        let begins = !self.is_speaking.replace(true);
        if begins {
            self.rounds.set(self.rounds.get() + self.up.get() + self.down.take());
        }
        begins
    }

    /// Bytes went out that had been held so long; what is left has been since `rest`.
    pub(super) fn went_out(&self, held: Duration, rest: Option<Instant>) {
        self.up.set(held);
        self.up_since.set(rest);
    }

    /// The first bytes that are held have been since then.
    pub(super) fn came(&self, since: Option<Instant>) {
        self.down_since.set(since);
    }

    /// Bytes were handed over that had been held so long.
    pub(super) fn came_in(&self, held: Duration, rest: Option<Instant>) {
        self.down.set(held);
        self.down_since.set(rest);
        self.is_speaking.set(false);
    }

    /// One side could not go on for so long.
    pub(super) fn was_blocked(&self, time: Duration) {
        self.blocked.set(self.blocked.get() + time);
    }
}

/// What goes over a connection from now on: a request and its answer.
#[derive(Clone, Debug)]
pub struct Passage {
    meter: Rc<Meter>,
    blocked_before: Duration,
}

impl Passage {
    pub(super) fn new(meter: &Rc<Meter>) -> Self {
        Self { meter: Rc::clone(meter), blocked_before: meter.blocked.get() }
    }

    /// What all rounds of the connection took so far, where client and server take turns: a handshake.
    pub(super) fn rounds(&self) -> Duration {
        let Meter { up, down, rounds, is_speaking, .. } = &*self.meter;
        let this = if is_speaking.get() { Duration::ZERO } else { up.get() + down.get() };
        rounds.get() + this
    }

    /// How much of the time until now the network has taken. Where several requests share the connection it is the way
    /// of the bytes that went and came last.
    pub fn delay(&self) -> Duration {
        let now = Instant::now();
        let held = |since: Option<Instant>| since.map_or(Duration::ZERO, |since| now - since);
        let meter = &self.meter;
        let up = meter.up.get().max(held(meter.up_since.get()));
        let down = meter.down.get().max(held(meter.down_since.get()));
        up + down + (meter.blocked.get() - self.blocked_before)
    }
}
