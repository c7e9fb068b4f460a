//! The cache in Redis, shared by all instances.
//!
//! A layer has a stamp, a random number under the layer's own name; another stamp makes all its values old at once. Under a
//! key is either a value, `v STAMP VALUE`, or for a while after an invalidation the gravestone of one, `x RANDOM`. A look reads
//! stamp and key together. A value is stored only if under its key is still what the look saw, so that one whose fill began
//! before an invalidation does not get past the gravestone.
//!
//! Nothing here waits long. When Redis fails it is left alone, and one task tries to reach it again. An invalidation it did
//! not hear is remembered by layer: the layer gets a new stamp before anybody reads from Redis again.

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use prometheus_client::metrics::gauge::Gauge;
use redis::{
    AsyncConnectionConfig, Client, RedisError, RedisResult, Script, aio::MultiplexedConnection, cmd,
};
use tokio::time::{Instant, timeout};

use crate::kit::metrics::Metrics;

/// How long a command may take. A value is usually computed in less than a Redis in trouble needs to answer.
const COMMAND_LIMIT: Duration = Duration::from_millis(50);
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// Failures in a row after which Redis is left alone.
const FAILURES_MAX: u32 = 3;
/// How often it is tried to reach it again.
const RETRY_EVERY: Duration = Duration::from_millis(250);
/// Fills that take longer are not stored, so that a gravestone outlives every fill that began before it.
const FILL_LIMIT: Duration = Duration::from_secs(30);
const GRAVESTONE_LIFE: Duration = Duration::from_secs(60);

const STAMP_BYTES: usize = 16;
/// The letter and the stamp, or the letter and what makes a gravestone unlike others.
const HEAD_BYTES: usize = 1 + STAMP_BYTES;
const INSERT: &str = "if redis.call('GETRANGE', KEYS[1], 0, 16) == ARGV[1] then \
                      redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end";

type Stamp = [u8; STAMP_BYTES];

pub(super) struct Redis {
    client: Client,
    shown: String,
    connection: ArcSwapOption<MultiplexedConnection>,
    insert: Script,
    failures: AtomicU32,
    /// Left alone. Changed only with `unheard` locked.
    down: AtomicBool,
    /// Layers, by prefix, with an invalidation that Redis did not hear.
    unheard: Mutex<HashSet<String>>,
    down_gauge: Gauge,
    this: Weak<Self>,
}

/// What a look found.
pub(super) enum Seen {
    Value(Bytes),
    /// To be given back with the value that is computed instead.
    Nothing(Ticket),
    /// Redis did not answer, or is left alone.
    Unavailable,
}

/// What a look saw under a key that had no value.
pub(super) struct Ticket {
    stamp: Stamp,
    head: Vec<u8>,
    looked: Instant,
}

impl Redis {
    pub(super) async fn open(url: &str, shown: String, metrics: &Metrics) -> RedisResult<Arc<Self>> {
        let client = Client::open(url)?;
        let redis = Arc::new_cyclic(|this| Self {
            client,
            shown,
            connection: ArcSwapOption::empty(),
            insert: Script::new(INSERT),
            failures: AtomicU32::new(0),
            down: AtomicBool::new(false),
            unheard: Mutex::default(),
            down_gauge: metrics.gauge("cache_down", "1 while Redis is left alone because it fails"),
            this: this.clone(),
        });
        if let Err(error) = redis.reconnect().await {
            redis.leave_alone(&error, None);
        }
        Ok(redis)
    }

    pub(super) async fn get(&self, layer: &str, key: &str) -> Seen {
        let looked = Instant::now();
        let mut look = cmd("MGET");
        look.arg(layer).arg(full(layer, key));
        let Some((stamp, kept)) = self.ask::<(Option<Stamp>, Option<Vec<u8>>)>(look).await else {
            return Seen::Unavailable;
        };
        let stamp = match stamp {
            Some(stamp) => stamp,
            None => match self.first_stamp(layer).await {
                Some(stamp) => stamp,
                None => return Seen::Unavailable,
            },
        };
        match kept {
            Some(kept) if kept.first() == Some(&b'v') && kept.get(1..HEAD_BYTES) == Some(&stamp[..]) => {
                Seen::Value(Bytes::from(kept).slice(HEAD_BYTES..))
            }
            other => {
                let mut head = other.unwrap_or_default();
                head.truncate(HEAD_BYTES);
                Seen::Nothing(Ticket { stamp, head, looked })
            }
        }
    }

    /// Agrees with the other instances on the stamp of a layer that has none.
    async fn first_stamp(&self, layer: &str) -> Option<Stamp> {
        let mut set = cmd("SET");
        set.arg(layer).arg(&rand::random::<Stamp>()[..]).arg("NX");
        self.ask::<()>(set).await?;
        let mut get = cmd("GET");
        get.arg(layer);
        self.ask(get).await
    }

