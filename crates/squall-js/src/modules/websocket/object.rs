//! `WebSocket` as scripts see it: properties, methods, listeners. The listeners are the object's, so that a socket which
//! only its own listeners know goes when it is closed.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use rquickjs::{
    ArrayBuffer, Class, Coerced, Ctx, Function, IntoJs, JsLifetime, Null, Object, Result, Value,
    class::{JsClass, Readable, Trace, Tracer},
    function::{Constructor, Opt, This},
    object::Accessor,
};
use squall_ws::Message;
use url::Url;

use super::{
    blob,
    line::{Line, State},
    meter::Naming,
    opening::Opening,
};
use crate::{
    classes,
    errors::throw_go,
    modules::{bytes_of, well_formed},
    vu,
};

/// The longest reason of a farewell.
const REASON_BYTES_MAX: usize = 123;

/// What can happen to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Message,
    Error,
    Close,
    Ping,
    Pong,
}

const KINDS: [(Kind, &str, &str); 6] = [
    (Kind::Open, "open", "onopen"),
    (Kind::Message, "message", "onmessage"),
    (Kind::Error, "error", "onerror"),
    (Kind::Close, "close", "onclose"),
    (Kind::Ping, "ping", "onping"),
    (Kind::Pong, "pong", "onpong"),
];

const STATES: [(&str, State); 4] = [
    ("CONNECTING", State::Connecting),
    ("OPEN", State::Open),
    ("CLOSING", State::Closing),
    ("CLOSED", State::Closed),
];

/// How bytes are handed to the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BinaryType {
    Blob,
    ArrayBuffer,
}

/// A socket in a script's hands.
pub(super) struct WebSocket<'js> {
    line: Rc<Line>,
    binary_type: Cell<BinaryType>,
    listeners: RefCell<Vec<Listener<'js>>>,
}

#[derive(Clone)]
struct Listener<'js> {
    kind: Kind,
    /// Set as a property, like `onopen`; such a one is called before the others.
    is_property: bool,
    function: Function<'js>,
}

// SAFETY: the same type with the other lifetime.
unsafe impl<'js> JsLifetime<'js> for WebSocket<'js> {
    type Changed<'to> = WebSocket<'to>;
}

impl<'js> Trace<'js> for WebSocket<'js> {
    fn trace<'a>(&self, tracer: Tracer<'a, 'js>) {
        for listener in &*self.listeners.borrow() {
            listener.function.trace(tracer);
        }
    }
}

impl<'js> JsClass<'js> for WebSocket<'js> {
    const NAME: &'static str = "WebSocket";
    type Mutable = Readable;

    fn prototype(ctx: &Ctx<'js>) -> Result<Option<Object<'js>>> {
        let prototype = Object::new(ctx.clone())?;
        prototype.set("addEventListener", Function::new(ctx.clone(), add_event_listener)?)?;
        prototype.set("send", Function::new(ctx.clone(), send)?)?;
        prototype.set("ping", Function::new(ctx.clone(), ping)?)?;
        prototype.set("close", Function::new(ctx.clone(), close)?)?;
        define(&prototype, "url", |socket| socket.line.url.clone())?;
        define(&prototype, "readyState", |socket| socket.line.state() as u32)?;
        define(&prototype, "bufferedAmount", |socket| socket.line.buffered_bytes())?;
        define(&prototype, "extensions", |socket| socket.line.extensions.borrow().clone())?;
        define(&prototype, "protocol", |socket| socket.line.protocol.get().cloned().unwrap_or_default())?;
        let accessor = Accessor::new(binary_type, set_binary_type);
        prototype.prop("binaryType", accessor.enumerable().configurable())?;
        for (kind, _, property) in KINDS {
            let get = move |ctx: Ctx<'js>, this: This<Class<'js, Self>>| {
                let listeners = this.borrow().listeners_of(kind);
                let first = listeners.into_iter().find(|listener| listener.is_property);
                first.map_or(Null.into_js(&ctx), |listener| Ok(listener.function.into_value()))
            };
            let set = move |ctx: Ctx<'js>, this: This<Class<'js, Self>>, value: Value<'js>| {
                this.borrow().set_property(&ctx, kind, property, value)
            };
            prototype.prop(property, Accessor::new(get, set).enumerable().configurable())?;
        }
        set_states(&prototype)?;
        Ok(Some(prototype))
    }

    fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

/// A property that is only read.
fn define<'js, T: IntoJs<'js> + 'js>(
    prototype: &Object<'js>,
    name: &'static str,
    read: impl Fn(&WebSocket<'js>) -> T + 'js,
) -> Result<()> {
    let get = move |this: This<Class<'js, WebSocket<'js>>>| read(&this.borrow());
    prototype.prop(name, Accessor::from(get).enumerable().configurable())
}

