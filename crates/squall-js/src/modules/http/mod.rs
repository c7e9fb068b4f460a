//! `k6/http`: requests as scripts state them, responses as scripts see them.
//!
//! [`request`] reads arguments, [`response`] is the object that comes back, [`json`] and [`select`] read its JSON, [`record`]
//! makes samples of each exchange, [`batch`] sends many at once, [`jar`] is cookies, [`expected`] decides what
//! failed. The wire is `squall-http`'s.

use std::{cell::RefCell, rc::Rc};

use rquickjs::{Ctx, Function, Object, Persistent, Promise, Result, Value, function::Opt};
use squall_http::{Connections, CookieJar, Response};

use crate::{
    errors::throw_go,
    event_loop::Completion,
    vu::{self, VuState},
};

mod batch;
mod debug;
mod expected;
mod form;
mod jar;
mod json;
mod record;
mod request;
mod response;
mod select;

pub(crate) use jar::from_js as jar_of_value;
pub(crate) use record::RequestSeriesCache;
pub(crate) use request::Targets;
pub(crate) use response::FieldAtoms;

use expected::Expectation;
use request::{Call, CallError};

/// What HTTP keeps for a VU.
pub(crate) struct HttpState {
    connections: Connections,
    jar: RefCell<Rc<RefCell<CookieJar>>>,
    /// Of `setResponseCallback`; a request may bring its own.
    expectation: RefCell<Expectation>,
}

impl HttpState {
    fn new(vu: &VuState) -> HttpState {
        HttpState {
            connections: Connections::of(vu.id_in_test, Rc::clone(&vu.traffic)),
            jar: RefCell::default(),
            expectation: RefCell::new(Expectation::default()),
        }
    }

    fn jar(&self) -> Rc<RefCell<CookieJar>> {
        Rc::clone(&self.jar.borrow())
    }
}

fn state(vu: &VuState) -> &HttpState {
    vu.http.get_or_init(|| HttpState::new(vu))
}

/// The VU's cookies.
pub(crate) fn jar(vu: &VuState) -> Rc<RefCell<CookieJar>> {
    state(vu).jar()
}

/// Cookies start afresh with an iteration, connections only when asked to.
pub(crate) fn begin_iteration(vu: &VuState) {
    let Some(http) = vu.http.get() else { return };
    let options = &vu.worker.settings.options;
    if options.no_vu_connection_reuse == Some(true) {
        http.connections.close_idle();
    }
    if options.no_cookies_reset != Some(true) && !http.jar.borrow().borrow().is_empty() {
        *http.jar.borrow_mut() = Rc::default();
    }
}

/// Closes the connections that are not in use.
pub(crate) fn close_idle(vu: &VuState) {
    if let Some(http) = vu.http.get() {
        http.connections.close_idle();
    }
}

pub(crate) fn exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let http = Object::new(ctx.clone())?;
    for name in ["get", "head"] {
        let method = name.to_uppercase();
        let function = move |ctx: Ctx<'js>, url: Opt<Value<'js>>, params: Opt<Value<'js>>| {
            let [url, params] = or_undefined(&ctx, [url, params]);
            send(&ctx, request::parse(&ctx, &method, url, None, params))
        };
        http.set(name, Function::new(ctx.clone(), function)?.with_name(name)?)?;
    }
    for (name, method) in
        [("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("del", "DELETE"), ("options", "OPTIONS")]
    {
        let function =
            move |ctx: Ctx<'js>, url: Opt<Value<'js>>, body: Opt<Value<'js>>, params: Opt<Value<'js>>| {
                let [url, body, params] = or_undefined(&ctx, [url, body, params]);
                send(&ctx, request::parse(&ctx, method, url, Some(body), params))
            };
        http.set(name, Function::new(ctx.clone(), function)?.with_name(name)?)?;
    }
    http.set("request", Function::new(ctx.clone(), request)?.with_name("request")?)?;
    http.set("asyncRequest", Function::new(ctx.clone(), async_request)?.with_name("asyncRequest")?)?;
    http.set("batch", Function::new(ctx.clone(), batch::batch)?.with_name("batch")?)?;
    http.set("url", Function::new(ctx.clone(), request::url_template)?.with_name("url")?)?;
    http.set("file", Function::new(ctx.clone(), form::file)?.with_name("file")?)?;
    http.set("cookieJar", Function::new(ctx.clone(), jar::of_vu)?.with_name("cookieJar")?)?;
    http.set("CookieJar", jar::constructor(ctx)?)?;
    http.set(
        "expectedStatuses",
        Function::new(ctx.clone(), expected::expected_statuses)?.with_name("expectedStatuses")?,
    )?;
    http.set(
        "setResponseCallback",
        Function::new(ctx.clone(), expected::set_response_callback)?.with_name("setResponseCallback")?,
    )?;
    for (name, value) in CONSTANTS {
        http.set(*name, *value)?;
    }
    Ok(http)
}

const CONSTANTS: &[(&str, &str)] = &[
    ("TLS_1_0", "tls1.0"),
    ("TLS_1_1", "tls1.1"),
    ("TLS_1_2", "tls1.2"),
    ("TLS_1_3", "tls1.3"),
    ("OCSP_STATUS_GOOD", "good"),
    ("OCSP_STATUS_REVOKED", "revoked"),
    ("OCSP_STATUS_SERVER_FAILED", "server_failed"),
    ("OCSP_STATUS_UNKNOWN", "unknown"),
    ("OCSP_REASON_UNSPECIFIED", "unspecified"),
    ("OCSP_REASON_KEY_COMPROMISE", "key_compromise"),
    ("OCSP_REASON_CA_COMPROMISE", "ca_compromise"),
    ("OCSP_REASON_AFFILIATION_CHANGED", "affiliation_changed"),
    ("OCSP_REASON_SUPERSEDED", "superseded"),
    ("OCSP_REASON_CESSATION_OF_OPERATION", "cessation_of_operation"),
    ("OCSP_REASON_CERTIFICATE_HOLD", "certificate_hold"),
    ("OCSP_REASON_REMOVE_FROM_CRL", "remove_from_crl"),
    ("OCSP_REASON_PRIVILEGE_WITHDRAWN", "privilege_withdrawn"),
    ("OCSP_REASON_AA_COMPROMISE", "aa_compromise"),
];

/// Arguments, of which those that are missing are undefined.
fn or_undefined<'js, const N: usize>(ctx: &Ctx<'js>, arguments: [Opt<Value<'js>>; N]) -> [Value<'js>; N] {
    arguments.map(|argument| argument.0.unwrap_or_else(|| Value::new_undefined(ctx.clone())))
}

fn request<'js>(
    ctx: Ctx<'js>,
    method: Opt<Value<'js>>,
    url: Opt<Value<'js>>,
    body: Opt<Value<'js>>,
    params: Opt<Value<'js>>,
) -> Result<Value<'js>> {
    let [method, url, body, params] = or_undefined(&ctx, [method, url, body, params]);
    let method = request::method_of(&ctx, &method)?;
    send(&ctx, request::parse(&ctx, &method, url, Some(body), params))
}

