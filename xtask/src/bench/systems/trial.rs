//! A trial: a system of Breakwater, the load that Squall puts on it, and what both tell of it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::super::breakwater::api::Api;
use super::super::breakwater::service::Service;
use super::super::exposition::Exposition;
use super::summary::Summary;
use super::table::Row;
use crate::process::{self, MachineTime};
use crate::servers::Variable;
use crate::tool;

/// A run that has not ended after so much more than its load takes hangs.
const SLACK: Duration = Duration::from_secs(180);

/// How often the service's metrics are read while it is under load.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Squall's exit code when a threshold was crossed. The suites judge by the same limits as the table does.
const THRESHOLDS_CROSSED: i32 = 99;

/// A rate that is promised is offered and a little more: at exactly the rate, the last request would decide.
pub(super) const SOMEWHAT_MORE: f64 = 1.02;

/// What all trials share.
pub(super) struct Bench {
    pub(super) squall: PathBuf,
    pub(super) breakwater: PathBuf,
    /// Where PostgreSQL, Redis and RabbitMQ are; none when the bench runs without.
    pub(super) servers: Vec<Variable>,
    pub(super) quick: bool,
}

/// Where a system keeps its data.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Behind {
    /// In itself.
    Nothing,
    /// In PostgreSQL, Redis and RabbitMQ.
    Servers,
}

/// A load: a script, and how it is scaled.
pub(super) struct Load {
    /// Below the workspace's root.
    pub(super) script: &'static str,
    pub(super) seconds: u64,
    /// The script's `SCALE`.
    pub(super) scale: f64,
    /// More of its environment.
    pub(super) env: Vec<(&'static str, String)>,
}

/// A system under test.
pub(super) struct Target {
    pub(super) service: Service,
    metrics: Api,
}

/// What a load came to.
pub(super) struct Run {
    pub(super) summary: Summary,
    pub(super) before: Exposition,
    pub(super) after: Exposition,
    /// The service's metrics while it was under load, oldest first.
    pub(super) looks: Vec<Look>,
    /// How both were started.
    pub(super) command: String,
    pub(super) seconds: f64,
}

/// A service's metrics at a moment.
pub(super) struct Look {
    pub(super) at: Instant,
    pub(super) metrics: Exposition,
}

/// What a trial found, and how to do it again.
pub(super) struct Finding {
    pub(super) rows: Vec<Row>,
    pub(super) command: String,
    /// Squall says that it could not keep up.
    pub(super) is_saturated: bool,
}

/// The processor time that this bench and all it has started have used, and the machine has.
pub(super) struct Work {
    family: Duration,
    machine: MachineTime,
    at: Instant,
}

impl Work {
    pub(super) fn now() -> Result<Work> {
        Ok(Work { family: process::family_cpu()?, machine: MachineTime::now()?, at: Instant::now() })
    }

    /// The share of the machine that work outside this bench had since then, from 0 to 1.
    pub(super) fn others(&self) -> Result<f64> {
        let now = Work::now()?;
        let cores = thread::available_parallelism().map_or(1, usize::from) as f64;
        let all = now.at.duration_since(self.at).as_secs_f64() * cores;
        let others =
            now.machine.used_since(self.machine).as_secs_f64() - (now.family - self.family).as_secs_f64();
        Ok((others / all).clamp(0.0, 1.0))
    }
}

impl Bench {
    /// So long in a whole run, so long in a quick one.
    pub(super) fn seconds(&self, whole: u64, quick: u64) -> u64 {
        if self.quick { quick } else { whole }
    }

    /// How long a rate has to last that was promised for good.
    pub(super) fn long_span(&self) -> Duration {
        Duration::from_secs(self.seconds(10, 4))
    }

    /// The same, for the table.
    pub(super) fn long_span_note(&self) -> String {
        format!("the best {} s", self.long_span().as_secs())
    }

    /// What `behind` comes to: the real servers where they run.
    pub(super) fn variables(&self, behind: Behind) -> &[Variable] {
        match behind {
            Behind::Nothing => &[],
            Behind::Servers => &self.servers,
        }
    }

    /// Starts a system on all cores, as its suite has it, and waits until it is ready.
    pub(super) fn start(&self, system: &str, flags: &[&str], behind: Behind) -> Result<Target> {
        let [port] = tool::free_ports()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let metrics = address.to_string();
        let all = [flags, &["--metrics-listen", &metrics]].concat();
        let mut service =
            Service::start_on_all_cores(&self.breakwater, system, &all, self.variables(behind))?;
        // The mail server of a trial is on a port that was free; by itself it is on this one.
        let told = |flag: &&str| match flag.starts_with("--mail=smtp:") {
            true => "--mail=smtp://127.0.0.1:2525".to_owned(),
            false => (*flag).to_owned(),
        };
        service.command_line =
            flags.iter().map(told).fold(format!("breakwater {system}"), |line, flag| line + " " + &flag);
        if behind == Behind::Servers {
            service.command_line += " (PostgreSQL, Redis, RabbitMQ)";
        }
        Ok(Target { service, metrics: Api { address } })
    }

