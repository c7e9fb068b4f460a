//! `k6/ws`: `connect` opens a socket, runs its handlers and timers, and returns when it is closed. The VU's event loop
//! stands still meanwhile, as in k6.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use rquickjs::{
    ArrayBuffer, Class, Coerced, Ctx, Function, IntoJs, JsLifetime, Object, Result, Value,
    class::{JsClass, Readable, Trace, Tracer},
    function::{Constructor, Opt, Rest, This},
};
use squall_engine::Time;
use squall_http::canonical_name;
use squall_ws::{Event, Message, Response, Socket};

use super::{
    UNEXPECTED_END, farewell_text, is_expected,
    meter::{Meter, Naming, Pings},
    opening::{Opened, Opening},
};
use crate::{
    classes,
    errors::throw_go,
    modules::well_formed,
    vu::{self, VuState},
};

/// Farewell of a client that leaves.
const GOING_AWAY: u16 = 1001;

/// A socket in a script's hands.
struct Connection<'js> {
    /// None when it is closed.
    socket: RefCell<Option<Socket>>,
    is_closed: Cell<bool>,
    meter: Meter,
    pings: Pings,
    handlers: RefCell<Vec<(String, Function<'js>)>>,
    /// By due time, then number.
    timers: RefCell<BTreeMap<(Time, u64), Timer<'js>>>,
    timers_set: Cell<u64>,
}

#[derive(Clone)]
struct Timer<'js> {
    callback: Function<'js>,
    /// Time between calls of an interval; none for a timeout.
    period: Option<Duration>,
}

// SAFETY: the same type with the other lifetime.
unsafe impl<'js> JsLifetime<'js> for Connection<'js> {
    type Changed<'to> = Connection<'to>;
}

impl<'js> Trace<'js> for Connection<'js> {
    fn trace<'a>(&self, tracer: Tracer<'a, 'js>) {
        self.handlers.borrow().iter().for_each(|(_, handler)| handler.trace(tracer));
        self.timers.borrow().values().for_each(|timer| timer.callback.trace(tracer));
    }
}

impl<'js> JsClass<'js> for Connection<'js> {
    const NAME: &'static str = "Socket";
    type Mutable = Readable;

    fn prototype(ctx: &Ctx<'js>) -> Result<Option<Object<'js>>> {
        let prototype = Object::new(ctx.clone())?;
        prototype.set("on", Function::new(ctx.clone(), on)?)?;
        prototype.set("send", Function::new(ctx.clone(), send)?)?;
        prototype.set("sendBinary", Function::new(ctx.clone(), send_binary)?)?;
        prototype.set("ping", Function::new(ctx.clone(), ping)?)?;
        prototype.set("setTimeout", Function::new(ctx.clone(), set_timeout)?)?;
        prototype.set("setInterval", Function::new(ctx.clone(), set_interval)?)?;
        prototype.set("close", Function::new(ctx.clone(), close)?)?;
        Ok(Some(prototype))
    }

    fn constructor(_: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}

type Connected<'js> = Class<'js, Connection<'js>>;

/// `ws.connect(url, params, callback)`.
pub(super) fn connect<'js>(
    ctx: Ctx<'js>,
    url: Coerced<String>,
    arguments: Rest<Value<'js>>,
) -> Result<Object<'js>> {
    let vu = vu::current();
    if vu.in_init() {
        return Err(throw_go(&ctx, "using websockets in the init context is not supported"));
    }
    let (params, callback) = match &*arguments.0 {
        [callback] => (None, callback),
        [params, callback] => (Some(params), callback),
        _ => return Err(throw_go(&ctx, "invalid number of arguments to ws.connect")),
    };
    let Some(callback) = callback.as_function() else {
        return Err(throw_go(&ctx, "last argument to ws.connect must be a function"));
    };
    let mut opening = Opening::new(&vu, url.0, Naming::Url);
    if let Some(params) = params {
        opening.read_params(&ctx, &vu, params)?;
    }
    // Boxed, so that a waiting VU's stack does not hold what it takes to connect.
    let Opened { meter, response, socket } = vu::block_on(&ctx, Box::pin(opening.connect(&vu)))?;
    let socket = match socket {
        Ok(socket) => socket,
        Err(error) => {
            meter.record_end(&vu);
            if vu.worker.settings.throw {
                return Err(throw_go(&ctx, &error.text));
            }
            // Either the server's refusal tells enough, or there is nothing but the error.
            let error = if response.is_some() { "" } else { &*error.text };
            return response_object(&ctx, "", response, error);
        }
    };
    let connection = Connection {
        socket: RefCell::new(Some(socket)),
        is_closed: Cell::new(false),
        meter,
        pings: Pings::default(),
        handlers: RefCell::default(),
        timers: RefCell::default(),
        timers_set: Cell::new(0),
    };
    let connection = classes::instance(&ctx, connection)?;
    let served = callback.call((connection.clone(),)).and_then(|()| serve(&ctx, &vu, &connection));
    let ended = end_with(&ctx, &vu, &connection, served);
    connection.borrow().meter.record_end(&vu);
    ended?;
    response_object(&ctx, &opening.url, response, "")
}

