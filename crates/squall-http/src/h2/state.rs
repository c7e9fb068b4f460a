//! The protocol without the wire: bytes that came go in, bytes to be sent come out.
//!
//! ```text
//! open ──► Sending ──► Waiting ──head──► Receiving ──end──► outcome ──► taken
//!             └── an answer may come earlier: then the rest of the body is not sent
//! ```
//!
//! Bodies are taken as they come, so windows are as wide as k6's and seldom widened.

use std::mem;
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{Method, StatusCode};
use squall_net::{NetError, code};
use tokio::time::Instant;

use super::frame::{self, flag, kind, setting};
use super::hpack::{Decoder, Encoder, Places};
use super::reason::{self, Reason};
use crate::exchange::{Marks, Protocol};
use crate::h1::{HEAD_BYTES_MAX, Received, check_body_limit};
use crate::headers::{Headers, Place, is_token_byte};
use crate::message::{Message, Payload};

/// k6's windows. They are opened again when half of them is used.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 30;

/// As many requests run at a time until the server says how many may; k6's number.
const STREAMS_MAX: usize = 100;

/// The last number a stream can have.
const STREAM_MAX: u32 = (1 << 31) - 1;

/// Bodies wait when so much is about to be sent.
const OUTBOX_BYTES: usize = 64 << 10;

/// So many answers wait to be sent; a server that asks for more has stopped to listen. Go's servers say the same.
const ANSWERS_MAX: usize = 10_000;

/// Lengths are promises: no more than this is reserved on one.
const RESERVED_BYTES_MAX: u64 = 1 << 20;

/// What a thread's connections need while they read, and not between.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    text: Vec<u8>,
    fields: Vec<Places>,
}

/// What is known about a connection.
#[derive(Debug)]
pub(super) struct State {
    /// To be sent.
    pub(super) outbox: Vec<u8>,
    /// How many frames of it answer what the peer said.
    answers: usize,
    /// Those who wait for what has happened: to be woken when the state is no longer borrowed.
    pub(super) woken: Vec<Waker>,
    /// The start of a frame that is not complete.
    partial: Vec<u8>,
    /// What is to come of a body's frame whose start has been taken.
    cut: Option<frame::Head>,
    /// A block of fields that is not complete.
    block: Option<Block>,
    decoder: Decoder,
    encoder: Encoder,
    streams: Vec<Stream>,
    next_stream: u32,
    /// Those who wait until another stream may be opened.
    queue: Vec<Waker>,
    peer: Peer,
    send_window: i64,
    unannounced_bytes: u32,
    /// The server wants no more requests.
    go_away: Option<Broken>,
    /// The connection is of no more use.
    ended: Option<Broken>,
}

/// What the peer has said about itself.
#[derive(Clone, Copy, Debug)]
struct Peer {
    streams_max: usize,
    window_bytes: i64,
    payload_bytes_max: usize,
}

#[derive(Debug)]
struct Block {
    stream: u32,
    ends_stream: bool,
    bytes: Vec<u8>,
}

/// A request and its response.
#[derive(Debug)]
struct Stream {
    id: u32,
    /// What is left of the request's body; None when all is on its way.
    unsent: Option<Bytes>,
    send_window: i64,
    sent: Option<Instant>,
    is_head: bool,
    keeps_body: bool,
    first_byte: Option<Instant>,
    head: Option<Head>,
    body: Vec<u8>,
    /// What is to come of a body whose length is known.
    missing_bytes: Option<u64>,
    unannounced_bytes: u32,
    outcome: Option<Result<(), Broken>>,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Head {
    status: u16,
    headers: Headers,
}

/// Why there is no response.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) error: NetError,
    /// The server has not looked at the request: it can be sent again.
    pub(super) is_unseen: bool,
}

