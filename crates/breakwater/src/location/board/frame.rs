//! What members are sent, encoded once for all that are at the same cursor.

use std::{fmt::Write, time::Instant};

use axum::extract::ws::Utf8Bytes;
use uuid::Uuid;

use super::slot::Update;

/// How far a member has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The sequence number of the newest step it has seen.
    pub step: u64,
    /// Updates that had been taken by then.
    pub(super) taken: u64,
}

/// All that has changed between two steps. Cloning shares the text.
#[derive(Debug, Clone)]
pub struct Frame {
    /// A message of the type `presence`.
    pub presence: Option<Utf8Bytes>,
    /// A message of the type `positions`.
    pub positions: Option<Utf8Bytes>,
    /// Positions in it.
    pub delivered: u64,
    /// Updates between the two steps that are not in it, because newer ones took their place.
    pub skipped: u64,
    /// When the oldest position in it was received.
    pub oldest: Option<Instant>,
    /// Where its reader is afterwards.
    pub next: Cursor,
}

/// Frames to the newest step, by where they begin. Few: members that keep up are all at the step before.
#[derive(Debug, Default)]
pub(super) struct Frames(Vec<(u64, Frame)>);

const KEPT: usize = 8;

impl Frames {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn at(&self, step: u64) -> Option<Frame> {
        self.0.iter().find(|(from, _)| *from == step).map(|(_, frame)| frame.clone())
    }

    pub(super) fn keep(&mut self, step: u64, frame: &Frame) {
        if self.0.len() < KEPT {
            self.0.push((step, frame.clone()));
        }
    }
}

/// A message of the type `positions` in the making.
#[derive(Default)]
pub(super) struct PositionsText {
    items: String,
    pub(super) count: u64,
    pub(super) oldest: Option<Instant>,
}

impl PositionsText {
    pub(super) fn push(&mut self, update: &Update) {
        if self.count > 0 {
            self.items.push(',');
        }
        self.items.push_str(&update.json);
        self.count += 1;
        self.oldest = Some(self.oldest.map_or(update.received, |oldest| oldest.min(update.received)));
    }

    pub(super) fn finish(self, seq: u64) -> Option<Utf8Bytes> {
        let items = self.items;
        (self.count > 0)
            .then(|| format!(r#"{{"type":"positions","seq":{seq},"positions":[{items}]}}"#).into())
    }
}

/// A message of the type `presence` in the making.
#[derive(Default)]
pub(super) struct PresenceText(String);

impl PresenceText {
    /// `name` is a JSON string.
    pub(super) fn push(&mut self, participant: Uuid, name: &str, presence: &str) {
        let comma = if self.0.is_empty() { "" } else { "," };
        write!(self.0, r#"{comma}{{"participant":"{participant}","name":{name},"presence":"{presence}"}}"#)
            .expect("a String takes everything");
    }

    /// `is_whole`: whoever is not named has left.
    pub(super) fn finish(self, seq: u64, is_whole: bool) -> Option<Utf8Bytes> {
        let items = self.0;
        let all = if is_whole { r#","all":true"# } else { "" };
        (is_whole || !items.is_empty())
            .then(|| format!(r#"{{"type":"presence","seq":{seq}{all},"participants":[{items}]}}"#).into())
    }
}