    /// Starts the system that a suite is for, with the suite's settings and `more`.
    pub(super) fn start_suite(&self, system: &str, more: &[&str], behind: Behind) -> Result<Target> {
        let path = tool::root().join("suites").join(system).join("suite.toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let suite: toml::Table = text.parse().with_context(|| path.display().to_string())?;
        let options = suite.get("target").and_then(|target| target.get("breakwater_options")?.as_array());
        let options = options.into_iter().flatten().filter_map(toml::Value::as_str);
        self.start(system, &options.chain(more.iter().copied()).collect::<Vec<_>>(), behind)
    }

    /// Puts a load on a system and waits for its end.
    pub(super) fn load(&self, target: &Target, load: &Load) -> Result<Run> {
        let folder = tempfile::tempdir()?;
        let (export, log) = (folder.path().join("export.json"), folder.path().join("log"));
        let mut env = vec![("DURATION", format!("{}s", load.seconds))];
        if load.scale != 1.0 {
            env.push(("SCALE", load.scale.to_string()));
        }
        env.extend(load.env.iter().cloned());
        let mut command = Command::new(&self.squall);
        command
            .args(["run", "--quiet", "--no-usage-report", "--address="])
            .arg(format!("--summary-export={}", export.display()))
            .arg("--summary-trend-stats=avg,min,med,max,p(90),p(95),p(99),count")
            .arg(format!("--env=BASE_URL=http://{}", target.service.api.address))
            .args(env.iter().map(|(name, value)| format!("--env={name}={value}")))
            .arg(tool::root().join(load.script))
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?);
        let before = target.metrics()?;
        let started = Instant::now();
        let child = command.spawn().with_context(|| self.squall.display().to_string())?;
        let (finished, looks) =
            target.watch_while(|| process::wait(&child, Duration::from_secs(load.seconds) + SLACK))?;
        let seconds = started.elapsed().as_secs_f64();
        let last_words = || {
            let log = fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(5)..].join("\n")
        };
        ensure!(finished.exceeded.is_none(), "{} does not end:\n{}", load.script, last_words());
        let is_fine = [Some(0), Some(THRESHOLDS_CROSSED)].contains(&finished.code);
        ensure!(is_fine, "{} failed ({:?}):\n{}", load.script, finished.code, last_words());
        let summary = Summary::new(serde_json::from_str(&fs::read_to_string(&export)?)?);
        let env = env.iter().fold(String::new(), |all, (name, value)| format!("{all} -e {name}={value}"));
        let command = format!("`{}`; `squall run{env} {}`", target.service.command_line, load.script);
        Ok(Run { summary, before, after: target.metrics()?, looks, command, seconds })
    }
}

impl Target {
    /// Its metrics now.
    pub(super) fn metrics(&self) -> Result<Exposition> {
        Ok(Exposition::new(self.metrics.ask_text("GET", "/metrics", None, None)?))
    }

    /// Does something and reads the metrics meanwhile, as far as the service answers.
    pub(super) fn watch_while<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<(T, Vec<Look>)>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let (done, is_done) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let looking = scope.spawn(move || {
                let mut looks = Vec::new();
                while is_done.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                    looks.extend(self.metrics().map(|metrics| Look { at: Instant::now(), metrics }));
                }
                looks
            });
            let outcome = work();
            drop(done);
            let looks = looking.join().expect("reading metrics does not panic");
            Ok((outcome?, looks))
        })
    }
}

impl Run {
    /// The most memory that the service had, in MB.
    pub(super) fn memory_mb(&self) -> f64 {
        let all = self.looks.iter().map(|look| &look.metrics).chain([&self.before, &self.after]);
        all.map(|look| look.sum("breakwater_process_resident_memory_bytes", &[])).fold(0.0, f64::max) / 1e6
    }

    /// How much a counter of the service went up.
    pub(super) fn counted(&self, name: &str, labels: &[&str]) -> f64 {
        self.after.sum(name, labels) - self.before.sum(name, labels)
    }

    /// The most that a counter of the service went up a second, over spans of `span` or a little more.
    pub(super) fn peak_per_second(&self, name: &str, span: Duration) -> f64 {
        let rates = self.looks.iter().enumerate().filter_map(|(index, first)| {
            let last = self.looks[index..].iter().find(|last| last.at - first.at >= span)?;
            let counted = last.metrics.sum(name, &[]) - first.metrics.sum(name, &[]);
            Some(counted / (last.at - first.at).as_secs_f64())
        });
        rates.fold(0.0, f64::max)
    }

    /// Processor time that the service used, in seconds.
    pub(super) fn cpu_s(&self) -> f64 {
        self.counted("breakwater_process_cpu_seconds_total", &[])
    }

    pub(super) fn finding(self, rows: Vec<Row>) -> Finding {
        Finding { rows, is_saturated: self.summary.is_saturated(), command: self.command }
    }
}
