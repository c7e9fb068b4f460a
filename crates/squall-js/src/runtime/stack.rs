//! Native stacks of fibers, cut from large mappings.
//!
//! A mapping of its own for each stack, with a guard page, is two entries in the kernel's list of mappings, which ends
//! at 65,530: a process could have 32,000 VUs. Stacks side by side in one mapping, guarded by markers in the page
//! table (Linux 6.13), are one entry however many they are. Older kernels get protected pages and the old limit.

use std::{cell::Cell, io, ptr};

use corosensei::stack::{Stack, StackPointer};

/// Native stack of a fiber, its guard page included. Only pages that were touched take memory.
pub(crate) const STACK_BYTES: usize = 512 * 1024;

/// Stacks a mapping.
const STACKS_PER_MAPPING: usize = 64;

const PAGE_BYTES: usize = 4096;

/// Kept below the address that [`FiberStack::release_below`] gets: the frames of the switch away from the stack, which are
/// there and take some hundred bytes.
const SLACK_BYTES: usize = 2048;

/// `MADV_GUARD_INSTALL` of Linux 6.13, which the libc crate does not name on all targets.
#[cfg(target_os = "linux")]
const MADV_GUARD_INSTALL: libc::c_int = 102;

thread_local! {
    /// The part of the thread's newest mapping that no stack has yet: its address and stacks.
    static UNUSED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// A stack. It is never given back: fibers are not unwound, and what is left of them goes with the process.
#[derive(Clone, Copy)]
pub(crate) struct FiberStack {
    limit: usize,
}

impl FiberStack {
    /// The next stack of this thread's mappings.
    pub(crate) fn new() -> io::Result<FiberStack> {
        let (limit, left) = match UNUSED.get() {
            (_, 0) => (map()?, STACKS_PER_MAPPING),
            unused => unused,
        };
        UNUSED.set((limit + STACK_BYTES, left - 1));
        guard(limit)?;
        Ok(FiberStack { limit })
    }

    /// Gives the pages below `address`, which lies on this stack, back to the system. Nothing but the switch may be there.
    pub(crate) fn release_below(&self, address: usize) {
        let bottom = self.limit + PAGE_BYTES;
        let top = address.saturating_sub(SLACK_BYTES) & !(PAGE_BYTES - 1);
        if top > bottom {
            // SAFETY: these pages are below everything that lives on the stack. A kernel that refuses keeps them.
            unsafe { libc::madvise(bottom as *mut _, top - bottom, libc::MADV_DONTNEED) };
        }
    }
}

// SAFETY: the stack has a guard page at its limit, is larger than the minimum, and stays mapped.
unsafe impl Stack for FiberStack {
    fn base(&self) -> StackPointer {
        StackPointer::new(self.limit + STACK_BYTES).expect("a mapping does not end at zero")
    }

    fn limit(&self) -> StackPointer {
        StackPointer::new(self.limit).expect("a mapping does not begin at zero")
    }
}

fn map() -> io::Result<usize> {
    let length = STACK_BYTES * STACKS_PER_MAPPING;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping touches nothing that exists.
    let address =
        unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // One touched page must not become two megabytes.
    #[cfg(target_os = "linux")]
    // SAFETY: advice on our own mapping; a kernel without huge pages refuses it.
    unsafe {
        libc::madvise(address, length, libc::MADV_NOHUGEPAGE)
    };
    Ok(address as usize)
}

/// How many of the process's memory mappings each stack takes: none where guards are markers, two where a protected
/// page divides its mapping.
pub fn mappings_of_stack() -> u64 {
    match FiberStack::new() {
        Ok(stack) if mark(stack.limit) => 0,
        _ => 2,
    }
}

/// Makes the stack's lowest page end the process when it is touched.
fn guard(limit: usize) -> io::Result<()> {
    if mark(limit) {
        return Ok(());
    }
    // SAFETY: the page belongs to our mapping and nothing is there yet.
    match unsafe { libc::mprotect(limit as *mut _, PAGE_BYTES, libc::PROT_NONE) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Puts a guard marker on a page, where the kernel has such.
fn mark(page: usize) -> bool {
    // SAFETY: the page belongs to our mapping and nothing is there.
    #[cfg(target_os = "linux")]
    return unsafe { libc::madvise(page as *mut _, PAGE_BYTES, MADV_GUARD_INSTALL) } == 0;
    #[cfg(not(target_os = "linux"))]
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a page has memory behind it.
    fn is_resident(address: usize) -> bool {
        let mut state = 0;
        let page = address & !(PAGE_BYTES - 1);
        // SAFETY: the page is mapped and the answer has room for one page.
        assert_eq!(unsafe { libc::mincore(page as *mut _, PAGE_BYTES, &mut state) }, 0);
        state & 1 == 1
    }

    #[test]
    fn stacks_lie_side_by_side() {
        let [a, b] = [FiberStack::new().unwrap(), FiberStack::new().unwrap()];
        assert_eq!(a.base(), b.limit());
    }

    #[test]
    fn untouched_depths_are_given_back() {
        let stack = FiberStack::new().unwrap();
        let [deep, shallow] = [stack.limit + 8 * PAGE_BYTES, stack.limit + STACK_BYTES - 64];
        for address in [deep, shallow] {
            // SAFETY: nobody else uses the stack.
            unsafe { (address as *mut u64).write(1) };
            assert!(is_resident(address));
        }
        stack.release_below(shallow);
        assert!(!is_resident(deep));
        assert!(is_resident(shallow));
        // SAFETY: as above; the page comes back empty.
        assert_eq!(unsafe { (deep as *const u64).read() }, 0);
    }
}
