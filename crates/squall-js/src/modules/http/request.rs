//! Arguments of a request as scripts give them, read into what the client sends.

use std::{cell::RefCell, collections::HashMap, pin::pin, rc::Rc, sync::Arc, time::Duration};

use bytes::Bytes;
use rquickjs::{Atom, Coerced, Ctx, Exception, Object, Result, Value, function::Rest};
use squall_http::{Auth, Encoding, Method, NetError, Request, RequestCookie, Response};
use squall_metrics::TagSet;
use squall_options::parse_duration;
use url::{ParseError, Url};

use super::{
    debug,
    expected::Expectation,
    form, jar,
    record::{self, LastExchange},
    response, state,
};
use crate::{
    errors::throw_go,
    modules::{Text, bytes_of, tags_of},
    vu::{self, VuState},
};

/// Error code of an invalid URL, as k6 numbers it.
const INVALID_URL: u32 = 1020;
/// Error code of anything else that is wrong with the arguments.
const INVALID_ARGUMENTS: u32 = 1000;

/// How a script wants the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseType {
    Text,
    Binary,
    None,
}

/// A request that is ready to go. It is large: parsing it makes the box that its response keeps it in.
pub(super) struct Call {
    pub(super) request: Request,
    target: Rc<Target>,
    /// The `Cookie` header as the call is made.
    pub(super) cookie_header: String,
    /// The `name` tag where the script sets none: the URL as written, or its template.
    pub(super) name: Arc<str>,
    pub(super) tags: Arc<TagSet>,
    pub(super) response_type: ResponseType,
    pub(super) expectation: Expectation,
    pub(super) throw: bool,
    /// Nobody has said how many redirects to follow: stopping there is a surprise.
    pub(super) redirects_by_default: bool,
}

impl Call {
    /// The URL as the script wrote it.
    pub(super) fn written_url(&self) -> &str {
        &self.target.written
    }

    /// Sends it; every exchange on the way is recorded.
    pub(super) async fn send(&self, vu: &VuState) -> Box<Response> {
        if let Some(problem) = &self.target.problem {
            return self.fail(vu, problem.clone());
        }
        let first_url = &self.request.url;
        let mut on_exchange = |exchange: &squall_http::Exchange| {
            if vu.is_stopped() {
                return;
            }
            let is_expected = self.expectation.holds(exchange);
            if Rc::ptr_eq(first_url, &exchange.url) || exchange.url == *first_url {
                record::exchange(
                    vu,
                    &self.tags,
                    &self.name,
                    &self.target.last_exchange,
                    exchange,
                    is_expected,
                );
            } else {
                let name = Arc::from(clean_url(exchange.url.as_str()));
                record::exchange(vu, &self.tags, &name, &LastExchange::default(), exchange, is_expected);
            }
        };
        // Pinned where it is: a large future is not moved about.
        pin!(vu.worker.client.send(&state(vu).connections, &self.request, &mut on_exchange)).await
    }

    /// As in k6 a call to a URL that nobody can be asked for counts as a request that failed.
    fn fail(&self, vu: &VuState, problem: String) -> Box<Response> {
        let Request { method, url, .. } = &self.request;
        let response = Box::new(Response::failed(method.clone(), Rc::clone(url), NetError::generic(problem)));
        let is_expected = self.expectation.holds(&response.exchange);
        record::exchange(
            vu,
            &self.tags,
            &self.name,
            &self.target.last_exchange,
            &response.exchange,
            is_expected,
        );
        response
    }
}

/// Arguments that make no request. Unless `throw` is on, scripts get a response that says so.
pub(super) struct CallError {
    message: String,
    code: u32,
    throw: bool,
}

impl CallError {
    pub(super) fn into_response<'js>(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        if self.throw {
            return Err(throw_go(ctx, &self.message));
        }
        tracing::warn!(error = %self.message, "Request Failed");
        response::create_invalid(ctx, self.message, self.code)
    }
}

type Parsed<T> = std::result::Result<T, CallError>;

/// The method argument of `request` and its kind, used as it is.
pub(super) fn method_of(ctx: &Ctx, method: &Value) -> Result<String> {
    match method.as_string() {
        Some(method) => method.to_string(),
        None => Err(throw_go(ctx, "the method must be a string")),
    }
}

