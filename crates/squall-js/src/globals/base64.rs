//! `atob` and `btoa`.
use rquickjs::{Ctx, Result, Value};

pub(super) fn atob<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    Ok(Value::new_undefined(ctx.clone()))
}

pub(super) fn btoa<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    Ok(Value::new_undefined(ctx.clone()))
}
