//! One direction of a connection: bytes under way, in order, each with the time of its arrival.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Duration;

use tokio::time::Instant;

use super::link::{Direction, Link};
use super::random::Random;

/// What a segment carries on an Ethernet: 1,500 bytes less the headers of IPv4 and TCP.
pub(super) const SEGMENT_BYTES: usize = 1460;

/// Bytes under way.
#[derive(Debug)]
pub(super) struct Path {
    direction: Direction,
    random: Random,
    bytes: VecDeque<u8>,
    /// What arrives together, of what was sent together.
    groups: VecDeque<Group>,
    /// When the last segment so far arrives: none overtakes it.
    last_due: Option<Instant>,
    /// Since when there has been no room.
    pub(super) full_since: Option<Instant>,
}

#[derive(Debug)]
struct Group {
    bytes: usize,
    sent: Instant,
    due: Instant,
}

impl Path {
    pub(super) fn new(direction: Direction, random: Random) -> Self {
        let (bytes, groups) = (VecDeque::new(), VecDeque::new());
        Self { direction, random, bytes, groups, last_due: None, full_since: None }
    }

    /// How many bytes more it holds now.
    pub(super) fn room(&self, link: &Link, now: Instant) -> usize {
        link.window_bytes(self.direction, now).saturating_sub(self.bytes.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// When the first bytes arrive.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.groups.front().map(|group| group.due)
    }

    /// Since when the first bytes have been under way.
    pub(super) fn held_since(&self) -> Option<Instant> {
        self.groups.front().map(|group| group.sent)
    }

    /// When an end that was sent then arrives: behind everything.
    pub(super) fn end_due(&self, link: &Link, sent: Instant) -> Instant {
        let due = sent + link.conditions(sent).latency / 2;
        self.last_due.map_or(due, |last| last.max(due))
    }

    /// Takes `count` bytes of these that were sent then, segment by segment. `more_follow`: there is more to send than
    /// these. `stalled` says until when what leaves at a time has to wait.
    pub(super) fn send(
        &mut self,
        link: &Link,
        slices: &[IoSlice<'_>],
        count: usize,
        more_follow: bool,
        sent: Instant,
        mut stalled: impl FnMut(Instant) -> Instant,
    ) {
        let conditions = link.conditions(sent);
        let travel = self.random.around(conditions.latency / 2, conditions.jitter / 2);
        let mut left = count;
        for slice in slices {
            let part = left.min(slice.len());
            self.bytes.extend(&slice[..part]);
            left -= part;
        }
        let mut left = count;
        while left > 0 {
            let bytes = left.min(SEGMENT_BYTES);
            left -= bytes;
            let followers = if more_follow { usize::MAX } else { left.div_ceil(SEGMENT_BYTES) };
            let departs = stalled(link.moved_at(self.direction, sent, bytes));
            let lost = link.retransmission(&mut self.random, conditions, followers);
            let due = departs + travel + lost;
            let due = self.last_due.map_or(due, |last| last.max(due));
            self.last_due = Some(due);
            match self.groups.back_mut() {
                Some(group) if group.due == due && group.sent == sent => group.bytes += bytes,
                _ => self.groups.push_back(Group { bytes, sent, due }),
            }
        }
    }

    /// The first bytes that have arrived, as far as they lie in one piece.
    pub(super) fn arrived(&self, now: Instant) -> &[u8] {
        let (first, _) = self.bytes.as_slices();
        let due = self.groups.iter().take_while(|group| group.due <= now);
        let mut bytes = 0;
        for group in due {
            bytes += group.bytes;
            if bytes >= first.len() {
                return first;
            }
        }
        &first[..bytes]
    }

    /// Takes the first bytes off. Says how long the last of them was held.
    pub(super) fn take(&mut self, mut bytes: usize, now: Instant) -> Duration {
        self.bytes.drain(..bytes);
        let mut held = Duration::ZERO;
        while bytes > 0
            && let Some(group) = self.groups.front_mut()
        {
            held = now - group.sent;
            let part = bytes.min(group.bytes);
            group.bytes -= part;
            bytes -= part;
            if group.bytes == 0 {
                self.groups.pop_front();
            }
        }
        if self.bytes.is_empty() {
            // Connections are idle most of the time, and many.
            (self.bytes, self.groups) = (VecDeque::new(), VecDeque::new());
        }
        held
    }

    /// Forgets what is under way.
    pub(super) fn clear(&mut self) {
        (self.bytes, self.groups) = (VecDeque::new(), VecDeque::new());
    }
}
