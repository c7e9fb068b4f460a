//! Arrivals: iterations that start when the schedule says, if a VU is idle.
//!
//! Arrivals are dealt out to the workers in turn. A worker gives each of its own to an idle VU of its own,
//! else to a worker that has one, else drops it. Counts of idle VUs are shared: to take one off a count
//! reserves a VU, so a hand-over never finds its VU gone and nothing is dropped while a VU is idle.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    sync::{
        Arc,
        atomic::{
            AtomicU64, AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
        },
    },
    task::{Poll, Waker},
    time::Duration,
};

use squall_metrics::{TagSet, builtin};
use tokio::{sync::Notify, task::yield_now};

use super::{Command, Worker};
use crate::{
    Time,
    scenario::ScenarioRun,
    schedule::ArrivalSchedule,
    vu::{Host, StopSignal},
};

/// Arrivals that are due together are given out in bursts of this size, so that VUs start in between.
const BURST_LEN: usize = 64;

/// An arrival planned up to the end may start this late after it; k6 starts one at the very end too. What a
/// starved generator has not started by then is dropped.
const LATE_START_MAX: Duration = Duration::from_millis(10);

/// An arrival-rate scenario while it runs: shared by the conductor and all workers.
pub(crate) struct ArrivalRun {
    pub(crate) scenario_index: usize,
    pub(crate) scenario: Arc<ScenarioRun>,
    schedule: ArrivalSchedule,
    starts_at: Time,
    /// The last arrival is not later.
    ends_at: Time,
    /// Iterations that are still running are interrupted.
    pub(crate) interrupt_at: Time,
    /// Idle VUs of each worker that are not reserved.
    idle: Box<[CacheLine]>,
    /// Workers that may still start arrivals.
    workers_starting: AtomicUsize,
    /// Wakes the conductor, if it is waiting, when an arrival found no VU.
    pub(crate) vu_wanted: Notify,
}

/// A count that does not share its cache line, so workers do not slow each other down.
#[derive(Default)]
#[repr(align(64))]
struct CacheLine(AtomicU64);

impl ArrivalRun {
    pub(crate) fn new(
        scenario_index: usize,
        scenario: Arc<ScenarioRun>,
        schedule: ArrivalSchedule,
        starts_at: Time,
        workers: usize,
    ) -> ArrivalRun {
        let ends_at = starts_at + schedule.duration();
        let interrupt_at = ends_at.saturating_add(scenario.config.graceful_stop);
        let idle = (0..workers).map(|_| CacheLine::default()).collect();
        ArrivalRun {
            scenario_index,
            scenario,
            schedule,
            starts_at,
            ends_at,
            interrupt_at,
            idle,
            workers_starting: AtomicUsize::new(workers),
            vu_wanted: Notify::new(),
        }
    }

    /// VUs that wait for an arrival.
    pub(crate) fn idle_count(&self) -> u64 {
        self.idle.iter().map(|count| count.0.load(Relaxed)).sum()
    }

    pub(crate) fn ends_at(&self) -> Time {
        self.ends_at
    }

    fn reserve(&self, worker: usize) -> bool {
        self.idle[worker].0.fetch_update(AcqRel, Acquire, |idle| idle.checked_sub(1)).is_ok()
    }

    /// Start of the n-th arrival of this process.
    fn start_of(&self, n: u64) -> Option<Time> {
        Some(self.starts_at + self.schedule.start_of(self.scenario.stripe.global_index(n))?)
    }

    fn is_over(&self, now: Time) -> bool {
        now > self.ends_at + LATE_START_MAX
    }

    /// A worker has started all of its arrivals; true for the last one.
    fn leave(&self) -> bool {
        self.workers_starting.fetch_sub(1, AcqRel) == 1
    }

    /// Arrivals from the n-th on, when every so-many-th counts.
    fn count_from(&self, n: u64, step: u64) -> u64 {
        self.scenario.stripe.share_of(self.schedule.count()).saturating_sub(n).div_ceil(step)
    }
}

/// An arrival-rate scenario on one worker.
pub(super) struct LocalArrivals {
    pub(super) run: Arc<ArrivalRun>,
    worker: usize,
    idle: RefCell<VecDeque<Rc<Mailbox>>>,
    closed: StopSignal,
}

impl LocalArrivals {
    /// The mailbox of a VU that starts to serve.
    pub(super) fn new_mailbox(&self) -> Rc<Mailbox> {
        let mailbox = Rc::new(Mailbox::default());
        self.enqueue(&mailbox);
        mailbox
    }

    /// The VU is idle: it may be reserved from now on, or goes home when the scenario is over.
    pub(super) fn enqueue(&self, mailbox: &Rc<Mailbox>) {
        if self.closed.is_raised() {
            mailbox.put(Mail::Closed);
        } else {
            self.idle.borrow_mut().push_back(mailbox.clone());
            self.run.idle[self.worker].0.fetch_add(1, Release);
        }
    }

