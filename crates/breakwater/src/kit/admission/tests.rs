//! The rules one by one. The property test against a model is in [`model`], the behaviour under load in [`capacity`], and the
//! tower layer in [`layer`].

mod capacity;
mod layer;
mod model;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::time::{Instant, advance};

use super::*;

/// `in_progress` at work, `waiting` in line, nobody longer than 100 ms.
fn admission(in_progress: u32, waiting: u32) -> Admission {
    let clients = in_progress + waiting;
    let limits =
        Limits::new(clients, f64::from(in_progress) / f64::from(clients), Duration::from_millis(100));
    Admission::new(limits.expect("limits of a test are good"))
}

fn counts(admission: &Admission) -> (u32, u32) {
    let figures = admission.figures();
    (figures.in_progress, figures.waiting)
}

/// Polls once: what is there to get now?
async fn poll_now<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[test]
fn the_default_limits_are_the_promised_ones() {
    let limits = Limits::default();
    assert_eq!((limits.max_in_progress(), limits.max_waiting()), (3_350, 1_650));
    assert_eq!(Limits::new(limits.max_clients(), limits.utilisation(), limits.max_wait()), Ok(limits));
}

#[test]
fn limits_out_of_range_are_refused() {
    let limits = |clients, utilisation| Limits::new(clients, utilisation, Duration::ZERO);
    assert_eq!(limits(0, 0.5), Err(LimitsError::MaxClients(0)));
    assert_eq!(limits(Limits::MAX_CLIENTS + 1, 0.5), Err(LimitsError::MaxClients(Limits::MAX_CLIENTS + 1)));
    assert_eq!(limits(10, 0.0), Err(LimitsError::Utilisation(0.0)));
    assert_eq!(limits(10, 1.01), Err(LimitsError::Utilisation(1.01)));
    assert!(matches!(limits(10, f64::NAN), Err(LimitsError::Utilisation(_))));

    let few = limits(1, 0.01).expect("one client is enough");
    assert_eq!((few.max_in_progress(), few.max_waiting()), (1, 0));
    let most = limits(Limits::MAX_CLIENTS, 1.0).expect("the bound is within");
    assert_eq!((most.max_in_progress(), most.max_waiting()), (Limits::MAX_CLIENTS, 0));
}

