//! One connection: its messages, its share of what happens, its end.
//!
//! The task of a connection reads and writes at once, on one socket that it owns. While the client is slow to read, what it
//! sends is still taken, and what it has to be told waits on the session's board, not here.

use std::{borrow::Cow, task::Poll, time::Duration, time::Instant};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{Error, error::ProtocolError};

use super::{
    board::Frame,
    message::{self, Allowance, Incoming, MESSAGE_BYTES_MAX},
    metrics::Counts,
    room::{Ending, Seat, Turn},
};
use crate::kit::now_ms;

/// Wrong messages at once, and a second, before a client is sent away.
const WRONG_MOST: f64 = 10.0;
const WRONG_PER_SECOND: f64 = 1.0;

/// How long a client may take to answer the close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// What a connection is held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// How long a client may take nothing of what is written to it, or leave a ping unanswered.
    pub(super) patience: Duration,
    pub(super) ping_every: Duration,
    pub(super) idle_max: Duration,
    pub(super) messages_per_second: f64,
}

/// Why a connection ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The client closed it, or it broke.
    Client(&'static str),
    /// We close it, with a code of RFC 6455 §7.4.1.
    Ours { code: u16, reason: &'static str, said: Cow<'static, str> },
}

impl End {
    fn ours(code: u16, reason: &'static str, said: impl Into<Cow<'static, str>>) -> Self {
        Self::Ours { code, reason, said: said.into() }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Client(reason) | Self::Ours { reason, .. } => reason,
        }
    }
}

impl From<Ending> for End {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Stopping => Self::ours(1001, "stopping", "this instance stops; connect again"),
            Ending::SessionEnded => Self::ours(1000, "session_ended", "the session has ended"),
            Ending::Left => Self::ours(1000, "left", "you have left the session"),
            Ending::Replaced => Self::ours(1008, "replaced", "you have connected again elsewhere"),
        }
    }
}

