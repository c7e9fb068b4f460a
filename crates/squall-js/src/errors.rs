//! Exceptions: how host functions throw them and how they are told to people.

use std::sync::Arc;

use rquickjs::{
    CatchResultExt, CaughtError, CaughtResult, Ctx, Error, Exception, Object, Result, Value, qjs,
};

use crate::{runtime::memory, script::Script, vu};

/// Takes those who called the running host function off the stack of an error: a module that is imported is called by
/// nobody, even if it is a function.
pub(crate) fn without_callers(ctx: &Ctx, error: Error) -> Error {
    if !error.is_exception() {
        return error;
    }
    let thrown = ctx.catch();
    if let Some(object) = thrown.as_object().filter(|object| object.is_error())
        && let Ok(stack) = object.get::<_, String>("stack")
        && let Some(callers) = Exception::from_message(ctx.clone(), "").ok().and_then(|here| here.stack())
        && let Some(own) = stack.strip_suffix(&callers)
    {
        // Without it the error is the same, only longer.
        let _ = object.set("stack", own);
    }
    ctx.throw(thrown)
}

/// Throws what k6's Go code throws: an error named `GoError`.
pub(crate) fn throw_go(ctx: &Ctx, message: &str) -> Error {
    match go_error(ctx, message) {
        Ok(error) => ctx.throw(error.into_value()),
        Err(error) => error,
    }
}

/// An error object named `GoError`, not thrown yet.
pub(crate) fn go_error<'js>(ctx: &Ctx<'js>, message: &str) -> Result<Object<'js>> {
    let error = Exception::from_message(ctx.clone(), message)?.into_object();
    error.prop("name", rquickjs::object::Property::from("GoError").configurable().writable())?;
    error.prop("value", rquickjs::object::Property::from(message).configurable().writable())?;
    Ok(error)
}

/// Throws what no script can catch: the VU has been told to stop.
pub(crate) fn throw_interrupted(ctx: &Ctx) -> Error {
    let Ok(error) = Exception::from_message(ctx.clone(), "interrupted") else { return Error::Allocation };
    // SAFETY: the value is an error of this context.
    unsafe { qjs::JS_SetUncatchableError(ctx.as_raw().as_ptr(), error.as_raw()) };
    error.throw()
}

/// An exception as people read it: `Name: message`, then a line a stack frame, in positions of the source.
pub(crate) fn describe(ctx: &Ctx, error: Error) -> String {
    let is_out_of_memory = memory::take_refused();
    let caught: CaughtResult<()> = Err::<(), _>(error).catch(ctx);
    let text = match caught {
        Ok(()) => String::new(),
        Err(CaughtError::Exception(exception)) => describe_value(ctx, exception.as_value()),
        Err(CaughtError::Value(value)) => describe_value(ctx, &value),
        Err(CaughtError::Error(error)) => error.to_string(),
    };
    if is_out_of_memory { explain_out_of_memory(&text) } else { text }
}

/// Says which limit a script ran into. What it threw may have nothing to do with memory: then it stays as it is.
fn explain_out_of_memory(text: &str) -> String {
    const BARE: &str = "InternalError: out of memory";
    /// What QuickJS says when there is no memory for those words.
    const SPEECHLESS: &str = "InternalError: Invalid error message";
    let stack = match text {
        "null" => "",
        text => match text.strip_prefix(BARE).or_else(|| text.strip_prefix(SPEECHLESS)) {
            Some(stack) => stack,
            None => return text.to_owned(),
        },
    };
    let limit_bytes = vu::current().worker.settings.vu_memory_limit_bytes;
    format!("{BARE}: a VU may hold {limit_bytes} bytes; --vu-memory-limit changes that{stack}")
}

/// Any thrown value as people read it.
pub(crate) fn describe_value(ctx: &Ctx, value: &Value) -> String {
    let Some(object) = value.as_object().filter(|object| object.is_error()) else {
        return plain_text(ctx, value);
    };
    let text = |key: &str| object.get::<_, Option<String>>(key).ok().flatten().unwrap_or_default();
    let (name, message, stack) = (text("name"), text("message"), text("stack"));
    let head = match (name.as_str(), message.as_str()) {
        ("", message) => message.to_owned(),
        (name, "") => name.to_owned(),
        (name, message) => format!("{name}: {message}"),
    };
    let script = Arc::clone(&vu::current().worker.script);
    let stack = source_stack(&script, &stack);
    let frames: String = stack.iter().map(|frame| format!("\n\t{frame}")).collect();
    let line = stack.first().and_then(|frame| source_line(&script, frame)).unwrap_or_default();
    format!("{head}{frames}{line}")
}

/// The message of an error, or the value as text.
pub(crate) fn describe_message(value: &Value) -> String {
    let message =
        value.as_object().and_then(|error| error.get::<_, Option<String>>("message").ok().flatten());
    message.unwrap_or_else(|| plain_text(value.ctx(), value))
}

/// `String(value)`, as far as that works.
fn plain_text(ctx: &Ctx, value: &Value) -> String {
    match value.get::<rquickjs::Coerced<String>>() {
        Ok(text) => text.0,
        Err(_) => {
            ctx.catch();
            format!("[{}]", value.type_name())
        }
    }
}

/// The stack's frames in source positions, native ones left out.
fn source_stack(script: &Script, stack: &str) -> Vec<String> {
    let stack = squall_loader::rewrite_stack(script.graph(), stack);
    let frames = stack.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains("(native)"));
    frames.map(str::to_owned).collect()
}

/// The line of the source that a frame, `at name (file:line:column)` or `at file:line:column`, points to.
fn source_line(script: &Script, frame: &str) -> Option<String> {
    let place = frame
        .strip_suffix(')')
        .and_then(|frame| frame.rsplit_once('('))
        .map_or_else(|| frame.strip_prefix("at ").unwrap_or(frame), |(_, place)| place);
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    let shown = squall_loader::code_frame(script.graph(), file, line.parse().ok()?, column.parse().ok()?);
    (!shown.is_empty()).then(|| format!("\n{shown}"))
}