/// Ends the socket if nothing has yet, whatever became of its handlers.
fn end_with<'js>(
    ctx: &Ctx<'js>,
    vu: &VuState,
    connection: &Connected<'js>,
    served: Result<()>,
) -> Result<()> {
    match served {
        Ok(()) => close_as(ctx, connection, GOING_AWAY),
        Err(_) if vu.is_stopped() => {
            // No script runs any more: the server alone is told.
            if let Some(mut socket) = connection.borrow().socket.take() {
                socket.close(GOING_AWAY, "");
            }
            served
        }
        Err(_) => {
            let thrown = ctx.catch();
            if close_as(ctx, connection, GOING_AWAY).is_err() {
                // The first one counts.
                ctx.catch();
            }
            Err(ctx.throw(thrown))
        }
    }
}

/// The response as scripts see it; without one its fields are empty.
fn response_object<'js>(
    ctx: &Ctx<'js>,
    url: &str,
    response: Option<Response>,
    error: &str,
) -> Result<Object<'js>> {
    let response = response.unwrap_or_default();
    let headers = Object::new(ctx.clone())?;
    for (name, _) in &response.headers {
        let values: Vec<&str> = response.values(name).collect();
        headers.set(canonical_name(name), values.join(", "))?;
    }
    let object = Object::new(ctx.clone())?;
    object.set("url", url)?;
    object.set("status", response.status)?;
    object.set("headers", headers)?;
    object.set("body", String::from_utf8_lossy(&response.body).into_owned())?;
    object.set("error", error)?;
    Ok(object)
}

/// What a socket waits for.
enum Next {
    TimerDue,
    Event(Event),
}

/// Runs handlers and timers until the socket is closed.
fn serve<'js>(ctx: &Ctx<'js>, vu: &VuState, connection: &Connected<'js>) -> Result<()> {
    emit(connection, "open", |_| Ok(None))?;
    while !connection.borrow().is_closed.get() {
        match vu::block_on(ctx, next(vu, connection))? {
            Next::TimerDue => fire_timer(vu, connection)?,
            Next::Event(event) => handle(ctx, vu, connection, event)?,
        }
    }
    Ok(())
}

async fn next<'js>(vu: &VuState, connection: &Connected<'js>) -> Next {
    let due = connection.borrow().timers.borrow().first_key_value().map(|(&(due, _), _)| due);
    let mut timer = due.map(|due| Box::pin(vu.worker.clock.sleep_until(due)));
    poll_fn(|cx| {
        if let Some(timer) = &mut timer
            && Pin::new(timer).poll(cx).is_ready()
        {
            return Poll::Ready(Next::TimerDue);
        }
        match &mut *connection.borrow().socket.borrow_mut() {
            Some(socket) => socket.poll_event(cx).map(Next::Event),
            None => Poll::Pending,
        }
    })
    .await
}

fn fire_timer(vu: &VuState, connection: &Connected) -> Result<()> {
    let callback = {
        let connection = connection.borrow();
        let mut timers = connection.timers.borrow_mut();
        let Some(((due, number), timer)) = timers.pop_first() else { return Ok(()) };
        if let Some(period) = timer.period {
            // What was missed is made up for once, not as often as it was missed.
            let next = (due + period).max(vu.worker.clock.now());
            timers.insert((next, number), timer.clone());
        }
        timer.callback
    };
    callback.call(())
}

