//! A server in memory, and the laws of exchanges with it.
//!
//! Time is whatever happens next: the server does something only when the client waits, so a client that
//! waits for nothing, or still waits when all is over, is found at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::exchange::Marks;
use crate::h1::{Connection, Failure, Outgoing, Received};

use super::deliver;
use super::script::{Deed, Script};
use super::shapes::mark;

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\n\r\n";
const BODY: &[u8] = &[b'b'; 200];
const TAKEN_BYTES: usize = 64;

/// Both directions of a connection.
#[derive(Debug, Default)]
struct Wire {
    readable: VecDeque<Vec<u8>>,
    end: Option<End>,
    /// How much more of the request is taken.
    window_bytes: usize,
    refuses: bool,
    written_bytes: usize,
    /// What the client has read.
    delivered: Vec<u8>,
    /// Whether the client waits for something to read.
    is_awaited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
}

impl Wire {
    fn apply(&mut self, deed: Deed) {
        match deed {
            Deed::Send(bytes) if self.end.is_none() => self.readable.push_back(bytes),
            Deed::Send(_) | Deed::Pause => {}
            Deed::Take => self.window_bytes = self.window_bytes.saturating_add(TAKEN_BYTES),
            Deed::Refuse => self.refuses = true,
            Deed::Close => self.end = self.end.or(Some(End::Closed)),
            Deed::Reset => self.end = self.end.or(Some(End::Reset)),
        }
    }

    fn has_news(&self) -> bool {
        !self.readable.is_empty() || self.end.is_some()
    }
}

