//! `k6`: `check`, `group`, `sleep`, `fail`, `randomSeed`.

use std::{cell::RefCell, sync::Arc, time::Duration};

use rand::{SeedableRng, rngs::SmallRng};
use rquickjs::{Coerced, Ctx, Function, Object, Result, Value, function::Opt, qjs};
use rustc_hash::FxHashMap;
use squall_metrics::{SeriesId, TagSet, builtin};
use squall_options::SystemTag;

use super::{Text, is_async, object_of, tags_of};
use crate::{
    atoms::{self, HeldAtom, Names},
    errors::throw_go,
    tags::CustomTags,
    vu::{self, VuState},
};

/// Separates the names in a group's path.
const SEPARATOR: &str = "::";

pub(crate) fn exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    module.set("check", Function::new(ctx.clone(), check)?.with_name("check")?)?;
    module.set("fail", Function::new(ctx.clone(), fail)?.with_name("fail")?)?;
    module.set("group", Function::new(ctx.clone(), group)?.with_name("group")?)?;
    module.set("randomSeed", Function::new(ctx.clone(), random_seed)?.with_name("randomSeed")?)?;
    module.set("sleep", Function::new(ctx.clone(), sleep)?.with_name("sleep")?)?;
    Ok(module)
}

/// Every entry of `checks` is called with `value`, or taken as it is; each gives a sample. True when all hold.
fn check<'js>(
    ctx: Ctx<'js>,
    value: Opt<Value<'js>>,
    checks: Opt<Value<'js>>,
    tags: Opt<Value<'js>>,
) -> Result<bool> {
    let vu = vu::current();
    if vu.in_init() {
        return Err(throw_go(&ctx, "check() works only in the functions that VUs run"));
    }
    let value = value.0.unwrap_or_else(|| Value::new_undefined(ctx.clone()));
    let Some(checks) = checks.0.as_ref().and_then(object_of) else {
        return Err(throw_go(&ctx, "check() needs an object of checks as its second argument"));
    };
    let now = vu.worker.clock.now();
    let mut custom = tags.0.map_or_else(|| Ok(CustomTags::default()), |tags| tags_of(&ctx, &tags))?;
    let metadata = vu.sample_metadata();
    let mut all_hold = true;
    for name in Names::of(checks)?.numbers() {
        let check = atoms::get(checks, name)?;
        let series = check_series(&ctx, &vu, checks, name, &mut custom)?;
        let outcome = hold(&ctx, &vu, &check, &value);
        if matches!(outcome, Err(CheckError::Async)) {
            return Err(throw_go(
                &ctx,
                "check() does not take async functions: await first, then check the result",
            ));
        }
        let holds = matches!(outcome, Ok(true));
        all_hold &= holds;
        let sample = f64::from(u8::from(holds));
        vu.worker.recorder.borrow_mut().record_with(series, sample, now, metadata.as_ref());
        if let Err(CheckError::Thrown(error)) = outcome {
            return Err(error);
        }
    }
    Ok(all_hold)
}

/// Series of checks that were seen before, by the check's name and the tags around it.
#[derive(Default)]
pub(crate) struct CheckSeries(RefCell<FxHashMap<(u32, *const TagSet), CheckEntry>>);

struct CheckEntry {
    series: SeriesId,
    /// Keep what the key is made of from being somebody else's.
    _name: HeldAtom,
    _tags: Arc<TagSet>,
}

/// Entries before [`CheckSeries`] starts afresh: names with ids in them must not grow it for ever.
const CHECKS_LIMIT: usize = 4096;

/// The series of a check, whose name is looked at when it is new.
fn check_series<'js>(
    ctx: &Ctx<'js>,
    vu: &VuState,
    checks: &Object<'js>,
    name: u32,
    custom: &mut CustomTags,
) -> Result<SeriesId> {
    let around = vu.tags.current();
    let key = (name, Arc::as_ptr(&around));
    let mut known = vu.realm.check_series.0.borrow_mut();
    if let Some(entry) = known.get(&key).filter(|_| custom.is_empty()) {
        return Ok(entry.series);
    }
    let text = atoms::text(ctx, name)?;
    if text.contains(SEPARATOR) {
        return Err(throw_go(ctx, "names of groups and checks cannot contain \"::\""));
    }
    let mut tags = Arc::clone(&around);
    if vu.worker.settings.has_tag(SystemTag::Check) {
        tags = vu.worker.tag_cache.with(&tags, SystemTag::Check.name(), &text);
    }
    if !custom.is_empty() {
        tags = vu.worker.tag_cache.with_custom(&tags, custom);
        return Ok(vu.worker.recorder.borrow_mut().series(builtin::CHECKS, &tags));
    }
    let series = vu.worker.recorder.borrow_mut().series(builtin::CHECKS, &tags);
    if known.len() >= CHECKS_LIMIT {
        known.clear();
    }
    vu.realm.shapes.keep_of_names(ctx, checks)?;
    let entry = CheckEntry { series, _name: HeldAtom::of(ctx, name), _tags: around };
    known.insert(key, entry);
    Ok(series)
}

