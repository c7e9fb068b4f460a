//! The count of what is in progress and what waits, and the line of those who wait.
//!
//! Whether a request may start is decided by one word: requests in progress, requests waiting, the limit. The rules that keep
//! it right without a lock on the way of a request that finds room:
//!
//! - Who comes starts without the lock only if nobody waits: a newcomer overtakes no one.
//! - The number waiting and the limit change only under the lock, and together with the line.
//! - Who ends takes the lock only if somebody waits, and then passes the place on. Both sides change the same word, so either
//!   the one who ends sees who waits, or the one who comes sees the place free: no wake-up is lost.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;
use tokio::time::{Instant, Sleep};

use super::{Figures, Limits, Reason, Refusal, metrics};

const COUNT_BITS: u32 = 21;

/// The most that each part of the word can count.
pub(super) const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;

/// One request in progress, one waiting, and one of the limit, as parts of the word.
const IN_PROGRESS: u64 = 1;
const WAITING: u64 = 1 << COUNT_BITS;
const LIMIT: u64 = 1 << (2 * COUNT_BITS);

#[derive(Clone, Copy)]
struct Word(u64);

impl Word {
    fn in_progress(self) -> u32 {
        self.0 as u32 & COUNT_MAX
    }

    fn waiting(self) -> u32 {
        (self.0 >> COUNT_BITS) as u32 & COUNT_MAX
    }

    fn limit(self) -> u32 {
        (self.0 >> (2 * COUNT_BITS)) as u32
    }

    /// Below the limit. After it was lowered there may be more in progress than it allows.
    fn has_room(self) -> bool {
        self.in_progress() < self.limit()
    }
}

/// The state of an admission control.
#[derive(Debug)]
pub(super) struct Gate {
    word: AtomicU64,
    admitted: AtomicU64,
    refused_full: AtomicU64,
    refused_waited_too_long: AtomicU64,
    gone_while_waiting: AtomicU64,
    /// Seconds that requests waited until they were admitted or refused. Who was admitted at once is not in it.
    pub(super) wait_s: Histogram,
    line: Mutex<Line>,
}

/// Those who wait, by ticket: tickets are in the order of arrival, and any can be taken out.
#[derive(Debug)]
struct Line {
    limits: Limits,
    next_ticket: u64,
    wakers: BTreeMap<u64, Waker>,
    pace: Pace,
}

/// What is answered to who asks.
pub(super) enum Answer {
    Admitted(Permit),
    Waiting(Waiting),
    Refused(Refusal),
}

impl Gate {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            word: AtomicU64::new(u64::from(limits.max_in_progress()) * LIMIT),
            admitted: AtomicU64::new(0),
            refused_full: AtomicU64::new(0),
            refused_waited_too_long: AtomicU64::new(0),
            gone_while_waiting: AtomicU64::new(0),
            wait_s: metrics::wait_histogram(),
            line: Mutex::new(Line {
                limits,
                next_ticket: 0,
                wakers: BTreeMap::new(),
                pace: Pace { since: Instant::now(), ended: 0, per_second: None },
            }),
        }
    }

    fn word(&self) -> Word {
        Word(self.word.load(Acquire))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().expect("nothing panics while it holds the line")
    }

    pub(super) fn limits(&self) -> Limits {
        self.line().limits
    }

    pub(super) fn set_limits(&self, limits: Limits) {
        let mut line = self.line();
        line.limits = limits;
        self.word
            .fetch_update(AcqRel, Acquire, |word| {
                Some(word % LIMIT + u64::from(limits.max_in_progress()) * LIMIT)
            })
            .expect("the update is unconditional");
        let admitted: Vec<Waker> = std::iter::from_fn(|| self.admit_next(&mut line)).collect();
        drop(line);
        admitted.into_iter().for_each(Waker::wake);
    }

    pub(super) fn figures(&self) -> Figures {
        let word = self.word();
        Figures {
            in_progress: word.in_progress(),
            waiting: word.waiting(),
            admitted: self.admitted.load(Relaxed),
            refused_full: self.refused_full.load(Relaxed),
            refused_waited_too_long: self.refused_waited_too_long.load(Relaxed),
            gone_while_waiting: self.gone_while_waiting.load(Relaxed),
        }
    }

    /// Asks for admission.
    pub(super) fn ask(self: &Arc<Self>) -> Answer {
        if self.admit_at_once() { Answer::Admitted(Permit(self.clone())) } else { self.ask_for_a_place() }
    }

    /// The fast path: there is room, and nobody waits for it.
    fn admit_at_once(&self) -> bool {
        let admitted = self.word.fetch_update(AcqRel, Acquire, |word| {
            (Word(word).waiting() == 0 && Word(word).has_room()).then_some(word + IN_PROGRESS)
        });
        if admitted.is_ok() {
            self.admitted.fetch_add(1, Relaxed);
        }
        admitted.is_ok()
    }

    #[cold]
    fn ask_for_a_place(self: &Arc<Self>) -> Answer {
        let mut line = self.line();
        let max_waiting = line.limits.max_waiting();
        let asked = self.word.fetch_update(AcqRel, Acquire, |word| match Word(word) {
            now if now.waiting() == 0 && now.has_room() => Some(word + IN_PROGRESS),
            now if now.waiting() < max_waiting => Some(word + WAITING),
            _ => None,
        });
        let since = Instant::now();
        line.pace.observe(since, self.ended());
        match asked.map(Word) {
            Ok(before) if before.waiting() == 0 && before.has_room() => {
                self.admitted.fetch_add(1, Relaxed);
                Answer::Admitted(Permit(self.clone()))
            }
            Ok(_) => {
                let ticket = line.next_ticket;
                line.next_ticket += 1;
                // Its own waker comes with the first poll. Until then there is nobody to wake, and the poll sees the admission.
                line.wakers.insert(ticket, Waker::noop().clone());
                let deadline = Box::pin(tokio::time::sleep_until(since + line.limits.max_wait()));
                Answer::Waiting(Waiting { gate: self.clone(), ticket: Some(ticket), since, deadline })
            }
            Err(_) => {
                self.refused_full.fetch_add(1, Relaxed);
                Answer::Refused(self.refusal(Reason::Full, &line))
            }
        }
    }

    fn refusal(&self, reason: Reason, line: &Line) -> Refusal {
        Refusal { reason, retry_after_s: line.pace.retry_after_s(self.word().waiting()) }
    }

    /// Requests that have been in progress and no longer are.
    fn ended(&self) -> u64 {
        self.admitted.load(Relaxed).saturating_sub(u64::from(self.word().in_progress()))
    }

    /// Admits the first of the line if there is room. Whoever made room calls it, once for each place.
    #[must_use = "the one admitted has to be woken, after the line is unlocked"]
    fn admit_next(&self, line: &mut Line) -> Option<Waker> {
        self.word
            .fetch_update(AcqRel, Acquire, |word| {
                (Word(word).waiting() > 0 && Word(word).has_room()).then_some(word - WAITING + IN_PROGRESS)
            })
            .ok()?;
        self.admitted.fetch_add(1, Relaxed);
        let (_, waker) = line.wakers.pop_first().expect("the line is as long as the word says");
        Some(waker)
    }

    fn end(&self) {
        let before = Word(self.word.fetch_sub(IN_PROGRESS, AcqRel));
        if before.waiting() > 0 {
            let next = self.admit_next(&mut self.line());
            if let Some(waker) = next {
                waker.wake();
            }
        }
    }

    /// Takes a ticket out of the line. False if it has been admitted already.
    fn leave(&self, ticket: u64, line: &mut Line) -> bool {
        let waited = line.wakers.remove(&ticket).is_some();
        if waited {
            self.word.fetch_sub(WAITING, AcqRel);
        }
        waited
    }
}

