use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use super::*;

const HERE: u64 = 1;

fn id(number: u8) -> Uuid {
    Uuid::from_u128(number.into())
}

fn at(number: u64) -> Entry {
    Entry { at: 0, instance: HERE, number }
}

fn update(participant: u8, value: u64) -> Update {
    let json = format!(r#"{{"participant":"{}","value":{value}}}"#, id(participant));
    Update { json: json.into(), received: Instant::now() }
}

fn json(text: &axum::extract::ws::Utf8Bytes) -> Value {
    serde_json::from_str(text).expect("messages are JSON")
}

/// A client: what it has been told.
#[derive(Debug, Default, PartialEq)]
struct Client {
    positions: BTreeMap<String, u64>,
    presences: BTreeMap<String, String>,
    told: u64,
}

impl Client {
    fn read(&mut self, frame: &Frame) {
        if let Some(text) = &frame.presence {
            let message = json(text);
            if message["all"] == true {
                self.presences.clear();
            }
            for entry in message["participants"].as_array().unwrap() {
                let (who, presence) = (&entry["participant"], &entry["presence"]);
                self.presences
                    .insert(who.as_str().unwrap().to_owned(), presence.as_str().unwrap().to_owned());
            }
            self.presences.retain(|_, presence| presence != "left");
        }
        if let Some(text) = &frame.positions {
            let message = json(text);
            assert_eq!(message["seq"], frame.next.step);
            let positions = message["positions"].as_array().unwrap();
            assert_eq!(positions.len() as u64, frame.delivered);
            for position in positions {
                self.told += 1;
                let who = position["participant"].as_str().unwrap().to_owned();
                self.positions.insert(who, position["value"].as_u64().unwrap());
            }
        }
    }

    fn greet(&mut self, board: &Board) {
        let everybody =
            board.members().map(|member| (member.id.to_string(), member.presence.word().to_owned()));
        self.presences = everybody.collect();
    }
}

#[test]
fn members_at_the_same_cursor_share_one_text() {
    let mut board = Board::new(HERE, 100);
    board.enter(id(1), "\"a\"", at(1));
    board.step();
    let cursor = board.newest();
    assert!(board.frame(cursor).is_none());
    board.update(id(1), at(1), update(1, 7));
    assert!(board.frame(cursor).is_none(), "nothing is shown before the step");
    assert!(board.step() && !board.step());
    let (one, two) = (board.frame(cursor).unwrap(), board.frame(cursor).unwrap());
    assert_eq!(one.positions.as_ref().unwrap().as_ptr(), two.positions.as_ref().unwrap().as_ptr());
    assert_eq!((one.delivered, one.skipped, one.next.step), (1, 0, 102));
    assert!(one.presence.is_none());
}

#[test]
fn the_newest_connection_holds_the_slot() {
    let mut board = Board::new(HERE, 0);
    let first = board.enter_here(id(1), "\"a\"", 1000, 1);
    let second = board.enter_here(id(1), "\"a\"", 900, 2);
    assert!(second > first, "although the clock was set back");
    assert_eq!(board.holds(id(1), first), Some(false));
    assert!(!board.update(id(1), first, update(1, 1)));
    board.away(id(1), first, Instant::now());
    assert_eq!(board.away_since(), None, "the end of the older connection is nothing");
    let elsewhere = Entry { at: 5000, instance: 2, number: 1 };
    assert!(board.enter(id(1), "\"a\"", elsewhere));
    assert_eq!(board.holds(id(1), second), Some(false));
    assert!(!board.enter(id(1), "\"a\"", second), "late news of an older connection is nothing");
    assert!(board.is_deserted());
}

#[test]
fn who_is_away_too_long_has_left_and_who_comes_back_has_not() {
    let (mut board, now, grace) = (Board::new(HERE, 0), Instant::now(), Duration::from_secs(10));
    for number in [1, 2] {
        board.enter(id(number), "\"a\"", at(number.into()));
        board.away(id(number), at(number.into()), now);
    }
    board.enter(id(2), "\"a\"", at(3));
    board.leave_if_away_for(grace, now + Duration::from_secs(9));
    assert_eq!(board.away_since(), Some(now));
    board.leave_if_away_for(grace, now + grace);
    let left: Vec<_> = board.members().map(|member| (member.id, member.presence)).collect();
    assert_eq!(left, [(id(2), Presence::Joined)]);
}

#[test]
fn a_member_far_behind_gets_everybodys_presence() {
    let mut board = Board::new(HERE, 0);
    board.enter(id(0), "\"a\"", at(0));
    board.step();
    let (cursor, mut client) = (board.newest(), Client::default());
    client.presences.insert(id(1).to_string(), "joined".to_owned());
    for number in 1..=100 {
        board.enter(id(number), "\"b\"", at(number.into()));
        board.step();
        board.leave(id(number));
        board.step();
    }
    client.read(&board.frame(cursor).unwrap());
    assert_eq!(client.presences.keys().cloned().collect::<Vec<_>>(), [id(0).to_string()]);
}

#[test]
fn a_cursor_of_another_board_restores_everything() {
    let mut board = Board::new(HERE, 1 << 32);
    board.enter(id(1), "\"a\"", at(1));
    board.update(id(1), at(1), update(1, 7));
    board.step();
    let seen = board.newest().step;
    assert!(board.knows(seen) && board.restored(Some(seen)).positions.is_none());
    for strange in [0, 3 << 32, seen + 1] {
        assert!(!board.knows(strange));
        assert_eq!(board.restored(Some(strange)).delivered, 1);
    }
}

#[derive(Debug, Clone)]
enum Act {
    Update(u8),
    Step,
    Read(u8),
    /// The connection is lost.
    Drop(u8),
    /// Connects again with what it has seen last.
    Resume(u8),
    /// Connects again as if for the first time.
    Return(u8),
    Leave(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let who = 0..5_u8;
    let act = prop_oneof![
        6 => who.clone().prop_map(Act::Update),
        4 => Just(Act::Step),
        4 => who.clone().prop_map(Act::Read),
        1 => who.clone().prop_map(Act::Drop),
        1 => who.clone().prop_map(Act::Resume),
        1 => who.clone().prop_map(Act::Return),
        1 => who.prop_map(Act::Leave),
    ];
    proptest::collection::vec(act, 1..200)
}

/// A connection and what should come of it.
struct Connected {
    cursor: Cursor,
    entry: Entry,
    /// Updates the model has seen taken before it connected, and shown since.
    begun: u64,
    delivered: u64,
    skipped: u64,
}

/// Everything the board promises, in plain words of its own.
struct Model {
    board: Board,
    clients: BTreeMap<u8, Client>,
    seen: BTreeMap<u8, u64>,
    connected: BTreeMap<u8, Connected>,
    away: BTreeSet<u8>,
    newest: BTreeMap<String, u64>,
    updates: u64,
    shown: u64,
    entries: u64,
}

impl Model {
    fn connect(&mut self, who: u8, resumes: bool) {
        if self.connected.contains_key(&who) {
            return;
        }
        self.entries += 1;
        let entry = self.board.enter_here(id(who), "\"n\"", 0, self.entries);
        let since = self.seen.get(&who).copied().filter(|_| resumes);
        let restored = self.board.restored(since);
        let client = self.clients.entry(who).or_default();
        if since.is_none() {
            *client = Client::default();
        }
        client.greet(&self.board);
        client.read(&restored);
        client.told = 0;
        self.away.remove(&who);
        let connected =
            Connected { cursor: restored.next, entry, begun: self.shown, delivered: 0, skipped: 0 };
        self.connected.insert(who, connected);
        self.seen.insert(who, restored.next.step);
    }

    fn read(&mut self, who: u8) {
        let Some(connected) = self.connected.get_mut(&who) else { return };
        let Some(frame) = self.board.frame(connected.cursor) else { return };
        connected.cursor = frame.next;
        connected.delivered += frame.delivered;
        connected.skipped += frame.skipped;
        let client = self.clients.get_mut(&who).unwrap();
        client.read(&frame);
        assert_eq!(client.told, connected.delivered);
        self.seen.insert(who, frame.next.step);
        assert_eq!(connected.delivered + connected.skipped, self.shown - connected.begun);
    }

    fn step(&mut self) {
        if self.board.step() {
            self.shown = self.updates;
        }
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Update(who) => {
                let Some(connected) = self.connected.get(&who) else { return };
                self.updates += 1;
                assert!(self.board.update(id(who), connected.entry, update(who, self.updates)));
                self.newest.insert(id(who).to_string(), self.updates);
            }
            Act::Step => self.step(),
            Act::Read(who) => self.read(who),
            Act::Drop(who) => {
                if let Some(connected) = self.connected.remove(&who) {
                    self.board.away(id(who), connected.entry, Instant::now());
                    self.away.insert(who);
                }
            }
            Act::Resume(who) => self.connect(who, true),
            Act::Return(who) => self.connect(who, false),
            Act::Leave(who) => {
                self.board.leave(id(who));
                self.connected.remove(&who);
                self.away.remove(&who);
                self.newest.remove(&id(who).to_string());
            }
        }
    }

    /// After the last step and read, everybody knows everybody.
    fn agrees(&mut self) {
        self.step();
        let everybody: Vec<u8> = self.connected.keys().copied().collect();
        let here = everybody.iter().map(|who| (id(*who).to_string(), "joined".to_owned()));
        let away = self.away.iter().map(|who| (id(*who).to_string(), "away".to_owned()));
        let presences: BTreeMap<_, _> = here.chain(away).collect();
        for who in everybody {
            self.read(who);
            let client = &self.clients[&who];
            for (participant, newest) in &self.newest {
                assert_eq!(client.positions.get(participant), Some(newest), "{who} on {participant}");
            }
            assert_eq!(client.presences, presences, "{who}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// In any order of updates, steps, reads, losses and returns everybody ends with the newest of everybody, and each
    /// update was either told or counted as skipped.
    #[test]
    fn nobody_misses_the_newest_and_what_is_skipped_is_counted(acts in acts()) {
        let mut model = Model {
            board: Board::new(HERE, 1 << 32),
            clients: BTreeMap::new(),
            seen: BTreeMap::new(),
            connected: BTreeMap::new(),
            away: BTreeSet::new(),
            newest: BTreeMap::new(),
            updates: 0,
            shown: 0,
            entries: 0,
        };
        for act in &acts {
            model.act(act);
        }
        model.agrees();
    }
}
