//! RabbitMQ that fails: gone and back, silent, without the queue; behind a proxy that the tests command.

use std::net::SocketAddr;
use std::time::Duration;

use lapin::options::QueueDeleteOptions;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{BOUND, LONG, Place, messages, next};
use crate::kit::queue::rabbit::Rabbit;
use crate::kit::queue::{Queue, QueueError};

fn url() -> String {
    std::env::var("BREAKWATER_TEST_AMQP").expect("BREAKWATER_TEST_AMQP is the URL of a RabbitMQ for tests")
}

pub(super) async fn place(bound: u64) -> Place {
    Place::at(&url(), bound).await
}

/// Deletes a test's queues.
pub(super) async fn remove(name: &str) {
    let connection = Connection::connect(&url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    for part in ["", ".dead", ".retry.1s", ".retry.5s", ".retry.30s", ".retry.5m", ".retry.1h"] {
        channel.queue_delete(format!("{name}{part}").into(), QueueDeleteOptions::default()).await.unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
}

/// What the proxy does with connections.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Forward,
    /// Takes connections, keeps those there are, moves no byte.
    Silent,
    /// Ends connections at once.
    Gone,
}

/// Stands between us and the broker.
struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
}

impl Proxy {
    async fn start() -> Self {
        let uri: AMQPUri = url().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, watched) = watch::channel(Mode::Forward);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, uri.authority.host.clone(), uri.authority.port, watched.clone()));
            }
        });
        Self { address, mode }
    }

    async fn connect(&self, time_limit: Duration) -> Place {
        let mut uri: AMQPUri = url().parse().unwrap();
        uri.authority.host = self.address.ip().to_string();
        uri.authority.port = self.address.port();
        let rabbit = Rabbit::connect(&uri.to_string(), BOUND, time_limit).await.unwrap();
        Place { queue: Queue::Rabbit(rabbit), name: format!("test.{}", uuid::Uuid::now_v7()) }
    }

    fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

/// Copies both ways while the mode is [`Mode::Forward`], and starts again where it stopped.
async fn pass(mut client: TcpStream, host: String, port: u16, mut mode: watch::Receiver<Mode>) {
    let mut server = TcpStream::connect((host, port)).await.unwrap();
    let (mut client_in, mut client_out) = client.split();
    let (mut server_in, mut server_out) = server.split();
    let gate = mode.clone();
    tokio::select! {
        () = copy(&mut client_in, &mut server_out, gate.clone()) => {}
        () = copy(&mut server_in, &mut client_out, gate) => {}
        _ = mode.wait_for(|mode| *mode == Mode::Gone) => {}
    }
}

async fn copy(
    from: &mut tokio::net::tcp::ReadHalf<'_>,
    to: &mut tokio::net::tcp::WriteHalf<'_>,
    mut mode: watch::Receiver<Mode>,
) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if mode.wait_for(|mode| *mode == Mode::Forward).await.is_err()
            || to.write_all(&buffer[..length]).await.is_err()
        {
            return;
        }
    }
}

