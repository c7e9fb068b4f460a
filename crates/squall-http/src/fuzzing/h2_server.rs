//! An HTTP/2 server in memory, and the laws of connections with it.
//!
//! Time is whatever happens next: after each deed of the server the client runs until it has nothing more to do, so
//! what it should have done by then, and an answer that nobody is told of, is found at once.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::Method;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::{JoinHandle, LocalSet, spawn_local, yield_now};
use url::Url;

use crate::exchange::Marks;
use crate::h1::{Failure, HEAD_BYTES_MAX, Received};
use crate::h2::Connection;
use crate::message::{Message, Payload};

use super::{HeaderDecoder, deliver};

/// What becomes of one connection.
#[derive(Debug)]
pub(super) struct Plan {
    /// How much of what the client says is taken at first.
    pub(super) window_bytes: usize,
    pub(super) deeds: Vec<Deed>,
}

#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// The client starts a request.
    Ask(Ask),
    /// The client gives its request with this number up.
    GiveUp(usize),
    /// The server sends this, which comes in one read if it fits.
    Send(Vec<u8>),
    /// The server takes more of what the client says.
    Take(usize),
    /// The server takes nothing more, and says so.
    Refuse,
    Close,
    Reset,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) kind: Kind,
    pub(super) keep_body: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Get,
    Head,
    /// With a body of this many bytes.
    Post(usize),
}

/// What a connection may hold beside the bodies: a head in pieces, a frame in pieces, a read, what waits to be sent.
const HELD_BYTES_MAX: usize = 2 * HEAD_BYTES_MAX + 1024 * 1024;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Both directions of a connection.
#[derive(Debug, Default)]
struct Wire {
    readable: VecDeque<Vec<u8>>,
    end: Option<Deed>,
    window_bytes: usize,
    refuses: bool,
    written: Vec<u8>,
    delivered: Vec<u8>,
    /// As with a socket, one each: the last to ask is told.
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// How often the client has asked for anything.
    polls: usize,
}

impl Wire {
    fn has_news(&self) -> bool {
        !self.readable.is_empty() || self.end.is_some()
    }

    fn news(&mut self) {
        self.reader.take().into_iter().for_each(Waker::wake);
    }
}

