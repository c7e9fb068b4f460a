//! `__ENV`: the environment a script sees, with its scenario's additions.
//!
//! It is made when first read and an ordinary property from then on: what a script writes to it stays until its VU
//! works for another scenario.

use rquickjs::{Ctx, Object, Result, Value};

use crate::vu::{self, VuState};

/// Puts it on the global object.
pub(super) fn install(ctx: &Ctx) -> Result<()> {
    super::define_lazy(&ctx.globals(), "__ENV", make)
}

/// Has it made anew if it was made for another scenario.
pub(crate) fn follow_scenario(ctx: &Ctx, vu: &VuState) -> Result<()> {
    let is_of_another = vu.env_made_for.borrow().as_deref().is_some_and(|name| name != scenario_name(vu));
    if is_of_another {
        vu.env_made_for.replace(None);
        install(ctx)?;
    }
    Ok(())
}

fn make<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let vu = vu::current();
    let scenario = vu.scenario.borrow().clone();
    let object = Object::new(ctx.clone())?;
    let of_scenario = scenario.iter().flat_map(|scenario| &scenario.config.env);
    for (key, value) in vu.worker.settings.env.iter().chain(of_scenario) {
        object.set(key.as_str(), value.as_str())?;
    }
    vu.env_made_for.replace(Some(scenario_name(&vu)));
    Ok(object.into_value())
}

/// Empty outside of scenarios.
fn scenario_name(vu: &VuState) -> String {
    vu.scenario.borrow().as_ref().map_or_else(String::new, |scenario| scenario.config.name.clone())
}
