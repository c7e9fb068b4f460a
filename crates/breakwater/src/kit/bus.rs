//! Publish and subscribe between the instances of a service: in the process, or through Redis.
//!
//! Delivery is at most once: a subscriber that falls behind, or a Redis that is away, loses messages. What is lost is counted,
//! and every subscriber is told with [`Heard::Gap`], the first thing it hears: from then on nothing is missing until the next
//! one. Whoever keeps state that messages change asks for all of it at each gap.

mod channels;
#[cfg(feature = "servers")]
mod redis;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use bytes::Bytes;
use channels::Channels;
use clap::Args;
use prometheus_client::{encoding::EncodeLabelSet, metrics::counter::Counter};
use tokio::sync::broadcast::error::RecvError;

use super::{config::defaults_of_flags, metrics::Metrics};

/// How instances talk to each other.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages between instances")]
pub struct BusSettings {
    /// memory: (this process is alone), memory:NAME (services in one process), or redis://USER:PASSWORD@HOST/DATABASE
    #[arg(
        long,
        env = "BREAKWATER_BUS",
        value_name = "URL",
        default_value = "memory:",
        hide_env_values = true
    )]
    pub bus: String,
}
defaults_of_flags!(BusSettings);

/// Publishes and subscribes. Cloning shares it; when the last clone goes, its connections close.
#[derive(Clone)]
pub struct Bus {
    channels: Arc<Channels>,
    route: Route,
}

#[derive(Clone)]
enum Route {
    /// Nobody else is there.
    Alone,
    /// The others are in this process and have the same channels.
    Process,
    #[cfg(feature = "servers")]
    Redis(Arc<redis::Link>),
}

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A message, as it was published.
    Message(Bytes),
    /// Messages may have been missed up to here, and none from here on.
    Gap,
}

/// Why there is no bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("--bus {url}: unknown kind; give memory:, memory:NAME or redis://HOST/DATABASE")]
    Kind { url: String },
    #[cfg(feature = "servers")]
    #[error("--bus {url}: {source}")]
    Redis { url: String, source: ::redis::RedisError },
}

impl Bus {
    /// A Redis that cannot be reached is no error: it is tried again until it can.
    pub fn connect(settings: &BusSettings, metrics: &Metrics) -> Result<Self, BusError> {
        let url = settings.bus.as_str();
        if let Some(name) = url.strip_prefix("memory:") {
            return Ok(match name {
                "" => Self {
                    channels: Arc::new(Channels::within_process(Counts::new(metrics))),
                    route: Route::Alone,
                },
                name => Self { channels: in_this_process(name, metrics), route: Route::Process },
            });
        }
        #[cfg(feature = "servers")]
        if url.starts_with("redis:") {
            let client = ::redis::Client::open(url)
                .map_err(|source| BusError::Redis { url: super::config::without_password(url), source })?;
            let channels = Arc::new(Channels::behind_link(Counts::new(metrics)));
            let link = redis::Link::start(client, channels.clone());
            return Ok(Self { channels, route: Route::Redis(Arc::new(link)) });
        }
        Err(BusError::Kind { url: super::config::without_password(url) })
    }

    /// Whether anybody else can hear what is published. Without others, subscribing to hear oneself is for tests.
    pub fn has_others(&self) -> bool {
        !matches!(self.route, Route::Alone)
    }

    /// Sends `message` to all who have subscribed to `channel` by now, the sender included. It never waits: what cannot be
    /// sent is dropped and counted.
    pub fn publish(&self, channel: &str, message: Bytes) {
        match &self.route {
            Route::Alone | Route::Process => {
                self.channels.counts.published.inc();
                self.channels.deliver(channel, message);
            }
            #[cfg(feature = "servers")]
            Route::Redis(link) => link.publish(channel, message, &self.channels.counts),
        }
    }

    /// Hears what is published to `channel` for as long as the subscription lives.
    pub fn subscribe(&self, channel: &str) -> Subscription {
        let (receiver, gap_now) = self.channels.open(channel);
        Subscription { channel: channel.to_owned(), receiver, gap_now, bus: self.clone() }
    }
}

/// Channels that services of this process share by name, for as long as one of them lives.
fn in_this_process(name: &str, metrics: &Metrics) -> Arc<Channels> {
    static NAMED: Mutex<Option<HashMap<String, Weak<Channels>>>> = Mutex::new(None);
    let mut named = NAMED.lock().expect("no one panics here");
    let named = named.get_or_insert_default();
    if let Some(channels) = named.get(name).and_then(Weak::upgrade) {
        return channels;
    }
    named.retain(|_, channels| channels.strong_count() > 0);
    let channels = Arc::new(Channels::within_process(Counts::new(metrics)));
    named.insert(name.to_owned(), Arc::downgrade(&channels));
    channels
}

/// Receives one channel's messages.
pub struct Subscription {
    channel: String,
    receiver: tokio::sync::broadcast::Receiver<Heard>,
    /// The channel was heard already when this subscription came: its own first gap is due.
    gap_now: bool,
    bus: Bus,
}

impl Subscription {
    /// The next thing heard. Safe to drop while waiting.
    pub async fn next(&mut self) -> Heard {
        if std::mem::take(&mut self.gap_now) {
            return Heard::Gap;
        }
        match self.receiver.recv().await {
            Ok(heard) => heard,
            Err(RecvError::Lagged(missed)) => {
                self.bus.channels.counts.lost_lag.inc_by(missed);
                Heard::Gap
            }
            Err(RecvError::Closed) => unreachable!("the channel stays open while somebody has subscribed"),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.bus.channels.close(&self.channel);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lost {
    reason: &'static str,
}

/// What the bus counts.
struct Counts {
    published: Counter,
    received: Counter,
    /// A subscriber was too slow.
    lost_lag: Counter,
    #[cfg(feature = "servers")]
    link: LinkCounts,
}

/// What a link counts besides.
#[cfg(feature = "servers")]
struct LinkCounts {
    /// More was published than the connection took.
    lost_full: Counter,
    /// The connection failed with the message on it.
    lost_connection: Counter,
    failures: Counter,
}

impl Counts {
    fn new(metrics: &Metrics) -> Self {
        let help = "Messages between instances that did not arrive, by where they were lost";
        let lost = metrics.counters::<Lost>("bus_lost", help);
        let lost = |reason| lost.get_or_create_owned(&Lost { reason });
        Self {
            published: metrics.counter("bus_published", "Messages published to other instances"),
            received: metrics.counter("bus_received", "Messages received for subscriptions"),
            lost_lag: lost("subscriber_slow"),
            #[cfg(feature = "servers")]
            link: LinkCounts {
                lost_full: lost("queue_full"),
                lost_connection: lost("connection"),
                failures: metrics
                    .counter("bus_connection_failures", "Connections to Redis that failed or were lost"),
            },
        }
    }
}
