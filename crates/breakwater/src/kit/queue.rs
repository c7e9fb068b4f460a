//! Work queues: in the process, or RabbitMQ.
//!
//! Delivery is at least once: a message leaves the queue when its consumer acknowledges it and not before, so a consumer
//! that dies gives its messages back and the next one gets them again. Whoever consumes must therefore recognise a message
//! by its id. Order is not promised.

mod memory;
#[cfg(feature = "servers")]
mod rabbit;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;

/// Messages a queue holds before it refuses more, unless told otherwise. At a few hundred bytes each this is tens of
/// megabytes; what does not fit stays in the publisher's outbox.
pub const BOUND: u64 = 100_000;

/// Times a message may be given back without an answer before it counts as dead: one that kills its consumer each time must
/// not go round for ever. High, because messages merely fetched in advance by a consumer that dies count too.
pub const DELIVERY_LIMIT: u32 = 100;

/// Why a message is dead that was given back too often.
const TOO_OFTEN: &str = "given back too often: it may end the process that works on it";

/// The longest time [`Delivery::retry`] puts a message off; longer delays are cut to it.
pub const MAX_DELAY: Duration = Duration::from_secs(3600);

/// The longest message id in bytes, which is AMQP's.
pub const MAX_ID_BYTES: usize = 255;

/// Named queues of one place. Clones share it.
#[derive(Clone)]
pub enum Queue {
    /// In this process; gone when it ends.
    Memory(memory::Memory),
    /// On a RabbitMQ broker.
    #[cfg(feature = "servers")]
    Rabbit(rabbit::Rabbit),
}

/// A message to publish.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// What consumers recognise repeats by; at most [`MAX_ID_BYTES`].
    pub id: String,
    /// The content.
    pub body: Bytes,
}

/// How many messages a queue holds. RabbitMQ may count nothing for a moment when it has just started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Waiting for a consumer.
    pub ready: u64,
    /// Put off by [`Delivery::retry`].
    pub delayed: u64,
    /// With a consumer and not answered yet; RabbitMQ does not tell.
    pub in_progress: Option<u64>,
    /// Dead letters.
    pub dead: u64,
}

/// A message nobody will process any more, kept for people to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The message's id.
    pub id: String,
    /// The content.
    pub body: Bytes,
    /// The attempt that was its last.
    pub attempt: u32,
    /// Why it is dead.
    pub reason: String,
}

/// Why a queue did not do what was asked. Everything but [`QueueError::Url`] and [`QueueError::Closed`] is worth repeating.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The address names no queue we know.
    #[error("the queue's URL is not usable: {0}; give `memory:` or `amqp://user:password@host:port/vhost`")]
    Url(String),
    /// The queue holds as many messages as it may.
    #[error("queue `{queue}` is full, or cannot store messages now; keep them and publish them later")]
    Full {
        /// The queue.
        queue: String,
    },
    /// The broker cannot be reached, was lost half-way, or does not answer in time.
    #[error("RabbitMQ at {address}: {why}; the connection is made anew by itself, try again later")]
    Unreachable {
        /// Host, port and virtual host: no credentials.
        address: String,
        /// What happened.
        why: String,
    },
    /// The broker was reached and said no.
    #[error("{what} was refused: {why}")]
    Refused {
        /// The queue, message or connection.
        what: String,
        /// What the broker says.
        why: String,
    },
    /// The message is no longer this consumer's: the consumer was dropped or its connection lost. It will be delivered again.
    #[error("the message was given back before it was answered; it will be delivered again")]
    GivenBack,
    /// [`Queue::close`] was called.
    #[error("the queue is closed")]
    Closed,
}

impl Queue {
    /// The queues at `url`: `memory:`, or `amqp://` and `amqps://` for RabbitMQ. A broker that cannot be reached now is no
    /// error, only a warning in the log: it is tried again whenever it is needed, and [`Queue::ready`] tells.
    pub async fn connect(url: &str) -> Result<Self, QueueError> {
        Self::connect_bounded(url, BOUND).await
    }

