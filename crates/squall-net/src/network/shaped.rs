//! One connection over a link: a stream over a stream.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use squall_options::{Chance, Conditions};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::link::{Direction, Fault, Link};
use super::meter::{Meter, Passage};
use super::path::Path;
use super::random::Random;

/// One read from the socket.
const SCRATCH_BYTES: usize = 64 << 10;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into());
}

/// What a connection goes over: TCP, or something in memory.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Has the other side see a reset, not an end, when it is dropped.
    fn abort(&mut self);
}

impl Wire for TcpStream {
    fn abort(&mut self) {
        // Where that is not to be had, the other side sees an end.
        let _ = socket2::SockRef::from(&*self).set_linger(Some(Duration::ZERO));
    }
}

/// Where a round ends that is to be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The server never gets what was sent.
    Request,
    /// It does, and the client gets no answer.
    Answer,
    /// The client gets the beginning of the answer.
    Body,
}

/// A connection whose bytes take the time that the network wants.
#[derive(Debug)]
pub(crate) struct Shaped<W: Wire> {
    /// None after a reset.
    wire: Option<W>,
    link: Rc<Link>,
    meter: Rc<Meter>,
    random: Random,
    up: Path,
    down: Path,
    /// When the socket was looked at last, and whether somebody waits for what it has next.
    looked_at: Instant,
    is_awaited: bool,
    /// The socket's end, and when it is seen.
    end: Option<(Instant, Option<io::ErrorKind>)>,
    /// Why the socket took no more. Told to who writes next.
    write_error: Option<io::ErrorKind>,
    cut: Option<Cut>,
    reset_at: Option<Instant>,
    stall: Stall,
    timer: Option<Pin<Box<Sleep>>>,
}

/// Times in which nothing leaves.
#[derive(Debug)]
struct Stall {
    until: Option<Instant>,
    next: Option<Instant>,
}

impl<W: Wire> Shaped<W> {
    pub(crate) fn new(wire: W, link: Rc<Link>) -> Self {
        let [mut random, of_up, of_down] = link.connection_randoms();
        let now = Instant::now();
        let reset_at = link.timeline().when(now, random.wait(), |now| per_minute(now.resets));
        let next = next_stall(&link, &mut random, now);
        Self {
            wire: Some(wire),
            meter: Rc::default(),
            random,
            up: Path::new(Direction::Up, of_up),
            down: Path::new(Direction::Down, of_down),
            looked_at: now,
            is_awaited: false,
            end: None,
            write_error: None,
            cut: None,
            reset_at,
            stall: Stall { until: None, next },
            timer: None,
            link,
        }
    }

    /// The beginning of an exchange.
    pub(crate) fn passage(&self) -> Passage {
        Passage::new(&self.meter)
    }