impl State {
    /// The state of a fresh connection, with the client's greeting to be sent.
    pub(super) fn new() -> Self {
        let mut outbox = frame::PREFACE.to_vec();
        let settings = [
            (setting::ENABLE_PUSH, 0),
            (setting::INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES),
            (setting::MAX_HEADER_LIST_SIZE, HEAD_BYTES_MAX as u32),
        ];
        frame::write_settings(&mut outbox, &settings);
        frame::write(&mut outbox, kind::WINDOW_UPDATE, 0, 0, &CONNECTION_WINDOW_BYTES.to_be_bytes());
        Self {
            outbox,
            answers: 0,
            woken: Vec::new(),
            partial: Vec::new(),
            cut: None,
            block: None,
            decoder: Decoder::new(),
            encoder: Encoder::new(),
            streams: Vec::new(),
            next_stream: 1,
            queue: Vec::new(),
            peer: Peer {
                streams_max: STREAMS_MAX,
                window_bytes: frame::WINDOW_BYTES,
                payload_bytes_max: frame::PAYLOAD_BYTES_MAX,
            },
            send_window: frame::WINDOW_BYTES,
            unannounced_bytes: 0,
            go_away: None,
            ended: None,
        }
    }

    /// Whether new requests may be sent.
    pub(super) fn is_open(&self) -> bool {
        self.refusal().is_none()
    }

    /// Why no more requests may be sent.
    pub(super) fn refusal(&self) -> Option<Broken> {
        let exhausted = || Broken { error: NetError::generic("http2: no more streams"), is_unseen: true };
        let refusal = self.ended.as_ref().or(self.go_away.as_ref()).cloned();
        refusal.or_else(|| (self.next_stream > STREAM_MAX).then(exhausted))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    /// What the peer has made us keep, without bodies.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn held_bytes(&self) -> usize {
        let block_bytes = self.block.as_ref().map_or(0, |block| block.bytes.capacity());
        self.outbox.capacity() + self.partial.capacity() + block_bytes
    }

    /// Starts to send a request, when the server takes one more now; else the caller is woken when to try again.
    pub(super) fn open(&mut self, message: &Message<'_>, keeps_body: bool, cx: &Context<'_>) -> Option<u32> {
        if self.streams.len() >= self.peer.streams_max {
            self.queue.push(cx.waker().clone());
            return None;
        }
        let id = self.next_stream;
        self.next_stream += 2;
        let unsent = match &message.payload {
            Payload::Bytes(bytes) => Some(bytes.clone()),
            Payload::None | Payload::Zero | Payload::EmptyChunked => None,
        };
        let (encoder, payload_bytes_max) = (&mut self.encoder, self.peer.payload_bytes_max);
        frame::write_fields(&mut self.outbox, id, unsent.is_none(), payload_bytes_max, |block| {
            write_request(message, encoder, block);
        });
        if self.streams.is_empty() {
            // Most often it stays alone.
            self.streams.reserve_exact(1);
        }
        self.streams.push(Stream {
            id,
            unsent,
            send_window: self.peer.window_bytes,
            sent: None,
            is_head: *message.method == Method::HEAD,
            keeps_body,
            first_byte: None,
            head: None,
            body: Vec::new(),
            missing_bytes: None,
            unannounced_bytes: 0,
            outcome: None,
            waker: None,
        });
        Some(id)
    }

    /// Takes the outcome of a stream that has ended.
    pub(super) fn take(&mut self, id: u32, marks: &mut Marks) -> Option<Result<Received, Broken>> {
        let place = self.streams.iter().position(|stream| stream.id == id && stream.outcome.is_some())?;
        let stream = self.remove(place);
        if stream.unsent.is_some() && stream.is_answered() {
            // The answer came before all of the request was sent: the rest is of no use.
            self.reset(id, reason::NO_ERROR);
        }
        stream.mark(marks);
        Some(stream.into_outcome())
    }

    /// Gives a stream up.
    pub(super) fn cancel(&mut self, id: u32) {
        let Some(place) = self.streams.iter().position(|stream| stream.id == id) else { return };
        if self.remove(place).outcome.is_none() {
            self.reset(id, reason::CANCEL);
        }
    }

