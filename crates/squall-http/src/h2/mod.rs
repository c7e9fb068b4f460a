//! HTTP/2 over a stream: many requests over one connection, without a task between a request and the wire.
//!
//! Whoever waits for a response reads for all: it gives each stream what is its own and wakes whom that concerns. When
//! it is done, the connection's attendant takes over, a task that sees to what comes while nobody waits: pings, the
//! server's farewell, and responses to others. A connection holds no buffers between exchanges.

mod frame;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod hpack;
mod huffman;
mod reason;
mod state;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker, ready};

use squall_net::{Dialed, Passage, Stream, TlsInfo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::AbortHandle;

use crate::exchange::Marks;
use crate::h1::{Failure, Received};
use crate::message::Message;
use state::{Broken, Scratch, State};

/// One read takes a typical response; larger ones take several.
const INPUT_BYTES: usize = 64 << 10;

thread_local! {
    static SCRATCH: RefCell<(Vec<u8>, Scratch)> = RefCell::new((vec![0; INPUT_BYTES], Scratch::default()));
}

/// A connection that speaks HTTP/2. Clones share it; it closes with the last of them.
///
/// A clone that is in use keeps it open, so [`crate::Connections::close_idle`] breaks nothing.
#[derive(Debug)]
pub(crate) struct Connection<S = Stream> {
    link: Rc<RefCell<Link<S>>>,
    pub(crate) remote: SocketAddr,
    pub(crate) tls: Option<TlsInfo>,
}

/// What a connection goes over.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Whether there is something to read, or the end; else the caller is woken when there is.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl Wire for Stream {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_readable(self, cx)
    }
}

/// The protocol's state and the wire.
#[derive(Debug)]
struct Link<S> {
    state: State,
    stream: S,
    /// How much of the outbox is sent.
    sent_bytes: usize,
    /// Nothing more can be sent: there may be something to read that says why.
    is_mute: bool,
    /// The last read was all that fitted: there may be more that the wire knows nothing of.
    has_more: bool,
    attendant: Attendant,
}

/// Who reads when no exchange does.
#[derive(Debug)]
struct Attendant {
    task: Option<AbortHandle>,
    waker: Option<Waker>,
}

impl Drop for Attendant {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl<S> Clone for Connection<S> {
    fn clone(&self) -> Self {
        Self { link: self.link.clone(), remote: self.remote, tls: self.tls }
    }
}

impl Connection {
    /// Speaks HTTP/2 over a fresh connection. The greeting goes out with the first request.
    pub(crate) fn new(dialed: Dialed) -> Self {
        let Dialed { stream, remote, tls, .. } = dialed;
        Self::over(stream, remote, tls)
    }

    /// The beginning of an exchange, where a network profile takes part of its time.
    pub(crate) fn passage(&self) -> Option<Passage> {
        self.link.borrow().stream.passage()
    }
}

impl<S: Wire> Connection<S> {
    /// Speaks HTTP/2 over any stream.
    pub(crate) fn over(stream: S, remote: SocketAddr, tls: Option<TlsInfo>) -> Self {
        let link = Rc::new(RefCell::new(Link {
            state: State::new(),
            stream,
            sent_bytes: 0,
            is_mute: false,
            has_more: false,
            attendant: Attendant { task: None, waker: None },
        }));
        let task = tokio::task::spawn_local(attend(Rc::downgrade(&link)));
        link.borrow_mut().attendant.task = Some(task.abort_handle());
        Self { link, remote, tls }
    }

    /// Whether it takes requests.
    pub(crate) fn is_open(&self) -> bool {
        let is_open = {
            let mut link = self.link.borrow_mut();
            if link.state.is_idle() {
                link.catch_up();
            }
            link.state.is_open()
        };
        wake(&self.link);
        is_open
    }

    /// Sends a request and reads its response.
    pub(crate) async fn exchange(
        &self,
        message: &Message<'_>,
        keep_body: bool,
        marks: &mut Marks,
    ) -> Result<Received, Failure> {
        let mut call = Call { link: &self.link, id: None };
        let polled = poll_fn(|cx| {
            let polled = call.poll(message, keep_body, marks, cx);
            wake(call.link);
            polled
        });
        polled.await?.map_err(|broken| Failure {
            error: broken.error,
            nothing_sent: broken.is_unseen && marks.first_byte.is_none(),
            // Unlike over HTTP/1.1, Go does not send again what an idle connection's end may have been the answer to.
            no_answer: false,
        })
    }
}

/// An exchange in progress. Dropping it gives it up.
struct Call<'a, S: Wire> {
    link: &'a Rc<RefCell<Link<S>>>,
    id: Option<u32>,
}

