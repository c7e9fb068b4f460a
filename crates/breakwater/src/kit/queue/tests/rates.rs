//! How many messages a second: of use with optimised code (`--profile quick`), so there alone the goals are asserted.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::{Place, messages, next};

/// Publishes `total` messages by `publishers` at a time in batches, then takes and acknowledges them. Asserts the rates.
async fn measure(place: &Place, total: u32, batch: u32, goals: (f64, f64)) {
    let start = Instant::now();
    let mut publishing = FuturesUnordered::new();
    for from in (0..total).step_by(batch as usize) {
        let messages = messages(from..(from + batch).min(total));
        publishing.push(async move { place.publish(&messages).await });
        if publishing.len() == 4 {
            publishing.next().await.expect("four are under way").unwrap();
        }
    }
    while let Some(published) = publishing.next().await {
        published.unwrap();
    }
    let published = rate(total, start.elapsed());

    let start = Instant::now();
    let mut consumer = place.consume(200).await;
    for _ in 0..total {
        next(&mut consumer).await.ack().await.unwrap();
    }
    let delivered = rate(total, start.elapsed());
    report(&format!("batches of {batch}: {published:.0} published/s, {delivered:.0} delivered/s"));
    if !cfg!(debug_assertions) {
        assert!(published >= goals.0 && delivered >= goals.1, "goals: {goals:?}");
    }
}

fn rate(count: u32, took: Duration) -> f64 {
    f64::from(count) / took.as_secs_f64()
}

#[expect(clippy::print_stderr, reason = "figures for whoever runs this test with --nocapture")]
fn report(line: &str) {
    eprintln!("{line}");
}

#[tokio::test]
#[ignore = "measures: run it with --profile quick"]
async fn memory() {
    measure(&Place::memory(1_000_000).await, 1_000_000, 100, (200_000.0, 200_000.0)).await;
}

#[cfg(feature = "servers")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn rabbit() {
    for (total, batch, goals) in
        [(20_000, 500, (2000.0, 1000.0)), (5000, 50, (2000.0, 1000.0)), (1000, 1, (0.0, 1000.0))]
    {
        let place = super::broker::place(super::BOUND).await;
        measure(&place, total, batch, goals).await;
        super::broker::remove(&place.name).await;
    }
}
