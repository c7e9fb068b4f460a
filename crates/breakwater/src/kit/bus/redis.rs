//! Redis: one connection that publishes, one for all subscriptions. Both are made again when they are lost.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use redis::{Client, Msg, RedisResult, aio::MultiplexedConnection};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{Counts, channels::Channels};

/// Messages that wait to be published. It is a second's worth under load; beyond it new ones are dropped.
const QUEUE: usize = 8192;

/// Messages published in one go: each go costs one round trip, whatever it carries.
const BATCH: usize = 256;

/// How long Redis may take to answer before the connection counts as lost.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often a silent subscription is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(5);

/// Publishes from a bounded queue and listens. Ends when dropped.
pub(super) struct Link {
    queue: mpsc::Sender<(Box<str>, Bytes)>,
    _publishing: AbortOnDropHandle<()>,
    _listening: AbortOnDropHandle<()>,
}

impl Link {
    pub(super) fn start(client: Client, channels: Arc<Channels>) -> Self {
        let (queue, queued) = mpsc::channel(QUEUE);
        let publishing = tokio::spawn(publish_all(client.clone(), queued, channels.clone()));
        let listening = tokio::spawn(listen(client, channels));
        Self {
            queue,
            _publishing: AbortOnDropHandle::new(publishing),
            _listening: AbortOnDropHandle::new(listening),
        }
    }

    pub(super) fn publish(&self, channel: &str, message: Bytes, counts: &Counts) {
        match self.queue.try_send((channel.into(), message)) {
            Ok(()) => counts.published.inc(),
            Err(_) => counts.link.lost_full.inc(),
        };
    }
}

async fn publish_all(client: Client, mut queued: mpsc::Receiver<(Box<str>, Bytes)>, channels: Arc<Channels>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut back_off = BackOff::default();
    loop {
        let mut connection = match connect(&client).await {
            Ok(connection) => connection,
            Err(error) => {
                back_off.wait(&channels.counts, &error, "publishing").await;
                continue;
            }
        };
        while queued.recv_many(&mut batch, BATCH).await > 0 {
            if let Err(error) = publish_batch(&mut connection, &batch).await {
                channels.counts.link.lost_connection.inc_by(batch.len() as u64);
                batch.clear();
                back_off.wait(&channels.counts, &error, "publishing").await;
                break;
            }
            batch.clear();
            back_off = BackOff::default();
        }
        if queued.is_closed() {
            return;
        }
    }
}

async fn connect(client: &Client) -> RedisResult<MultiplexedConnection> {
    in_time(client.get_multiplexed_async_connection()).await
}

async fn publish_batch(
    connection: &mut MultiplexedConnection,
    batch: &[(Box<str>, Bytes)],
) -> RedisResult<()> {
    let mut pipe = redis::Pipeline::with_capacity(batch.len());
    for (channel, message) in batch {
        pipe.cmd("PUBLISH").arg(&**channel).arg(&message[..]).ignore();
    }
    in_time(pipe.query_async::<()>(connection)).await
}

async fn listen(client: Client, channels: Arc<Channels>) {
    let mut back_off = BackOff::default();
    loop {
        let begun = Instant::now();
        let Err(error) = listen_once(&client, &channels).await;
        channels.lost();
        if begun.elapsed() > PATIENCE + PING_EVERY {
            back_off = BackOff::default();
        }
        back_off.wait(&channels.counts, &error, "listening").await;
    }
}

/// Listens until the connection is lost.
async fn listen_once(client: &Client, channels: &Channels) -> RedisResult<std::convert::Infallible> {
    let (mut sink, mut messages) = in_time(client.get_async_pubsub()).await?.split();
    let mut ping = tokio::time::interval(PING_EVERY);
    loop {
        // Within the library messages wait in a queue without a bound, so nothing here waits for longer than Redis' word.
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => deliver(channels, &message),
                None => return Err(closed()),
            },
            () = channels.changed.notified() => {
                let work = channels.work();
                if !work.unsubscribe.is_empty() {
                    in_time(sink.unsubscribe(&work.unsubscribe)).await?;
                }
                if !work.subscribe.is_empty() {
                    in_time(sink.subscribe(&work.subscribe)).await?;
                    channels.live(&work.subscribe);
                }
            }
            _ = ping.tick() => {
                in_time(sink.ping::<redis::Value>()).await?;
            }
        }
    }
}

fn deliver(channels: &Channels, message: &Msg) {
    if let Ok(channel) = std::str::from_utf8(message.get_channel_name().as_bytes()) {
        channels.deliver(channel, Bytes::copy_from_slice(message.get_payload_bytes()));
    }
}

async fn in_time<T>(answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}

fn closed() -> redis::RedisError {
    std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into()
}

/// Waits longer from failure to failure, and never as long as another instance: they would all come back at once.
struct BackOff(Duration);

impl Default for BackOff {
    fn default() -> Self {
        Self(Duration::from_millis(100))
    }
}

impl BackOff {
    async fn wait(&mut self, counts: &Counts, error: &redis::RedisError, doing: &str) {
        counts.link.failures.inc();
        tracing::warn!(%error, doing, "Redis cannot be reached; trying again");
        sleep(self.0.mul_f64(rand::random_range(0.5..1.0))).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(5));
    }
}