    pub(super) async fn insert(&self, layer: &str, key: &str, value: &Bytes, ttl: Duration, ticket: Ticket) {
        if ticket.looked.elapsed() > FILL_LIMIT {
            return;
        }
        let mut content = Vec::with_capacity(HEAD_BYTES + value.len());
        content.push(b'v');
        content.extend(ticket.stamp);
        content.extend_from_slice(value);
        let mut insert = self.insert.prepare_invoke();
        insert.key(full(layer, key)).arg(ticket.head).arg(content).arg(ttl.as_millis().max(1) as u64);
        self.limited(async |mut connection| insert.invoke_async::<()>(&mut connection).await).await;
    }

    pub(super) async fn remove(&self, layer: &str, key: &str) {
        let mut gravestone = vec![b'x'];
        gravestone.extend(rand::random::<Stamp>());
        let mut set = cmd("SET");
        set.arg(full(layer, key)).arg(gravestone).arg("PX").arg(GRAVESTONE_LIFE.as_millis() as u64);
        self.tell(layer, set).await;
    }

    pub(super) async fn clear(&self, layer: &str) {
        self.tell(layer, new_stamp(layer)).await;
    }

    /// Runs an invalidation. If that fails, the layer is not read until it has a new stamp.
    async fn tell(&self, layer: &str, command: redis::Cmd) {
        if self.ask::<()>(command).await.is_none() {
            self.leave_alone(&"an invalidation was not heard", Some(layer));
        }
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: redis::Cmd) -> Option<T> {
        self.limited(async |mut connection| command.query_async(&mut connection).await).await
    }

    /// `None`: Redis is left alone, or did not answer in time, or with an error.
    async fn limited<T>(
        &self,
        command: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Option<T> {
        if self.down.load(SeqCst) {
            return None;
        }
        let connection = MultiplexedConnection::clone(&*self.connection.load_full()?);
        let error: RedisError = match timeout(COMMAND_LIMIT, command(connection)).await {
            Ok(Ok(value)) => {
                self.failures.store(0, SeqCst);
                return Some(value);
            }
            Ok(Err(error)) => error,
            Err(late) => std::io::Error::from(late).into(),
        };
        let in_a_row = self.failures.fetch_add(1, SeqCst) + 1;
        if in_a_row >= FAILURES_MAX || error.is_connection_dropped() {
            self.leave_alone(&error, None);
        }
        None
    }

    /// Asks no more until [`Redis::recover`] says so, and remembers the layer that missed an invalidation.
    fn leave_alone(&self, reason: &dyn std::fmt::Display, missed: Option<&str>) {
        let mut unheard = self.unheard.lock().expect("no one panics here");
        unheard.extend(missed.map(str::to_owned));
        if self.down.swap(true, SeqCst) {
            return;
        }
        self.down_gauge.set(1);
        tracing::warn!(redis = self.shown, %reason, "Redis fails: serving without cache until it is back");
        let this = self.this.clone();
        tokio::spawn(async move {
            while let Some(redis) = this.upgrade() {
                if redis.recover().await {
                    tracing::info!(redis = redis.shown, "Redis is back");
                    return;
                }
                drop(redis);
                tokio::time::sleep(RETRY_EVERY).await;
            }
        });
    }

    /// Whether Redis answers again and has heard of everything. The connection is a new one: the old may be to a host that
    /// is gone without a word.
    async fn recover(&self) -> bool {
        let Ok(mut connection) = self.reconnect().await else { return false };
        loop {
            let layers: Vec<String> = {
                let mut unheard = self.unheard.lock().expect("no one panics here");
                if unheard.is_empty() {
                    self.failures.store(0, SeqCst);
                    self.down_gauge.set(0);
                    self.down.store(false, SeqCst);
                    return true;
                }
                unheard.drain().collect()
            };
            for (index, layer) in layers.iter().enumerate() {
                if new_stamp(layer).exec_async(&mut connection).await.is_err() {
                    let mut unheard = self.unheard.lock().expect("no one panics here");
                    unheard.extend(layers[index..].iter().cloned());
                    return false;
                }
            }
        }
    }

    async fn reconnect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_LIMIT));
        let config = config.set_response_timeout(Some(CONNECT_LIMIT));
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        cmd("PING").exec_async(&mut connection).await?;
        self.connection.store(Some(Arc::new(connection.clone())));
        Ok(connection)
    }
}

fn full(layer: &str, key: &str) -> String {
    format!("{layer}:{key}")
}

fn new_stamp(layer: &str) -> redis::Cmd {
    let mut set = cmd("SET");
    set.arg(layer).arg(&rand::random::<Stamp>()[..]);
    set
}
