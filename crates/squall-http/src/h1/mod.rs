//! HTTP/1.1 over a stream: one request, one response.
//!
//! A connection holds no buffers between exchanges. While one runs, bytes are read into a scratch
//! buffer of the thread, and only what is kept is copied from there: the head, and the body's start. The
//! rest of a long body is read to where it stays. The request goes out in one vectored write; should that
//! not do, reading and writing take turns, so a server may answer before it has read everything.

mod body;
pub(crate) mod head;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use squall_net::{Dialed, NetError, Passage, Stream, TlsInfo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::exchange::{Marks, Protocol};
use crate::headers::Headers;

use body::Decoder;
pub(crate) use body::check_body_limit;
pub(crate) use head::HEAD_BYTES_MAX;
use head::{Framing, Head};

/// One read takes a typical response; larger ones take several.
const SCRATCH_BYTES: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// A connection that speaks HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Connection<S = Stream> {
    stream: S,
    pub(crate) remote: SocketAddr,
    pub(crate) tls: Option<TlsInfo>,
    /// Requests go through a plain proxy, with this authorization.
    pub(crate) forward_proxy: Option<Rc<str>>,
}

/// A request as it goes out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) head: &'a [u8],
    /// The body in its final form, chunk framing included.
    pub(crate) body: &'a [u8],
    /// It is a HEAD request: the response has no body.
    pub(crate) is_head: bool,
    /// Whether to keep the response's body.
    pub(crate) keep_body: bool,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) protocol: Protocol,
    pub(crate) status: u16,
    pub(crate) reason: Bytes,
    pub(crate) headers: Headers,
    pub(crate) body: Option<Bytes>,
    /// Another request may follow on the connection.
    pub(crate) reusable: bool,
}

/// A failed exchange.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: NetError,
    /// Not one byte of the request was written, or the server has said that it has not looked at it.
    pub(crate) nothing_sent: bool,
    /// The connection ended without one byte of a response.
    pub(crate) no_answer: bool,
}

impl Connection {
    pub(crate) fn new(dialed: Dialed) -> Self {
        let Dialed { stream, remote, tls, forward_proxy, .. } = dialed;
        Self { tls, forward_proxy, ..Self::over(stream, remote) }
    }

