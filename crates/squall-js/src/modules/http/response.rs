//! The response object. Its fields are made when a script reads them: most scripts read two of twenty.

use std::{borrow::Cow, cell::RefCell};

use rquickjs::{
    ArrayBuffer, Atom, Class, Coerced, Ctx, Exception, Function, IntoJs, JsLifetime, Object, Result, Value,
    class::{ClassKind, JsCell, JsClass, PropertyDescriptor, PropertyName, Readable, Trace, Tracer},
    function::{Opt, This},
};
use squall_http::{Auth, Response, canonical_name, millis, response_cookies};

use super::{
    json,
    request::{Call, ResponseType, without_credentials},
};
use crate::{
    atoms::{self, HeldAtom},
    classes,
    errors::throw_go,
    modules::object_of,
    runtime::memory::Charge,
    vu,
};

/// Fields in the order in which k6 lists them; the last are functions.
const FIELDS: [&str; 20] = [
    "remote_ip",
    "remote_port",
    "url",
    "status",
    "status_text",
    "proto",
    "headers",
    "cookies",
    "body",
    "timings",
    "tls_version",
    "tls_cipher_suite",
    "ocsp",
    "error",
    "error_code",
    "request",
    "clickLink",
    "html",
    "json",
    "submitForm",
];

/// The first field that is a function.
const FIRST_METHOD: usize = 16;

/// What a response is made of.
enum Source {
    /// A call that was made.
    Answered {
        call: Box<Call>,
        response: Box<Response>,
        /// Keeps the body on the VU's account.
        _body: Charge,
    },
    /// Arguments that made no call.
    Invalid { message: String, code: u32 },
}

/// A response in a script's hands.
pub(super) struct ResponseObject<'js> {
    source: Source,
    /// Fields that were read or written, by index.
    slots: RefCell<Vec<(usize, Value<'js>)>>,
    /// The parsed body: parsed once.
    parsed: RefCell<Option<Value<'js>>>,
}

/// The response to a call.
pub(super) fn create<'js>(ctx: &Ctx<'js>, call: Box<Call>, response: Box<Response>) -> Result<Value<'js>> {
    let body_bytes = response.body.as_ref().map_or(0, |body| body.len());
    let Some(charge) = Charge::new(body_bytes) else {
        return Err(Exception::throw_internal(ctx, "out of memory"));
    };
    instance(ctx, Source::Answered { call, response, _body: charge })
}

/// The response to arguments that made no call.
pub(super) fn create_invalid<'js>(ctx: &Ctx<'js>, message: String, code: u32) -> Result<Value<'js>> {
    instance(ctx, Source::Invalid { message, code })
}

fn instance<'js>(ctx: &Ctx<'js>, source: Source) -> Result<Value<'js>> {
    let object = ResponseObject { source, slots: RefCell::default(), parsed: RefCell::default() };
    Ok(classes::instance(ctx, object)?.into_value())
}

// SAFETY: the same type with the other lifetime.
unsafe impl<'js> JsLifetime<'js> for ResponseObject<'js> {
    type Changed<'to> = ResponseObject<'to>;
}

impl<'js> Trace<'js> for ResponseObject<'js> {
    fn trace<'a>(&self, tracer: Tracer<'a, 'js>) {
        for (_, value) in &*self.slots.borrow() {
            value.trace(tracer);
        }
        if let Some(value) = &*self.parsed.borrow() {
            value.trace(tracer);
        }
    }
}