fn set_states<'js>(object: &Object<'js>) -> Result<()> {
    STATES.iter().try_for_each(|&(name, state)| object.set(name, state as u32))
}

/// `new WebSocket(url, protocols, params)`.
pub(super) fn constructor<'js>(ctx: &Ctx<'js>) -> Result<Constructor<'js>> {
    classes::constructor_with::<WebSocket, _, _>(ctx, make, set_states)
}

fn make<'js>(
    ctx: Ctx<'js>,
    url: Opt<Value<'js>>,
    protocols: Opt<Value<'js>>,
    params: Opt<Value<'js>>,
) -> Result<Class<'js, WebSocket<'js>>> {
    let vu = vu::current();
    if vu.in_init() {
        return Err(throw_go(&ctx, "using websockets in the init context is not supported"));
    }
    let mut opening = Opening::new(&vu, url_of(&ctx, url.0)?, Naming::NameAndUrl);
    if let Some(params) = &params.0 {
        opening.read_params(&ctx, &vu, params)?;
    }
    if let Some(protocols) = &protocols.0 {
        if let Some(protocol) = protocols.as_string() {
            opening.protocols.push(protocol.to_string()?);
        } else if let Some(list) = protocols.as_array() {
            let texts: Result<Vec<Coerced<String>>> = list.iter().collect();
            opening.protocols.extend(texts?.into_iter().map(|text| text.0));
        }
    }
    let line = Line::open(&vu, opening);
    let socket = WebSocket {
        line: Rc::clone(&line),
        binary_type: Cell::new(BinaryType::Blob),
        listeners: RefCell::default(),
    };
    let socket = classes::instance(&ctx, socket)?;
    line.belong_to(&ctx, socket.as_inner().clone());
    Ok(socket)
}

fn url_of(ctx: &Ctx, url: Option<Value>) -> Result<String> {
    let Some(url) = url.filter(|url| !url.is_undefined() && !url.is_null()) else {
        return Err(throw_go(ctx, "WebSocket requires a url"));
    };
    let text = url.get::<Coerced<String>>()?.0;
    let problem = match Url::parse(&text) {
        Err(error) => format!("valid url, but got {text:?} which resulted in {error}"),
        Ok(url) if !matches!(url.scheme(), "ws" | "wss") => {
            format!("url with scheme ws or wss, but got {:?}", url.scheme())
        }
        Ok(url) => match url.fragment() {
            Some(fragment) if !fragment.is_empty() => format!("no url fragment, but got {fragment:?}"),
            _ => return Ok(text),
        },
    };
    Err(throw_go(ctx, &format!("WebSocket requires {problem}")))
}

impl<'js> WebSocket<'js> {
    /// In the order in which they are called.
    fn listeners_of(&self, kind: Kind) -> Vec<Listener<'js>> {
        let listeners = self.listeners.borrow();
        let of_kind = |is_property: bool| {
            listeners.iter().filter(move |it| it.kind == kind && it.is_property == is_property).cloned()
        };
        of_kind(true).chain(of_kind(false)).collect()
    }

    fn set_property(&self, ctx: &Ctx<'js>, kind: Kind, property: &str, value: Value<'js>) -> Result<()> {
        let function = match value.is_undefined() || value.is_null() {
            true => None,
            false => match value.into_function() {
                Some(function) => Some(function),
                None => return Err(throw_go(ctx, &format!("a value for '{property}' should be callable"))),
            },
        };
        let mut listeners = self.listeners.borrow_mut();
        listeners.retain(|listener| listener.kind != kind || !listener.is_property);
        listeners.extend(function.map(|function| Listener { kind, is_property: true, function }));
        Ok(())
    }

    fn check_open(&self, ctx: &Ctx) -> Result<()> {
        match self.line.state() {
            State::Open => Ok(()),
            _ => Err(throw_go(ctx, "InvalidStateError")),
        }
    }
}

fn add_event_listener<'js>(
    ctx: Ctx<'js>,
    This(this): This<Class<'js, WebSocket<'js>>>,
    event: Coerced<String>,
    listener: Opt<Value<'js>>,
) -> Result<()> {
    let Some(function) = listener.0.and_then(Value::into_function) else {
        let message = format!("handler for event type {:?} isn't a callable function", event.0);
        return Err(throw_go(&ctx, &message));
    };
    match KINDS.iter().find(|(_, name, _)| *name == event.0) {
        Some(&(kind, ..)) => {
            this.borrow().listeners.borrow_mut().push(Listener { kind, is_property: false, function });
        }
        None => tracing::warn!("can't add event handler: unknown event type: {}", event.0),
    }
    Ok(())
}

