//! An allocator that counts, for programs that show what something costs in memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting by thread. Make it the program's `#[global_allocator]`.
pub struct CountingAllocator;

/// What the calling thread has allocated so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocated {
    /// Calls.
    pub allocations: u64,
    /// All bytes that were asked for.
    pub bytes: u64,
    /// Bytes that were asked for here, less those that were freed here.
    pub live_bytes: i64,
}

thread_local! {
    static ALLOCATED: Cell<Allocated> =
        const { Cell::new(Allocated { allocations: 0, bytes: 0, live_bytes: 0 }) };
}

impl Allocated {
    /// Until now.
    pub fn now() -> Self {
        ALLOCATED.get()
    }

    /// Since an earlier moment of the same thread.
    pub fn since(before: Self) -> Self {
        let now = Self::now();
        Self {
            allocations: now.allocations - before.allocations,
            bytes: now.bytes - before.bytes,
            live_bytes: now.live_bytes - before.live_bytes,
        }
    }
}

// SAFETY: everything is the system allocator's; the counter is a plain cell that allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Allocated { allocations, bytes, live_bytes } = ALLOCATED.get();
        let size = layout.size();
        ALLOCATED.set(Allocated {
            allocations: allocations + 1,
            bytes: bytes + size as u64,
            live_bytes: live_bytes + size as i64,
        });
        // SAFETY: the caller's promise about the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let allocated = ALLOCATED.get();
        ALLOCATED.set(Allocated { live_bytes: allocated.live_bytes - layout.size() as i64, ..allocated });
        // SAFETY: the pointer came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
