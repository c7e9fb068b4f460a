//! A VU's script runs on a fiber: a native stack of its own that can be left and entered again.
//!
//! [`Fiber::resume`] runs the script until it waits; [`FiberState::block_on`], called by host functions on the fiber,
//! leaves it until a future is ready. That future is polled by whoever resumes the fiber, on the thread's own
//! stack: protocol work costs a waiting VU no stack. Between leaving and entering, the runtime's switch state is
//! put away (see `layout`).

use std::{
    cell::Cell,
    ffi::c_void,
    future::Future,
    mem::{ManuallyDrop, transmute},
    pin::{Pin, pin},
    ptr,
    task::{Context, Poll},
};

use corosensei::{Coroutine, CoroutineResult, Yielder};
use rquickjs::qjs;

use super::{
    layout::{Layout, ListHead, word_at},
    memory::Account,
    stack::{FiberStack, STACK_BYTES},
};

/// What QuickJS may use of a fiber's stack: the rest is for host functions, which do not check.
pub(crate) const JS_STACK_BYTES: usize = STACK_BYTES - 128 * 1024;

/// What a blocked fiber waits for. It lives on the fiber's stack until the fiber is resumed.
pub(crate) type Waiting = Pin<&'static mut dyn Future<Output = ()>>;

/// Why a fiber gave control back.
pub(crate) enum Pause {
    /// It wants to go on when this is ready, or when it must stop.
    Blocked(Waiting),
    /// It has computed for long and lets others run; it wants to go on.
    Preempted,
    /// It finished what it was resumed for.
    Idle,
}

/// What a fiber needs at a switch; shared between the fiber and whoever resumes it.
pub(crate) struct FiberState {
    runtime: *mut c_void,
    layout: Option<Layout>,
    stack: FiberStack,
    yielder: Cell<*const Yielder<(), Pause>>,
    /// An address on the stack that is above all it holds but the switch itself.
    paused_at: Cell<usize>,
    rest: Cell<Rest>,
    account: Account,
    memory_limit_bytes: usize,
}

impl FiberState {
    /// `layout` is what must be swapped at switches; none when the VU has the runtime for itself.
    pub(crate) fn new(
        runtime: *mut qjs::JSRuntime,
        layout: Option<Layout>,
        memory_limit_bytes: usize,
    ) -> std::io::Result<FiberState> {
        Ok(FiberState {
            runtime: runtime.cast(),
            layout,
            stack: FiberStack::new()?,
            yielder: Cell::new(ptr::null()),
            paused_at: Cell::new(0),
            rest: Cell::new(Rest::Ran),
            account: Account::default(),
            memory_limit_bytes,
        })
    }

    /// Leaves the fiber until it is resumed. Call on the fiber only.
    pub(crate) fn pause(&self, pause: Pause) {
        let mut away = SwitchState::default();
        // SAFETY: we are on the fiber, so the runtime's state is this fiber's; `away` stays on this stack.
        unsafe {
            away.save(self);
            self.paused_at.set(&raw const away as usize);
            let yielder = self.yielder.get();
            (*yielder).suspend(pause);
            away.restore(self);
        }
    }

    /// Leaves the fiber until `future` is ready; other fibers run meanwhile. `None` when it was resumed before, which
    /// means that it must stop.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut output = None;
        {
            let waiting = pin!(Deliver { future: pin!(future), output: &mut output });
            let waiting: Pin<&mut dyn Future<Output = ()>> = waiting;
            // SAFETY: it is given up by whoever resumes the fiber, and until then this stack stays as it is.
            let waiting = unsafe { transmute::<Pin<&mut dyn Future<Output = ()>>, Waiting>(waiting) };
            self.pause(Pause::Blocked(waiting));
        }
        output
    }

    /// Gives back the memory of the stack that the fiber, paused now, does not need, if it has not run since this was
    /// asked before. Do not call on a fiber.
    pub(crate) fn release_if_quiet(&self) {
        match self.rest.get() {
            Rest::Ran => self.rest.set(Rest::Quiet),
            Rest::Quiet => {
                self.stack.release_below(self.paused_at.get());
                self.rest.set(Rest::Released);
            }
            Rest::Released => {}
        }
    }
}

/// What a fiber has done since it was last looked at.
#[derive(Clone, Copy)]
enum Rest {
    Ran,
    /// Nothing.
    Quiet,
    /// Nothing, and the memory of its stack is given back.
    Released,
}

/// A future that leaves its output with the fiber. (An `async` block would move the inner future, which is large,
/// once more.)
struct Deliver<'a, F: Future> {
    future: Pin<&'a mut F>,
    output: &'a mut Option<F::Output>,
}

impl<F: Future> Future for Deliver<'_, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.future.as_mut().poll(cx).map(|output| *self.output = Some(output))
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
    coroutine: ManuallyDrop<Coroutine<(), Pause, (), FiberStack>>,
}

impl Fiber {
    /// Makes a fiber on the state's stack, whose `body` starts at the first `resume` and never returns.
    ///
    /// What `state` points to must live as long as the fiber.
    pub(crate) fn new(state: *const FiberState, body: impl FnOnce() + 'static) -> Fiber {
        // SAFETY: the caller keeps the state alive.
        let stack = unsafe { (*state).stack };
        let coroutine = Coroutine::with_stack(stack, move |yielder, ()| {
            // SAFETY: as above.
            let state = unsafe { &*state };
            state.yielder.set(yielder);
            // SAFETY: the runtime is alive; from here on its stack bounds are this stack's.
            unsafe { qjs::JS_UpdateStackTop(state.runtime.cast()) };
            body();
        });
        Fiber { coroutine: ManuallyDrop::new(coroutine) }
    }

    /// Runs the fiber until it pauses.
    pub(crate) fn resume(&mut self, state: &FiberState) -> Pause {
        state.rest.set(Rest::Ran);
        state.account.resume(state.memory_limit_bytes);
        let result = self.coroutine.resume(());
        state.account.suspend();
        match result {
            CoroutineResult::Yield(pause) => pause,
            CoroutineResult::Return(()) => unreachable!("a fiber's body never returns"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, rc::Rc};

    use rquickjs::{Context, Runtime};

    use super::*;

    /// Fills so many bytes of the stack, and tells their address.
    #[inline(never)]
    fn go_deep<const BYTES: usize>() -> usize {
        let bytes = black_box([1_u8; BYTES]);
        &raw const bytes as usize
    }

    fn byte_at(address: usize) -> u8 {
        // SAFETY: the stack stays mapped.
        unsafe { (address as *const u8).read_volatile() }
    }

    #[test]
    fn a_fiber_that_does_not_run_gives_its_stack_back_and_keeps_what_it_needs() {
        let runtime = Runtime::new().unwrap();
        let raw = Context::base(&runtime).unwrap().get_runtime_ptr();
        let state = Rc::new(FiberState::new(raw, None, usize::MAX).unwrap());
        let deep = Rc::new(Cell::new(0));
        let (of_fiber, depth) = (Rc::clone(&state), Rc::clone(&deep));
        let mut fiber = Fiber::new(Rc::as_ptr(&state), move || {
            let kept = black_box([7_u8; 1000]);
            loop {
                depth.set(go_deep::<50_000>());
                of_fiber.pause(Pause::Idle);
                assert_eq!(kept, [7; 1000]);
            }
        });
        for _ in 0..3 {
            fiber.resume(&state);
            state.release_if_quiet();
            assert_eq!(byte_at(deep.get()), 1);
            state.release_if_quiet();
            assert_eq!(byte_at(deep.get()), 0);
        }
    }
}
