//! `cargo xtask bench bare`: the least that a generator of arrivals can be, to tell what of a generator's lateness is the
//! machine's. Two threads sleep until an arrival is due, note how late they woke, and compute.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

const THREADS: u64 = 2;
/// As many as `benches/scripts/busy.js` has.
const ARRIVALS_PER_S: u64 = 5000;

#[derive(clap::Args)]
pub(super) struct BareArgs {
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How much to compute for each arrival: additions
    #[arg(long, default_value_t = 0)]
    turns: u64,
}

/// Prints what it measured as Squall and k6 export it.
pub(super) fn run(args: &BareArgs) -> Result<()> {
    let start = Instant::now() + Duration::from_millis(100);
    let arrivals = args.seconds * ARRIVALS_PER_S;
    let serve_every_other = |first: u64| {
        (first..arrivals).step_by(THREADS as usize).map(|index| serve(start, index, args.turns)).collect()
    };
    let mut late_ms: Vec<f64> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|first| scope.spawn(move || serve_every_other(first))).collect();
        threads
            .into_iter()
            .flat_map(|thread| -> Vec<f64> { thread.join().expect("it only computes") })
            .collect()
    });
    let rate = arrivals as f64 / start.elapsed().as_secs_f64();
    late_ms.sort_unstable_by(f64::total_cmp);
    let part = |part: f64| late_ms[((late_ms.len() - 1) as f64 * part) as usize];
    let lateness = json!({"med": part(0.5), "p(99)": part(0.99), "p(99.9)": part(0.999), "max": part(1.0)});
    println!(
        "{}",
        json!({"metrics": {"iterations": {"count": arrivals, "rate": rate}, "iteration_lateness": lateness}})
    );
    Ok(())
}

/// Waits for an arrival and computes; returns how late it was in milliseconds.
fn serve(start: Instant, index: u64, turns: u64) -> f64 {
    let due = start + Duration::from_micros(index * 1_000_000 / ARRIVALS_PER_S);
    thread::sleep(due.saturating_duration_since(Instant::now()));
    let late = Instant::now().saturating_duration_since(due);
    let computed = (0..turns).fold(1u64, |x, turn| std::hint::black_box((x * 31 + turn) % 65521));
    std::hint::black_box(computed);
    late.as_secs_f64() * 1e3
}
