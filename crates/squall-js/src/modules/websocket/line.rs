//! A socket of `k6/websockets`: a task that connects, reads and writes while the fiber does what it likes, and posts what
//! happens to the VU's event loop.
//!
//! ```text
//! Connecting ──open──► Open ──close()──► Closing ──farewell, end, error──► Closed
//!      └────── failed, close() ──────────────┴──────────────────────────────►┘
//! ```

use std::{
    cell::{Cell, OnceCell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
};

use rquickjs::{Ctx, Error, Object, Persistent, Result};
use squall_ws::{Event, Message, Socket};
use tokio::task::AbortHandle;

use super::{
    UNEXPECTED_END, farewell_text, is_expected,
    meter::{Meter, Pings},
    object::{self, Kind},
    opening::{Opened, Opening},
};
use crate::{
    errors,
    event_loop::{Completion, Source},
    vu::VuState,
};

/// What a socket may have read and the script not handled: beyond it nothing is read, and the server has to wait.
const UNHANDLED_BYTES_MAX: usize = 64 << 10;

/// What an event weighs besides its payload.
const EVENT_BYTES: usize = 128;

/// Farewell of sockets whose iteration or VU is over.
const CLOSE_NORMAL: u16 = 1000;

/// As scripts see it in `readyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Connecting = 0,
    Open = 1,
    Closing = 2,
    Closed = 3,
}

/// A socket of the VU's event loop.
pub(super) struct Line {
    vu: Rc<VuState>,
    pub(super) url: String,
    is_kept: bool,
    state: Cell<State>,
    socket: RefCell<Option<Socket>>,
    /// What the script holds, for as long as there may be events.
    object: RefCell<Option<Persistent<Object<'static>>>>,
    task: OnceCell<AbortHandle>,
    meter: OnceCell<Meter>,
    pings: Pings,
    pub(super) protocol: OnceCell<String>,
    pub(super) extensions: RefCell<Vec<String>>,
    /// Of the farewell, theirs or ours.
    close: RefCell<Option<(u16, String)>>,
    /// Bytes that were said on one turn of the event loop, and which: they count as buffered until its end.
    said: Cell<(u64, usize)>,
    unhandled_bytes: Cell<usize>,
    /// Of the task, when it waits for the script: to see that the socket is open, or to handle what was read.
    waker: RefCell<Waker>,
}

/// What a task tells the script.
enum News {
    Opened,
    Failed(String),
    Happened(Event),
}

impl Line {
    /// A line that begins to connect.
    pub(super) fn open(vu: &Rc<VuState>, opening: Opening) -> Rc<Line> {
        let line = Rc::new(Line {
            vu: Rc::clone(vu),
            url: opening.url.clone(),
            is_kept: opening.is_kept,
            state: Cell::new(State::Connecting),
            socket: RefCell::default(),
            object: RefCell::default(),
            task: OnceCell::new(),
            meter: OnceCell::new(),
            pings: Pings::default(),
            protocol: OnceCell::new(),
            extensions: RefCell::default(),
            close: RefCell::default(),
            said: Cell::default(),
            unhandled_bytes: Cell::default(),
            waker: RefCell::new(Waker::noop().clone()),
        });
        vu.events.add_source(Rc::clone(&line) as Rc<dyn Source>);
        let task = tokio::task::spawn_local(Rc::clone(&line).run(opening));
        line.task.get_or_init(|| task.abort_handle());
        line
    }

