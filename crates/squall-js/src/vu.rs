//! A virtual user: a fiber, a context, and what k6 keeps for each VU.
//!
//! The engine's side ([`JsVu`]) hands the fiber a [`Task`] and polls it; the script's side runs the task and pauses.
//! Host functions reach the VU they run for through [`current`].

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::HashMap,
    ffi::{c_int, c_void},
    future::Future,
    pin::pin,
    ptr,
    rc::Rc,
    sync::Arc,
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use rand::rngs::SmallRng;
use rquickjs::{Ctx, Object, Persistent, Result, Runtime, Value, qjs};
use squall_engine::{
    RunState,
    scenario::ScenarioRun,
    vu::{Iteration, Outcome, ScriptError, SetupData, StopSignal, Vu, VuId},
};
use squall_loader::ModuleId;
use squall_metrics::TagSet;
use squall_net::Traffic;
use squall_options::SystemTag;

use crate::{
    errors,
    event_loop::EventLoop,
    globals::env,
    modules::http::HttpState,
    network,
    realm::Realm,
    runtime::fiber::{Fiber, FiberState, Pause, Waiting},
    script,
    stages::{Done, Task, perform},
    tags::VuTags,
    worker::Worker,
};

/// A script that computes this long gives way to the other VUs of its thread, so that one endless loop stops
/// neither them nor the engine that has to end it.
const SLICE: Duration = Duration::from_millis(5);

thread_local! {
    /// The VU whose fiber runs.
    static CURRENT: RefCell<Option<Rc<VuState>>> = const { RefCell::new(None) };
}

/// The VU whose script runs. Call on its fiber only.
pub(crate) fn current() -> Rc<VuState> {
    try_current().expect("host functions are called on a VU's fiber")
}

/// The VU whose script runs, if one does.
pub(crate) fn try_current() -> Option<Rc<VuState>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Lets the running VU wait for `future`; other VUs run meanwhile. Throws what no script can catch when the VU is
/// told to stop.
pub(crate) fn block_on<F: Future>(ctx: &Ctx, future: F) -> Result<F::Output> {
    let output = current().fiber.block_on(future);
    output.ok_or_else(|| errors::throw_interrupted(ctx))
}

/// Which part of the script's life runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Init,
    Setup,
    Iteration,
    Teardown,
    Summary,
}

/// What belongs to one VU; shared by its fiber and the engine's side.
pub(crate) struct VuState {
    pub(crate) id: VuId,
    pub(crate) id_in_test: u64,
    pub(crate) worker: Rc<Worker>,
    pub(crate) fiber: FiberState,
    pub(crate) stage: Cell<Stage>,
    pub(crate) scenario: RefCell<Option<Arc<ScenarioRun>>>,
    pub(crate) iteration: Cell<Iteration>,
    pub(crate) tags: VuTags,
    pub(crate) events: EventLoop,
    pub(crate) realm: Rc<Realm>,
    pub(crate) common_js: RefCell<HashMap<ModuleId, Persistent<Object<'static>>>>,
    /// What modules export to the factories that import them; empty after the init code.
    pub(crate) exports: RefCell<HashMap<ModuleId, Persistent<Object<'static>>>>,
    pub(crate) http: OnceCell<HttpState>,
    /// The bytes of all its connections, whatever is spoken over them.
    pub(crate) traffic: Rc<Traffic>,
    /// `__ENV`, made when first read.
    pub(crate) env: RefCell<Option<Persistent<Value<'static>>>>,
    /// `exec.test.options`, made when first read.
    pub(crate) frozen_options: RefCell<Option<Persistent<Value<'static>>>>,
    /// State of `Math.random`.
    pub(crate) random: RefCell<SmallRng>,
    /// The error under way came from a promise that nothing handled.
    pub(crate) uncaught_in_promise: Cell<bool>,
    /// When the interrupt handler first ran since the fiber was entered: the start of its slice. Most visits are
    /// over before, and asking for the time costs as much as a sample.
    slice_start: Cell<Option<Instant>>,
    /// Made for teardown or summary of a run that was aborted: its init code is not.
    is_after_abort: bool,
    stop: RefCell<Option<StopSignal>>,
    /// Its script has called `test.abort`.
    has_aborted: Cell<bool>,
    task: RefCell<Option<Task>>,
    done: RefCell<Option<Done>>,
}

impl VuState {
    pub(crate) fn run(&self) -> &Arc<RunState> {
        &self.worker.run
    }

