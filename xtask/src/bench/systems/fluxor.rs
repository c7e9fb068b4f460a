//! Fluxor: back-pressure at capacity.

use anyhow::Result;

use super::table::{Limit, Row};
use super::trial::{Behind, Bench, Finding, Load, SOMEWHAT_MORE};

/// Requests answered, as the service counts them.
const ANSWERED: &str = "breakwater_http_requests_total";

fn load(script: &'static str, seconds: u64) -> Load {
    Load { script, seconds, scale: 1.0, env: Vec::new() }
}

/// 50,000 requests a second.
pub(super) fn throughput(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("fluxor", &[], Behind::Nothing)?;
    let run = bench.load(
        &target,
        &Load { scale: SOMEWHAT_MORE, ..load("suites/fluxor/throughput.js", bench.seconds(20, 8)) },
    )?;
    let summary = &run.summary;
    let answered = run.counted(ANSWERED, &[]);
    let cpu_us = run.cpu_s() * 1e6 / answered;
    let rows = vec![
        Row::new(
            "requests a second",
            Limit::AtLeast(50_000.0, "/s"),
            run.peak_per_second(ANSWERED, bench.long_span()),
        )
        .note(format!(
            "{}; 51,000 offered, {} not begun in time",
            bench.long_span_note(),
            summary.count("dropped_iterations")
        )),
        Row::new("at that rate, p95", Limit::Below(50.0, " ms"), summary.p95("accepted_time")?),
        Row::new("at that rate, errors", Limit::Below(0.01, " %"), summary.share("failed")? * 100.0),
        Row::new("processor of a request", Limit::Measure(" µs"), cpu_us).note(format!(
            "100,000/s take {:.1} cores of the service alone, three instances three times that",
            cpu_us / 10.0
        )),
    ];
    Ok(run.finding(rows))
}

/// Up to 10,000 clients.
pub(super) fn clients(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("fluxor", &[], Behind::Nothing)?;
    let run = bench.load(&target, &load("suites/fluxor/load.js", bench.seconds(40, 15)))?;
    let summary = &run.summary;
    let rows = vec![
        Row::new("to 10,000 clients, p95", Limit::Below(200.0, " ms"), summary.p95("accepted_time")?),
        Row::new("to 10,000 clients, errors", Limit::Below(0.1, " %"), summary.share("failed")? * 100.0),
        Row::new("memory with 10,000 clients", Limit::Below(250.0, " MB"), run.memory_mb()),
    ];
    Ok(run.finding(rows))
}

/// 100 clients, 5,000, and 100 again.
pub(super) fn spike(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("fluxor", &[], Behind::Nothing)?;
    let run = bench.load(&target, &load("suites/fluxor/spike.js", bench.seconds(40, 15)))?;
    let summary = &run.summary;
    let p95 = |phase: &str| summary.p95(&format!("accepted_time{{phase:{phase}}}"));
    let alive = summary.share("checks{check:alive afterwards}")? * 100.0;
    let rows = vec![
        Row::new("spike to 5,000 clients, p95 in it", Limit::Below(200.0, " ms"), p95("spike")?),
        Row::new("after the spike, p95", Limit::Below(50.0, " ms"), p95("after")?)
            .note(format!("{:.2} ms before it", p95("before")?)),
        Row::new(
            "refused after the spike",
            Limit::AtMost(0.0, " %"),
            summary.share("refused{phase:after}")? * 100.0,
        ),
        Row::new("alive afterwards", Limit::AtLeast(100.0, " %"), alive),
    ];
    Ok(run.finding(rows))
}

/// How long a request of the regions takes by itself, in milliseconds: time and no processor, as if the service asked another
/// one. Without it the processor is full before the places are.
const WORK_MS: f64 = 200.0;

/// Percent of the requests beyond capacity that are refused when all goes as it should: 5,000 of 10,000 clients find no place
/// and ask again after a second, 3,350 places serve a request each `WORK_MS`.
const REFUSED_BEYOND: f64 = 100.0 * 5_000.0 / (5_000.0 + 3_350.0 / (WORK_MS / 1_000.0));

/// Part of the documented size at which two cores carry generator and service.
const PART: f64 = 0.2;

/// The regions of admission control.
pub(super) fn regions(bench: &Bench) -> Result<Finding> {
    let (places, work) =
        (format!("--fluxor-max-clients={}", 5_000.0 * PART), format!("--fluxor-work-ms={WORK_MS}"));
    let target = bench.start_suite("fluxor", &[&places, &work], Behind::Nothing)?;
    let env = vec![("THINK_MS", "0".to_owned()), ("WORK_MS", WORK_MS.to_string())];
    let run = bench.load(
        &target,
        &Load { scale: PART, env, ..load("suites/fluxor/capacity.js", bench.seconds(40, 15)) },
    )?;
    let summary = &run.summary;
    let mut rows = Vec::new();
    for (scenario, clients, limit_ms, errors, refused_limit) in [
        ("below", 3_000.0, 50.0, 0.01, Limit::AtMost(0.0, " %")),
        ("queueing", 4_500.0, 200.0, 0.1, Limit::Below(10.0, " %")),
        ("beyond", 10_000.0, 200.0, 0.1, Limit::AtLeast(REFUSED_BEYOND / 2.0, " %")),
    ] {
        let of = |metric: &str| format!("{metric}{{scenario:{scenario}}}");
        let what = format!("{} clients of {} places", clients * PART, 5_000.0 * PART);
        let refused = summary.share(&of("refused"))? * 100.0;
        let note = match scenario {
            "beyond" => format!("{REFUSED_BEYOND:.0} % when the half without a place asks once a second"),
            _ => String::new(),
        };
        rows.extend([
            Row::new(
                format!("{what}, p95 of those admitted"),
                Limit::Below(limit_ms, " ms"),
                summary.p95(&of("accepted_time"))? - WORK_MS,
            )
            .note(format!("besides {WORK_MS} ms of work; at a fifth of the size")),
            Row::new(format!("{what}, requests refused"), refused_limit, refused).note(note),
            Row::new(
                format!("{what}, errors"),
                Limit::Below(errors, " %"),
                summary.share(&of("failed"))? * 100.0,
            ),
        ]);
    }
    let alive = summary.share("checks{check:alive afterwards}")? * 100.0;
    rows.push(Row::new("beyond capacity: alive afterwards", Limit::AtLeast(100.0, " %"), alive));
    rows.push(Row::new("memory meanwhile", Limit::Below(250.0, " MB"), run.memory_mb()));
    Ok(run.finding(rows))
}
