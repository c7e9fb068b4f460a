//! Queues in the process. Delays run on tokio's clock, so tests may turn it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::{DELIVERY_LIMIT, DeadLetter, Delivery, Depth, Outgoing, QueueError};

/// All queues of the process, by name.
#[derive(Clone)]
pub struct Memory(Arc<Mutex<Queues>>);

struct Queues {
    by_name: HashMap<String, Arc<Store>>,
    bound: usize,
    closed: bool,
}

impl Memory {
    pub(super) fn new(bound: u64) -> Self {
        let bound = usize::try_from(bound).unwrap_or(usize::MAX);
        Self(Arc::new(Mutex::new(Queues { by_name: HashMap::new(), bound, closed: false })))
    }

    fn store(&self, queue: &str) -> Result<Arc<Store>, QueueError> {
        let mut queues = self.lock();
        if queues.closed {
            return Err(QueueError::Closed);
        }
        if let Some(store) = queues.by_name.get(queue) {
            return Ok(store.clone());
        }
        let store = Arc::new(Store::new(queues.bound));
        queues.by_name.insert(queue.into(), store.clone());
        Ok(store)
    }

    pub(super) fn publish(&self, queue: &str, messages: &[Outgoing]) -> Result<(), QueueError> {
        let store = self.store(queue)?;
        {
            let mut held = store.lock();
            if held.closed {
                return Err(QueueError::Closed);
            }
            if held.count + messages.len() > store.bound {
                return Err(QueueError::Full { queue: queue.into() });
            }
            held.count += messages.len();
            held.ready.extend(messages.iter().map(|message| Message {
                id: message.id.clone(),
                body: message.body.clone(),
                attempt: 1,
                given_back: 0,
            }));
        }
        store.changed.notify_waiters();
        Ok(())
    }

    pub(super) fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, QueueError> {
        let store = self.store(queue)?;
        let id = store.lock().new_number();
        Ok(Consumer { store, id, prefetch: prefetch.into() })
    }

    pub(super) fn depth(&self, queue: &str) -> Result<Depth, QueueError> {
        let store = self.store(queue)?;
        let mut held = store.lock();
        held.wake_delayed();
        Ok(Depth {
            ready: held.ready.len() as u64,
            delayed: held.delayed.len() as u64,
            in_progress: Some(held.in_progress.values().map(|messages| messages.len() as u64).sum()),
            dead: held.dead.len() as u64,
        })
    }

    pub(super) fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.store(queue)?.lock().dead.iter().take(limit).cloned().collect())
    }

    pub(super) fn ready(&self) -> Result<(), QueueError> {
        if self.lock().closed { Err(QueueError::Closed) } else { Ok(()) }
    }

    pub(super) fn close(&self) {
        let mut queues = self.lock();
        queues.closed = true;
        for store in queues.by_name.values() {
            store.lock().closed = true;
            store.changed.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().expect("no code that holds this lock panics")
    }
}

/// One queue.
struct Store {
    held: Mutex<Held>,
    /// Most messages ready, delayed and in progress together; and most dead letters.
    bound: usize,
    /// Something happened that may give a waiting consumer a message.
    changed: Notify,
}

#[derive(Default)]
struct Held {
    ready: VecDeque<Message>,
    /// By when they are due; the number tells those of one instant apart.
    delayed: BTreeMap<(Instant, u64), Message>,
    /// By consumer and delivery.
    in_progress: HashMap<u64, HashMap<u64, Message>>,
    dead: VecDeque<DeadLetter>,
    /// Ready, delayed and in progress.
    count: usize,
    last_number: u64,
    closed: bool,
}

struct Message {
    id: String,
    body: Bytes,
    attempt: u32,
    given_back: u32,
}