    pub(crate) fn in_init(&self) -> bool {
        self.stage.get() == Stage::Init
    }

    /// Whether the script must end now: its stop signal is up or, in init, the run is over.
    pub(crate) fn is_stopped(&self) -> bool {
        match &*self.stop.borrow() {
            Some(stop) => stop.is_raised(),
            None => !self.is_after_abort && self.worker.run.is_aborted(),
        }
    }

    /// Looks for cycles when the group's heap has grown. While VUs are made nobody waits for that.
    fn collect(&self) {
        let pause = self.realm.heap.collect_if_grown();
        if let Some(pause) = pause.filter(|_| !self.in_init()) {
            self.run().generator.record_pause(pause);
        }
    }

    fn wake_when_stopped(&self, waker: &Waker) {
        if let Some(stop) = &*self.stop.borrow() {
            stop.register(waker);
        }
    }

    /// What raw samples carry beside their tags: `vu` and `iter` when those are asked for, and the script's own.
    /// Setup and teardown are no VU's, and their iteration is 0, as in k6.
    pub(crate) fn sample_metadata(&self) -> Option<Arc<TagSet>> {
        let own = self.tags.metadata();
        let settings = &self.worker.settings;
        if !settings.has_tag(SystemTag::Vu) && !settings.has_tag(SystemTag::Iter) {
            return own;
        }
        let mut metadata = own.unwrap_or_else(TagSet::empty);
        if settings.has_tag(SystemTag::Vu) && self.id_in_test != 0 {
            metadata = metadata.with(SystemTag::Vu.name(), self.id_in_test.to_string());
        }
        if settings.has_tag(SystemTag::Iter) {
            metadata = metadata.with(SystemTag::Iter.name(), self.iteration.get().in_vu.to_string());
        }
        Some(metadata)
    }

    /// Ends the running script at once, from within: `test.abort`.
    pub(crate) fn stop_now(&self) {
        self.has_aborted.set(true);
        self.stop.borrow_mut().get_or_insert_default().raise();
    }

    /// Whether somebody else ends the script.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_stopped() && !self.has_aborted.get()
    }

    /// What the fiber was resumed for.
    pub(crate) fn take_task(&self) -> Task {
        self.task.borrow_mut().take().expect("a fiber is resumed with a task")
    }

    /// Leaves the result to the engine's side and waits for the next task.
    pub(crate) fn finish_task(&self, done: Done) {
        *self.done.borrow_mut() = Some(done);
        self.fiber.pause(Pause::Idle);
    }
}

/// The engine's side of a VU.
pub struct JsVu {
    state: Rc<VuState>,
    fiber: Fiber,
}

impl JsVu {
    /// Makes a VU; its script has not run yet.
    pub(crate) fn new(
        worker: &Rc<Worker>,
        id: VuId,
        id_in_test: u64,
    ) -> std::result::Result<JsVu, ScriptError> {
        let exception = |error: &dyn std::fmt::Display| {
            ScriptError::Exception(format!("a VU could not be made: {error}"))
        };
        let realm = worker.groups.next_realm().map_err(|error| exception(&error))?;
        let memory_limit_bytes = worker.settings.vu_memory_limit_bytes;
        let fiber_state = FiberState::new(realm.heap.runtime, worker.groups.layout(), memory_limit_bytes)
            .map_err(|error| exception(&error))?;
        let state = Rc::new(VuState {
            id,
            id_in_test,
            realm,
            fiber: fiber_state,
            stage: Cell::new(Stage::Init),
            scenario: RefCell::default(),
            iteration: Cell::default(),
            tags: VuTags::new(worker.with_root_group(&worker.settings.run_tags)),
            events: EventLoop::new(worker.clock.clone()),
            common_js: RefCell::default(),
            exports: RefCell::default(),
            http: OnceCell::new(),
            traffic: Rc::default(),
            env: RefCell::default(),
            frozen_options: RefCell::default(),
            random: RefCell::new(rand::make_rng()),
            uncaught_in_promise: Cell::new(false),
            slice_start: Cell::default(),
            is_after_abort: worker.run.is_aborted(),
            stop: RefCell::default(),
            has_aborted: Cell::new(false),
            task: RefCell::default(),
            done: RefCell::default(),
            worker: Rc::clone(worker),
        });
        worker.stacks.keep(Rc::clone(&state));
        let of_body = Rc::clone(&state);
        let fiber = Fiber::new(&raw const state.fiber, move || perform(&of_body));
        Ok(JsVu { state, fiber })
    }

