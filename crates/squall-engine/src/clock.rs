//! The engine's only clock. Time is counted from the run's zero; a thread has one `Clock` and shares it by clone.
//!
//! The real clock wakes sleepers through one timerfd a thread: tokio's own timer rounds up to a
//! millisecond, which is as much lateness as an arrival may have. A thread that has no time to look at its
//! descriptors reads the clock all the time, and whoever does wakes those who are due. The virtual clock stands
//! still while anything can run and then jumps to the next deadline, so tests of hours take milliseconds.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use squall_metrics::TrendSink;
use tokio::task::{AbortHandle, spawn_local};

use crate::Time;

#[cfg(target_os = "linux")]
mod alarm_linux;
#[cfg(any(test, not(target_os = "linux")))]
mod alarm_portable;
mod cpu;
mod deadlines;
#[cfg(test)]
mod tests;

#[cfg(target_os = "linux")]
use alarm_linux::Alarm;
#[cfg(not(target_os = "linux"))]
use alarm_portable::Alarm;
use deadlines::{Deadlines, Key};

/// Shortest time between two alarms. Where timers are so dense, those that come together save a wake-up of the thread
/// each; a lone one is never late for it.
const ALARM_SPACING: Duration = Duration::from_micros(100);

/// The zero that the clocks of all threads of a run count from.
#[derive(Clone, Copy, Debug)]
pub struct ClockSource {
    zero: Instant,
}

impl ClockSource {
    /// A source whose zero is now.
    #[expect(clippy::new_without_default, reason = "it reads the time")]
    pub fn new() -> ClockSource {
        ClockSource { zero: Instant::now() }
    }

    /// Time since the zero.
    pub fn now(&self) -> Time {
        self.zero.elapsed()
    }

    /// This thread's clock. Must be called within a `LocalSet`; fails when the system has no timer to give.
    pub fn clock(&self) -> io::Result<Clock> {
        let timers = Rc::new(Timers::new(Source::Real { zero: self.zero, alarm: Alarm::new()? }));
        let driver = spawn_local(ring_alarm(timers.clone()));
        Ok(Clock::new(timers, driver.abort_handle()))
    }
}

/// A thread's clock. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Rc<Driven>);

/// Timers and the task that fires them, which ends with the last clock.
struct Driven {
    timers: Rc<Timers>,
    driver: AbortHandle,
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Clock {
    /// A clock that jumps to the next deadline whenever nothing else can run. Needs a `LocalSet` on a
    /// runtime with tokio's time paused: an idle runtime is noticed by a tokio sleep that ends only then.
    pub fn virtual_time() -> Clock {
        let timers = Rc::new(Timers::new(Source::Virtual { now: Cell::new(Time::ZERO) }));
        let driver = spawn_local(jump_when_idle(timers.clone()));
        Clock::new(timers, driver.abort_handle())
    }

    fn new(timers: Rc<Timers>, driver: AbortHandle) -> Clock {
        Clock(Rc::new(Driven { timers, driver }))
    }

    /// Time since the run's zero.
    #[inline]
    pub fn now(&self) -> Time {
        self.0.timers.now_and_fire()
    }

    /// Ready at `deadline`, at once when that has passed; never for `Time::MAX`.
    pub fn sleep_until(&self, deadline: Time) -> Sleep {
        Sleep { clock: self.clone(), deadline, key: None }
    }

    /// Ready after `duration`.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now().saturating_add(duration))
    }

    /// Processor time that the process has taken so far; none on virtual time, and where the system does not say.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        match self.0.timers.source {
            Source::Real { .. } => cpu::process_time(),
            Source::Virtual { .. } => None,
        }
    }

    /// How much later than asked sleepers of this thread went on, in milliseconds, since the last call.
    pub(crate) fn take_lag(&self) -> TrendSink {
        self.0.timers.lag_ms.take()
    }
}

/// Future of `Clock::sleep_until`. Dropping it takes its deadline off the clock.
pub struct Sleep {
    clock: Clock,
    deadline: Time,
    key: Option<Key>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let timers = &self.clock.0.timers;
        match self.key {
            Some(key) if timers.deadlines.borrow_mut().poll(key, cx.waker()) => {
                timers.record_lag(self.deadline);
                return Poll::Ready(());
            }
            Some(_) => {}
            None if self.deadline == Time::MAX => {}
            None if self.deadline <= timers.now_and_fire() => return Poll::Ready(()),
            None => self.key = Some(timers.add(self.deadline, cx.waker())),
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.0.timers.deadlines.borrow_mut().remove(key);
        }
    }
}

/// What is due when. Sleepers with the same deadline fire in the order in which they went to sleep.
struct Timers {
    source: Source,
    deadlines: RefCell<Deadlines>,
    /// When the alarm rings next.
    alarm_at: Cell<Time>,
    /// When it rang last.
    rang_at: Cell<Time>,
    lag_ms: RefCell<TrendSink>,
}

enum Source {
    Real { zero: Instant, alarm: Alarm },
    Virtual { now: Cell<Time> },
}

impl Timers {
    fn new(source: Source) -> Timers {
        Timers {
            source,
            deadlines: RefCell::default(),
            alarm_at: Cell::new(Time::MAX),
            rang_at: Cell::new(Time::ZERO),
            lag_ms: RefCell::default(),
        }
    }

    fn now(&self) -> Time {
        match &self.source {
            Source::Real { zero, .. } => zero.elapsed(),
            Source::Virtual { now } => now.get(),
        }
    }

    #[inline]
    fn now_and_fire(&self) -> Time {
        let now = self.now();
        if self.earliest().is_some_and(|earliest| earliest <= now) {
            self.fire_due(now);
        }
        now
    }

    fn add(&self, deadline: Time, waker: &Waker) -> Key {
        let key = self.deadlines.borrow_mut().add(deadline, waker);
        self.set_alarm();
        key
    }

    fn earliest(&self) -> Option<Time> {
        self.deadlines.borrow().earliest()
    }

    /// Sees to it that the alarm rings at the earliest deadline. One that is set for an earlier time stays: its owner
    /// went away, and setting it costs a system call each time.
    fn set_alarm(&self) {
        let Source::Real { alarm, .. } = &self.source else { return };
        let Some(earliest) = self.earliest() else { return };
        let ring_at = earliest.max(self.rang_at.get() + ALARM_SPACING);
        if ring_at < self.alarm_at.get() {
            self.alarm_at.set(ring_at);
            alarm.set(ring_at.saturating_sub(self.now()));
        }
    }

    #[cold]
    fn fire_due(&self, now: Time) {
        loop {
            // Waking may run foreign code: nothing is borrowed meanwhile.
            let due = self.deadlines.borrow_mut().fire(now);
            let Some(waker) = due else { return };
            waker.wake();
        }
    }

    fn record_lag(&self, deadline: Time) {
        let lag = self.now().saturating_sub(deadline);
        self.lag_ms.borrow_mut().add(lag.as_secs_f64() * 1e3);
    }
}

async fn ring_alarm(timers: Rc<Timers>) {
    let Source::Real { alarm, .. } = &timers.source else { return };
    while alarm.rang().await.is_ok() {
        let now = timers.now();
        timers.alarm_at.set(Time::MAX);
        timers.rang_at.set(now);
        timers.fire_due(now);
        timers.set_alarm();
    }
}

async fn jump_when_idle(timers: Rc<Timers>) {
    let Source::Virtual { now } = &timers.source else { return };
    loop {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if let Some(earliest) = timers.earliest() {
            now.set(earliest);
            timers.fire_due(earliest);
        }
    }
}
