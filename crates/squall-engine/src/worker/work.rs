//! A busy VU, from its activation to its return.
//!
//! ```text
//! idle ─Activate─► busy: next iteration? ──no──► idle (Returned)
//!                    ▲          │yes
//!                    └─iterate──┘      interrupt time or abort: `stop` is raised, the iteration ends early
//! ```
//!
//! Futures are pinned where they are made and passed on by reference: an async function that is given one keeps it
//! twice, as its argument and where it polls it, and there is a task for each busy VU.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use futures_util::FutureExt;
use squall_metrics::builtin;
use tokio::task::{spawn_local, yield_now};

use super::{
    Quota, Returned, Task, Work, Worker,
    arrivals::{LocalArrivals, Mailbox},
};
use crate::{
    AbortReason, Clock, RunState, Time,
    scenario::ScenarioRun,
    schedule::{Span, Tenure},
    vu::{Host, Iteration, Outcome, StopSignal, Vu, VuId},
};

/// A VU and its counts.
pub(super) struct Seat<V> {
    vu: V,
    iterations: u64,
    /// By scenario. A VU sees few of them.
    iterations_in_scenario: Vec<(usize, u64)>,
}

impl<V> Seat<V> {
    pub(super) fn new(vu: V) -> Seat<V> {
        Seat { vu, iterations: 0, iterations_in_scenario: Vec::new() }
    }

    /// Numbers of the next iteration of this VU, over all scenarios and in this one.
    fn count_iteration(&mut self, scenario_index: usize) -> (u64, u64) {
        let in_vu = self.iterations;
        self.iterations += 1;
        let counts = &mut self.iterations_in_scenario;
        let place = counts.iter().position(|(index, _)| *index == scenario_index).unwrap_or_else(|| {
            counts.push((scenario_index, 0));
            counts.len() - 1
        });
        let in_vu_scenario = counts[place].1;
        counts[place].1 += 1;
        (in_vu, in_vu_scenario)
    }
}

/// Holds a busy VU back.
#[derive(Default)]
pub(super) struct Leash {
    /// Interrupts its iteration.
    pub(super) stop: StopSignal,
    retired: Cell<bool>,
}

impl Leash {
    /// Lets the iteration end and no other begin.
    pub(super) fn retire(&self) {
        self.retired.set(true);
    }

    fn is_free(&self) -> bool {
        !self.retired.get() && !self.stop.is_raised()
    }
}

/// A VU at work for a scenario.
pub(super) struct Job<H: Host> {
    worker: Rc<Worker<H>>,
    seat: Seat<H::Vu>,
    scenario: Arc<ScenarioRun>,
    scenario_index: usize,
    leash: Rc<Leash>,
}

impl<H: Host> Worker<H> {
    pub(super) fn activate(self: &Rc<Self>, vu: VuId, task: Task) {
        let Task { scenario_index, scenario, work } = task;
        let Some(seat) = self.idle.borrow_mut().remove(&vu) else {
            // It panicked in an earlier task, which has aborted the run.
            return self.give_back(vu, scenario_index);
        };
        let leash = Rc::new(Leash::default());
        if self.context.state.is_aborted() {
            leash.stop.raise();
        }
        self.busy.borrow_mut().insert(vu, leash.clone());
        let job = Job { worker: self.clone(), seat, scenario, scenario_index, leash };
        match work {
            Work::Loop { tenure, quota } => {
                self.employ(vu, job, async move |job| job.run_loop(tenure, quota).await)
            }
            Work::Arrivals(run) => {
                let arrivals = self.local_arrivals(&run);
                let mailbox = arrivals.new_mailbox();
                self.employ(vu, job, async move |job| job.serve(&arrivals, &mailbox).await);
            }
        }
    }

    fn employ(self: &Rc<Self>, vu: VuId, mut job: Job<H>, work: impl AsyncFnOnce(&mut Job<H>) + 'static) {
        let worker = self.clone();
        spawn_local(async move {
            let scenario_index = job.scenario_index;
            let activate_and_work = async {
                job.seat.vu.activate(&job.scenario);
                work(&mut job).await;
                job.seat.vu.deactivate();
            };
            let panicked = AssertUnwindSafe(pin!(activate_and_work)).catch_unwind().await.is_err();
            worker.busy.borrow_mut().remove(&vu);
            if panicked {
                let reason = format!("internal error: VU {} panicked", vu.0);
                worker.context.state.abort(AbortReason::Exception(reason));
            } else {
                worker.idle.borrow_mut().insert(vu, job.seat);
            }
            worker.give_back(vu, scenario_index);
        });
    }

    fn give_back(&self, vu: VuId, scenario_index: usize) {
        // The conductor stops listening when it has given up on the run.
        let _ = self.shared.returned.send(Returned { vu, scenario_index });
    }
}