    fn remove(&mut self, place: usize) -> Stream {
        self.woken.append(&mut self.queue);
        self.streams.swap_remove(place)
    }

    pub(super) fn take_waker(&mut self, id: u32) -> Option<Waker> {
        self.stream(id)?.waker.take()
    }

    /// Has the caller woken at the stream's end; `waker` is its last one.
    pub(super) fn wait(&mut self, id: u32, waker: Option<Waker>, marks: &mut Marks, cx: &Context<'_>) {
        let Some(stream) = self.stream(id) else { return };
        stream.mark(marks);
        let waker = waker.filter(|waker| waker.will_wake(cx.waker()));
        stream.waker = Some(waker.unwrap_or_else(|| cx.waker().clone()));
    }

    /// Moves what may be sent of the bodies to the outbox.
    pub(super) fn fill_outbox(&mut self) {
        for stream in &mut self.streams {
            let Some(unsent) = &mut stream.unsent else { continue };
            if stream.outcome.is_some() {
                continue;
            }
            while self.outbox.len() < OUTBOX_BYTES {
                let window_bytes = self.send_window.min(stream.send_window).max(0) as usize;
                let bytes = window_bytes.min(unsent.len()).min(self.peer.payload_bytes_max).min(OUTBOX_BYTES);
                if bytes == 0 {
                    break;
                }
                let piece = unsent.split_to(bytes);
                self.send_window -= bytes as i64;
                stream.send_window -= bytes as i64;
                let flags = if unsent.is_empty() { flag::END_STREAM } else { 0 };
                frame::write(&mut self.outbox, kind::DATA, flags, stream.id, &piece);
                if unsent.is_empty() {
                    stream.unsent = None;
                    break;
                }
            }
        }
    }

    /// All that was in the outbox has been sent.
    pub(super) fn sent(&mut self) {
        self.outbox = Vec::new();
        self.answers = 0;
        for stream in &mut self.streams {
            if stream.unsent.is_none() && stream.sent.is_none() {
                stream.sent = Some(Instant::now());
            }
        }
    }

    /// Takes what came.
    pub(super) fn receive(&mut self, bytes: &[u8], scratch: &mut Scratch) {
        if self.partial.is_empty() {
            let taken = self.take_frames(bytes, scratch);
            self.partial.extend_from_slice(&bytes[taken..]);
            return;
        }
        let mut partial = mem::take(&mut self.partial);
        partial.extend_from_slice(bytes);
        let taken = self.take_frames(&partial, scratch);
        if taken < partial.len() {
            partial.drain(..taken);
            self.partial = partial;
        }
    }

    /// The connection has ended, perhaps with an error: so have its streams.
    pub(super) fn end(&mut self, error: Option<&std::io::Error>) {
        let ended = self.go_away.clone().unwrap_or_else(|| Broken {
            error: error.map_or(NetError::generic("unexpected EOF"), |error| NetError::io("read", error)),
            is_unseen: false,
        });
        self.end_with(ended);
    }

    fn end_with(&mut self, ended: Broken) {
        for stream in &mut self.streams {
            stream.end(Err(ended.clone()), &mut self.woken);
        }
        self.woken.append(&mut self.queue);
        self.ended.get_or_insert(ended);
    }

    /// Takes what can be taken and says how many bytes that was: frames that are complete, and any part of a body.
    fn take_frames(&mut self, bytes: &[u8], scratch: &mut Scratch) -> usize {
        let mut rest = bytes;
        while self.ended.is_none()
            && let Some((head, head_bytes)) = self.next_head(rest)
        {
            if head.payload_bytes > frame::PAYLOAD_BYTES_MAX {
                // Most likely no HTTP/2 at all.
                let error = NetError::generic("http2: frame too large");
                self.end_with(Broken { error, is_unseen: false });
                break;
            }
            let here = &rest[head_bytes..];
            let taken = if let Some((payload, behind)) = here.split_at_checked(head.payload_bytes) {
                (self.cut, rest) = (None, behind);
                self.take_frame(head, payload, scratch)
            } else if head.kind == kind::DATA && !head.has(flag::PADDED) {
                // As good as two frames, and nothing has to be kept until the rest comes.
                let missing_bytes = head.payload_bytes - here.len();
                (self.cut, rest) = (Some(frame::Head { payload_bytes: missing_bytes, ..head }), &[]);
                let flags = head.flags & !flag::END_STREAM;
                self.take_frame(frame::Head { payload_bytes: here.len(), flags, ..head }, here, scratch)
            } else {
                break;
            };
            if let Err(reason) = taken {
                self.fail(reason);
            }
        }
        if self.ended.is_some() { bytes.len() } else { bytes.len() - rest.len() }
    }