fn send<'js>(
    ctx: Ctx<'js>,
    This(this): This<Class<'js, WebSocket<'js>>>,
    data: Opt<Value<'js>>,
) -> Result<()> {
    let socket = this.borrow();
    socket.check_open(&ctx)?;
    let data = data.0.unwrap_or_else(|| Value::new_undefined(ctx.clone()));
    if let Some(text) = data.as_string() {
        socket.line.send(Message::Text(&well_formed(text)?));
    } else if let Some(blob) = blob::bytes_of_blob(&data) {
        socket.line.send(Message::Binary(&blob));
    } else if let Some(bytes) = bytes_of(&data)? {
        socket.line.send(Message::Binary(&bytes));
    } else {
        return Err(throw_go(&ctx, &format!("unsupported send type {}", data.type_name())));
    }
    Ok(())
}

fn ping<'js>(ctx: Ctx<'js>, This(this): This<Class<'js, WebSocket<'js>>>) -> Result<()> {
    let socket = this.borrow();
    socket.check_open(&ctx)?;
    socket.line.ping();
    Ok(())
}

fn close<'js>(
    ctx: Ctx<'js>,
    This(this): This<Class<'js, WebSocket<'js>>>,
    code: Opt<Value<'js>>,
    reason: Opt<Value<'js>>,
) -> Result<()> {
    let socket = this.borrow();
    if matches!(socket.line.state(), State::Closing | State::Closed) {
        return Ok(());
    }
    let given = |value: Opt<Value<'js>>| value.0.filter(|value| !value.is_undefined());
    let code = given(code).map_or(Ok(0.0), |code| code.get::<Coerced<f64>>().map(|code| code.0))? as i64;
    let reason = given(reason).map_or(Ok(String::new()), |it| it.get::<Coerced<String>>().map(|it| it.0))?;
    if !matches!(code, 0 | 1000 | 3000..=4999) {
        let message = format!(
            "InvalidAccessError: Failed to execute 'close' on 'WebSocket': The close code must be either 1000, \
             or between 3000 and 4999. {code} is neither"
        );
        return Err(throw_go(&ctx, &message));
    }
    if reason.len() > REASON_BYTES_MAX {
        let message = "SyntaxError: Failed to execute 'close' on 'WebSocket': The message must not be greater \
                       than 123 bytes";
        return Err(throw_go(&ctx, message));
    }
    socket.line.close(if code == 0 { 1000 } else { code as u16 }, &reason);
    Ok(())
}

fn binary_type<'js>(This(this): This<Class<'js, WebSocket<'js>>>) -> &'static str {
    match this.borrow().binary_type.get() {
        BinaryType::Blob => "blob",
        BinaryType::ArrayBuffer => "arraybuffer",
    }
}

fn set_binary_type<'js>(
    ctx: Ctx<'js>,
    This(this): This<Class<'js, WebSocket<'js>>>,
    name: Coerced<String>,
) -> Result<()> {
    let binary_type = match &*name.0 {
        "blob" => BinaryType::Blob,
        "arraybuffer" => BinaryType::ArrayBuffer,
        other => {
            let message =
                format!("unknown binaryType {other}, the supported ones are \"blob\" and \"arraybuffer\"");
            return Err(throw_go(&ctx, &message));
        }
    };
    this.borrow().binary_type.set(binary_type);
    Ok(())
}

/// Gives a message's event its bytes, as the socket's script wants them.
pub(super) fn set_data(event: &Object, bytes: &[u8]) -> Result<()> {
    let ctx = event.ctx();
    let target: Class<WebSocket> = event.get("target")?;
    match target.borrow().binary_type.get() {
        BinaryType::Blob => event.set("data", blob::instance(ctx, bytes.into(), String::new())?),
        BinaryType::ArrayBuffer => event.set("data", ArrayBuffer::new_copy(ctx.clone(), bytes)?),
    }
}

/// Calls a socket's listeners, if it has any, with an event that `fill` completes.
pub(super) fn dispatch<'js>(
    socket: &Object<'js>,
    kind: Kind,
    timestamp_ms: f64,
    fill: impl FnOnce(&Object<'js>) -> Result<()>,
) -> Result<()> {
    let listeners = match Class::<WebSocket>::from_object(socket) {
        Some(socket) => socket.borrow().listeners_of(kind),
        None => return Ok(()),
    };
    if listeners.is_empty() {
        return Ok(());
    }
    let event = Object::new(socket.ctx().clone())?;
    let name = KINDS.iter().find(|(known, ..)| *known == kind).map_or("", |(_, name, _)| name);
    event.set("type", name)?;
    event.set("target", socket.clone())?;
    event.set("timestamp", timestamp_ms)?;
    fill(&event)?;
    listeners.iter().try_for_each(|listener| listener.function.call((event.clone(),)))
}