#[derive(Clone, Debug)]
struct Stream(Rc<RefCell<Wire>>);

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self.0.borrow_mut();
        wire.polls += 1;
        if deliver(&mut wire.readable, &mut wire.delivered, buf) {
            return Poll::Ready(Ok(()));
        }
        match &wire.end {
            Some(Deed::Reset) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Some(_) => Poll::Ready(Ok(())),
            None => {
                wire.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wire = &mut *self.0.borrow_mut();
        wire.polls += 1;
        if wire.refuses || matches!(wire.end, Some(Deed::Reset)) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = buf.len().min(wire.window_bytes);
        if taken == 0 {
            wire.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        wire.window_bytes -= taken;
        wire.written.extend_from_slice(&buf[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl crate::h2::Wire for Stream {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self.0.borrow_mut();
        if wire.has_news() {
            return Poll::Ready(Ok(()));
        }
        wire.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

type Outcome = Result<Received, Failure>;

struct Call {
    ask: Ask,
    task: JoinHandle<Outcome>,
    is_given_up: bool,
}

/// A client, and the wire to its server.
struct Conversation {
    wire: Rc<RefCell<Wire>>,
    connection: Connection<Stream>,
    calls: Vec<Call>,
    /// The server has left something that the client says for later.
    is_slow: bool,
}

/// One connection, from the first request to its end.
pub(super) fn converse(plan: Plan) {
    run(async {
        let (conversation, outcomes) = play(plan).await;
        conversation.check(&outcomes);
    });
}

/// What a response is to those who read it, or the number of the error.
type Digest = Result<(u16, Vec<u8>, Option<Bytes>), u32>;

/// Outcomes are the same in any pieces, kept or not. The first byte tells the requests.
pub(super) fn same_in_any_pieces(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else { return };
    // No long bodies: how wide a window is when it is opened depends on what was sent by then.
    let kinds = [Kind::Get, Kind::Head, Kind::Post(10)];
    let asks = (0..1 + usize::from(first % 3)).map(|number| kinds[usize::from(first / 3) / (number + 1) % 3]);
    let asks: Vec<_> = asks.collect();
    let heard = |piece_bytes: usize, keep_body: bool| -> Vec<Option<Digest>> {
        let asks = asks.iter().map(|kind| Deed::Ask(Ask { kind: *kind, keep_body }));
        let pieces = bytes.chunks(piece_bytes).map(|piece| Deed::Send(piece.to_vec()));
        let plan = Plan { window_bytes: usize::MAX, deeds: asks.chain(pieces).collect() };
        run(async {
            let (conversation, outcomes) = play(plan).await;
            conversation.check(&outcomes);
            outcomes.into_iter().map(|outcome| outcome.map(digest)).collect()
        })
    };
    let whole = heard(bytes.len().max(1), true);
    for piece_bytes in [1, 7] {
        // Long texts take long in small pieces.
        if bytes.len() < 1000 * piece_bytes {
            assert_eq!(heard(piece_bytes, true), whole, "in pieces of {piece_bytes}");
        }
    }
    let without = |digest: Digest| digest.map(|(status, head, _)| (status, head, None));
    let discarded: Vec<_> = whole.into_iter().map(|digest| digest.map(without)).collect();
    assert_eq!(heard(bytes.len().max(1), false), discarded, "without their bodies");
}

fn digest(outcome: Outcome) -> Digest {
    let received = outcome.map_err(|failure| failure.error.code)?;
    Ok((received.status, received.headers.head().to_vec(), received.body))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| LocalSet::new().block_on(runtime, future))
}

/// Does what is planned and then closes. A request that was given up has no outcome.
async fn play(plan: Plan) -> (Conversation, Vec<Option<Outcome>>) {
    let wire = Rc::new(RefCell::new(Wire { window_bytes: plan.window_bytes, ..Wire::default() }));
    let connection = Connection::over(Stream(wire.clone()), SocketAddr::from(([127, 0, 0, 1], 1)), None);
    let is_slow = plan.window_bytes < usize::MAX;
    let mut conversation = Conversation { wire, connection, calls: Vec::new(), is_slow };
    for deed in plan.deeds {
        conversation.apply(deed);
        conversation.settle().await;
    }
    conversation.apply(Deed::Close);
    conversation.settle().await;
    let mut outcomes = Vec::new();
    for call in &mut conversation.calls {
        assert!(call.task.is_finished(), "the client waits after the end");
        outcomes.push(match (&mut call.task).await {
            Ok(outcome) => Some(outcome),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => None,
        });
    }
    assert!(!conversation.connection.is_open(), "it has ended");
    let written_bytes = conversation.wire.borrow().written.len();
    let late = exchange(conversation.connection.clone(), 99, Ask { kind: Kind::Get, keep_body: true }).await;
    assert!(late.is_err_and(|failure| failure.nothing_sent), "it is used after its end");
    assert_eq!(conversation.wire.borrow().written.len(), written_bytes);
    (conversation, outcomes)
}

async fn exchange(connection: Connection<Stream>, number: usize, ask: Ask) -> Outcome {
    let (method, body_bytes) = match ask.kind {
        Kind::Get => (Method::GET, 0),
        Kind::Head => (Method::HEAD, 0),
        Kind::Post(bytes) => (Method::POST, bytes),
    };
    let url = Url::parse(&format!("https://host/{number}")).expect("a URL");
    let mut message = Message::new(&method, &url, "fuzz");
    if ask.kind != Kind::Get && ask.kind != Kind::Head {
        message.payload = Payload::new(&method, Some(&vec![b'b'; body_bytes].into()));
    }
    connection.exchange(&message, ask.keep_body, &mut Marks::start()).await
}

impl Conversation {
    fn apply(&mut self, deed: Deed) {
        let mut wire = self.wire.borrow_mut();
        match deed {
            Deed::Ask(ask) => {
                let task = spawn_local(exchange(self.connection.clone(), self.calls.len(), ask));
                self.calls.push(Call { ask, task, is_given_up: false });
            }
            Deed::GiveUp(number) => {
                if let Some(call) = self.calls.get_mut(number) {
                    call.task.abort();
                    call.is_given_up = true;
                }
            }
            Deed::Send(bytes) => {
                if wire.end.is_none() && !bytes.is_empty() {
                    wire.readable.push_back(bytes);
                    wire.news();
                }
            }
            Deed::Take(bytes) => {
                wire.window_bytes = wire.window_bytes.saturating_add(bytes);
                wire.writer.take().into_iter().for_each(Waker::wake);
            }
            Deed::Refuse => {
                wire.refuses = true;
                wire.writer.take().into_iter().for_each(Waker::wake);
            }
            Deed::Close | Deed::Reset => {
                if wire.end.is_none() {
                    wire.end = Some(deed);
                    wire.news();
                    wire.writer.take().into_iter().for_each(Waker::wake);
                }
            }
        }
    }

    /// Lets the client do all it can.
    async fn settle(&self) {
        for round in 0.. {
            assert!(round < 100_000, "the client does not come to rest");
            let polls = self.wire.borrow().polls;
            yield_now().await;
            yield_now().await;
            yield_now().await;
            if self.wire.borrow().polls == polls {
                break;
            }
        }
        assert!(self.connection.held_bytes() < HELD_BYTES_MAX, "it keeps too much");
        // Nobody speaks before the first request.
        if self.connection.has_ended() || self.calls.is_empty() {
            return;
        }
        let wire = self.wire.borrow();
        assert!(!wire.has_news(), "what came was not read");
        let may_write = wire.window_bytes > 0 && !wire.refuses;
        assert!(!may_write || self.connection.unsent_bytes() == 0, "what can be sent is not");
    }

    fn check(&self, outcomes: &[Option<Outcome>]) {
        let wire = self.wire.borrow();
        let said = Said::read(&wire.written, &wire.delivered);
        let heard = Heard::read(&wire.delivered);
        for (number, (call, outcome)) in self.calls.iter().zip(outcomes).enumerate() {
            let stream = said.streams.iter().find(|(_, stream)| stream.number == Some(number));
            if let Some((_, stream)) = stream {
                let body_bytes = if let Kind::Post(bytes) = call.ask.kind { bytes } else { 0 };
                assert!(stream.body_bytes <= body_bytes, "it sends more than there is");
                assert!(!stream.has_ended || stream.body_bytes == body_bytes, "it sends less than there is");
            }
            match outcome {
                None => assert!(call.is_given_up),
                Some(Ok(received)) => {
                    // A server that has not read the request may answer it.
                    let Some((id, _)) = stream else {
                        assert!(self.is_slow || wire.refuses, "an answer without a request");
                        continue;
                    };
                    check_response(call.ask, received, heard.streams.get(id));
                }
                Some(Err(failure)) => {
                    let code = failure.error.code;
                    let is_known =
                        matches!(code, 1000 | 1201 | 1220 | 1610..=1624 | 1630..=1644 | 1650..=1664);
                    assert!(is_known, "{code} is no number of k6's");
                    assert_ne!(code, 1651, "a connection error without an error");
                    assert!(failure.error.text.len() < 2000, "an error is no book");
                    assert!(!failure.no_answer, "nobody knows that the request was not looked at");
                }
            }
        }
    }
}

fn check_response(ask: Ask, received: &Received, sent: Option<&HeardStream>) {
    let sent = sent.expect("an answer that nobody gave");
    assert!(sent.has_ended, "an answer without its end");
    assert!((200..1000).contains(&received.status));
    assert_eq!(received.body.is_some(), ask.keep_body);
    if let Some(body) = &received.body {
        assert!(**body == sent.body, "the body is not what was sent");
    }
    if ask.kind == Kind::Head {
        assert!(sent.body.is_empty(), "a body where there is none");
    }
    let head = received.headers.head();
    assert!(head.starts_with(b"HTTP/2.0 ") && head.ends_with(b"\r\n\r\n"));
    let lines = head.split(|byte| *byte == b'\n').count();
    assert_eq!(lines, received.headers.iter().count() + 3, "a field of several lines");
    assert!(head.len() <= HEAD_BYTES_MAX + 100);
}

/// What the client has said.
#[derive(Debug, Default)]
struct Said {
    streams: BTreeMap<u32, SaidStream>,
}

#[derive(Debug, Default)]
struct SaidStream {
    /// That of the request, from its path.
    number: Option<usize>,
    body_bytes: usize,
    has_ended: bool,
}

impl Said {
    /// Reads it and checks that it is in order.
    fn read(written: &[u8], delivered: &[u8]) -> Self {
        let mut said = Self::default();
        let Some(mut rest) = written.strip_prefix(PREFACE) else {
            assert!(PREFACE.starts_with(written), "it does not greet");
            return said;
        };
        let mut window_bytes = 65_535 + Heard::read(delivered).window_bytes;
        let (mut decoder, mut block) = (HeaderDecoder::default(), Vec::new());
        let (mut is_first, mut has_left, mut last) = (true, false, 0);
        while let Some((frame, behind)) = Frame::split(rest) {
            rest = behind;
            assert!(!has_left, "it speaks after its farewell");
            assert!(!is_first || frame.kind == 4, "settings come first");
            assert!(block.is_empty() || (frame.kind, frame.stream) == (9, last), "a head is interrupted");
            is_first = false;
            match frame.kind {
                0 => {
                    let stream = said.streams.get_mut(&frame.stream).expect("a body before its head");
                    assert!(!stream.has_ended, "a body behind its end");
                    stream.body_bytes += frame.payload.len();
                    stream.has_ended = frame.flags & 1 != 0;
                    let rest_bytes = window_bytes.checked_sub(frame.payload.len() as u64);
                    window_bytes = rest_bytes.expect("it sends more than it may");
                }
                1 | 9 => {
                    if frame.kind == 1 {
                        assert!(frame.stream > last && frame.stream % 2 == 1);
                        last = frame.stream;
                        let has_ended = frame.flags & 1 != 0;
                        said.streams.insert(last, SaidStream { has_ended, ..SaidStream::default() });
                    }
                    block.extend_from_slice(frame.payload);
                    if frame.flags & 4 != 0 {
                        let fields = decoder.fields(&std::mem::take(&mut block)).expect("a block");
                        let path = fields.iter().find(|(name, _)| name == b":path").expect("a path");
                        let number = std::str::from_utf8(&path.1[1..]).expect("text").parse().ok();
                        said.streams.get_mut(&last).expect("a stream").number = number;
                    }
                }
                3 => assert!(said.streams.contains_key(&frame.stream), "it resets what was never there"),
                7 => has_left = true,
                4 | 6 | 8 => {}
                kind => panic!("frame {kind}"),
            }
        }
        said
    }
}

/// What the client has read of what the server said, read by other means.
#[derive(Debug, Default)]
struct Heard {
    streams: BTreeMap<u32, HeardStream>,
    /// How far the server has opened the connection's window.
    window_bytes: u64,
}

#[derive(Debug, Default)]
struct HeardStream {
    body: Vec<u8>,
    has_ended: bool,
}

impl Heard {
    fn read(mut rest: &[u8]) -> Self {
        let mut heard = Self::default();
        while let Some((frame, behind)) = Frame::split(rest) {
            rest = behind;
            if let (8, 0, Ok(bytes)) = (frame.kind, frame.stream, frame.payload.try_into()) {
                heard.window_bytes += u64::from(u32::from_be_bytes(bytes) & 0x7fff_ffff);
            }
            let stream = heard.streams.entry(frame.stream).or_default();
            if frame.kind > 1 || stream.has_ended {
                continue;
            }
            stream.has_ended = frame.flags & 1 != 0;
            if frame.kind == 0 {
                let (mut data, mut padding_bytes) = (frame.payload, 0);
                if frame.flags & 8 != 0 {
                    let Some((first, rest)) = data.split_first() else { break };
                    (data, padding_bytes) = (rest, usize::from(*first));
                }
                let Some(bytes) = data.len().checked_sub(padding_bytes) else { break };
                stream.body.extend_from_slice(&data[..bytes]);
            }
        }
        heard
    }
}

struct Frame<'a> {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &'a [u8],
}

impl<'a> Frame<'a> {
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_at_checked(9)?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let (payload, rest) = rest.split_at_checked(length)?;
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        Some((Self { kind: head[3], flags: head[4], stream, payload }, rest))
    }
}
