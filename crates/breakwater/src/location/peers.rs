//! What instances tell each other about a session, on the session's channel of the bus.
//!
//! Each instance speaks for the participants that are connected through it: what has changed at each step, and all of it
//! when another asks and every few seconds besides. That repairs what was lost on the way, and an instance that says nothing
//! for a while has gone, and its participants with it.

use std::{collections::HashMap, time::Duration, time::Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::board::{Board, Change, Entry, Member, Presence, Update};

/// How often an instance says all it knows without being asked.
pub(super) const SPEAK_EVERY: Duration = Duration::from_secs(5);

/// After this long without a word an instance counts as gone.
pub(super) const SILENT_MAX: Duration = Duration::from_secs(16);

#[derive(Serialize, Deserialize)]
struct Said<'a> {
    from: u64,
    #[serde(borrow)]
    word: Word<'a>,
}

#[derive(Serialize, Deserialize)]
enum Word<'a> {
    /// Who knows anything, say it all.
    Ask,
    /// Changed since the last word.
    #[serde(borrow)]
    Changes(Vec<Told<'a>>),
    /// All there is of the sender's participants.
    #[serde(borrow)]
    Whole(Vec<Told<'a>>),
    /// A participant has left by request.
    Left(Uuid),
    /// The session has ended.
    Ended,
}

#[derive(Serialize, Deserialize)]
enum Told<'a> {
    #[serde(borrow)]
    Member(ToldMember<'a>),
    Position(Uuid, Entry, &'a RawValue),
    Departed(Uuid),
}

#[derive(Serialize, Deserialize)]
struct ToldMember<'a> {
    id: Uuid,
    #[serde(borrow)]
    name: &'a RawValue,
    away: bool,
    entry: Entry,
    #[serde(borrow)]
    position: Option<&'a RawValue>,
}

/// What a message asks of the session beyond its board.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    None,
    /// Somebody wants to know everything: [`whole`].
    SayAll,
    /// The session is over.
    End,
}

/// The other instances in one session.
#[derive(Debug, Default)]
pub(super) struct Peers {
    heard: HashMap<u64, Instant>,
}

impl Peers {
    /// Takes a message of the bus onto the board of `instance`. What cannot be read is of another version and left alone.
    pub(super) fn hear(
        &mut self,
        board: &mut Board,
        instance: u64,
        message: &Bytes,
        now: Instant,
    ) -> Consequence {
        let Ok(Said { from, word }) = serde_json::from_slice(message) else { return Consequence::None };
        if from == instance {
            return Consequence::None;
        }
        match word {
            Word::Ask => return Consequence::SayAll,
            Word::Left(participant) => board.leave(participant),
            Word::Ended => return Consequence::End,
            Word::Changes(told) => {
                self.heard.insert(from, now);
                told.iter().for_each(|told| take(board, from, told, now));
            }
            Word::Whole(told) => {
                self.heard.insert(from, now);
                let named = |id: &Uuid| {
                    told.iter().any(|told| matches!(told, Told::Member(member) if member.id == *id))
                };
                board.leave_unless(from, named);
                told.iter().for_each(|told| take(board, from, told, now));
            }
        }
        Consequence::None
    }

    /// Lets the participants of instances leave that have been silent for too long.
    pub(super) fn forget_silent(&mut self, board: &mut Board, now: Instant) {
        self.heard.retain(|instance, heard| {
            let speaks = now.saturating_duration_since(*heard) < SILENT_MAX;
            if !speaks {
                board.leave_unless(*instance, |_| false);
            }
            speaks
        });
    }
}

fn take(board: &mut Board, from: u64, told: &Told<'_>, now: Instant) {
    match told {
        Told::Departed(participant) => board.leave_from(*participant, from),
        Told::Position(participant, entry, json) => position(board, *participant, *entry, json, now),
        Told::Member(member) => {
            if !board.enter(member.id, member.name.get(), member.entry) {
                return;
            }
            if member.away {
                board.away(member.id, member.entry, now);
            }
            if let Some(json) = member.position {
                position(board, member.id, member.entry, json, now);
            }
        }
    }
}

