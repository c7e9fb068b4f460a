//! A mailbox in the process that shows every message once, for tests and load tests.
//!
//! Some addresses behave as real ones do at times: at `later.invalid` the first try of each message is refused for now, at
//! `busy.invalid` every try is, and at `unknown.invalid` there is nobody. The domain `.invalid` belongs to nobody (RFC 2606).

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::{Mail, MailError};

/// Message ids remembered; repeats of older messages would be shown again.
const REMEMBERED: usize = 2_000_000;

/// Messages kept to look at.
const KEPT: usize = 1000;

/// Takes messages and counts them. Clones share it.
#[derive(Clone)]
pub struct Sink {
    delay: Duration,
    taken: Arc<Mutex<Taken>>,
}

/// How many messages came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Every try, the refused ones too.
    pub arrivals: u64,
    /// Messages shown: each id once.
    pub shown: u64,
    /// Messages that had been shown already.
    pub repeats: u64,
    /// Refused, for now or for good.
    pub refused: u64,
}

#[derive(Default)]
struct Taken {
    counts: Counts,
    ids: Remembered,
    put_off: Remembered,
    latest: VecDeque<Mail>,
}

impl Sink {
    /// A sink that takes `delay` for each message, as a server does.
    pub fn new(delay: Duration) -> Self {
        Self { delay, taken: Arc::default() }
    }

    /// Reads what follows `sink:` in a URL.
    pub(super) fn from_options(options: &str) -> Result<Self, MailError> {
        let delay_ms =
            match options {
                "" => 0,
                _ => options.strip_prefix("?delay_ms=").and_then(|value| value.parse().ok()).ok_or_else(
                    || MailError::Url(format!("`{options}` after `sink:` is not `?delay_ms=` and a number")),
                )?,
            };
        Ok(Self::new(Duration::from_millis(delay_ms)))
    }

    /// Takes one message; a message without an id is never a repeat.
    pub async fn take(&self, mail: Mail) -> Result<(), MailError> {
        self.lock().counts.arrivals += 1;
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let mut taken = self.lock();
        let taken = &mut *taken;
        let refused = match mail.to.rsplit_once('@').map(|(_, domain)| domain) {
            Some("unknown.invalid") => Err(MailError::Permanent(format!("`{}` is not known here", mail.to))),
            Some("busy.invalid") => Err(MailError::Temporary("the mailbox is busy".into())),
            Some("later.invalid") if taken.put_off.insert(&mail.message_id) => {
                Err(MailError::Temporary("the first try is put off".into()))
            }
            _ => Ok(()),
        };
        if refused.is_err() {
            taken.counts.refused += 1;
        } else if !mail.message_id.is_empty() && !taken.ids.insert(&mail.message_id) {
            taken.counts.repeats += 1;
        } else {
            taken.counts.shown += 1;
            taken.latest.push_back(mail);
            if taken.latest.len() > KEPT {
                taken.latest.pop_front();
            }
        }
        refused
    }

    /// How many messages came so far.
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Whether the message was shown.
    pub fn has(&self, message_id: &str) -> bool {
        self.lock().ids.set.contains(message_id)
    }

    /// The messages shown last, at most a thousand, the newest at the end.
    pub fn latest(&self) -> Vec<Mail> {
        self.lock().latest.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().expect("no code that holds this lock panics")
    }
}

/// Ids; the oldest are forgotten when there are more than [`REMEMBERED`].
#[derive(Default)]
struct Remembered {
    set: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Remembered {
    /// Whether `id` was not there.
    fn insert(&mut self, id: &str) -> bool {
        if self.set.contains(id) {
            return false;
        }
        let id: Arc<str> = id.into();
        self.set.insert(id.clone());
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.set.remove(&oldest);
        }
        true
    }
}
