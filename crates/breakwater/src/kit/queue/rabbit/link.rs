//! A connection that is made when it is needed and made anew when it is lost, with growing pauses.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::topology::Topology;
use crate::kit::queue::QueueError;

/// The pause after the first failure; it doubles with each, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Seconds between signs of life. A peer that gives none for twice this is given up.
const HEARTBEAT_S: u16 = 10;

/// Channels kept open for the next batches; more may be in use at a time.
const IDLE_CHANNELS: usize = 16;

/// Keeps one connection to the broker. At most one attempt to connect is under way, however many wait for it and however long
/// it takes: a peer that accepts and then says nothing costs one socket.
pub(super) struct Link {
    uri: AMQPUri,
    /// What the connection is for, as the broker shows it.
    purpose: &'static str,
    /// Host, port and virtual host, for people to read.
    address: String,
    time_limit: Duration,
    closed: CancellationToken,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    attempt: Option<Attempt>,
    /// Attempts that failed since the last that did not.
    failures: u32,
}

type Attempt = Shared<BoxFuture<'static, Result<Arc<Session>, Failure>>>;

#[derive(Clone)]
struct Failure {
    error: QueueError,
    at: Instant,
}

impl Link {
    pub(super) fn new(
        url: &str,
        purpose: &'static str,
        time_limit: Duration,
        closed: CancellationToken,
    ) -> Result<Self, QueueError> {
        // What the parser says may quote the URL, and with it the password.
        let mut uri: AMQPUri =
            url.parse().map_err(|_| QueueError::Url("it does not have the form of an AMQP URL".into()))?;
        if uri.vhost.is_empty() {
            // `amqp://host/` means the default to everybody but the letter of the specification.
            uri.vhost = "/".into();
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        let address = format!("{}:{}, virtual host `{}`", uri.authority.host, uri.authority.port, uri.vhost);
        Ok(Self { uri, purpose, address, time_limit, closed, state: Mutex::default() })
    }

    /// The connection, made if there is none. Fails at once during the pause after a failure.
    pub(super) async fn session(&self) -> Result<Arc<Session>, QueueError> {
        if self.closed.is_cancelled() {
            return Err(QueueError::Closed);
        }
        match timeout(self.time_limit, self.attempt()).await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(failure)) => Err(failure.error),
            Err(_) => Err(self.unreachable("it does not answer in time")),
        }
    }

    /// The attempt that stands, or a new one if its connection is lost or its pause is over.
    fn attempt(&self) -> Attempt {
        let mut state = self.state.lock().expect("no code that holds this lock panics");
        if let Some(attempt) = &state.attempt {
            let failures = match attempt.peek() {
                None => return attempt.clone(),
                Some(Ok(session)) if session.connected() => return attempt.clone(),
                Some(Ok(_)) => {
                    tracing::warn!(
                        address = self.address,
                        purpose = self.purpose,
                        "the connection to RabbitMQ is lost"
                    );
                    0
                }
                Some(Err(failure)) if failure.at.elapsed() < pause(state.failures) => return attempt.clone(),
                Some(Err(_)) => state.failures + 1,
            };
            state.failures = failures;
        }
        let attempt = self.start();
        state.attempt = Some(attempt.clone());
        attempt
    }

    fn start(&self) -> Attempt {
        let (uri, purpose, address) = (self.uri.clone(), self.purpose, self.address.clone());
        let attempt = async move {
            let properties =
                ConnectionProperties::default().with_connection_name(format!("breakwater {purpose}").into());
            match Connection::connect_uri(uri, properties).await {
                Ok(connection) => {
                    tracing::info!(address, purpose, "connected to RabbitMQ");
                    Ok(Arc::new(Session { connection, declared: Mutex::default(), idle: Mutex::default() }))
                }
                Err(error) => {
                    tracing::warn!(address, purpose, %error, "RabbitMQ cannot be reached");
                    Err(Failure {
                        error: classify(&address, &format!("signing in to RabbitMQ at {address}"), &error),
                        at: Instant::now(),
                    })
                }
            }
        };
        let attempt = attempt.boxed().shared();
        // In a task of its own it goes on when those who wait for it give up.
        tokio::spawn(attempt.clone());
        attempt
    }

    pub(super) fn unreachable(&self, why: &str) -> QueueError {
        QueueError::Unreachable { address: self.address.clone(), why: why.into() }
    }

    /// What an error of the client means to whoever asked for `what`.
    pub(super) fn error(&self, what: &str, error: &lapin::Error) -> QueueError {
        classify(&self.address, what, error)
    }
}

/// The broker's own "no" is final until somebody changes something; all else is the connection.
fn classify(address: &str, what: &str, error: &lapin::Error) -> QueueError {
    let why = error.to_string();
    if error.is_amqp_soft_error() {
        QueueError::Refused { what: what.into(), why }
    } else {
        QueueError::Unreachable { address: address.into(), why }
    }
}

fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE)
}

/// One connection, as long as it lives.
pub(super) struct Session {
    connection: Connection,
    /// The queues that are known to exist on this broker.
    declared: Mutex<HashSet<String>>,
    /// Confirming channels that nobody uses.
    idle: Mutex<Vec<Channel>>,
}

impl Session {
    pub(super) fn connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// The broker takes no messages, being short of memory or disk.
    pub(super) fn blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    pub(super) async fn channel(&self) -> Result<Channel, lapin::Error> {
        self.connection.create_channel().await
    }

    /// A channel for one batch of messages. Give it back by [`Session::keep`] when all of them are confirmed.
    pub(super) async fn confirming_channel(&self) -> Result<Channel, lapin::Error> {
        let idle = self.idle().pop();
        match idle {
            Some(channel) if channel.status().connected() => Ok(channel),
            _ => super::confirming(self.channel().await?).await,
        }
    }

    pub(super) fn keep(&self, channel: Channel) {
        let mut idle = self.idle();
        if idle.len() < IDLE_CHANNELS {
            idle.push(channel);
        }
    }

    /// Makes the queues of `topology`, once a connection.
    pub(super) async fn declare(&self, topology: &Topology) -> Result<(), lapin::Error> {
        if self.declared().contains(topology.name()) {
            return Ok(());
        }
        // A declaration that is refused ends its channel.
        topology.declare(&self.channel().await?).await?;
        self.declared().insert(topology.name().into());
        Ok(())
    }

    /// The queues are not there any more: declares them anew the next time.
    pub(super) fn forget(&self, topology: &Topology) {
        self.declared().remove(topology.name());
    }

    fn declared(&self) -> MutexGuard<'_, HashSet<String>> {
        self.declared.lock().expect("no code that holds this lock panics")
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().expect("no code that holds this lock panics")
    }
}