    /// Whether there is something to read; else the caller is woken when there is.
    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = Instant::now();
        self.advance(cx, now)?;
        self.is_awaited = self.down.arrived(now).is_empty() && !self.has_ended(now);
        if !self.is_awaited {
            return Poll::Ready(Ok(()));
        }
        self.set_timer(cx, now);
        Poll::Pending
    }

    /// Does what is due.
    fn advance(&mut self, cx: &mut Context<'_>, now: Instant) -> io::Result<()> {
        if self.reset_at.is_some_and(|at| at <= now) {
            self.reset();
        }
        self.release(cx, now);
        self.receive(cx, now);
        match self.wire {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }

    /// Gives the socket what has gone through.
    fn release(&mut self, cx: &mut Context<'_>, now: Instant) {
        loop {
            let (bytes, Some(wire)) = (self.up.arrived(now), &mut self.wire) else { return };
            if bytes.is_empty() {
                return;
            }
            if self.cut == Some(Cut::Request) {
                return self.reset();
            }
            match Pin::new(wire).poll_write(cx, bytes) {
                Poll::Ready(Ok(0)) | Poll::Pending => return,
                Poll::Ready(Ok(written)) => {
                    let held = self.up.take(written, now);
                    self.meter.up.let_through(held, self.up.held_since());
                }
                Poll::Ready(Err(error)) => {
                    self.write_error = Some(error.kind());
                    self.up.clear();
                }
            }
        }
    }

    /// Takes from the socket what has come, as far as there is room.
    fn receive(&mut self, cx: &mut Context<'_>, now: Instant) {
        // What a connection got while it was idle has had its time. Else it has come just now, and not before what was
        // released a moment ago.
        let idle_since = Some(self.looked_at).filter(|_| !self.is_awaited);
        self.looked_at = now;
        while let (Some(wire), None) = (&mut self.wire, self.end) {
            let room = self.down.room(&self.link, now).min(SCRATCH_BYTES);
            if room == 0 {
                self.down.full_since.get_or_insert(now);
                return;
            }
            let full_since = self.down.full_since.take();
            let is_pending = SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(&mut scratch[..room]);
                match Pin::new(wire).poll_read(cx, &mut buffer) {
                    Poll::Pending => return true,
                    Poll::Ready(Err(error)) => {
                        self.end = Some((
                            self.down.end_due(&self.link, idle_since.unwrap_or(now)),
                            Some(error.kind()),
                        ))
                    }
                    Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                        self.end = Some((self.down.end_due(&self.link, idle_since.unwrap_or(now)), None));
                    }
                    Poll::Ready(Ok(())) => {
                        // It was there while there was no room.
                        if let Some(since) = full_since {
                            self.meter.was_blocked(now - since);
                        }
                        let (bytes, sent) = (buffer.filled(), idle_since.unwrap_or_else(Instant::now));
                        let (link, stall, random) = (&self.link, &mut self.stall, &mut self.random);
                        self.down.send(
                            link,
                            &[IoSlice::new(bytes)],
                            bytes.len(),
                            bytes.len() == room,
                            sent,
                            |leaves| stall.wait(link, random, leaves),
                        );
                        self.meter.down.holds(self.down.held_since());
                    }
                }
                false
            });
            if is_pending {
                return;
            }
        }
    }

    fn has_ended(&self, now: Instant) -> bool {
        self.down.is_empty() && self.end.is_some_and(|(due, _)| due <= now)
    }

    /// Breaks the connection, for both sides.
    fn reset(&mut self) {
        if let Some(mut wire) = self.wire.take() {
            wire.abort();
            self.link.count(Fault::Reset);
            self.up.clear();
            self.down.clear();
        }
    }

    /// The client begins to speak: what may befall this round?
    fn draw_faults(&mut self, now: Instant) {
        let Conditions { resets, stalls, .. } = *self.link.conditions(now);
        if let Chance::Each(probability) = resets
            && self.random.happens(probability)
        {
            let cuts = [Cut::Request, Cut::Answer, Cut::Body];
            self.cut = Some(cuts[(self.random.unit() * cuts.len() as f64) as usize]);
        }
        if let Chance::Each(probability) = stalls.chance
            && self.random.happens(probability)
        {
            self.stall.until = Some(now + stalls.duration);
            self.link.count(Fault::Stall);
        }
    }

    /// Has the caller woken when the next thing is due. What was due `now` has been done.
    fn set_timer(&mut self, cx: &mut Context<'_>, now: Instant) {
        let end = self.end.filter(|_| self.down.is_empty()).map(|(due, _)| due);
        let incoming = [self.down.next_due(), end, self.reset_at].into_iter().flatten();
        let next = incoming.chain(self.next_release(now)).min();
        if let Some(next) = next {
            self.wake_at(next, cx);
        }
    }

    /// When the next bytes go out. Those that the socket does not take wake whoever waits for the socket.
    fn next_release(&self, now: Instant) -> Option<Instant> {
        self.up.next_due().filter(|due| *due > now)
    }

    fn wake_at(&mut self, at: Instant, cx: &mut Context<'_>) {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        if timer.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}

impl Stall {
    /// When what would leave at a time does leave.
    fn wait(&mut self, link: &Link, random: &mut Random, leaves: Instant) -> Instant {
        while let Some(begins) = self.next.filter(|begins| *begins <= leaves) {
            let until = begins + link.conditions(begins).stalls.duration;
            if leaves < until {
                link.count(Fault::Stall);
                self.until = Some(until);
            }
            self.next = next_stall(link, random, until);
        }
        self.until.map_or(leaves, |until| until.max(leaves))
    }
}

fn next_stall(link: &Link, random: &mut Random, after: Instant) -> Option<Instant> {
    link.timeline().when(after, random.wait(), |now| per_minute(now.stalls.chance))
}

fn per_minute(chance: Chance) -> f64 {
    match chance {
        Chance::PerMinute(times) => times,
        Chance::Each(_) => 0.0,
    }
}

impl<W: Wire> AsyncRead for Shaped<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let now = Instant::now();
        this.advance(cx, now)?;
        let arrived = this.down.arrived(now);
        this.is_awaited = arrived.is_empty();
        if arrived.is_empty() {
            return match this.end {
                Some((_, error)) if this.has_ended(now) => {
                    Poll::Ready(error.map_or(Ok(()), |kind| Err(kind.into())))
                }
                _ => {
                    this.set_timer(cx, now);
                    Poll::Pending
                }
            };
        }
        let bytes = match this.cut {
            Some(Cut::Body) => arrived.len() / 2,
            Some(Cut::Answer) => 0,
            Some(Cut::Request) | None => arrived.len(),
        };
        let bytes = bytes.min(buf.remaining());
        buf.put_slice(&arrived[..bytes]);
        if matches!(this.cut, Some(Cut::Body | Cut::Answer)) {
            this.cut = None;
            this.reset();
        }
        if bytes == 0 && this.wire.is_none() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if this.wire.is_some() {
            let held = this.down.take(bytes, now);
            this.meter.down.let_through(held, this.down.held_since());
            this.meter.listened();
        }
        Poll::Ready(Ok(()))
    }
}

