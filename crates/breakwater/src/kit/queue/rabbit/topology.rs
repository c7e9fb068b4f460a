//! What one queue consists of on the broker: the queue itself, its dead letters, and a delay queue a step.
//!
//! A message that is put off goes into a delay queue, from which the broker moves it back when its time is over. All are
//! quorum queues, and the broker confirms such moves to itself (dead-letter strategy `at-least-once`), so nothing is lost on
//! the way. RabbitMQ 3.10 or later is needed.
//!
//! RabbitMQ 3 writes to disk that a queue exists a few seconds after it says so: a broker killed just then comes back without
//! the queue and what was in it. That concerns the first seconds of a queue's life, no later message.

use std::fmt;
use std::time::Duration;

use futures_util::future::try_join_all;
use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};

use crate::kit::queue::{DELIVERY_LIMIT, Depth, MAX_DELAY, QueueError};

/// The delay queues. A quorum queue lets messages go from its head only, so a message can be held up by one with more time
/// left; in a queue that no message stays in for longer than its step, by no more than the step.
const STEPS: [(&str, Duration); 5] = [
    ("1s", Duration::from_secs(1)),
    ("5s", Duration::from_secs(5)),
    ("30s", Duration::from_secs(30)),
    ("5m", Duration::from_secs(300)),
    ("1h", MAX_DELAY),
];

/// Looking at dead letters gives them back each time; that must never be what removes them.
const DEAD_DELIVERY_LIMIT: u32 = 1_000_000_000;

/// The longest name, so that those derived from it fit into AMQP's 255 bytes.
const MAX_NAME_BYTES: usize = 200;

/// One queue with all that belongs to it.
pub(super) struct Topology {
    main: ShortString,
    dead: ShortString,
    delays: Vec<(ShortString, Duration)>,
    bound: u64,
}

impl Topology {
    pub(super) fn new(queue: &str, bound: u64) -> Result<Self, QueueError> {
        if queue.is_empty() || queue.len() > MAX_NAME_BYTES {
            let why = format!("a queue's name has 1 to {MAX_NAME_BYTES} bytes");
            return Err(QueueError::Refused { what: format!("queue `{queue}`"), why });
        }
        Ok(Self {
            main: queue.into(),
            dead: format!("{queue}.dead").into(),
            delays: STEPS.map(|(step, stays)| (format!("{queue}.retry.{step}").into(), stays)).into(),
            bound,
        })
    }

    pub(super) fn name(&self) -> &str {
        self.main.as_str()
    }

    pub(super) fn main(&self) -> &ShortString {
        &self.main
    }

    pub(super) fn dead(&self) -> &ShortString {
        &self.dead
    }

    /// The queue in which a message waits that is to come back after `delay`.
    pub(super) fn delay(&self, delay: Duration) -> &ShortString {
        let (name, _) = self
            .delays
            .iter()
            .find(|(_, stays)| *stays >= delay)
            .or(self.delays.last())
            .expect("there are always delay queues");
        name
    }

    /// Makes the queues if they do not exist, and counts what is in them.
    pub(super) async fn declare(&self, channel: &Channel) -> Result<Depth, lapin::Error> {
        let main = [("x-delivery-limit", integer(DELIVERY_LIMIT.into()))];
        let dead =
            [("x-delivery-limit", integer(DEAD_DELIVERY_LIMIT.into())), ("x-overflow", text("drop-head"))];
        let delays = self.delays.iter().map(|(name, stays)| {
            let stays_ms = i64::try_from(stays.as_millis()).expect("steps are at most an hour");
            let arguments =
                [("x-message-ttl", integer(stays_ms))].into_iter().chain(dead_letters_to(&self.main));
            self.declare_one(channel, name, arguments)
        });
        let (ready, dead, delayed) = futures_util::try_join!(
            self.declare_one(channel, &self.main, main.into_iter().chain(dead_letters_to(&self.dead))),
            self.declare_one(channel, &self.dead, dead.into_iter()),
            try_join_all(delays),
        )?;
        Ok(Depth { ready, delayed: delayed.into_iter().sum(), in_progress: None, dead })
    }

    async fn declare_one(
        &self,
        channel: &Channel,
        name: &ShortString,
        arguments: impl Iterator<Item = (&'static str, AMQPValue)>,
    ) -> Result<u64, lapin::Error> {
        let mut table = FieldTable::default();
        table.insert("x-queue-type".into(), text("quorum"));
        table.insert("x-max-length".into(), integer(i64::try_from(self.bound).unwrap_or(i64::MAX)));
        for (key, value) in arguments {
            table.insert(key.into(), value);
        }
        let options = QueueDeclareOptions { durable: true, ..Default::default() };
        let queue = channel.queue_declare(name.clone(), options, table).await?;
        Ok(queue.message_count().into())
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "queue `{}`", self.main)
    }
}

/// What leaves the queue unanswered goes to `queue`, by way of the exchange that knows every queue by its name.
fn dead_letters_to(queue: &ShortString) -> [(&'static str, AMQPValue); 4] {
    [
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(queue.as_str())),
        ("x-dead-letter-strategy", text("at-least-once")),
        // The strategy demands it, and a publisher is to know.
        ("x-overflow", text("reject-publish")),
    ]
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value.as_bytes()))
}

fn integer(value: i64) -> AMQPValue {
    AMQPValue::LongLongInt(value)
}