fn position(board: &mut Board, participant: Uuid, entry: Entry, json: &RawValue, now: Instant) {
    let update = Update { json: json.get().into(), received: now };
    board.update_if_new(participant, entry, update);
}

/// The question to all who know the session.
pub(super) fn ask(instance: u64) -> Bytes {
    encoded(instance, Word::Ask)
}

/// A participant has left by request.
pub(super) fn left(instance: u64, participant: Uuid) -> Bytes {
    encoded(instance, Word::Left(participant))
}

/// The session has ended.
pub(super) fn ended(instance: u64) -> Bytes {
    encoded(instance, Word::Ended)
}

/// All there is to say of the participants here.
pub(super) fn whole(instance: u64, board: &Board) -> Bytes {
    encoded(instance, Word::Whole(board.members_here().map(told_member).collect()))
}

/// What the newest step has changed. None when that is nothing to others.
pub(super) fn changes(instance: u64, board: &Board) -> Option<Bytes> {
    let told: Vec<_> = board
        .changes_here()
        .map(|change| match change {
            Change::Member(member) => told_member(member),
            Change::Position(participant, entry, update) => {
                Told::Position(participant, entry, raw(&update.json))
            }
            Change::Departed(participant) => Told::Departed(participant),
        })
        .collect();
    (!told.is_empty()).then(|| encoded(instance, Word::Changes(told)))
}

fn told_member(member: Member<'_>) -> Told<'_> {
    Told::Member(ToldMember {
        id: member.id,
        name: raw(member.name),
        away: matches!(member.presence, Presence::Away { .. }),
        entry: member.entry,
        position: member.position.map(|update| raw(&update.json)),
    })
}

fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).expect("the board holds JSON")
}