impl Store {
    fn new(bound: usize) -> Self {
        Self { held: Mutex::default(), bound, changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no code that holds this lock panics")
    }

    /// Puts messages back that were not answered.
    fn give_back(&self, held: &mut Held, messages: impl IntoIterator<Item = Message>) {
        for mut message in messages {
            message.given_back += 1;
            if message.given_back > DELIVERY_LIMIT {
                self.bury(held, message, super::TOO_OFTEN);
            } else {
                held.ready.push_front(message);
            }
        }
        self.changed.notify_waiters();
    }

    fn bury(&self, held: &mut Held, message: Message, reason: &str) {
        let Message { id, body, attempt, .. } = message;
        held.count -= 1;
        held.dead.push_back(DeadLetter { id, body, attempt, reason: reason.into() });
        if held.dead.len() > self.bound {
            held.dead.pop_front();
        }
    }
}

impl Held {
    fn new_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    fn wake_delayed(&mut self) {
        if self.delayed.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some(first) = self.delayed.first_entry()
            && first.key().0 <= now
        {
            self.ready.push_back(first.remove());
        }
    }
}

/// Takes messages from one queue.
pub(super) struct Consumer {
    store: Arc<Store>,
    id: u64,
    prefetch: usize,
}

/// What a consumer finds.
enum Found {
    Message(Delivery),
    /// Nothing before the instant, if one is known, or before the queue changes.
    Nothing(Option<Instant>),
    Closed,
}

impl Consumer {
    pub(super) async fn next(&mut self) -> Option<Delivery> {
        // A queue that is never empty must not keep the thread from other tasks.
        tokio::task::coop::consume_budget().await;
        let store = self.store.clone();
        loop {
            let mut changed = std::pin::pin!(store.changed.notified());
            // From here on no change is missed, also between looking and waiting.
            changed.as_mut().enable();
            match self.take() {
                Found::Message(delivery) => return Some(delivery),
                Found::Closed => return None,
                Found::Nothing(None) => changed.await,
                Found::Nothing(Some(due)) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(due) => {}
                },
            }
        }
    }

    fn take(&self) -> Found {
        let mut held = self.store.lock();
        if held.closed {
            return Found::Closed;
        }
        if held.in_progress.get(&self.id).is_some_and(|mine| mine.len() >= self.prefetch) {
            return Found::Nothing(None);
        }
        held.wake_delayed();
        let Some(message) = held.ready.pop_front() else {
            return Found::Nothing(held.delayed.first_key_value().map(|((due, _), _)| *due));
        };
        let number = held.new_number();
        let delivery = Delivery {
            id: message.id.clone(),
            body: message.body.clone(),
            attempt: message.attempt,
            receipt: super::Receipt::Memory(Receipt {
                store: self.store.clone(),
                consumer: self.id,
                number,
                answered: false,
            }),
        };
        held.in_progress.entry(self.id).or_default().insert(number, message);
        Found::Message(delivery)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let mut held = self.store.lock();
        if let Some(messages) = held.in_progress.remove(&self.id) {
            self.store.give_back(&mut held, messages.into_values());
        }
    }
}

/// The right to answer one delivery, once.
pub(super) struct Receipt {
    store: Arc<Store>,
    consumer: u64,
    number: u64,
    answered: bool,
}

impl Receipt {
    pub(super) fn ack(self) -> Result<(), QueueError> {
        self.answer(|_, held, _| held.count -= 1)
    }

    pub(super) fn retry(self, delay: Duration) -> Result<(), QueueError> {
        self.answer(|_, held, mut message| {
            message.attempt = message.attempt.saturating_add(1);
            message.given_back = 0;
            let key = (Instant::now() + delay, held.new_number());
            held.delayed.insert(key, message);
        })
    }

    pub(super) fn dead(self, reason: &str) -> Result<(), QueueError> {
        self.answer(|store, held, message| store.bury(held, message, reason))
    }

    fn answer(mut self, with: impl FnOnce(&Store, &mut Held, Message)) -> Result<(), QueueError> {
        self.answered = true;
        let mut held = self.store.lock();
        let message = self.remove(&mut held).ok_or(QueueError::GivenBack)?;
        with(&self.store, &mut held, message);
        drop(held);
        // The consumer may have been waiting for its prefetch, and a delay may be shorter than those known before.
        self.store.changed.notify_waiters();
        Ok(())
    }

    /// The message, if it has not been given back meanwhile.
    fn remove(&self, held: &mut Held) -> Option<Message> {
        held.in_progress.get_mut(&self.consumer)?.remove(&self.number)
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.answered {
            let mut held = self.store.lock();
            let message = self.remove(&mut held);
            self.store.give_back(&mut held, message);
        }
    }
}