    /// The head of the frame whose payload is to come, and how many bytes it has here.
    fn next_head(&self, bytes: &[u8]) -> Option<(frame::Head, usize)> {
        match self.cut {
            Some(_) if bytes.is_empty() => None,
            Some(head) => Some((head, 0)),
            None => frame::Head::read(bytes).map(|head| (head, frame::HEAD_BYTES)),
        }
    }

    /// An error of the connection, which ends here.
    fn fail(&mut self, reason: Reason) {
        let mut payload = [0; 8];
        payload[4..].copy_from_slice(&reason.to_be_bytes());
        frame::write(&mut self.outbox, kind::GOAWAY, 0, 0, &payload);
        let error = reason::error(code::HTTP2_CONNECTION, "connection error", reason);
        self.end_with(Broken { error, is_unseen: false });
    }

    fn take_frame(&mut self, head: frame::Head, payload: &[u8], scratch: &mut Scratch) -> Result<(), Reason> {
        if let Some(block) = &self.block
            && (head.kind, head.stream) != (kind::CONTINUATION, block.stream)
        {
            return Err(reason::PROTOCOL_ERROR);
        }
        let is_of_connection = matches!(head.kind, kind::SETTINGS | kind::PING | kind::GOAWAY);
        let is_of_stream =
            matches!(head.kind, kind::DATA | kind::HEADERS | kind::RST_STREAM | kind::CONTINUATION);
        let is_opened = head.stream % 2 == 1 && head.stream < self.next_stream;
        if (is_of_connection && head.stream != 0) || (is_of_stream && !is_opened) {
            return Err(reason::PROTOCOL_ERROR);
        }
        match head.kind {
            kind::DATA => self.take_data(head, payload),
            kind::HEADERS => {
                let mut fields = unpadded(head, payload)?;
                if head.has(flag::PRIORITY) {
                    fields = fields.get(5..).ok_or(reason::FRAME_SIZE_ERROR)?;
                }
                let ends_stream = head.has(flag::END_STREAM);
                if head.has(flag::END_HEADERS) {
                    return self.take_fields(head.stream, ends_stream, fields, scratch);
                }
                self.block = Some(Block { stream: head.stream, ends_stream, bytes: fields.to_vec() });
                Ok(())
            }
            kind::CONTINUATION => {
                let mut block = self.block.take().ok_or(reason::PROTOCOL_ERROR)?;
                block.bytes.extend_from_slice(payload);
                if block.bytes.len() > HEAD_BYTES_MAX {
                    return Err(reason::ENHANCE_YOUR_CALM);
                }
                if head.has(flag::END_HEADERS) {
                    return self.take_fields(block.stream, block.ends_stream, &block.bytes, scratch);
                }
                self.block = Some(block);
                Ok(())
            }
            kind::RST_STREAM => {
                let reason = number(payload)?;
                let error = reason::error(code::HTTP2_STREAM, "stream error", reason);
                // So Go takes both.
                let is_unseen = matches!(reason, reason::REFUSED_STREAM | reason::PROTOCOL_ERROR);
                self.end_stream(head.stream, Err(Broken { error, is_unseen }));
                Ok(())
            }
            kind::SETTINGS if head.has(flag::ACK) && payload.is_empty() => Ok(()),
            kind::SETTINGS if head.has(flag::ACK) => Err(reason::FRAME_SIZE_ERROR),
            kind::SETTINGS => self.take_settings(payload),
            kind::PING if payload.len() != 8 => Err(reason::FRAME_SIZE_ERROR),
            kind::PING => match head.has(flag::ACK) {
                true => Ok(()),
                false => self.answer(kind::PING, payload),
            },
            kind::GOAWAY => self.take_go_away(payload),
            kind::WINDOW_UPDATE => self.take_window_update(head.stream, number(payload)?),
            // We have said that we want none.
            kind::PUSH_PROMISE => Err(reason::PROTOCOL_ERROR),
            _ => Ok(()),
        }
    }

