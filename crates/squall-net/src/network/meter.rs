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
    pub(super) up: Way,
    pub(super) down: Way,
    /// How long the server or the client could not go on because too much was held.
    blocked: Cell<Duration>,
    /// Rounds that are over: the client spoke, then it listened.
    rounds: Cell<Duration>,
    is_speaking: Cell<bool>,
    /// How often bytes had come through, up and down, when the last round began.
    begun: Cell<(u64, u64)>,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// How long the bytes that came through last had been held.
    last: Cell<Duration>,
    /// How often bytes came through.
    times: Cell<u64>,
    /// Since when the first of those that are still held have been.
    since: Cell<Option<Instant>>,
}

impl Way {
    /// The first bytes that are held have been since then.
    pub(super) fn holds(&self, since: Option<Instant>) {
        self.since.set(since);
    }

    /// Bytes came through that had been held so long; what is left has been since `rest`.
    pub(super) fn let_through(&self, held: Duration, rest: Option<Instant>) {
        self.last.set(held);
        self.times.set(self.times.get() + 1);
        self.since.set(rest);
    }

    /// How long the last bytes took since it had let bytes through so many times, or are taking.
    fn delay(&self, times_before: u64, now: Instant) -> Duration {
        let last = if self.times.get() > times_before { self.last.get() } else { Duration::ZERO };
        last.max(self.since.get().map_or(Duration::ZERO, |since| now - since))
    }
}

impl Meter {
    /// The client says something. True when it begins to: a round begins.
    pub(super) fn spoke(&self) -> bool {
        let begins = !self.is_speaking.replace(true);
        if begins {
            self.rounds.set(self.rounds.get() + self.last_round());
            self.begun.set(self.times());
        }
        begins
    }

    /// The client heard something.
    pub(super) fn listened(&self) {
        self.is_speaking.set(false);
    }

    fn times(&self) -> (u64, u64) {
        (self.up.times.get(), self.down.times.get())
    }

    fn last_round(&self) -> Duration {
        self.up.last.get() + self.down.last.get()
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
    /// Up and down.
    times_before: (u64, u64),
}

impl Passage {
    pub(super) fn new(meter: &Rc<Meter>) -> Self {
        Self { meter: Rc::clone(meter), blocked_before: meter.blocked.get(), times_before: meter.times() }
    }

    /// What all rounds of the connection took so far, where client and server take turns: a handshake.
    pub(super) fn rounds(&self) -> Duration {
        let meter = &self.meter;
        let last = if meter.is_speaking.get() { Duration::ZERO } else { meter.last_round() };
        meter.rounds.get() + last
    }

    /// The same, and what a round that is not over has taken: of a handshake that is given up.
    pub(super) fn rounds_so_far(&self) -> Duration {
        let (meter, now) = (&self.meter, Instant::now());
        if !meter.is_speaking.get() {
            return self.rounds();
        }
        let (up_before, down_before) = meter.begun.get();
        self.rounds() + meter.up.delay(up_before, now) + meter.down.delay(down_before, now)
    }

    /// How much of the time until now the network has taken. Where several requests share the connection it is the way
    /// of the bytes that went and came last.
    pub fn delay(&self) -> Duration {
        let (meter, now) = (&self.meter, Instant::now());
        let (up_before, down_before) = self.times_before;
        let blocked = meter.blocked.get() - self.blocked_before;
        meter.up.delay(up_before, now) + meter.down.delay(down_before, now) + blocked
    }
}
