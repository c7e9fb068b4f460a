//! Fills runtimes with VUs: some tens share one, so that a cycle collection stays short.

use std::{cell::RefCell, rc::Rc};

use rquickjs::{Context, Runtime, qjs};

use super::{
    layout::Layout,
    memory::{Heap, MeteredAllocator},
};
use crate::{realm::Realm, vu};

/// VUs a runtime, each with a realm of its own. A collection walks the whole runtime: measured 100 µs an iteration of
/// garbage cycles with 1,000 realms, 32 µs with 50.
const REALMS_PER_RUNTIME: usize = 32;

/// VUs a runtime that share its one realm: they hold a twentieth.
const VUS_PER_REALM: usize = 128;

/// A runtime that holds this much takes no more VUs: a collection takes some milliseconds a megabyte, and all VUs
/// of the thread wait for it.
const HEAP_BYTES_MAX: usize = 8 << 20;

/// The runtimes of one worker thread.
pub(crate) struct Groups {
    /// What VUs need to share a runtime; without it each gets one of its own.
    layout: Option<Layout>,
    share_realms: bool,
    filling: RefCell<Option<Group>>,
}

/// A runtime that takes more VUs.
struct Group {
    runtime: Runtime,
    heap: Rc<Heap>,
    /// The realm of all its VUs, if they share one.
    realm: Option<Rc<Realm>>,
    vus: usize,
}

impl Groups {
    /// Whether VUs may share runtimes, and whether their script lets them share a realm. They do where the switch
    /// state can be found.
    pub(crate) fn new(share_runtimes: bool, share_realms: bool) -> Groups {
        let layout = share_runtimes.then(Layout::get).flatten();
        Groups { layout, share_realms: share_realms && layout.is_some(), filling: RefCell::default() }
    }

    pub(crate) fn layout(&self) -> Option<Layout> {
        self.layout
    }

    /// The realm of the next VU, in the runtime that is being filled or in a new one.
    pub(crate) fn next_realm(&self) -> rquickjs::Result<Rc<Realm>> {
        let mut filling = self.filling.borrow_mut();
        let mut group = match filling.take() {
            Some(group) if group.vus < self.capacity() && group.heap.held_bytes() < HEAP_BYTES_MAX => group,
            _ => Group::new()?,
        };
        group.vus += 1;
        let realm = match &group.realm {
            Some(realm) => Rc::clone(realm),
            None => group.new_realm(self.share_realms)?,
        };
        *filling = Some(group);
        Ok(realm)
    }

    fn capacity(&self) -> usize {
        match self.layout {
            None => 1,
            Some(_) if self.share_realms => VUS_PER_REALM,
            Some(_) => REALMS_PER_RUNTIME,
        }
    }
}

impl Group {
    fn new() -> rquickjs::Result<Group> {
        let (allocator, held_bytes) = MeteredAllocator::new();
        let runtime = Runtime::new_with_alloc(allocator)?;
        runtime.set_max_stack_size(super::fiber::JS_STACK_BYTES);
        // rquickjs shows the raw runtime only through a context.
        let raw = Context::base(&runtime)?.get_runtime_ptr();
        vu::install_hooks(&runtime, raw);
        Ok(Group { runtime, heap: Rc::new(Heap::new(raw, held_bytes)), realm: None, vus: 0 })
    }

    fn new_realm(&mut self, is_shared: bool) -> rquickjs::Result<Rc<Realm>> {
        // SAFETY: the runtime is alive and idle. Its stack bounds are still those of the fiber that ran last.
        unsafe { qjs::JS_UpdateStackTop(self.heap.runtime) };
        let context = Context::full(&self.runtime)?;
        let realm = Rc::new(Realm::new(context, Rc::clone(&self.heap), is_shared));
        if is_shared {
            self.realm = Some(Rc::clone(&realm));
        }
        Ok(realm)
    }
}
