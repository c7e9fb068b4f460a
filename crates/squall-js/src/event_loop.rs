//! A VU's event loop: timers, host operations under way, sources of events, promise jobs.
//!
//! An iteration ends when its function has returned and nothing is left here. Synchronous host calls block the
//! loop, as in k6: no timer fires while `http.get` waits.
//!
//! A *source*, a socket, is a task of its own that posts what is to run on the fiber. It goes on while the fiber is
//! busy or blocked, and may outlive the iteration that made it.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Poll, Waker},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesUnordered};
use rquickjs::{Ctx, Function, Persistent, Promise, Result, Value, function::Args, promise::PromiseState};
use squall_engine::{Clock, Time};

use crate::{errors, vu};

/// What runs on the fiber when a host operation is over.
pub(crate) type Completion = Box<dyn for<'js> FnOnce(&Ctx<'js>) -> Result<()>>;

/// A host operation under way: a request of `asyncRequest`, a socket.
pub(crate) type Operation = LocalBoxFuture<'static, Completion>;

/// Something that makes events for as long as it lives.
pub(crate) trait Source {
    /// Whether the iteration goes on for as long as it lives.
    fn holds_iteration(&self) -> bool;

    /// Ends it: nothing more of it runs.
    fn give_up(&self);
}

/// What a source wants to be run.
struct Posted {
    source: Rc<dyn Source>,
    completion: Completion,
}

struct Timer {
    callback: Persistent<Function<'static>>,
    arguments: Vec<Persistent<Value<'static>>>,
    /// Time between calls of an interval; none for a timeout.
    period: Option<Duration>,
}

/// What a VU waits for besides the call it is in.
pub(crate) struct EventLoop {
    clock: Clock,
    /// By due time, then id: timers of one moment fire in the order they were set.
    timers: RefCell<BTreeMap<(Time, u64), Timer>>,
    last_timer_id: Cell<u64>,
    operations: RefCell<FuturesUnordered<Operation>>,
    sources: RefCell<Vec<Rc<dyn Source>>>,
    posted: RefCell<VecDeque<Posted>>,
    /// Of the loop when it waits.
    waker: RefCell<Waker>,
    /// Turns so far: what runs on the fiber without leaving it is one turn.
    turns: Cell<u64>,
    /// Promises that were rejected while nothing handled them, by identity, with the reason.
    rejections: RefCell<Vec<(usize, Persistent<Value<'static>>)>>,
}

impl EventLoop {
    pub(crate) fn new(clock: Clock) -> EventLoop {
        EventLoop {
            clock,
            timers: RefCell::default(),
            last_timer_id: Cell::new(0),
            operations: RefCell::default(),
            sources: RefCell::default(),
            posted: RefCell::default(),
            waker: RefCell::new(Waker::noop().clone()),
            turns: Cell::new(0),
            rejections: RefCell::default(),
        }
    }

    /// Starts a host operation; its completion runs on a later turn.
    pub(crate) fn spawn(&self, operation: impl Future<Output = Completion> + 'static) {
        self.operations.borrow_mut().push(operation.boxed_local());
    }

    /// From now on this source is one of the VU's.
    pub(crate) fn add_source(&self, source: Rc<dyn Source>) {
        self.sources.borrow_mut().push(source);
    }

    /// The source has nothing more to say.
    pub(crate) fn remove_source(&self, source: *const ()) {
        self.sources.borrow_mut().retain(|known| Rc::as_ptr(known).cast() != source);
    }

    /// Has `completion` run on a turn of the loop, this iteration's or, if the source outlives it, the next one's.
    pub(crate) fn post(&self, source: Rc<dyn Source>, completion: Completion) {
        self.posted.borrow_mut().push_back(Posted { source, completion });
        self.waker.borrow().wake_by_ref();
    }

    /// The number of the turn that runs.
    pub(crate) fn turn(&self) -> u64 {
        self.turns.get()
    }

    /// Sets a timer and returns its id, from 1.
    pub(crate) fn set_timer<'js>(
        &self,
        ctx: &Ctx<'js>,
        callback: Function<'js>,
        delay: Duration,
        repeat: bool,
        arguments: Vec<Value<'js>>,
    ) -> u64 {
        let id = self.last_timer_id.get() + 1;
        self.last_timer_id.set(id);
        let timer = Timer {
            callback: Persistent::save(ctx, callback),
            arguments: arguments.into_iter().map(|argument| Persistent::save(ctx, argument)).collect(),
            period: repeat.then_some(delay),
        };
        self.timers.borrow_mut().insert((self.clock.now() + delay, id), timer);
        id
    }

    pub(crate) fn clear_timer(&self, id: u64) {
        self.timers.borrow_mut().retain(|&(_, known), _| known != id);
    }