    /// The beginning of an exchange, where a network profile takes part of its time.
    pub(crate) fn passage(&self) -> Option<Passage> {
        self.stream.passage()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection over any stream: the fuzzers' server is in memory.
    pub(crate) fn over(stream: S, remote: SocketAddr) -> Self {
        Self { stream, remote, tls: None, forward_proxy: None }
    }

    /// Whether an idle connection is of no use: the server has closed it, or said something unasked.
    pub(crate) fn is_stale(&mut self) -> bool {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(&mut self.stream).poll_read(&mut context, &mut buffer).is_ready()
    }

    /// Sends a request and reads its response. After an error the connection is spent.
    pub(crate) async fn exchange(
        &mut self,
        outgoing: Outgoing<'_>,
        marks: &mut Marks,
    ) -> Result<Received, Failure> {
        let mut outbox = Outbox::new(outgoing);
        let mut inbox = Inbox::new(outgoing);
        // One future with all its state beside it: nested ones are copied into each other with every call.
        match poll_fn(|cx| self.poll_exchange(&mut outbox, &mut inbox, marks, cx)).await {
            Ok(incoming) => Ok(incoming.into_received(outbox.is_done())),
            Err(error) => {
                Err(Failure { error, nothing_sent: outbox.sent == 0, no_answer: marks.first_byte.is_none() })
            }
        }
    }

    /// Sends and reads by turns until the response is complete.
    fn poll_exchange(
        &mut self,
        outbox: &mut Outbox<'_>,
        inbox: &mut Inbox,
        marks: &mut Marks,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Incoming, NetError>> {
        loop {
            if let Some(incoming) = inbox.incoming.take_if(|incoming| incoming.decoder.is_done()) {
                return Poll::Ready(Ok(incoming));
            }
            outbox.poll_send(&mut self.stream, cx, marks);
            let received = match ready!(self.poll_read(inbox, marks, cx)) {
                Ok(taken) => Ok(taken?),
                Err(error) => Err(error),
            };
            match (received, &outbox.error) {
                // What broke the sending explains a missing answer better than its absence does.
                (Ok(0) | Err(_), Some(error)) => return Poll::Ready(Err(NetError::io("write", error))),
                (Ok(0), None) => inbox.end()?,
                (Ok(_), _) => {}
                (Err(error), None) => {
                    read_error(&error)?;
                    inbox.end()?;
                }
            }
        }
    }

    /// Reads once and says how much that was, or what is wrong with it; 0 is the end.
    fn poll_read(
        &mut self,
        inbox: &mut Inbox,
        marks: &mut Marks,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Result<usize, NetError>>> {
        if let Some(incoming) = &mut inbox.incoming
            && let Some(mut space) = incoming.decoder.space()
        {
            let received = ready!(pin!(self.stream.read_buf(&mut space)).poll(cx))?;
            return Poll::Ready(Ok(incoming.filled(received)));
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            let bytes = buffer.filled();
            if !bytes.is_empty() && marks.first_byte.is_none() {
                marks.first_byte = Some(Instant::now());
            }
            Poll::Ready(Ok(inbox.take(bytes).map(|()| bytes.len())))
        })
    }
}

/// A response on its way in.
#[derive(Debug)]
struct Inbox {
    to_head_request: bool,
    keep_body: bool,
    /// The start of a head that is not complete, and how much of it has been looked at.
    partial: Vec<u8>,
    scanned: usize,
    heads_bytes: usize,
    /// What there is once the final head has come.
    incoming: Option<Incoming>,
}

/// A response whose head is known.
#[derive(Debug)]
struct Incoming {
    head: Head,
    framing: Framing,
    decoder: Decoder,
    /// Bytes have come behind the body.
    has_excess: bool,
}

impl Inbox {
    fn new(outgoing: Outgoing<'_>) -> Self {
        Self {
            to_head_request: outgoing.is_head,
            keep_body: outgoing.keep_body,
            partial: Vec::new(),
            scanned: 0,
            heads_bytes: 0,
            incoming: None,
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        if let Some(incoming) = &mut self.incoming {
            return incoming.feed(bytes);
        }
        if self.partial.is_empty() {
            let rest = self.take_heads(bytes)?;
            self.partial.extend_from_slice(rest);
            return Ok(());
        }
        let mut partial = std::mem::take(&mut self.partial);
        partial.extend_from_slice(bytes);
        let taken = partial.len() - self.take_heads(&partial)?.len();
        partial.drain(..taken);
        self.partial = partial;
        Ok(())
    }

    /// Takes heads up to the final one, and what follows that. Informational ones are skipped. Returns the start
    /// of a head that is not complete.
    fn take_heads<'b>(&mut self, mut bytes: &'b [u8]) -> Result<&'b [u8], NetError> {
        if bytes.is_empty() {
            return Ok(bytes);
        }
        head::check_start(bytes)?;
        while let Some(head) = self.next_head(&mut bytes)? {
            match head.status {
                101 => return Err(switching_protocols(&head)),
                100..200 => continue,
                _ => {}
            }
            let framing = head.framing(self.to_head_request)?;
            let decoder = Decoder::new(framing, self.keep_body);
            let incoming = Incoming { head, framing, decoder, has_excess: false };
            self.incoming.insert(incoming).feed(bytes)?;
            return Ok(&[]);
        }
        check_limit(self.heads_bytes + bytes.len())?;
        Ok(bytes)
    }

    /// Takes one head off the bytes, if all of it is there.
    fn next_head(&mut self, bytes: &mut &[u8]) -> Result<Option<Head>, NetError> {
        // What comes in pieces is not looked at from its start again and again.
        let usual = if self.scanned == 0 { head::parse_usual(bytes) } else { None };
        if let Some((head, length)) = usual {
            self.take_note(length)?;
            *bytes = &bytes[length..];
            return Ok(Some(head));
        }
        let Some(length) = head::find_end(bytes, &mut self.scanned) else { return Ok(None) };
        self.take_note(length)?;
        head::parse(bytes, length).map(Some)
    }

    /// A head has so many bytes.
    fn take_note(&mut self, head_bytes: usize) -> Result<(), NetError> {
        self.scanned = 0;
        self.heads_bytes += head_bytes;
        check_limit(self.heads_bytes)
    }

    /// The connection has ended.
    fn end(&mut self) -> Result<(), NetError> {
        match &mut self.incoming {
            Some(incoming) => incoming.decoder.end(),
            None if self.partial.is_empty() && self.heads_bytes == 0 => Err(NetError::generic("EOF")),
            None => Err(NetError::generic("unexpected EOF")),
        }
    }
}

impl Incoming {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        let taken = self.decoder.feed(bytes)?;
        self.has_excess |= taken < bytes.len();
        Ok(())
    }