fn encoded(from: u64, word: Word<'_>) -> Bytes {
    serde_json::to_vec(&Said { from, word }).expect("it has nothing that JSON cannot say").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> Uuid {
        Uuid::from_u128(number.into())
    }

    fn seen(board: &Board) -> Vec<(Uuid, &'static str)> {
        board.members().map(|member| (member.id, member.presence.word())).collect()
    }

    /// Everybody's newest position, by what a newcomer would be sent.
    fn positions(board: &Board) -> String {
        let text = board.restored(None).positions.map(|text| text.to_string()).unwrap_or_default();
        text.split_once("positions\":").map(|(_, positions)| positions.to_owned()).unwrap_or_default()
    }

    #[test]
    fn silence_of_an_instance_ends_its_participants() {
        let (now, mut peers) = (Instant::now(), Peers::default());
        let (mut one, mut two) = (Board::new(1, 0), Board::new(2, 0));
        one.enter_here(id(1), "\"a\"", 0, 0);
        two.enter_here(id(2), "\"b\"", 0, 0);
        one.step();
        assert_eq!(peers.hear(&mut two, 2, &whole(1, &one), now), Consequence::None);
        assert_eq!(seen(&two), [(id(1), "joined"), (id(2), "joined")]);
        peers.forget_silent(&mut two, now + SILENT_MAX - Duration::from_millis(1));
        assert_eq!(seen(&two).len(), 2);
        peers.forget_silent(&mut two, now + SILENT_MAX);
        assert_eq!(seen(&two), [(id(2), "joined")]);
    }

    #[test]
    fn foreign_words_and_ones_own_are_nothing() {
        let (mut peers, mut board) = (Peers::default(), Board::new(1, 0));
        let now = Instant::now();
        board.enter_here(id(1), "\"a\"", 0, 0);
        for message in
            [Bytes::from("nonsense"), Bytes::from("{\"from\":2,\"word\":\"Later\"}"), left(1, id(1))]
        {
            assert_eq!(peers.hear(&mut board, 1, &message, now), Consequence::None);
        }
        assert_eq!(seen(&board).len(), 1);
        assert_eq!(peers.hear(&mut board, 1, &ask(2), now), Consequence::SayAll);
        assert_eq!(peers.hear(&mut board, 1, &ended(2), now), Consequence::End);
    }

    #[derive(Debug, Clone)]
    enum Act {
        Enter(u8, usize),
        Away(u8),
        Update(u8),
        Leave(u8),
        /// An instance steps; its word reaches the others, or is lost.
        Step(usize, bool),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let who = 0..4_u8;
        let act = prop_oneof![
            2 => (who.clone(), 0..3_usize).prop_map(|(who, instance)| Act::Enter(who, instance)),
            1 => who.clone().prop_map(Act::Away),
            4 => who.clone().prop_map(Act::Update),
            1 => who.prop_map(Act::Leave),
            4 => (0..3_usize, proptest::bool::weighted(0.7)).prop_map(|(instance, heard)| Act::Step(instance, heard)),
        ];
        proptest::collection::vec(act, 1..120)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Whatever is lost between three instances: when each has said all it knows, they agree on who is there, and on
        /// everybody's newest position.
        #[test]
        fn instances_agree_after_a_whole_word(acts in acts()) {
            let now = Instant::now();
            let mut boards = [Board::new(0, 0), Board::new(1, 0), Board::new(2, 0)];
            let mut peers = [Peers::default(), Peers::default(), Peers::default()];
            let mut entries: HashMap<u8, (usize, Entry)> = HashMap::new();
            let mut newest: HashMap<u8, u64> = HashMap::new();
            let mut tell = |boards: &mut [Board; 3], from: usize, word: &Bytes| {
                for to in (0..3).filter(|to| *to != from) {
                    peers[to].hear(&mut boards[to], to as u64, word, now);
                }
            };
            for (number, act) in acts.iter().enumerate() {
                match *act {
                    Act::Enter(who, instance) => {
                        let entry = boards[instance].enter_here(id(who), "\"n\"", number as i64, number as u64);
                        if let Some((before, old)) = entries.insert(who, (instance, entry)) && before != instance {
                            // Whoever connects elsewhere has no position there until it is heard of or sent.
                            boards[before].away(id(who), old, now);
                            newest.remove(&who);
                        }
                    }
                    Act::Away(who) => {
                        if let Some((instance, entry)) = entries.get(&who) {
                            boards[*instance].away(id(who), *entry, now);
                        }
                    }
                    Act::Update(who) => {
                        if let Some((instance, entry)) = entries.get(&who) {
                            let json = format!("{{\"who\":{who},\"value\":{number}}}");
                            let update = Update { json: json.into(), received: now };
                            boards[*instance].update(id(who), *entry, update);
                            newest.insert(who, number as u64);
                        }
                    }
                    Act::Leave(who) => {
                        // Asked of one instance, heard by all: a word that is lost here is asked for again by the client.
                        entries.remove(&who);
                        newest.remove(&who);
                        boards.iter_mut().for_each(|board| board.leave(id(who)));
                    }
                    Act::Step(instance, heard) => {
                        if boards[instance].step()
                            && let Some(word) = changes(instance as u64, &boards[instance])
                            && heard
                        {
                            tell(&mut boards, instance, &word);
                        }
                    }
                }
            }
            // Twice: the first round settles who holds whom, the second tells it to all.
            for from in [0, 1, 2, 0, 1, 2] {
                boards[from].step();
                let word = whole(from as u64, &boards[from]);
                tell(&mut boards, from, &word);
            }
            boards.iter_mut().for_each(|board| { board.step(); });
            prop_assert_eq!(seen(&boards[0]), seen(&boards[1]));
            prop_assert_eq!(seen(&boards[1]), seen(&boards[2]));
            for (who, value) in &newest {
                let said = format!("{{\"who\":{who},\"value\":{value}}}");
                for board in &boards {
                    prop_assert!(positions(board).contains(&said), "{} lacks {}", positions(board), said);
                }
            }
        }
    }
}
