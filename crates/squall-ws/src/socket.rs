//! An open socket: messages in, messages out, pings answered, the farewell.

use std::{
    cell::RefCell,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use squall_net::{NetError, Stream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use crate::{
    deflate,
    frame::{self, CONTROL_BYTES_MAX, Decoder, Opcode, Received, Violation},
};

/// One read takes what has arrived, mostly.
const SCRATCH_BYTES: usize = 32 << 10;

/// A control frame must be on its way within this time: k6's limit.
const WRITE_WAIT: Duration = Duration::from_secs(10);

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into());
    /// Where a frame is put together.
    static FRAME: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Something that is said in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl Message<'_> {
    /// Bytes that it says.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// What happens to a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A text has arrived.
    Text(String),
    /// Bytes have arrived.
    Binary(Vec<u8>),
    /// The server has asked for a sign of life, and gets it.
    Ping(Vec<u8>),
    /// The server has answered a ping.
    Pong(Vec<u8>),
    /// The server says farewell, with this code (1005: none) and reason; the answer is on its way.
    Closing(u16, String),
    /// The server has ended the connection.
    End,
    /// The server broke a rule, and is told so; the connection is over.
    Violation(Violation),
    /// The connection broke.
    Broken(NetError),
}

/// A connection on which both sides speak when they like. Dropping it closes it without a farewell.
#[derive(Debug)]
pub struct Socket {
    stream: Stream,
    decoder: Decoder,
    compresses: bool,
    /// Has arrived and was not decoded yet, from `decoded` on.
    inbox: Vec<u8>,
    decoded: usize,
    /// Frames that the connection has not taken yet, from `sent` on.
    outbox: Vec<u8>,
    sent: usize,
    /// Until when a control frame among them must have gone; set while one waits.
    write_limit: Option<Pin<Box<Sleep>>>,
    /// Why nothing can be sent any more.
    write_error: Option<NetError>,
    /// Of whoever waits in [`Socket::poll_event`].
    waker: Waker,
    has_said_farewell: bool,
    is_over: bool,
}

impl Socket {
    pub(crate) fn new(stream: Stream, decoder: Decoder, compresses: bool, inbox: Vec<u8>) -> Self {
        Self {
            stream,
            decoder,
            compresses,
            inbox,
            decoded: 0,
            outbox: Vec::new(),
            sent: 0,
            write_limit: None,
            write_error: None,
            waker: Waker::noop().clone(),
            has_said_farewell: false,
            is_over: false,
        }
    }

    /// Bytes that the connection has not taken yet: frames, masked and maybe compressed.
    pub fn unsent_bytes(&self) -> usize {
        self.outbox.len() - self.sent
    }

    /// Says something. What the connection does not take at once goes out while events are waited for.
    pub fn send(&mut self, message: Message<'_>) {
        let (opcode, payload) = match message {
            Message::Text(text) => (Opcode::Text, text.as_bytes()),
            Message::Binary(bytes) => (Opcode::Binary, bytes),
        };
        match self.compresses {
            true => self.put(opcode, true, &deflate::deflate(payload)),
            false => self.put(opcode, false, payload),
        }
    }

    /// Asks for a sign of life. Only the first 125 bytes of `payload` travel.
    pub fn ping(&mut self, payload: &[u8]) {
        self.put(Opcode::Ping, false, &payload[..payload.len().min(CONTROL_BYTES_MAX)]);
    }

    /// Says farewell; nothing can be said after it. The end comes when the server has answered, as [`Event::End`].
    pub fn close(&mut self, code: u16, reason: &str) {
        let mut payload = code.to_be_bytes().to_vec();
        let room = CONTROL_BYTES_MAX - payload.len();
        let length = (0..=reason.len().min(room)).rev().find(|&end| reason.is_char_boundary(end));
        payload.extend_from_slice(&reason.as_bytes()[..length.unwrap_or(0)]);
        self.put(Opcode::Close, false, &payload);
        self.has_said_farewell = true;
    }

    fn put(&mut self, opcode: Opcode, is_compressed: bool, payload: &[u8]) {
        if self.has_said_farewell || self.is_over || self.write_error.is_some() {
            return;
        }
        // Mostly there is room, and nothing to wait for or to keep. An error shows when the next event is waited for.
        let waker = self.waker.clone();
        let mut cx = Context::from_waker(&waker);
        FRAME.with_borrow_mut(|frame| {
            frame.clear();
            frame::write(frame, opcode, is_compressed, rand::random(), payload);
            let written = match self.outbox.is_empty() {
                true => self.write_at_once(&mut cx, frame),
                false => 0,
            };
            self.outbox.extend_from_slice(&frame[written..]);
            frame.shrink_to(SCRATCH_BYTES);
        });
        let is_stuck = self.poll_send(&mut cx).is_pending();
        if is_stuck && opcode.is_control() && self.write_limit.is_none() {
            self.write_limit = Some(Box::pin(tokio::time::sleep(WRITE_WAIT)));
            // Whoever waits has to wait for the limit, too.
            waker.wake();
        }
    }