impl<'js> JsClass<'js> for ResponseObject<'js> {
    const NAME: &'static str = "Response";
    const KIND: ClassKind = ClassKind::Exotic;
    type Mutable = Readable;

    /// Methods are the same functions for all responses of a VU.
    fn prototype(ctx: &Ctx<'js>) -> Result<Option<Object<'js>>> {
        let prototype = Object::new(ctx.clone())?;
        prototype.set("json", Function::new(ctx.clone(), json)?.with_name("json")?)?;
        for name in ["clickLink", "html", "submitForm"] {
            let refuse = move |ctx: Ctx<'js>| -> Result<()> {
                Err(throw_go(
                    &ctx,
                    &format!("response.{name}() is not supported yet by this version of Squall"),
                ))
            };
            prototype.set(name, Function::new(ctx.clone(), refuse)?.with_name(name)?)?;
        }
        Ok(Some(prototype))
    }

    fn constructor(_: &Ctx<'js>) -> Result<Option<rquickjs::function::Constructor<'js>>> {
        Ok(None)
    }

    fn exotic_get_property(
        this: &JsCell<'js, Self>,
        ctx: &Ctx<'js>,
        atom: Atom<'js>,
        _: Value<'js>,
    ) -> Result<Value<'js>> {
        match field_index(ctx, &atom)? {
            Some(index) => this.borrow().field(ctx, index, atom),
            // Methods of all objects, such as `hasOwnProperty`.
            None => classes::prototype::<Self>(ctx)?.get(atom),
        }
    }

    fn exotic_set_property(
        this: &JsCell<'js, Self>,
        ctx: &Ctx<'js>,
        atom: Atom<'js>,
        _: Value<'js>,
        value: Value<'js>,
    ) -> Result<bool> {
        // QuickJS lends the value, but rquickjs frees it: that takes a reference more.
        std::mem::forget(value.clone());
        let Some(index) = field_index(ctx, &atom)? else { return Ok(false) };
        this.borrow().keep(index, value);
        Ok(true)
    }

    fn exotic_has_property(_: &JsCell<'js, Self>, ctx: &Ctx<'js>, atom: Atom<'js>) -> Result<bool> {
        Ok(field_index(ctx, &atom)?.is_some())
    }

    fn exotic_get_own_property(
        this: &JsCell<'js, Self>,
        ctx: &Ctx<'js>,
        atom: Atom<'js>,
    ) -> Result<Option<PropertyDescriptor<'js>>> {
        let Some(index) = field_index(ctx, &atom)? else { return Ok(None) };
        let undefined = Value::new_undefined(ctx.clone());
        Ok(Some(PropertyDescriptor {
            value: this.borrow().field(ctx, index, atom)?,
            getter: undefined.clone(),
            setter: undefined,
            configurable: true,
            enumerable: true,
            writable: true,
            is_getset: false,
        }))
    }

    fn exotic_get_own_property_names(
        _: &JsCell<'js, Self>,
        ctx: &Ctx<'js>,
    ) -> Result<Vec<PropertyName<'js>>> {
        FIELDS
            .iter()
            .map(|name| Ok(PropertyName { atom: Atom::from_str(ctx.clone(), name)?, is_enumerable: true }))
            .collect()
    }
}

/// The names in `FIELDS` as atoms.
pub(crate) struct FieldAtoms([HeldAtom; FIELDS.len()]);

impl FieldAtoms {
    fn new(ctx: &Ctx) -> Result<FieldAtoms> {
        let atoms: Result<Vec<_>> =
            FIELDS.iter().map(|name| Ok(HeldAtom::new(ctx, Atom::from_str(ctx.clone(), name)?))).collect();
        Ok(FieldAtoms(atoms?.try_into().ok().expect("an atom a field")))
    }
}

fn field_index(ctx: &Ctx, atom: &Atom) -> Result<Option<usize>> {
    let realm = &vu::current().realm;
    let atoms = match realm.field_atoms.get() {
        Some(atoms) => atoms,
        None => {
            let atoms = FieldAtoms::new(ctx)?;
            realm.field_atoms.get_or_init(|| atoms)
        }
    };
    let number = atoms::number(atom);
    Ok(atoms.0.iter().position(|known| known.number() == number))
}

impl<'js> ResponseObject<'js> {
    fn field(&self, ctx: &Ctx<'js>, index: usize, atom: Atom<'js>) -> Result<Value<'js>> {
        if let Some((_, value)) = self.slots.borrow().iter().find(|(known, _)| *known == index) {
            return Ok(value.clone());
        }
        if index >= FIRST_METHOD {
            return atoms::get(&classes::prototype::<Self>(ctx)?, atoms::number(&atom));
        }
        let value = make(ctx, &self.source, FIELDS[index])?;
        // Numbers are as cheap to make again.
        if !value.is_number() {
            self.keep(index, value.clone());
        }
        Ok(value)
    }

    fn keep(&self, index: usize, value: Value<'js>) {
        let mut slots = self.slots.borrow_mut();
        let former = match slots.iter_mut().find(|(known, _)| *known == index) {
            Some((_, slot)) => std::mem::replace(slot, value),
            None => return slots.push((index, value)),
        };
        // What goes with it may want the slots.
        drop(slots);
        drop(former);
    }
}

fn make<'js>(ctx: &Ctx<'js>, source: &Source, name: &str) -> Result<Value<'js>> {
    match source {
        Source::Answered { call, response, .. } => answered_field(ctx, call, response, name),
        Source::Invalid { message, code } => invalid_field(ctx, message, *code, name),
    }
}