    /// Runs until nothing is left. The first error, of a callback or an unhandled rejection, ends it; what was
    /// still to come is given up. As long as `awaited` is pending, sources that do not hold the iteration may settle it.
    pub(crate) fn run<'js>(&self, ctx: &Ctx<'js>, awaited: Option<&Promise<'js>>) -> Result<()> {
        let is_awaited = || awaited.is_some_and(|promise| promise.state() == PromiseState::Pending);
        let result =
            self.run_while(ctx, || true, &is_awaited).and_then(|()| self.run_leftovers(ctx, &is_awaited));
        self.abandon();
        result
    }

    /// Runs what sources that do not hold the iteration have posted, and what comes of it.
    fn run_leftovers(&self, ctx: &Ctx, is_awaited: &dyn Fn() -> bool) -> Result<()> {
        // As many as there are: what comes meanwhile has time until the next iteration.
        let count = self.posted.borrow().len();
        for _ in 0..count {
            let Some(completion) = self.take_posted() else { break };
            self.count_turn();
            completion(ctx)?;
            self.run_while(ctx, || true, is_awaited)?;
        }
        Ok(())
    }

    /// Runs until `promise` is settled or nothing is left.
    pub(crate) fn run_until_settled<'js>(&self, ctx: &Ctx<'js>, promise: &Promise<'js>) -> Result<()> {
        self.run_while(ctx, || promise.state() == PromiseState::Pending, &|| false)
    }

    fn run_while(&self, ctx: &Ctx, keep_on: impl Fn() -> bool, is_awaited: &dyn Fn() -> bool) -> Result<()> {
        loop {
            self.run_jobs(ctx)?;
            if !keep_on() || self.is_done(is_awaited) {
                return Ok(());
            }
            let due = self.timers.borrow().first_key_value().map(|(&(due, _), _)| due);
            let next = vu::block_on(ctx, self.next(due))?;
            self.count_turn();
            match next {
                Next::TimerDue => self.fire_timer(ctx)?,
                Next::Completed(completion) => completion(ctx)?,
            }
        }
    }

    /// Whether nothing is left that an iteration waits for.
    fn is_done(&self, is_awaited: &dyn Fn() -> bool) -> bool {
        self.timers.borrow().is_empty()
            && self.operations.borrow().is_empty()
            && !self.sources.borrow().iter().any(|source| source.holds_iteration() || is_awaited())
    }

    fn count_turn(&self) {
        self.turns.set(self.turns.get() + 1);
    }

    fn take_posted(&self) -> Option<Completion> {
        self.posted.borrow_mut().pop_front().map(|posted| posted.completion)
    }

    /// Runs promise jobs until there are none; an unhandled rejection is thrown.
    fn run_jobs(&self, ctx: &Ctx) -> Result<()> {
        while ctx.execute_pending_job() {
            if vu::current().is_stopped() {
                return Err(errors::throw_interrupted(ctx));
            }
        }
        let rejected = std::mem::take(&mut *self.rejections.borrow_mut());
        match rejected.into_iter().next() {
            Some((_, reason)) => {
                vu::current().uncaught_in_promise.set(true);
                Err(ctx.throw(reason.restore(ctx)?))
            }
            None => Ok(()),
        }
    }

    /// What comes next, when the earliest timer is due at `due`.
    async fn next(&self, due: Option<Time>) -> Next {
        let mut timer = due.map(|due| Box::pin(self.clock.sleep_until(due)));
        std::future::poll_fn(|cx| {
            if let Some(timer) = &mut timer
                && Pin::new(timer).poll(cx).is_ready()
            {
                return Poll::Ready(Next::TimerDue);
            }
            if let Some(completion) = self.take_posted() {
                return Poll::Ready(Next::Completed(completion));
            }
            self.waker.borrow_mut().clone_from(cx.waker());
            match self.operations.borrow_mut().poll_next_unpin(cx) {
                Poll::Ready(Some(completion)) => Poll::Ready(Next::Completed(completion)),
                _ => Poll::Pending,
            }
        })
        .await
    }

    fn fire_timer(&self, ctx: &Ctx) -> Result<()> {
        let Some(((due, id), timer)) = self.timers.borrow_mut().pop_first() else { return Ok(()) };
        let callback = timer.callback.clone().restore(ctx)?;
        let mut arguments = Args::new(ctx.clone(), timer.arguments.len());
        for argument in &timer.arguments {
            arguments.push_arg(argument.clone().restore(ctx)?)?;
        }
        if let Some(period) = timer.period {
            // A period of nothing would never let the loop wait.
            let next = due + period.max(Duration::from_millis(1));
            self.timers.borrow_mut().insert((next, id), timer);
        }
        callback.call_arg::<()>(arguments)
    }

    /// Forgets everything of the iteration that was still to come.
    pub(crate) fn abandon(&self) {
        self.give_up_sources(|source| source.holds_iteration());
        self.timers.borrow_mut().clear();
        let mut operations = self.operations.borrow_mut();
        // Clearing allocates, even where nothing is.
        if !operations.is_empty() {
            operations.clear();
        }
        self.rejections.borrow_mut().clear();
    }

    /// Ends the sources that have outlived their iterations.
    pub(crate) fn end_sources(&self) {
        self.give_up_sources(|_| true);
    }

    fn give_up_sources(&self, is_meant: impl Fn(&dyn Source) -> bool) {
        if self.sources.borrow().is_empty() {
            return;
        }
        self.posted.borrow_mut().retain(|posted| !is_meant(&*posted.source));
        let all = self.sources.take();
        let (given_up, kept) = all.into_iter().partition(|source| is_meant(&**source));
        *self.sources.borrow_mut() = kept;
        let given_up: Vec<Rc<dyn Source>> = given_up;
        given_up.iter().for_each(|source| source.give_up());
    }

    /// QuickJS tells of promises that are rejected without a handler, and of handlers that come late.
    pub(crate) fn track_rejection<'js>(
        &self,
        ctx: &Ctx<'js>,
        promise: &Value<'js>,
        reason: Value<'js>,
        is_handled: bool,
    ) {
        // SAFETY: an object's pointer is its identity; it is not followed.
        let identity = unsafe { rquickjs::qjs::JS_VALUE_GET_PTR(promise.as_raw()) } as usize;
        let mut rejections = self.rejections.borrow_mut();
        if is_handled {
            rejections.retain(|&(known, _)| known != identity);
        } else {
            rejections.push((identity, Persistent::save(ctx, reason)));
        }
    }
}

enum Next {
    TimerDue,
    Completed(Completion),
}
