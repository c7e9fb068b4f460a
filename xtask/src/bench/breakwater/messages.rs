//! Birthday's messages: how many a second a scheduler puts into RabbitMQ, and how many a worker takes out and sends.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::super::exposition::Exposition;
use super::case;
use super::row;
use super::service::Service;
use super::wrk::Measured;
use crate::servers::Variable;

/// Seconds of creating people: some thousands.
const CREATE_S: u64 = 5;

/// A worker that takes longer hangs.
const DELIVER_MAX: Duration = Duration::from_secs(300);

const TOKEN: &str = "bench";

/// Everybody's message is due from midnight; nothing happens but what is asked for.
const API: &[&str] = &[
    "--birthday-role",
    "api",
    "--birthday-send-at",
    "00:00",
    "--admin-token",
    TOKEN,
    "--request-timeout-ms",
    "300000",
];
const WORKER: &[&str] = &["--birthday-role", "worker", "--mail", "sink:", "--metrics-token", TOKEN];

/// Creates people whose birthday is today, has their messages published, then delivered.
pub(super) fn measure(program: &Path, wrk: &Path, variables: &[Variable]) -> Result<Vec<String>> {
    let api = Service::start(program, "birthday", API, variables)?;
    let today =
        jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().strftime("1990-%m-%d").to_string();
    case::people(&today).run(wrk, &api, CREATE_S)?;

    let cpu = api.cpu()?;
    let run = api.api.ask("POST", "/api/v1/schedule/run?part=minute", Some(TOKEN), None)?;
    let published = run["enqueued"].as_u64().context("the run tells no number")?;
    let took_ms = run["duration_ms"].as_u64().context("the run tells no duration")?;
    ensure!(published > 0, "nothing was due");
    let publishing = rate(published, Duration::from_millis(took_ms.max(1)), api.cpu()? - cpu);

    let begun = Instant::now();
    let worker = Service::start(program, "birthday", WORKER, variables)?;
    while delivered(&worker)? < published {
        ensure!(begun.elapsed() < DELIVER_MAX, "only {} of {published} were delivered", delivered(&worker)?);
        thread::sleep(Duration::from_millis(20));
    }
    // From the start of the process: what it needs for that is small beside the rest.
    let delivering = rate(published, begun.elapsed(), worker.cpu()?);
    let asked = format!("`{}`; `POST /api/v1/schedule/run?part=minute`", api.command_line);
    Ok(vec![
        row("birthday", "messages published to RabbitMQ", Some(2_000.0), &publishing, &asked),
        row(
            "birthday",
            "messages delivered",
            Some(1_000.0),
            &delivering,
            &format!("`{}`", worker.command_line),
        ),
    ])
}

fn rate(count: u64, took: Duration, cpu: Duration) -> Measured {
    Measured {
        rate: count as f64 / took.as_secs_f64(),
        p50_ms: None,
        p99_ms: None,
        cpu_us: cpu.as_secs_f64() * 1e6 / count as f64,
    }
}

fn delivered(worker: &Service) -> Result<u64> {
    let metrics = Exposition::new(worker.api.ask_text("GET", "/metrics", Some(TOKEN), None)?);
    Ok(metrics.sum("breakwater_birthday_delivered_total", &[]) as u64)
}
