//! Connex: the accounts API.

use std::time::Duration;

use anyhow::Result;

use super::table::{Limit, Row};
use super::trial::{Behind, Bench, Finding, Load, SOMEWHAT_MORE};

/// Replicas in the documented deployment, which share the documented load.
const INSTANCES: f64 = 3.0;

fn load(script: &'static str, seconds: u64) -> Load {
    Load { script, seconds, scale: 1.0, env: Vec::new() }
}

/// 10 to 100 users with the usual mix.
pub(super) fn ordinary_day(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("connex", &[], Behind::Nothing)?;
    let run = bench.load(&target, &load("suites/connex/load.js", bench.seconds(45, 15)))?;
    let rows = vec![
        Row::new("10 to 100 users, p95", Limit::Below(500.0, " ms"), run.summary.p95("http_req_duration")?),
        Row::new("10 to 100 users, errors", Limit::Below(10.0, " %"), failed(&run.summary)?),
    ];
    Ok(run.finding(rows))
}

/// 100, 200 and 300 users who make the database work, on one instance.
pub(super) fn stress(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("connex", &[], Behind::Servers)?;
    let run = bench.load(&target, &load("suites/connex/stress.js", bench.seconds(90, 45)))?;
    let mut rows = Vec::new();
    for (users, limit_ms) in [(100, 500.0), (200, 1_000.0), (300, 2_000.0)] {
        let p95_ms = run.summary.p95(&format!("http_req_duration{{users:{users}}}"))?;
        rows.push(Row::new(format!("{users} users, p95"), Limit::Below(limit_ms, " ms"), p95_ms));
    }
    rows.push(Row::new("stress, errors", Limit::Below(20.0, " %"), failed(&run.summary)?));
    let lost = 1.0 - run.summary.share("checks{check:no update was lost}")?;
    rows.push(Row::new("updates lost among edits of the same records", Limit::AtMost(0.0, ""), lost));
    rows.push(Row::new("memory of an instance at 300 users", Limit::Below(256.0, " MB"), run.memory_mb()));
    Ok(run.finding(rows))
}

/// 1,000 requests a second, of each part its share.
pub(super) fn parts(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("connex", &[], Behind::Servers)?;
    let run = bench.load(
        &target,
        &Load { scale: SOMEWHAT_MORE, ..load("suites/connex/performance.js", bench.seconds(30, 15)) },
    )?;
    let summary = &run.summary;
    let cores = run.cpu_s() / run.seconds;
    let rows = vec![
        Row::new(
            "requests a second",
            Limit::AtLeast(1_000.0, "/s"),
            run.peak_per_second("breakwater_http_requests_total", Duration::from_secs(8)),
        )
        .note(format!("1,020 offered; {} not begun in time", summary.count("dropped_iterations"))),
        Row::new("errors", Limit::Below(5.0, " %"), failed(summary)?),
        Row::new("database, p95", Limit::Below(200.0, " ms"), summary.p95("database_time")?),
        Row::new("cached, p95", Limit::Below(50.0, " ms"), summary.p95("cache_time")?),
        Row::new("sign-in, p95", Limit::Measure(" ms"), summary.p95("auth_time")?),
        Row::new("processor of an instance", Limit::Below(0.25, " cores"), cores / INSTANCES)
            .note(format!("{cores:.2} for all of them, of which each of three instances gets a third")),
    ];
    Ok(run.finding(rows))
}

/// Percent of the requests that failed.
fn failed(summary: &super::summary::Summary) -> Result<f64> {
    Ok(summary.share("http_req_failed")? * 100.0)
}