/// Reads the arguments of one request.
pub(super) fn parse<'js>(
    ctx: &Ctx<'js>,
    method: &str,
    url: Value<'js>,
    body: Option<Value<'js>>,
    params: Value<'js>,
) -> Parsed<Box<Call>> {
    let vu = vu::current();
    let parser = Parser { ctx, vu: &vu };
    let params = params.as_object();
    let throw = params.and_then(|params| params.get::<_, Option<bool>>("throw").ok().flatten());
    let throw = throw.unwrap_or(vu.worker.settings.throw);
    let read = || parser.call(method, &url, body, params, throw);
    read().map_err(|error| {
        let message = match error {
            rquickjs::Error::Exception => message_of(ctx.catch()),
            error => error.to_string(),
        };
        let code = if message.starts_with("invalid URL") { INVALID_URL } else { INVALID_ARGUMENTS };
        CallError { message, code, throw }
    })
}

fn message_of(value: Value) -> String {
    let message =
        value.as_object().and_then(|error| error.get::<_, Option<String>>("message").ok().flatten());
    message.or_else(|| value.get::<Coerced<String>>().ok().map(|text| text.0)).unwrap_or_default()
}

struct Parser<'a, 'js> {
    ctx: &'a Ctx<'js>,
    vu: &'a VuState,
}

