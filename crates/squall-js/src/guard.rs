//! Makes what the VUs of a realm share unwritable: an object, and all that it leads to.
//!
//! A realm has some five thousand properties to look at, and making it is most of what starting a VU costs: so they are
//! walked here, by QuickJS's own functions, and only what needs functions of the script's kind is done by `guard.js`.

use rquickjs::{
    Array, Atom, Ctx, Error, Function, Object, Persistent, Result, Value, atom::PredefinedAtom, qjs,
};

use crate::{
    atoms::{self, HeldAtom, Names},
    modules::object_of,
    realm::evaluate,
    worker::Worker,
};

/// Makes a list of the function that makes properties overridable, and of the objects that are special.
const SCRIPT: &str = include_str!("guard.js");

/// What guarding needs of a realm.
pub(crate) struct Guard {
    make_overridable: Persistent<Function<'static>>,
    /// Of these whatever is inherited can be overridden.
    object_prototype: Identity,
    function_prototype: Identity,
    error_prototype: Identity,
    array_prototype: Identity,
    global: Identity,
}

/// An object's address.
type Identity = usize;

fn identity(object: &Object) -> Identity {
    // SAFETY: an object's pointer is its identity; it is not followed.
    unsafe { qjs::JS_VALUE_GET_PTR(object.as_raw()) as Identity }
}

impl Guard {
    /// Call before anything else has run in the realm.
    pub(crate) fn new(ctx: &Ctx) -> Result<Guard> {
        let parts: Array = evaluate(ctx, "guard.js", SCRIPT)?.call(())?;
        let special = |index| parts.get::<Object>(index).map(|object| identity(&object));
        Ok(Guard {
            make_overridable: Persistent::save(ctx, parts.get::<Function>(0)?),
            object_prototype: special(1)?,
            function_prototype: special(2)?,
            error_prototype: special(3)?,
            array_prototype: special(4)?,
            global: identity(&ctx.globals()),
        })
    }

    /// Makes a value unwritable, and all that it leads to.
    pub(crate) fn protect<'js>(&self, ctx: &Ctx<'js>, worker: &Worker, value: &Value<'js>) -> Result<()> {
        let walk =
            Walk { ctx, guard: self, worker, make_overridable: self.make_overridable.clone().restore(ctx)? };
        let mut ahead = vec![value.clone()];
        while let Some(value) = ahead.pop() {
            if let Some(object) = object_of(&value).filter(|object| walk.is_open(object)) {
                walk.protect(object, &mut ahead)?;
            }
        }
        Ok(())
    }
}

/// One walk through what is not protected yet.
struct Walk<'a, 'js> {
    ctx: &'a Ctx<'js>,
    guard: &'a Guard,
    worker: &'a Worker,
    make_overridable: Function<'js>,
}