impl<H: Host> Job<H> {
    async fn run_loop(&mut self, tenure: Tenure, mut quota: Quota) {
        let interrupt = pin!(self.clock().sleep_until(tenure.interrupt_at));
        let stop = self.leash.stop.clone();
        stop.raise_when(interrupt, pin!(self.iterate_through(&tenure.spans, &mut quota))).await;
        if let Quota::Own(left @ 1..) = quota {
            self.record_dropped(left);
        }
    }

    async fn iterate_through(&mut self, spans: &[Span], quota: &mut Quota) {
        for span in spans {
            self.idle_until(span.start).await;
            self.state().vus_active.fetch_add(1, Relaxed);
            while self.leash.is_free() {
                let now = self.clock().now();
                if now >= span.stop || !quota.take() {
                    break;
                }
                self.iterate(now, None).await;
            }
            self.state().vus_active.fetch_sub(1, Relaxed);
        }
    }

    async fn serve(&mut self, arrivals: &LocalArrivals, mailbox: &Rc<Mailbox>) {
        let interrupt = pin!(self.clock().sleep_until(arrivals.run.interrupt_at));
        let stop = self.leash.stop.clone();
        stop.raise_when(interrupt, pin!(self.serve_all(arrivals, mailbox))).await;
    }

    async fn serve_all(&mut self, arrivals: &LocalArrivals, mailbox: &Rc<Mailbox>) {
        while let Some(intended_start) = mailbox.next().await {
            if self.leash.is_free() {
                // A VU that waits for an arrival is initialised, but not active.
                self.state().vus_active.fetch_add(1, Relaxed);
                let now = self.clock().now();
                self.record_lateness(now.saturating_sub(intended_start), now);
                self.iterate(now, Some(intended_start)).await;
                self.state().vus_active.fetch_sub(1, Relaxed);
            } else {
                self.record_dropped(1);
            }
            arrivals.enqueue(mailbox);
        }
    }

    /// Runs one iteration. `now` is its start.
    async fn iterate(&mut self, now: Time, intended_start: Option<Time>) {
        let iteration = self.number_iteration(now, intended_start);
        let (outcome, suspended) =
            and_suspended(pin!(self.seat.vu.iterate(iteration, &self.leash.stop))).await;
        self.leash.stop.forget_wakers();
        match outcome {
            Outcome::Completed => {
                self.state().iterations_completed.fetch_add(1, Relaxed);
                self.scenario.iterations_completed.fetch_add(1, Relaxed);
                let shortest = self.worker.shared.min_iteration_duration;
                // Asking for the time costs as much as the rest of it.
                if !shortest.is_zero() {
                    self.idle_until(now + shortest).await;
                }
            }
            Outcome::Interrupted => {
                self.state().iterations_interrupted.fetch_add(1, Relaxed);
            }
        }
        if !suspended {
            // An iteration that waits for nothing must not keep the others from theirs.
            yield_now().await;
        }
    }

    fn number_iteration(&mut self, started: Time, intended_start: Option<Time>) -> Iteration {
        let (in_vu, in_vu_scenario) = self.seat.count_iteration(self.scenario_index);
        let in_instance = self.scenario.iterations_started.fetch_add(1, Relaxed);
        let in_test = self.scenario.stripe.global_index(in_instance);
        Iteration { in_vu, in_vu_scenario, in_instance, in_test, started, intended_start }
    }

    /// Ends early when the VU is interrupted.
    async fn idle_until(&self, time: Time) {
        if time <= self.clock().now() {
            return;
        }
        tokio::select! {
            () = self.clock().sleep_until(time) => {}
            () = self.leash.stop.raised() => {}
        }
    }

    fn record_lateness(&self, lateness: Duration, at: Time) {
        let mut recorder = self.worker.context.recorder.borrow_mut();
        let series = recorder.series(builtin::ITERATION_LATENESS, &self.scenario.tags);
        recorder.record(series, lateness.as_secs_f64() * 1e3, at);
    }

    fn record_dropped(&self, iterations: u64) {
        if !self.state().is_aborted() {
            self.worker.record_dropped(&self.scenario.tags, iterations);
        }
    }

    fn clock(&self) -> &Clock {
        &self.worker.context.clock
    }

    fn state(&self) -> &RunState {
        &self.worker.context.state
    }
}

impl Quota {
    fn take(&mut self) -> bool {
        match self {
            Quota::Unlimited => true,
            Quota::Own(left) => left.checked_sub(1).map(|rest| *left = rest).is_some(),
            Quota::Shared(left) => left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok(),
        }
    }
}

/// The future's output, and whether it had to wait for anything.
async fn and_suspended<T>(mut future: Pin<&mut impl Future<Output = T>>) -> (T, bool) {
    let mut suspended = false;
    let output = poll_fn(|cx| {
        let poll = future.as_mut().poll(cx);
        suspended |= poll.is_pending();
        poll
    })
    .await;
    (output, suspended)
}