    fn take_data(&mut self, head: frame::Head, payload: &[u8]) -> Result<(), Reason> {
        let flow_bytes = payload.len() as u32;
        if let Some(bytes) = announce(&mut self.unannounced_bytes, flow_bytes, CONNECTION_WINDOW_BYTES) {
            frame::write(&mut self.outbox, kind::WINDOW_UPDATE, 0, 0, &bytes.to_be_bytes());
        }
        let data = unpadded(head, payload)?;
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == head.stream) else {
            return Ok(());
        };
        if stream.outcome.is_some() {
            return Ok(());
        }
        let ends_stream = head.has(flag::END_STREAM);
        if let Err(error) = stream.take_data(data, ends_stream) {
            self.refuse(head.stream, error);
            return Ok(());
        }
        if ends_stream {
            stream.end(Ok(()), &mut self.woken);
        } else if let Some(bytes) = announce(&mut stream.unannounced_bytes, flow_bytes, STREAM_WINDOW_BYTES) {
            frame::write(&mut self.outbox, kind::WINDOW_UPDATE, 0, head.stream, &bytes.to_be_bytes());
        }
        Ok(())
    }

    fn take_fields(
        &mut self,
        id: u32,
        ends_stream: bool,
        block: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(), Reason> {
        let fields = Fields::read(&mut self.decoder, block, scratch)?;
        let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) else { return Ok(()) };
        if stream.outcome.is_some() {
            return Ok(());
        }
        let is_trailer = stream.head.is_some() && fields.is_valid;
        if is_trailer && !(ends_stream && fields.status.is_none()) {
            return Err(reason::PROTOCOL_ERROR);
        }
        match stream.take_fields(&fields, ends_stream, scratch) {
            Err(error) => self.refuse(id, error),
            Ok(()) if ends_stream => stream.end(Ok(()), &mut self.woken),
            Ok(()) => {}
        }
        Ok(())
    }

    fn take_settings(&mut self, payload: &[u8]) -> Result<(), Reason> {
        let (settings, []) = payload.as_chunks::<6>() else { return Err(reason::FRAME_SIZE_ERROR) };
        for [a, b, value @ ..] in settings {
            let value = u32::from_be_bytes(*value);
            match u16::from_be_bytes([*a, *b]) {
                setting::HEADER_TABLE_SIZE => self.encoder.limit(value as usize),
                setting::MAX_CONCURRENT_STREAMS => {
                    self.peer.streams_max = value as usize;
                    self.woken.append(&mut self.queue);
                }
                setting::INITIAL_WINDOW_SIZE => {
                    let window_bytes = i64::from(value);
                    if window_bytes > frame::WINDOW_BYTES_MAX {
                        return Err(reason::FLOW_CONTROL_ERROR);
                    }
                    for stream in &mut self.streams {
                        stream.send_window += window_bytes - self.peer.window_bytes;
                    }
                    self.peer.window_bytes = window_bytes;
                }
                setting::MAX_FRAME_SIZE if (1 << 14..1 << 24).contains(&value) => {
                    self.peer.payload_bytes_max = value as usize;
                }
                setting::MAX_FRAME_SIZE => return Err(reason::PROTOCOL_ERROR),
                _ => {}
            }
        }
        self.answer(kind::SETTINGS, &[])
    }

    fn take_go_away(&mut self, payload: &[u8]) -> Result<(), Reason> {
        let (last, rest) = payload.split_at_checked(4).ok_or(reason::FRAME_SIZE_ERROR)?;
        let last = number(last)? & STREAM_MAX;
        let reason = number(rest.get(..4).ok_or(reason::FRAME_SIZE_ERROR)?)?;
        let error = reason::error(code::HTTP2_GOAWAY, "received GoAway", reason);
        let broken = Broken { error, is_unseen: false };
        // Those that were opened later have not been looked at and can be sent again, but for the very first: the
        // server would say the same to its like.
        for stream in self.streams.iter_mut().filter(|stream| stream.id > last) {
            let broken = match stream.id {
                1 if reason != reason::NO_ERROR => {
                    Broken { error: reason::turned_away(reason), is_unseen: false }
                }
                _ => Broken { is_unseen: true, ..broken.clone() },
            };
            stream.end(Err(broken), &mut self.woken);
        }
        self.woken.append(&mut self.queue);
        self.go_away = Some(broken);
        Ok(())
    }

    fn take_window_update(&mut self, id: u32, bytes: u32) -> Result<(), Reason> {
        let bytes = i64::from(bytes & STREAM_MAX);
        if id == 0 {
            self.send_window += bytes;
            return match self.send_window > frame::WINDOW_BYTES_MAX {
                _ if bytes == 0 => Err(reason::PROTOCOL_ERROR),
                true => Err(reason::FLOW_CONTROL_ERROR),
                false => Ok(()),
            };
        }
        // One that has ended is not refused again.
        let Some(stream) = self.stream(id).filter(|stream| stream.outcome.is_none()) else { return Ok(()) };
        stream.send_window += bytes;
        let reason = match stream.send_window > frame::WINDOW_BYTES_MAX {
            _ if bytes == 0 => reason::PROTOCOL_ERROR,
            true => reason::FLOW_CONTROL_ERROR,
            false => return Ok(()),
        };
        self.refuse(id, reason::error(code::HTTP2_STREAM, "stream error", reason));
        Ok(())
    }

    fn stream(&mut self, id: u32) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.id == id)
    }

    fn end_stream(&mut self, id: u32, outcome: Result<(), Broken>) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
            stream.end(outcome, &mut self.woken);
        }
    }

    /// Confirms what the peer said, which has to take the answers before it asks for ever more.
    fn answer(&mut self, kind: u8, payload: &[u8]) -> Result<(), Reason> {
        frame::write(&mut self.outbox, kind, flag::ACK, 0, payload);
        self.answers += 1;
        if self.answers > ANSWERS_MAX { Err(reason::ENHANCE_YOUR_CALM) } else { Ok(()) }
    }

    /// Ends a stream whose response is not acceptable.
    fn refuse(&mut self, id: u32, error: NetError) {
        self.reset(id, reason::PROTOCOL_ERROR);
        self.end_stream(id, Err(Broken { error, is_unseen: false }));
    }

    fn reset(&mut self, id: u32, reason: Reason) {
        if self.ended.is_none() {
            frame::write(&mut self.outbox, kind::RST_STREAM, 0, id, &reason.to_be_bytes());
        }
    }
}

