//! What scripts find on the global object. Rarely used globals are made when first touched.

use rquickjs::{
    Ctx, Function, Object, Persistent, Result, Value,
    object::{Accessor, Property},
};

use crate::{
    console, errors, modules,
    vu::{self, Stage},
};

pub(crate) mod env;
mod open;
mod structured_clone;
mod text_encoding;
mod url;

type Build = for<'js> fn(&Ctx<'js>) -> Result<Value<'js>>;

/// Globals that cost nothing until a script touches them.
const LAZY: &[(&str, Build)] = &[
    ("TextDecoder", text_encoding::decoder),
    ("TextEncoder", text_encoding::encoder),
    ("URL", url::url),
    ("URLSearchParams", url::search_params),
    ("crypto", modules::crypto::web_crypto),
    ("structuredClone", structured_clone::structured_clone),
];

/// Equips a new context.
pub(crate) fn install(ctx: &Ctx) -> Result<()> {
    let globals = ctx.globals();
    globals.prop("global", Property::from(globals.clone()).writable().configurable())?;
    globals.set("console", console::console(ctx)?)?;
    globals.set("open", Function::new(ctx.clone(), open::open)?.with_name("open")?)?;
    let script = std::sync::Arc::clone(&vu::current().worker.script);
    globals.set("require", script.require_function(ctx, script.graph().entry)?)?;
    globals
        .set("queueMicrotask", Function::new(ctx.clone(), queue_microtask)?.with_name("queueMicrotask")?)?;
    for name in ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] {
        define_lazy(&globals, name, move |ctx| modules::load(ctx, "k6/timers")?.get(name))?;
    }
    for &(name, build) in LAZY {
        define_lazy(&globals, name, build)?;
    }
    define_lazy(&globals, "GoError", go_error)?;
    // This VU's number; zero outside of iterations' VUs.
    globals.prop("__VU", Accessor::from(|| vu::current().id_in_test).configurable())?;
    globals.prop("__ITER", Accessor::from(iteration_number).configurable())?;
    env::install(ctx)?;
    install_random(ctx)?;
    install_performance(ctx, &globals)
}

/// A property that is made when it is first read, and is ordinary from then on, except on a global object that VUs share
/// and may not write to.
fn define_lazy<'js>(
    globals: &Object<'js>,
    name: &'static str,
    build: impl for<'a> Fn(&Ctx<'a>) -> Result<Value<'a>> + 'static,
) -> Result<()> {
    let make_ordinary = move |ctx: &Ctx<'js>, value: Value<'js>| {
        ctx.globals().prop(name, Property::from(value).writable().configurable())
    };
    let get = move |ctx: Ctx<'js>| -> Result<Value<'js>> {
        let realm = &vu::current().realm;
        if let Some(made) = realm.made_globals.borrow().get(name) {
            return made.clone().restore(&ctx);
        }
        let value = build(&ctx)?;
        realm.guard(&ctx, &value)?;
        if realm.is_shared {
            realm.made_globals.borrow_mut().insert(name, Persistent::save(&ctx, value.clone()));
        } else {
            make_ordinary(&ctx, value.clone())?;
        }
        Ok(value)
    };
    let set = move |ctx: Ctx<'js>, value: Value<'js>| make_ordinary(&ctx, value);
    globals.prop(name, Accessor::new(get, set).configurable())
}

/// `__ITER`: undefined until iterations run.
fn iteration_number() -> Option<u64> {
    let vu = vu::current();
    (vu.stage.get() == Stage::Iteration).then(|| vu.iteration.get().in_vu)
}

fn queue_microtask(callback: Function) -> Result<()> {
    callback.defer(())
}

/// The class of errors that host functions throw.
fn go_error<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    let make = |ctx: Ctx<'js>, message: rquickjs::function::Opt<rquickjs::Coerced<String>>| {
        errors::go_error(&ctx, message.0.as_ref().map_or("", |message| &message.0))
    };
    let constructor = rquickjs::function::Constructor::new_prototype(ctx, Object::new(ctx.clone())?, make)?;
    Ok(constructor.into_value())
}

/// QuickJS seeds `Math.random` with the time in microseconds: VUs made together would draw alike.
fn install_random(ctx: &Ctx) -> Result<()> {
    let math: Object = ctx.globals().get("Math")?;
    let random = || rand::RngExt::random::<f64>(&mut *vu::current().random.borrow_mut());
    math.prop(
        "random",
        Property::from(Function::new(ctx.clone(), random)?.with_name("random")?).writable().configurable(),
    )
}

/// `performance.now()` counts milliseconds from the run's start; `timeOrigin` is that moment.
fn install_performance<'js>(ctx: &Ctx<'js>, globals: &Object<'js>) -> Result<()> {
    let performance = Object::new(ctx.clone())?;
    let now_ms = || vu::current().worker.clock.now().as_secs_f64() * 1e3;
    performance.set("now", Function::new(ctx.clone(), now_ms)?.with_name("now")?)?;
    let origin =
        vu::current().worker.run.started_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    performance.set("timeOrigin", origin.as_secs_f64() * 1e3)?;
    globals.prop("performance", Property::from(performance).writable().configurable())
}