impl<'js> Parser<'_, 'js> {
    fn call(
        &self,
        method: &str,
        url: &Value<'js>,
        body: Option<Value<'js>>,
        params: Option<&Object<'js>>,
        throw: bool,
    ) -> Result<Box<Call>> {
        let options = &self.vu.worker.settings.options;
        let http = state(self.vu);
        let target = self.target(url)?;
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| throw_go(self.ctx, &format!("invalid method {method:?}")))?;
        let discard = options.discard_response_bodies == Some(true);
        let mut request = Request::new(method, Rc::clone(&target.url));
        request.max_redirects =
            options.max_redirects.map_or(squall_http::DEFAULT_MAX_REDIRECTS, |max| max as u32);
        request.jar = Some(http.jar());
        let content_type = body.map_or(Ok(None), |body| self.body(&body, &mut request))?;
        let mut call = Box::new(Call {
            request,
            name: Arc::clone(&target.name),
            target,
            cookie_header: String::new(),
            tags: self.vu.tags.current(),
            response_type: if discard { ResponseType::None } else { ResponseType::Text },
            expectation: http.expectation.borrow().clone(),
            throw,
            redirects_by_default: options.max_redirects.is_none(),
        });
        if let Some(params) = params {
            self.params(params, &mut call)?;
        }
        if let Some(content_type) = content_type
            && !call.request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            call.request.headers.push(("Content-Type".to_owned(), content_type));
        }
        call.cookie_header = call.request.cookie_header();
        call.request.body_kept = call.response_type != ResponseType::None;
        call.request.wire_log = debug::wire_log(self.vu, &call.tags);
        Ok(call)
    }

    /// The URL, parsed once a thread for each text.
    fn target(&self, url: &Value<'js>) -> Result<Rc<Target>> {
        if let Some(template) = url.as_object()
            && let Ok(Some(text)) = template.get::<_, Option<String>>("url")
            && let Ok(Some(name)) = template.get::<_, Option<String>>("name")
        {
            let parsed = self.parse_url(&text)?;
            let (url, problem) = (Rc::clone(&parsed.url), parsed.problem.clone());
            return Ok(Rc::new(Target {
                url,
                problem,
                written: text,
                name: name.into(),
                last_exchange: LastExchange::default(),
            }));
        }
        let text = match url.as_string() {
            Some(text) => Text::of(text)?,
            // Such as a `URL`, which k6 does not have.
            None if url.is_object() => Text::of(&url.get::<Coerced<rquickjs::String>>()?.0)?,
            None => return Err(throw_go(self.ctx, &format!("invalid URL: {}", url.type_name()))),
        };
        self.parse_url(&text)
    }

    fn parse_url(&self, text: &str) -> Result<Rc<Target>> {
        let mut targets = self.vu.worker.targets.borrow_mut();
        if let Some(target) = targets.get(text) {
            return Ok(Rc::clone(target));
        }
        let target = Target::parse(text)
            .map_err(|error| throw_go(self.ctx, &format!("invalid URL: {text:?}: {error}")))?;
        let target = Rc::new(target);
        if targets.len() >= TARGETS_LIMIT {
            targets.clear();
        }
        targets.insert(text.to_owned(), Rc::clone(&target));
        Ok(target)
    }

    /// Sets the body and returns the `Content-Type` it brings along.
    fn body(&self, body: &Value<'js>, request: &mut Request) -> Result<Option<String>> {
        if body.is_undefined() || body.is_null() {
            return Ok(None);
        }
        if let Some(bytes) = bytes_of(body)? {
            request.body = Some(Bytes::from(bytes));
            return Ok(None);
        }
        let Some(object) = body.as_object().filter(|object| !object.is_function() && !object.is_array())
        else {
            return Err(throw_go(
                self.ctx,
                &format!("a body can be a string, bytes or an object of fields, not {}", body.type_name()),
            ));
        };
        let encoded = form::encode(object)?;
        request.body = Some(encoded.body);
        Ok(Some(encoded.content_type))
    }

    fn params(&self, params: &Object<'js>, call: &mut Call) -> Result<()> {
        for entry in params.props::<Atom, Value>() {
            let (key, value) = entry?;
            let key = Text::of_name(&key)?;
            if value.is_undefined() || (value.is_null() && &*key != "responseCallback") {
                continue;
            }
            match &*key {
                "headers" => self.headers(&value, &mut call.request)?,
                "cookies" => self.cookies(&value, &mut call.request)?,
                "jar" => call.request.jar = Some(jar::from_js(self.ctx, &value)?),
                "tags" => {
                    let mut tags = tags_of(self.ctx, &value)?;
                    call.tags = self.vu.worker.tag_cache.with_custom(&call.tags, &mut tags);
                }
                "timeout" => call.request.timeout = self.timeout(&value)?,
                "redirects" => {
                    call.request.max_redirects = value.get::<Coerced<f64>>()?.0.max(0.0) as u32;
                    call.redirects_by_default = false;
                }
                "compression" => call.request.compression = self.compression(&value)?,
                "responseType" => call.response_type = self.response_type(&value)?,
                "auth" => {
                    call.request.auth = self.auth(&value)?;
                    if call.request.auth == Auth::Digest && *call.name == clean_url(call.written_url()) {
                        call.name = without_credentials(call.written_url()).into();
                    }
                }
                "responseCallback" => call.expectation = Expectation::from_js(self.ctx, &value)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn headers(&self, value: &Value<'js>, request: &mut Request) -> Result<()> {
        let Some(headers) = value.as_object() else { return Ok(()) };
        for entry in headers.props::<String, Coerced<String>>() {
            let (name, value) = entry?;
            request.headers.push((name, value.0));
        }
        Ok(())
    }

    fn cookies(&self, value: &Value<'js>, request: &mut Request) -> Result<()> {
        let Some(cookies) = value.as_object() else { return Ok(()) };
        for entry in cookies.props::<String, Value>() {
            let (name, value) = entry?;
            let cookie = match value.as_object() {
                Some(cookie) => RequestCookie {
                    name,
                    value: cookie.get::<_, Coerced<String>>("value")?.0,
                    replace: cookie.get::<_, Option<bool>>("replace")?.unwrap_or(false),
                },
                None => RequestCookie { name, value: value.get::<Coerced<String>>()?.0, replace: false },
            };
            request.cookies.push(cookie);
        }
        Ok(())
    }

    /// Milliseconds, or a duration with a unit.
    fn timeout(&self, value: &Value<'js>) -> Result<Duration> {
        let text = match value.as_number() {
            Some(number) => number.to_string(),
            None => value.get::<Coerced<String>>()?.0,
        };
        parse_duration(&text)
            .map_err(|error| throw_go(self.ctx, &format!("invalid timeout value {text:?}: {error}")))
    }

    fn compression(&self, value: &Value<'js>) -> Result<Vec<Encoding>> {
        let text = value.get::<Coerced<String>>()?.0;
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let encodings = names.map(|name| {
            name.parse().map_err(|_| {
                throw_go(
                    self.ctx,
                    &format!("compression {name:?} is not known, use gzip, deflate, br or zstd"),
                )
            })
        });
        encodings.collect()
    }

    fn response_type(&self, value: &Value<'js>) -> Result<ResponseType> {
        match value.get::<Coerced<String>>()?.0.as_str() {
            "text" => Ok(ResponseType::Text),
            "binary" => Ok(ResponseType::Binary),
            "none" => Ok(ResponseType::None),
            other => Err(throw_go(
                self.ctx,
                &format!("responseType {other:?} is not known, use text, binary or none"),
            )),
        }
    }

    fn auth(&self, value: &Value<'js>) -> Result<Auth> {
        match value.get::<Coerced<String>>()?.0.as_str() {
            "digest" => Ok(Auth::Digest),
            "basic" | "" => Ok(Auth::Basic),
            other => Err(throw_go(
                self.ctx,
                &format!("authentication {other:?} is not supported, use basic or digest"),
            )),
        }
    }
}

/// URLs that a thread has parsed, by their text.
pub(crate) type Targets = RefCell<HashMap<String, Rc<Target>, rustc_hash::FxBuildHasher>>;

/// Entries before `Targets` start afresh.
const TARGETS_LIMIT: usize = 4096;

/// A parsed URL and the name that its metrics have.
pub(crate) struct Target {
    url: Rc<Url>,
    /// Why no request can go there.
    problem: Option<String>,
    written: String,
    name: Arc<str>,
    last_exchange: LastExchange,
}

impl Target {
    /// What is a URL for Go but nothing to send to makes a target with a problem.
    fn parse(text: &str) -> std::result::Result<Target, ParseError> {
        let nowhere = || Url::parse("about:blank");
        let (url, problem) = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => (url, None),
            Ok(url) => {
                let problem = format!("unsupported protocol scheme {:?}", url.scheme());
                (url, Some(problem))
            }
            Err(ParseError::RelativeUrlWithoutBase) if !text.starts_with(':') => {
                (nowhere()?, Some("unsupported protocol scheme \"\"".to_owned()))
            }
            Err(ParseError::EmptyHost) => (nowhere()?, Some("http: no Host in request URL".to_owned())),
            Err(error) => return Err(error),
        };
        Ok(Target {
            url: Rc::new(url),
            problem,
            written: text.to_owned(),
            name: clean_url(text).into(),
            last_exchange: LastExchange::default(),
        })
    }
}

/// The URL as metrics show it: with its credentials masked.
fn clean_url(text: &str) -> String {
    if let Some(scheme) = text.strip_suffix("://") {
        return format!("{scheme}:");
    }
    match split_credentials(text) {
        Some((scheme, credentials, rest)) => {
            let mask = if credentials.contains(':') { "****:****" } else { "****" };
            format!("{scheme}://{mask}@{rest}")
        }
        None => text.to_owned(),
    }
}

/// The URL without its credentials. k6 shows those of digest authentication nowhere: they have gone into the
/// answer to the challenge.
pub(super) fn without_credentials(text: &str) -> String {
    split_credentials(text).map_or_else(|| text.to_owned(), |(scheme, _, rest)| format!("{scheme}://{rest}"))
}

/// Scheme, credentials, and what follows the `@`; `None` for a URL without credentials.
fn split_credentials(text: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest[..authority_end].rfind('@')?;
    Some((scheme, &rest[..at], &rest[at + 1..]))
}

/// ``http.url`…` ``: the URL, and a name in which every expression is `${}`.
pub(super) fn url_template<'js>(ctx: Ctx<'js>, arguments: Rest<Value<'js>>) -> Result<Object<'js>> {
    let Some(parts) = arguments.first().and_then(Value::as_array) else {
        return Err(Exception::throw_type(
            &ctx,
            "http.url is a tag for template strings: http.url`http://host/${id}`",
        ));
    };
    let (mut url, mut name) = (String::new(), String::new());
    for (index, part) in parts.iter::<String>().enumerate() {
        let part = part?;
        url.push_str(&part);
        name.push_str(&part);
        if index + 1 < parts.len() {
            name.push_str("${}");
            if let Some(value) = arguments.get(index + 1) {
                url.push_str(&value.get::<Coerced<String>>()?.0);
            }
        }
    }
    let object = Object::new(ctx)?;
    object.set("name", name)?;
    object.set("clean_url", clean_url(&url))?;
    object.set("url", url)?;
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_sent_to_refused_or_wrong() {
        let check = |text: &str, expected: Option<(&str, Option<&str>)>| {
            let target = Target::parse(text).ok();
            let seen = target.as_ref().map(|target| (&*target.name, target.problem.as_deref()));
            assert_eq!(seen, expected, "{text:?}");
        };
        check("http://u:p@h/x", Some(("http://****:****@h/x", None)));
        check("", Some(("", Some("unsupported protocol scheme \"\""))));
        check("nonsense", Some(("nonsense", Some("unsupported protocol scheme \"\""))));
        check("http://", Some(("http:", Some("http: no Host in request URL"))));
        check("ftp://h/", Some(("ftp://h/", Some("unsupported protocol scheme \"ftp\""))));
        check("://h", None);
        check("http://a b/", None);
    }
}
