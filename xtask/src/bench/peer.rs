//! The tools that are compared: how each is started and measured.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use super::case::{Case, Plain};
use super::figure::{COMMON, Figure};
use super::rehearsal::rehearse;
use super::said::Said;
use super::{library, servers::Servers};
use crate::process::{self, Exceeded, Limits, MachineTime};
use crate::tool;

/// What a run may take beyond its load: 100,000 VUs have to start first.
const SLACK: Duration = Duration::from_secs(120);

/// The part of the memory that is free which a tool may use. A peer that needs more is not run to its end.
const MEMORY_PART_MAX: f64 = 0.75;

/// Closed connections that do not matter yet, beside some 28,000 ports.
const RESTING_PORTS_MAX: u64 = 5000;

/// A little more than they rest.
const PORTS_REST: Duration = Duration::from_millis(1500);

/// What Drill does in about a second, on its single thread.
const DRILL_ITERATIONS_PER_S: u64 = 10_000;

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
    /// Plays a plan a number of times, not for a time.
    Drill,
    /// Threads of our own that only wait and compute: see `bare`.
    Bare,
}

/// How one run went.
pub(super) enum Outcome {
    /// The case's figures, in its order; those that the tool does not tell are missing.
    Measured(Vec<Option<f64>>),
    /// It was stopped, for this reason.
    TooLarge(String),
}

impl Case {
    /// All figures of its table.
    pub(super) fn all_figures(&self) -> impl Iterator<Item = Figure> {
        COMMON.into_iter().chain(self.figures.iter().copied())
    }
}

