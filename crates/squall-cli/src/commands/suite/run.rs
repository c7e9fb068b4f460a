//! `squall suite run`: each test as a process of its own, behind its gates, and a report over all.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use squall_suite::{Outcome, Plan, Report, Request, Source, Step, Verdict};

use super::{
    child,
    load::Suite,
    results::{Results, TestFolder},
    target::Target,
};
use crate::{
    args::{GlobalArgs, SuiteRunArgs, switch},
    error::{Error, Result},
    exit_code::ExitCode,
    process::{Interrupts, Process},
    runtime_options::assignments,
};

/// What summaries of a suite show and export of each trend: what the table needs, and a bit more.
const TREND_STATS: &str = "--summary-trend-stats=avg,min,med,max,p(90),p(95),p(99),p(99.9)";

/// Runs what was asked for and says how it went: the exit code is the highest of all tests.
pub(super) fn execute(global: &GlobalArgs, args: &SuiteRunArgs, process: &mut Process) -> Result<ExitCode> {
    let suite = Suite::load(&args.suite, process)?;
    let plan = Plan::new(&suite.manifest, &request(&suite, args, process)?)
        .map_err(|error| Error::usage(format!("{}: {error}", suite.file.display())).hint(error.hint))?;
    let interrupts = (process.count_signals)().map_err(|error| {
        Error::new(ExitCode::InternalError, format!("cannot listen for signals: {error}"))
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Error::new(ExitCode::InternalError, format!("cannot start an event loop: {error}"))
    })?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let run = Run {
            target: Target::choose(&suite.manifest, args, process)?,
            results: results(&suite, args, process)?,
            suite: &suite,
            flags: flags_of_children(global),
            is_quiet: switch(global.quiet).unwrap_or(false),
            process,
            interrupts,
            worst: ExitCode::Success,
            stopped: None,
        };
        run.all(&plan).await
    })
}

struct Run<'a> {
    suite: &'a Suite,
    target: Target<'a>,
    results: Results,
    /// Global flags that each test is given, too.
    flags: Vec<String>,
    is_quiet: bool,
    process: &'a Process,
    interrupts: Interrupts,
    worst: ExitCode,
    /// Why no more tests are run.
    stopped: Option<&'static str>,
}