/// Publishes until it succeeds, as an outbox does.
async fn publish_in_the_end(place: &Place, id: u32) {
    let start = Instant::now();
    while let Err(error) = place.publish(&messages(id..id + 1)).await {
        assert!(start.elapsed() < LONG, "{error}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn a_broker_that_was_gone_is_used_again() {
    let proxy = Proxy::start().await;
    let place = proxy.connect(Duration::from_secs(5)).await;
    place.publish(&messages(0..2)).await.unwrap();
    let mut consumer = place.consume(10).await;
    let first = next(&mut consumer).await;
    let second = next(&mut consumer).await;
    second.ack().await.unwrap();
    place.until(|depth| depth.ready == 0).await;

    proxy.set(Mode::Gone);
    let start = Instant::now();
    let error = place.publish(&messages(2..3)).await.unwrap_err();
    assert!(matches!(error, QueueError::Unreachable { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(place.queue.ready().await.is_err());
    assert!(place.queue.depth(&place.name).await.is_err());

    proxy.set(Mode::Forward);
    publish_in_the_end(&place, 2).await;
    let mut again = vec![next(&mut consumer).await, next(&mut consumer).await];
    again.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(
        again.iter().map(|delivery| delivery.id.as_str()).collect::<Vec<_>>(),
        ["message-0", "message-2"]
    );
    assert_eq!(first.ack().await, Err(QueueError::GivenBack), "its connection is lost");
    for delivery in again {
        delivery.ack().await.unwrap();
    }
    place.queue.ready().await.unwrap();
    place.until(|depth| depth.ready == 0).await;
    remove(&place.name).await;
}

#[tokio::test]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn a_broker_that_is_silent_costs_no_more_than_the_time_limit() {
    let proxy = Proxy::start().await;
    let limit = Duration::from_secs(1);
    let place = proxy.connect(limit).await;
    place.publish(&messages(0..1)).await.unwrap();
    let mut consumer = place.consume(1).await;
    let delivery = next(&mut consumer).await;

    proxy.set(Mode::Silent);
    let start = Instant::now();
    assert!(place.publish(&messages(1..2)).await.is_err());
    assert!(place.queue.ready().await.is_err());
    assert!(delivery.retry(Duration::ZERO).await.is_err(), "its successor is not safe");
    // A connection that is made only now: the handshake is never answered.
    let started = timeout(LONG, proxy.connect(limit)).await.expect("within the limit");
    assert!(started.publish(&messages(1..2)).await.is_err());
    assert!(start.elapsed() < limit * 8, "{:?}", start.elapsed());

    proxy.set(Mode::Forward);
    publish_in_the_end(&place, 2).await;
    publish_in_the_end(&started, 3).await;
    remove(&started.name).await;
    // What was sent half-way may come too: nothing is lost, repeats are possible.
    let mut awaited = vec!["message-0", "message-2"];
    while !awaited.is_empty() {
        let delivery = next(&mut consumer).await;
        awaited.retain(|id| *id != delivery.id);
        delivery.ack().await.unwrap();
    }
    remove(&place.name).await;
}

#[tokio::test]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn a_queue_that_was_deleted_is_made_again() {
    let place = place(BOUND).await;
    place.publish(&messages(0..1)).await.unwrap();
    let mut consumer = place.consume(1).await;
    next(&mut consumer).await.ack().await.unwrap();
    remove(&place.name).await;
    // The consumer makes it anew, or the publisher after an error.
    publish_in_the_end(&place, 1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.id, "message-1");
    delivery.ack().await.unwrap();
    remove(&place.name).await;
}

#[tokio::test]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn publishing_to_a_deleted_queue_is_an_error_and_then_works() {
    let place = place(BOUND).await;
    place.publish(&messages(0..1)).await.unwrap();
    remove(&place.name).await;
    let error = place.publish(&messages(1..3)).await.unwrap_err();
    assert!(matches!(error, QueueError::Refused { .. }), "{error}");
    place.publish(&messages(1..3)).await.unwrap();
    place.until(|depth| depth.ready == 2).await;
    remove(&place.name).await;
}

#[tokio::test]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn wrong_credentials_are_an_error_that_does_not_tell_them() {
    let mut uri: AMQPUri = url().parse().unwrap();
    uri.authority.userinfo.password = "geheim".into();
    let error = Queue::connect(&uri.to_string()).await.err().expect("the password is wrong");
    assert!(matches!(error, QueueError::Refused { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
}

#[tokio::test]
async fn without_a_broker_publishers_get_an_error_at_once() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let queue = Queue::connect(&format!("amqp://user:geheim@{closed}/")).await.expect("it may come later");
    let place = Place { queue, name: "test".into() };
    let mut consumer = place.consume(1).await;
    for error in [place.publish(&messages(0..1)).await, place.queue.ready().await] {
        let error = error.expect_err("there is no broker");
        assert!(matches!(error, QueueError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains(&closed.port().to_string()), "{error}");
        assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
    }
    assert!(timeout(Duration::from_millis(50), consumer.next()).await.is_err(), "it keeps trying");
    place.queue.close();
    assert!(timeout(LONG, consumer.next()).await.unwrap().is_none());
}