impl Peer {
    /// Squall, and what else is installed.
    pub(super) fn installed() -> Result<Vec<Peer>> {
        let mut peers = vec![Peer::new("Squall", Kind::Script, tool::squall(true)?, &["version"])?];
        if let Ok(program) = tool::k6() {
            peers.push(Peer::new("k6", Kind::Script, program, &["version"])?);
        }
        let others =
            [("wrk", Kind::Wrk, "-v"), ("oha", Kind::Oha, "--version"), ("drill", Kind::Drill, "--version")];
        for (name, kind, version) in others {
            if let Some(program) = tool::on_path(name) {
                peers.push(Peer::new(name, kind, program, &[version])?);
            }
        }
        let (program, version) =
            (std::env::current_exe()?, "two threads that sleep, wake and compute".to_owned());
        peers.push(Peer { name: "bare threads", kind: Kind::Bare, program, version });
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
            Kind::Bare => format!("cargo xtask bench bare --seconds {seconds} --turns …"),
            Kind::Wrk => format!("-t2 -c50 -d{seconds}s [-s benches/scripts/post.lua] URL"),
            Kind::Oha => {
                format!(
                    "--no-tui --output-format json --insecure -c 50 -z {seconds}s [--http2] [-m POST -d …] URL"
                )
            }
            Kind::Drill => format!(
                "--stats --quiet --no-check-certificate --benchmark PLAN, {} requests by 50 at a time",
                seconds * DRILL_ITERATIONS_PER_S
            ),
        }
    }

    /// Whether the tool can do the case at all.
    pub(super) fn can_run(&self, case: &Case) -> bool {
        match (self.kind, case.plain) {
            (Kind::Script, _) => true,
            (Kind::Bare, _) => case.machine_busy.is_some(),
            (Kind::Wrk | Kind::Drill, Some(plain)) => plain != Plain::Http2,
            (Kind::Oha, plain) => plain.is_some(),
            (_, None) => false,
        }
    }

    /// One run of the case.
    pub(super) fn run(&self, case: &Case, servers: &Servers, seconds: u64) -> Result<Outcome> {
        let url = servers.url(case.listener) + case.path;
        let mut load = Load { case, url: &url, seconds, turns: 0.0, alone_rss_bytes: None };
        if let Some(share) = case.machine_busy {
            // As long as the run, of whose time the start is then the same part.
            load.turns = rehearse(share, |turns| Ok(self.run_with(Load { turns, ..load })?.busy))?;
        }
        if case.sockets.is_some() {
            let alone = self.run_with(load)?;
            if let Outcome::TooLarge(why) = alone.outcome {
                return Ok(Outcome::TooLarge(format!("its VUs alone: {why}")));
            }
            load.alone_rss_bytes = Some(alone.rss_bytes);
        }
        Ok(self.run_with(load)?.outcome)
    }

    fn run_with(&self, load: Load) -> Result<Run> {
        let Load { case, url, seconds, alone_rss_bytes, .. } = load;
        // First of all: scripts are told when they were started.
        let_ports_rest();
        let folder = tempfile::tempdir()?;
        let place = Place::new(folder.path(), case)?;
        if self.kind == Kind::Drill {
            fs::write(&place.plan, drill_plan(case, url, seconds))?;
        }
        let limits = Limits {
            time: Duration::from_secs(seconds) + SLACK,
            rss_bytes: (process::available_bytes()? as f64 * MEMORY_PART_MAX) as u64,
        };
        let mut command = Command::new(&self.program);
        command.args(self.args(load, &place));
        command
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(File::create(&place.stdout)?)
            .stderr(File::create(&place.stderr)?);

        let (started, machine) = (Instant::now(), MachineTime::now()?);
        let child = command.spawn()?;
        let finished = process::wait_within(&child, limits)?;
        let (took, busy) = (started.elapsed(), MachineTime::now()?.busy_since(machine));
        let run = |outcome| Ok(Run { outcome, busy, rss_bytes: finished.rss_bytes });
        match finished.exceeded {
            Some(Exceeded::Time) => {
                return run(Outcome::TooLarge(format!("not done after {} s", limits.time.as_secs())));
            }
            Some(Exceeded::Memory) => {
                let gigabytes = limits.rss_bytes as f64 / 1e9;
                let text = format!("does not fit: needs more than {gigabytes:.1} GB");
                return run(Outcome::TooLarge(text));
            }
            None => {}
        }
        ensure!(finished.code == Some(0), "failed: {}", place.last_words(finished.code));

        let said = self.said(&place)?;
        ensure!(said.count > 0, "did nothing");
        let figure = |figure| match figure {
            Figure::Cpu => Some(finished.cpu.as_secs_f64() * 1e6 / said.count as f64),
            Figure::Rate => said.rate.or(Some(said.count as f64 / took.as_secs_f64())),
            Figure::Memory => Some(finished.rss_bytes as f64 / 1e6),
            Figure::MemoryPerVu(vus) => Some(finished.rss_bytes as f64 / 1024.0 / vus as f64),
            Figure::MemoryPerSocket => {
                let more = alone_rss_bytes.map(|alone| finished.rss_bytes as f64 - alone as f64);
                more.zip(case.sockets).map(|(bytes, sockets)| bytes / 1024.0 / sockets as f64)
            }
            Figure::MachineBusy => Some(busy * 100.0),
            Figure::Trend { .. } => said.trend(figure),
        };
        run(Outcome::Measured(case.all_figures().map(figure).collect()))
    }

    fn args(&self, load: Load, place: &Place) -> Vec<String> {
        let Load { case, url, seconds, turns, .. } = load;
        let duration = format!("{seconds}s");
        let mut args: Vec<String> = match self.kind {
            Kind::Script => return script_args(load, place),
            Kind::Drill => {
                let plan = place.plan.display().to_string();
                return ["--stats", "--quiet", "--no-check-certificate", "--benchmark", &plan]
                    .map(str::to_owned)
                    .into();
            }
            Kind::Bare => {
                let turns = format!("{turns:.0}");
                return ["bench", "bare", "--seconds", &seconds.to_string(), "--turns", &turns]
                    .map(str::to_owned)
                    .into();
            }
            Kind::Wrk => vec!["-t2".to_owned(), "-c50".to_owned(), format!("-d{duration}")],
            Kind::Oha => ["--no-tui", "--output-format", "json", "--insecure", "-c", "50", "-z", &duration]
                .map(str::to_owned)
                .into(),
        };
        match (case.plain, self.kind) {
            (Some(Plain::Post), Kind::Wrk) => args.extend(["-s".to_owned(), script("post.lua")]),
            (Some(Plain::Post), _) => {
                let body = post_body();
                args.extend(["-m", "POST", "-T", "application/json", "-d", &body].map(str::to_owned));
            }
            (Some(Plain::Http2), _) => args.push("--http2".to_owned()),
            _ => {}
        }
        args.push(url.to_owned());
        args
    }

    fn said(&self, place: &Place) -> Result<Said> {
        let read = |path: &Path| fs::read_to_string(path).with_context(|| path.display().to_string());
        match self.kind {
            Kind::Script => Said::of_export(serde_json::from_str(&read(&place.export)?)?),
            Kind::Bare => Said::of_export(serde_json::from_str(&read(&place.stdout)?)?),
            Kind::Wrk => Said::of_wrk(&read(&place.stdout)?),
            Kind::Drill => Said::of_drill(&read(&place.stdout)?),
            Kind::Oha => Said::of_oha(&serde_json::from_str(&read(&place.stdout)?)?),
        }
    }
}

