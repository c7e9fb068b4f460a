//! The promise of the three regions, on virtual time: clients that ask again as soon as they are answered, and a service that
//! answers 3,350 requests at a time in 20 to 45 ms.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::*;

#[derive(Default)]
struct Seen {
    latencies_ms: Vec<u64>,
    refused: usize,
    /// The slowest answer to a request refused for want of a place.
    refusal_ms_max: u64,
    in_progress_max: u32,
    waiting_max: u32,
}

impl Seen {
    fn p95_ms(&mut self) -> u64 {
        self.latencies_ms.sort_unstable();
        self.latencies_ms[self.latencies_ms.len() * 95 / 100]
    }

    fn refused_share(&self) -> f64 {
        self.refused as f64 / (self.refused + self.latencies_ms.len()) as f64
    }
}

/// How the service is at a time since the start, as a factor of its usual time.
type Slowness = fn(Duration) -> u32;

/// One second of load. A client that is refused asks again when an answer would have come, after 50 ms.
fn load(clients: u32, slowness: Slowness) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime starts").block_on(async move {
        let admission = Admission::new(Limits::default());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for client in 0..clients {
            let (admission, seen) = (admission.clone(), seen.clone());
            let mut random = SmallRng::seed_from_u64(client.into());
            tasks.spawn(async move {
                while started.elapsed() < Duration::from_secs(1) {
                    let asked = Instant::now();
                    match admission.admit().await {
                        Ok(permit) => {
                            let work = Duration::from_millis(random.random_range(20..=45));
                            tokio::time::sleep(work * slowness(started.elapsed())).await;
                            drop(permit);
                            let mut seen = seen.lock().expect("no panic");
                            seen.latencies_ms.push(asked.elapsed().as_millis() as u64);
                            let figures = admission.figures();
                            seen.in_progress_max = seen.in_progress_max.max(figures.in_progress);
                            seen.waiting_max = seen.waiting_max.max(figures.waiting);
                        }
                        Err(refusal) => {
                            {
                                let mut seen = seen.lock().expect("no panic");
                                seen.refused += 1;
                                if refusal.reason == Reason::Full {
                                    seen.refusal_ms_max =
                                        seen.refusal_ms_max.max(asked.elapsed().as_millis() as u64);
                                }
                            }
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                    }
                }
            });
        }
        tasks.join_all().await;
        assert_eq!(counts(&admission), (0, 0));
        std::mem::take(&mut *seen.lock().expect("no panic"))
    })
}

fn steady(_: Duration) -> u32 {
    1
}

#[test]
fn below_the_limit_nothing_waits_and_nothing_is_refused() {
    let mut seen = load(3_350, steady);
    assert_eq!((seen.waiting_max, seen.refused), (0, 0));
    assert!(seen.p95_ms() < 50, "p95 is {} ms", seen.p95_ms());
}

#[test]
fn up_to_the_last_place_clients_wait_a_little_and_none_is_refused() {
    let mut seen = load(5_000, steady);
    assert_eq!((seen.in_progress_max, seen.refused), (3_350, 0));
    assert!(seen.waiting_max > 1_500, "{} waited", seen.waiting_max);
    assert!((50..=200).contains(&seen.p95_ms()), "p95 is {} ms", seen.p95_ms());
}

#[test]
fn while_the_service_is_slow_some_of_those_who_wait_are_refused() {
    let hiccup = |at: Duration| if (300..340).contains(&at.as_millis()) { 10 } else { 1 };
    let mut seen = load(5_000, hiccup);
    let refused = seen.refused_share();
    assert!(refused > 0.0 && refused < 0.2, "{refused} refused");
    assert!(seen.p95_ms() <= 200, "p95 is {} ms", seen.p95_ms());
}

#[test]
fn beyond_the_places_about_half_is_refused_at_once() {
    let mut seen = load(10_000, steady);
    let refused = seen.refused_share();
    assert!((0.4..=0.6).contains(&refused), "{refused} refused");
    assert_eq!((seen.in_progress_max, seen.refusal_ms_max), (3_350, 0));
    assert!(seen.waiting_max <= 1_650, "{} waited", seen.waiting_max);
    assert!(seen.p95_ms() <= 200, "p95 is {} ms", seen.p95_ms());
}
