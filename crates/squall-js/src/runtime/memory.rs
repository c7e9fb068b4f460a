//! Charges what QuickJS allocates to the VU that runs, and refuses what goes over the VU's limit.
//!
//! VUs share runtimes, so the runtime's own limit would punish the wrong one. A thread-wide meter counts the
//! bytes of all its runtimes; between two switches they are the running VU's. Garbage of one VU may be
//! collected while another runs, which credits the latter: the limit errs on the generous side.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use rquickjs::{allocator::Allocator, qjs};

/// Bytes that a runtime may grow by before cycles are looked for, at least.
const GROWTH_BYTES_MIN: usize = 2 << 20;

thread_local! {
    /// Bytes that QuickJS holds on this thread.
    static USED: Cell<usize> = const { Cell::new(0) };
    /// Value of `USED` at which the running VU is at its limit.
    static CEILING: Cell<usize> = const { Cell::new(usize::MAX) };
    /// The running VU asked for more than its limit.
    static REFUSED: Cell<bool> = const { Cell::new(false) };
}

/// What a VU holds, as far as the meter can tell.
#[derive(Default)]
pub(crate) struct Account {
    held_bytes: Cell<usize>,
    used_at_resume: Cell<usize>,
    was_refused: Cell<bool>,
}

impl Account {
    /// The VU begins to run: from now on allocations are its own, up to `limit_bytes`.
    pub(crate) fn resume(&self, limit_bytes: usize) {
        let used = USED.get();
        self.used_at_resume.set(used);
        REFUSED.set(self.was_refused.get());
        CEILING.set(used.saturating_add(limit_bytes.saturating_sub(self.held_bytes.get())));
    }

    /// The VU stops running.
    pub(crate) fn suspend(&self) {
        let grown = USED.get() as isize - self.used_at_resume.get() as isize;
        self.held_bytes.set(self.held_bytes.get().saturating_add_signed(grown));
        CEILING.set(usize::MAX);
        self.was_refused.set(REFUSED.get());
    }
}

/// Whether the running VU asked for more than its limit since this was last asked. QuickJS throws `null` when
/// there is no memory even for an error, so the exception does not always tell.
pub(crate) fn take_refused() -> bool {
    REFUSED.replace(false)
}

/// Bytes that a script holds outside of QuickJS, like the body of a response: charged until dropped.
pub(crate) struct Charge(usize);

impl Charge {
    /// Charges the running VU, unless that takes it over its limit.
    pub(crate) fn new(bytes: usize) -> Option<Charge> {
        MeteredAllocator::admits(bytes).then(|| {
            USED.set(USED.get() + bytes);
            Charge(bytes)
        })
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        USED.set(USED.get().saturating_sub(self.0));
    }
}

/// A runtime's heap, and when to look for cycles in it.
///
/// QuickJS would collect whenever an allocation comes to its mark, in the middle of somebody's iteration. We collect
/// when a VU has just begun to wait; QuickJS's own mark is set so far that only a VU that never waits gets there.
pub(crate) struct Heap {
    pub(crate) runtime: *mut qjs::JSRuntime,
    held_bytes: Rc<Cell<usize>>,
    collect_at_bytes: Cell<usize>,
}

impl Heap {
    /// The heap of a runtime, whose allocator counts in `held_bytes`.
    pub(crate) fn new(runtime: *mut qjs::JSRuntime, held_bytes: Rc<Cell<usize>>) -> Heap {
        let heap = Heap { runtime, held_bytes, collect_at_bytes: Cell::new(0) };
        heap.set_marks();
        heap
    }

    /// A collection costs in proportion to what is there, so the heap may grow in proportion before the next one.
    fn set_marks(&self) {
        let held = self.held_bytes.get();
        let mark = held + held.max(GROWTH_BYTES_MIN);
        self.collect_at_bytes.set(mark);
        // SAFETY: the runtime lives as long as its heap.
        unsafe { qjs::JS_SetGCThreshold(self.runtime, (mark + 4 * GROWTH_BYTES_MIN) as _) };
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.held_bytes.get()
    }

    /// Looks for cycles if it is time to, and says how long that took. Call when no fiber of the runtime runs.
    pub(crate) fn collect_if_grown(&self) -> Option<Duration> {
        if self.held_bytes.get() < self.collect_at_bytes.get() {
            return None;
        }
        let started = Instant::now();
        // SAFETY: the runtime is alive and idle.
        unsafe { qjs::JS_RunGC(self.runtime) };
        self.set_marks();
        Some(started.elapsed())
    }
}

/// The C allocator behind the meter.
pub(crate) struct MeteredAllocator {
    /// Bytes that the runtime holds.
    held_bytes: Rc<Cell<usize>>,
}

impl MeteredAllocator {
    /// An allocator for one runtime, and its count of bytes.
    pub(crate) fn new() -> (MeteredAllocator, Rc<Cell<usize>>) {
        let held_bytes = Rc::new(Cell::new(0));
        (MeteredAllocator { held_bytes: Rc::clone(&held_bytes) }, held_bytes)
    }

    fn admits(size: usize) -> bool {
        let is_admitted = USED.get().saturating_add(size) <= CEILING.get();
        if !is_admitted {
            REFUSED.set(true);
        }
        is_admitted
    }

    /// Counts a block that `malloc` or its kin returned.
    fn count(&self, pointer: *mut u8) -> *mut u8 {
        if !pointer.is_null() {
            self.add(usable_size(pointer));
        }
        pointer
    }

    fn add(&self, bytes: usize) {
        USED.set(USED.get() + bytes);
        self.held_bytes.set(self.held_bytes.get() + bytes);
    }

    fn subtract(&self, bytes: usize) {
        USED.set(USED.get() - bytes);
        self.held_bytes.set(self.held_bytes.get() - bytes);
    }
}

fn usable_size(pointer: *mut u8) -> usize {
    // SAFETY: the pointer is null or came from the C allocator.
    unsafe { libc::malloc_usable_size(pointer.cast()) }
}

// SAFETY: forwards to the C allocator, whose blocks are aligned for any type.
unsafe impl Allocator for MeteredAllocator {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        if !Self::admits(size) {
            return std::ptr::null_mut();
        }
        self.count(unsafe { libc::malloc(size) }.cast())
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        if !Self::admits(count.saturating_mul(size)) {
            return std::ptr::null_mut();
        }
        self.count(unsafe { libc::calloc(count, size) }.cast())
    }

    unsafe fn dealloc(&mut self, pointer: *mut u8) {
        self.subtract(usable_size(pointer));
        unsafe { libc::free(pointer.cast()) }
    }

    unsafe fn realloc(&mut self, pointer: *mut u8, new_size: usize) -> *mut u8 {
        let old_size = usable_size(pointer);
        if new_size > old_size && !Self::admits(new_size - old_size) {
            return std::ptr::null_mut();
        }
        let moved: *mut u8 = unsafe { libc::realloc(pointer.cast(), new_size) }.cast();
        if !moved.is_null() {
            self.subtract(old_size);
            self.add(usable_size(moved));
        }
        moved
    }

    unsafe fn usable_size(pointer: *mut u8) -> usize {
        usable_size(pointer)
    }
}
