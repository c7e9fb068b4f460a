//! Birthday: the API, the schedulers, the queue and the workers, on PostgreSQL and RabbitMQ.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use super::table::{Limit, Row};
use super::trial::{Behind, Bench, Finding, Load, Target};
use crate::daemon::Daemon;
use crate::tool;

/// What a mail server takes for a message: a round trip in a data centre, and its disk.
const MAIL_MS: u64 = 30;

/// `breakwater mail-sink`, which takes its time for each message.
struct MailSink {
    address: SocketAddr,
    _daemon: Daemon,
    _log: TempDir,
}

impl MailSink {
    fn start(bench: &Bench) -> Result<MailSink> {
        let [port] = tool::free_ports()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let log = tempfile::tempdir()?;
        let mut command = Command::new(&bench.breakwater);
        command.args(["mail-sink", "--listen", &address.to_string(), "--delay-ms", &MAIL_MS.to_string()]);
        let mut daemon =
            Daemon::spawn("breakwater mail-sink", &mut command, &log.path().join("log"), libc::SIGTERM)?;
        daemon.wait_until(|| TcpStream::connect(address).is_ok())?;
        Ok(MailSink { address, _daemon: daemon, _log: log })
    }

    fn flag(&self) -> String {
        format!("--mail=smtp://{}", self.address)
    }
}

/// Up to 1,200 users, somewhat more than promised: each thinks for a second, and a thousand ask is the promise.
pub(super) fn api(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("birthday", &[], Behind::Servers)?;
    let script = "suites/birthday/api-load.js";
    let load = Load { script, seconds: bench.seconds(45, 20), scale: 1.2, env: Vec::new() };
    let run = bench.load(&target, &load)?;
    let peak = run.peak_per_second("breakwater_http_requests_total", Duration::from_secs(2));
    let summary = &run.summary;
    let rows = vec![
        Row::new("API, 1,200 users, p95", Limit::Below(500.0, " ms"), summary.p95("http_req_duration")?),
        Row::new("API, p99", Limit::Below(1_000.0, " ms"), summary.trend("http_req_duration", "p(99)")?),
        Row::new("API, errors", Limit::Below(1.0, " %"), summary.share("http_req_failed")? * 100.0),
        Row::new("API, requests a second", Limit::AtLeast(1_000.0, "/s"), peak)
            .note("one instance, promised of three; the users ask no more"),
    ];
    Ok(run.finding(rows))
}

/// 10,000 birthdays a day.
pub(super) fn scheduler(bench: &Bench) -> Result<Finding> {
    let target = bench.start_suite("birthday", &[], Behind::Servers)?;
    let script = "suites/birthday/scheduler.js";
    let load = Load { script, seconds: bench.seconds(25, 10), scale: 1.0, env: Vec::new() };
    let run = bench.load(&target, &load)?;
    let summary = &run.summary;
    let rows = vec![
        Row::new(
            "daily run over 10,000",
            Limit::Below(30.0, " s"),
            summary.trend("daily_run_time", "max")? / 1e3,
        )
        .note("the slowest"),
        Row::new("enqueued", Limit::AtLeast(100.0, "/s"), summary.trend("enqueue_rate", "min")?)
            .note("the slowest run"),
        Row::new("queries meanwhile, p95", Limit::Below(200.0, " ms"), summary.p95("query_time")?),
    ];
    Ok(run.finding(rows))
}

