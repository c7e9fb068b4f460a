//! The open sessions of this instance: each has a board, a task that steps it, and seats at which connections sit.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::{
    board::{Board, Cursor, Entry, Frame, Update},
    message,
    metrics::Counts,
    peers::{self, Consequence, Peers, SPEAK_EVERY},
};
use crate::kit::{
    bus::{Bus, Heard, Subscription},
    now_ms,
};

/// Why a connection must end although its client does nothing wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// This instance stops; others may take the client.
    Stopping,
    /// The session is over.
    SessionEnded,
    /// The participant has left the session.
    Left,
    /// The participant has a newer connection.
    Replaced,
}

/// All open sessions.
pub(super) struct Hub {
    rooms: Mutex<HashMap<Uuid, Arc<Room>>>,
    /// Written and read with `rooms` locked.
    is_stopping: AtomicBool,
    /// Names this instance to others.
    instance: u64,
    connections: AtomicU64,
    bus: Bus,
    /// Updates that come within this time of a step share the next one.
    window: Duration,
    /// How long somebody whose connection is lost counts as away.
    grace: Duration,
    pub(super) counts: Counts,
}

/// One open session.
pub(super) struct Room {
    session: Uuid,
    board: Mutex<Board>,
    /// Rings when the board has changed.
    changed: Notify,
    /// The newest step, or why everybody has to go.
    shown: watch::Sender<Shown>,
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    step: u64,
    ending: Option<Ending>,
}

impl Hub {
    pub(super) fn new(bus: Bus, window: Duration, grace: Duration, counts: Counts) -> Arc<Self> {
        Arc::new(Self {
            rooms: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            instance: rand::random(),
            connections: AtomicU64::new(0),
            bus,
            window,
            grace,
            counts,
        })
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Room>>> {
        self.rooms.lock().expect("no one panics here")
    }

    /// Takes a seat for a participant, in place of its earlier one. `since` is the last sequence number it has seen.
    /// The text is what it must be told first; the frame holds the positions it does not know.
    pub(super) fn enter(
        self: &Arc<Self>,
        session: Uuid,
        participant: Uuid,
        name: &str,
        since: Option<u64>,
    ) -> (Seat, String, Frame) {
        let (now_ms, number) = (now_ms(), self.connections.fetch_add(1, Relaxed));
        let mut rooms = self.rooms();
        let room = rooms.entry(session).or_insert_with(|| self.open(session)).clone();
        // The room cannot close meanwhile: for that it takes the lock of all rooms as well.
        let mut board = room.board();
        let entry = board.enter_here(participant, &message::json_string(name), now_ms, number);
        drop(rooms);
        let resumed = since.is_some_and(|seq| board.knows(seq));
        let restored = board.restored(since);
        let welcome = message::welcome(session, participant, resumed, &restored, board.members());
        drop(board);
        room.changed.notify_one();
        if resumed {
            self.counts.resumed.inc();
        }
        let mut shown = room.shown.subscribe();
        shown.mark_changed();
        let seat = Seat { room, participant, entry, cursor: restored.next, shown };
        (seat, welcome, restored)
    }

    fn open(self: &Arc<Self>, session: Uuid) -> Arc<Room> {
        // Below 2^53, which is where JavaScript's numbers stop counting: 20 random bits over 32 bits of steps.
        let first = u64::from(rand::random::<u32>() >> 12) << 32;
        let ending = self.is_stopping.load(Relaxed).then_some(Ending::Stopping);
        let room = Arc::new(Room {
            session,
            board: Mutex::new(Board::new(self.instance, first)),
            changed: Notify::new(),
            shown: watch::Sender::new(Shown { step: first, ending }),
        });
        self.counts.sessions.inc();
        tokio::spawn(self.clone().keep(room.clone()));
        room
    }

    /// A participant has left by request; other instances are told.
    pub(super) fn left(&self, session: Uuid, participant: Uuid) {
        if let Some(room) = self.rooms().get(&session).cloned() {
            room.board().leave(participant);
            room.changed.notify_one();
        }
        if self.bus.has_others() {
            self.bus.publish(&channel(session), peers::left(self.instance, participant));
        }
    }

    /// A session is over; other instances are told.
    pub(super) fn ended(&self, session: Uuid) {
        if let Some(room) = self.rooms().get(&session) {
            room.end(Ending::SessionEnded);
        }
        if self.bus.has_others() {
            self.bus.publish(&channel(session), peers::ended(self.instance));
        }
    }

    /// Every connection has to go: this instance stops.
    pub(super) fn stop(&self) {
        let rooms = self.rooms();
        self.is_stopping.store(true, Relaxed);
        rooms.values().for_each(|room| room.end(Ending::Stopping));
    }

    /// Who is in a session and how they can be reached, as far as this instance knows; none where it has no part in it.
    pub(super) fn presences(&self, session: Uuid) -> Option<HashMap<Uuid, &'static str>> {
        let room = self.rooms().get(&session).cloned()?;
        let board = room.board();
        Some(board.members().map(|member| (member.id, member.presence.word())).collect())
    }

    /// Whether this instance alone knows of connections.
    pub(super) fn is_alone(&self) -> bool {
        !self.bus.has_others()
    }