impl From<axum::Error> for End {
    fn from(error: axum::Error) -> Self {
        match error.into_inner().downcast_ref::<Error>() {
            Some(Error::Capacity(_)) => {
                let said = format!("a message may have {MESSAGE_BYTES_MAX} bytes");
                Self::ours(1009, "too_big", said)
            }
            Some(Error::WriteBufferFull(_)) => slow(),
            Some(Error::Utf8(_)) => Self::ours(1007, "not_text", "text must be UTF-8"),
            Some(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Self::Client("lost"),
            Some(Error::Protocol(_)) => Self::ours(1002, "protocol", "that is not WebSocket"),
            Some(Error::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut => Self::Client("slow"),
            _ => Self::Client("lost"),
        }
    }
}

/// Serves a connection to its end. `begun` is when it was asked for.
pub(super) async fn serve(
    socket: WebSocket,
    (seat, welcome, restored): (Seat, String, Frame),
    terms: Terms,
    counts: Counts,
    begun: Instant,
) {
    let now = Instant::now();
    let mut connection = Connection {
        socket,
        seat,
        terms,
        counts,
        writing: None,
        answer: None,
        positions: None,
        pinged: None,
        heard: now,
        spoke: now,
        messages: Allowance::new(terms.messages_per_second.max(1.0), terms.messages_per_second, now),
        wrong: Allowance::new(WRONG_MOST, WRONG_PER_SECOND, now),
    };
    connection.counts.connections.inc();
    let end = match connection.begin(welcome, restored, begun).await {
        Ok(()) => connection.run().await,
        Err(end) => end,
    };
    connection.counts.connections.dec();
    connection.counts.closed(end.reason());
    connection.end(end).await;
}

struct Connection {
    socket: WebSocket,
    seat: Seat,
    terms: Terms,
    counts: Counts,
    /// Something is on its way to the client.
    writing: Option<Writing>,
    /// What is to be written next. A newer answer takes the place of an older one.
    answer: Option<Message>,
    /// Positions that follow the presence which is being written, and when the oldest was received. Written apart: to hand
    /// over a second message would wait, without end, for a client that does not read the first.
    positions: Option<(Utf8Bytes, Option<Instant>)>,
    /// A ping is unanswered.
    pinged: Option<Instant>,
    /// When the client last sent anything, and when it last said something of its own.
    heard: Instant,
    spoke: Instant,
    messages: Allowance,
    wrong: Allowance,
}

struct Writing {
    begun: Instant,
    /// When the oldest position in it was received.
    oldest: Option<Instant>,
}

enum Event {
    Received(Option<Result<Message, axum::Error>>),
    Written(Result<(), axum::Error>),
}

impl Connection {
    async fn begin(&mut self, welcome: String, restored: Frame, begun: Instant) -> Result<(), End> {
        let positions = restored.positions.into_iter().map(Message::Text);
        let all = std::iter::once(Message::Text(welcome.into())).chain(positions);
        self.counts.deliveries.inc_by(restored.delivered);
        let written = async {
            for message in all {
                self.socket.feed(message).await?;
            }
            self.socket.flush().await
        };
        match tokio::time::timeout(self.terms.patience, written).await {
            Ok(done) => done?,
            Err(_) => return Err(slow()),
        }
        self.counts.connect.observe(begun.elapsed().as_secs_f64());
        Ok(())
    }

    async fn run(&mut self) -> End {
        let Terms { patience, ping_every, idle_max, .. } = self.terms;
        // Often enough that no limit is passed by more than a quarter.
        let look_every = patience.min(ping_every).min(idle_max) / 4;
        let mut look = tokio::time::interval(look_every.max(Duration::from_millis(1)));
        loop {
            if let Err(end) = self.write_next().await {
                return end;
            }
            let outcome = tokio::select! {
                event = next(&mut self.socket, self.writing.is_some()) => self.on(event),
                () = self.seat.changed() => self.seat.ending().map_or(Ok(()), |ending| Err(ending.into())),
                _ = look.tick() => self.look(Instant::now()),
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    /// Begins to write what is due, unless something is being written.
    async fn write_next(&mut self) -> Result<(), End> {
        if self.writing.is_some() {
            return Ok(());
        }
        let mut presence = None;
        if self.positions.is_none() && self.answer.is_none() {
            match self.seat.turn() {
                Turn::Wait => return Ok(()),
                Turn::End(ending) => return Err(ending.into()),
                Turn::Write(frame) => {
                    self.counts.skipped.inc_by(frame.skipped);
                    self.counts.deliveries.inc_by(frame.delivered);
                    presence = frame.presence.map(Message::Text);
                    self.positions = frame.positions.map(|text| (text, frame.oldest));
                }
            }
        }
        let mut oldest = None;
        let message = presence.or_else(|| self.answer.take()).or_else(|| {
            let (text, received) = self.positions.take()?;
            self.counts.frames.inc();
            oldest = received;
            Some(Message::Text(text))
        });
        if let Some(message) = message {
            self.socket.feed(message).await?;
            self.writing = Some(Writing { begun: Instant::now(), oldest });
        }
        Ok(())
    }

    fn on(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Written(done) => {
                done?;
                if let Some(Writing { oldest: Some(oldest), .. }) = self.writing.take() {
                    self.counts.delay.observe(oldest.elapsed().as_secs_f64());
                }
                Ok(())
            }
            Event::Received(None) => Err(End::Client("closed")),
            Event::Received(Some(message)) => {
                let message = message?;
                let now = Instant::now();
                self.heard = now;
                let was_pinged = self.pinged.take().is_some();
                match message {
                    Message::Close(_) => return Err(End::Client("closed")),
                    Message::Pong(_) if was_pinged => return Ok(()),
                    // The socket answers it by itself. That the client takes the answer is watched as of any write.
                    Message::Ping(_) => _ = self.writing.get_or_insert(Writing { begun: now, oldest: None }),
                    _ => {}
                }
                if !self.messages.take(now) {
                    let most = self.terms.messages_per_second;
                    return self.refuse(&format!("at most {most} messages a second are taken"), now);
                }
                match message {
                    Message::Text(text) => self.take(&text, now),
                    Message::Binary(_) => self.refuse("binary messages are not read: send JSON as text", now),
                    _ => Ok(()),
                }
            }
        }
    }

    fn take(&mut self, text: &str, now: Instant) -> Result<(), End> {
        self.spoke = now;
        match message::parse(text, now_ms()) {
            Ok(Incoming::Ping) => self.answer = Some(Message::Text(message::pong(now_ms()).into())),
            Ok(Incoming::Position(position)) => {
                self.counts.updates.inc();
                self.seat.update(message::position_json(self.seat.participant(), &position), now);
            }
            Err(wrong) => return self.refuse(&wrong, now),
        }
        Ok(())
    }

    fn refuse(&mut self, why: &str, now: Instant) -> Result<(), End> {
        self.counts.refused.inc();
        if !self.wrong.take(now) {
            return Err(End::ours(1008, "wrong_messages", "too many wrong messages"));
        }
        self.answer = Some(Message::Text(message::error(why).into()));
        Ok(())
    }

    /// Looks whether a limit of time has passed.
    fn look(&mut self, now: Instant) -> Result<(), End> {
        let passed = |since: Instant, limit: Duration| now.saturating_duration_since(since) >= limit;
        if self.writing.as_ref().is_some_and(|writing| passed(writing.begun, self.terms.patience)) {
            return Err(slow());
        }
        if self.pinged.is_some_and(|pinged| passed(pinged, self.terms.patience)) {
            return Err(End::ours(1008, "no_pong", "the ping was not answered"));
        }
        if passed(self.spoke, self.terms.idle_max) {
            return Err(End::ours(1000, "idle", "nothing was said for a long time"));
        }
        if self.pinged.is_none() && passed(self.heard, self.terms.ping_every) && self.answer.is_none() {
            self.pinged = Some(now);
            self.answer = Some(Message::Ping(axum::body::Bytes::new()));
        }
        Ok(())
    }

    /// Closes as RFC 6455 §7.1 wants it: says why, and waits for the client to close as well, for a while.
    async fn end(self, end: End) {
        let Self { mut socket, seat, .. } = self;
        // From here on the participant is away, or sits elsewhere.
        drop(seat);
        let farewell = match end {
            End::Ours { code, said, .. } => Some(CloseFrame { code, reason: said.as_ref().into() }),
            // The socket has the answer to the client's close ready, and reading on sends it.
            End::Client("closed") => None,
            End::Client(_) => return,
        };
        let closing = async {
            if farewell.is_some() {
                socket.send(Message::Close(farewell)).await?;
            }
            while socket.next().await.is_some_and(|received| received.is_ok()) {}
            Ok::<_, axum::Error>(())
        };
        // A client that does not answer in time is cut off; there is nobody left to tell.
        let _ = tokio::time::timeout(CLOSE_PATIENCE, closing).await;
    }
}

fn slow() -> End {
    End::ours(1013, "slow", "you read too slowly")
}

/// What the socket does next: the write that is under way ends, or a message comes. Safe to drop while waiting.
async fn next(socket: &mut WebSocket, is_writing: bool) -> Event {
    std::future::poll_fn(|context| {
        if is_writing && let Poll::Ready(done) = socket.poll_flush_unpin(context) {
            return Poll::Ready(Event::Written(done));
        }
        socket.poll_next_unpin(context).map(Event::Received)
    })
    .await
}
