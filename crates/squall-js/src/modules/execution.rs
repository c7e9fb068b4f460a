//! `k6/execution`: where in the run this code runs, and how to end the run.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::UNIX_EPOCH,
};

use rquickjs::{
    Coerced, Ctx, Exception, Function, IntoJs, Object, Persistent, Result, Value,
    function::Opt,
    object::{Accessor, Property},
};
use squall_engine::{AbortReason, scenario::ScenarioRun};
use squall_metrics::TagSet;

use super::tag_text;
use crate::{
    errors::{throw_go, throw_interrupted},
    vu::{self, Stage, VuState},
};

/// Parts that tell of what runs: in the init context nothing does.
const PARTS_OF_A_RUN: [&str; 3] = ["instance", "scenario", "vu"];

pub(crate) fn exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    module.set("instance", instance(ctx)?)?;
    module.set("scenario", scenario(ctx)?)?;
    module.set("test", test(ctx)?)?;
    module.set("vu", vu_object(ctx)?)?;
    Ok(module)
}

/// The default export: its parts throw in the init context, while `import { vu }` there is fine, as in k6.
pub(crate) fn default_export<'js>(ctx: &Ctx<'js>, parts: &Object<'js>) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    module.set("test", parts.get::<_, Value>("test")?)?;
    for name in PARTS_OF_A_RUN {
        let part: Value = parts.get(name)?;
        define(&module, name, move |_, _| Ok(part.clone()))?;
    }
    Ok(module)
}

/// A property that is computed at each read, which must not be in the init context.
fn define<'js, T: IntoJs<'js> + 'js>(
    object: &Object<'js>,
    name: &'static str,
    read: impl Fn(&Ctx<'js>, &VuState) -> Result<T> + 'js,
) -> Result<()> {
    let get = move |ctx: Ctx<'js>| {
        let vu = vu::current();
        if vu.in_init() {
            let message = format!("'{name}' of k6/execution exists only in the functions that VUs run");
            return Err(throw_go(&ctx, &message));
        }
        read(&ctx, &vu)
    };
    object.prop(name, Accessor::from(get).enumerable().configurable())
}

fn instance<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let instance = Object::new(ctx.clone())?;
    define(&instance, "currentTestRunDuration", |_, vu| Ok(vu.worker.clock.now().as_secs_f64() * 1e3))?;
    define(&instance, "iterationsCompleted", |_, vu| Ok(vu.run().iterations_completed.load(Relaxed)))?;
    define(&instance, "iterationsInterrupted", |_, vu| Ok(vu.run().iterations_interrupted.load(Relaxed)))?;
    define(&instance, "vusActive", |_, vu| Ok(vu.run().vus_active.load(Relaxed)))?;
    define(&instance, "vusInitialized", |_, vu| Ok(vu.run().vus_initialized.load(Relaxed)))?;
    Ok(instance)
}

fn scenario<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    fn running(ctx: &Ctx, vu: &VuState) -> Result<Arc<ScenarioRun>> {
        let scenario = vu.scenario.borrow().clone().filter(|_| vu.stage.get() == Stage::Iteration);
        scenario.ok_or_else(|| throw_go(ctx, "exec.scenario exists only in the functions that scenarios run"))
    }
    let object = Object::new(ctx.clone())?;
    define(&object, "name", |ctx, vu| Ok(running(ctx, vu)?.config.name.clone()))?;
    define(&object, "executor", |ctx, vu| Ok(running(ctx, vu)?.config.executor.kind_name()))?;
    define(&object, "startTime", |ctx, vu| {
        let started = running(ctx, vu)?.started.get().copied().unwrap_or_default();
        let since_epoch = (vu.run().started_at + started).duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(since_epoch.as_millis() as f64)
    })?;
    define(&object, "progress", |ctx, vu| Ok(running(ctx, vu)?.progress(vu.worker.clock.now())))?;
    define(&object, "iterationInInstance", |ctx, vu| {
        running(ctx, vu)?;
        Ok(vu.iteration.get().in_instance)
    })?;
    define(&object, "iterationInTest", |ctx, vu| {
        running(ctx, vu)?;
        Ok(vu.iteration.get().in_test)
    })?;
    Ok(object)
}

fn test<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let test = Object::new(ctx.clone())?;
    test.set("abort", Function::new(ctx.clone(), abort)?.with_name("abort")?)?;
    test.set("fail", Function::new(ctx.clone(), fail)?.with_name("fail")?)?;
    define(&test, "options", |ctx, vu| {
        if let Some(options) = &*vu.frozen_options.borrow() {
            return options.clone().restore(ctx);
        }
        let options = ctx.json_parse(vu.worker.settings.options_json.as_str())?;
        freeze(ctx, &options)?;
        *vu.frozen_options.borrow_mut() = Some(Persistent::save(ctx, options.clone()));
        Ok(options)
    })?;
    Ok(test)
}

/// Freezes an object and everything in it.
pub(crate) fn freeze<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<()> {
    let Some(object) = value.as_object() else { return Ok(()) };
    for entry in object.props::<rquickjs::Atom, Value>() {
        freeze(ctx, &entry?.1)?;
    }
    // SAFETY: a live object of this context.
    unsafe { rquickjs::qjs::JS_FreezeObject(ctx.as_raw().as_ptr(), object.as_raw()) };
    Ok(())
}

/// Ends the run: running iterations are interrupted, teardown and summary follow.
fn abort(ctx: Ctx, message: Opt<Coerced<String>>) -> Result<()> {
    let vu = vu::current();
    let message = message.0.map_or_else(String::new, |message| message.0);
    let reason =
        if message.is_empty() { "test aborted".to_owned() } else { format!("test aborted: {message}") };
    vu.run().abort(AbortReason::Script(reason));
    vu.stop_now();
    Err(throw_interrupted(&ctx))
}

