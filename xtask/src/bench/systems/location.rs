//! Location: positions shared in sessions over WebSocket.

use std::time::Duration;

use anyhow::Result;

use super::table::{Limit, Row};
use super::trial::{Behind, Bench, Finding, Load, Run, SOMEWHAT_MORE};

const SPAN: Duration = Duration::from_secs(3);

/// Connections of a whole storm.
const CONNECTIONS: f64 = 10_000.0;

/// 10,000 connections, 100 new ones a second; a quick run has fewer and opens them faster.
pub(super) fn storm(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("location", &[], Behind::Nothing)?;
    let scale = if bench.quick { 0.3 } else { 1.0 };
    let load =
        Load { script: "suites/location/storm.js", seconds: bench.seconds(120, 25), scale, env: Vec::new() };
    let run = bench.load(&target, &load)?;
    let open = |look: &super::trial::Look| look.metrics.sum("breakwater_location_connections", &[]);
    let most = run.looks.iter().map(open).fold(0.0, f64::max);
    let opening = run.peak_per_second("breakwater_location_connect_seconds_count", SPAN);
    let before = run.before.sum("breakwater_process_resident_memory_bytes", &[]) / 1e6;
    let summary = &run.summary;
    let rows = vec![
        Row::new("connections open at a time", Limit::AtLeast(CONNECTIONS * scale, ""), most),
        Row::new("new connections a second", Limit::AtLeast(100.0, "/s"), opening),
        Row::new("connections refused or failed", Limit::AtMost(0.0, " %"), missing(&run, "connected")),
        Row::new("connecting, p95", Limit::Measure(" ms"), summary.p95("ws_connecting")?),
        Row::new("ping to pong, p99", Limit::Below(100.0, " ms"), summary.trend("pong_time", "p(99)")?),
        Row::new("memory of a connection", Limit::Measure(" KB"), (run.memory_mb() - before) * 1e3 / most),
        Row::new("processor of the service", Limit::Measure(" cores"), run.cpu_s() / run.seconds)
            .note("on average, each connection pinging once a second"),
    ];
    Ok(run.finding(rows))
}

/// What is promised of an instance: 5,000 updates a second, through Redis as beside other instances.
pub(super) fn updates(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("location", &[], Behind::Servers)?;
    let run = bench.load(&target, &flood(bench.seconds(30, 15), 0.2 * SOMEWHAT_MORE))?;
    let summary = &run.summary;
    let published = run.peak_per_second("breakwater_bus_published_total", SPAN);
    let rows = vec![
        Row::new("updates a second", Limit::AtLeast(5_000.0, "/s"), taken(&run)).note("5,100 offered"),
        Row::new(
            "broadcast delay, p99",
            Limit::Below(100.0, " ms"),
            summary.trend("broadcast_delay", "p(99)")?,
        ),
        Row::new("positions lost or replaced before they were sent", Limit::AtMost(0.0, " %"), skipped(&run)),
        Row::new("published to Redis", Limit::Measure(" messages/s"), published),
    ];
    Ok(run.finding(rows))
}

/// 50 users in each of 100 sessions, five updates a second each: 25,000 a second, each for 50.
pub(super) fn flood_of_updates(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("location", &["--workers=1"], Behind::Nothing)?;
    let run = bench.load(&target, &flood(bench.seconds(30, 20), 1.0))?;
    let summary = &run.summary;
    let delivered = run.peak_per_second("breakwater_location_deliveries_total", SPAN);
    let in_service =
        run.after.quantile(&run.before, "breakwater_location_broadcast_delay_seconds", &[], 0.99);
    let rows = vec![
        Row::new("updates a second, documented flood", Limit::Measure("/s"), taken(&run))
            .note("25,000 offered"),
        Row::new("positions delivered", Limit::Measure("/s"), delivered).note("of 1,250,000"),
        Row::new("broadcast delay, p50", Limit::Measure(" ms"), summary.trend("broadcast_delay", "med")?),
        Row::new("broadcast delay, p99", Limit::Measure(" ms"), summary.trend("broadcast_delay", "p(99)")?)
            .note("five times what is promised of an instance; generator on the same cores"),
        Row::new(
            "of it in the service, p99",
            Limit::Measure(" ms at most"),
            in_service.unwrap_or(f64::NAN) * 1e3,
        ),
        Row::new(
            "positions replaced by newer ones before they were sent",
            Limit::Measure(" %"),
            skipped(&run),
        ),
    ];
    Ok(run.finding(rows))
}

/// 1,000 sessions created a minute, people joining and leaving.
pub(super) fn lifecycle(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("location", &[], Behind::Servers)?;
    let script = "suites/location/lifecycle.js";
    let load = Load { script, seconds: bench.seconds(30, 12), scale: SOMEWHAT_MORE, env: Vec::new() };
    let run = bench.load(&target, &load)?;
    let summary = &run.summary;
    let created = summary.trend("create_time", "count")? / load.seconds as f64 * 60.0;
    let rows = vec![
        Row::new("sessions created a minute", Limit::AtLeast(1_000.0, ""), created).note("1,020 offered"),
        Row::new("creating a session, p95", Limit::Measure(" ms"), summary.p95("create_time")?),
        Row::new("joining, p95", Limit::Measure(" ms"), summary.p95("join_time")?),
        Row::new("requests failed", Limit::AtMost(0.0, " %"), summary.share("http_req_failed")? * 100.0),
    ];
    Ok(run.finding(rows))
}

/// People on bad networks, which Squall makes.
pub(super) fn geographic(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("location", &[], Behind::Nothing)?;
    let script = "suites/location/geographic.js";
    let load = Load { script, seconds: bench.seconds(35, 15), scale: 1.0, env: Vec::new() };
    let run = bench.load(&target, &load)?;
    let summary = &run.summary;
    let rows = vec![
        Row::new(
            "1,000 people 50 to 500 ms away, 1 to 5 % lost: delay, p50",
            Limit::Measure(" ms"),
            summary.trend("broadcast_delay", "med")?,
        ),
        Row::new("delay, p99", Limit::Measure(" ms"), summary.trend("broadcast_delay", "p(99)")?),
        Row::new(
            "broken connections that came back",
            Limit::AtLeast(99.0, " %"),
            100.0 - missing(&run, "recovered"),
        ),
    ];
    Ok(run.finding(rows))
}

fn flood(seconds: u64, scale: f64) -> Load {
    Load { script: "suites/location/flood.js", seconds, scale, env: Vec::new() }
}

/// Positions that the service took a second, when most came.
fn taken(run: &Run) -> f64 {
    run.peak_per_second("breakwater_location_updates_total", SPAN)
}

/// Percent of the positions due to members that a newer one took the place of.
fn skipped(run: &Run) -> f64 {
    let skipped = run.counted("breakwater_location_skipped_total", &[]);
    let delivered = run.counted("breakwater_location_deliveries_total", &[]);
    skipped / (skipped + delivered) * 100.0
}

/// Percent of a rate that is not so; a rate that the run never had to count is so throughout.
fn missing(run: &Run, rate: &str) -> f64 {
    (1.0 - run.summary.share(rate).unwrap_or(1.0)) * 100.0
}
