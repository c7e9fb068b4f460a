//! `http.batch`: many requests at once, at most `batch` in all and `batchPerHost` to one host.

use std::{collections::HashMap, rc::Rc};

use futures_util::{StreamExt, stream};
use rquickjs::{Array, Ctx, Object, Result, Value, function::Rest};
use squall_http::Response;
use squall_options::defaults;
use tokio::sync::Semaphore;

use super::{
    check_stage, deliver,
    request::{self, Call, CallError},
};
use crate::{errors::throw_go, vu};

/// A list in gives a list out; an object in gives an object with the same keys.
pub(super) fn batch<'js>(ctx: Ctx<'js>, arguments: Rest<Value<'js>>) -> Result<Value<'js>> {
    let vu = vu::current();
    check_stage(&ctx, &vu)?;
    let [requests] = arguments.0.as_slice() else {
        return Err(throw_go(&ctx, "batch() takes one argument: a list or an object of requests"));
    };
    let Some(object) = requests.as_object().filter(|object| !object.is_function()) else {
        return Err(throw_go(
            &ctx,
            &format!("http.batch() takes a list or an object of requests, not {}", requests.type_name()),
        ));
    };
    let mut keys = Vec::new();
    let mut calls = Vec::new();
    let mut failed = None;
    for entry in object.props::<String, Value>() {
        let (key, item) = entry?;
        match parse_item(&ctx, item) {
            Ok(call) => {
                keys.push(key);
                calls.push(call);
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    if let Some(error) = failed {
        // One bad item: an exception with `throw`, else a warning and what there is so far.
        error.into_response(&ctx)?;
    }
    let responses = vu::block_on(&ctx, send_all(&vu, &calls))?;
    let results = calls.into_iter().zip(responses).map(|(call, response)| deliver(&ctx, call, response));
    collect(&ctx, object.is_array(), keys, results)
}

async fn send_all(vu: &vu::VuState, calls: &[Box<Call>]) -> Vec<Box<Response>> {
    let options = &vu.worker.settings.options;
    let limit = |option: Option<u64>, default| {
        usize::try_from(option.unwrap_or(default)).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS)
    };
    let (at_once, per_host) =
        (limit(options.batch, defaults::BATCH), limit(options.batch_per_host, defaults::BATCH_PER_HOST));
    let mut hosts: HashMap<String, Rc<Semaphore>> = HashMap::new();
    let sends: Vec<_> = calls
        .iter()
        .map(|call| {
            let host = hosts.entry(call.request.url.authority().to_owned());
            let host = Rc::clone(host.or_insert_with(|| Rc::new(Semaphore::new(per_host))));
            async move {
                let _permit = host.acquire().await;
                call.send(vu).await
            }
        })
        .collect();
    stream::iter(sends).buffered(at_once).collect().await
}

/// An item: a URL, `[method, url, body, params]`, or an object with those keys.
fn parse_item<'js>(ctx: &Ctx<'js>, item: Value<'js>) -> std::result::Result<Box<Call>, CallError> {
    let undefined = || Value::new_undefined(ctx.clone());
    let text = |value: Value<'js>| value.as_string().and_then(|text| text.to_string().ok());
    if let Some(list) = item.as_array() {
        let at = |index: usize| list.get::<Value>(index).unwrap_or_else(|_| undefined());
        let method = text(at(0)).unwrap_or_else(|| "GET".to_owned());
        return request::parse(ctx, &method.to_uppercase(), at(1), Some(at(2)), at(3));
    }
    let is_template = |object: &Object| object.contains_key("clean_url").unwrap_or(false);
    if let Some(object) =
        item.as_object().filter(|object| !is_template(object) && object.contains_key("url").unwrap_or(false))
    {
        let at = |key: &str| object.get::<_, Value>(key).unwrap_or_else(|_| undefined());
        let method = text(at("method")).unwrap_or_else(|| "GET".to_owned()).to_uppercase();
        let body = (!matches!(method.as_str(), "GET" | "HEAD")).then(|| at("body"));
        return request::parse(ctx, &method, at("url"), body, at("params"));
    }
    request::parse(ctx, "GET", item, None, undefined())
}

fn collect<'js>(
    ctx: &Ctx<'js>,
    as_list: bool,
    keys: Vec<String>,
    results: impl Iterator<Item = Result<Value<'js>>>,
) -> Result<Value<'js>> {
    if as_list {
        let list = Array::new(ctx.clone())?;
        for (index, result) in results.enumerate() {
            list.set(index, result?)?;
        }
        return Ok(list.into_value());
    }
    let object = Object::new(ctx.clone())?;
    for (key, result) in keys.into_iter().zip(results) {
        object.set(key, result?)?;
    }
    Ok(object.into_value())
}
