//! Names by number: QuickJS keeps each property name once a runtime, as an atom, and comparing those is many times
//! faster than comparing texts.

use std::{
    hash::{Hash, Hasher},
    ptr,
};

use rquickjs::{Atom, Ctx, Error, Object, Result, Value, qjs};

/// A name that keeps its number for as long as this lives.
pub(crate) struct HeldAtom {
    runtime: *mut qjs::JSRuntime,
    number: u32,
}

impl HeldAtom {
    pub(crate) fn new(ctx: &Ctx, atom: Atom) -> HeldAtom {
        HeldAtom::of(ctx, number(&atom))
    }

    /// Holds the name of this number, which something else must hold so far.
    pub(crate) fn of(ctx: &Ctx, number: u32) -> HeldAtom {
        let context = ctx.as_raw().as_ptr();
        // SAFETY: a live context and a live atom.
        let runtime = unsafe {
            qjs::JS_DupAtom(context, number);
            qjs::JS_GetRuntime(context)
        };
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

/// The names of an object's own properties, by number. To go through them costs a third of what rquickjs'
/// iterator does.
pub(crate) struct Names<'js> {
    ctx: Ctx<'js>,
    first: *mut qjs::JSPropertyEnum,
    count: u32,
}

impl<'js> Names<'js> {
    /// Of those that are enumerable.
    pub(crate) fn of(object: &Object<'js>) -> Result<Names<'js>> {
        Names::with_flags(object, qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY)
    }

    /// Of all of them, symbols included.
    pub(crate) fn of_all(object: &Object<'js>) -> Result<Names<'js>> {
        Names::with_flags(object, qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_SYMBOL_MASK)
    }

    fn with_flags(object: &Object<'js>, flags: u32) -> Result<Names<'js>> {
        let mut names = Names { ctx: object.ctx().clone(), first: ptr::null_mut(), count: 0 };
        let flags = flags as i32;
        let context = names.ctx.as_raw().as_ptr();
        // SAFETY: a live object; the list is ours and freed at the end.
        let status = unsafe {
            qjs::JS_GetOwnPropertyNames(context, &mut names.first, &mut names.count, object.as_raw(), flags)
        };
        if status < 0 { Err(Error::Exception) } else { Ok(names) }
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u32> {
        // SAFETY: so many are there.
        (0..self.count as usize).map(|index| unsafe { (*self.first.add(index)).atom })
    }
}

impl Drop for Names<'_> {
    fn drop(&mut self) {
        // SAFETY: the list was made by QuickJS, or is none.
        unsafe { qjs::JS_FreePropertyEnum(self.ctx.as_raw().as_ptr(), self.first, self.count) };
    }
}

/// A property by the number of its name, which something must hold.
pub(crate) fn get<'js>(object: &Object<'js>, name: u32) -> Result<Value<'js>> {
    let ctx = object.ctx();
    // SAFETY: object and name are alive; the value is ours.
    let value = unsafe { qjs::JS_GetProperty(ctx.as_raw().as_ptr(), object.as_raw(), name) };
    // SAFETY: as above.
    unsafe { owned(ctx, value) }
}

/// The text of the name of this number, which something must hold.
pub(crate) fn text(ctx: &Ctx, name: u32) -> Result<String> {
    // SAFETY: the name is alive; the value is ours.
    let text = unsafe { owned(ctx, qjs::JS_AtomToString(ctx.as_raw().as_ptr(), name)) };
    text?.get()
}

/// What a function of QuickJS has returned.
///
/// # Safety
/// The value is one of this context, and nobody else owns it.
pub(crate) unsafe fn owned<'js>(ctx: &Ctx<'js>, value: qjs::JSValue) -> Result<Value<'js>> {
    // SAFETY: only the tag is looked at.
    match unsafe { qjs::JS_IsException(value) } {
        true => Err(Error::Exception),
        // SAFETY: the caller says so.
        false => Ok(unsafe { Value::from_raw(ctx.clone(), value) }),
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
