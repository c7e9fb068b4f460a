//! The promises of the cache with a real Redis, and what happens when it fails.

use std::{
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};

use tokio::process::{Child, Command};

use super::*;
use crate::kit::cache::{Cache, CacheSettings, Layer, Store, tests};

fn url() -> String {
    std::env::var("BREAKWATER_TEST_REDIS").expect("BREAKWATER_TEST_REDIS is the URL of a Redis to use")
}

#[tokio::test]
#[ignore = "needs Redis: BREAKWATER_TEST_REDIS"]
async fn in_redis_everything_is_as_in_memory() {
    tests::stampede(tests::layer(&url()).await).await;
    tests::errors_go_to_those_who_wait_and_are_not_kept(tests::layer(&url()).await).await;
    tests::a_cancelled_filler_is_replaced(tests::layer(&url()).await).await;
    tests::an_invalidation_wins_against_a_running_fill(tests::layer(&url()).await, false).await;
    tests::an_invalidation_wins_against_a_running_fill(tests::layer(&url()).await, true).await;
    tests::values_are_kept_apart_and_removed_one_by_one_or_all(tests::layer(&url()).await).await;
}

/// Two instances on one Redis, each with one reader, and a writer that invalidates through either. Nobody reads a value
/// older than what was invalidated before they asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis: BREAKWATER_TEST_REDIS"]
async fn an_invalidation_counts_for_all_instances() {
    let namespace = format!("test-{}", uuid::Uuid::now_v7());
    let mut layers = Vec::new();
    for _ in 0..2 {
        layers.push(instance(&url(), &namespace).await);
    }
    let written = Arc::new(AtomicU64::new(0));
    let invalidated = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for layer in layers.clone() {
        let (written, invalidated, done) = (written.clone(), invalidated.clone(), done.clone());
        readers.push(tokio::spawn(async move {
            while !done.load(SeqCst) {
                let at_least = invalidated.load(SeqCst);
                let fill = async || {
                    let read = written.load(SeqCst);
                    // Long enough for a write and its invalidation to fit in.
                    tokio::time::sleep(Duration::from_micros(rand::random_range(0..1000))).await;
                    Ok(Bytes::from(read.to_string()))
                };
                let value = layer.get_or_fill("key", fill).await.unwrap();
                let value: u64 = std::str::from_utf8(&value).unwrap().parse().unwrap();
                assert!(value >= at_least, "{value} was stale: {at_least} was written before");
            }
            layer.figures()
        }));
    }
    for number in 1..=1000 {
        written.store(number, SeqCst);
        let layer = &layers[number as usize % 2];
        match number % 10 {
            0 => layer.clear().await,
            _ => layer.remove("key").await,
        }
        invalidated.store(number, SeqCst);
        tokio::time::sleep(Duration::from_micros(rand::random_range(0..1500))).await;
    }
    done.store(true, SeqCst);
    for reader in readers {
        let figures = reader.await.unwrap();
        assert!(figures.hits > 0 && figures.misses > 100 && figures.unavailable == 0, "{figures:?}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn without_redis_values_are_computed_and_with_it_they_are_kept_again() {
    let server = Server::start(0).await;
    let layer = instance(&server.url(), "test").await;
    assert_eq!(tests::of(&layer, "key", "old").await, "old");
    let port = server.port;
    server.kill().await;
    for _ in 0..10 {
        assert_eq!(tests::of(&layer, "key", "new").await, "new");
    }
    assert_eq!(layer.figures().unavailable, 10);
    let _server = Server::start(port).await;
    back(&layer).await;
    assert_eq!(tests::of(&layer, "key", "newer").await, "newer");
    assert_eq!(tests::of(&layer, "key", "newest").await, "newer");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_redis_that_hangs_slows_a_few_requests_alone_and_what_it_missed_is_made_up_for() {
    let server = Server::start(0).await;
    let layer = instance(&server.url(), "test").await;
    assert_eq!(tests::of(&layer, "key", "old").await, "old");
    server.signal("-STOP").await;
    let begun = Instant::now();
    for _ in 0..1000 {
        assert_eq!(tests::of(&layer, "key", "new").await, "new");
    }
    let limit = COMMAND_LIMIT * FAILURES_MAX + Duration::from_millis(500);
    assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    layer.remove("key").await;
    server.signal("-CONT").await;
    back(&layer).await;
    assert_eq!(tests::of(&layer, "key", "new").await, "new", "not the old one that Redis still has");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_service_starts_without_its_redis() {
    let server = Server::start(0).await;
    let (port, url) = (server.port, server.url());
    server.kill().await;
    let layer = instance(&url, "test").await;
    assert_eq!(tests::of(&layer, "key", "1").await, "1");
    let _server = Server::start(port).await;
    back(&layer).await;
    assert_eq!(tests::of(&layer, "key", "2").await, "2");
    assert_eq!(tests::of(&layer, "key", "3").await, "2");
}

async fn instance(url: &str, namespace: &str) -> Layer {
    let settings = CacheSettings {
        cache: url.to_owned(),
        cache_namespace: namespace.to_owned(),
        ..CacheSettings::default()
    };
    Cache::connect(&settings, &Metrics::default()).await.unwrap().layer("things", Duration::from_secs(60))
}

/// Waits until Redis is asked again.
async fn back(layer: &Layer) {
    let Store::Redis(redis) = &layer.0.cache.0.store else { unreachable!() };
    let recovered = async {
        while redis.down.load(SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), recovered).await.expect("Redis is back");
}

/// A Redis of the test's own.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Port 0 takes a free one.
    async fn start(port: u16) -> Self {
        let port = match port {
            0 => std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(),
            port => port,
        };
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()]);
        let process = command.stdout(Stdio::null()).kill_on_drop(true).spawn().expect("redis-server starts");
        let client = Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
        let answers = async {
            while client.get_multiplexed_async_connection().await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), answers).await.expect("redis-server answers");
        Self { process, port }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    async fn signal(&self, signal: &str) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
    }
}
