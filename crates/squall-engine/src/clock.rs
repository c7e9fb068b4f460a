//! The engine's only clock. Time is counted from the run's zero; a thread has one `Clock` and shares it by clone.
//!
//! The real clock wakes sleepers through one timerfd a thread: tokio's own timer rounds up to a
//! millisecond, which is as much lateness as an arrival may have. The virtual clock stands still while
//! anything can run and then jumps to the next deadline, so tests of hours take milliseconds.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tokio::task::{AbortHandle, spawn_local};

use crate::Time;

#[cfg(target_os = "linux")]
mod alarm_linux;
#[cfg(any(test, not(target_os = "linux")))]
mod alarm_portable;
#[cfg(test)]
mod tests;

#[cfg(target_os = "linux")]
use alarm_linux::Alarm;
#[cfg(not(target_os = "linux"))]
use alarm_portable::Alarm;

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
    pub fn now(&self) -> Time {
        self.0.timers.now()
    }

    /// Ready at `deadline`, at once when that has passed; never for `Time::MAX`.
    pub fn sleep_until(&self, deadline: Time) -> Sleep {
        Sleep { clock: self.clone(), deadline, entry: None }
    }

    /// Ready after `duration`.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now().saturating_add(duration))
    }
}

/// Future of `Clock::sleep_until`. Dropping it takes its deadline off the clock.
pub struct Sleep {
    clock: Clock,
    deadline: Time,
    entry: Option<(u64, Rc<Sleeper>)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &self.entry {
            Some((_, sleeper)) if sleeper.fired.get() => return Poll::Ready(()),
            Some((_, sleeper)) => sleeper.waker.borrow_mut().clone_from(cx.waker()),
            None if self.deadline == Time::MAX => {}
            None => {
                let timers = &self.clock.0.timers;
                if self.deadline <= timers.now() {
                    return Poll::Ready(());
                }
                self.entry = Some(timers.add(self.deadline, cx.waker()));
            }
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((id, sleeper)) = self.entry.take()
            && !sleeper.fired.get()
        {
            self.clock.0.timers.sleepers.borrow_mut().remove(&(self.deadline, id));
        }
    }
}

struct Sleeper {
    fired: Cell<bool>,
    waker: RefCell<Waker>,
}

/// What is due when. Sleepers with the same deadline fire in the order in which they went to sleep.
struct Timers {
    source: Source,
    sleepers: RefCell<BTreeMap<(Time, u64), Rc<Sleeper>>>,
    next_id: Cell<u64>,
}

enum Source {
    Real { zero: Instant, alarm: Alarm },
    Virtual { now: Cell<Time> },
}

impl Timers {
    fn new(source: Source) -> Timers {
        Timers { source, sleepers: RefCell::default(), next_id: Cell::new(0) }
    }

    fn now(&self) -> Time {
        match &self.source {
            Source::Real { zero, .. } => zero.elapsed(),
            Source::Virtual { now } => now.get(),
        }
    }

    fn add(&self, deadline: Time, waker: &Waker) -> (u64, Rc<Sleeper>) {
        let id = self.next_id.replace(self.next_id.get() + 1);
        let sleeper = Rc::new(Sleeper { fired: Cell::new(false), waker: RefCell::new(waker.clone()) });
        let is_earliest = self.earliest().is_none_or(|earliest| deadline < earliest);
        self.sleepers.borrow_mut().insert((deadline, id), sleeper.clone());
        if is_earliest {
            self.set_alarm(deadline);
        }
        (id, sleeper)
    }

    fn earliest(&self) -> Option<Time> {
        self.sleepers.borrow().first_key_value().map(|((deadline, _), _)| *deadline)
    }

    fn set_alarm(&self, deadline: Time) {
        if let Source::Real { alarm, .. } = &self.source {
            alarm.set(deadline.saturating_sub(self.now()));
        }
    }

    fn fire_due(&self) {
        let now = self.now();
        let mut sleepers = self.sleepers.borrow_mut();
        while let Some(first) = sleepers.first_entry().filter(|first| first.key().0 <= now) {
            let sleeper = first.remove();
            sleeper.fired.set(true);
            sleeper.waker.borrow().wake_by_ref();
        }
    }
}

async fn ring_alarm(timers: Rc<Timers>) {
    let Source::Real { alarm, .. } = &timers.source else { return };
    while alarm.rang().await.is_ok() {
        timers.fire_due();
        if let Some(earliest) = timers.earliest() {
            timers.set_alarm(earliest);
        }
    }
}

async fn jump_when_idle(timers: Rc<Timers>) {
    let Source::Virtual { now } = &timers.source else { return };
    loop {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if let Some(earliest) = timers.earliest() {
            now.set(earliest);
            timers.fire_due();
        }
    }
}
