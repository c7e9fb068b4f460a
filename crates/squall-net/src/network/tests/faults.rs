//! What goes wrong on purpose.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use tokio::time::{sleep, timeout};

use super::super::{Dialling, Fault};
use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn faults(link: &Link) -> BTreeMap<&'static str, u64> {
    link.take_faults().map(|(fault, count)| (fault.name(), count)).collect()
}

#[test]
fn a_reset_strikes_before_in_or_after_the_answers_beginning() {
    run(async {
        let link = link(r#"{"latency": 10, "resets": 1}"#, 0);
        let mut seen = BTreeMap::new();
        for _ in 0..60 {
            let (mut client, mut far) = connect(&link);
            let server = tokio::spawn(async move {
                let got = far.read_exact(&mut [0; 4]).await.is_ok();
                let _ = far.write_all(&[7; 1000]).await;
                got
            });
            client.write_all(b"ping").await.unwrap();
            let mut answer = Vec::new();
            let error = client.read_to_end(&mut answer).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            assert_eq!(client.write_all(b"more").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
            assert!(answer.len() <= 500, "no more than half of it");
            *seen.entry((server.await.unwrap(), !answer.is_empty())).or_insert(0) += 1;
        }
        let kinds: Vec<_> = seen.keys().copied().collect();
        assert_eq!(kinds, [(false, false), (true, false), (true, true)], "{seen:?}");
        assert!(seen.values().all(|count| *count > 8), "{seen:?}");
        assert_eq!(faults(&link), BTreeMap::from([("reset", 60)]));
        assert_eq!(faults(&link), BTreeMap::new());
    });
}

#[test]
fn so_many_requests_are_reset() {
    run(async {
        let link = link(r#"{"latency": 10, "resets": "5%"}"#, 0);
        let mut broken = 0;
        for _ in 0..100 {
            let (mut client, far) = connect(&link);
            answer(far, 4, Duration::ZERO, 100);
            for _ in 0..20 {
                if ask(&mut client, 4, 100).await.is_err() {
                    broken += 1;
                    break;
                }
            }
        }
        // Of 100 connections 1 - 0.95^20 = 64 break, and a deviation of 5.
        assert!((50..80).contains(&broken), "{broken}");
    });
}

#[test]
fn a_rate_of_resets_needs_no_requests() {
    run(async {
        let link = link(r#"{"latency": 10, "resets": "6/min"}"#, 0);
        let mut lives = Vec::new();
        for _ in 0..300 {
            let (mut client, _far) = connect(&link);
            let started = Instant::now();
            let error = client.read_exact(&mut [0; 1]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            lives.push(started.elapsed().as_secs_f64());
        }
        let mean = lives.iter().sum::<f64>() / 300.0;
        assert!((8.0..12.0).contains(&mean), "{mean} s instead of 10");
    });
}

#[test]
fn an_idle_connection_that_was_reset_is_noticed() {
    run(async {
        let (mut client, far) = connect(&link(r#"{"latency": 10, "resets": "600/min"}"#, 0));
        sleep(MS(60_000)).await;
        answer(far, 4, Duration::ZERO, 4);
        assert_eq!(ask(&mut client, 4, 4).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_stall_holds_up_a_request() {
    run(async {
        let link = link(r#"{"latency": 10, "stalls": {"chance": "20%", "duration": "3s"}}"#, 0);
        let (mut client, far) = connect(&link);
        answer(far, 4, Duration::ZERO, 4);
        let mut stalled = 0;
        for _ in 0..500 {
            let took = ask(&mut client, 4, 4).await.unwrap();
            match took > MS(1000) {
                true => {
                    assert_near(took, 3010);
                    stalled += 1;
                }
                false => assert_near(took, 10),
            }
        }
        // A deviation of 9.
        assert!((73..127).contains(&stalled), "{stalled}");
        assert_eq!(faults(&link), BTreeMap::from([("stall", stalled)]));
    });
}

#[test]
fn a_rate_of_stalls_strikes_at_any_time() {
    run(async {
        let link = link(r#"{"latency": 10, "stalls": {"chance": "30/min", "duration": "1s"}}"#, 0);
        let (mut client, mut far) = connect(&link);
        // The server speaks every 100 ms; the client only listens.
        tokio::spawn(async move {
            loop {
                sleep(MS(100)).await;
                if far.write_all(b"tick").await.is_err() {
                    return;
                }
            }
        });
        let (mut late, mut last) = (0, Instant::now());
        for _ in 0..3000 {
            client.read_exact(&mut [0; 4]).await.unwrap();
            late += u64::from(last.elapsed() > MS(150));
            last = Instant::now();
        }
        // 300 s; a stall every 2 s plus the 1 s that it lasts: 100, of which a few are shorter than the pause.
        assert!((70..120).contains(&late), "{late}");
        let counted = faults(&link)["stall"];
        assert!(counted >= late && counted < late + 30, "{counted} {late}");
    });
}

#[test]
fn what_was_said_is_delivered_after_the_connection_is_dropped() {
    run(async {
        let (mut client, mut far) = connect(&link(r#"{"latency": 100, "upload": "80kbit"}"#, 0));
        let started = Instant::now();
        client.write_all(&[9; 10_000]).await.unwrap();
        drop(client);
        let mut seen = Vec::new();
        far.read_to_end(&mut seen).await.unwrap();
        assert_eq!(seen, [9; 10_000]);
        assert_near(started.elapsed(), 1050);
    });
}

#[test]
fn the_servers_own_end_arrives_after_its_last_words() {
    run(async {
        let (mut client, mut far) = connect(&link(r#"{"latency": 100}"#, 0));
        let started = Instant::now();
        far.write_all(b"bye").await.unwrap();
        drop(far);
        let mut seen = Vec::new();
        client.read_to_end(&mut seen).await.unwrap();
        assert_eq!(seen, b"bye");
        assert_near(started.elapsed(), 50);
    });
}

#[test]
fn what_an_idle_connection_got_has_had_its_time() {
    run(async {
        let (mut client, mut far) = connect(&link(r#"{"latency": 1000}"#, 0));
        let server = tokio::spawn(async move {
            far.read_exact(&mut [0; 4]).await.unwrap();
            far.write_all(&[0; 4]).await.unwrap();
            sleep(MS(2_000)).await;
        });
        ask(&mut client, 4, 4).await.unwrap();
        server.await.unwrap();
        // The server has closed, and nobody looks.
        sleep(MS(60_000)).await;
        let started = Instant::now();
        assert_eq!(client.read(&mut [0; 4]).await.unwrap(), 0);
        assert_eq!(started.elapsed(), Duration::ZERO);
    });
}

/// How long TCP takes to connect, as the dial tells it.
async fn connecting(link: &Rc<Link>) -> Duration {
    let (mut told, started) = (Duration::ZERO, Instant::now());
    Dialling::new(Some(link.clone()), &mut told).connect().await;
    assert_eq!(told, started.elapsed());
    told
}

#[test]
fn losses_of_a_dial_are_counted_as_they_happen() {
    run(async {
        let link = link(r#"{"loss": 1}"#, 0);
        // A SYN at once, after one second, after two more, after four more.
        for (patience_ms, lost) in [(500, 1), (2_500, 2), (6_500, 3), (14_500, 4)] {
            let connected = timeout(MS(patience_ms), connecting(&link)).await;
            assert!(connected.is_err(), "nothing ever arrives");
            assert_eq!(faults(&link), BTreeMap::from([("loss", lost)]), "{patience_ms} ms");
        }
    });
}

#[test]
fn a_dial_that_is_given_up_tells_what_it_waited_for() {
    run(async {
        let link = link(r#"{"latency": 1500, "tls": {"delay": 400}}"#, 0);
        let given_up_after = async |patience_ms| {
            let mut told = Duration::ZERO;
            let dial = async {
                let mut dialling = Dialling::new(Some(link.clone()), &mut told);
                dialling.connect().await;
                let (mut client, far) = connect(&link);
                answer(far, 4, MS(50), 4);
                dialling.connected(Some(client.passage()));
                dialling.secure().await;
                ask(&mut client, 4, 4).await.unwrap();
                ask(&mut client, 4, 4).await.unwrap();
            };
            assert!(timeout(MS(patience_ms), dial).await.is_err());
            told
        };
        assert_near(given_up_after(1_000).await, 1_000);
        assert_near(given_up_after(1_600).await, 1_600);
        // In the middle of a way: up, down after the server has thought, up again.
        assert_near(given_up_after(2_300).await, 2_300);
        assert_near(given_up_after(3_000).await, 2_950);
        assert_near(given_up_after(3_800).await, 3_750);
    });
}

#[test]
fn dialling_has_faults_of_its_own() {
    run(async {
        let link = link(r#"{"latency": 100, "loss": "20%", "dns": {"delay": 30, "failure": "10%"}}"#, 0);
        let mut failed = 0;
        for _ in 0..1000 {
            let (delay, fails) = link.resolving();
            assert_eq!(delay, MS(30));
            failed += u64::from(fails);
        }
        assert!((70..130).contains(&failed), "{failed}");
        assert_eq!(faults(&link), BTreeMap::from([(Fault::Dns.name(), failed)]));
        let mut seen = BTreeMap::new();
        for _ in 0..1000 {
            let took = connecting(&link).await;
            // A timer has milliseconds, and each wait is rounded up to them.
            *seen.entry(took.as_millis() / 10 * 10).or_insert(0) += 1;
        }
        // A SYN or its answer is lost with 36 %: one second, then two, then four.
        let times: Vec<_> = seen.keys().copied().take(4).collect();
        assert_eq!(times, [100, 1100, 3100, 7100]);
        assert!((590..690).contains(&seen[&100]), "{seen:?}");
    });
}
