//! One participant's place on the board.

use std::time::Instant;

use uuid::Uuid;

/// One connection of a participant, on any instance. The greatest is the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// When it was made, in milliseconds since 1970.
    pub at: i64,
    /// Which instance holds it.
    pub instance: u64,
    /// Tells connections of one instance and millisecond apart.
    pub number: u64,
}

/// A position as members will see it.
#[derive(Debug, Clone)]
pub struct Update {
    /// A JSON object that names the participant.
    pub json: Box<str>,
    /// When this instance got it.
    pub received: Instant,
}

/// Whether a participant can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Joined,
    /// The connection was lost; the participant may come back.
    Away {
        since: Instant,
    },
}

impl Presence {
    /// As messages say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Away { .. } => "away",
        }
    }
}

/// A participant as others are told of it.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    pub id: Uuid,
    /// A JSON string.
    pub name: &'a str,
    pub presence: Presence,
    pub entry: Entry,
    pub position: Option<&'a Update>,
}

/// Steps here are those at which something is or will be shown.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: Box<str>,
    pub(super) entry: Entry,
    pub(super) moved_at: u64,
    pub(super) presence: Presence,
    pub(super) presence_at: u64,
    pub(super) waiting: Option<Update>,
    pub(super) shown: Option<Update>,
    pub(super) shown_at: u64,
}

impl Slot {
    /// `name` is a JSON string.
    pub(super) fn new(name: &str, entry: Entry, next: u64) -> Self {
        Self {
            name: name.into(),
            entry,
            moved_at: next,
            presence: Presence::Joined,
            presence_at: next,
            waiting: None,
            shown: None,
            shown_at: 0,
        }
    }

    pub(super) fn appears(&mut self, presence: Presence, next: u64) {
        self.presence = presence;
        self.presence_at = next;
    }

    pub(super) fn show(&mut self, step: u64) {
        if let Some(update) = self.waiting.take() {
            self.shown = Some(update);
            self.shown_at = step;
        }
    }

    pub(super) fn member<'a>(&'a self, id: Uuid, position: Option<&'a Update>) -> Member<'a> {
        Member { id, name: &self.name, presence: self.presence, entry: self.entry, position }
    }
}

/// A participant who has left, for those who do not know it yet.
#[derive(Debug)]
pub(super) struct Departed {
    pub(super) participant: Uuid,
    pub(super) name: Box<str>,
    pub(super) at: u64,
    pub(super) was_here: bool,
}