impl Stream {
    fn end(&mut self, outcome: Result<(), Broken>, woken: &mut Vec<Waker>) {
        if self.outcome.is_none() {
            self.outcome = Some(outcome);
            woken.extend(self.waker.take());
        }
    }

    fn is_answered(&self) -> bool {
        matches!(self.outcome, Some(Ok(())))
    }

    /// Tells how far it has come.
    fn mark(&self, marks: &mut Marks) {
        marks.sent = self.sent;
        marks.first_byte = self.first_byte;
    }

    fn into_outcome(self) -> Result<Received, Broken> {
        match (self.outcome, self.head) {
            (Some(Ok(())), Some(Head { status, headers })) => Ok(Received {
                protocol: Protocol::Http2,
                status,
                reason: Bytes::from_static(standard_reason(status).as_bytes()),
                headers,
                body: self.keeps_body.then(|| self.body.into()),
                reusable: true,
            }),
            (Some(Err(broken)), _) => Err(broken),
            _ => unreachable!("a stream ends with a response or an error"),
        }
    }

    /// Takes a part of the body.
    fn take_data(&mut self, data: &[u8], is_last: bool) -> Result<(), NetError> {
        if self.head.is_none() || (self.is_head && !data.is_empty()) {
            return Err(protocol_error());
        }
        if let Some(missing_bytes) = &mut self.missing_bytes {
            *missing_bytes = missing_bytes.checked_sub(data.len() as u64).ok_or_else(body_too_long)?;
        }
        if is_last {
            self.check_complete()?;
        }
        if self.keeps_body {
            check_body_limit(self.body.len() + data.len())?;
            if self.body.capacity() == 0 {
                let missing_bytes = self.missing_bytes.map_or(0, |bytes| bytes.min(RESERVED_BYTES_MAX));
                self.body.reserve_exact(data.len() + missing_bytes as usize);
            }
            self.body.extend_from_slice(data);
        }
        Ok(())
    }