fn answered_field<'js>(ctx: &Ctx<'js>, call: &Call, response: &Response, name: &str) -> Result<Value<'js>> {
    let exchange = &response.exchange;
    let tls = exchange.tls.as_ref();
    match name {
        "remote_ip" => {
            exchange.remote.map_or_else(String::new, |remote| remote.ip().to_string()).into_js(ctx)
        }
        "remote_port" => exchange.remote.map_or(0, |remote| remote.port()).into_js(ctx),
        "url" => final_url(call, response).into_owned().into_js(ctx),
        "status" => exchange.status.into_js(ctx),
        "status_text" => response.status_text().into_js(ctx),
        "proto" => if exchange.status == 0 { "" } else { exchange.protocol.as_str() }.into_js(ctx),
        "headers" => headers(ctx, response),
        "cookies" => cookies(ctx, response),
        "body" => body(ctx, call, response),
        "timings" => timings(ctx, response),
        "tls_version" => tls.map_or("", |tls| tls.version).into_js(ctx),
        "tls_cipher_suite" => tls.map_or("", |tls| tls.cipher_suite).into_js(ctx),
        "ocsp" => ocsp(ctx, if tls.is_some() { "unknown" } else { "" }),
        "error" => exchange.error.as_ref().map_or("", |error| &*error.text).into_js(ctx),
        "error_code" => exchange.error_code().into_js(ctx),
        "request" => request(ctx, call),
        _ => Ok(Value::new_undefined(ctx.clone())),
    }
}

fn invalid_field<'js>(ctx: &Ctx<'js>, message: &str, code: u32, name: &str) -> Result<Value<'js>> {
    match name {
        "remote_port" | "status" => 0.into_js(ctx),
        "headers" | "cookies" => Ok(Object::new(ctx.clone())?.into_value()),
        // k6 shows an empty list where other failed calls have null.
        "body" => Vec::<u8>::new().into_js(ctx),
        "timings" => timings_object(ctx, [0.0; 8]),
        "ocsp" => ocsp(ctx, ""),
        "error" => message.into_js(ctx),
        "error_code" => code.into_js(ctx),
        "request" => Ok(Value::new_null(ctx.clone())),
        _ => "".into_js(ctx),
    }
}

/// The URL as the script wrote it, unless redirects led elsewhere.
fn final_url<'a>(call: &'a Call, response: &'a Response) -> Cow<'a, str> {
    if *response.exchange.url != *call.request.url {
        response.exchange.url.as_str().into()
    } else if call.request.auth == Auth::Digest {
        without_credentials(call.written_url()).into()
    } else {
        call.written_url().into()
    }
}

fn headers<'js>(ctx: &Ctx<'js>, response: &Response) -> Result<Value<'js>> {
    let headers = Object::new(ctx.clone())?;
    for (name, value) in response.headers.canonical() {
        headers.set(name, value)?;
    }
    Ok(headers.into_value())
}

fn cookies<'js>(ctx: &Ctx<'js>, response: &Response) -> Result<Value<'js>> {
    let cookies = Object::new(ctx.clone())?;
    for cookie in response_cookies(&response.headers) {
        let object = Object::new(ctx.clone())?;
        object.set("name", cookie.name.as_str())?;
        object.set("value", cookie.value)?;
        object.set("domain", cookie.domain)?;
        object.set("path", cookie.path)?;
        object.set("http_only", cookie.http_only)?;
        object.set("secure", cookie.secure)?;
        object.set("max_age", cookie.max_age_s as f64)?;
        object.set("expires", cookie.expires_ms as f64)?;
        add_to_list(&cookies, &cookie.name, object)?;
    }
    Ok(cookies.into_value())
}

/// Adds to the list that `lists` has under a name.
fn add_to_list<'js>(lists: &Object<'js>, name: &str, entry: Object<'js>) -> Result<()> {
    match lists.get::<_, Option<rquickjs::Array>>(name)? {
        Some(list) => list.set(list.len(), entry),
        None => lists.set(name, vec![entry]),
    }
}

fn body<'js>(ctx: &Ctx<'js>, call: &Call, response: &Response) -> Result<Value<'js>> {
    match (&response.body, call.response_type) {
        (None, _) | (_, ResponseType::None) => Ok(Value::new_null(ctx.clone())),
        (Some(bytes), ResponseType::Binary) => Ok(ArrayBuffer::new_copy(ctx.clone(), bytes)?.into_value()),
        (Some(bytes), ResponseType::Text) => String::from_utf8_lossy(bytes).into_js(ctx),
    }
}

