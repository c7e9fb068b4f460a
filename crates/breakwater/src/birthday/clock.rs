//! What time it is: the system's, or one that tests turn.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::SeqCst},
};

use jiff::{SignedDuration, Timestamp};

/// Cloning shares it.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// Milliseconds since 1970, and it stands still until somebody turns it.
    Turned(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that shows `now` until it is turned.
    pub fn standing_at(now: Timestamp) -> Self {
        Self::Turned(Arc::new(AtomicI64::new(now.as_millisecond())))
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Turned(at) => at_ms(at.load(SeqCst)),
        }
    }

    /// Turns the clock, backwards too. The system's is not ours to turn.
    pub fn turn(&self, by: SignedDuration) {
        if let Self::Turned(at) = self {
            at.fetch_add(i64::try_from(by.as_millis()).expect("within the clock's range"), SeqCst);
        }
    }
}

/// The instant that storage has as milliseconds since 1970.
pub fn at_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
