//! HTTP/1.1 over a stream: one request, one response.
//!
//! A connection holds no buffers between exchanges. While one runs, bytes are read into a scratch
//! buffer of the thread; head and body of a small response then share one allocation. The request
//! goes out in one vectored write; should that not do, reading and writing take turns, so a server may
//! answer before it has read everything.

mod body;
pub(crate) mod head;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use squall_net::{Dialed, NetError, Stream, TlsInfo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
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
    /// Not one byte of the request was written.
    pub(crate) nothing_sent: bool,
    /// The connection ended without one byte of a response.
    pub(crate) no_answer: bool,
}

impl Connection {
    pub(crate) fn new(dialed: Dialed) -> Self {
        let Dialed { stream, remote, tls, forward_proxy, .. } = dialed;
        Self { tls, forward_proxy, ..Self::over(stream, remote) }
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
        let outcome = self.run(outgoing, &mut outbox, marks).await;
        outcome.map_err(|error| Failure {
            error,
            nothing_sent: outbox.sent == 0,
            no_answer: marks.first_byte.is_none(),
        })
    }

    async fn run(
        &mut self,
        outgoing: Outgoing<'_>,
        outbox: &mut Outbox<'_>,
        marks: &mut Marks,
    ) -> Result<Received, NetError> {
        let mut buffer = BytesMut::new();
        let (head, framing) = self.read_head(outgoing, outbox, &mut buffer, marks).await?;
        let body = self.read_body(framing, outgoing.keep_body, outbox, &mut buffer, marks).await?;
        // Bytes behind the body answer nothing we asked: whoever sent them is not to be trusted.
        let reusable = buffer.is_empty() && outbox.is_done() && head.keeps_alive(framing);
        let Head { protocol, status, reason, headers } = head;
        Ok(Received { protocol, status, reason, headers, body, reusable })
    }

    /// The final head; informational ones before it are skipped.
    async fn read_head(
        &mut self,
        outgoing: Outgoing<'_>,
        outbox: &mut Outbox<'_>,
        buffer: &mut BytesMut,
        marks: &mut Marks,
    ) -> Result<(Head, Framing), NetError> {
        let (mut scanned, mut heads_bytes) = (0, 0);
        loop {
            if let Some(length) = head::find_end(buffer, &mut scanned) {
                heads_bytes += length;
                check_limit(heads_bytes)?;
                let head = head::parse(buffer, length)?;
                scanned = 0;
                match head.status {
                    101 => return Err(switching_protocols(&head)),
                    100..200 => continue,
                    _ => {}
                }
                let framing = head.framing(outgoing.is_head)?;
                return Ok((head, framing));
            }
            check_limit(heads_bytes + buffer.len())?;
            let received = self.read(outbox, marks, |bytes| buffer.extend_from_slice(bytes)).await;
            if received? == 0 {
                let nothing = buffer.is_empty() && heads_bytes == 0;
                return Err(NetError::generic(if nothing { "EOF" } else { "unexpected EOF" }));
            }
            head::check_start(buffer)?;
        }
    }

    async fn read_body(
        &mut self,
        framing: Framing,
        keep: bool,
        outbox: &mut Outbox<'_>,
        buffer: &mut BytesMut,
        marks: &mut Marks,
    ) -> Result<Option<Bytes>, NetError> {
        if let Framing::Length(length) = framing
            && length <= buffer.len() as u64
        {
            let body = buffer.split_to(length as usize).freeze();
            return Ok(keep.then_some(body));
        }
        let mut decoder = Decoder::new(framing, keep);
        let taken = decoder.feed(buffer)?;
        let _ = buffer.split_to(taken);
        while !decoder.is_done() {
            let mut fed = Ok(());
            let received = self.read(outbox, marks, |bytes| {
                fed = decoder.feed(bytes).map(|taken| buffer.extend_from_slice(&bytes[taken..]));
            });
            let received = received.await?;
            fed?;
            if received == 0 {
                decoder.end()?;
            }
        }
        Ok(decoder.into_body())
    }

    /// Waits for bytes and hands them to `take`; 0 is the end. Sends what is still to be sent meanwhile.
    async fn read(
        &mut self,
        outbox: &mut Outbox<'_>,
        marks: &mut Marks,
        mut take: impl FnMut(&[u8]),
    ) -> Result<usize, NetError> {
        let received = poll_fn(|cx| {
            outbox.poll_send(&mut self.stream, cx, marks);
            SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
                marks.first_byte =
                    marks.first_byte.or_else(|| (!buffer.filled().is_empty()).then(Instant::now));
                take(buffer.filled());
                Poll::Ready(Ok(buffer.filled().len()))
            })
        });
        // What broke the sending explains a missing answer better than its absence does.
        match (received.await, &outbox.error) {
            (Ok(0) | Err(_), Some(error)) => Err(NetError::io("write", error)),
            (Ok(received), _) => Ok(received),
            (Err(error), None) => read_error(&error),
        }
    }
}

/// TLS that ends without saying so is an end like any other; what it cut off is noticed by the framing.
fn read_error(error: &io::Error) -> Result<usize, NetError> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Ok(0),
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
