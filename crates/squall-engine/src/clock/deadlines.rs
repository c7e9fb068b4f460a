//! What is due when: a heap of deadlines that can be taken off before their time.

use std::{cmp::Ordering, task::Waker};

use crate::Time;

/// Children of a node: half the depth of a binary heap, and siblings are neighbours in memory.
const CHILDREN: usize = 4;

/// A deadline that was added; valid until it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(u32);

/// Deadlines by time, those of one moment in the order in which they were added.
///
/// Nothing is allocated for a deadline once there were as many before, and each slot knows its place in the heap, so
/// that removing one does not search. A map ordered by time took twice the time.
#[derive(Default)]
pub(super) struct Deadlines {
    heap: Vec<Entry>,
    slots: Vec<Slot>,
    free: Vec<Key>,
    added: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    deadline_ns: u64,
    nth: u64,
    key: Key,
}

/// Where a deadline is.
enum Slot {
    Free,
    /// In the heap, at this place.
    Waiting {
        place: u32,
        waker: Waker,
    },
    Fired,
}

impl Deadlines {
    pub(super) fn add(&mut self, deadline: Time, waker: &Waker) -> Key {
        let key = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Free);
            Key(u32::try_from(self.slots.len() - 1).expect("fewer deadlines than 2^32"))
        });
        self.slots[key.index()] = Slot::Waiting { place: 0, waker: waker.clone() };
        self.added += 1;
        self.heap.push(Entry { deadline_ns: nanos(deadline), nth: self.added, key });
        self.rise(self.heap.len() - 1);
        key
    }

    /// Whether it has fired. If not, `waker` is the one to wake.
    pub(super) fn poll(&mut self, key: Key, waker: &Waker) -> bool {
        if let Slot::Waiting { waker: known, .. } = &mut self.slots[key.index()] {
            known.clone_from(waker);
            return false;
        }
        true
    }

    /// Takes it off, fired or not.
    pub(super) fn remove(&mut self, key: Key) {
        if let Slot::Waiting { place, .. } = self.slots[key.index()] {
            self.take_out(place as usize);
        }
        self.slots[key.index()] = Slot::Free;
        self.free.push(key);
    }

    /// Fires the first one if it is due; its waker is to be woken.
    pub(super) fn fire(&mut self, now: Time) -> Option<Waker> {
        let first = self.heap.first().filter(|first| first.deadline_ns <= nanos(now))?.key;
        self.take_out(0);
        match std::mem::replace(&mut self.slots[first.index()], Slot::Fired) {
            Slot::Waiting { waker, .. } => Some(waker),
            Slot::Free | Slot::Fired => unreachable!("what is in the heap waits"),
        }
    }

    pub(super) fn earliest(&self) -> Option<Time> {
        self.heap.first().map(|first| Time::from_nanos(first.deadline_ns))
    }

    fn take_out(&mut self, place: usize) {
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.sink(place);
            self.rise(place);
        }
    }

    /// Moves the entry at `place` up to where its parent is earlier.
    fn rise(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 && entry < self.heap[(place - 1) / CHILDREN] {
            let parent = (place - 1) / CHILDREN;
            self.put(place, self.heap[parent]);
            place = parent;
        }
        self.put(place, entry);
    }

    /// Moves the entry at `place` down to where its children are later.
    fn sink(&mut self, mut place: usize) {
        let entry = self.heap[place];
        loop {
            let first = place * CHILDREN + 1;
            let children = first..(first + CHILDREN).min(self.heap.len());
            let Some(child) = children.min_by_key(|&child| self.heap[child]) else { break };
            if entry < self.heap[child] {
                break;
            }
            self.put(place, self.heap[child]);
            place = child;
        }
        self.put(place, entry);
    }

    fn put(&mut self, place: usize, entry: Entry) {
        self.heap[place] = entry;
        if let Slot::Waiting { place: known, .. } = &mut self.slots[entry.key.index()] {
            *known = place as u32;
        }
    }
}

impl Key {
    fn index(self) -> usize {
        self.0 as usize
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        (self.deadline_ns, self.nth).cmp(&(other.deadline_ns, other.nth))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.nth == other.nth
    }
}

impl Eq for Entry {}

/// Enough for 584 years.
fn nanos(time: Time) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Add(u8),
        Remove(usize),
        Fire(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => any::<u8>().prop_map(Step::Add),
            1 => any::<usize>().prop_map(Step::Remove),
            1 => any::<u8>().prop_map(Step::Fire),
        ];
        vec(step, 0..200)
    }

    proptest! {
        /// The model is a map from deadline and order of adding to the key.
        #[test]
        fn they_fire_by_time_then_in_the_order_of_adding(steps in steps()) {
            let mut deadlines = Deadlines::default();
            let mut model = BTreeMap::new();
            let time = |at: u8| Time::from_millis(at.into());
            for (nth, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Add(at) => {
                        let key = deadlines.add(time(at), Waker::noop());
                        prop_assert!(model.values().all(|known| *known != key));
                        model.insert((time(at), nth), key);
                    }
                    Step::Remove(which) if !model.is_empty() => {
                        let place = *model.keys().nth(which % model.len()).unwrap();
                        deadlines.remove(model.remove(&place).unwrap());
                    }
                    Step::Remove(_) => {}
                    Step::Fire(until) => while deadlines.fire(time(until)).is_some() {
                        let ((at, _), key) = model.pop_first().unwrap();
                        prop_assert!(at <= time(until) && deadlines.poll(key, Waker::noop()));
                        prop_assert!(model.values().all(|&other| !deadlines.poll(other, Waker::noop())));
                        deadlines.remove(key);
                    },
                }
                prop_assert_eq!(deadlines.earliest(), model.keys().next().map(|(at, _)| *at));
            }
        }
    }
}
