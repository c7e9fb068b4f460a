//! Single flight: of those who ask for the same key at the same time, one computes the value and the others wait for it.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use tokio::sync::watch;

use crate::kit::problem::Problem;

const SHARDS: usize = 16;

/// What came out of a flight.
#[derive(Clone)]
pub(super) struct Landed {
    /// The store had the value already.
    pub(super) found: bool,
    pub(super) value: Result<Bytes, Problem>,
}

type Shard = HashMap<Arc<str>, watch::Receiver<Option<Landed>>>;

/// The values being computed, by key.
#[derive(Default)]
pub(super) struct Flights {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

/// Whether to compute or to wait.
pub(super) enum Turn<'a> {
    Lead(Lead<'a>),
    Follow(Follow),
}

impl Flights {
    /// Joins the flight of `key`, or begins it.
    pub(super) fn board(&self, key: &Arc<str>) -> Turn<'_> {
        match self.shard(key).entry(key.clone()) {
            Entry::Occupied(flight) => Turn::Follow(Follow(flight.get().clone())),
            Entry::Vacant(place) => {
                let (landing, flight) = watch::channel(None);
                place.insert(flight);
                Turn::Lead(Lead { flights: self, key: key.clone(), landing })
            }
        }
    }

    /// From now on nobody joins the flight of `key`, and it keeps nothing. `also` happens at the same moment.
    pub(super) fn detach(&self, key: &str, also: impl FnOnce()) {
        let mut shard = self.shard(key);
        shard.remove(key);
        also();
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards[index].lock().expect("no one panics here")
    }
}

/// The duty to compute the value. Dropped without [`Lead::land`] it falls to one of those who wait.
pub(super) struct Lead<'a> {
    flights: &'a Flights,
    key: Arc<str>,
    landing: watch::Sender<Option<Landed>>,
}

impl Lead<'_> {
    /// Gives the outcome to those who wait, and back. `keep` stores a value, unless it was invalidated meanwhile.
    pub(super) fn land(self, landed: Landed, keep: impl FnOnce(&Bytes)) -> Result<Bytes, Problem> {
        {
            let mut shard = self.flights.shard(&self.key);
            if self.is_attached(&shard) {
                if let Ok(value) = &landed.value {
                    keep(value);
                }
                shard.remove(&self.key);
            }
        }
        let value = landed.value.clone();
        self.landing.send_replace(Some(landed));
        value
    }

    fn is_attached(&self, shard: &Shard) -> bool {
        shard.get(&self.key).is_some_and(|flight| flight.same_channel(&self.landing.subscribe()))
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut shard = self.flights.shard(&self.key);
        if self.is_attached(&shard) {
            shard.remove(&self.key);
        }
    }
}

/// A place among those who wait.
pub(super) struct Follow(watch::Receiver<Option<Landed>>);

impl Follow {
    /// The outcome, or `None` when the one who computed has gone away.
    pub(super) async fn landed(mut self) -> Option<Landed> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|landed| landed.clone())
    }
}
