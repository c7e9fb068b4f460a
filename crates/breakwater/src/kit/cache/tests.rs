//! The promises of the cache, in memory. Those that every store keeps are functions: Redis is held to them as well.

mod model;

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::oneshot, task::JoinSet, time::sleep};

use super::*;
use crate::kit::metrics::Metrics;

const TTL: Duration = Duration::from_secs(60);

/// A layer of a cache of its own: in the process, or in the Redis at `url`.
pub(super) async fn layer(url: &str) -> Layer {
    let cache_namespace = format!("test-{}", uuid::Uuid::now_v7());
    let settings = CacheSettings { cache: url.to_owned(), cache_namespace, ..CacheSettings::default() };
    Cache::connect(&settings, &Metrics::default()).await.unwrap().layer("things", TTL)
}

pub(super) async fn of(layer: &Layer, key: &str, value: &'static str) -> Bytes {
    layer.get_or_fill(key, async || Ok(Bytes::from(value))).await.unwrap()
}

/// 1,000 ask at once while one fills, for a second; what was filled counts.
pub(super) async fn stampede(layer: Layer) {
    let fills = Arc::new(AtomicUsize::new(0));
    let mut askers = JoinSet::new();
    for _ in 0..1000 {
        let (layer, fills) = (layer.clone(), fills.clone());
        askers.spawn(async move {
            let fill = async || {
                sleep(Duration::from_secs(1)).await;
                fills.fetch_add(1, SeqCst);
                Ok(Bytes::from("value"))
            };
            layer.get_or_fill("key", fill).await.unwrap()
        });
    }
    assert!(askers.join_all().await.iter().all(|value| value == "value"));
    assert_eq!(fills.load(SeqCst), 1);
    let figures = layer.figures();
    assert_eq!((figures.misses, figures.stampedes, figures.hits), (1, 999, 0));
    assert_eq!(of(&layer, "key", "other").await, "value");
    assert_eq!(layer.figures().hits, 1);
}

pub(super) async fn errors_go_to_those_who_wait_and_are_not_kept(layer: Layer) {
    let mut askers = JoinSet::new();
    for _ in 0..10 {
        let layer = layer.clone();
        askers.spawn(async move {
            let fill = async || {
                sleep(Duration::from_millis(300)).await;
                Err(Problem::conflict("no value today"))
            };
            layer.get_or_fill("key", fill).await
        });
    }
    for outcome in askers.join_all().await {
        assert_eq!(outcome.unwrap_err().to_string(), "Conflict: no value today");
    }
    assert_eq!(layer.figures().misses, 1);
    assert_eq!(of(&layer, "key", "value").await, "value");
}

/// The filler goes away; one of those who wait takes over, once.
pub(super) async fn a_cancelled_filler_is_replaced(layer: Layer) {
    let (began, begun) = oneshot::channel();
    let leader = tokio::spawn({
        let layer = layer.clone();
        async move {
            let fill = async || {
                began.send(()).unwrap();
                std::future::pending().await
            };
            layer.get_or_fill("key", fill).await
        }
    });
    begun.await.unwrap();
    let fills = Arc::new(AtomicUsize::new(0));
    let mut askers = JoinSet::new();
    for _ in 0..10 {
        let (layer, fills) = (layer.clone(), fills.clone());
        askers.spawn(async move {
            let fill = async || {
                fills.fetch_add(1, SeqCst);
                Ok(Bytes::from("value"))
            };
            layer.get_or_fill("key", fill).await.unwrap()
        });
    }
    // The askers run up to where they wait before this task is run again.
    tokio::task::yield_now().await;
    leader.abort();
    assert!(askers.join_all().await.iter().all(|value| value == "value"));
    assert_eq!(fills.load(SeqCst), 1);
}

