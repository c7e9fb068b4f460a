//! `k6/metrics`: `Counter`, `Gauge`, `Rate`, `Trend`.

use rquickjs::{
    Class, Coerced, Ctx, JsLifetime, Object, Result, Value,
    class::{Trace, Tracer},
    function::{Constructor, Opt},
};
use squall_metrics::{Contains, MetricId, MetricKind};

use super::tags_of;
use crate::{classes, errors::throw_go, vu};

pub(crate) fn exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    for (name, kind) in [
        ("Counter", MetricKind::Counter),
        ("Gauge", MetricKind::Gauge),
        ("Rate", MetricKind::Rate),
        ("Trend", MetricKind::Trend),
    ] {
        module.set(name, constructor(ctx, name, kind)?)?;
    }
    Ok(module)
}

/// A metric in a script's hands.
#[derive(JsLifetime)]
#[rquickjs::class]
struct Metric {
    #[qjs(skip_trace)]
    id: MetricId,
    #[qjs(skip_trace)]
    name: String,
}

impl<'js> Trace<'js> for Metric {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

#[rquickjs::methods]
impl Metric {
    #[qjs(get, enumerable)]
    fn name(&self) -> String {
        self.name.clone()
    }

    /// Adds a sample; false when the value is no number. With `options.throw` that is an exception.
    fn add<'js>(&self, ctx: Ctx<'js>, value: Opt<Value<'js>>, tags: Opt<Value<'js>>) -> Result<bool> {
        let vu = vu::current();
        if vu.in_init() {
            return Err(throw_go(&ctx, "samples can be added only in the functions that VUs run"));
        }
        let value = match value.0.as_ref().map(sample_value) {
            Some(Ok(Some(value))) => value,
            Some(Err(error)) => return Err(error),
            _ => {
                let shown = value.0.map_or("undefined".to_owned(), |value| crate::console::inspect(&value));
                return refuse(
                    &ctx,
                    &format!("'{shown}' is no value for metric '{}': a number or a boolean is", self.name),
                );
            }
        };
        let mut set = vu.tags.current();
        if let Some(tags) = tags.0 {
            set = vu.worker.tag_cache.with_custom(&set, &mut tags_of(&ctx, &tags)?);
        }
        let metadata = vu.sample_metadata();
        let mut recorder = vu.worker.recorder.borrow_mut();
        let series = recorder.series(self.id, &set);
        recorder.record_with(series, value, vu.worker.clock.now(), metadata.as_ref());
        Ok(true)
    }
}

/// Numbers, numeric strings and booleans are samples; nothing else is.
fn sample_value(value: &Value) -> Result<Option<f64>> {
    if value.is_null() || value.is_undefined() {
        return Ok(None);
    }
    if let Some(truth) = value.as_bool() {
        return Ok(Some(f64::from(u8::from(truth))));
    }
    let number = match value.as_number() {
        Some(number) => number,
        None => value.get::<Coerced<f64>>()?.0,
    };
    Ok((!number.is_nan()).then_some(number))
}

fn refuse(ctx: &Ctx, message: &str) -> Result<bool> {
    if vu::current().worker.settings.throw {
        return Err(throw_go(ctx, message));
    }
    tracing::warn!("{message}");
    Ok(false)
}

fn constructor<'js>(ctx: &Ctx<'js>, class: &'static str, kind: MetricKind) -> Result<Constructor<'js>> {
    let make = move |ctx: Ctx<'js>,
                     name: Opt<Value<'js>>,
                     is_time: Opt<Coerced<bool>>|
          -> Result<Class<'js, Metric>> {
        let vu = vu::current();
        if !vu.in_init() {
            return Err(throw_go(
                &ctx,
                "metrics can be made only while the script is loaded, outside of the functions that VUs run",
            ));
        }
        let name = match name.0.as_ref().and_then(Value::as_string) {
            Some(name) => name.to_string()?,
            None => return Err(throw_go(&ctx, &format!("{class} needs the metric's name, a string"))),
        };
        let contains =
            if is_time.0.is_some_and(|is_time| is_time.0) { Contains::Time } else { Contains::Default };
        let id = vu
            .worker
            .registry
            .register(&name, kind, contains)
            .map_err(|error| throw_go(&ctx, &error.to_string()))?;
        classes::instance(&ctx, Metric { id, name })
    };
    // A prototype of its own, so that `instanceof` tells a Trend from a Rate.
    let prototype = Object::new(ctx.clone())?;
    prototype.set_prototype(Some(&classes::prototype::<Metric>(ctx)?))?;
    let constructor = Constructor::new_prototype(ctx, prototype, make)?;
    constructor.set_name(class)?;
    Ok(constructor)
}
