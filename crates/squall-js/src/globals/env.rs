//! `__ENV`: the environment a script sees, with its scenario's additions.
//!
//! A VU has its own, made when first read: what its script writes to it stays until it works for another scenario. Where
//! VUs share a realm, the script only reads it and no scenario adds to it, they share one: an environment has a hundred
//! variables, and copies of it would be most of what making a VU takes.

use std::collections::BTreeMap;

use rquickjs::{
    Ctx, Object, Persistent, Result, Value,
    object::{Accessor, Property},
};

use crate::vu::{self, VuState};

/// Puts it on the global object, which VUs may share.
pub(super) fn install(ctx: &Ctx) -> Result<()> {
    let vu = vu::current();
    let scenarios = vu.worker.settings.options.scenarios.iter().flat_map(|scenarios| scenarios.0.values());
    let is_common = vu.realm.is_shared
        && vu.worker.script.only_reads_env()
        && scenarios.into_iter().all(|scenario| scenario.scenario.env.is_empty());
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
    let value = object(&ctx, std::iter::once(&vu.worker.settings.env).chain(of_scenario))?.into_value();
    vu.env.replace(Some(Persistent::save(&ctx, value.clone())));
    Ok(value)
}

fn set<'js>(ctx: Ctx<'js>, value: Value<'js>) {
    vu::current().env.replace(Some(Persistent::save(&ctx, value)));
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