impl<'js> Walk<'_, 'js> {
    /// Whether an object is to be protected: what has been cannot be extended.
    fn is_open(&self, object: &Object<'js>) -> bool {
        // SAFETY: a live object of this context.
        unsafe {
            !qjs::JS_IsProxy(object.as_raw())
                && qjs::JS_IsExtensible(self.ctx.as_raw().as_ptr(), object.as_raw()) > 0
        }
    }

    /// Makes one object unwritable, and adds those that it leads to.
    fn protect(&self, object: &Object<'js>, ahead: &mut Vec<Value<'js>>) -> Result<()> {
        let context = self.ctx.as_raw().as_ptr();
        // SAFETY: a live object of this context.
        if unsafe { qjs::JS_PreventExtensions(context, object.as_raw()) } < 0 {
            return Err(Error::Exception);
        }
        ahead.extend(object.get_prototype().map(Object::into_value));
        let (is_global, all_overridden) =
            (identity(object) == self.guard.global, self.all_overridden(object)?);
        for name in Names::of_all(object)?.numbers() {
            let Some(property) = Property::of(object, name)? else { continue };
            let Property { value, getter, setter, flags } = property;
            let has = |flag: u32| flags & flag != 0;
            if has(qjs::JS_PROP_WRITABLE)
                && has(qjs::JS_PROP_CONFIGURABLE)
                && !is_global
                && (all_overridden || self.is_assigned(name)?)
            {
                // SAFETY: the name is alive; the value is ours.
                let key = unsafe { atoms::owned(self.ctx, qjs::JS_AtomToValue(context, name))? };
                let is_enumerable = has(qjs::JS_PROP_ENUMERABLE);
                self.make_overridable.call::<_, ()>((object.clone(), key, value.clone(), is_enumerable))?;
            } else if has(qjs::JS_PROP_GETSET) {
                self.take_away(object, name, flags & qjs::JS_PROP_CONFIGURABLE)?;
            } else if identity(object) != self.guard.array_prototype
                || atoms::text(self.ctx, name)? != "length"
            {
                // Except where lists that are no arrays inherit their length, and assign to it.
                self.take_away(object, name, flags & (qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE))?;
            }
            ahead.extend([value, getter, setter].into_iter().filter(Value::is_object));
        }
        Ok(())
    }

    /// Takes these flags from a property.
    fn take_away(&self, object: &Object<'js>, name: u32, flags: u32) -> Result<()> {
        if flags == 0 {
            return Ok(());
        }
        let mentioned = flags << qjs::JS_PROP_HAS_SHIFT | qjs::JS_PROP_THROW;
        let nothing = qjs::JS_UNDEFINED;
        let context = self.ctx.as_raw().as_ptr();
        // SAFETY: object and name are alive.
        let status = unsafe {
            qjs::JS_DefineProperty(
                context,
                object.as_raw(),
                name,
                nothing,
                nothing,
                nothing,
                mentioned as i32,
            )
        };
        if status < 0 { Err(Error::Exception) } else { Ok(()) }
    }

    /// Whether what is inherited from an object can be overridden whatever its name.
    ///
    /// Assigning to a property that an object inherits makes it the object's own, but not when it inherits something
    /// unwritable. So where scripts do that, what is inherited becomes an accessor that does it for them: wherever they
    /// assign to such a name, and whatever the name where names often come from data.
    fn all_overridden(&self, home: &Object<'js>) -> Result<bool> {
        let guard = self.guard;
        if [guard.object_prototype, guard.function_prototype].contains(&identity(home)) {
            return Ok(true);
        }
        let mut parents = std::iter::successors(Some(home.clone()), Object::get_prototype);
        if parents.any(|object| identity(&object) == guard.error_prototype) {
            return Ok(true);
        }
        // SAFETY: a live object of this context.
        let is_function = unsafe { qjs::JS_IsFunction(self.ctx.as_raw().as_ptr(), home.as_raw()) };
        let any_name = self.worker.script.assigned_names().contains("*");
        Ok(any_name && !is_function && self.has_constructor(home)?)
    }

    fn has_constructor(&self, home: &Object<'js>) -> Result<bool> {
        let name =
            HeldAtom::new(self.ctx, Atom::from_predefined(self.ctx.clone(), PredefinedAtom::Constructor));
        Ok(Property::of(home, name.number())?.is_some())
    }

    /// Whether the script assigns to properties of this name, somewhere.
    fn is_assigned(&self, name: u32) -> Result<bool> {
        let assigned = self.worker.script.assigned_names();
        Ok(!assigned.is_empty() && assigned.contains(&atoms::text(self.ctx, name)?))
    }
}

/// A property as it is.
struct Property<'js> {
    value: Value<'js>,
    getter: Value<'js>,
    setter: Value<'js>,
    flags: u32,
}

impl<'js> Property<'js> {
    fn of(object: &Object<'js>, name: u32) -> Result<Option<Property<'js>>> {
        let ctx = object.ctx();
        let nothing = qjs::JS_UNDEFINED;
        let mut found =
            qjs::JSPropertyDescriptor { flags: 0, value: nothing, getter: nothing, setter: nothing };
        // SAFETY: object and name are alive.
        match unsafe { qjs::JS_GetOwnProperty(ctx.as_raw().as_ptr(), &mut found, object.as_raw(), name) } {
            0 => Ok(None),
            1.. => {
                // SAFETY: the values are ours.
                let owned = |value| unsafe { Value::from_raw(ctx.clone(), value) };
                let [value, getter, setter] = [found.value, found.getter, found.setter].map(owned);
                Ok(Some(Property { value, getter, setter, flags: found.flags as u32 }))
            }
            _ => Err(Error::Exception),
        }
    }
}
