//! Finds, inside the opaque `JSRuntime`, the state that belongs to the running fiber.
//!
//! QuickJS keeps the current stack frame, the list of pending jobs and the bounds of the native stack per
//! runtime. Fibers may share a runtime only if these are swapped at each switch. The fields are found by what
//! they do, not by a struct layout, once per process; where the search does not find exactly one candidate,
//! each VU gets a runtime of its own and nothing needs swapping.

use std::{
    cell::RefCell,
    ffi::{CStr, c_int, c_void},
    ptr::null_mut,
    sync::OnceLock,
};

use rquickjs::qjs;

/// Words of `JSRuntime` that are searched: beyond its end in any version so far. The probed runtime is
/// allocated with that much room after it, so that reading on is sound.
const WORDS: usize = 600;
const WORD: usize = size_of::<usize>();

/// Byte offsets of the switch state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Pointer to the current stack frame; null when idle.
    pub(crate) frame: usize,
    /// Head of the list of pending jobs.
    pub(crate) jobs: usize,
    /// Stack size, then the stack's top, then its limit.
    pub(crate) stack: usize,
}

impl Layout {
    /// The layout of this build of QuickJS, or `None` when it could not be told for sure.
    pub(crate) fn get() -> Option<Layout> {
        static LAYOUT: OnceLock<Option<Layout>> = OnceLock::new();
        *LAYOUT.get_or_init(find)
    }
}

/// A runtime made for the search, with the words that were seen during a call.
struct Probe {
    runtime: *mut qjs::JSRuntime,
    context: *mut qjs::JSContext,
}

thread_local! {
    /// Runtime under probe and, after the call, the words that pointed into the native stack.
    static PROBED: RefCell<(usize, Vec<usize>)> = const { RefCell::new((0, Vec::new())) };
}

fn find() -> Option<Layout> {
    let probe = Probe::new()?;
    let layout = Layout { frame: probe.frame()?, jobs: probe.jobs()?, stack: probe.stack()? };
    tracing::debug!(?layout, "QuickJS switch state found");
    Some(layout)
}

impl Probe {
    fn new() -> Option<Probe> {
        // SAFETY: plain constructors; both are freed on drop.
        unsafe {
            let runtime = qjs::JS_NewRuntime2(&padded_allocator(), null_mut());
            let context = if runtime.is_null() { null_mut() } else { qjs::JS_NewContext(runtime) };
            (!context.is_null()).then_some(Probe { runtime, context })
        }
    }

    fn word(&self, index: usize) -> usize {
        // SAFETY: `padded_allocator` made at least `WORDS` words of room.
        unsafe { *self.runtime.cast::<usize>().add(index) }
    }

    fn address(&self, index: usize) -> usize {
        self.runtime as usize + index * WORD
    }

    fn eval(&self, source: &CStr) {
        // SAFETY: the source is NUL-terminated, as `JS_Eval` demands.
        unsafe {
            let length = source.to_bytes().len();
            let value = qjs::JS_Eval(self.context, source.as_ptr(), length as _, c"probe".as_ptr(), 0);
            qjs::JS_FreeValue(self.context, value);
        }
    }

    /// The frame pointer is null when idle and points into the native stack inside a call.
    fn frame(&self) -> Option<usize> {
        let idle: Vec<usize> = (0..WORDS).map(|index| self.word(index)).collect();
        PROBED.set((self.runtime as usize, Vec::new()));
        // SAFETY: `record_stack_words` has the signature of a generic C function.
        unsafe {
            let global = qjs::JS_GetGlobalObject(self.context);
            let function = qjs::JS_NewCFunction2(
                self.context,
                Some(record_stack_words),
                c"probe".as_ptr(),
                0,
                qjs::JSCFunctionEnum_JS_CFUNC_generic,
                0,
            );
            qjs::JS_SetPropertyStr(self.context, global, c"probe".as_ptr(), function);
            qjs::JS_FreeValue(self.context, global);
        }
        self.eval(c"probe()");
        let (_, seen) = PROBED.take();
        only(seen.into_iter().filter(|&index| idle[index] == 0))
    }

    /// The job list is empty when idle and five entries long once five jobs are queued.
    fn jobs(&self) -> Option<usize> {
        let is_empty = |&index: &usize| {
            self.word(index) == self.address(index) && self.word(index + 1) == self.address(index)
        };
        let lists: Vec<usize> = (0..WORDS - 1).filter(is_empty).collect();
        self.eval(c"for (let i = 0; i < 5; i++) Promise.resolve().then(() => 1)");
        let lists: Vec<usize> =
            lists.into_iter().filter(|&index| self.list_length(index) == Some(5)).collect();
        let mut context = null_mut();
        // SAFETY: the runtime is ours and idle.
        while unsafe { qjs::JS_ExecutePendingJob(self.runtime, &mut context) } > 0 {}
        only(lists.into_iter().filter(is_empty))
    }