    /// Steps a room's board for as long as somebody is there.
    async fn keep(self: Arc<Self>, room: Arc<Room>) {
        let mut others = self.bus.has_others().then(|| Others {
            heard: self.bus.subscribe(&channel(room.session)),
            peers: Peers::default(),
            speak: tokio::time::interval(SPEAK_EVERY),
        });
        let mut stepped = Instant::now().checked_sub(self.window);
        loop {
            let away_since = room.board().away_since();
            let departure = away_since.map(|since| tokio::time::Instant::from_std(since + self.grace));
            tokio::select! {
                () = room.changed.notified() => {}
                () = sleep_until(departure) => {
                    room.board().leave_if_away_for(self.grace, Instant::now());
                }
                event = next(others.as_mut()) => self.hear(&room, &mut others, event),
            }
            if !room.board().has_changed() {
                continue;
            }
            // The first change after a quiet time is shown at once, more within the window together.
            if let Some(stepped) = stepped {
                tokio::time::sleep_until((stepped + self.window).into()).await;
            }
            self.step(&room);
            stepped = Some(Instant::now());
            if self.closed(&room) {
                self.counts.sessions.dec();
                return;
            }
        }
    }

    fn step(&self, room: &Room) {
        let mut board = room.board();
        if !board.step() {
            return;
        }
        if self.bus.has_others()
            && let Some(changes) = peers::changes(self.instance, &board)
        {
            self.bus.publish(&channel(room.session), changes);
        }
        let step = board.newest().step;
        drop(board);
        room.shown.send_modify(|shown| shown.step = step);
    }

    /// Forgets a room that nobody of this instance is in any more.
    fn closed(&self, room: &Room) -> bool {
        let mut rooms = self.rooms();
        let deserted = room.board().is_deserted();
        if deserted {
            rooms.remove(&room.session);
        }
        deserted
    }

    fn hear(&self, room: &Room, others: &mut Option<Others>, event: OthersEvent) {
        let Some(others) = others else { return };
        let now = Instant::now();
        let say_all = match event {
            OthersEvent::Heard(Heard::Gap) => {
                self.bus.publish(&channel(room.session), peers::ask(self.instance));
                true
            }
            OthersEvent::Heard(Heard::Message(message)) => {
                match others.peers.hear(&mut room.board(), self.instance, &message, now) {
                    Consequence::None => false,
                    Consequence::SayAll => true,
                    Consequence::End => {
                        room.end(Ending::SessionEnded);
                        false
                    }
                }
            }
            OthersEvent::Speak => {
                others.peers.forget_silent(&mut room.board(), now);
                true
            }
        };
        if say_all {
            let whole = peers::whole(self.instance, &room.board());
            self.bus.publish(&channel(room.session), whole);
        }
    }
}

/// The link of a room to other instances.
struct Others {
    heard: Subscription,
    peers: Peers,
    speak: tokio::time::Interval,
}

enum OthersEvent {
    Heard(Heard),
    Speak,
}

/// Waits for ever where there are none.
async fn next(others: Option<&mut Others>) -> OthersEvent {
    let Some(others) = others else { return std::future::pending().await };
    tokio::select! {
        heard = others.heard.next() => OthersEvent::Heard(heard),
        _ = others.speak.tick() => OthersEvent::Speak,
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn channel(session: Uuid) -> String {
    format!("breakwater:location:{session}")
}

impl Room {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().expect("no one panics here")
    }

    fn end(&self, ending: Ending) {
        self.shown.send_modify(|shown| shown.ending = Some(ending));
    }
}

/// One connection's place in a session. Dropping it leaves the participant away.
pub(super) struct Seat {
    room: Arc<Room>,
    participant: Uuid,
    entry: Entry,
    cursor: Cursor,
    shown: watch::Receiver<Shown>,
}

/// What a connection has to do next.
#[derive(Debug)]
pub(super) enum Turn {
    /// Nothing has happened.
    Wait,
    Write(Frame),
    End(Ending),
}

impl Seat {
    pub(super) fn participant(&self) -> Uuid {
        self.participant
    }

    /// Takes the participant's new position. Without effect for a connection that has been replaced.
    pub(super) fn update(&self, json: Box<str>, received: Instant) {
        let taken = self.room.board().update(self.participant, self.entry, Update { json, received });
        if taken {
            self.room.changed.notify_one();
        }
    }

    /// Waits until something may have happened. Safe to drop while waiting.
    pub(super) async fn changed(&mut self) {
        // The room outlives its seats, and with it the sender.
        let _ = self.shown.changed().await;
    }

    /// Why the connection has to end, if it has to.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.shown.borrow().ending
    }

    /// What has happened since the last turn. After it the frame counts as written.
    pub(super) fn turn(&mut self) -> Turn {
        let shown = *self.shown.borrow_and_update();
        if let Some(ending) = shown.ending {
            return Turn::End(ending);
        }
        if shown.step == self.cursor.step {
            return Turn::Wait;
        }
        let mut board = self.room.board();
        match board.holds(self.participant, self.entry) {
            None => return Turn::End(Ending::Left),
            Some(false) => return Turn::End(Ending::Replaced),
            Some(true) => {}
        }
        match board.frame(self.cursor) {
            None => Turn::Wait,
            Some(frame) => {
                self.cursor = frame.next;
                Turn::Write(frame)
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut board = self.room.board();
        let ending = self.shown.borrow().ending;
        if ending == Some(Ending::SessionEnded) {
            board.leave(self.participant);
        } else {
            board.away(self.participant, self.entry, Instant::now());
        }
        drop(board);
        self.room.changed.notify_one();
    }
}
