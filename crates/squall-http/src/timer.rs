//! Timeouts of calls: one timer of the runtime for all calls of a thread.
//!
//! Nearly every call ends long before its time. So a call takes a slot in a list, and the runtime's timer is set
//! for the earliest of them alone; when it goes off, the list is looked through. With usual timeouts that is once
//! a minute, where a timer a call means a lock and a clock reading each time it is set, cleared or waited for.

use std::cell::RefCell;
use std::mem;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The calls of a thread that have a time to end by.
#[derive(Debug, Default)]
pub(crate) struct Timer(Rc<RefCell<Calls>>);

#[derive(Debug, Default)]
struct Calls {
    slots: Vec<Slot>,
    free: Vec<usize>,
    alarm: Option<Alarm>,
}

#[derive(Debug)]
enum Slot {
    Free,
    Waiting { until: Instant, waker: Waker },
    Expired,
}

/// The task that waits for the earliest.
#[derive(Debug)]
struct Alarm {
    at: Instant,
    task: AbortHandle,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Timer {
    /// Polls `future` until it is ready or `limit` after `start` has come: then there is no output.
    pub(crate) async fn timeout<F: Future>(
        &self,
        start: Instant,
        limit: Duration,
        mut future: Pin<&mut F>,
    ) -> Option<F::Output> {
        // A time beyond all clocks never comes.
        let Some(until) = start.checked_add(limit) else { return Some(future.await) };
        let mut turn = Turn { calls: &self.0, slot: None };
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => turn.poll(until, cx).map(|()| None),
        })
        .await
    }
}

/// A call's place in the list.
struct Turn<'a> {
    calls: &'a Rc<RefCell<Calls>>,
    slot: Option<usize>,
}

impl Turn<'_> {
    fn poll(&mut self, until: Instant, cx: &Context<'_>) -> Poll<()> {
        let mut calls = self.calls.borrow_mut();
        let Some(slot) = self.slot else {
            self.slot = Some(calls.add(until, cx.waker().clone()));
            calls.set_alarm(until, self.calls);
            return Poll::Pending;
        };
        match &mut calls.slots[slot] {
            Slot::Expired => Poll::Ready(()),
            Slot::Waiting { waker, .. } if waker.will_wake(cx.waker()) => Poll::Pending,
            Slot::Waiting { waker, .. } => {
                let old = mem::replace(waker, cx.waker().clone());
                // What a waker drops may want the list.
                drop(calls);
                drop(old);
                Poll::Pending
            }
            Slot::Free => unreachable!("a slot is freed by its call alone"),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(slot) = self.slot else { return };
        let mut calls = self.calls.borrow_mut();
        let old = mem::replace(&mut calls.slots[slot], Slot::Free);
        calls.free.push(slot);
        drop(calls);
        drop(old);
    }
}

impl Calls {
    fn add(&mut self, until: Instant, waker: Waker) -> usize {
        let waiting = Slot::Waiting { until, waker };
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = waiting;
                slot
            }
            None => {
                self.slots.push(waiting);
                self.slots.len() - 1
            }
        }
    }

    /// Sees to it that the alarm goes off at `at` at the latest. One whose runtime is gone never would.
    fn set_alarm(&mut self, at: Instant, calls: &Rc<RefCell<Calls>>) {
        if self.alarm.as_ref().is_some_and(|alarm| alarm.at <= at && !alarm.task.is_finished()) {
            return;
        }
        let task = tokio::task::spawn_local(watch(at, Rc::downgrade(calls))).abort_handle();
        self.alarm = Some(Alarm { at, task });
    }

    /// Ends the calls whose time has come and sets the alarm for the next, if there is one. The wakers are for
    /// the caller, who has given up the list by then.
    fn expire(&mut self, now: Instant) -> (Vec<Waker>, Option<Instant>) {
        let (mut due, mut next) = (Vec::new(), None);
        for slot in &mut self.slots {
            match slot {
                Slot::Waiting { until, .. } if *until <= now => {
                    if let Slot::Waiting { waker, .. } = mem::replace(slot, Slot::Expired) {
                        due.push(waker);
                    }
                }
                Slot::Waiting { until, .. } => {
                    next = Some(next.map_or(*until, |next: Instant| next.min(*until)))
                }
                Slot::Free | Slot::Expired => {}
            }
        }
        (due, next)
    }
}

async fn watch(mut at: Instant, calls: Weak<RefCell<Calls>>) {
    loop {
        tokio::time::sleep_until(at).await;
        let Some(calls) = calls.upgrade() else { return };
        let mut list = calls.borrow_mut();
        let (due, next) = list.expire(Instant::now());
        match (next, &mut list.alarm) {
            (Some(next), Some(alarm)) => (at, alarm.at) = (next, next),
            _ => list.alarm = None,
        }
        drop(list);
        due.into_iter().for_each(Waker::wake);
        if next.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;

    use super::*;

    fn run<F: Future>(future: F) -> F::Output {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, future)
    }

    async fn wait(timer: &Timer, limit_ms: u64) -> u128 {
        let start = Instant::now();
        let outcome = timer.timeout(start, Duration::from_millis(limit_ms), pin!(pending::<()>())).await;
        assert_eq!(outcome, None);
        start.elapsed().as_millis()
    }

    #[test]
    fn calls_end_at_their_own_time_in_any_order() {
        run(async {
            let timer = Timer::default();
            let waits = async { tokio::join!(wait(&timer, 500), wait(&timer, 20), wait(&timer, 7000)) };
            let (first, second, third) = waits.await;
            for (waited, limit) in [(first, 500), (second, 20), (third, 7000)] {
                assert!((limit..=limit + 2).contains(&waited), "{waited} ms instead of {limit}");
            }
            // The list starts afresh when the alarm has ended.
            assert!((30..=32).contains(&wait(&timer, 30).await));
        });
    }

    #[test]
    fn what_ends_in_time_leaves_nothing_behind() {
        run(async {
            let timer = Timer::default();
            let (start, limit) = (Instant::now(), Duration::from_secs(1));
            assert_eq!(timer.timeout(start, limit, pin!(ready(7))).await, Some(7));
            assert!(timer.0.borrow().slots.is_empty(), "it never waited");
            for _ in 0..3 {
                let yielding = pin!(tokio::task::yield_now());
                assert_eq!(timer.timeout(start, limit, yielding).await, Some(()));
            }
            assert_eq!(timer.0.borrow().slots.len(), 1, "slots are used again");
            let forever = timer.timeout(start, Duration::MAX, pin!(tokio::task::yield_now())).await;
            assert_eq!(forever, Some(()));
        });
    }

    #[test]
    fn a_timer_outlives_its_runtime() {
        let timer = Timer::default();
        for _ in 0..2 {
            run(async {
                let limit = Duration::from_secs(60);
                timer.timeout(Instant::now(), limit, pin!(tokio::task::yield_now())).await;
            });
        }
        run(async { assert!((10..=12).contains(&wait(&timer, 10).await)) });
    }
}
