//! `__ENV`: the environment a script sees, with its scenario's additions.
//!
//! A VU has its own, made when first read: what its script writes to it stays until it works for another scenario. Where
//! VUs share a realm, the script only reads it and no scenario adds to it, they share one: an environment has a hundred
//! variables, and copies of it would be most of what making a VU takes.

use std::collections::BTreeMap;

use rquickjs::{
    Coerced, Ctx, Exception, Function, Object, Persistent, Proxy, Result, Value,
    object::{Accessor, Property},
    proxy::ProxyHandler,
};

use crate::vu::{self, VuState};

/// Puts it on the global object, which VUs may share.
pub(super) fn install(ctx: &Ctx) -> Result<()> {
    let vu = vu::current();
    let mut scenarios =
        vu.worker.settings.options.scenarios.iter().flat_map(|scenarios| scenarios.0.values());
    let is_common = vu.realm.is_shared
        && vu.worker.script.only_reads_env()
        && scenarios.all(|scenario| scenario.scenario.env.is_empty());
    match is_common {
        true => ctx.globals().prop("__ENV", Property::from(object(ctx, [&vu.worker.settings.env])?)),
        false => ctx.globals().prop("__ENV", Accessor::new(get, set).configurable()),
    }
}

/// Has it made anew for a VU that begins to work for a scenario.
pub(crate) fn reset(vu: &VuState) {
    vu.env.replace(None);
}

fn get<'js>(ctx: Ctx<'js>) -> Result<Value<'js>> {
    let vu = vu::current();
    if let Some(known) = &*vu.env.borrow() {
        return known.clone().restore(&ctx);
    }
    let scenario = vu.scenario.borrow().clone();
    let of_scenario = scenario.iter().map(|scenario| &scenario.config.env);
    let variables = object(&ctx, std::iter::once(&vu.worker.settings.env).chain(of_scenario))?;
    let value = of_text(&ctx, variables)?.into_value();
    vu.env.replace(Some(Persistent::save(&ctx, value.clone())));
    Ok(value)
}

fn set<'js>(ctx: Ctx<'js>, value: Value<'js>) {
    vu::current().env.replace(Some(Persistent::save(&ctx, value)));
}

/// An object whose properties are text, whatever is written to them: `null` and `undefined` are empty, as in k6.
fn of_text<'js>(ctx: &Ctx<'js>, variables: Object<'js>) -> Result<Proxy<'js>> {
    let define = |ctx: Ctx<'js>, variables: Object<'js>, name: Value<'js>, property: Object<'js>| {
        if !property.contains_key("value")? {
            return Err(Exception::throw_type(&ctx, "variables of __ENV stay text that can be written"));
        }
        let value: Value = property.get("value")?;
        let is_empty = value.is_null() || value.is_undefined();
        let text = if is_empty { String::new() } else { value.get::<Coerced<String>>()?.0 };
        variables.prop(name, Property::from(text).writable().enumerable().configurable()).map(|()| true)
    };
    let handler = Object::new(ctx.clone())?;
    // Assignments come here too.
    handler.set("defineProperty", Function::new(ctx.clone(), define)?)?;
    Proxy::new(ctx.clone(), variables, ProxyHandler::from_object(handler)?)
}

/// Variables, of which later ones replace earlier ones.
fn object<'js, 'a>(
    ctx: &Ctx<'js>,
    layers: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    for (key, value) in layers.into_iter().flatten() {
        object.set(key.as_str(), value.as_str())?;
    }
    Ok(object)
}
