//! Classes of host objects, with prototypes that belong to the realm.
//!
//! rquickjs keeps one prototype a class and runtime, and realms share runtimes: methods would run in the realm that
//! came first, and what a script does to a prototype would show in others.

use rquickjs::{
    Class, Ctx, Object, Persistent, Result,
    class::JsClass,
    function::{Constructor, IntoJsFunc},
};

use crate::vu;

/// The realm's prototype of a class.
pub(crate) fn prototype<'js, C: JsClass<'js>>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let vu = vu::try_current();
    if let Some(known) = vu.as_ref().and_then(|vu| vu.realm.prototypes.borrow().get(C::NAME).cloned()) {
        return known.restore(ctx);
    }
    let prototype = new_prototype::<C>(ctx)?;
    keep::<C>(ctx, &prototype)?;
    Ok(prototype)
}

/// A prototype of a class. Scripts that run without a VU, in unit tests, have their runtime for themselves.
fn new_prototype<'js, C: JsClass<'js>>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let prototype = match vu::try_current() {
        Some(_) => C::prototype(ctx)?,
        None => Class::<C>::prototype(ctx)?,
    };
    prototype.map_or_else(|| Object::new(ctx.clone()), Ok)
}

/// Makes a prototype that has all its properties the realm's.
fn keep<'js, C: JsClass<'js>>(ctx: &Ctx<'js>, prototype: &Object<'js>) -> Result<()> {
    let Some(vu) = vu::try_current() else { return Ok(()) };
    vu.realm.guard(ctx, prototype.as_value())?;
    vu.realm.prototypes.borrow_mut().insert(C::NAME, Persistent::save(ctx, prototype.clone()));
    Ok(())
}

/// Hands a host object to the script.
pub(crate) fn instance<'js, C: JsClass<'js>>(ctx: &Ctx<'js>, object: C) -> Result<Class<'js, C>> {
    Class::instance_proto(object, prototype::<C>(ctx)?)
}

/// The constructor of a class; `make` returns what [`instance`] made.
pub(crate) fn constructor<'js, C: JsClass<'js>, F, P>(ctx: &Ctx<'js>, make: F) -> Result<Constructor<'js>>
where
    F: IntoJsFunc<'js, P> + 'js,
{
    constructor_with::<C, _, _>(ctx, make, |_| Ok(()))
}

/// The same with properties of its own, which `equip` sets: later it may be unwritable.
pub(crate) fn constructor_with<'js, C: JsClass<'js>, F, P>(
    ctx: &Ctx<'js>,
    make: F,
    equip: impl FnOnce(&Object<'js>) -> Result<()>,
) -> Result<Constructor<'js>>
where
    F: IntoJsFunc<'js, P> + 'js,
{
    let prototype = new_prototype::<C>(ctx)?;
    let constructor = Constructor::new_prototype(ctx, prototype.clone(), make)?;
    constructor.set_name(C::NAME)?;
    equip(&constructor)?;
    keep::<C>(ctx, &prototype)?;
    Ok(constructor)
}