/// Sends and waits; the VU's event loop stands still meanwhile.
fn send<'js>(ctx: &Ctx<'js>, call: std::result::Result<Box<Call>, CallError>) -> Result<Value<'js>> {
    let vu = vu::current();
    check_stage(ctx, &vu)?;
    let call = match call {
        Ok(call) => call,
        Err(error) => return error.into_response(ctx),
    };
    let response = vu::block_on(ctx, call.send(&vu))?;
    deliver(ctx, call, response)
}

/// Sends without waiting: the promise is settled on a later turn of the event loop.
fn async_request<'js>(
    ctx: Ctx<'js>,
    method: Value<'js>,
    url: Value<'js>,
    body: Opt<Value<'js>>,
    params: Opt<Value<'js>>,
) -> Result<Promise<'js>> {
    let vu = vu::current();
    check_stage(&ctx, &vu)?;
    let method = request::method_of(&ctx, &method)?;
    let [body, params] = or_undefined(&ctx, [body, params]);
    let call = request::parse(&ctx, &method, url, Some(body), params);
    let (promise, resolve, reject) = ctx.promise()?;
    match call {
        Err(error) => match error.into_response(&ctx) {
            Ok(response) => resolve.call::<_, ()>((response,))?,
            Err(_) => reject.call::<_, ()>((ctx.catch(),))?,
        },
        Ok(call) => {
            let (resolve, reject) = (Persistent::save(&ctx, resolve), Persistent::save(&ctx, reject));
            let of_operation = Rc::clone(&vu);
            vu.events.spawn(async move {
                let response = call.send(&of_operation).await;
                let complete: Completion = Box::new(move |ctx| match deliver(ctx, call, response) {
                    Ok(response) => resolve.restore(ctx)?.call((response,)),
                    Err(_) => reject.restore(ctx)?.call((ctx.catch(),)),
                });
                complete
            });
        }
    }
    Ok(promise)
}

/// The response as a script sees it, or an exception when the call failed and `throw` is on.
fn deliver<'js>(ctx: &Ctx<'js>, call: Box<Call>, response: Box<Response>) -> Result<Value<'js>> {
    if let Some(error) = &response.exchange.error {
        let method = title_case(call.request.method.as_str());
        let message = format!("{method} \"{}\": {}", call.name, error.text);
        if call.throw {
            return Err(throw_go(ctx, &message));
        }
        tracing::warn!(error = %message, "Request Failed");
    }
    let is_redirect = matches!(response.exchange.status, 301..=303 | 307 | 308)
        && response.headers.get("location").is_some();
    if is_redirect && call.redirects_by_default {
        tracing::warn!(
            url = call.written_url(),
            "Stopped after {} redirects; the redirects param or the maxRedirects option sets the limit",
            call.request.max_redirects
        );
    }
    response::create(ctx, call, response)
}

/// `Get`, as Go's errors write methods.
fn title_case(method: &str) -> String {
    let lower = method.to_lowercase();
    let mut letters = lower.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn check_stage(ctx: &Ctx, vu: &VuState) -> Result<()> {
    if vu.in_init() {
        return Err(throw_go(ctx, "requests can be made only in the functions that VUs run"));
    }
    Ok(())
}
