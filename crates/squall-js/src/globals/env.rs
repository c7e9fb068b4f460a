//! `__ENV`: the environment a script sees, with its scenario's additions.
//!
//! It is made when first read: what a script writes to it stays until its VU works for another scenario.

use rquickjs::{Ctx, Object, Persistent, Result, Value, object::Accessor};

use crate::vu::{self, VuState};

/// Puts it on the global object, which VUs may share: it is the running one's.
pub(super) fn install(ctx: &Ctx) -> Result<()> {
    ctx.globals().prop("__ENV", Accessor::new(get, set).configurable())
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
    let object = Object::new(ctx.clone())?;
    let scenario = vu.scenario.borrow().clone();
    let of_scenario = scenario.iter().flat_map(|scenario| &scenario.config.env);
    for (key, value) in vu.worker.settings.env.iter().chain(of_scenario) {
        object.set(key.as_str(), value.as_str())?;
    }
    let value = object.into_value();
    vu.env.replace(Some(Persistent::save(&ctx, value.clone())));
    Ok(value)
}

fn set<'js>(ctx: Ctx<'js>, value: Value<'js>) {
    vu::current().env.replace(Some(Persistent::save(&ctx, value)));
}
