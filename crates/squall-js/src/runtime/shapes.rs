//! Keeps the shapes of short-lived objects.
//!
//! QuickJS shares the layout of properties, the *shape*, among objects that got the same ones in the same order. A shape
//! goes with its last object. An iteration's objects, like a parsed body, all go at its end, so the next iteration builds
//! every shape anew, property by property. Objects that stay, one for each step of building, make each of these
//! steps a lookup.

use std::cell::{Cell, RefCell};

use rquickjs::{Atom, Ctx, Object, Persistent, Result, Value, object::Property};
use rustc_hash::FxHashSet;

use crate::atoms;

/// Objects that are looked at in a realm, at most: what comes later has probably been seen.
const LOOKS_MAX: u32 = 256;

/// Properties of an object that is kept, at most: steps cost memory in proportion to the square.
const PROPERTIES_MAX: usize = 24;

/// How deep into a value to look.
const DEPTH_MAX: u32 = 4;

/// The shapes that one realm keeps.
pub(crate) struct Shapes {
    /// An object for each step.
    kept: RefCell<Vec<Persistent<Object<'static>>>>,
    /// What was kept, by the numbers of the property names.
    known: RefCell<FxHashSet<Box<[u32]>>>,
    looks_left: Cell<u32>,
}

impl Default for Shapes {
    fn default() -> Shapes {
        Shapes { kept: RefCell::default(), known: RefCell::default(), looks_left: Cell::new(LOOKS_MAX) }
    }
}

impl Shapes {
    /// Keeps the shape of functions that have a length but no name yet: every function begins like that.
    pub(crate) fn keep_of_functions(&self, ctx: &Ctx) -> Result<()> {
        let step = Object::new(ctx.clone())?;
        let functions: Object = ctx.globals().get("Function")?;
        step.set_prototype(Some(&functions.get("prototype")?))?;
        step.prop("length", Property::from(0).configurable())?;
        self.kept.borrow_mut().push(Persistent::save(ctx, step));
        Ok(())
    }

    /// Keeps the shapes of the plain objects in a parsed document, of an array those of its first element.
    pub(crate) fn keep_of_document<'js>(&self, ctx: &Ctx<'js>, document: &Value<'js>) -> Result<()> {
        if self.may_look() { self.look(ctx, document, DEPTH_MAX) } else { Ok(()) }
    }

    /// Keeps the shape of an object of the script's, whose properties are not read.
    pub(crate) fn keep_of_names<'js>(&self, ctx: &Ctx<'js>, object: &Object<'js>) -> Result<()> {
        if !self.may_look() {
            return Ok(());
        }
        let names: Result<Vec<Atom>> = object.keys().take(PROPERTIES_MAX).collect();
        self.keep_steps(ctx, &names?)
    }

    fn may_look(&self) -> bool {
        let left = self.looks_left.get();
        self.looks_left.set(left.saturating_sub(1));
        left > 0
    }

    fn look<'js>(&self, ctx: &Ctx<'js>, value: &Value<'js>, depth: u32) -> Result<()> {
        if depth == 0 {
            return Ok(());
        }
        if let Some(array) = value.as_array() {
            return if array.is_empty() { Ok(()) } else { self.look(ctx, &array.get(0)?, depth - 1) };
        }
        let Some(object) = value.as_object().filter(|object| !object.is_function()) else { return Ok(()) };
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for entry in object.props::<Atom, Value>().take(PROPERTIES_MAX) {
            let (name, value) = entry?;
            names.push(name);
            values.push(value);
        }
        self.keep_steps(ctx, &names)?;
        values.iter().try_for_each(|value| self.look(ctx, value, depth - 1))
    }

    fn keep_steps<'js>(&self, ctx: &Ctx<'js>, names: &[Atom<'js>]) -> Result<()> {
        // Kept atoms keep their numbers.
        let numbers: Box<[u32]> = names.iter().map(atoms::number).collect();
        if !self.known.borrow_mut().insert(numbers) {
            return Ok(());
        }
        for count in 0..=names.len() {
            let step = Object::new(ctx.clone())?;
            for name in &names[..count] {
                step.set(name.clone(), 0)?;
            }
            self.kept.borrow_mut().push(Persistent::save(ctx, step));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rquickjs::{Context, Runtime};

    use super::*;

    #[test]
    fn each_shape_is_kept_once_and_not_for_ever_looked_for() {
        let runtime = Runtime::new().unwrap();
        Context::full(&runtime).unwrap().with(|ctx| {
            let shapes = Shapes::default();
            let document = || ctx.json_parse(r#"[{"a": 1, "b": {"c": 2}}, {"left": "out"}]"#).unwrap();
            for _ in 0..2 {
                shapes.keep_of_document(&ctx, &document()).unwrap();
            }
            // {}, {a}, {a, b}; {}, {c}.
            assert_eq!(shapes.kept.borrow().len(), 5);
            for number in 0..2 * LOOKS_MAX {
                let object = Object::new(ctx.clone()).unwrap();
                object.set(format!("name{number}"), 1).unwrap();
                shapes.keep_of_names(&ctx, &object).unwrap();
            }
            assert!(shapes.known.borrow().len() <= LOOKS_MAX as usize);
        });
    }

    #[test]
    fn properties_of_a_script_s_object_are_not_read() {
        let runtime = Runtime::new().unwrap();
        Context::full(&runtime).unwrap().with(|ctx| {
            let object: Object = ctx.eval("({ get a() { throw new Error('read') } })").unwrap();
            let shapes = Shapes::default();
            shapes.keep_of_names(&ctx, &object).unwrap();
            assert_eq!(shapes.kept.borrow().len(), 2);
        });
    }
}