impl<S: Wire> Call<'_, S> {
    fn poll(
        &mut self,
        message: &Message<'_>,
        keep_body: bool,
        marks: &mut Marks,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Result<Received, Broken>, Failure>> {
        let link = &mut *self.link.borrow_mut();
        let id = match self.id {
            Some(id) => id,
            None => {
                if let Some(refusal) = link.state.refusal() {
                    let error = refusal.error;
                    return Poll::Ready(Err(Failure { error, nothing_sent: true, no_answer: false }));
                }
                let Some(id) = link.state.open(message, keep_body, cx) else { return Poll::Pending };
                *self.id.insert(id)
            }
        };
        // Who polls need not be woken by what it finds.
        let waker = link.state.take_waker(id);
        loop {
            if let Some(outcome) = link.state.take(id, marks) {
                self.id = None;
                link.catch_up();
                return Poll::Ready(Ok(outcome));
            }
            link.poll_send(cx);
            if link.poll_receive(cx).is_pending() {
                link.state.wait(id, waker, marks, cx);
                return Poll::Pending;
            }
        }
    }
}

impl<S: Wire> Drop for Call<'_, S> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        {
            let mut link = self.link.borrow_mut();
            link.state.cancel(id);
            link.catch_up();
        }
        wake(self.link);
    }
}

impl<S: Wire> Link<S> {
    /// Does what there is to do now, and has the attendant woken for what comes.
    fn catch_up(&mut self) {
        // Without a waker its first turn is still to come.
        if let Some(waker) = self.attendant.waker.take() {
            self.attend(&mut Context::from_waker(&waker));
            self.attendant.waker = Some(waker);
        }
    }

    fn attend(&mut self, cx: &mut Context<'_>) {
        loop {
            self.poll_send(cx);
            let has_news = self.has_more || self.stream.poll_readable(cx).is_ready();
            if self.state.has_ended() || !has_news || self.poll_receive(cx).is_pending() {
                return;
            }
        }
    }

    /// Sends as much as the wire takes.
    fn poll_send(&mut self, cx: &mut Context<'_>) {
        while !self.is_mute {
            self.state.fill_outbox();
            if self.state.outbox.is_empty() {
                return;
            }
            match self.poll_outbox(cx) {
                Poll::Ready(Ok(())) => {
                    self.sent_bytes = 0;
                    self.state.sent();
                }
                Poll::Ready(Err(_)) => self.is_mute = true,
                Poll::Pending => return,
            }
        }
    }

    fn poll_outbox(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut stream = Pin::new(&mut self.stream);
        while self.sent_bytes < self.state.outbox.len() {
            let rest = &self.state.outbox[self.sent_bytes..];
            match ready!(stream.as_mut().poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                bytes => self.sent_bytes += bytes,
            }
        }
        stream.poll_flush(cx)
    }

    /// Reads once.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        SCRATCH.with_borrow_mut(|(input, scratch)| {
            let mut input = ReadBuf::new(input);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut input)) {
                Ok(()) if input.filled().is_empty() => self.state.end(None),
                Ok(()) => self.state.receive(input.filled(), scratch),
                Err(error) => self.state.end(Some(&error)),
            }
            self.has_more = input.remaining() == 0;
            Poll::Ready(())
        })
    }
}

/// Wakes whom it concerns, now that nothing is borrowed.
fn wake<S>(link: &Rc<RefCell<Link<S>>>) {
    loop {
        let Some(waker) = link.borrow_mut().state.woken.pop() else { return };
        waker.wake();
    }
}

/// The attendant: lives as long as the connection.
async fn attend<S: Wire>(link: Weak<RefCell<Link<S>>>) {
    poll_fn(|cx| {
        let Some(link) = link.upgrade() else { return Poll::Ready(()) };
        let has_ended = {
            let mut link = link.borrow_mut();
            link.attendant.waker = Some(cx.waker().clone());
            link.attend(cx);
            link.state.has_ended()
        };
        wake(&link);
        if has_ended { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