#[tokio::test(start_paused = true)]
async fn with_room_nothing_waits_and_a_dropped_permit_makes_room() {
    let admission = admission(2, 1);
    let first = admission.admit().await.expect("there is room");
    let second = admission.admit().await.expect("there is room");
    assert_eq!(counts(&admission), (2, 0));
    drop(first);
    assert_eq!(counts(&admission), (1, 0));
    drop(second);
    assert_eq!(counts(&admission), (0, 0));
    assert_eq!(admission.figures().admitted, 2);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_line_is_refused_at_once() {
    let admission = admission(1, 1);
    let _working = admission.admit().await;
    let mut waiting = pin!(admission.admit());
    assert!(poll_now(waiting.as_mut()).await.is_none());

    let started = Instant::now();
    let refusal = admission.admit().await.expect_err("all places are taken");
    assert_eq!(refusal, Refusal { reason: Reason::Full, retry_after_s: 1 });
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!((counts(&admission), admission.figures().refused_full), ((1, 1), 1));
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_refused() {
    let admission = admission(1, 1);
    let _working = admission.admit().await;
    let started = Instant::now();
    let refusal = admission.admit().await.expect_err("nothing ends");
    assert_eq!(refusal.reason, Reason::WaitedTooLong);
    assert_eq!(started.elapsed(), Duration::from_millis(100));
    assert_eq!((counts(&admission), admission.figures().refused_waited_too_long), ((1, 0), 1));
}

#[tokio::test(start_paused = true)]
async fn turns_come_in_the_order_of_arrival() {
    let admission = admission(1, 8);
    let working = admission.admit().await.expect("there is room");
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (admission, order) = (admission.clone(), order.clone());
        tasks.spawn(async move {
            let permit = admission.admit().await.expect("the line is short");
            order.lock().expect("no panic").push(number);
            drop(permit);
        });
        tokio::task::yield_now().await;
    }
    drop(working);
    tasks.join_all().await;
    assert_eq!(*order.lock().expect("no panic"), (0..8).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_overtake_who_waits() {
    let admission = admission(1, 2);
    let working = admission.admit().await.expect("there is room");
    let mut first = pin!(admission.admit());
    assert!(poll_now(first.as_mut()).await.is_none());
    drop(working);
    // The place is the first one's, though it has not been polled since.
    let mut newcomer = pin!(admission.admit());
    assert!(poll_now(newcomer.as_mut()).await.is_none());
    let permit = poll_now(first.as_mut()).await.expect("its turn came").expect("it is admitted");
    drop(permit);
    assert!(poll_now(newcomer.as_mut()).await.expect("its turn came").is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_leaves_the_line_or_passes_the_place_on() {
    let admission = admission(1, 3);
    let working = admission.admit().await.expect("there is room");
    let mut line: Vec<_> = (0..3).map(|_| Box::pin(admission.admit())).collect();
    for waiting in &mut line {
        assert!(poll_now(waiting.as_mut()).await.is_none());
    }
    drop(line.remove(0));
    assert_eq!(counts(&admission), (1, 2));

    drop(working);
    // Admitted, and gone before it was told.
    drop(line.remove(0));
    assert_eq!((counts(&admission), admission.figures().gone_while_waiting), ((1, 0), 2));
    assert!(poll_now(line[0].as_mut()).await.expect("its turn came").is_ok());
    assert_eq!(counts(&admission), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn raised_limits_admit_who_waits_and_lowered_limits_end_nothing() {
    let admission = admission(1, 3);
    let half_of = |clients| Limits::new(clients, 0.5, Duration::from_millis(100)).expect("good limits");
    let first = admission.admit().await.expect("there is room");
    let mut line: Vec<_> = (0..3).map(|_| Box::pin(admission.admit())).collect();
    for waiting in &mut line {
        assert!(poll_now(waiting.as_mut()).await.is_none());
    }

    admission.set_limits(half_of(6));
    assert_eq!(counts(&admission), (3, 1));
    let second = poll_now(line.remove(0).as_mut()).await.expect("its turn came").expect("it is admitted");
    let third = poll_now(line.remove(0).as_mut()).await.expect("its turn came").expect("it is admitted");

    admission.set_limits(half_of(2));
    assert_eq!(counts(&admission), (3, 1));
    drop(first);
    drop(second);
    assert!(poll_now(line[0].as_mut()).await.is_none(), "one is still at work, and one is the limit");
    drop(third);
    assert!(poll_now(line[0].as_mut()).await.expect("its turn came").is_ok());
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_the_time_to_work_off_the_line() {
    let admission = admission(1, 20);
    let mut working = admission.admit().await.expect("there is room");
    let mut line: std::collections::VecDeque<_> = (0..20).map(|_| Box::pin(admission.admit())).collect();
    for waiting in &mut line {
        poll_now(waiting.as_mut()).await;
    }
    // Four a second, and the line is filled up again each time.
    for _ in 0..12 {
        advance(Duration::from_millis(250)).await;
        drop(working);
        working = line.pop_front().expect("20 wait").await.expect("its turn came");
        line.push_back(Box::pin(admission.admit()));
        poll_now(line[19].as_mut()).await;
    }
    let refusal = admission.admit().await.expect_err("all places are taken");
    assert_eq!(refusal.retry_after_s, 6, "21 at 4 a second");

    // Nothing ends any more.
    advance(Duration::from_secs(2)).await;
    let refusal = admission.admit().await.expect_err("all places are taken");
    assert_eq!(refusal.retry_after_s, 30, "the most that is asked of a client");
}

#[tokio::test(start_paused = true)]
async fn metrics_show_counts_waits_and_limits() {
    let admission = admission(1, 1);
    let mut registry = Registry::default();
    registry.register_collector(Box::new(admission.clone()));
    let _working = admission.admit().await;
    let late = async {
        assert!(admission.admit().await.is_err());
    };
    let full = async {
        tokio::task::yield_now().await;
        assert!(admission.admit().await.is_err());
    };
    tokio::join!(late, full);

    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("text has room");
    for line in [
        "admission_in_progress 1.0",
        "admission_waiting 0.0",
        "admission_admitted_total 1",
        "admission_refused_total{reason=\"full\"} 1",
        "admission_refused_total{reason=\"waited_too_long\"} 1",
        "admission_max_in_progress 1.0",
        "admission_max_waiting 1.0",
        "admission_max_wait_seconds 0.1",
        "admission_wait_seconds_count 1",
        "admission_wait_seconds_bucket{le=\"0.1\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "no line {line:?} in\n{text}");
    }
}

/// Tasks on several threads: more than the limit never work, and all of them get their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_keep_the_limit_and_lose_no_wake_up() {
    let limits = Limits::new(300, 0.01, Duration::from_secs(60)).expect("good limits");
    let admission = Admission::new(limits);
    let at_work = Arc::new(AtomicU32::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64 {
        let (admission, at_work) = (admission.clone(), at_work.clone());
        tasks.spawn(async move {
            for round in 0..200 {
                if (task + round) % 7 == 0 {
                    // Asks and goes away.
                    poll_now(pin!(admission.admit()).as_mut()).await;
                }
                let _permit = admission.admit().await.expect("there are places for all");
                assert!(at_work.fetch_add(1, SeqCst) < 3, "more than three at work");
                tokio::task::yield_now().await;
                at_work.fetch_sub(1, SeqCst);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no task panics");
    }
    assert_eq!(counts(&admission), (0, 0));
}