impl<W: Wire> AsyncWrite for Shaped<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let now = Instant::now();
        this.advance(cx, now)?;
        if let Some(kind) = this.write_error {
            return Poll::Ready(Err(kind.into()));
        }
        let room = this.up.room(&this.link, now);
        let wanted = bufs.iter().map(|buf| buf.len()).sum();
        if wanted == 0 {
            return Poll::Ready(Ok(0));
        }
        if room == 0 {
            this.up.full_since.get_or_insert(now);
            this.set_timer(cx, now);
            return Poll::Pending;
        }
        if let Some(since) = this.up.full_since.take() {
            this.meter.was_blocked(now - since);
        }
        if this.meter.spoke() {
            this.draw_faults(now);
        }
        let count = room.min(wanted);
        let (link, stall, random) = (&this.link, &mut this.stall, &mut this.random);
        this.up.send(link, bufs, count, count < wanted, now, |leaves| stall.wait(link, random, leaves));
        this.meter.up.holds(this.up.held_since());
        this.release(cx, now);
        // Whoever writes may not poll again of itself.
        this.set_timer(cx, now);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// As with a socket, what has been taken is under way.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = Instant::now();
        self.advance(cx, now)?;
        if !self.up.is_empty() {
            if let Some(next) = self.next_release(now) {
                self.wake_at(next, cx);
            }
            return Poll::Pending;
        }
        let Some(wire) = &mut self.wire else { return Poll::Ready(Ok(())) };
        ready!(Pin::new(wire).poll_shutdown(cx))?;
        Poll::Ready(Ok(()))
    }
}

impl<W: Wire> Drop for Shaped<W> {
    /// What is still under way gets there: a system does that for a socket that is closed.
    fn drop(&mut self) {
        let Some(mut wire) = self.wire.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.up.is_empty() {
            return;
        }
        let mut up = std::mem::replace(&mut self.up, Path::new(Direction::Up, Random::of(&[])));
        runtime.spawn(async move {
            while let Some(due) = up.next_due() {
                sleep_until(due).await;
                let now = Instant::now();
                let bytes = up.arrived(now).to_vec();
                up.take(bytes.len(), now);
                if wire.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        });
    }
}
