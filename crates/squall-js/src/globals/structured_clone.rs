//! `structuredClone`, written in JavaScript.

use rquickjs::{Ctx, Function, Result, Value, context::EvalOptions};

pub(super) fn structured_clone<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let mut options = EvalOptions::default();
    options.filename = Some("structured_clone.js".to_owned());
    let define: Function = ctx.eval_with_options(include_str!("structured_clone.js"), options)?;
    define.call(())
}

#[cfg(test)]
mod tests;
