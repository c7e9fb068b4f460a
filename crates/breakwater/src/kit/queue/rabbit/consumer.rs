//! Taking messages from RabbitMQ, and answering them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use tokio::time::{sleep, timeout};

use super::topology::Topology;
use super::{Envelope, Rabbit};
use crate::kit::queue::{Delivery, Outgoing, QueueError};

/// How long to wait before subscribing again when a subscription ended or failed. The link has growing pauses of its own.
const PAUSE: Duration = Duration::from_millis(250);

/// A subscription to one queue, renewed whenever it ends.
pub(in crate::kit::queue) struct Consumer {
    rabbit: Rabbit,
    topology: Arc<Topology>,
    prefetch: u16,
    state: State,
}

/// Kept between the calls of [`Consumer::next`], so that one that is given up half-way loses nothing.
enum State {
    Subscribing(BoxFuture<'static, Result<lapin::Consumer, QueueError>>),
    Subscribed(lapin::Consumer),
}

impl Consumer {
    /// Subscribes. A broker that cannot be reached now is left to [`Consumer::next`].
    pub(super) async fn start(
        rabbit: Rabbit,
        topology: Arc<Topology>,
        prefetch: u16,
    ) -> Result<Self, QueueError> {
        let state = match subscribe(rabbit.clone(), topology.clone(), prefetch).await {
            Ok(subscription) => State::Subscribed(subscription),
            Err(QueueError::Unreachable { .. }) => State::Subscribing(later(&rabbit, &topology, prefetch)),
            Err(error) => return Err(error),
        };
        Ok(Self { rabbit, topology, prefetch, state })
    }

    pub(in crate::kit::queue) async fn next(&mut self) -> Option<Delivery> {
        let closed = self.rabbit.0.closed.clone();
        closed.run_until_cancelled(self.receive()).await
    }

    async fn receive(&mut self) -> Delivery {
        loop {
            let result = match &mut self.state {
                State::Subscribing(subscribing) => subscribing.await.map(State::Subscribed),
                State::Subscribed(subscription) => match subscription.next().await {
                    Some(Ok(message)) => return self.delivery(message),
                    Some(Err(error)) => {
                        Err(self.rabbit.0.consuming.error(&self.topology.to_string(), &error))
                    }
                    None => Err(QueueError::GivenBack),
                },
            };
            self.state = result.unwrap_or_else(|error| {
                tracing::debug!(queue = self.topology.name(), %error, "no subscription; it will be made anew");
                State::Subscribing(later(&self.rabbit, &self.topology, self.prefetch))
            });
        }
    }

    fn delivery(&self, message: lapin::message::Delivery) -> Delivery {
        Delivery {
            id: super::id_of(&message.properties),
            attempt: super::attempt_of(&message.properties),
            body: Bytes::from(message.data),
            receipt: crate::kit::queue::Receipt::Rabbit(Receipt {
                rabbit: self.rabbit.clone(),
                topology: self.topology.clone(),
                acker: message.acker,
            }),
        }
    }
}

/// Subscribes after a pause.
fn later(
    rabbit: &Rabbit,
    topology: &Arc<Topology>,
    prefetch: u16,
) -> BoxFuture<'static, Result<lapin::Consumer, QueueError>> {
    let (rabbit, topology) = (rabbit.clone(), topology.clone());
    async move {
        sleep(PAUSE).await;
        subscribe(rabbit, topology, prefetch).await
    }
    .boxed()
}

async fn subscribe(
    rabbit: Rabbit,
    topology: Arc<Topology>,
    prefetch: u16,
) -> Result<lapin::Consumer, QueueError> {
    let link = &rabbit.0.consuming;
    let session = link.session().await?;
    let subscribing = async {
        // The queue may be gone since this connection declared it: a new subscription looks again.
        session.forget(&topology);
        session.declare(&topology).await?;
        let channel = session.channel().await?;
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let queue = topology.main().clone();
        channel.basic_consume(queue, "".into(), BasicConsumeOptions::default(), FieldTable::default()).await
    };
    match timeout(rabbit.0.time_limit, subscribing).await {
        Ok(subscription) => subscription.map_err(|error| link.error(&topology.to_string(), &error)),
        Err(_) => Err(link.unreachable("it does not answer in time")),
    }
}

/// The right to answer one delivery, once.
pub(in crate::kit::queue) struct Receipt {
    rabbit: Rabbit,
    topology: Arc<Topology>,
    acker: Acker,
}

impl Receipt {
    pub(in crate::kit::queue) async fn ack(self) -> Result<(), QueueError> {
        match timeout(self.rabbit.0.time_limit, self.acker.ack(BasicAckOptions::default())).await {
            Ok(Ok(true)) => Ok(()),
            // The channel it came by is closed, and the broker has taken the message back.
            Ok(Ok(false) | Err(_)) => Err(QueueError::GivenBack),
            Err(_) => {
                Err(self.rabbit.0.consuming.unreachable("it does not take the acknowledgement in time"))
            }
        }
    }

    /// The message is acknowledged once its successor is safe; between the two the broker may have both, never neither.
    pub(in crate::kit::queue) async fn retry(
        self,
        message: Outgoing,
        attempt: u32,
        delay: Duration,
    ) -> Result<(), QueueError> {
        let envelope = Envelope { message: &message, attempt, reason: None, stays: Some(delay) };
        self.replace(self.topology.delay(delay), envelope).await?;
        self.ack().await
    }

    pub(in crate::kit::queue) async fn dead(
        self,
        message: Outgoing,
        attempt: u32,
        reason: &str,
    ) -> Result<(), QueueError> {
        let envelope = Envelope { message: &message, attempt, reason: Some(reason), stays: None };
        self.replace(self.topology.dead(), envelope).await?;
        self.ack().await
    }

    async fn replace(&self, to: &ShortString, envelope: Envelope<'_>) -> Result<(), QueueError> {
        if !self.acker.usable() {
            return Err(QueueError::GivenBack);
        }
        self.rabbit.send(&self.topology, to, std::iter::once(envelope)).await
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if self.acker.usable() {
            // The first poll hands the request to the connection; there is nothing to wait for.
            let _ = self.acker.nack(BasicNackOptions { requeue: true, ..Default::default() }).now_or_never();
        }
    }
}