/// A fill reads `old`, the write of `new` is invalidated before it ends: whoever asks after the invalidation gets `new`.
pub(super) async fn an_invalidation_wins_against_a_running_fill(layer: Layer, all: bool) {
    let (began, begun) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel::<()>();
    let slow = tokio::spawn({
        let layer = layer.clone();
        async move {
            let fill = async || {
                began.send(()).unwrap();
                may_go_on.await.unwrap();
                Ok(Bytes::from("old"))
            };
            layer.get_or_fill("key", fill).await.unwrap()
        }
    });
    begun.await.unwrap();
    match all {
        true => layer.clear().await,
        false => layer.remove("key").await,
    }
    assert_eq!(of(&layer, "key", "new").await, "new", "does not wait for the old fill");
    go_on.send(()).unwrap();
    assert_eq!(slow.await.unwrap(), "old", "whoever asked before may have it");
    assert_eq!(of(&layer, "key", "newest").await, "new", "and it is not kept");
}

pub(super) async fn values_are_kept_apart_and_removed_one_by_one_or_all(layer: Layer) {
    assert_eq!(of(&layer, "a", "1").await, "1");
    assert_eq!(of(&layer, "b", "").await, "");
    layer.remove("a").await;
    assert_eq!(of(&layer, "a", "2").await, "2");
    assert_eq!(of(&layer, "b", "3").await, "", "an empty value is kept as well");
    layer.clear().await;
    assert_eq!(of(&layer, "b", "4").await, "4");
    assert_eq!(layer.figures().invalidations, 2);
}

#[tokio::test(start_paused = true)]
async fn in_memory_a_stampede_fills_once() {
    stampede(layer("memory:").await).await;
}

#[tokio::test(start_paused = true)]
async fn in_memory_errors_are_shared_and_not_kept() {
    errors_go_to_those_who_wait_and_are_not_kept(layer("memory:").await).await;
}

#[tokio::test]
async fn in_memory_a_cancelled_filler_is_replaced() {
    a_cancelled_filler_is_replaced(layer("memory:").await).await;
}

#[tokio::test]
async fn in_memory_invalidations_win() {
    an_invalidation_wins_against_a_running_fill(layer("memory:").await, false).await;
    an_invalidation_wins_against_a_running_fill(layer("memory:").await, true).await;
    values_are_kept_apart_and_removed_one_by_one_or_all(layer("memory:").await).await;
}

#[tokio::test(start_paused = true)]
async fn values_expire_within_a_tenth_of_their_time() {
    let layer = layer("memory:").await;
    for key in ["a", "b", "c", "d"] {
        of(&layer, key, "1").await;
    }
    sleep(TTL.mul_f64(0.899)).await;
    for key in ["a", "b", "c", "d"] {
        assert_eq!(of(&layer, key, "2").await, "1");
    }
    sleep(TTL.mul_f64(0.202)).await;
    for key in ["a", "b", "c", "d"] {
        assert_eq!(of(&layer, key, "2").await, "2");
    }
}

#[tokio::test]
async fn memory_is_bounded() {
    let settings = CacheSettings { cache_bytes: 100_000, ..CacheSettings::default() };
    let metrics = Metrics::default();
    let layer = Cache::connect(&settings, &metrics).await.unwrap().layer("things", TTL);
    for number in 0..1000 {
        layer.get_or_fill(&number.to_string(), async || Ok(Bytes::from(vec![0; 1000]))).await.unwrap();
    }
    let Store::Memory(memory) = &layer.0.cache.0.store else { unreachable!() };
    assert!(memory.settled_bytes() <= 100_000);
    assert!(metrics.text().contains("breakwater_cache_memory_bytes "), "{}", metrics.text());
}

#[tokio::test]
async fn an_unknown_kind_says_which_there_are() {
    let settings = CacheSettings { cache: "memcached://me:secret@host".into(), ..CacheSettings::default() };
    let error = Cache::connect(&settings, &Metrics::default()).await.err().unwrap().to_string();
    assert!(error.contains("memcached://me@host") && error.contains("redis://"), "{error}");
}
