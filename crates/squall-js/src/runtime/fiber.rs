//! A VU's script runs on a fiber: a native stack of its own that can be left and entered again.
//!
//! [`Fiber::resume`] runs the script until it waits; [`block_on`], called by host functions on the fiber, leaves it
//! until a future is ready. Between the two the runtime's switch state is put away (see `layout`).

use std::{
    cell::Cell,
    ffi::c_void,
    future::Future,
    mem::ManuallyDrop,
    pin::pin,
    ptr,
    task::{Context, Poll, Waker},
};

use corosensei::{Coroutine, CoroutineResult, Yielder, stack::DefaultStack};
use rquickjs::qjs;

use super::{
    layout::{Layout, ListHead, word_at},
    memory::Account,
};

/// Native stack of a fiber. Only pages that were touched take memory.
const STACK_BYTES: usize = 512 * 1024;

/// What QuickJS may use of it: the rest is for host functions, which do not check.
pub(crate) const JS_STACK_BYTES: usize = STACK_BYTES - 128 * 1024;

/// Why a fiber gave control back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// It waits: its waker will be woken.
    Blocked,
    /// It has computed for long and lets others run; it wants to go on.
    Preempted,
    /// It finished what it was resumed for.
    Idle,
}

/// What a fiber needs at a switch; shared between the fiber and whoever resumes it.
pub(crate) struct FiberState {
    runtime: *mut c_void,
    layout: Option<Layout>,
    yielder: Cell<*const Yielder<(), Pause>>,
    /// Valid only while the fiber runs.
    waker: Cell<*const Waker>,
    account: Account,
    memory_limit_bytes: usize,
}

impl FiberState {
    /// `layout` is what must be swapped at switches; none when the VU has the runtime for itself.
    pub(crate) fn new(
        runtime: *mut qjs::JSRuntime,
        layout: Option<Layout>,
        memory_limit_bytes: usize,
    ) -> FiberState {
        FiberState {
            runtime: runtime.cast(),
            layout,
            yielder: Cell::new(ptr::null()),
            waker: Cell::new(ptr::null()),
            account: Account::default(),
            memory_limit_bytes,
        }
    }

    /// Waker of the task that runs the fiber.
    ///
    /// Call on the fiber only.
    pub(crate) fn waker(&self) -> &Waker {
        // SAFETY: `Fiber::resume` set it before it entered the fiber and outlives the visit.
        unsafe { &*self.waker.get() }
    }

    /// Leaves the fiber until it is resumed. Call on the fiber only.
    pub(crate) fn pause(&self, pause: Pause) {
        let mut away = SwitchState::default();
        // SAFETY: we are on the fiber, so the runtime's state is this fiber's; `away` stays on this stack.
        unsafe {
            away.save(self);
            let yielder = self.yielder.get();
            (*yielder).suspend(pause);
            away.restore(self);
        }
    }

    /// Runs `future` on the fiber; other fibers run while it waits. `None` when `is_cancelled` said so.
    pub(crate) fn block_on<F: Future>(
        &self,
        future: F,
        mut is_cancelled: impl FnMut(&Waker) -> bool,
    ) -> Option<F::Output> {
        let mut future = pin!(future);
        loop {
            if is_cancelled(self.waker()) {
                return None;
            }
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(self.waker())) {
                return Some(output);
            }
            self.pause(Pause::Blocked);
        }
    }
}

/// The runtime's words that are put away while another fiber runs.
struct SwitchState {
    frame: usize,
    jobs: ListHead,
    stack_bounds: [usize; 2],
}

impl Default for SwitchState {
    fn default() -> SwitchState {
        SwitchState { frame: 0, jobs: ListHead::unlinked(), stack_bounds: [0; 2] }
    }
}

impl SwitchState {
    /// Takes the running fiber's state out and leaves the runtime idle. `self` must not move until `restore`.
    unsafe fn save(&mut self, fiber: &FiberState) {
        let Some(layout) = fiber.layout else { return };
        let word = |offset| word_at(fiber.runtime, offset);
        unsafe {
            self.frame = *word(layout.frame);
            *word(layout.frame) = 0;
            self.stack_bounds = [*word(layout.stack + 8), *word(layout.stack + 16)];
            ListHead::splice(word(layout.jobs).cast(), &mut self.jobs);
        }
    }

    unsafe fn restore(&mut self, fiber: &FiberState) {
        let Some(layout) = fiber.layout else { return };
        let word = |offset| word_at(fiber.runtime, offset);
        unsafe {
            *word(layout.frame) = self.frame;
            [*word(layout.stack + 8), *word(layout.stack + 16)] = self.stack_bounds;
            ListHead::splice(&mut self.jobs, word(layout.jobs).cast());
        }
    }
}

/// A native stack with a VU's script on it.
pub(crate) struct Fiber {
    /// Never dropped: unwinding a suspended stack would run script code (`finally`) in a runtime that is
    /// not in its state. What is left of a fiber goes with the process.
    coroutine: ManuallyDrop<Coroutine<(), Pause, (), DefaultStack>>,
}

impl Fiber {
    /// Makes a fiber whose `body` starts at the first `resume` and never returns.
    ///
    /// `state` must live as long as the fiber.
    pub(crate) fn new(
        state: impl Fn() -> *const FiberState + 'static,
        body: impl FnOnce() + 'static,
    ) -> std::io::Result<Fiber> {
        let stack = DefaultStack::new(STACK_BYTES)?;
        let coroutine = Coroutine::with_stack(stack, move |yielder, ()| {
            // SAFETY: the caller keeps the state alive.
            let state = unsafe { &*state() };
            state.yielder.set(yielder);
            // SAFETY: the runtime is alive; from here on its stack bounds are this stack's.
            unsafe { qjs::JS_UpdateStackTop(state.runtime.cast()) };
            body();
        });
        Ok(Fiber { coroutine: ManuallyDrop::new(coroutine) })
    }

    /// Runs the fiber until it pauses.
    pub(crate) fn resume(&mut self, state: &FiberState, waker: &Waker) -> Pause {
        state.waker.set(waker);
        state.account.resume(state.memory_limit_bytes);
        let result = self.coroutine.resume(());
        state.account.suspend();
        state.waker.set(ptr::null());
        match result {
            CoroutineResult::Yield(pause) => pause,
            CoroutineResult::Return(()) => unreachable!("a fiber's body never returns"),
        }
    }
}
