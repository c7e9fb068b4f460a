//! The tools that are compared: how each is started, and what it says it did.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::case::{Case, Extra, Plain};
use crate::{process, tool};

/// What a run may take beyond its load: 10,000 VUs have to start first.
const SLACK: Duration = Duration::from_secs(120);

/// A tool on this machine.
pub(super) struct Peer {
    pub(super) name: &'static str,
    kind: Kind,
    program: PathBuf,
    /// What it says of itself.
    pub(super) version: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Squall and k6 take the same scripts and flags.
    Script,
    Wrk,
    Oha,
}

/// One run in numbers.
pub(super) struct Measured {
    /// Processor time a request or iteration, in microseconds.
    pub(super) cpu_us: f64,
    /// Requests or iterations a second.
    pub(super) rate: f64,
    /// The largest resident set.
    pub(super) rss_bytes: u64,
    /// The numbers of the case's extra column; empty when the tool has none.
    pub(super) extra: Vec<f64>,
}

impl Peer {
    /// Squall, and what else is installed.
    pub(super) fn installed() -> Result<Vec<Peer>> {
        let mut peers = vec![Peer::new("Squall", Kind::Script, tool::squall(true)?, &["version"])?];
        if let Ok(program) = tool::k6() {
            peers.push(Peer::new("k6", Kind::Script, program, &["version"])?);
        }
        for (name, kind, version) in [("wrk", Kind::Wrk, "-v"), ("oha", Kind::Oha, "--version")] {
            if let Some(program) = tool::on_path(name) {
                peers.push(Peer::new(name, kind, program, &[version])?);
            }
        }
        Ok(peers)
    }

    fn new(name: &'static str, kind: Kind, program: PathBuf, version: &[&str]) -> Result<Peer> {
        let output =
            Command::new(&program).args(version).output().with_context(|| program.display().to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.lines().next().unwrap_or_default().trim().to_owned();
        Ok(Peer { name, kind, program, version })
    }

    /// How it is started, for people: without the addresses and folders of this machine.
    pub(super) fn command_line(&self, seconds: u64) -> String {
        match self.kind {
            Kind::Script => {
                format!("run --quiet --summary-export=… --env SECONDS={seconds} benches/scripts/CASE.js")
            }
            Kind::Wrk => format!("-t2 -c50 -d{seconds}s [-s benches/scripts/post.lua] URL"),
            Kind::Oha => format!("--no-tui --output-format json -c 50 -z {seconds}s [-m POST -d …] URL"),
        }
    }

    /// Whether the tool can do the case at all.
    pub(super) fn can_run(&self, case: &Case) -> bool {
        self.kind == Kind::Script || case.plain.is_some()
    }

    /// One run of the case.
    pub(super) fn run(&self, case: &Case, url: &str, seconds: u64) -> Result<Measured> {
        let folder = tempfile::tempdir()?;
        let (stdout, export) = (folder.path().join("stdout"), folder.path().join("export.json"));
        let mut command = Command::new(&self.program);
        command.args(self.args(case, url, seconds, &export));
        command
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&stdout)?)
            .stderr(Stdio::null());

        let started = Instant::now();
        let child = command.spawn()?;
        let finished = process::wait(&child, Duration::from_secs(seconds) + SLACK)?;
        let took = started.elapsed();
        ensure!(finished.code == Some(0), "{} failed at {}: {finished:?}", self.name, case.name);

        let said = Said::read(self.kind, &stdout, &export)?;
        ensure!(said.count > 0, "{} did nothing at {}", self.name, case.name);
        Ok(Measured {
            cpu_us: finished.cpu.as_secs_f64() * 1e6 / said.count as f64,
            rate: said.rate.unwrap_or_else(|| said.count as f64 / took.as_secs_f64()),
            rss_bytes: finished.rss_bytes,
            extra: case.extra.map(|extra| said.extra(extra, finished.rss_bytes)).unwrap_or_default(),
        })
    }

    fn args(&self, case: &Case, url: &str, seconds: u64, export: &Path) -> Vec<String> {
        let duration = format!("{seconds}s");
        let mut args: Vec<String> = match self.kind {
            Kind::Script => return script_args(case, url, seconds, export),
            Kind::Wrk => vec!["-t2".to_owned(), "-c50".to_owned(), format!("-d{duration}")],
            Kind::Oha => {
                ["--no-tui", "--output-format", "json", "-c", "50", "-z", &duration].map(str::to_owned).into()
            }
        };
        match (case.plain, self.kind) {
            (Some(Plain::Post), Kind::Wrk) => args.extend(["-s".to_owned(), script("post.lua")]),
            (Some(Plain::Post), _) => {
                let body = format!("{{\"text\":\"{}\"}}", "x".repeat(1013));
                args.extend(["-m", "POST", "-T", "application/json", "-d", &body].map(str::to_owned));
            }
            _ => {}
        }
        args.push(url.to_owned());
        args
    }
}

