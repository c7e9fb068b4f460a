//! Connections in memory, on virtual time: delays are compared to the millisecond, which is what a timer has.

mod faults;
mod timing;

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use squall_options::{FromText as _, Network, NetworkProfile};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex, split};
use tokio::time::Instant;

use super::link::Link;
use super::shaped::{Shaped, Wire};

impl Wire for DuplexStream {
    fn abort(&mut self) {}
}

fn profile(network: &str) -> Arc<NetworkProfile> {
    let network = Network::from_text(network).expect("a network");
    network.of_scenario("any").expect("for everyone").of_vu(1, 0).clone()
}

fn link(network: &str, seed: u64) -> Rc<Link> {
    Rc::new(Link::new(&profile(network), seed, 1, Instant::now()))
}

/// A connection over a link and its server's end.
fn connect(link: &Rc<Link>) -> (Shaped<DuplexStream>, DuplexStream) {
    let (near, far) = duplex(64 << 10);
    (Shaped::new(near, link.clone()), far)
}

/// Runs on a clock that jumps to the next timer whenever nothing else is to be done.
fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("it needs nothing"), future)
}

/// A server that reads `request_bytes`, thinks, and answers.
fn answer(mut far: DuplexStream, request_bytes: usize, think: Duration, answer_bytes: usize) {
    tokio::spawn(async move {
        let mut request = vec![0; request_bytes];
        while far.read_exact(&mut request).await.is_ok() {
            tokio::time::sleep(think).await;
            if far.write_all(&vec![7; answer_bytes]).await.is_err() {
                return;
            }
        }
    });
}

/// Says so many bytes and reads so many.
async fn ask(client: &mut Shaped<DuplexStream>, request: usize, answer: usize) -> std::io::Result<Duration> {
    let started = Instant::now();
    client.write_all(&vec![1; request]).await?;
    client.read_exact(&mut vec![0; answer]).await?;
    Ok(started.elapsed())
}

#[track_caller]
fn assert_near(found: Duration, expected_ms: u64) {
    let expected = Duration::from_millis(expected_ms);
    let slack = Duration::from_millis(2) + expected / 100;
    assert!(found + slack > expected && found < expected + slack, "{found:?} instead of {expected:?}");
}

fn conditions() -> impl Strategy<Value = String> {
    (0..300u32, 0..3u32, prop::sample::select(vec!["64kbit", "2mbit", "unlimited"]), 0..10u32).prop_map(
        |(latency, jitter, bandwidth, loss)| {
            format!(
                r#"{{"latency": {latency}, "jitter": {}, "download": "{bandwidth}", "upload": "{bandwidth}",
                    "loss": "{loss}%", "stalls": {{"chance": "10%", "duration": "2s"}}}}"#,
                latency * jitter / 3
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_sent_arrives_whole_and_in_order(
        network in conditions(),
        seed in any::<u64>(),
        up in prop::collection::vec(any::<u8>(), 0..40_000),
        down in prop::collection::vec(any::<u8>(), 0..40_000),
        piece in 1..9_000usize,
    ) {
        run(async {
            let (client, server) = connect(&link(&network, seed));
            let (mut client_reads, mut client_writes) = split(client);
            let (mut server_reads, mut server_writes) = split(server);
            let (mut up_seen, mut down_seen) = (Vec::new(), Vec::new());
            tokio::join!(
                async {
                    for part in up.chunks(piece) {
                        client_writes.write_all(part).await.unwrap();
                    }
                    client_writes.shutdown().await.unwrap();
                },
                async {
                    for part in down.chunks(piece) {
                        server_writes.write_all(part).await.unwrap();
                    }
                    server_writes.shutdown().await.unwrap();
                },
                async { client_reads.read_to_end(&mut down_seen).await.unwrap() },
                async { server_reads.read_to_end(&mut up_seen).await.unwrap() },
            );
            assert!(up_seen == up && down_seen == down);
        });
    }
}