    /// No more arrivals: idle VUs go home, and busy ones after their iteration.
    pub(super) fn close(&self) {
        self.closed.raise();
        self.run.idle[self.worker].0.store(0, Release);
        for mailbox in self.idle.take() {
            mailbox.put(Mail::Closed);
        }
    }

    /// Starts an iteration on a reserved VU; there is none only when the scenario is over.
    fn deliver(&self, intended_start: Time) -> bool {
        let mailbox = self.idle.borrow_mut().pop_front();
        mailbox.map(|mailbox| mailbox.put(Mail::Arrival(intended_start))).is_some()
    }
}

/// Where a serving VU waits. Filled at most once between two `next`.
#[derive(Default)]
pub(super) struct Mailbox {
    mail: Cell<Option<Mail>>,
    waker: Cell<Option<Waker>>,
}

#[derive(Clone, Copy)]
enum Mail {
    Arrival(Time),
    Closed,
}

impl Mailbox {
    /// Intended start of the next iteration; `None` when there is no other.
    pub(super) async fn next(&self) -> Option<Time> {
        poll_fn(|cx| match self.mail.take() {
            Some(Mail::Arrival(intended_start)) => Poll::Ready(Some(intended_start)),
            Some(Mail::Closed) => Poll::Ready(None),
            None => {
                self.waker.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }

    fn put(&self, mail: Mail) {
        self.mail.set(Some(mail));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<H: Host> Worker<H> {
    /// This worker's end of a scenario's arrivals, opened by its first VU or arrival.
    pub(super) fn local_arrivals(&self, run: &Arc<ArrivalRun>) -> Rc<LocalArrivals> {
        let mut arrivals = self.arrivals.borrow_mut();
        let local = arrivals.entry(run.scenario_index).or_insert_with(|| {
            let closed = StopSignal::default();
            if self.context.state.is_aborted() {
                closed.raise();
            }
            Rc::new(LocalArrivals { run: run.clone(), worker: self.index, idle: RefCell::default(), closed })
        });
        local.clone()
    }

    /// Every so-many-th arrival of the process falls to this worker.
    pub(super) async fn run_arrivals(&self, run: Arc<ArrivalRun>) {
        let local = self.local_arrivals(&run);
        tokio::select! {
            () = self.start_due(&local) => {}
            () = local.closed.raised() => {}
        }
        // Only now no arrival is handed over any more, and those that were come before this command.
        if run.leave() {
            for worker in &self.shared.workers {
                let _ = worker.send(Command::CloseArrivals { scenario_index: run.scenario_index });
            }
        }
    }

    pub(super) fn close_arrivals(&self, scenario_index: usize) {
        if let Some(local) = self.arrivals.borrow().get(&scenario_index) {
            local.close();
        }
    }

    async fn start_due(&self, local: &LocalArrivals) {
        let (run, clock) = (&local.run, &self.context.clock);
        let workers = run.idle.len();
        for (nth, n) in (self.index as u64..).step_by(workers).enumerate() {
            let Some(start) = run.start_of(n) else { break };
            clock.sleep_until(start).await;
            if run.is_over(clock.now()) {
                self.record_dropped(&run.scenario.tags, run.count_from(n, workers as u64));
                break;
            }
            self.arrive(local, start);
            if nth % BURST_LEN == BURST_LEN - 1 {
                yield_now().await;
            }
        }
        clock.sleep_until(run.ends_at).await;
    }

    fn arrive(&self, local: &LocalArrivals, intended_start: Time) {
        let run = &local.run;
        if run.reserve(self.index) && local.deliver(intended_start) {
            return;
        }
        let workers = run.idle.len();
        let others = (1..workers).map(|step| (self.index + step) % workers);
        if let Some(other) = others.into_iter().find(|&other| run.reserve(other)) {
            let hand_over = Command::HandOver { arrivals: run.clone(), intended_start };
            // A worker is only gone when the whole run is.
            let _ = self.shared.workers[other].send(hand_over);
            return;
        }
        self.record_dropped(&run.scenario.tags, 1);
        run.vu_wanted.notify_waiters();
    }

    /// Starts another worker's arrival on a VU of this one, unless the scenario ended on the way.
    pub(super) fn take_over(&self, run: &Arc<ArrivalRun>, intended_start: Time) {
        if run.is_over(self.context.clock.now()) || !self.local_arrivals(run).deliver(intended_start) {
            self.record_dropped(&run.scenario.tags, 1);
        }
    }

    pub(super) fn record_dropped(&self, tags: &Arc<TagSet>, iterations: u64) {
        let mut recorder = self.context.recorder.borrow_mut();
        let series = recorder.series(builtin::DROPPED_ITERATIONS, tags);
        recorder.record(series, iterations as f64, self.context.clock.now());
    }
}
