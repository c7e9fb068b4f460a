//! `URL` and `URLSearchParams`, as the URL standard has them: classes in `url.js` over the functions here.
//!
//! The state of a URL is its serialization; each function parses it, which costs about a microsecond.

use rquickjs::{Ctx, Exception, Function, Object, Persistent, Result, Value, context::EvalOptions};
use url::{Url, form_urlencoded, quirks};

use crate::vu;

pub(super) fn url<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    classes(ctx)?.get("URL")
}

pub(super) fn search_params<'js>(ctx: &Ctx<'js>) -> Result<Value<'js>> {
    classes(ctx)?.get("URLSearchParams")
}

/// Both classes, made together, since each refers to the other.
fn classes<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    const KEY: &str = "url.js";
    let vu = vu::try_current();
    let known = vu.as_ref().and_then(|vu| vu.realm.made_globals.borrow().get(KEY).cloned());
    if let Some(known) = known {
        return known.restore(ctx)?.get();
    }
    let mut options = EvalOptions::default();
    options.filename = Some("url.js".to_owned());
    let define: Function = ctx.eval_with_options(include_str!("url.js"), options)?;
    let native = Object::new(ctx.clone())?;
    native.set("parse", Function::new(ctx.clone(), parse)?)?;
    native.set("parseQuery", Function::new(ctx.clone(), parse_query)?)?;
    native.set("read", Function::new(ctx.clone(), read)?)?;
    native.set("serializeQuery", Function::new(ctx.clone(), serialize_query)?)?;
    native.set("write", Function::new(ctx.clone(), write)?)?;
    let classes: Object = define.call((native,))?;
    if let Some(vu) = vu {
        let made = Persistent::save(ctx, classes.clone().into_value());
        vu.realm.made_globals.borrow_mut().insert(KEY, made);
    }
    Ok(classes)
}

/// The serialization of `url`, relative to `base` if there is one.
fn parse(ctx: Ctx, url: String, base: Option<String>) -> Result<String> {
    let parsed = match &base {
        Some(base) => Url::parse(base).and_then(|base| base.join(&url)),
        None => Url::parse(&url),
    };
    parsed.map(String::from).map_err(|error| {
        let base = base.map_or(String::new(), |base| format!(" (base {base})"));
        Exception::throw_type(&ctx, &format!("Invalid URL: {url}{base}: {error}"))
    })
}

/// A part of a URL by its property's name.
fn read(ctx: Ctx, href: String, part: String) -> Result<String> {
    let url = parsed(&ctx, &href)?;
    Ok(match part.as_str() {
        "hash" => quirks::hash(&url),
        "host" => quirks::host(&url),
        "hostname" => quirks::hostname(&url),
        "origin" => return Ok(quirks::origin(&url)),
        "password" => quirks::password(&url),
        "pathname" => quirks::pathname(&url),
        "port" => quirks::port(&url),
        "protocol" => quirks::protocol(&url),
        "search" => quirks::search(&url),
        "username" => quirks::username(&url),
        _ => quirks::href(&url),
    }
    .to_owned())
}

/// The URL with another value of a part; only `href` throws when it cannot be.
fn write(ctx: Ctx, href: String, part: String, value: String) -> Result<String> {
    if part == "href" {
        return parse(ctx, value, None);
    }
    let mut url = parsed(&ctx, &href)?;
    // A part that does not take the value stays as it was.
    match part.as_str() {
        "hash" => quirks::set_hash(&mut url, &value),
        "host" => quirks::set_host(&mut url, &value).unwrap_or_default(),
        "hostname" => quirks::set_hostname(&mut url, &value).unwrap_or_default(),
        "password" => quirks::set_password(&mut url, &value).unwrap_or_default(),
        "pathname" => quirks::set_pathname(&mut url, &value),
        "port" => quirks::set_port(&mut url, &value).unwrap_or_default(),
        "protocol" => quirks::set_protocol(&mut url, &value).unwrap_or_default(),
        "username" => quirks::set_username(&mut url, &value).unwrap_or_default(),
        _ => quirks::set_search(&mut url, &value),
    }
    Ok(url.into())
}

/// A serialization, parsed again.
fn parsed(ctx: &Ctx, href: &str) -> Result<Url> {
    Url::parse(href).map_err(|error| Exception::throw_type(ctx, &format!("Invalid URL: {href}: {error}")))
}

/// The pairs of a query, each a name and a value.
fn parse_query(query: String) -> Vec<Vec<String>> {
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| vec![name.into_owned(), value.into_owned()])
        .collect()
}

fn serialize_query(pairs: Vec<Vec<String>>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for pair in &pairs {
        if let [name, value] = pair.as_slice() {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

#[cfg(test)]
mod tests;