    /// The object that gets the events.
    pub(super) fn belong_to<'js>(&self, ctx: &Ctx<'js>, object: Object<'js>) {
        *self.object.borrow_mut() = Some(Persistent::save(ctx, object));
    }

    pub(super) fn state(&self) -> State {
        self.state.get()
    }

    /// Bytes that were said and are not on their way yet. What was said on this turn counts as such.
    pub(super) fn buffered_bytes(&self) -> usize {
        let unsent = self.socket.borrow().as_ref().map_or(0, Socket::unsent_bytes);
        match self.said.get() {
            (turn, bytes) if turn == self.vu.events.turn() => unsent.max(bytes),
            _ => unsent,
        }
    }

    pub(super) fn send(&self, message: Message) {
        let (turn, length) = (self.vu.events.turn(), message.len());
        let before = self.said.get();
        self.said.set((turn, length + if before.0 == turn { before.1 } else { 0 }));
        if let Some(socket) = &mut *self.socket.borrow_mut() {
            socket.send(message);
            self.measure(Meter::record_sent);
        }
    }

    pub(super) fn ping(&self) {
        if let Some(socket) = &mut *self.socket.borrow_mut() {
            socket.ping(self.pings.next(self.vu.worker.clock.now()).as_bytes());
            // Of this module k6 counts pings and farewells among what is sent.
            self.measure(Meter::record_sent);
        }
    }

    /// Says farewell; the end comes when the server has answered.
    pub(super) fn close(&self, code: u16, reason: &str) {
        self.state.set(State::Closing);
        *self.close.borrow_mut() = Some((code, String::new()));
        match &mut *self.socket.borrow_mut() {
            Some(socket) => {
                socket.close(code, reason);
                self.measure(Meter::record_sent);
            }
            // Said as soon as there is somebody to say it to.
            None => *self.close.borrow_mut() = Some((code, reason.to_owned())),
        }
    }

    async fn run(self: Rc<Self>, opening: Opening) {
        // Boxed, so that what it takes to connect is not kept.
        let opened = Box::pin(opening.connect(&self.vu)).await;
        if !self.take(opened) {
            return;
        }
        while let Some(event) = poll_fn(|cx| self.poll_event(cx)).await {
            let is_last =
                !matches!(event, Event::Text(_) | Event::Binary(_) | Event::Ping(_) | Event::Pong(_));
            self.post(News::Happened(event));
            if is_last {
                break;
            }
        }
        // The answer to a farewell may still be on its way.
        let flush = |cx: &mut Context| match &mut *self.socket.borrow_mut() {
            Some(socket) => socket.poll_flush(cx).map(|_| ()),
            None => Poll::Ready(()),
        };
        poll_fn(flush).await;
        self.socket.take();
    }

    /// Takes what became of the attempt to connect. False: there is no socket.
    fn take(self: &Rc<Self>, opened: Opened) -> bool {
        self.meter.get_or_init(|| opened.meter);
        let response = opened.response.unwrap_or_default();
        *self.extensions.borrow_mut() =
            response.values("Sec-WebSocket-Extensions").map(str::to_owned).collect();
        let mut socket = match opened.socket {
            Ok(socket) => socket,
            Err(error) => {
                self.post(News::Failed(error.text.into_owned()));
                return false;
            }
        };
        let protocol = response.header("Sec-WebSocket-Protocol").unwrap_or_default();
        self.protocol.get_or_init(|| protocol.to_owned());
        if let Some((code, reason)) = &mut *self.close.borrow_mut() {
            socket.close(*code, &std::mem::take(reason));
            self.measure(Meter::record_sent);
        }
        *self.socket.borrow_mut() = Some(socket);
        self.post(News::Opened);
        true
    }

    /// The next event; none when there is no socket any more.
    fn poll_event(&self, cx: &mut Context) -> Poll<Option<Event>> {
        let mut socket = self.socket.borrow_mut();
        let Some(socket) = &mut *socket else { return Poll::Ready(None) };
        // What the script says when it sees the open socket, it says before anything that comes, even the end.
        let is_unseen = self.state() == State::Connecting;
        if is_unseen || self.unhandled_bytes.get() >= UNHANDLED_BYTES_MAX {
            self.waker.borrow_mut().clone_from(cx.waker());
            // An error shows again when the next event is asked for.
            let _ = socket.poll_flush(cx);
            return Poll::Pending;
        }
        let event = ready!(socket.poll_event(cx));
        self.unhandled_bytes.set(self.unhandled_bytes.get() + weight(&event));
        Poll::Ready(Some(event))
    }

    fn post(self: &Rc<Self>, news: News) {
        let line = Rc::clone(self);
        let completion: Completion = Box::new(move |ctx| line.handle(ctx, news));
        self.vu.events.post(Rc::clone(self) as Rc<dyn Source>, completion);
    }

    fn handle(&self, ctx: &Ctx, news: News) -> Result<()> {
        match news {
            News::Opened => {
                // The task goes on when the script waits, if it does so before the handler's end.
                self.waker.borrow().wake_by_ref();
                if self.state() != State::Connecting {
                    return Ok(());
                }
                self.state.set(State::Open);
                let result = self.dispatch(ctx, Kind::Open, |_| Ok(()));
                self.break_off_if_failed(ctx, result)
            }
            News::Failed(text) => self.end(ctx, Some(text)),
            News::Happened(event) => {
                self.unhandled_bytes.set(self.unhandled_bytes.get() - weight(&event));
                self.waker.borrow().wake_by_ref();
                self.handle_event(ctx, event)
            }
        }
    }

    fn handle_event(&self, ctx: &Ctx, event: Event) -> Result<()> {
        match event {
            Event::Text(_) | Event::Binary(_) if self.state() != State::Open => Ok(()),
            Event::Text(text) => self.receive(ctx, |event| event.set("data", text)),
            Event::Binary(bytes) => self.receive(ctx, |event| object::set_data(event, &bytes)),
            Event::Ping(_) => self.dispatch(ctx, Kind::Ping, |_| Ok(())),
            Event::Pong(payload) => {
                let is_known =
                    self.meter.get().is_some_and(|meter| meter.record_pong(&self.vu, &self.pings, &payload));
                if !is_known {
                    tracing::warn!("received pong for unknown ping ID {}", String::from_utf8_lossy(&payload));
                }
                self.dispatch(ctx, Kind::Pong, |_| Ok(()))
            }
            Event::Closing(code, reason) => self.end_with_farewell(ctx, code, reason),
            Event::End => self.end_with_farewell(ctx, UNEXPECTED_END.0, UNEXPECTED_END.1.to_owned()),
            Event::Violation(violation) => self.end(ctx, Some(violation.to_string())),
            Event::Broken(error) => self.end(ctx, Some(error.text.into_owned())),
        }
    }

    fn receive<'js>(&self, ctx: &Ctx<'js>, set_data: impl FnOnce(&Object<'js>) -> Result<()>) -> Result<()> {
        self.measure(Meter::record_received);
        let result = self.dispatch(ctx, Kind::Message, |event| {
            set_data(event)?;
            event.set("origin", self.url.as_str())
        });
        self.break_off_if_failed(ctx, result)
    }

    /// A handler that throws ends its socket, and then, with what it has thrown, its iteration.
    fn break_off_if_failed(&self, ctx: &Ctx, result: Result<()>) -> Result<()> {
        match result {
            Err(Error::Exception) if !self.vu.is_stopped() => {
                let thrown = ctx.catch();
                self.hang_up();
                if self.end(ctx, Some(errors::describe_value(ctx, &thrown))).is_err() {
                    // The first one counts.
                    ctx.catch();
                }
                Err(ctx.throw(thrown))
            }
            result => result,
        }
    }

    fn end_with_farewell(&self, ctx: &Ctx, code: u16, reason: String) -> Result<()> {
        let error = (!is_expected(code)).then(|| farewell_text(code, &reason));
        *self.close.borrow_mut() = Some((code, reason));
        self.end(ctx, error)
    }

    /// It is over: tells the script, of an error first, and lets the iteration go on to its end.
    fn end(&self, ctx: &Ctx, error: Option<String>) -> Result<()> {
        if self.state.replace(State::Closed) == State::Closed {
            return Ok(());
        }
        if self.protocol.get().is_some() {
            self.measure(Meter::record_end);
        }
        let tell = || {
            if let Some(error) = error {
                self.dispatch(ctx, Kind::Error, |event| event.set("error", error))?;
            }
            self.dispatch(ctx, Kind::Close, |event| {
                let close = self.close.borrow();
                if let Some((code, _)) = &*close {
                    event.set("code", *code)?;
                }
                event.set("reason", close.as_ref().map_or("", |(_, reason)| reason))
            })
        };
        let result = tell();
        self.object.take();
        self.vu.events.remove_source(std::ptr::from_ref(self).cast());
        result
    }

    /// Calls the script's listeners, if there are any.
    fn dispatch<'js>(
        &self,
        ctx: &Ctx<'js>,
        kind: Kind,
        fill: impl FnOnce(&Object<'js>) -> Result<()>,
    ) -> Result<()> {
        let Some(object) = self.object.borrow().clone() else { return Ok(()) };
        let now_ms = self.vu.run().unix_ms(self.vu.worker.clock.now());
        object::dispatch(&object.restore(ctx)?, kind, now_ms, fill)
    }

    /// Ends the connection without a word.
    fn hang_up(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
        self.socket.take();
    }

    fn measure(&self, record: impl FnOnce(&Meter, &VuState)) {
        if let Some(meter) = self.meter.get() {
            record(meter, &self.vu);
        }
    }
}

impl Source for Line {
    fn holds_iteration(&self) -> bool {
        !self.is_kept
    }

    fn give_up(&self) {
        if let Some(socket) = &mut *self.socket.borrow_mut() {
            socket.close(CLOSE_NORMAL, "");
        }
        if self.state.replace(State::Closed) != State::Closed && self.protocol.get().is_some() {
            self.measure(Meter::record_end);
        }
        self.hang_up();
        self.object.take();
    }
}

fn weight(event: &Event) -> usize {
    let payload = match event {
        Event::Text(text) => text.len(),
        Event::Binary(bytes) | Event::Ping(bytes) | Event::Pong(bytes) => bytes.len(),
        _ => 0,
    };
    EVENT_BYTES + payload
}
