//! What a session shows: the newest position and presence of each participant, in steps. No queues and no I/O.
//!
//! Updates wait in their participant's slot, where a newer one takes the older one's place. A step shows what waits and
//! gives it the next sequence number. A member keeps a cursor, the step it has seen, and a frame holds all slots that have
//! changed since: who reads slowly gets fewer and newer positions, and nothing has to be kept for it. Members at the same
//! cursor share one encoded frame.

mod frame;
mod slot;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

pub use frame::{Cursor, Frame};
use frame::{Frames, PositionsText, PresenceText};
use slot::{Departed, Slot};
pub use slot::{Entry, Member, Presence, Update};
use uuid::Uuid;

/// Departures that are remembered for members which have not heard of them. Who is further behind gets everybody's presence.
pub(super) const DEPARTED_MAX: usize = 64;

/// The state of one session, as one instance knows it.
#[derive(Debug)]
pub struct Board {
    instance: u64,
    /// The first sequence number. Random, so that a cursor of another board is recognised as such.
    first: u64,
    step: u64,
    /// Updates taken, and how many of them had been when the newest step was made.
    taken: u64,
    taken_at_step: u64,
    slots: BTreeMap<Uuid, Slot>,
    departed: VecDeque<Departed>,
    /// Departures up to this step may have been forgotten.
    forgotten: u64,
    changed: bool,
    frames: Frames,
}

impl Board {
    /// An empty board of `instance`, whose steps count from `first`.
    pub fn new(instance: u64, first: u64) -> Self {
        Self {
            instance,
            first,
            step: first,
            taken: 0,
            taken_at_step: 0,
            slots: BTreeMap::new(),
            departed: VecDeque::new(),
            forgotten: first,
            changed: false,
            frames: Frames::default(),
        }
    }

    /// A participant connects to this instance at `at` (milliseconds since 1970) by its connection `number`. That takes its
    /// slot from any other connection.
    pub fn enter_here(&mut self, participant: Uuid, name: &str, at: i64, number: u64) -> Entry {
        // Clocks of instances differ, and ours may have been set back: the newest connection is this one all the same.
        let after = self.slots.get(&participant).map_or(0, |slot| slot.entry.at + 1);
        let entry = Entry { at: at.max(after), instance: self.instance, number };
        self.enter(participant, name, entry);
        entry
    }

    /// A participant has connected, here or elsewhere. The newest entry holds the slot; whether it is this one.
    pub fn enter(&mut self, participant: Uuid, name: &str, entry: Entry) -> bool {
        let next = self.step + 1;
        let Some(slot) = self.slots.get_mut(&participant) else {
            self.departed.retain(|departed| departed.participant != participant);
            self.slots.insert(participant, Slot::new(name, entry, next));
            self.changed = true;
            return true;
        };
        if slot.entry < entry {
            slot.entry = entry;
            slot.moved_at = next;
            if slot.presence != Presence::Joined {
                slot.appears(Presence::Joined, next);
            }
            self.changed = true;
        }
        slot.entry == entry
    }

    /// The connection of `entry` is lost at `now`.
    pub fn away(&mut self, participant: Uuid, entry: Entry, now: Instant) {
        let next = self.step + 1;
        if let Some(slot) = self.slots.get_mut(&participant)
            && slot.entry == entry
            && slot.presence == Presence::Joined
        {
            slot.appears(Presence::Away { since: now }, next);
            self.changed = true;
        }
    }

    /// A participant leaves, wherever it is connected.
    pub fn leave(&mut self, participant: Uuid) {
        let Some(slot) = self.slots.remove(&participant) else { return };
        let (at, was_here) = (self.step + 1, slot.entry.instance == self.instance);
        self.departed.push_back(Departed { participant, name: slot.name, at, was_here });
        if self.departed.len() > DEPARTED_MAX {
            let oldest = self.departed.pop_front().expect("there are more than none");
            self.forgotten = oldest.at;
        }
        self.changed = true;
    }

    /// A participant leaves who was connected through `instance`: that instance says so.
    pub fn leave_from(&mut self, participant: Uuid, instance: u64) {
        if self.slots.get(&participant).is_some_and(|slot| slot.entry.instance == instance) {
            self.leave(participant);
        }
    }

    /// Lets those leave who were connected through `instance` and whom `keep` does not keep.
    pub fn leave_unless(&mut self, instance: u64, keep: impl Fn(&Uuid) -> bool) {
        let held = |(id, slot): (&Uuid, &Slot)| (slot.entry.instance == instance && !keep(id)).then_some(*id);
        for participant in self.slots.iter().filter_map(held).collect::<Vec<_>>() {
            self.leave(participant);
        }
    }

    /// Lets those of this instance leave who have been away for `grace` or longer.
    pub fn leave_if_away_for(&mut self, grace: Duration, now: Instant) {
        let instance = self.instance;
        let gone = |(id, slot): (&Uuid, &Slot)| match slot.presence {
            Presence::Away { since } => (now.saturating_duration_since(since) >= grace
                && slot.entry.instance == instance)
                .then_some(*id),
            Presence::Joined => None,
        };
        for participant in self.slots.iter().filter_map(gone).collect::<Vec<_>>() {
            self.leave(participant);
        }
    }

    /// The longest that anybody of this instance has been away.
    pub fn away_since(&self) -> Option<Instant> {
        let here = self.slots.values().filter(|slot| slot.entry.instance == self.instance);
        here.filter_map(|slot| match slot.presence {
            Presence::Away { since } => Some(since),
            Presence::Joined => None,
        })
        .min()
    }