/// One, five and ten worker processes that send one message at a time, as the documents' do: what each adds.
pub(super) fn scaling(bench: &Bench) -> Result<Finding> {
    let sink = MailSink::start(bench)?;
    let numbers: &[usize] = if bench.quick { &[1, 10] } else { &[1, 5, 10] };
    let mut rows = Vec::new();
    let mut one_rate = None;
    let mut command = String::new();
    let mut is_saturated = false;
    for number in numbers {
        let plant = Plant::start(bench, &sink, *number, 1)?;
        let mut env = vec![("WORKERS", number.to_string())];
        env.extend(one_rate.map(|rate: f64| ("ONE_WORKER_RATE", rate.to_string())));
        let script = "suites/birthday/workers.js";
        let scale = if bench.quick { 0.5 } else { 1.0 };
        let load = Load {
            script,
            seconds: if *number == 10 { bench.seconds(80, 44) } else { bench.seconds(60, 40) },
            scale,
            env,
        };
        let run = bench.load(&plant.api, &load)?;
        let rate = run.summary.gauge("burst_rate")?;
        rows.push(
            Row::new(format!("{number} workers, one message at a time"), Limit::Measure("/s"), rate).note(
                format!(
                    "{MAIL_MS} ms each at the mail server, {:.0}/s at most",
                    1e3 / MAIL_MS as f64 * *number as f64
                ),
            ),
        );
        if let Ok(efficiency) = run.summary.gauge("scaling_efficiency") {
            let what = format!("scaling efficiency of {number} workers");
            rows.push(Row::new(what, Limit::AtLeast(90.0, " %"), efficiency * 100.0));
        }
        if *number == 10 {
            let (time, retry) = (run.summary.p95("worker_time")?, run.summary.p95("retry_time")?);
            rows.push(Row::new("10 workers at 1,000 and 2,000/min, p95", Limit::Below(1_000.0, " ms"), time));
            rows.push(Row::new(
                "a first try refused, until delivered, p95",
                Limit::Below(2_000.0, " ms"),
                retry,
            ));
            let deepest = run.summary.trend("queue_depth", "max")?;
            rows.push(Row::new("queue depth meanwhile, deepest", Limit::Measure(" messages"), deepest));
        }
        one_rate.get_or_insert(rate);
        command = plant.command_line(&run.command);
        is_saturated |= run.summary.is_saturated();
    }
    Ok(Finding { rows, command, is_saturated })
}

/// Ten worker processes as they come, each with many messages at a time.
pub(super) fn workers(bench: &Bench) -> Result<Finding> {
    let sink = MailSink::start(bench)?;
    let plant = Plant::start(bench, &sink, 10, 64)?;
    let script = "suites/birthday/workers.js";
    let env = vec![("WORKERS", "10".to_owned())];
    let load = Load { script, seconds: bench.seconds(40, 20), scale: 1.0, env };
    let run = bench.load(&plant.api, &load)?;
    let rate = run.summary.gauge("burst_rate")?;
    let row = Row::new("10 workers, 64 messages at a time", Limit::AtLeast(500.0, "/s"), rate)
        .note("5,000 people's messages at once");
    let command = plant.command_line(&run.command);
    Ok(Finding { rows: vec![row], command, is_saturated: run.summary.is_saturated() })
}

/// Up to 1,000 people at a time who are added and get their message.
pub(super) fn end_to_end(bench: &Bench) -> Result<Finding> {
    let sink = MailSink::start(bench)?;
    let mail = sink.flag();
    let flags = ["--birthday-interval-ms=1000", "--birthday-concurrency=64", &mail];
    let target = bench.start_suite("birthday", &flags, Behind::Servers)?;
    let script = "suites/birthday/end-to-end.js";
    let load = Load { script, seconds: bench.seconds(50, 20), scale: 1.0, env: Vec::new() };
    let run = bench.load(&target, &load)?;
    let summary = &run.summary;
    let success = summary.share("flow_success")? * 100.0;
    let rows = vec![
        Row::new("up to 1,000 flows, p95", Limit::Below(5.0, " s"), summary.p95("flow_time")? / 1e3),
        Row::new(
            "up to 1,000 flows, p99",
            Limit::Below(8.0, " s"),
            summary.trend("flow_time", "p(99)")? / 1e3,
        ),
        Row::new("flows that succeed", Limit::AtLeast(99.0, " %"), success)
            .note(format!("{} messages delivered", run.counted("breakwater_birthday_delivered_total", &[]))),
    ];
    Ok(run.finding(rows))
}

/// An API with the schedulers, and workers apart from it.
struct Plant {
    api: Target,
    workers: Vec<Target>,
}

impl Plant {
    fn start(bench: &Bench, sink: &MailSink, workers: usize, concurrency: usize) -> Result<Plant> {
        let api = bench.start(
            "birthday",
            &["--birthday-role=api", "--admin-token=breakwater-demo"],
            Behind::Servers,
        )?;
        let (mail, concurrency) = (sink.flag(), format!("--birthday-concurrency={concurrency}"));
        let flags = ["--birthday-role=worker", "--workers=1", "--pool-size=2", &concurrency, &mail];
        let worker = |_| bench.start("birthday", &flags, Behind::Servers);
        Ok(Plant { api, workers: (0..workers).map(worker).collect::<Result<_>>()? })
    }

    /// How all of it was started.
    fn command_line(&self, load: &str) -> String {
        let one = self.workers.first().map_or("", |worker| &worker.service.command_line);
        format!("{} × `{one}`; `breakwater mail-sink --delay-ms {MAIL_MS}`; {load}", self.workers.len())
    }
}