fn timings<'js>(ctx: &Ctx<'js>, response: &Response) -> Result<Value<'js>> {
    let timings = &response.exchange.timings;
    timings_object(
        ctx,
        [
            millis(timings.duration()),
            millis(timings.blocked),
            0.0,
            millis(timings.connecting),
            millis(timings.tls_handshaking),
            millis(timings.sending),
            millis(timings.waiting),
            millis(timings.receiving),
        ],
    )
}

fn timings_object<'js>(ctx: &Ctx<'js>, values_ms: [f64; 8]) -> Result<Value<'js>> {
    const NAMES: [&str; 8] = [
        "duration",
        "blocked",
        "looking_up",
        "connecting",
        "tls_handshaking",
        "sending",
        "waiting",
        "receiving",
    ];
    let timings = Object::new(ctx.clone())?;
    for (name, value) in NAMES.into_iter().zip(values_ms) {
        timings.set(name, value)?;
    }
    Ok(timings.into_value())
}

fn ocsp<'js>(ctx: &Ctx<'js>, status: &str) -> Result<Value<'js>> {
    let ocsp = Object::new(ctx.clone())?;
    for name in ["produced_at", "this_update", "next_update", "revoked_at"] {
        ocsp.set(name, 0)?;
    }
    ocsp.set("revocation_reason", "")?;
    ocsp.set("status", status)?;
    Ok(ocsp.into_value())
}

/// All cookies that were sent, also those of the jar. k6 forgets which of them were to replace others.
fn request_cookies<'js>(ctx: &Ctx<'js>, header: &str) -> Result<Object<'js>> {
    let cookies = Object::new(ctx.clone())?;
    for (name, value) in header.split(';').filter_map(|pair| pair.trim().split_once('=')) {
        let entry = Object::new(ctx.clone())?;
        entry.set("name", name)?;
        entry.set("value", value.trim_matches('"'))?;
        entry.set("replace", false)?;
        add_to_list(&cookies, name, entry)?;
    }
    Ok(cookies)
}

/// The request as it was first made.
fn request<'js>(ctx: &Ctx<'js>, call: &Call) -> Result<Value<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("method", call.request.method.as_str())?;
    object.set("url", call.written_url())?;
    let headers = Object::new(ctx.clone())?;
    let user_agent = vu::current().worker.client.user_agent().to_owned();
    headers.set("User-Agent", vec![user_agent])?;
    for (name, value) in &call.request.headers {
        headers.set(canonical_name(name), vec![value.as_str()])?;
    }
    if !call.request.compression.is_empty() && !headers.contains_key("Content-Encoding")? {
        let codings: Vec<&str> = call.request.compression.iter().map(|coding| coding.as_str()).collect();
        headers.set("Content-Encoding", vec![codings.join(", ")])?;
    }
    if !call.cookie_header.is_empty() {
        headers.set("Cookie", vec![call.cookie_header.as_str()])?;
    }
    object.set("headers", headers)?;
    let body = call.request.body.as_deref().unwrap_or_default();
    object.set("body", String::from_utf8_lossy(body).as_ref())?;
    object.set("cookies", request_cookies(ctx, &call.cookie_header)?)?;
    Ok(object.into_value())
}

/// `res.json(selector)`: the parsed body, or the part that a GJSON path selects.
fn json<'js>(ctx: Ctx<'js>, this: This<Value<'js>>, selector: Opt<Value<'js>>) -> Result<Value<'js>> {
    let Some(class) = object_of(&this).and_then(Class::<ResponseObject>::from_object) else {
        return Err(throw_go(&ctx, "json() needs a response as `this`"));
    };
    let object = class.borrow();
    let body = match &object.source {
        Source::Answered { response, .. } => response.body.as_ref(),
        Source::Invalid { .. } => None,
    };
    let Some(body) = body else {
        return Err(throw_go(
            &ctx,
            "json() needs a body and this response has none; its `error` may tell why",
        ));
    };
    if let Some(selector) = selector.0.filter(|selector| !selector.is_undefined()) {
        let selector = selector.get::<Coerced<String>>()?.0;
        return super::select::select(&ctx, &String::from_utf8_lossy(body), &selector);
    }
    if let Some(parsed) = &*object.parsed.borrow() {
        return Ok(parsed.clone());
    }
    let parsed = json::parse(&ctx, body).map_err(|error| {
        let reason = match error {
            rquickjs::Error::Exception => crate::errors::describe_message(&ctx.catch()),
            error => error.to_string(),
        };
        throw_go(&ctx, &format!("the body is not valid JSON: {reason}"))
    })?;
    vu::current().realm.shapes.keep_of_document(&ctx, &parsed)?;
    *object.parsed.borrow_mut() = Some(parsed.clone());
    Ok(parsed)
}