/// The right to be in progress, until it is dropped.
#[derive(Debug)]
pub struct Permit(Arc<Gate>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A place in the line. Dropping it leaves the line.
#[derive(Debug)]
pub struct Waiting {
    gate: Arc<Gate>,
    /// None once it was answered.
    ticket: Option<u64>,
    since: Instant,
    deadline: Pin<Box<Sleep>>,
}

impl Future for Waiting {
    type Output = Result<Permit, Refusal>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let ticket = this.ticket.expect("a place in the line answers once");
        let waits = match this.gate.line().wakers.get_mut(&ticket) {
            Some(waker) => {
                waker.clone_from(cx.waker());
                true
            }
            None => false,
        };
        let mut answer = Ok(());
        if waits {
            ready!(this.deadline.as_mut().poll(cx));
            let mut line = this.gate.line();
            // Its turn may have come since it was looked up.
            if this.gate.leave(ticket, &mut line) {
                this.gate.refused_waited_too_long.fetch_add(1, Relaxed);
                line.pace.observe(Instant::now(), this.gate.ended());
                answer = Err(this.gate.refusal(Reason::WaitedTooLong, &line));
            }
        }
        this.ticket = None;
        this.gate.wait_s.observe(this.since.elapsed().as_secs_f64());
        Poll::Ready(answer.map(|()| Permit(this.gate.clone())))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let waited = self.gate.leave(ticket, &mut self.gate.line());
        self.gate.gone_while_waiting.fetch_add(1, Relaxed);
        if !waited {
            // Admitted and gone before it knew: the place is the next one's.
            self.gate.end();
        }
    }
}

/// How fast requests have ended lately, seen whenever the line is touched.
#[derive(Debug)]
struct Pace {
    since: Instant,
    ended: u64,
    /// None when nothing is known of the last seconds.
    per_second: Option<f64>,
}

impl Pace {
    /// Long enough for a steady figure, short enough to be about now.
    const SPAN: Duration = Duration::from_secs(1);
    /// The bounds of `Retry-After`: a client that comes back sooner than in a second only adds to the load, and one sent away
    /// for longer than half a minute misses the recovery.
    const RETRY_AFTER_S: std::ops::RangeInclusive<f64> = 1.0..=30.0;

    fn observe(&mut self, now: Instant, ended: u64) {
        let elapsed = now - self.since;
        if elapsed < Self::SPAN {
            return;
        }
        // A line untouched for longer was empty: that span says nothing of how fast the service can be.
        let is_recent = elapsed < 4 * Self::SPAN;
        self.per_second = is_recent.then(|| ended.saturating_sub(self.ended) as f64 / elapsed.as_secs_f64());
        self.since = now;
        self.ended = ended;
    }

    /// The time in which those who wait and one more are served, in whole seconds.
    fn retry_after_s(&self, waiting: u32) -> u32 {
        let line_s = self.per_second.map_or(0.0, |rate| f64::from(waiting + 1) / rate);
        line_s.ceil().clamp(*Self::RETRY_AFTER_S.start(), *Self::RETRY_AFTER_S.end()) as u32
    }
}