    /// Runs one task on the fiber. What the fiber waits for is polled here, on the thread's stack.
    pub(crate) async fn run(&mut self, task: Task, stop: Option<&StopSignal>) -> Done {
        *self.state.stop.borrow_mut() = stop.cloned();
        *self.state.task.borrow_mut() = Some(task);
        let JsVu { state, fiber } = self;
        let mut waiting: Option<Waiting> = None;
        std::future::poll_fn(|cx| {
            let _visit = Visit::new(state);
            loop {
                if let Some(future) = &mut waiting {
                    state.wake_when_stopped(cx.waker());
                    if !state.is_stopped() && future.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    waiting = None;
                }
                let pause = fiber.resume(&state.fiber);
                state.collect();
                match pause {
                    Pause::Blocked(future) => waiting = Some(future),
                    // Wakes this task only after the thread has looked at its timers and sockets: a plain wake-up
                    // would let computing VUs alternate while all others starve.
                    Pause::Preempted => {
                        return pin!(tokio::task::yield_now())
                            .poll(cx)
                            .map(|()| unreachable!("it yields first"));
                    }
                    Pause::Idle => {
                        return Poll::Ready(state.done.take().expect("an idle fiber left a result"));
                    }
                }
            }
        })
        .await
    }
}

/// Marks a VU as the running one for as long as it lives.
struct Visit {
    outer: Option<Rc<VuState>>,
}

impl Visit {
    fn new(vu: &Rc<VuState>) -> Visit {
        vu.slice_start.set(None);
        Visit { outer: CURRENT.replace(Some(Rc::clone(vu))) }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        CURRENT.set(self.outer.take());
    }
}

impl Vu for JsVu {
    fn activate(&mut self, scenario: &Arc<ScenarioRun>) {
        let tags = network::tags(&self.state, scenario);
        self.state.tags.set_base(self.state.worker.with_root_group(&tags));
        let former = self.state.scenario.replace(Some(Arc::clone(scenario)));
        if former.is_none_or(|former| former.config.name != scenario.config.name) {
            env::reset(&self.state);
            network::enter(&self.state, scenario);
        }
    }

    fn deactivate(&mut self) {
        let _visit = Visit::new(&self.state);
        self.state.events.end_sources();
    }

    async fn iterate(&mut self, iteration: Iteration, stop: &StopSignal) -> Outcome {
        match self.run(Task::Iterate(iteration), Some(stop)).await {
            Done::Iterated(outcome) => outcome,
            _ => Outcome::Interrupted,
        }
    }

    async fn setup(&mut self, stop: &StopSignal) -> std::result::Result<SetupData, ScriptError> {
        match self.run(Task::Setup, Some(stop)).await {
            Done::Setup(result) => result,
            _ => Err(ScriptError::Interrupted),
        }
    }

    async fn teardown(&mut self, stop: &StopSignal) -> std::result::Result<(), ScriptError> {
        match self.run(Task::Teardown, Some(stop)).await {
            Done::Ran(result) => result,
            _ => Err(ScriptError::Interrupted),
        }
    }
}

/// Installs what a runtime calls back for: modules, interrupts, unhandled rejections.
pub(crate) fn install_hooks(runtime: &Runtime, raw: *mut qjs::JSRuntime) {
    script::install_loader(runtime);
    // rquickjs' own handler keeps a borrow while it runs, and ours may suspend the fiber: hence the raw one.
    // SAFETY: the handler takes no state.
    unsafe { qjs::JS_SetInterruptHandler(raw, Some(on_interrupt), ptr::null_mut()) };
    runtime.set_host_promise_rejection_tracker(Some(Box::new(
        |ctx: Ctx, promise: Value, reason: Value, is_handled| {
            current().events.track_rejection(&ctx, &promise, reason, is_handled);
        },
    )));
}

/// QuickJS asks every 10,000 jumps and calls whether to go on: ends what must end, and lets others run when the
/// slice is over.
unsafe extern "C" fn on_interrupt(_runtime: *mut qjs::JSRuntime, _opaque: *mut c_void) -> c_int {
    let Some(vu) = try_current() else { return 0 };
    if vu.is_stopped() {
        return 1;
    }
    match vu.slice_start.get() {
        None => vu.slice_start.set(Some(Instant::now())),
        Some(start) if start.elapsed() > SLICE => vu.fiber.pause(Pause::Preempted),
        Some(_) => {}
    }
    c_int::from(vu.is_stopped())
}
