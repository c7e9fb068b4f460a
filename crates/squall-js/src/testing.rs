//! Evaluates scripts in a bare context, for tests of what needs no VU.

use rquickjs::{Context, Ctx, Error, Object, Result, Runtime, Value};

/// What a script evaluates to, as JSON: of a promise, what it settles to. Of an exception, its name and message.
#[track_caller]
pub(crate) fn evaluate(install: for<'js> fn(&Ctx<'js>) -> Result<()>, script: &str) -> String {
    let runtime = Runtime::new().unwrap();
    let context = Context::full(&runtime).unwrap();
    context.with(|ctx| {
        install(&ctx).unwrap();
        match settle(&ctx, script) {
            Ok(value) => ctx
                .json_stringify(value)
                .unwrap()
                .map_or("undefined".to_owned(), |json| json.to_string().unwrap()),
            Err(Error::Exception) => {
                let thrown: Object = ctx.catch().get().unwrap();
                let text = |key: &str| thrown.get::<_, String>(key).unwrap();
                format!("{}: {}", text("name"), text("message"))
            }
            Err(error) => error.to_string(),
        }
    })
}

fn settle<'js>(ctx: &Ctx<'js>, script: &str) -> Result<Value<'js>> {
    let value: Value = ctx.eval(script)?;
    match value.as_promise() {
        Some(promise) => promise.finish(),
        None => Ok(value),
    }
}