    fn list_length(&self, head: usize) -> Option<usize> {
        let (mut entry, mut length) = (self.word(head + 1), 0);
        while entry != self.address(head) {
            if entry < 4096 || !entry.is_multiple_of(WORD) || length > 50 {
                return None;
            }
            // SAFETY: a list head's neighbours are list entries: two words, the second is `next`.
            entry = unsafe { *(entry as *const usize).add(1) };
            length += 1;
        }
        Some(length)
    }

    /// Size, top and limit lie side by side, and the limit is the top minus the size.
    fn stack(&self) -> Option<usize> {
        const SIZE: usize = 0x5_a5a0;
        // SAFETY: plain setters.
        unsafe {
            qjs::JS_SetMaxStackSize(self.runtime, SIZE as _);
            qjs::JS_UpdateStackTop(self.runtime);
        }
        only((0..WORDS - 2).filter(|&index| {
            self.word(index) == SIZE && self.word(index + 1).wrapping_sub(SIZE) == self.word(index + 2)
        }))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // SAFETY: both came from the constructors in `new` and nothing else holds them.
        unsafe {
            qjs::JS_FreeContext(self.context);
            qjs::JS_FreeRuntime(self.runtime);
        }
    }
}

/// The C allocator, with `WORDS` words of room after everything that is allocated cleared, as the runtime is.
fn padded_allocator() -> qjs::JSMallocFunctions {
    unsafe extern "C" fn calloc(_: *mut c_void, count: qjs::size_t, size: qjs::size_t) -> *mut c_void {
        unsafe { libc::calloc(1, (count * size) as usize + WORDS * WORD) }
    }
    unsafe extern "C" fn malloc(_: *mut c_void, size: qjs::size_t) -> *mut c_void {
        unsafe { libc::malloc(size as usize) }
    }
    unsafe extern "C" fn free(_: *mut c_void, pointer: *mut c_void) {
        unsafe { libc::free(pointer) }
    }
    unsafe extern "C" fn realloc(_: *mut c_void, pointer: *mut c_void, size: qjs::size_t) -> *mut c_void {
        unsafe { libc::realloc(pointer, size as usize) }
    }
    qjs::JSMallocFunctions {
        js_calloc: Some(calloc),
        js_malloc: Some(malloc),
        js_free: Some(free),
        js_realloc: Some(realloc),
        js_malloc_usable_size: None,
    }
}

/// Records which words of the probed runtime point into the native stack while a call is running.
unsafe extern "C" fn record_stack_words(
    _context: *mut qjs::JSContext,
    _this: qjs::JSValue,
    _argc: c_int,
    _argv: *mut qjs::JSValue,
) -> qjs::JSValue {
    PROBED.with_borrow_mut(|(runtime, seen)| {
        let here = (&raw const runtime) as usize;
        // SAFETY: as in `Probe::word`.
        let word = |index: usize| unsafe { *(*runtime as *const usize).add(index) };
        *seen = (0..WORDS).filter(|&index| word(index) > here && word(index) < here + 200_000).collect();
    });
    qjs::JS_UNDEFINED
}

/// Byte offset of the only candidate.
fn only(mut candidates: impl Iterator<Item = usize>) -> Option<usize> {
    let first = candidates.next()?;
    candidates.next().is_none().then_some(first * WORD)
}

/// Intrusive list head, as QuickJS lays it out.
#[repr(C)]
pub(crate) struct ListHead {
    prev: *mut ListHead,
    next: *mut ListHead,
}

impl ListHead {
    pub(crate) const fn unlinked() -> ListHead {
        ListHead { prev: null_mut(), next: null_mut() }
    }

    /// Moves every entry of `from` to the end of nothing: `to` must be empty or unlinked.
    ///
    /// # Safety
    /// Both are valid list heads (or `to` unlinked) and `to` stays where it is while it holds entries.
    pub(crate) unsafe fn splice(from: *mut ListHead, to: *mut ListHead) {
        unsafe {
            if (*from).next == from {
                (*to).next = to;
                (*to).prev = to;
                return;
            }
            (*to).next = (*from).next;
            (*to).prev = (*from).prev;
            (*(*to).next).prev = to;
            (*(*to).prev).next = to;
            (*from).next = from;
            (*from).prev = from;
        }
    }
}

/// Address of a word of the runtime.
pub(crate) fn word_at(runtime: *mut c_void, offset: usize) -> *mut usize {
    runtime.cast::<u8>().wrapping_add(offset).cast()
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn the_switch_state_of_the_bundled_quickjs_is_found() {
        let layout = Layout::get().expect("one candidate for each field");
        assert_ne!(layout.frame, layout.jobs);
    }
}
