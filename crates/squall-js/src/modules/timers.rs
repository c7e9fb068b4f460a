//! `k6/timers`, and the global timer functions, which are the same.

use std::time::Duration;

use rquickjs::{
    Coerced, Ctx, Function, Object, Result, Value,
    function::{Opt, Rest},
};

use crate::{errors::throw_go, vu};

pub(crate) fn exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    module.set("setTimeout", Function::new(ctx.clone(), set_timeout)?.with_name("setTimeout")?)?;
    module.set("clearTimeout", Function::new(ctx.clone(), clear)?.with_name("clearTimeout")?)?;
    module.set("setInterval", Function::new(ctx.clone(), set_interval)?.with_name("setInterval")?)?;
    module.set("clearInterval", Function::new(ctx.clone(), clear)?.with_name("clearInterval")?)?;
    Ok(module)
}

fn set_timeout<'js>(
    ctx: Ctx<'js>,
    callback: Value<'js>,
    delay_ms: Opt<Coerced<f64>>,
    arguments: Rest<Value<'js>>,
) -> Result<u64> {
    set(&ctx, "setTimeout", callback, delay_ms, false, arguments)
}

fn set_interval<'js>(
    ctx: Ctx<'js>,
    callback: Value<'js>,
    delay_ms: Opt<Coerced<f64>>,
    arguments: Rest<Value<'js>>,
) -> Result<u64> {
    set(&ctx, "setInterval", callback, delay_ms, true, arguments)
}

fn set<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    callback: Value<'js>,
    delay_ms: Opt<Coerced<f64>>,
    repeat: bool,
    arguments: Rest<Value<'js>>,
) -> Result<u64> {
    let Some(callback) = callback.into_function() else {
        return Err(throw_go(ctx, &format!("{name}() needs a function as its first argument")));
    };
    let delay_ms = delay_ms.0.map_or(0.0, |delay| delay.0).max(0.0);
    let delay = Duration::try_from_secs_f64(delay_ms / 1e3).unwrap_or_default();
    Ok(vu::current().events.set_timer(ctx, callback, delay, repeat, arguments.0))
}

/// An id that is no timer's is ignored, as in browsers.
fn clear(id: Opt<Coerced<f64>>) {
    if let Some(id) = id.0 {
        vu::current().events.clear_timer(id.0 as u64);
    }
}