    /// Takes an update from the connection of `entry`. Says no when that connection does not hold the slot.
    pub fn update(&mut self, participant: Uuid, entry: Entry, update: Update) -> bool {
        match self.slots.get_mut(&participant) {
            Some(slot) if slot.entry == entry => {
                slot.waiting = Some(update);
                self.taken += 1;
                self.changed = true;
                true
            }
            _ => false,
        }
    }

    /// As [`Board::update`], for what may have been told before.
    pub fn update_if_new(&mut self, participant: Uuid, entry: Entry, update: Update) {
        let Some(slot) = self.slots.get(&participant) else { return };
        if slot.waiting.as_ref().or(slot.shown.as_ref()).is_none_or(|known| known.json != update.json) {
            self.update(participant, entry, update);
        }
    }

    /// Whether the connection of `entry` holds its participant's slot; none when the participant has left.
    pub fn holds(&self, participant: Uuid, entry: Entry) -> Option<bool> {
        self.slots.get(&participant).map(|slot| slot.entry == entry)
    }

    /// Whether something waits for the next step.
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    /// Whether nobody of this instance is here, or away and expected.
    pub fn is_deserted(&self) -> bool {
        self.slots.values().all(|slot| slot.entry.instance != self.instance)
    }

    /// Shows what waits. Says no when nothing does.
    pub fn step(&mut self) -> bool {
        if !std::mem::take(&mut self.changed) {
            return false;
        }
        self.step += 1;
        self.taken_at_step = self.taken;
        self.frames.clear();
        for slot in self.slots.values_mut() {
            slot.show(self.step);
        }
        true
    }

    /// Where somebody is who has seen everything shown.
    pub fn newest(&self) -> Cursor {
        Cursor { step: self.step, taken: self.taken_at_step }
    }

    /// What has been shown since `cursor`. None when it is the newest.
    pub fn frame(&mut self, cursor: Cursor) -> Option<Frame> {
        if cursor.step == self.step {
            return None;
        }
        if let Some(frame) = self.frames.at(cursor.step) {
            return Some(frame);
        }
        let positions = self.positions(cursor.step);
        let frame = Frame {
            presence: self.presence(cursor.step),
            skipped: (self.taken_at_step - cursor.taken).saturating_sub(positions.count),
            delivered: positions.count,
            oldest: positions.oldest,
            positions: positions.finish(self.step),
            next: self.newest(),
        };
        self.frames.keep(cursor.step, &frame);
        Some(frame)
    }

    /// Whether `seq` is a step of this board: then all that was shown since is known.
    pub fn knows(&self, seq: u64) -> bool {
        (self.first..=self.step).contains(&seq)
    }

    /// The positions for somebody who comes (back): all, or those shown after `since`.
    pub fn restored(&self, since: Option<u64>) -> Frame {
        let positions = self.positions(since.filter(|seq| self.knows(*seq)).unwrap_or(0));
        Frame {
            presence: None,
            skipped: 0,
            delivered: positions.count,
            oldest: None,
            positions: positions.finish(self.step),
            next: self.newest(),
        }
    }

    /// Everybody, by id.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.slots.iter().map(|(id, slot)| slot.member(*id, None))
    }

    /// Everybody who is connected through this instance, with positions: what other instances are told when they ask.
    pub fn members_here(&self) -> impl Iterator<Item = Member<'_>> {
        let here = self.slots.iter().filter(|(_, slot)| slot.entry.instance == self.instance);
        here.map(|(id, slot)| slot.member(*id, slot.shown.as_ref()))
    }

    /// What the newest step has shown of this instance's participants: what other instances are told at each step.
    pub fn changes_here(&self) -> impl Iterator<Item = Change<'_>> {
        let step = self.step;
        let here = self.slots.iter().filter(|(_, slot)| slot.entry.instance == self.instance);
        let changes = here.filter_map(move |(id, slot)| {
            let position = slot.shown.as_ref().filter(|_| slot.shown_at == step);
            if slot.presence_at == step || slot.moved_at == step {
                Some(Change::Member(slot.member(*id, position)))
            } else {
                position.map(|update| Change::Position(*id, slot.entry, update))
            }
        });
        let departed = self.departed.iter().filter(move |departed| departed.at == step && departed.was_here);
        changes.chain(departed.map(|departed| Change::Departed(departed.participant)))
    }

    /// Positions shown after `step`.
    fn positions(&self, step: u64) -> PositionsText {
        let mut text = PositionsText::default();
        for slot in self.slots.values().filter(|slot| slot.shown_at > step) {
            if let Some(update) = &slot.shown {
                text.push(update);
            }
        }
        text
    }

    /// Presences shown after `step`, or all where some of them are forgotten.
    fn presence(&self, step: u64) -> Option<axum::extract::ws::Utf8Bytes> {
        let is_whole = step < self.forgotten;
        let mut text = PresenceText::default();
        for (id, slot) in &self.slots {
            if slot.presence_at <= self.step && (is_whole || slot.presence_at > step) {
                text.push(*id, &slot.name, slot.presence.word());
            }
        }
        for departed in &self.departed {
            if departed.at <= self.step && departed.at > step {
                text.push(departed.participant, &departed.name, "left");
            }
        }
        text.finish(self.step, is_whole)
    }
}

/// Something that a step has changed.
#[derive(Debug)]
pub enum Change<'a> {
    /// Came, moved here from another instance, or went away; with the position if that is new as well.
    Member(Member<'a>),
    /// Moved.
    Position(Uuid, Entry, &'a Update),
    Departed(Uuid),
}
