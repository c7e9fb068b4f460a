//! `cargo xtask bench peers`: Squall beside k6, wrk, oha and drill against nginx here; `memory` is Squall alone.
//!
//! The peers take turns, round by round, so that a noisy minute hits all of them; what is reported is the
//! median of the rounds. Processor time is what the kernel counted for the process, start-up included; the
//! server's is not in it. A run that needs too much time or memory is stopped and told as such.

mod bare;
mod breakwater;
mod case;
mod exposition;
mod figure;
mod library;
mod memory;
mod nginx;
mod peer;
mod rehearsal;
mod report;
mod said;
mod servers;
mod systems;

use std::fs;
use std::io::{IsTerminal, Write};

use anyhow::{Context, Result, ensure};

use self::case::{CASES, Case};
use self::peer::{Outcome, Peer};
use self::report::{Report, Row};
use self::servers::Servers;
use crate::tool;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(clap::Subcommand)]
enum Bench {
    /// Squall, k6, wrk, oha and drill, those that are installed, side by side
    Peers(PeersArgs),
    /// Memory of Squall over ten million requests, or over minutes
    Memory(memory::MemoryArgs),
    /// Each system of Breakwater on one core, asked by wrk
    Breakwater(breakwater::BreakwaterArgs),
    /// The five systems' promises, measured with Squall on Breakwater
    Systems(systems::SystemsArgs),
    /// Arrivals that bare threads wait for: the least lateness there can be here
    Bare(bare::BareArgs),
    /// Print the library that the cases library and library-star import as lib.js
    Library,
}

#[derive(clap::Args)]
struct PeersArgs {
    /// Only these cases; by default all that need little time and memory
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(CASES.map(|case| case.name)))]
    cases: Vec<String>,
    /// All cases, also those with tens of thousands of VUs
    #[arg(long, conflicts_with = "cases")]
    all: bool,
    /// Seconds of load in a run
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Runs of each peer
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// Write the results to benches/runs
    #[arg(long)]
    save: bool,
}

impl PeersArgs {
    fn wants(&self, case: &Case) -> bool {
        match self.cases.is_empty() {
            true => self.all || !case.large,
            false => self.cases.iter().any(|name| name == case.name),
        }
    }

    /// The command that does the same again.
    fn command_line(&self) -> String {
        let mut line = "cargo xtask bench peers".to_owned();
        self.cases.iter().for_each(|case| line += &format!(" {case}"));
        if self.all {
            line += " --all";
        }
        line + &format!(" --seconds {} --rounds {}", self.seconds, self.rounds)
    }
}

/// Runs the chore.
pub fn run(args: &Args) -> Result<()> {
    raise_descriptor_limit();
    match &args.bench {
        Bench::Peers(args) => run_peers(args),
        Bench::Memory(args) => memory::run(args),
        Bench::Breakwater(args) => breakwater::run(args),
        Bench::Systems(args) => systems::run(args),
        Bench::Bare(args) => bare::run(args),
        Bench::Library => Ok(std::io::stdout().write_all(library::source().as_bytes())?),
    }
}

/// Fails at the end when a run failed for another reason than a peer's size.
fn run_peers(args: &PeersArgs) -> Result<()> {
    let peers = Peer::installed()?;
    let has_sockets = CASES.iter().any(|case| args.wants(case) && case.sockets.is_some());
    let servers = Servers::start(has_sockets)?;
    let mut report =
        Report::new(&args.command_line(), args.seconds, args.rounds, &peers, &servers.nginx.version);
    let mut failed = Vec::new();
    for case in CASES.iter().filter(|case| args.wants(case)) {
        let mut rows = Vec::new();
        for series in measure(case, &peers, &servers, args) {
            if series.failed {
                failed.push(format!("{} at {}", series.peer.name, case.name));
            }
            rows.push((series.peer.name, series.row()));
        }
        report.add(case, &rows);
        println!("\n{}", report.last());
    }
    if args.save {
        let folder = tool::root().join("benches/runs");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(report.file_name()), report.text()).context("writing the report")?;
        println!("\nsaved as benches/runs/{}", report.file_name());
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// The rounds of a peer at a case.
struct Series<'a> {
    peer: &'a Peer,
    rounds: Vec<Vec<Option<f64>>>,
    /// Why there are no more rounds.
    missing: Option<String>,
    failed: bool,
}

impl Series<'_> {
    fn row(self) -> Row {
        self.missing.map_or_else(|| Row::of(&self.rounds), Row::Missing)
    }

    fn stop(&mut self, why: String, failed: bool) {
        (self.missing, self.failed) = (Some(why), failed);
    }
}

/// Every peer that can run the case with what its rounds measured.
fn measure<'a>(case: &Case, peers: &'a [Peer], servers: &Servers, args: &PeersArgs) -> Vec<Series<'a>> {
    let able = peers.iter().filter(|peer| peer.can_run(case));
    let mut all: Vec<_> =
        able.map(|peer| Series { peer, rounds: Vec::new(), missing: None, failed: false }).collect();
    for round in 1..=args.rounds {
        for series in all.iter_mut().filter(|series| series.missing.is_none()) {
            progress(&format!("{}: round {round} of {}, {}", case.name, args.rounds, series.peer.name));
            match series.peer.run(case, servers, args.seconds) {
                Ok(Outcome::Measured(figures)) => series.rounds.push(figures),
                // A peer may be too large for this machine; Squall must not be.
                Ok(Outcome::TooLarge(why)) => series.stop(why, series.peer.name == "Squall"),
                Err(error) => series.stop(format!("{error:#}"), true),
            }
        }
    }
    progress("");
    all
}

/// One line that is overwritten, for a person who waits.
fn progress(text: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r{text:<60}\r");
        let _ = stderr.flush();
    }
}

/// Lets children open as many descriptors as the machine allows: each VU holds a connection.
fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls only read or fill the structure they are given.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}