/// Marks the run as failed; it goes on.
fn fail(ctx: Ctx, message: Opt<Coerced<String>>) -> Result<()> {
    let vu = vu::current();
    if vu.in_init() {
        return Err(throw_go(&ctx, "exec.test.fail() works only in the functions that VUs run"));
    }
    vu.run().marked_failed.store(true, Relaxed);
    tracing::error!("{}", message.0.map_or_else(String::new, |message| message.0));
    Ok(())
}

fn vu_object<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    define(&object, "idInInstance", |_, vu| Ok(vu.id.0))?;
    define(&object, "idInTest", |_, vu| Ok(vu.id_in_test))?;
    define(&object, "iterationInInstance", |_, vu| Ok(vu.iteration.get().in_vu))?;
    define(&object, "iterationInScenario", |_, vu| Ok(vu.iteration.get().in_vu_scenario))?;
    let tags = live_set(
        ctx,
        |vu| Some(vu.tags.current()),
        |vu, tags| {
            vu.tags.replace(tags);
        },
    )?;
    let metadata = live_set(
        ctx,
        |vu| vu.tags.metadata(),
        |vu, tags| {
            vu.tags.set_metadata((!tags.is_empty()).then_some(tags));
        },
    )?;
    let metrics = Object::new(ctx.clone())?;
    metrics.prop("tags", Property::from(tags.clone()).enumerable())?;
    metrics.prop("metadata", Property::from(metadata).enumerable())?;
    object.prop("tags", Property::from(tags).enumerable())?;
    object.prop("metrics", Property::from(metrics).enumerable())?;
    Ok(object)
}

/// An object whose properties are the entries of a tag set of the VU: reading, writing and deleting go there.
fn live_set<'js>(
    ctx: &Ctx<'js>,
    read: fn(&VuState) -> Option<Arc<TagSet>>,
    write: fn(&VuState, Arc<TagSet>),
) -> Result<Value<'js>> {
    let current = move || {
        let vu = vu::current();
        let tags = read(&vu).unwrap_or_else(TagSet::empty);
        (vu, tags)
    };
    let handler = Object::new(ctx.clone())?;
    let get = move |_: Value<'js>, key: Value<'js>| {
        let key = key.as_string().and_then(|key| key.to_string().ok())?;
        current().1.get(&key).map(str::to_owned)
    };
    handler.set("get", Function::new(ctx.clone(), get)?)?;
    let put = move |ctx: &Ctx<'js>, key: String, value: &Value<'js>| -> Result<bool> {
        let (vu, tags) = current();
        let Some(text) = tag_text(value) else {
            let message = format!("tag '{key}' can be a string, a number or a boolean, nothing else");
            return Err(Exception::throw_type(ctx, &message));
        };
        write(&vu, tags.with(key, text.to_owned()));
        Ok(true)
    };
    let set =
        move |ctx: Ctx<'js>, _: Value<'js>, key: Coerced<String>, value: Value<'js>| put(&ctx, key.0, &value);
    handler.set("set", Function::new(ctx.clone(), set)?)?;
    let define = move |ctx: Ctx<'js>, _: Value<'js>, key: Coerced<String>, descriptor: Object<'js>| {
        if descriptor.contains_key("get")? || descriptor.contains_key("set")? {
            return Err(Exception::throw_type(&ctx, &format!("tag '{}' cannot be an accessor", key.0)));
        }
        put(&ctx, key.0, &descriptor.get("value")?)
    };
    handler.set("defineProperty", Function::new(ctx.clone(), define)?)?;
    // The target is the same object for all VUs of a realm: it stays as it is.
    let freeze = move |ctx: Ctx<'js>, _: Value<'js>| -> Result<bool> {
        Err(Exception::throw_type(&ctx, "tags cannot be made to take no more"))
    };
    handler.set("preventExtensions", Function::new(ctx.clone(), freeze)?)?;
    handler.set("setPrototypeOf", Function::new(ctx.clone(), |_: Value<'js>, _: Value<'js>| true)?)?;
    let delete = move |_: Value<'js>, key: Coerced<String>| {
        let (vu, tags) = current();
        write(&vu, tags.without(&key.0));
        true
    };
    handler.set("deleteProperty", Function::new(ctx.clone(), delete)?)?;
    let has = move |_: Value<'js>, key: Value<'js>| {
        key.as_string()
            .and_then(|key| key.to_string().ok())
            .is_some_and(|key| current().1.get(&key).is_some())
    };
    handler.set("has", Function::new(ctx.clone(), has)?)?;
    let keys = move |_: Value<'js>| current().1.iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
    handler.set("ownKeys", Function::new(ctx.clone(), keys)?)?;
    let describe = move |ctx: Ctx<'js>, _: Value<'js>, key: Value<'js>| -> Result<Value<'js>> {
        let key = key.as_string().map(rquickjs::String::to_string).transpose()?.unwrap_or_default();
        let Some(value) = current().1.get(&key).map(str::to_owned) else {
            return Ok(Value::new_undefined(ctx));
        };
        let descriptor = Object::new(ctx)?;
        descriptor.set("value", value)?;
        for flag in ["writable", "enumerable", "configurable"] {
            descriptor.set(flag, true)?;
        }
        Ok(descriptor.into_value())
    };
    handler.set("getOwnPropertyDescriptor", Function::new(ctx.clone(), describe)?)?;
    let proxy: rquickjs::function::Constructor = ctx.globals().get("Proxy")?;
    proxy.construct((Object::new(ctx.clone())?, handler))
}