impl Run<'_> {
    async fn all(mut self, plan: &Plan<'_>) -> Result<ExitCode> {
        let started = Instant::now();
        let mut report = Report {
            title: self.suite.manifest.title.clone(),
            suite: self.suite.file.display().to_string(),
            set: plan.set.map(|set| set.name.clone()),
            base_url: String::new(),
            breakwater: None,
            started_at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            duration: Duration::ZERO,
            outcomes: Vec::new(),
            skipped: plan.skipped.iter().map(|&name| name.to_owned()).collect(),
        };
        for (index, step) in plan.steps.iter().enumerate() {
            self.head(&format!("\n== {}/{}: {}", index + 1, plan.steps.len(), title(step)));
            let outcome = match self.reason_not_to_run(step, &report) {
                Some(why) => not_run(step, why),
                None => self.turn(step, &mut report).await.unwrap_or_else(|error| {
                    self.note(&error);
                    Outcome { verdict: Verdict::Failed(error.message), ..not_run(step, String::new()) }
                }),
            };
            if outcome.verdict != Verdict::Passed {
                tracing::error!("{}: {}", step.test.name, outcome.verdict.text());
            }
            report.outcomes.push(outcome);
            report.duration = started.elapsed();
            // After each test: what is measured stays, whatever becomes of the rest.
            if let Err(error) = self.results.write(&report) {
                self.note(&error);
            }
        }
        let folder = self.results.folder();
        let folder = folder.strip_prefix(&self.process.current_dir).unwrap_or(folder).display();
        self.process.console.print(&format!(
            "\n== {}\n\n{}\n  results: {folder}\n",
            report.title,
            report.text()
        ));
        Ok(self.worst)
    }

    fn reason_not_to_run(&self, step: &Step<'_>, report: &Report) -> Option<String> {
        if let Some(why) = self.stopped {
            return Some(why.to_owned());
        }
        let of = |name: &str| report.outcomes.iter().find(|outcome| outcome.name == name);
        let gate = step.held_back_by(|name| of(name).is_some_and(|it| it.verdict == Verdict::Passed))?;
        Some(match of(gate).map(|outcome| &outcome.verdict) {
            Some(Verdict::NotRun(_)) => format!("it needs {gate}, which was not run"),
            _ => format!("it needs {gate}, which failed"),
        })
    }

    /// Has the target ready and runs the test. Without a target there is no point in going on.
    async fn turn(&mut self, step: &Step<'_>, report: &mut Report) -> Result<Outcome> {
        let base_url = match self.prepare(step, report).await {
            Ok(Some(base_url)) => base_url,
            Ok(None) => {
                self.interrupted();
                return Ok(not_run(step, "interrupted".into()));
            }
            Err(error) => {
                self.note(&error);
                self.stopped = Some("there was no target");
                return Ok(not_run(step, "there was no target".into()));
            }
        };
        let folder = self.results.of_test(&step.test.name)?;
        let arguments = self.arguments(step, &folder, &base_url);
        let mut command = Command::new(&self.process.executable);
        command.args(&arguments).current_dir(&self.process.current_dir);
        command.env_clear().envs(&self.process.env);
        let started = Instant::now();
        let console = &self.process.console;
        let status = child::run(command, &folder.console_log(), console, &mut self.interrupts).await;
        let status = status.map_err(|error| {
            let program = self.process.executable.display();
            Error::new(ExitCode::InternalError, format!("cannot run {program}: {error}"))
        })?;
        let (verdict, exit_code) = child::verdict(status);
        self.worst = self.worst.max(exit_code);
        if self.interrupts.have_come() {
            self.interrupted();
        }
        Ok(Outcome {
            verdict,
            exit_code: status.code(),
            duration: started.elapsed(),
            command: [vec![crate::PROGRAM.to_owned()], arguments].concat(),
            breakwater: self.target.breakwater(),
            measured: folder.measured(),
            ..not_run(step, String::new())
        })
    }

    /// Where the test's target is, once it is ready; nothing after a signal.
    async fn prepare(&mut self, step: &Step<'_>, report: &mut Report) -> Result<Option<String>> {
        if self.interrupts.have_come() {
            return Ok(None);
        }
        let known = self.target.breakwater();
        let base_url = self.target.serve(step.test)?;
        let command = self.target.breakwater();
        if let Some(command) = command.as_ref().filter(|_| command != known) {
            self.head(&format!("{base_url} is {command}"));
        }
        if report.base_url.is_empty() {
            report.base_url.clone_from(&base_url);
            report.breakwater = command;
        }
        tokio::select! {
            ready = self.target.ready(&base_url) => ready.map(|()| Some(base_url)),
            () = self.interrupts.first() => Ok(None),
        }
    }

    /// Tells what went wrong and goes on: what is measured stays.
    fn note(&mut self, error: &Error) {
        error.log();
        self.worst = self.worst.max(error.exit_code);
    }

    fn interrupted(&mut self) {
        self.worst = self.worst.max(ExitCode::Interrupted);
        self.stopped = Some("interrupted");
    }

    /// The command line of a test, without the program.
    fn arguments(&self, step: &Step<'_>, folder: &TestFolder, base_url: &str) -> Vec<String> {
        let mut arguments = vec!["run".to_owned()];
        arguments.extend(self.flags.iter().cloned());
        arguments.push(format!("--summary-export={}", folder.summary().display()));
        arguments.push("--new-machine-readable-summary=false".to_owned());
        if !step.test.options.iter().any(|option| option.starts_with("--summary-trend-stats")) {
            arguments.push(TREND_STATS.to_owned());
        }
        let mut env = step.env.clone();
        env.extend(self.measured_before(step));
        env.insert("BASE_URL".into(), base_url.to_owned());
        env.insert("OUTPUT_DIR".into(), folder.path().display().to_string());
        arguments.extend(env.into_iter().flat_map(|(name, value)| ["-e".into(), format!("{name}={value}")]));
        arguments.extend(step.test.options.iter().cloned());
        arguments.push(self.suite.script(step.test).display().to_string());
        arguments
    }

    /// What the test finds in `__ENV` of results of tests before it.
    fn measured_before(&self, step: &Step<'_>) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for (&name, source) in &step.env_from {
            let Source { test, metric, statistic } = source;
            match self.results.figure(source) {
                Some(value) => _ = env.insert(name.to_owned(), value.to_string()),
                None => tracing::warn!(
                    "{}: no result for {name}: {test} has no {statistic} of {metric}",
                    step.test.name
                ),
            }
        }
        env
    }

    /// A line about the run as a whole, unless nobody wants it.
    fn head(&self, line: &str) {
        if !self.is_quiet {
            self.process.console.print(&format!("{line}\n"));
        }
    }
}

