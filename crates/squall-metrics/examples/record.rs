//! Measures what a sample costs: `cargo run --release -p squall-metrics --example record`.
#![expect(clippy::print_stdout, reason = "figures for a person at a terminal")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use squall_metrics::{MetricId, Recorder, Registry, TagSet, builtin};

const SAMPLES: u32 = 50_000_000;

/// Samples between two drains, about those of a busy worker in a second.
const SAMPLES_PER_DRAIN: u32 = 500_000;

fn main() {
    let metrics = [
        ("counter", builtin::HTTP_REQS),
        ("gauge", builtin::VUS),
        ("rate", builtin::CHECKS),
        ("trend", builtin::HTTP_REQ_DURATION),
    ];
    for (name, metric) in metrics {
        println!("{name}: {:.1} ns a sample", cost_ns(metric));
    }
}

fn cost_ns(metric: MetricId) -> f64 {
    let mut recorder = Recorder::new(Arc::new(Registry::new()));
    let series = recorder.series(metric, &TagSet::new([("status", "200"), ("method", "GET")]));
    let started = Instant::now();
    for index in 0..SAMPLES {
        // Spread over some octaves, as latencies are.
        let value = f64::from((index.wrapping_mul(2_654_435_761) >> 16) & 0xffff) * 0.01;
        recorder.record(series, black_box(value), Duration::from_micros(u64::from(index)));
        if index % SAMPLES_PER_DRAIN == 0 {
            black_box(recorder.drain());
        }
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(SAMPLES)
}