    /// How much the connection takes. Of an error nothing is written, and it shows again.
    fn write_at_once(&mut self, cx: &mut Context<'_>, frame: &[u8]) -> usize {
        match Pin::new(&mut self.stream).poll_write(cx, frame) {
            Poll::Ready(Ok(written)) => written,
            _ => 0,
        }
    }

    /// What happens next.
    pub async fn next(&mut self) -> Event {
        std::future::poll_fn(|cx| self.poll_event(cx)).await
    }

    /// What happens next; `cx` is woken when it has. Sends what is still to be sent, too.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.is_over {
            return Poll::Ready(Event::End);
        }
        // Who cannot write may still read why: a farewell, mostly.
        let write_error = match self.poll_flush(cx) {
            Poll::Ready(Err(error)) => Some(error),
            _ => None,
        };
        loop {
            if let Some(event) = self.decode_inbox() {
                return Poll::Ready(event);
            }
            let error = match (self.poll_read(cx), &write_error) {
                (Poll::Ready(Ok(Some(event))), _) => return Poll::Ready(event),
                (Poll::Ready(Ok(None)), _) => continue,
                (Poll::Pending, None) => return Poll::Pending,
                (Poll::Ready(Err(error)), None) => error,
                (_, Some(error)) => {
                    self.is_over = true;
                    return Poll::Ready(Event::Broken(error.clone()));
                }
            };
            self.is_over = true;
            return Poll::Ready(match error.kind() {
                io::ErrorKind::UnexpectedEof => Event::End,
                _ => Event::Broken(NetError::io("read", &error)),
            });
        }
    }

    /// Sends what is still to be sent; `cx` is woken when more can go. For whoever does not want the next event yet.
    ///
    /// # Errors
    /// When that fails, now or before: nothing can be said any more.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NetError>> {
        self.waker.clone_from(cx.waker());
        if let Some(error) = &self.write_error {
            return Poll::Ready(Err(error.clone()));
        }
        let sent = self.poll_send(cx);
        let is_late = self.write_limit.as_mut().is_some_and(|limit| limit.as_mut().poll(cx).is_ready());
        let error = match sent {
            Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => NetError::io("write", &error),
            Poll::Pending if is_late => NetError::generic("write: i/o timeout"),
            Poll::Pending => return Poll::Pending,
        };
        self.empty_outbox();
        self.write_error = Some(error.clone());
        Poll::Ready(Err(error))
    }

    /// Reads once, into the thread's buffer. What it holds beyond one event stays in the inbox.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Event>>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            let mut arrived = buffer.filled();
            if arrived.is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            let event = self.decode(&mut arrived);
            self.inbox.extend_from_slice(arrived);
            Poll::Ready(Ok(event))
        })
    }

    fn decode_inbox(&mut self) -> Option<Event> {
        if self.inbox.is_empty() {
            return None;
        }
        let inbox = std::mem::take(&mut self.inbox);
        let mut arrived = &inbox[std::mem::take(&mut self.decoded)..];
        let event = self.decode(&mut arrived);
        if !arrived.is_empty() && !self.is_over {
            self.decoded = inbox.len() - arrived.len();
            self.inbox = inbox;
        }
        event
    }

    fn decode(&mut self, arrived: &mut &[u8]) -> Option<Event> {
        match self.decoder.read(arrived) {
            Ok(None) => None,
            Ok(Some(Received::Text(text))) => Some(Event::Text(text)),
            Ok(Some(Received::Binary(bytes))) => Some(Event::Binary(bytes)),
            Ok(Some(Received::Pong(payload))) => Some(Event::Pong(payload)),
            Ok(Some(Received::Ping(payload))) => {
                self.put(Opcode::Pong, false, &payload);
                Some(Event::Ping(payload))
            }
            Ok(Some(Received::Close(code, reason))) => {
                // 1005 stands for no code, and does not travel.
                match code {
                    1005 => self.put(Opcode::Close, false, &[]),
                    code => self.put(Opcode::Close, false, &code.to_be_bytes()),
                }
                self.has_said_farewell = true;
                Some(Event::Closing(code, reason))
            }
            Err(violation) => {
                self.close(violation.close_code(), "");
                self.is_over = true;
                Some(Event::Violation(violation))
            }
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.outbox.len() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.outbox[self.sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += written;
        }
        self.empty_outbox();
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn empty_outbox(&mut self) {
        self.sent = 0;
        self.write_limit = None;
        self.outbox = Vec::new();
    }
}
