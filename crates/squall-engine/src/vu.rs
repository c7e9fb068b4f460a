//! What the engine asks of a virtual user. `squall-js` implements it; tests implement it with fakes.

use std::{cell::RefCell, future::Future, rc::Rc, sync::Arc, task::Waker, time::Duration};

use crate::{Time, scenario::ScenarioRun};

/// Number of a VU in this process, from 1. Zero is the VU of setup, teardown and option probing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VuId(pub u64);

/// How often hosts may do their housekeeping.
pub const TIDY_INTERVAL: Duration = Duration::from_millis(100);

/// Creates the VUs of one worker thread.
pub trait Host: 'static {
    type Vu: Vu;

    /// Runs the script's init code in a new VU. `id_in_test` differs from `id` in segmented runs.
    fn create(&self, id: VuId, id_in_test: u64) -> impl Future<Output = Result<Self::Vu, ScriptError>>;

    /// Housekeeping, begun on worker threads every [`TIDY_INTERVAL`] at most. VUs run on when it yields.
    fn tidy(&self) -> impl Future<Output = ()> {
        std::future::ready(())
    }
}

/// One virtual user: state of its own, one iteration at a time.
pub trait Vu: 'static {
    /// Takes on a scenario: its tags, environment and exec function hold from the next iteration.
    fn activate(&mut self, scenario: &Arc<ScenarioRun>);

    /// Its work for the scenario is over: gives up what has outlived its iterations.
    fn deactivate(&mut self) {}

    /// Runs one iteration to its end. Exceptions of the script are logged by the VU and are a
    /// completed iteration, as in k6. Resolves soon after `stop` is raised. Emits `iterations`,
    /// `iteration_duration` and whatever the script measures.
    fn iterate(&mut self, iteration: Iteration, stop: &StopSignal) -> impl Future<Output = Outcome>;

    /// Calls the script's `setup`; the data is its result as JSON (`None`: no setup, or undefined).
    fn setup(&mut self, stop: &StopSignal) -> impl Future<Output = Result<SetupData, ScriptError>>;

    /// Calls the script's `teardown`. Setup data is in `RunState`.
    fn teardown(&mut self, stop: &StopSignal) -> impl Future<Output = Result<(), ScriptError>>;
}

/// Setup's result as JSON text.
pub type SetupData = Option<Arc<str>>;

/// Which iteration this is, in each of the counts that scripts can ask for (all from zero).
#[derive(Clone, Copy, Debug, Default)]
pub struct Iteration {
    /// Of this VU over all scenarios: `__ITER`, `vu.iterationInInstance`.
    pub in_vu: u64,
    /// Of this VU in this scenario: `vu.iterationInScenario`.
    pub in_vu_scenario: u64,
    /// Of the scenario in this process: `scenario.iterationInInstance`.
    pub in_instance: u64,
    /// Of the scenario in the whole test: `scenario.iterationInTest`.
    pub in_test: u64,
    /// When it starts.
    pub started: Time,
    /// When it should have started; only arrival-rate executors intend a time.
    pub intended_start: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    /// Stopped before its end: not counted as an iteration.
    Interrupted,
}

/// An error of the script that ends the run: thrown in init, setup or teardown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ScriptError {
    /// Message and stack, ready to show.
    #[error("{0}")]
    Exception(String),
    /// `stop` was raised (timeout, abort) before it ended.
    #[error("interrupted")]
    Interrupted,
}

/// Tells an iteration to stop where it is, and a VU that no other is to follow. Cheap to clone; lives on one thread.
#[derive(Clone, Default)]
pub struct StopSignal(Rc<StopState>);

#[derive(Default)]
struct StopState {
    raised: std::cell::Cell<bool>,
    wakers: RefCell<Vec<Waker>>,
}

impl StopSignal {
    /// Raises it for good and wakes whoever waits for it.
    pub fn raise(&self) {
        self.0.raised.set(true);
        for waker in self.0.wakers.take() {
            waker.wake();
        }
    }

    /// Whether it has been raised.
    pub fn is_raised(&self) -> bool {
        self.0.raised.get()
    }

    /// Wakes `waker` when the signal is raised. A waker that is already registered is kept once.
    pub fn register(&self, waker: &Waker) {
        let mut wakers = self.0.wakers.borrow_mut();
        // Not `will_wake`: a task's waker and its clone may have different, though equal, tables of functions.
        match wakers.iter_mut().find(|known| known.data() == waker.data()) {
            Some(known) => known.clone_from(waker),
            None => wakers.push(waker.clone()),
        }
    }

    /// Forgets the wakers of an iteration that is over: one signal serves all iterations of a VU's task.
    pub(crate) fn forget_wakers(&self) {
        self.0.wakers.borrow_mut().clear();
    }

    /// Ready when the signal is raised.
    pub async fn raised(&self) {
        std::future::poll_fn(|cx| {
            if self.is_raised() {
                return std::task::Poll::Ready(());
            }
            self.register(cx.waker());
            std::task::Poll::Pending
        })
        .await
    }

    /// Runs `work` to its end, and raises the signal when `cause` comes first.
    pub async fn raise_when<T>(&self, cause: impl Future<Output = ()>, work: impl Future<Output = T>) -> T {
        let (mut cause, mut work) = (std::pin::pin!(cause), std::pin::pin!(work));
        std::future::poll_fn(|cx| {
            if !self.is_raised() && cause.as_mut().poll(cx).is_ready() {
                self.raise();
            }
            work.as_mut().poll(cx)
        })
        .await
    }
}