    /// Takes a head, or what follows the body: nobody reads that.
    fn take_fields(&mut self, fields: &Fields, is_last: bool, scratch: &Scratch) -> Result<(), NetError> {
        let status = match fields.status {
            _ if !fields.is_valid => return Err(protocol_error()),
            _ if self.head.is_some() => return self.check_complete(),
            None => return Err(protocol_error()),
            Some(status) => status,
        };
        if fields.is_too_long {
            return Err(NetError::generic(format!(
                "net/http: server response headers exceeded {HEAD_BYTES_MAX} bytes; aborted"
            )));
        }
        if status < 200 {
            return if is_last { Err(protocol_error()) } else { Ok(()) };
        }
        let headers = {
            let places = scratch.fields.iter().map(|(name, value)| Place::new(name.clone(), value.clone()));
            Headers::new(&scratch.text, places)
        };
        if !self.is_head && !matches!(status, 204 | 304) {
            self.missing_bytes = content_length(&headers);
        }
        self.first_byte = Some(Instant::now());
        self.head = Some(Head { status, headers });
        if is_last { self.check_complete() } else { Ok(()) }
    }

    fn check_complete(&self) -> Result<(), NetError> {
        match self.missing_bytes {
            None | Some(0) => Ok(()),
            Some(_) => Err(NetError::generic("unexpected EOF")),
        }
    }
}

/// What a block says, beside the fields that are left in the scratch.
#[derive(Debug)]
struct Fields {
    status: Option<u16>,
    is_valid: bool,
    is_too_long: bool,
}

impl Fields {
    /// Reads a block and renders it as HTTP/1.1 would write it, which is how headers are kept.
    fn read(decoder: &mut Decoder, mut block: &[u8], scratch: &mut Scratch) -> Result<Self, Reason> {
        let Scratch { text, fields } = scratch;
        let mut read = Self { status: None, is_valid: true, is_too_long: false };
        text.clear();
        fields.clear();
        // Even what is not wanted is read: it changes what both ends remember.
        while let Some((name, value)) =
            decoder.next(&mut block, text).map_err(|_| reason::COMPRESSION_ERROR)?
        {
            if text.len() > HEAD_BYTES_MAX {
                read.is_too_long = true;
                text.clear();
                fields.clear();
            } else if text[name.clone()].starts_with(b":") {
                read.is_valid &= &text[name] == b":status" && read.status.is_none() && fields.is_empty();
                read.status = status(&text[value]);
                read.is_valid &= read.status.is_some();
                text.clear();
                write_status_line(read.status.unwrap_or_default(), text);
            } else {
                read.is_valid &= is_field(&text[name.clone()], &text[value.clone()]);
                fields.push((name, value));
            }
        }
        text.extend_from_slice(b"\r\n");
        Ok(read)
    }
}