fn title(step: &Step<'_>) -> String {
    match step.test.about.is_empty() {
        true => step.test.name.clone(),
        false => format!("{}: {}", step.test.name, step.test.about),
    }
}

fn not_run(step: &Step<'_>, why: String) -> Outcome {
    Outcome {
        name: step.test.name.clone(),
        about: step.test.about.clone(),
        kind: step.test.kind.clone(),
        verdict: Verdict::NotRun(why),
        exit_code: None,
        duration: Duration::ZERO,
        command: Vec::new(),
        breakwater: None,
        measured: None,
    }
}

/// Flags first, then variables.
fn request(suite: &Suite, args: &SuiteRunArgs, process: &Process) -> Result<Request> {
    let mut skip = args.skip.clone();
    let is_stress =
        |test: &squall_suite::Test| test.name == "stress" || test.kind.as_deref() == Some("stress");
    let wants_no_stress =
        process.env("SKIP_STRESS").is_some_and(|value| !matches!(value, "0" | "false" | "no"));
    // Said once for all suites, also for those that have none.
    if wants_no_stress && suite.manifest.tests.iter().any(is_stress) {
        skip.push("stress".into());
    }
    let mut env = BTreeMap::new();
    assignments(&args.env, &mut env)?;
    for (name, flag) in [("BASE_URL", "--base-url"), ("OUTPUT_DIR", "--output-dir")] {
        if env.contains_key(name) {
            return Err(
                Error::usage(format!("-e {name} would not reach the suite")).hint(format!("use {flag}"))
            );
        }
    }
    Ok(Request {
        set: args.set.clone(),
        tests: args.tests.clone(),
        skip,
        env,
        system_env: process.env.clone(),
    })
}

fn results(suite: &Suite, args: &SuiteRunArgs, process: &Process) -> Result<Results> {
    let given = args.output_dir.clone().or_else(|| process.env("OUTPUT_DIR").map(PathBuf::from));
    match given {
        Some(folder) => Results::in_folder(process.resolve(folder)),
        None => {
            let name = format!("{}-{}", suite.name, Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
            Results::in_new_folder(&process.resolve("results"), &name)
        }
    }
}

/// What was said to the suite about printing and configuration holds for its tests.
fn flags_of_children(global: &GlobalArgs) -> Vec<String> {
    let switches = [("quiet", global.quiet), ("verbose", global.verbose), ("no-color", global.no_color)];
    let switches = switches
        .into_iter()
        .filter_map(|(name, given)| switch(given).map(|value| format!("--{name}={value}")));
    let values =
        [("config", &global.config), ("log-format", &global.log_format), ("log-output", &global.log_output)];
    let values = values
        .into_iter()
        .filter_map(|(name, given)| given.as_ref().map(|value| format!("--{name}={value}")));
    switches.chain(values).collect()
}
