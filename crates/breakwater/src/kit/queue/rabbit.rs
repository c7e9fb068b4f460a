//! Queues on RabbitMQ: publisher confirms, acknowledgements by hand, retries by delay queues, dead letters.
//!
//! Publishing and consuming have a connection each, because a broker short of memory or disk stops those that publish and
//! acknowledgements must pass even then. What a queue consists of is in `topology.rs`, how connections are kept in `link.rs`.

mod consumer;
mod link;
mod topology;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;
use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(super) use consumer::{Consumer, Receipt};
use link::{Link, Session};
use topology::Topology;

use super::{DeadLetter, Depth, Outgoing, QueueError, TOO_OFTEN};

/// How long the broker may take for one request: a connection, a batch of messages, an acknowledgement.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Messages sent before the first confirm is waited for: enough to keep broker and disk busy, few enough that a batch is
/// confirmed well within the time limit.
const BATCH: usize = 1000;

/// The header that counts attempts, and the one that says why a message is dead.
const ATTEMPT: &str = "attempt";
const REASON: &str = "reason";

/// AMQP's "persistent".
const PERSISTENT: u8 = 2;

/// The queues of one broker.
#[derive(Clone)]
pub struct Rabbit(Arc<Shared>);

struct Shared {
    publishing: Link,
    consuming: Link,
    bound: u64,
    time_limit: Duration,
    closed: CancellationToken,
}

/// A message on its way into a queue.
struct Envelope<'a> {
    message: &'a Outgoing,
    attempt: u32,
    reason: Option<&'a str>,
    /// How long it may stay where it goes.
    stays: Option<Duration>,
}

impl Rabbit {
    /// Reads the URL and tries to connect. Only a URL or credentials that are wrong are an error.
    pub(super) async fn connect(url: &str, bound: u64, time_limit: Duration) -> Result<Self, QueueError> {
        let closed = CancellationToken::new();
        let rabbit = Self(Arc::new(Shared {
            publishing: Link::new(url, "publisher", time_limit, closed.clone())?,
            consuming: Link::new(url, "consumer", time_limit, closed.clone())?,
            bound,
            time_limit,
            closed,
        }));
        match rabbit.0.publishing.session().await {
            Ok(_) | Err(QueueError::Unreachable { .. }) => Ok(rabbit),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn publish(&self, queue: &str, messages: &[Outgoing]) -> Result<(), QueueError> {
        let topology = self.topology(queue)?;
        for batch in messages.chunks(BATCH) {
            let envelopes =
                batch.iter().map(|message| Envelope { message, attempt: 1, reason: None, stays: None });
            self.send(&topology, topology.main(), envelopes).await?;
        }
        Ok(())
    }

    /// Sends `envelopes` to the queue `to`, one of the topology's, and waits until the broker has confirmed all.
    async fn send<'a>(
        &self,
        topology: &Topology,
        to: &ShortString,
        envelopes: impl Iterator<Item = Envelope<'a>>,
    ) -> Result<(), QueueError> {
        let link = &self.0.publishing;
        let session = link.session().await?;
        if session.blocked() {
            return Err(link.unreachable("it is short of memory or disk and takes no messages now"));
        }
        let sending = async {
            session.declare(topology).await?;
            // No other batch uses this channel now: lapin may hand a returned message to any confirm of its channel.
            let channel = session.confirming_channel().await?;
            let confirmed = try_join_all(envelopes.map(|envelope| confirm(&channel, to, envelope))).await?;
            session.keep(channel);
            Ok(confirmed)
        };
        let confirmed = match timeout(self.0.time_limit, sending).await {
            Ok(confirmed) => confirmed.map_err(|error| link.error(&topology.to_string(), &error))?,
            Err(_) => return Err(link.unreachable("it does not confirm the messages in time")),
        };
        for confirmation in confirmed {
            match confirmation {
                Confirmation::Ack(None) => {}
                Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) | Confirmation::NotRequested => {
                    session.forget(topology);
                    let why = format!("`{to}` is gone from the broker; it will be declared anew");
                    return Err(QueueError::Refused { what: topology.to_string(), why });
                }
                Confirmation::Nack(None) => return Err(QueueError::Full { queue: topology.name().into() }),
            }
        }
        Ok(())
    }