fn handle<'js>(ctx: &Ctx<'js>, vu: &VuState, connection: &Connected<'js>, event: Event) -> Result<()> {
    match event {
        Event::Text(text) => {
            connection.borrow().meter.record_received(vu);
            emit(connection, "message", |ctx| text.into_js(ctx).map(Some))
        }
        Event::Binary(bytes) => {
            connection.borrow().meter.record_received(vu);
            let buffer = |ctx: &Ctx<'js>| ArrayBuffer::new_copy(ctx.clone(), bytes)?.into_js(ctx).map(Some);
            emit(connection, "binaryMessage", buffer)
        }
        Event::Ping(_) => emit(connection, "ping", |_| Ok(None)),
        Event::Pong(payload) => {
            {
                let connection = connection.borrow();
                connection.meter.record_pong(vu, &connection.pings, &payload);
            }
            emit(connection, "pong", |_| Ok(None))
        }
        Event::Closing(code, reason) => end(ctx, connection, code, &reason),
        Event::End => end(ctx, connection, UNEXPECTED_END.0, UNEXPECTED_END.1),
        Event::Violation(violation) => {
            emit_error(connection, &violation.to_string())?;
            close_as(ctx, connection, GOING_AWAY)
        }
        Event::Broken(error) => {
            emit_error(connection, &error.text)?;
            close_as(ctx, connection, GOING_AWAY)
        }
    }
}

fn end<'js>(ctx: &Ctx<'js>, connection: &Connected<'js>, code: u16, reason: &str) -> Result<()> {
    if !is_expected(code) {
        emit_error(connection, &farewell_text(code, reason))?;
    }
    close_as(ctx, connection, code)
}

/// Says farewell, tells the script, and ends the connection; the first time only.
fn close_as<'js>(ctx: &Ctx<'js>, connection: &Connected<'js>, code: u16) -> Result<()> {
    if connection.borrow().is_closed.replace(true) {
        return Ok(());
    }
    let told = say_farewell(ctx, connection, code)
        .and_then(|()| emit(connection, "close", |ctx| code.into_js(ctx).map(Some)));
    connection.borrow().socket.take();
    told
}

fn say_farewell<'js>(ctx: &Ctx<'js>, connection: &Connected<'js>, code: u16) -> Result<()> {
    let is_unsent = match &mut *connection.borrow().socket.borrow_mut() {
        Some(socket) => {
            socket.close(code, "");
            socket.unsent_bytes() > 0
        }
        None => false,
    };
    if !is_unsent {
        return Ok(());
    }
    let flush = poll_fn(|cx| match &mut *connection.borrow().socket.borrow_mut() {
        Some(socket) => socket.poll_flush(cx),
        None => Poll::Ready(Ok(())),
    });
    match vu::block_on(ctx, flush)? {
        Ok(()) => Ok(()),
        Err(error) => emit_error(connection, &error.text),
    }
}

/// Calls the handlers of an event.
fn emit<'js>(
    connection: &Connected<'js>,
    event: &str,
    argument: impl FnOnce(&Ctx<'js>) -> Result<Option<Value<'js>>>,
) -> Result<()> {
    let handlers: Vec<Function> = {
        let connection = connection.borrow();
        let handlers = connection.handlers.borrow();
        handlers.iter().filter(|(name, _)| name == event).map(|(_, handler)| handler.clone()).collect()
    };
    if handlers.is_empty() {
        return Ok(());
    }
    match argument(connection.ctx())? {
        Some(argument) => handlers.iter().try_for_each(|handler| handler.call((argument.clone(),))),
        None => handlers.iter().try_for_each(|handler| handler.call(())),
    }
}

fn emit_error(connection: &Connected, text: &str) -> Result<()> {
    emit(connection, "error", |ctx| {
        let error = Object::new(ctx.clone())?;
        for name in ["error", "toString"] {
            let text = text.to_owned();
            error.set(name, Function::new(ctx.clone(), move || text.clone())?)?;
        }
        Ok(Some(error.into_value()))
    })
}

/// What is no function is ignored, as in k6.
fn on<'js>(This(this): This<Connected<'js>>, event: Coerced<String>, handler: Opt<Value<'js>>) {
    if let Some(handler) = handler.0.and_then(Value::into_function) {
        this.borrow().handlers.borrow_mut().push((event.0, handler));
    }
}

/// No message, undefined and null are the empty text, as in k6.
fn send<'js>(This(this): This<Connected<'js>>, message: Opt<Value<'js>>) -> Result<()> {
    let text = match message.0 {
        Some(message) if !message.is_undefined() && !message.is_null() => {
            well_formed(&message.get::<Coerced<rquickjs::String>>()?.0)?
        }
        _ => String::new(),
    };
    say(&this, Message::Text(&text))
}