/// The client's end.
#[derive(Clone, Debug, Default)]
struct Stream(Rc<RefCell<Wire>>);

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self.0.borrow_mut();
        if deliver(&mut wire.readable, &mut wire.delivered, buf) {
            return Poll::Ready(Ok(()));
        }
        match wire.end {
            Some(End::Closed) => Poll::Ready(Ok(())),
            Some(End::Reset) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            None => {
                wire.is_awaited = true;
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wire = &mut *self.0.borrow_mut();
        if wire.refuses || wire.end == Some(End::Reset) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = buf.len().min(wire.window_bytes);
        if taken == 0 {
            return Poll::Pending;
        }
        wire.window_bytes -= taken;
        wire.written_bytes += taken;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A client and the server it talks to.
struct Conversation {
    script: Script,
    stream: Stream,
    connection: Connection<Stream>,
}

impl Conversation {
    fn new(script: Script) -> Self {
        let window_bytes = script.window_bytes;
        let stream = Stream(Rc::new(RefCell::new(Wire { window_bytes, ..Wire::default() })));
        let connection = Connection::over(stream.clone(), SocketAddr::from(([127, 0, 0, 1], 1)));
        Self { script, stream, connection }
    }

    /// One exchange; the server goes on each time the client waits, and closes at the end of its script.
    fn exchange(&mut self, keep_body: bool) -> Result<Received, Failure> {
        let outgoing = Outgoing { head: HEAD, body: BODY, is_head: self.script.is_head, keep_body };
        let mut marks = Marks::start();
        let mut exchange = pin!(self.connection.exchange(outgoing, &mut marks));
        loop {
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(outcome) = exchange.as_mut().poll(&mut context) {
                return outcome;
            }
            let mut wire = self.stream.0.borrow_mut();
            assert!(std::mem::take(&mut wire.is_awaited), "the client waits for nothing");
            assert_eq!(wire.end, None, "the client waits after the end");
            wire.apply(self.script.deeds.pop_front().unwrap_or(Deed::Close));
        }
    }

    /// Lets the idle time pass: what the server does before it pauses. Tells whether the connection is still
    /// of use.
    fn idle(&mut self) -> bool {
        while let Some(deed) = self.script.deeds.pop_front().filter(|deed| *deed != Deed::Pause) {
            self.stream.0.borrow_mut().apply(deed);
        }
        let has_news = self.stream.0.borrow().has_news();
        assert_eq!(self.connection.is_stale(), has_news, "stale is what has something to read");
        !has_news
    }

    fn delivered_bytes(&self) -> usize {
        self.stream.0.borrow().delivered.len()
    }
}

/// Exchanges over as many connections as it takes, until the script is through.
pub(super) fn converse(script: Script) {
    let mut conversation = Conversation::new(script);
    for number in 0.. {
        let delivered_before = conversation.delivered_bytes();
        let written_before = conversation.stream.0.borrow().written_bytes;
        let outcome = conversation.exchange(number % 4 != 3);
        let is_reusable = {
            let wire = conversation.stream.0.borrow();
            let delivered = &wire.delivered[delivered_before..];
            let written_bytes = wire.written_bytes - written_before;
            check(&outcome, delivered, written_bytes, conversation.script.is_head)
        };
        if conversation.script.deeds.is_empty() {
            return;
        }
        if !is_reusable || !conversation.idle() {
            conversation = Conversation::new(conversation.script);
        }
    }
}

/// The laws of one exchange; tells whether another may follow on the connection.
fn check(outcome: &Result<Received, Failure>, delivered: &[u8], written_bytes: usize, is_head: bool) -> bool {
    let received = match outcome {
        Ok(received) => received,
        Err(failure) => {
            assert_eq!(failure.nothing_sent, written_bytes == 0);
            assert_eq!(failure.no_answer, delivered.is_empty());
            assert!(failure.error.text.len() < 2000, "an error is no book");
            return false;
        }
    };
    assert!(received.status < 1000 && !(100..200).contains(&received.status));
    let body = received.body.as_deref().unwrap_or_default();
    let has_no_body = is_head || matches!(received.status, 204 | 304);
    assert!(!has_no_body || body.is_empty(), "a body where there is none");
    let is_chunked = is_chunked(received) && !has_no_body;
    match is_chunked {
        true => assert!(is_subsequence(body, delivered), "the body is not what was sent"),
        false => assert!(contains(delivered, body), "the body is not what was sent"),
    }
    if received.reusable {
        assert_eq!(written_bytes, HEAD.len() + BODY.len(), "half a request is on its way");
        assert!(!has_token(received, b"close"), "the server closes");
        let length = received.headers.get_all("content-length").next();
        assert!(has_no_body || is_chunked || length.is_some(), "the end of the body is the connection's");
        assert!(delivered.ends_with(body) || is_chunked, "there is more than the body");
        assert!(body.is_empty() || is_chunked || length.is_some_and(|length| tells(length, body.len())));
    }
    received.reusable
}

/// What a response is to those who read it. None is an error, whose text may depend on the pieces.
type Digest = Option<(u16, Vec<(String, String)>, Option<Vec<u8>>)>;

/// The first answer of a conversation, sent in these pieces and then the end: its digest, and how many bytes
/// it took.
fn answer(pieces: VecDeque<Deed>, is_head: bool, keep_body: bool) -> (Digest, usize, bool) {
    let script = Script { is_head, window_bytes: usize::MAX, deeds: pieces };
    let mut conversation = Conversation::new(script);
    let outcome = conversation.exchange(keep_body).ok();
    let ended_by_close = conversation.stream.0.borrow().end.is_some();
    let digest = outcome.map(|got| (got.status, got.headers.canonical(), got.body.map(|body| body.to_vec())));
    (digest, conversation.delivered_bytes(), ended_by_close)
}

/// An answer is the same in any pieces, kept or not, and what is cut off is no answer.
pub(super) fn same_in_any_pieces(data: &[u8]) {
    let is_head = data.first() == Some(&b'H');
    let bytes: Vec<u8> = data.iter().skip(1).copied().filter(|byte| !mark::ALL.contains(byte)).collect();
    let in_pieces = |bytes: &[u8], piece_bytes: usize| -> VecDeque<Deed> {
        bytes.chunks(piece_bytes).map(|piece| Deed::Send(piece.to_vec())).collect()
    };
    let (single, taken_bytes, ended_by_close) = answer(in_pieces(&bytes, 1), is_head, true);
    for piece_bytes in [usize::MAX, 7] {
        let (whole, ..) = answer(in_pieces(&bytes, piece_bytes.min(bytes.len().max(1))), is_head, true);
        assert_eq!(whole, single, "in pieces of {piece_bytes}");
    }
    let (discarded, ..) = answer(in_pieces(&bytes, 3), is_head, false);
    let without_body = single.clone().map(|(status, headers, _)| (status, headers, None));
    assert_eq!(discarded, without_body, "without its body");
    if single.is_some() && !ended_by_close {
        let (cut, ..) = answer(in_pieces(&bytes[..taken_bytes - 1], usize::MAX >> 1), is_head, true);
        assert_eq!(cut, None, "an answer without its last byte");
        let (exact, ..) = answer(in_pieces(&bytes[..taken_bytes], usize::MAX >> 1), is_head, true);
        assert_eq!(exact, single, "an answer without what follows it");
    }
}

/// As the head says it on the wire: those who show headers may leave the framing's out.
fn is_chunked(received: &Received) -> bool {
    let head = received.headers.head().to_ascii_lowercase();
    head.starts_with(b"http/1.1") && contains(&head, b"\ntransfer-encoding:")
}

fn has_token(received: &Received, token: &[u8]) -> bool {
    received.headers.get_all("connection").any(|value| {
        value.split(|byte| *byte == b',').any(|have| have.trim_ascii().eq_ignore_ascii_case(token))
    })
}

fn tells(length: &[u8], bytes: usize) -> bool {
    std::str::from_utf8(length).ok().and_then(|length| length.parse().ok()) == Some(bytes)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

fn is_subsequence(part: &[u8], whole: &[u8]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|byte| whole.any(|have| have == byte))
}
