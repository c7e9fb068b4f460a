use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::future::{join, join_all};
use tokio::task::LocalSet;

use super::{Clock, ClockSource};
use crate::Time;

fn virtually<T>(test: impl AsyncFnOnce(Clock) -> T) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async { test(Clock::virtual_time()).await })
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn virtual_sleepers_wake_in_order_of_deadline_then_of_sleep() {
    let woken = virtually(async |clock| {
        let woken = Rc::new(RefCell::new(Vec::new()));
        let sleepers = [(0, 30), (1, 10), (2, 10), (3, 0)].map(|(name, at)| {
            let (clock, woken) = (clock.clone(), woken.clone());
            async move {
                clock.sleep_until(ms(at)).await;
                woken.borrow_mut().push((name, clock.now()));
            }
        });
        join_all(sleepers).await;
        woken.take()
    });
    assert_eq!(woken, [(3, ms(0)), (1, ms(10)), (2, ms(10)), (0, ms(30))]);
}

#[test]
fn virtual_hours_pass_at_once() {
    let now = virtually(async |clock| {
        for _ in 0..3600 {
            clock.sleep(Duration::from_secs(1)).await;
        }
        clock.now()
    });
    assert_eq!(now, Duration::from_secs(3600));
}

#[test]
fn a_dropped_sleep_leaves_nothing_behind() {
    virtually(async |clock| {
        let mut cancelled = Box::pin(clock.sleep(ms(5)));
        let pending = futures_util::poll!(&mut cancelled).is_pending();
        drop(cancelled);
        assert!(pending);
        assert_eq!(clock.0.timers.earliest(), None);
        clock.sleep(ms(7)).await;
        assert_eq!(clock.now(), ms(7));
    });
}

#[test]
fn a_sleep_without_end_is_never_on_the_clock() {
    virtually(async |clock| {
        let mut endless = Box::pin(clock.sleep_until(Time::MAX));
        assert!(futures_util::poll!(&mut endless).is_pending());
        assert_eq!(clock.0.timers.earliest(), None);
    });
}

/// The alarm must be set again when an earlier deadline arrives after it was set for a later one.
#[test]
fn the_real_clock_wakes_no_sleeper_early() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let clock = ClockSource::new().clock().unwrap();
        let (late, early) = (Duration::from_micros(900), Duration::from_micros(200));
        let wake = async |after| {
            clock.sleep_until(after).await;
            clock.now()
        };
        let (late_woke, early_woke) = join(wake(late), wake(early)).await;
        assert!(early_woke >= early && late_woke >= late);
    });
}

/// Compiled and tested everywhere, used where there is no timerfd.
#[test]
fn the_portable_alarm_rings_at_its_last_setting() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let alarm = super::alarm_portable::Alarm::new().unwrap();
        let began = tokio::time::Instant::now();
        alarm.set(ms(50));
        alarm.set(ms(20));
        alarm.rang().await.unwrap();
        assert_eq!(began.elapsed(), ms(20));
        let reset = async {
            tokio::time::sleep(ms(5)).await;
            alarm.set(ms(10));
        };
        join(reset, async { alarm.rang().await.unwrap() }).await;
        assert_eq!(began.elapsed(), ms(35));
    });
}