fn status(text: &[u8]) -> Option<u16> {
    let digits: [u8; 3] = text.try_into().ok()?;
    let number = digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u16::from(digit - b'0')));
    number.filter(|number| *number >= 100)
}

fn standard_reason(status: u16) -> &'static str {
    let status = StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or_default()
}

fn write_status_line(status: u16, text: &mut Vec<u8>) {
    text.extend_from_slice(b"HTTP/2.0 ");
    text.extend([status / 100, status / 10, status].map(|digits| b'0' + (digits % 10) as u8));
    text.push(b' ');
    text.extend_from_slice(standard_reason(status).as_bytes());
    text.extend_from_slice(b"\r\n");
}

/// RFC 9113, 8.2.1.
fn is_field(name: &[u8], value: &[u8]) -> bool {
    let is_usual = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'-';
    let is_name_byte = |byte: &u8| is_usual(byte) || (is_token_byte(*byte) && !byte.is_ascii_uppercase());
    let is_text_byte = |byte: &u8| (*byte >= b' ' && *byte != 0x7f) || *byte == b'\t';
    // Without an early end many bytes are looked at at once.
    let is_text = value.iter().fold(true, |is_text, byte| is_text & is_text_byte(byte));
    !name.is_empty() && name.iter().all(is_name_byte) && is_text
}

fn write_request(message: &Message<'_>, encoder: &mut Encoder, block: &mut Vec<u8>) {
    encoder.start(block);
    let path = &message.url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut field = |name: &str, value: &str| encoder.field(name.as_bytes(), value.as_bytes(), block);
    field(":authority", &message.host);
    field(":method", message.method.as_str());
    field(":path", path);
    field(":scheme", message.url.scheme());
    if !message.user_agent.is_empty() {
        field("user-agent", &message.user_agent);
    }
    match &message.payload {
        Payload::Bytes(bytes) => field("content-length", &bytes.len().to_string()),
        Payload::Zero => field("content-length", "0"),
        Payload::None | Payload::EmptyChunked => {}
    }
    // They are about an HTTP/1.1 connection.
    let left_out = ["Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Te"];
    for (name, value) in &message.headers {
        if !left_out.contains(&&**name) {
            field(name, value);
        }
    }
}

/// The payload without its padding.
fn unpadded(head: frame::Head, payload: &[u8]) -> Result<&[u8], Reason> {
    if !head.has(flag::PADDED) {
        return Ok(payload);
    }
    let (padding_bytes, rest) = payload.split_first().ok_or(reason::FRAME_SIZE_ERROR)?;
    let bytes = rest.len().checked_sub(usize::from(*padding_bytes)).ok_or(reason::PROTOCOL_ERROR)?;
    Ok(&rest[..bytes])
}

/// A payload that is a number.
fn number(payload: &[u8]) -> Result<u32, Reason> {
    payload.try_into().map(u32::from_be_bytes).map_err(|_| reason::FRAME_SIZE_ERROR)
}

/// Counts bytes that came. Returns how far to open a window again, once half of it is used.
fn announce(unannounced_bytes: &mut u32, bytes: u32, window_bytes: u32) -> Option<u32> {
    *unannounced_bytes += bytes;
    (*unannounced_bytes >= window_bytes / 2).then(|| mem::take(unannounced_bytes))
}

/// The body's length where it is told once and as a number: frames tell where the body ends.
fn content_length(headers: &Headers) -> Option<u64> {
    let mut lengths = headers.get_all("content-length");
    let (Some(length), None) = (lengths.next(), lengths.next()) else { return None };
    std::str::from_utf8(length).ok()?.parse().ok()
}

fn body_too_long() -> NetError {
    NetError::generic("net/http: server replied with more than declared Content-Length; truncated")
}

fn protocol_error() -> NetError {
    reason::error(code::HTTP2_STREAM, "stream error", reason::PROTOCOL_ERROR)
}

#[cfg(test)]
mod tests;
