//! `console`: what scripts print, as log events of source `console`.

use rquickjs::{Coerced, Ctx, Function, Object, Result, Value, function::Rest};

/// The global `console`. `debug` shows only in verbose runs.
pub(crate) fn console<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let console = Object::new(ctx.clone())?;
    let define = |name: &str, print: fn(&str)| -> Result<()> {
        let function = Function::new(ctx.clone(), move |values: Rest<Value<'js>>| print(&line(&values)))?;
        console.set(name, function.with_name(name)?)
    };
    define("log", |line| tracing::info!(source = "console", "{line}"))?;
    define("info", |line| tracing::info!(source = "console", "{line}"))?;
    define("debug", |line| tracing::debug!(source = "console", "{line}"))?;
    define("warn", |line| tracing::warn!(source = "console", "{line}"))?;
    define("error", |line| tracing::error!(source = "console", "{line}"))?;
    Ok(console)
}

/// The values with a space between them; `%` means nothing.
fn line(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(inspect).collect();
    texts.join(" ")
}

/// A value as `console` shows it: objects as JSON, as in k6 v1; what JSON cannot say as `String` says it.
pub(crate) fn inspect(value: &Value) -> String {
    if let Some(symbol) = value.as_symbol() {
        return symbol
            .description()
            .and_then(|text| text.get::<Coerced<String>>())
            .map_or_else(|_| String::new(), |text| text.0);
    }
    if value.is_object() {
        let ctx = value.ctx();
        match ctx.json_stringify(value.clone()) {
            Ok(Some(json)) => return json.to_string().unwrap_or_default(),
            Ok(None) => return "null".to_owned(),
            // Cycles and big integers; `String` below.
            Err(_) => drop(ctx.catch()),
        }
    }
    match value.get::<Coerced<String>>() {
        Ok(text) => text.0,
        Err(_) => {
            value.ctx().catch();
            format!("[{}]", value.type_name())
        }
    }
}