    /// So many bytes have been read into the decoder's space.
    fn filled(&mut self, bytes: usize) -> Result<usize, NetError> {
        self.has_excess |= self.decoder.filled(bytes)? > 0;
        Ok(bytes)
    }

    fn into_received(self, request_sent: bool) -> Received {
        // Bytes behind the body answer nothing we asked: whoever sent them is not to be trusted.
        let reusable = !self.has_excess && request_sent && self.head.keeps_alive(self.framing);
        let Head { protocol, status, reason, headers } = self.head;
        Received { protocol, status, reason, headers, body: self.decoder.into_body(), reusable }
    }
}

/// TLS that ends without saying so is an end like any other; what it cut off is noticed by the framing.
fn read_error(error: &io::Error) -> Result<(), NetError> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Ok(()),
        _ => Err(NetError::io("read", error)),
    }
}

fn check_limit(head_bytes: usize) -> Result<(), NetError> {
    if head_bytes <= HEAD_BYTES_MAX {
        return Ok(());
    }
    Err(NetError::generic(format!(
        "net/http: server response headers exceeded {HEAD_BYTES_MAX} bytes; aborted"
    )))
}

fn switching_protocols(head: &Head) -> NetError {
    let reason = String::from_utf8_lossy(&head.reason);
    NetError::generic(format!("unsupported response status: 101 {reason}"))
}

/// A request on its way out.
#[derive(Debug)]
struct Outbox<'a> {
    head: &'a [u8],
    body: &'a [u8],
    sent: usize,
    flushed: bool,
    error: Option<io::Error>,
}

impl<'a> Outbox<'a> {
    fn new(outgoing: Outgoing<'a>) -> Self {
        let Outgoing { head, body, .. } = outgoing;
        Self { head, body, sent: 0, flushed: false, error: None }
    }

    fn is_done(&self) -> bool {
        self.flushed
    }

    /// Sends as much as the stream takes. After an error nothing more: there may be an answer to read.
    fn poll_send<S>(&mut self, stream: &mut S, cx: &mut Context<'_>, marks: &mut Marks)
    where
        S: AsyncWrite + Unpin,
    {
        if self.flushed || self.error.is_some() {
            return;
        }
        match self.poll_flush(stream, cx) {
            Poll::Ready(Ok(())) => {
                self.flushed = true;
                marks.sent = Some(Instant::now());
            }
            Poll::Ready(Err(error)) => self.error = Some(error),
            Poll::Pending => {}
        }
    }

    fn poll_flush<S>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        let mut stream = Pin::new(stream);
        while self.sent < self.head.len() + self.body.len() {
            let head = &self.head[self.sent.min(self.head.len())..];
            let body = &self.body[self.sent.saturating_sub(self.head.len())..];
            let sent = match (head, body) {
                ([], rest) | (rest, []) => ready!(stream.as_mut().poll_write(cx, rest))?,
                _ => {
                    let slices = [IoSlice::new(head), IoSlice::new(body)];
                    ready!(stream.as_mut().poll_write_vectored(cx, &slices))?
                }
            };
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
        }
        stream.poll_flush(cx)
    }
}
