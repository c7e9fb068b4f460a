//! Names by number: QuickJS keeps each property name once a runtime, as an atom, and comparing those is many times
//! faster than comparing texts.

use std::hash::{Hash, Hasher};

use rquickjs::{Atom, Ctx, qjs};

/// A name that keeps its number for as long as this lives.
pub(crate) struct HeldAtom {
    runtime: *mut qjs::JSRuntime,
    number: u32,
}

impl HeldAtom {
    pub(crate) fn new(ctx: &Ctx, atom: Atom) -> HeldAtom {
        let number = number(&atom);
        // Its reference is ours from now on.
        std::mem::forget(atom);
        // SAFETY: a live context.
        let runtime = unsafe { qjs::JS_GetRuntime(ctx.as_raw().as_ptr()) };
        HeldAtom { runtime, number }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for HeldAtom {
    fn drop(&mut self) {
        // SAFETY: the reference was taken from an atom of this runtime, which outlives what its realms hold.
        unsafe { qjs::JS_FreeAtomRT(self.runtime, self.number) };
    }
}

/// An atom's number. rquickjs shows it only to hashers.
pub(crate) fn number(atom: &Atom) -> u32 {
    struct Number(u32);
    impl Hasher for Number {
        fn write(&mut self, _: &[u8]) {}

        fn write_u32(&mut self, number: u32) {
            self.0 = number;
        }

        fn finish(&self) -> u64 {
            u64::from(self.0)
        }
    }
    let mut number = Number(0);
    atom.hash(&mut number);
    number.0
}
