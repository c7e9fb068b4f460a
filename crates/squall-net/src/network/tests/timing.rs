//! How long things take: latency, bandwidth, loss; and whose time that was.

use squall_options::Conditions;
use tokio::time::sleep;

use super::super::Fault;
use super::super::link::retransmission_delay;
use super::super::timeline::Timeline;
use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Time of one request of so many bytes and its answer.
fn time(network: &str, request: usize, answered: usize) -> Duration {
    run(async {
        let (mut client, far) = connect(&link(network, 0));
        answer(far, request, Duration::ZERO, answered);
        ask(&mut client, request, answered).await.unwrap()
    })
}

#[test]
fn half_of_the_latency_is_on_each_way() {
    run(async {
        let (mut client, mut far) = connect(&link(r#"{"latency": 100}"#, 0));
        let started = Instant::now();
        let server = async move {
            far.read_exact(&mut [0; 4]).await.unwrap();
            assert_near(started.elapsed(), 50);
            far.write_all(b"pong").await.unwrap();
            far
        };
        let (_far, ()) = tokio::join!(server, async {
            client.write_all(b"ping").await.unwrap();
            client.read_exact(&mut [0; 4]).await.unwrap();
        });
        assert_near(started.elapsed(), 100);
    });
}

#[test]
fn jitter_goes_up_and_down() {
    run(async {
        let (mut client, far) = connect(&link(r#"{"latency": 100, "jitter": 40}"#, 0));
        answer(far, 4, Duration::ZERO, 4);
        let mut times = Vec::new();
        for _ in 0..400 {
            times.push(ask(&mut client, 4, 4).await.unwrap());
        }
        let (least, most) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
        assert!(least >= MS(60) && least < MS(75), "{least:?}");
        assert!(most <= MS(142) && most > MS(125), "{most:?}");
        let mean = times.iter().sum::<Duration>() / 400;
        assert!(mean > MS(97) && mean < MS(104), "{mean:?}");
    });
}

#[test]
fn bandwidth_limits_each_way() {
    // 100,000 bytes are 0.8 Mbit.
    assert_near(time(r#"{"download": "1mbit"}"#, 10, 100_000), 800);
    assert_near(time(r#"{"upload": "0.5mbit"}"#, 100_000, 10), 1600);
    assert_near(
        time(r#"{"latency": 200, "download": "8mbit", "upload": "1mbit"}"#, 100_000, 1_000_000),
        2000,
    );
}

#[test]
fn connections_of_a_vu_share_its_bandwidth() {
    run(async {
        let link = link(r#"{"download": "1mbit"}"#, 0);
        let (mut first, far) = connect(&link);
        answer(far, 10, Duration::ZERO, 50_000);
        let (mut second, far) = connect(&link);
        answer(far, 10, Duration::ZERO, 50_000);
        let started = Instant::now();
        let (one, other) = tokio::join!(ask(&mut first, 10, 50_000), ask(&mut second, 10, 50_000));
        one.unwrap();
        other.unwrap();
        assert_near(started.elapsed(), 800);
    });
}

#[test]
fn a_lost_segment_costs_what_it_costs_tcp() {
    let conditions = Conditions { latency: MS(100), jitter: MS(30), ..Conditions::default() };
    let check = |lost, followers, expected| {
        assert_eq!(retransmission_delay(&conditions, lost, followers), MS(expected), "{lost} {followers}");
    };
    check(0, 0, 0);
    // RTO = 100 + max(4/3 × 30, 200).
    check(1, 0, 300);
    check(1, 2, 300);
    check(2, 0, 300 + 600);
    check(3, 0, 300 + 600 + 1200);
    // Three that follow tell within a round trip; then it is up to the timeout.
    check(1, 3, 100);
    check(2, 50, 100 + 300);
    // 300 × 2^n reaches two minutes with the tenth.
    check(11, 0, 300 * 511 + 2 * 120_000);
    let nervous = Conditions { jitter: MS(100), latency: MS(500), ..Conditions::default() };
    assert_eq!(retransmission_delay(&nervous, 1, 0), MS(700));
    let shaky = Conditions { jitter: MS(300), ..nervous };
    assert_eq!(retransmission_delay(&shaky, 1, 0), MS(900));
}

#[test]
fn so_many_segments_are_lost() {
    run(async {
        let link = link(r#"{"latency": 100, "loss": "5%"}"#, 7);
        let (mut client, far) = connect(&link);
        answer(far, 10, Duration::ZERO, 10);
        let mut total = Duration::ZERO;
        for _ in 0..4000 {
            total += ask(&mut client, 10, 10).await.unwrap();
        }
        let lost: u64 = link.take_faults().map(|(_, count)| count).sum();
        // 8,000 segments, each sent 1/0.95 times: 421 losses, and a deviation of 21.
        assert!((358..484).contains(&lost), "{lost}");
        // The mean of 300 ms × (2^n - 1) where n losses in a row have probability 0.95 × 0.05^n, twice a round.
        let expected_ms = 100.0 + 2.0 * 300.0 * 0.05 / (1.0 - 2.0 * 0.05);
        let mean_ms = total.as_secs_f64() * 1e3 / 4000.0;
        assert!((mean_ms - expected_ms).abs() < 8.0, "{mean_ms} instead of {expected_ms}");
    });
}

#[test]
fn losses_in_a_stream_are_repaired_within_a_round_trip() {
    run(async {
        let link = link(r#"{"latency": 100, "loss": "1%"}"#, 1);
        let (mut client, far) = connect(&link);
        answer(far, 10, Duration::ZERO, 1_000_000);
        let took = ask(&mut client, 10, 1_000_000).await.unwrap();
        let lost = link.take_faults().find(|(fault, _)| *fault == Fault::Loss).expect("seven of 685").1;
        assert!(lost > 2, "{lost}");
        // All of them go on at once: one round trip more, or a timeout when one was lost twice or was the last.
        assert!(took >= MS(200) && took <= MS(502), "{took:?}");
    });
}

#[test]
fn what_is_under_way_is_bounded() {
    run(async {
        // The network holds 8 Mbit/s × 0.1 s = 100 kB; the pipe in memory 64 KB more.
        let network = r#"{"latency": 100, "download": "8mbit", "upload": "8mbit"}"#;
        let (mut client, mut far) = connect(&link(network, 0));
        let mut taken = 0;
        let flood = async {
            loop {
                taken += far.write(&[0; 4096]).await.unwrap();
            }
        };
        // Nobody reads more than a byte.
        let reading = async {
            client.read_exact(&mut [0; 1]).await.unwrap();
            client.write_all(b"x").await.unwrap();
            sleep(MS(10_000)).await;
        };
        tokio::select! { () = flood => {}, () = reading => {} }
        assert!((100_000..=100_000 + (64 << 10) + 4096).contains(&taken), "{taken}");

        let (mut client, _far) = connect(&link(network, 0));
        let mut sent = 0;
        let flood = async {
            loop {
                sent += client.write(&[0; 4096]).await.unwrap();
            }
        };
        tokio::select! { () = flood => {}, () = sleep(MS(10_000)) => {} }
        assert!((100_000..=100_000 + (64 << 10) + 4096).contains(&sent), "{sent}");
    });
}

#[test]
fn the_servers_time_is_not_the_networks() {
    let check = |network: &str, think: u64, request: usize, answered: usize, network_ms: u64| {
        run(async {
            let (mut client, far) = connect(&link(network, 0));
            answer(far, request, MS(think), answered);
            for _ in 0..2 {
                let passage = client.passage();
                let took = ask(&mut client, request, answered).await.unwrap();
                assert_near(passage.delay(), network_ms);
                assert_near(took - passage.delay(), think);
            }
        });
    };
    check(r#"{"latency": 100}"#, 70, 10, 10, 100);
    check(r#"{"latency": 100, "download": "1mbit"}"#, 500, 10, 100_000, 900);
    check(r#"{"latency": 100, "upload": "1mbit"}"#, 500, 100_000, 10, 900);
    // So much that the server has to wait for the network, and so has the client.
    check(r#"{"latency": 40, "download": "8mbit", "upload": "8mbit"}"#, 30, 1_000_000, 2_000_000, 3040);
}

#[test]
fn a_server_that_dawdles_has_itself_to_blame() {
    run(async {
        let (mut client, mut far) = connect(&link(r#"{"latency": 200}"#, 0));
        let passage = client.passage();
        let server = async move {
            far.read_exact(&mut [0; 4]).await.unwrap();
            for _ in 0..10 {
                sleep(MS(50)).await;
                far.write_all(b"part").await.unwrap();
            }
            far
        };
        let (_far, took) = tokio::join!(server, ask(&mut client, 4, 40));
        assert_near(took.unwrap(), 700);
        assert_near(passage.delay(), 200);
    });
}

#[test]
fn a_wait_that_is_given_up_counts_until_then() {
    run(async {
        let (mut client, far) = connect(&link(r#"{"latency": 10000}"#, 0));
        answer(far, 4, Duration::ZERO, 4);
        let passage = client.passage();
        tokio::select! { _ = ask(&mut client, 4, 4) => {}, () = sleep(MS(3000)) => {} }
        assert_near(passage.delay(), 3000);
    });
}

#[test]
fn events_come_and_go() {
    let network = r#"{"latency": 100, "events": [{"at": "10s", "for": "5s", "latency": "1s"}]}"#;
    run(async {
        let (mut client, far) = connect(&link(network, 0));
        answer(far, 4, Duration::ZERO, 4);
        assert_near(ask(&mut client, 4, 4).await.unwrap(), 100);
        sleep(MS(10_000)).await;
        assert_near(ask(&mut client, 4, 4).await.unwrap(), 1000);
        sleep(MS(5_000)).await;
        assert_near(ask(&mut client, 4, 4).await.unwrap(), 100);
    });
}

#[test]
fn rates_are_added_up_over_events() {
    let network = r#"{"resets": "60/min", "events": [{"at": "10s", "for": "10s", "resets": 0},
        {"at": "30s", "resets": "120/min"}]}"#;
    run(async {
        let start = Instant::now();
        let timeline = Timeline::new(&profile(network), start);
        let rate = |conditions: &Conditions| match conditions.resets {
            squall_options::Chance::PerMinute(rate) => rate,
            squall_options::Chance::Each(_) => 0.0,
        };
        // Ten come in the first ten seconds, none in the next, ten in the next, then two a second.
        for (times, second) in [(5.0, 5.0), (15.0, 25.0), (24.0, 32.0)] {
            let at = timeline.when(start, times, rate).expect("it comes");
            assert!(((at - start).as_secs_f64() - second).abs() < 1e-6, "{times}: {:?}", at - start);
        }
        let quiet = Timeline::new(&profile(r#"{"latency": 1}"#), start);
        assert_eq!(quiet.when(start, 1.0, rate), None);
    });
}

#[test]
fn the_same_seed_is_the_same_network() {
    let times = |seed| {
        run(async move {
            let (mut client, far) = connect(&link(r#"{"latency": 100, "jitter": 50, "loss": 0.1}"#, seed));
            answer(far, 4, Duration::ZERO, 3000);
            let mut times = Vec::new();
            for _ in 0..50 {
                times.push(ask(&mut client, 4, 3000).await.unwrap().as_millis());
            }
            times
        })
    };
    assert_eq!(times(3), times(3));
    assert_ne!(times(3), times(4));
}