    pub(super) async fn consume(&self, queue: &str, prefetch: u16) -> Result<Consumer, QueueError> {
        Consumer::start(self.clone(), Arc::new(self.topology(queue)?), prefetch).await
    }

    pub(super) async fn depth(&self, queue: &str) -> Result<Depth, QueueError> {
        let topology = self.topology(queue)?;
        self.ask(&topology, async |session: &Session| {
            let channel = session.channel().await?;
            let depth = topology.declare(&channel).await?;
            Ok(depth)
        })
        .await
    }

    pub(super) async fn dead_letters(
        &self,
        queue: &str,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, QueueError> {
        let topology = self.topology(queue)?;
        self.ask(&topology, async |session: &Session| {
            session.declare(&topology).await?;
            let channel = session.channel().await?;
            let mut letters = Vec::new();
            while letters.len() < limit
                && let Some(got) =
                    channel.basic_get(topology.dead().clone(), BasicGetOptions::default()).await?
            {
                let delivery = got.delivery;
                letters.push(DeadLetter {
                    id: id_of(&delivery.properties),
                    attempt: attempt_of(&delivery.properties),
                    reason: reason_of(&delivery.properties),
                    body: Bytes::from(delivery.data),
                });
            }
            // The channel ends here, and the broker puts the letters back.
            Ok(letters)
        })
        .await
    }

    /// A question, on the connection that is never stopped for what it publishes.
    async fn ask<T>(
        &self,
        topology: &Topology,
        question: impl AsyncFnOnce(&Session) -> Result<T, lapin::Error>,
    ) -> Result<T, QueueError> {
        let link = &self.0.consuming;
        let session = link.session().await?;
        match timeout(self.0.time_limit, question(&session)).await {
            Ok(answer) => answer.map_err(|error| link.error(&topology.to_string(), &error)),
            Err(_) => Err(link.unreachable("it does not answer in time")),
        }
    }

    /// Whether both connections answer and messages are taken.
    pub(super) async fn ready(&self) -> Result<(), QueueError> {
        for link in [&self.0.publishing, &self.0.consuming] {
            let session = link.session().await?;
            if session.blocked() {
                return Err(link.unreachable("it is short of memory or disk and takes no messages now"));
            }
            match timeout(self.0.time_limit, session.channel()).await {
                Ok(channel) => drop(channel.map_err(|error| link.error("a channel", &error))?),
                Err(_) => return Err(link.unreachable("it does not answer in time")),
            }
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        self.0.closed.cancel();
    }

    fn topology(&self, queue: &str) -> Result<Topology, QueueError> {
        Topology::new(queue, self.0.bound)
    }
}

/// Publishes one message; done when the broker has it or has refused it.
async fn confirm(
    channel: &Channel,
    to: &ShortString,
    envelope: Envelope<'_>,
) -> Result<Confirmation, lapin::Error> {
    let Envelope { message, attempt, reason, stays } = envelope;
    let mut headers = FieldTable::default();
    headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(attempt.into()));
    if let Some(reason) = reason {
        headers.insert(REASON.into(), AMQPValue::LongString(LongString::from(reason.as_bytes())));
    }
    let mut properties = BasicProperties::default()
        .with_message_id(message.id.as_str().into())
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers);
    if let Some(stays) = stays {
        properties = properties.with_expiration(stays.as_millis().to_string().into());
    }
    // Mandatory: a message that no queue would take comes back and is not dropped silently.
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    channel.basic_publish("".into(), to.clone(), options, &message.body, properties).await?.await
}

/// A channel that confirms what is published on it.
async fn confirming(channel: Channel) -> Result<Channel, lapin::Error> {
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

fn id_of(properties: &BasicProperties) -> String {
    properties.message_id().as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default()
}

/// Messages of others have no such header: theirs is the first attempt.
fn attempt_of(properties: &BasicProperties) -> u32 {
    match header(properties, ATTEMPT) {
        Some(AMQPValue::LongLongInt(attempt)) => u32::try_from(*attempt).unwrap_or(1).max(1),
        _ => 1,
    }
}

/// The broker's own dead letters, which it makes at the delivery limit, have no reason of ours.
fn reason_of(properties: &BasicProperties) -> String {
    match header(properties, REASON) {
        Some(AMQPValue::LongString(reason)) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        _ => TOO_OFTEN.into(),
    }
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}
