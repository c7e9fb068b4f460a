//! `cargo xtask bench systems`: what the documents of the five systems promise, measured with Squall on Breakwater.
//!
//! Generator, service and servers share this machine. Each figure comes from Squall's summary export or from the
//! service's metrics of that run; what other work had of the machine meanwhile stands beside it.

mod azora;
mod birthday;
mod connex;
mod fluxor;
mod location;
mod summary;
mod table;
mod trial;

use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use self::table::{Beside, Verdict};
use self::trial::{Bench, Finding, Work};
use crate::servers::{self, Servers};
use crate::tool;

#[derive(clap::Args)]
pub(super) struct SystemsArgs {
    /// Only these systems, by default all
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(["connex", "birthday", "location", "azora", "fluxor"]))]
    systems: Vec<String>,
    /// Only these trials, by name, separated by commas
    #[arg(long, value_name = "TRIAL", value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(TRIALS.iter().map(|trial| trial.name)))]
    only: Vec<String>,
    /// In minutes instead of half an hour: shorter loads, and smaller where time is what they take
    #[arg(long)]
    quick: bool,
    /// Write the results to benches/runs
    #[arg(long)]
    save: bool,
}

/// A load on a system, and the figures it gives.
struct Trial {
    system: &'static str,
    name: &'static str,
    run: fn(&Bench) -> Result<Finding>,
}

const TRIALS: &[Trial] = &[
    Trial { system: "connex", name: "ordinary day", run: connex::ordinary_day },
    Trial { system: "connex", name: "parts", run: connex::parts },
    Trial { system: "connex", name: "stress", run: connex::stress },
    Trial { system: "birthday", name: "API", run: birthday::api },
    Trial { system: "birthday", name: "scheduler", run: birthday::scheduler },
    Trial { system: "birthday", name: "scaling", run: birthday::scaling },
    Trial { system: "birthday", name: "workers", run: birthday::workers },
    Trial { system: "birthday", name: "end to end", run: birthday::end_to_end },
    Trial { system: "location", name: "storm", run: location::storm },
    Trial { system: "location", name: "updates", run: location::updates },
    Trial { system: "location", name: "flood", run: location::flood_of_updates },
    Trial { system: "location", name: "lifecycle", run: location::lifecycle },
    Trial { system: "location", name: "geographic", run: location::geographic },
    Trial { system: "azora", name: "users", run: azora::users },
    Trial { system: "azora", name: "throughput", run: azora::throughput },
    Trial { system: "azora", name: "caches", run: azora::caches },
    Trial { system: "azora", name: "compression", run: azora::compression },
    Trial { system: "fluxor", name: "throughput", run: fluxor::throughput },
    Trial { system: "fluxor", name: "clients", run: fluxor::clients },
    Trial { system: "fluxor", name: "spike", run: fluxor::spike },
    Trial { system: "fluxor", name: "regions", run: fluxor::regions },
];

impl SystemsArgs {
    fn wants(&self, trial: &Trial) -> bool {
        let system = self.systems.is_empty() || self.systems.iter().any(|name| name == trial.system);
        system && (self.only.is_empty() || self.only.iter().any(|name| name == trial.name))
    }

    /// What distinguishes the saved results from those of other runs: a part does not take the place of the whole.
    fn kind(&self) -> String {
        let parts = self.systems.iter().chain(&self.only).map(String::as_str);
        let quick = self.quick.then_some("quick");
        let words: Vec<_> = ["systems"].into_iter().chain(parts).chain(quick).collect();
        words.join("-").replace(' ', "-")
    }

    /// The command that does the same again.
    fn command_line(&self) -> String {
        let mut line = "cargo xtask bench systems".to_owned();
        self.systems.iter().for_each(|system| line += &format!(" {system}"));
        if !self.only.is_empty() {
            line += &format!(" --only '{}'", self.only.join(","));
        }
        if self.quick {
            line += " --quick";
        }
        line
    }
}

/// Runs the chore. It fails when a promise could not be measured, not when one is missed: the table tells that.
pub(super) fn run(args: &SystemsArgs) -> Result<()> {
    let (squall, breakwater) = (tool::squall(true)?, tool::breakwater()?);
    let begun = Instant::now();
    let servers = Servers::start(&servers::ALL)?;
    let bench = Bench { squall, breakwater, servers: servers.variables().to_vec(), quick: args.quick };
    let mut report = Report::new(args);
    for trial in TRIALS.iter().filter(|trial| args.wants(trial)) {
        super::progress(&format!("{}: {}", trial.system, trial.name));
        let work = Work::now()?;
        let outcome = (trial.run)(&bench).and_then(|finding| Ok((finding, work.others()?)));
        super::progress("");
        match outcome {
            Ok((finding, others)) => report.add(trial.system, &finding, others),
            Err(error) => report.failed.push(format!("{}: {}: {error:#}", trial.system, trial.name)),
        }
    }
    drop(servers);
    let text = report.finish(begun.elapsed().as_secs());
    if args.save {
        let folder = tool::root().join("benches/runs");
        fs::create_dir_all(&folder)?;
        let name = format!("{}-{}-cores-{}.md", report.date, report.cores, args.kind());
        fs::write(folder.join(&name), text).context("writing the report")?;
        println!("\nsaved as benches/runs/{name}");
    }
    ensure!(report.failed.is_empty(), "not measured:\n{}", report.failed.join("\n"));
    Ok(())
}

/// The table in the making; each row is printed when it is known.
struct Report {
    date: jiff::civil::Date,
    cores: usize,
    command: String,
    rows: String,
    verdicts: Vec<Verdict>,
    /// Trials that gave no figures, and why.
    failed: Vec<String>,
}

impl Report {
    fn new(args: &SystemsArgs) -> Report {
        println!("{}", table::HEAD);
        Report {
            date: jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            command: args.command_line(),
            rows: String::new(),
            verdicts: Vec::new(),
            failed: Vec::new(),
        }
    }

    fn add(&mut self, system: &str, finding: &Finding, others: f64) {
        let beside = Beside { others, is_saturated: finding.is_saturated };
        let mut command = finding.command.as_str();
        for row in &finding.rows {
            let line = row.line(system, beside, command);
            println!("{line}");
            let _ = writeln!(self.rows, "{line}");
            self.verdicts.push(row.verdict(others));
            command = "the same";
        }
    }

    fn finish(&self, seconds: u64) -> String {
        let Report { date, cores, command, rows, verdicts, failed } = self;
        let count = |verdict| verdicts.iter().filter(|one| **one == verdict).count();
        let sum = format!(
            "{} promises kept, {} missed, {} unclear beside other work, {} trials not measured; {} figures without a promise; in {seconds} s",
            count(Verdict::Kept),
            count(Verdict::Missed),
            count(Verdict::Unclear),
            failed.len(),
            count(Verdict::Measured),
        );
        println!("\n{sum}");
        let mut not_measured = String::new();
        for trial in failed {
            let _ = write!(not_measured, "\nNot measured: {}\n", trial.replace('\n', " "));
        }
        format!(
            "# The five systems, {date}\n\n`{command}` on {cores} cores, which generator, service and servers share: {sum}.\n\
             Figures are of Squall's summary export or of the service's metrics during the trial. *Other work* is the share of\n\
             the machine that processes outside of it had meanwhile; *generator* is Squall's verdict on itself.\n\n{}\n{rows}{not_measured}",
            table::HEAD
        )
    }
}