enum CheckError {
    Thrown(rquickjs::Error),
    Async,
}

impl From<rquickjs::Error> for CheckError {
    fn from(error: rquickjs::Error) -> CheckError {
        CheckError::Thrown(error)
    }
}

fn hold<'js>(
    ctx: &Ctx<'js>,
    vu: &VuState,
    check: &Value<'js>,
    value: &Value<'js>,
) -> std::result::Result<bool, CheckError> {
    let context = ctx.as_raw().as_ptr();
    // SAFETY: a live value.
    if !unsafe { qjs::JS_IsFunction(context, check.as_raw()) } {
        return Ok(truth(check)?);
    }
    let mut argument = value.as_raw();
    // SAFETY: function and argument are lent, the outcome is ours.
    let outcome = unsafe {
        let outcome = qjs::JS_Call(context, check.as_raw(), qjs::JS_UNDEFINED, 1, &mut argument);
        atoms::owned(ctx, outcome)?
    };
    if object_of(&outcome).is_some_and(|outcome| outcome.is_promise())
        && check.as_function().is_some_and(is_async)
    {
        return Err(CheckError::Async);
    }
    // A check that waited while its VU was stopped must not be counted.
    if vu.is_stopped() {
        return Err(crate::errors::throw_interrupted(ctx).into());
    }
    Ok(truth(&outcome)?)
}

fn truth(value: &Value) -> Result<bool> {
    match value.as_bool() {
        Some(truth) => Ok(truth),
        None => Ok(value.get::<Coerced<bool>>()?.0),
    }
}

/// Runs `body` with the group's name added to the `group` tag and measures how long it took.
fn group<'js>(ctx: Ctx<'js>, name: rquickjs::String<'js>, body: Value<'js>) -> Result<Value<'js>> {
    let vu = vu::current();
    if vu.in_init() {
        return Err(throw_go(&ctx, "group() works only in the functions that VUs run"));
    }
    let name = Text::of(&name)?;
    if name.contains(SEPARATOR) {
        return Err(throw_go(&ctx, "names of groups and checks cannot contain \"::\""));
    }
    let Some(body) = body.as_function() else {
        return Err(throw_go(&ctx, "group() needs a function as its second argument"));
    };
    if is_async(body) {
        return Err(throw_go(
            &ctx,
            "group() does not take async functions: its tag would be gone after the first await",
        ));
    }
    let outer = vu.tags.current();
    let outer_path = outer.get(SystemTag::Group.name()).unwrap_or_default();
    set_group(&vu, &[outer_path, SEPARATOR, &name]);
    let tags = vu.tags.current();
    let started = vu.worker.clock.now();
    let result = body.call::<_, Value>(());
    let ended = vu.worker.clock.now();
    if !vu.is_stopped() {
        let metadata = vu.sample_metadata();
        let mut recorder = vu.worker.recorder.borrow_mut();
        let series = recorder.series(builtin::GROUP_DURATION, &tags);
        recorder.record_with(series, (ended - started).as_secs_f64() * 1e3, ended, metadata.as_ref());
    }
    // Tags that the body set stay; only the group goes back.
    set_group(&vu, &[outer_path]);
    result
}

/// Sets the `group` tag, where it is wanted, to a path in parts.
pub(crate) fn set_group(vu: &VuState, path: &[&str]) {
    if vu.worker.settings.has_tag(SystemTag::Group) {
        let tags = vu.worker.tag_cache.with_path(&vu.tags.current(), SystemTag::Group.name(), path);
        vu.tags.replace(tags);
    }
}

/// Blocks the VU for so many seconds.
fn sleep(ctx: Ctx, seconds: Coerced<f64>) -> Result<()> {
    let seconds = seconds.0;
    if seconds.is_nan() || seconds <= 0.0 {
        return Ok(());
    }
    let duration = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let vu = vu::current();
    vu::block_on(&ctx, vu.worker.clock.sleep(duration))
}

fn fail<'js>(ctx: Ctx<'js>, message: Opt<Coerced<String>>) -> Result<()> {
    Err(throw_go(&ctx, message.0.as_ref().map_or("", |message| &message.0)))
}

/// Makes this VU's `Math.random` a sequence that the seed decides.
fn random_seed(seed: Coerced<f64>) {
    *vu::current().random.borrow_mut() = SmallRng::seed_from_u64(seed.0 as i64 as u64);
}