/// What Squall and k6 are told alike.
fn script_args(case: &Case, url: &str, seconds: u64, export: &Path) -> Vec<String> {
    let fixed = ["run", "--quiet", "--no-usage-report", "--address="].map(str::to_owned);
    let environment =
        [format!("BASE={url}"), format!("SECONDS={seconds}"), format!("STARTED_MS={}", now_ms())];
    let mut args = Vec::from(fixed);
    args.push(format!("--summary-export={}", export.display()));
    args.push("--summary-trend-stats=avg,min,med,max,p(90),p(95),p(99),p(99.9)".to_owned());
    args.extend(environment.map(|variable| format!("--env={variable}")));
    args.push(script(&format!("{}.js", case.name)));
    args
}

fn script(name: &str) -> String {
    tool::root().join("benches/scripts").join(name).display().to_string()
}

/// What a tool reported of its run.
struct Said {
    count: u64,
    rate: Option<f64>,
    /// The summary export; null for tools without scripts.
    export: Value,
}

impl Said {
    fn read(kind: Kind, stdout: &Path, export: &Path) -> Result<Said> {
        let text = fs::read_to_string(stdout)?;
        match kind {
            Kind::Script => Said::of_export(serde_json::from_str(&fs::read_to_string(export)?)?),
            Kind::Wrk => Said::of_wrk(&text),
            Kind::Oha => Said::of_oha(&serde_json::from_str(&text)?),
        }
    }

    fn of_export(export: Value) -> Result<Said> {
        let iterations = &export["metrics"]["iterations"];
        let count = iterations["count"].as_f64().context("the export has no iterations")? as u64;
        Ok(Said { count, rate: iterations["rate"].as_f64(), export })
    }

    /// `  123456 requests in 5.00s, 20.3MB read` and `Requests/sec:  24691.20`.
    fn of_wrk(text: &str) -> Result<Said> {
        let word_before =
            |mark: &str| text.lines().find_map(|line| line.trim().split_once(mark)).map(|(count, _)| count);
        let count = word_before(" requests in").context("wrk names no requests")?.parse()?;
        let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")).map(str::trim);
        Ok(Said { count, rate: rate.and_then(|rate| rate.parse().ok()), export: Value::Null })
    }

    fn of_oha(report: &Value) -> Result<Said> {
        let statuses = report["statusCodeDistribution"].as_object().context("oha names no statuses")?;
        let count = statuses.values().filter_map(Value::as_u64).sum();
        Ok(Said { count, rate: report["summary"]["requestsPerSec"].as_f64(), export: Value::Null })
    }

    fn extra(&self, extra: Extra, rss_bytes: u64) -> Vec<f64> {
        let trend = |name: &str, keys: &[&str]| {
            let metric = &self.export["metrics"][name];
            keys.iter().filter_map(|key| metric[*key].as_f64()).collect()
        };
        match extra {
            Extra::KilobytesPerVu(vus) => vec![rss_bytes as f64 / 1024.0 / vus as f64],
            Extra::Lateness => trend("iteration_lateness", &["med", "p(99)", "p(99.9)", "max"]),
            Extra::AllRunning => trend("running_after", &["max"]),
        }
    }
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_wrk_says() {
        let said =
            Said::of_wrk("Running 5s test\n  123456 requests in 5.00s, 20MB read\nRequests/sec:  24691.20\n")
                .unwrap();
        assert_eq!((said.count, said.rate), (123_456, Some(24_691.2)));
    }

    #[test]
    fn reads_the_export_of_a_script() {
        let export = serde_json::json!({"metrics": {
            "iterations": {"count": 10, "rate": 2.5},
            "iteration_lateness": {"med": 0.1, "p(99)": 0.4, "p(99.9)": 0.5, "max": 0.9},
        }});
        let said = Said::of_export(export).unwrap();
        assert_eq!((said.count, said.rate), (10, Some(2.5)));
        assert_eq!(said.extra(Extra::Lateness, 0), [0.1, 0.4, 0.5, 0.9]);
        assert_eq!(said.extra(Extra::KilobytesPerVu(2), 4096), [2.0]);
    }
}
