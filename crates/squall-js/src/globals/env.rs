//! `__ENV`: the environment a script sees, with its scenario's additions. Made when first read.

use rquickjs::{Ctx, Object, Persistent, Result, Value};

use crate::vu;

/// The object of the current scenario; what a script writes to it stays until the scenario changes.
pub(super) fn env<'js>(ctx: Ctx<'js>) -> Result<Value<'js>> {
    let vu = vu::current();
    let scenario = vu.scenario.borrow().clone();
    let name = scenario.as_ref().map_or("", |scenario| scenario.config.name.as_str());
    if let Some((known, object)) = &*vu.env.borrow()
        && known == name
    {
        return object.clone().restore(&ctx);
    }
    let object = Object::new(ctx.clone())?;
    let of_scenario = scenario.iter().flat_map(|scenario| &scenario.config.env);
    for (key, value) in vu.worker.settings.env.iter().chain(of_scenario) {
        object.set(key.as_str(), value.as_str())?;
    }
    let value = object.into_value();
    *vu.env.borrow_mut() = Some((name.to_owned(), Persistent::save(&ctx, value.clone())));
    Ok(value)
}

/// `__ENV = {…}` replaces it, as for any global.
pub(super) fn set_env<'js>(ctx: Ctx<'js>, value: Value<'js>) {
    let vu = vu::current();
    let name = vu.scenario.borrow().as_ref().map_or(String::new(), |scenario| scenario.config.name.clone());
    *vu.env.borrow_mut() = Some((name, Persistent::save(&ctx, value)));
}