fn send_binary<'js>(ctx: Ctx<'js>, This(this): This<Connected<'js>>, message: Opt<Value<'js>>) -> Result<()> {
    let Some(message) = message.0 else {
        return Err(throw_go(&ctx, "missing argument, expected ArrayBuffer"));
    };
    let Some(buffer) = message.as_object().and_then(|object| ArrayBuffer::from_object(object.clone())) else {
        return Err(throw_go(
            &ctx,
            &format!("expected ArrayBuffer as argument, received: {}", type_of(&message)?),
        ));
    };
    // SAFETY: no script runs while the slice is borrowed, so the buffer can be neither detached nor resized.
    let bytes = unsafe { buffer.as_bytes() }.unwrap_or_default().to_vec();
    say(&this, Message::Binary(&bytes))
}

/// The name of a value's constructor.
fn type_of(value: &Value) -> Result<String> {
    if value.is_undefined() || value.is_null() {
        return Ok(value.type_name().to_owned());
    }
    let objects: Function = value.ctx().globals().get("Object")?;
    let object: Object = objects.call((value.clone(),))?;
    object.get::<_, Object>("constructor")?.get("name")
}

/// What is said after the end is an error, and counts all the same, as in k6.
fn say<'js>(connection: &Connected<'js>, message: Message) -> Result<()> {
    let vu = vu::current();
    let is_said = match &mut *connection.borrow().socket.borrow_mut() {
        Some(socket) if !connection.borrow().is_closed.get() => {
            socket.send(message);
            true
        }
        _ => false,
    };
    if !is_said {
        emit_error(connection, "websocket: close sent")?;
    }
    connection.borrow().meter.record_sent(&vu);
    Ok(())
}

fn ping<'js>(This(this): This<Connected<'js>>) -> Result<()> {
    let is_closed = this.borrow().is_closed.get();
    if is_closed {
        return emit_error(&this, "websocket: close sent");
    }
    let connection = this.borrow();
    if let Some(socket) = &mut *connection.socket.borrow_mut() {
        socket.ping(connection.pings.next(vu::current().worker.clock.now()).as_bytes());
    }
    Ok(())
}

fn set_timeout<'js>(
    ctx: Ctx<'js>,
    This(this): This<Connected<'js>>,
    callback: Opt<Value<'js>>,
    delay_ms: Opt<Coerced<f64>>,
) -> Result<()> {
    set_timer(&ctx, &this, "setTimeout", callback, delay_ms, false)
}

fn set_interval<'js>(
    ctx: Ctx<'js>,
    This(this): This<Connected<'js>>,
    callback: Opt<Value<'js>>,
    period_ms: Opt<Coerced<f64>>,
) -> Result<()> {
    set_timer(&ctx, &this, "setInterval", callback, period_ms, true)
}

fn set_timer<'js>(
    ctx: &Ctx<'js>,
    this: &Connected<'js>,
    name: &str,
    callback: Opt<Value<'js>>,
    delay_ms: Opt<Coerced<f64>>,
    repeat: bool,
) -> Result<()> {
    let Some(callback) = callback.0.and_then(Value::into_function) else {
        return Err(throw_go(ctx, &format!("{name} requires a function as its first argument")));
    };
    let delay_ms = delay_ms.0.map_or(0.0, |delay| delay.0);
    let delay = Duration::try_from_secs_f64(delay_ms / 1e3).unwrap_or_default();
    if delay.is_zero() {
        let message = format!("{name} requires a >0 timeout parameter, received {delay_ms:.2}");
        return Err(throw_go(ctx, &message));
    }
    let connection = this.borrow();
    let number = connection.timers_set.get();
    connection.timers_set.set(number + 1);
    let due = vu::current().worker.clock.now() + delay;
    let timer = Timer { callback, period: repeat.then_some(delay) };
    connection.timers.borrow_mut().insert((due, number), timer);
    Ok(())
}

fn close<'js>(ctx: Ctx<'js>, This(this): This<Connected<'js>>, code: Opt<Coerced<f64>>) -> Result<()> {
    let code = code.0.map_or(GOING_AWAY, |code| code.0 as u16);
    close_as(&ctx, &this, code)
}