/// Connections to loopback give their ports back a second after they were closed. Where most are not yet back, looking
/// for one is most of what thousands of connections take: then this waits.
fn let_ports_rest() {
    if process::closed_connections() > RESTING_PORTS_MAX {
        std::thread::sleep(PORTS_REST);
    }
}

/// What a tool is to do in one run.
#[derive(Clone, Copy)]
struct Load<'a> {
    case: &'a Case,
    url: &'a str,
    seconds: u64,
    /// Of computing.
    turns: f64,
    /// What the VUs need without their sockets, once that is measured; until then they have none.
    alone_rss_bytes: Option<u64>,
}

/// How it went, and what is known of it anyway.
struct Run {
    outcome: Outcome,
    /// How busy the machine was.
    busy: f64,
    rss_bytes: u64,
}

/// The files of one run.
struct Place {
    script: String,
    /// Drill's script.
    plan: PathBuf,
    export: PathBuf,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Place {
    /// In `folder`. A script that imports the library is copied there, to lie beside it.
    fn new(folder: &Path, case: &Case) -> Result<Place> {
        let name = format!("{}.js", if case.script.is_empty() { case.name } else { case.script });
        let mut path = script(&name);
        if case.needs_library {
            let copy = folder.join(&name);
            fs::copy(path, &copy)?;
            fs::write(folder.join("lib.js"), library::source())?;
            path = copy.display().to_string();
        }
        Ok(Place {
            script: path,
            plan: folder.join("plan.yml"),
            export: folder.join("export.json"),
            stdout: folder.join("stdout"),
            stderr: folder.join("stderr"),
        })
    }

    /// How a tool that failed ended, for people: its exit code and the last that it logged.
    fn last_words(&self, code: Option<i32>) -> String {
        let code = code.map_or("ended by a signal".to_owned(), |code| format!("exit code {code}"));
        let stderr = fs::read_to_string(&self.stderr).unwrap_or_default();
        let Some(line) = stderr.lines().rev().find(|line| !line.trim().is_empty()) else { return code };
        let message = line.split_once("msg=\"").and_then(|(_, rest)| rest.split_once("\" "));
        let message: String = message.map_or(line, |(message, _)| message).chars().take(200).collect();
        format!("{code}, {message}")
    }
}

/// What Squall and k6 are told alike.
fn script_args(load: Load, place: &Place) -> Vec<String> {
    let Load { case, url, seconds, turns, alone_rss_bytes } = load;
    let fixed = ["run", "--quiet", "--no-usage-report", "--address="].map(str::to_owned);
    let mut environment = vec![
        format!("BASE={url}"),
        format!("SECONDS={seconds}"),
        format!("TURNS={turns:.0}"),
        format!("STARTED_MS={}", now_ms()),
    ];
    if let Some(sockets) = case.sockets {
        environment.push(format!("VUS={sockets}"));
        environment.push(format!("ALONE={}", u8::from(alone_rss_bytes.is_none())));
    }
    let mut args = Vec::from(fixed);
    args.push(format!("--summary-export={}", place.export.display()));
    args.push("--summary-trend-stats=avg,min,med,max,p(90),p(95),p(99),p(99.9)".to_owned());
    args.extend(environment.iter().map(|variable| format!("--env={variable}")));
    args.push(place.script.clone());
    args
}

/// What Drill reads instead of flags.
fn drill_plan(case: &Case, url: &str, seconds: u64) -> String {
    let mut plan = format!(
        "concurrency: 50\niterations: {}\nplan:\n  - name: request\n    request:\n      url: {url}\n",
        seconds * DRILL_ITERATIONS_PER_S
    );
    if case.plain == Some(Plain::Post) {
        plan += "      method: POST\n      headers:\n        Content-Type: application/json\n";
        plan += &format!("      body: '{}'\n", post_body());
    }
    plan
}

/// What post.js and post.lua send.
fn post_body() -> String {
    format!("{{\"text\":\"{}\"}}", "x".repeat(1013))
}

fn script(name: &str) -> String {
    tool::bench_script(name).display().to_string()
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
