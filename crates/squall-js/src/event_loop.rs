//! A VU's event loop: timers, host operations under way, promise jobs.
//!
//! An iteration ends when its function has returned and nothing is left here. Synchronous host calls block the
//! loop, as in k6: no timer fires while `http.get` waits.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    task::Poll,
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
            rejections: RefCell::default(),
        }
    }

    /// Starts a host operation; its completion runs on a later turn.
    pub(crate) fn spawn(&self, operation: impl Future<Output = Completion> + 'static) {
        self.operations.borrow_mut().push(operation.boxed_local());
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
    /// still to come is given up.
    pub(crate) fn run(&self, ctx: &Ctx) -> Result<()> {
        let result = self.run_while(ctx, || true);
        self.abandon();
        result
    }

    /// Runs until `promise` is settled or nothing is left.
    pub(crate) fn run_until_settled<'js>(&self, ctx: &Ctx<'js>, promise: &Promise<'js>) -> Result<()> {
        self.run_while(ctx, || promise.state() == PromiseState::Pending)
    }

    fn run_while(&self, ctx: &Ctx, keep_on: impl Fn() -> bool) -> Result<()> {
        loop {
            self.run_jobs(ctx)?;
            if !keep_on() || (self.timers.borrow().is_empty() && self.operations.borrow().is_empty()) {
                return Ok(());
            }
            let due = self.timers.borrow().first_key_value().map(|(&(due, _), _)| due);
            match vu::block_on(ctx, self.next(due))? {
                Next::TimerDue => self.fire_timer(ctx)?,
                Next::Completed(completion) => completion(ctx)?,
            }
        }
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

    /// Forgets everything that was still to come.
    pub(crate) fn abandon(&self) {
        self.timers.borrow_mut().clear();
        let mut operations = self.operations.borrow_mut();
        // Clearing allocates, even where nothing is.
        if !operations.is_empty() {
            operations.clear();
        }
        self.rejections.borrow_mut().clear();
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
