//! Azora: profiles and courses behind caches.

use anyhow::Result;

use super::table::{Limit, Row};
use super::trial::{Behind, Bench, Finding, Load, SOMEWHAT_MORE};

fn load(script: &'static str, seconds: u64) -> Load {
    Load { script, seconds, scale: 1.0, env: Vec::new() }
}

/// 100, 1,000 and 10,000 users.
pub(super) fn users(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("azora", &[], Behind::Servers)?;
    let run = bench.load(&target, &load("suites/azora/load.js", bench.seconds(60, 24)))?;
    let summary = &run.summary;
    let mut rows = Vec::new();
    for (users, scenario) in [("100", "users_100"), ("1,000", "users_1000"), ("10,000", "users_10000")] {
        let time = format!("http_req_duration{{scenario:{scenario}}}");
        let errors = summary.share(&format!("http_req_failed{{scenario:{scenario}}}"))? * 100.0;
        let success = summary.share(&format!("checks{{scenario:{scenario}}}"))? * 100.0;
        rows.extend([
            Row::new(format!("{users} users, p50"), Limit::Below(50.0, " ms"), summary.trend(&time, "med")?),
            Row::new(format!("{users} users, p95"), Limit::Below(200.0, " ms"), summary.p95(&time)?),
            Row::new(
                format!("{users} users, p99"),
                Limit::Below(500.0, " ms"),
                summary.trend(&time, "p(99)")?,
            ),
            Row::new(format!("{users} users, errors"), Limit::Below(1.0, " %"), errors),
            Row::new(format!("{users} users, success"), Limit::AtLeast(95.0, " %"), success),
        ]);
    }
    Ok(run.finding(rows))
}

/// 1,000, 5,000 and 10,000 requests a second.
pub(super) fn throughput(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("azora", &[], Behind::Servers)?;
    let run = bench.load(
        &target,
        &Load { scale: SOMEWHAT_MORE, ..load("suites/azora/throughput.js", bench.seconds(45, 18)) },
    )?;
    let summary = &run.summary;
    let peak = run.peak_per_second("breakwater_http_requests_total", bench.long_span());
    let mut rows = vec![
        Row::new("requests a second, peak", Limit::AtLeast(10_000.0, "/s"), peak)
            .note(format!("{}; 10,200 offered", bench.long_span_note())),
    ];
    for (rate, scenario) in [("1,000", "least"), ("5,000", "target"), ("10,000", "peak")] {
        let time = format!("http_req_duration{{scenario:{scenario}}}");
        rows.extend([
            Row::new(format!("{rate} requests/s, p95"), Limit::Below(200.0, " ms"), summary.p95(&time)?),
            Row::new(
                format!("{rate} requests/s, p99"),
                Limit::Below(500.0, " ms"),
                summary.trend(&time, "p(99)")?,
            ),
        ]);
    }
    Ok(run.finding(rows))
}

/// How much the caches answer, and what a reading of the database takes when they do not.
pub(super) fn caches(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("azora", &[], Behind::Servers)?;
    let run = bench.load(&target, &load("suites/azora/caches.js", bench.seconds(25, 10)))?;
    let fills = run.after.quantile(&run.before, "breakwater_cache_fill_seconds", &[], 0.95);
    let stale = 1.0 - run.summary.share("checks{check:the change is there}")?;
    let rows = vec![
        Row::new("cache hit rate", Limit::AtLeast(80.0, " %"), run.summary.gauge("cache_hit_rate")? * 100.0),
        Row::new("queries, p95", Limit::AtMost(50.0, " ms"), fills.unwrap_or(f64::NAN) * 1e3)
            .note("the bound of its bucket in cache_fill_seconds"),
        Row::new("old answers after a change", Limit::AtMost(0.0, ""), stale),
    ];
    Ok(run.finding(rows))
}

/// gzip, and the way out of it.
pub(super) fn compression(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("azora", &[], Behind::Nothing)?;
    let run = bench.load(&target, &load("suites/azora/compression.js", bench.seconds(8, 4)))?;
    let wrong = (1.0 - run.summary.share("checks")?) * 100.0;
    let share = run.summary.trend("gzip_share", "avg")? * 100.0;
    let rows = vec![
        Row::new("gzip from 1 KB, header opts out: wrong answers", Limit::AtMost(0.0, " %"), wrong),
        Row::new("a page of courses with gzip", Limit::Measure(" % of its bytes"), share),
        Row::new("with gzip, p95", Limit::Below(200.0, " ms"), run.summary.p95("gzip_time")?),
    ];
    Ok(run.finding(rows))
}
