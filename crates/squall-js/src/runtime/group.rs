//! Fills runtimes with VUs: some tens share one, so that a cycle collection stays short.

use std::cell::RefCell;

use rquickjs::{Context, Runtime, qjs};

use super::{layout::Layout, memory::MeteredAllocator};
use crate::vu;

/// VUs a runtime. A collection walks the whole runtime: measured 100 µs an iteration of garbage cycles with
/// 1,000 contexts, 32 µs with 50.
const VUS_PER_RUNTIME: usize = 32;

/// Bytes of new objects after which QuickJS looks for cycles, a VU of the runtime.
const GC_THRESHOLD_BYTES: usize = 2 << 20;

/// The runtimes of one worker thread.
pub(crate) struct Groups {
    /// What VUs need to share a runtime; without it each gets one of its own.
    layout: Option<Layout>,
    filling: RefCell<Option<Group>>,
}

/// A runtime that takes more VUs.
struct Group {
    runtime: Runtime,
    raw: *mut qjs::JSRuntime,
    vus: usize,
}

impl Groups {
    /// Whether VUs may share runtimes; they do where the switch state can be found.
    pub(crate) fn new(shared: bool) -> Groups {
        Groups { layout: shared.then(Layout::get).flatten(), filling: RefCell::default() }
    }

    pub(crate) fn layout(&self) -> Option<Layout> {
        self.layout
    }

    /// A new context in the runtime that is being filled, or in a new one; and that runtime.
    pub(crate) fn new_context(&self) -> rquickjs::Result<(Context, *mut qjs::JSRuntime)> {
        let mut filling = self.filling.borrow_mut();
        let capacity = if self.layout.is_some() { VUS_PER_RUNTIME } else { 1 };
        let mut group = match filling.take() {
            Some(group) if group.vus < capacity => group,
            _ => Group::new()?,
        };
        // SAFETY: the runtime is alive and idle. Its stack bounds are still those of the fiber that ran last.
        unsafe { qjs::JS_UpdateStackTop(group.raw) };
        let context = Context::full(&group.runtime)?;
        let raw = group.raw;
        group.vus += 1;
        *filling = Some(group);
        Ok((context, raw))
    }
}

impl Group {
    fn new() -> rquickjs::Result<Group> {
        let runtime = Runtime::new_with_alloc(MeteredAllocator)?;
        runtime.set_gc_threshold(GC_THRESHOLD_BYTES);
        runtime.set_max_stack_size(super::fiber::JS_STACK_BYTES);
        // rquickjs shows the raw runtime only through a context.
        let raw = Context::base(&runtime)?.get_runtime_ptr();
        vu::install_hooks(&runtime, raw);
        Ok(Group { runtime, raw, vus: 0 })
    }
}