    /// As [`Queue::connect`], with queues that hold at most `bound` messages. On RabbitMQ the bound is a property that a
    /// queue keeps from when it is first declared.
    pub async fn connect_bounded(url: &str, bound: u64) -> Result<Self, QueueError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("memory") => Ok(Self::Memory(memory::Memory::new(bound))),
            #[cfg(feature = "servers")]
            Some("amqp" | "amqps") => {
                Ok(Self::Rabbit(rabbit::Rabbit::connect(url, bound, rabbit::TIME_LIMIT).await?))
            }
            #[cfg(not(feature = "servers"))]
            Some("amqp" | "amqps") => {
                Err(QueueError::Url("this build has no RabbitMQ (feature `servers`)".into()))
            }
            Some(scheme) => Err(QueueError::Url(format!("scheme `{scheme}` is not known"))),
            None => Err(QueueError::Url("it has no scheme".into())),
        }
    }

    /// Publishes `messages` to `queue`, which comes to be with its first use. Done when all are safe: held in memory, or
    /// confirmed by the broker. After an error some may be in the queue all the same (never in memory); publish all again.
    pub async fn publish(&self, queue: &str, messages: &[Outgoing]) -> Result<(), QueueError> {
        if let Some(long) = messages.iter().find(|message| message.id.len() > MAX_ID_BYTES) {
            let why = format!("its id has {} bytes, at most {MAX_ID_BYTES} are possible", long.id.len());
            return Err(QueueError::Refused { what: format!("a message to queue `{queue}`"), why });
        }
        match self {
            Self::Memory(memory) => memory.publish(queue, messages),
            #[cfg(feature = "servers")]
            Self::Rabbit(rabbit) => rabbit.publish(queue, messages).await,
        }
    }

    /// A consumer of `queue` that has at most `prefetch` unanswered messages at a time (at least 1).
    pub async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, QueueError> {
        let prefetch = prefetch.max(1);
        Ok(Consumer(match self {
            Self::Memory(memory) => ConsumerKind::Memory(memory.consume(queue, prefetch)?),
            #[cfg(feature = "servers")]
            Self::Rabbit(rabbit) => ConsumerKind::Rabbit(rabbit.consume(queue, prefetch).await?),
        }))
    }

    /// What `queue` holds.
    pub async fn depth(&self, queue: &str) -> Result<Depth, QueueError> {
        match self {
            Self::Memory(memory) => memory.depth(queue),
            #[cfg(feature = "servers")]
            Self::Rabbit(rabbit) => rabbit.depth(queue).await,
        }
    }

    /// The oldest dead letters of `queue`, at most `limit`. They stay where they are.
    pub async fn dead_letters(&self, queue: &str, limit: usize) -> Result<Vec<DeadLetter>, QueueError> {
        match self {
            Self::Memory(memory) => memory.dead_letters(queue, limit),
            #[cfg(feature = "servers")]
            Self::Rabbit(rabbit) => rabbit.dead_letters(queue, limit).await,
        }
    }

    /// Whether messages can be published and delivered now.
    pub async fn ready(&self) -> Result<(), QueueError> {
        match self {
            Self::Memory(memory) => memory.ready(),
            #[cfg(feature = "servers")]
            Self::Rabbit(rabbit) => rabbit.ready().await,
        }
    }

    /// Ends the consumers (their [`Consumer::next`] gives `None`) and refuses what comes after. Messages that consumers have
    /// in hand can still be answered.
    pub fn close(&self) {
        match self {
            Self::Memory(memory) => memory.close(),
            #[cfg(feature = "servers")]
            Self::Rabbit(rabbit) => rabbit.close(),
        }
    }
}

/// Receives the messages of one queue. Dropping it gives those back that were not answered.
pub struct Consumer(ConsumerKind);

enum ConsumerKind {
    Memory(memory::Consumer),
    #[cfg(feature = "servers")]
    Rabbit(rabbit::Consumer),
}

impl Consumer {
    /// The next message, waiting for it as long as it takes: a lost broker is connected to again with growing pauses. `None`
    /// once the queue is closed. No message is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Delivery> {
        match &mut self.0 {
            ConsumerKind::Memory(consumer) => consumer.next().await,
            #[cfg(feature = "servers")]
            ConsumerKind::Rabbit(consumer) => consumer.next().await,
        }
    }
}

/// A message in a consumer's hands, to be answered by one of its methods. Dropping it unanswered gives it back at once.
#[must_use = "a delivery that is dropped is delivered again"]
pub struct Delivery {
    /// The message's id.
    pub id: String,
    /// The content.
    pub body: Bytes,
    /// Which attempt this is, from 1: each [`Delivery::retry`] adds one. Being given back does not count, as nobody may have
    /// looked at the message.
    pub attempt: u32,
    receipt: Receipt,
}

enum Receipt {
    Memory(memory::Receipt),
    #[cfg(feature = "servers")]
    Rabbit(rabbit::Receipt),
}

impl Delivery {
    /// Done: the message leaves the queue.
    pub async fn ack(self) -> Result<(), QueueError> {
        match self.receipt {
            Receipt::Memory(receipt) => receipt.ack(),
            #[cfg(feature = "servers")]
            Receipt::Rabbit(receipt) => receipt.ack().await,
        }
    }

    /// Not now: the message comes again after `delay` as the next attempt. RabbitMQ may take longer, up to the next of
    /// 1 s, 5 s, 30 s, 5 min and 1 h (see `rabbit/topology.rs`).
    pub async fn retry(self, delay: Duration) -> Result<(), QueueError> {
        let delay = delay.min(MAX_DELAY);
        match self.receipt {
            Receipt::Memory(receipt) => receipt.retry(delay),
            #[cfg(feature = "servers")]
            Receipt::Rabbit(receipt) => {
                receipt
                    .retry(Outgoing { id: self.id, body: self.body }, self.attempt.saturating_add(1), delay)
                    .await
            }
        }
    }

    /// Never: the message goes to the dead letters with the `reason`. These are bounded too, the oldest make room.
    pub async fn dead(self, reason: &str) -> Result<(), QueueError> {
        match self.receipt {
            Receipt::Memory(receipt) => receipt.dead(reason),
            #[cfg(feature = "servers")]
            Receipt::Rabbit(receipt) => {
                receipt.dead(Outgoing { id: self.id, body: self.body }, self.attempt, reason).await
            }
        }
    }
}
