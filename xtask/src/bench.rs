//! `cargo xtask bench peers`: Squall beside k6, wrk and oha against nginx on this machine; `memory` is Squall alone.
//!
//! The peers take turns, round by round, so that a noisy minute hits all of them; what is reported is the
//! median of the rounds. Processor time is what the kernel counted for the process, start-up included.

mod case;
mod memory;
mod nginx;
mod peer;
mod report;

use std::fs;
use std::io::{IsTerminal, Write};

use anyhow::{Context, Result};

use self::case::{CASES, Case};
use self::nginx::Nginx;
use self::peer::{Measured, Peer};
use self::report::Report;
use crate::tool;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(clap::Subcommand)]
enum Bench {
    /// Squall, k6, wrk and oha, those that are installed, side by side
    Peers(PeersArgs),
    /// Memory of Squall over ten million requests
    Memory(memory::MemoryArgs),
}

#[derive(clap::Args)]
struct PeersArgs {
    /// Only these cases
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(CASES.map(|case| case.name)))]
    cases: Vec<String>,
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

/// Runs the chore.
pub fn run(args: &Args) -> Result<()> {
    match &args.bench {
        Bench::Peers(args) => run_peers(args),
        Bench::Memory(args) => memory::run(args),
    }
}

fn run_peers(args: &PeersArgs) -> Result<()> {
    let peers = Peer::installed()?;
    let nginx = Nginx::start()?;
    raise_descriptor_limit();
    let mut report = Report::new(args.seconds, args.rounds, &peers, &nginx.version);
    for case in
        CASES.iter().filter(|case| args.cases.is_empty() || args.cases.iter().any(|name| name == case.name))
    {
        report.add(case, &measure(case, &peers, &nginx, args)?);
        println!("\n{}", report.last());
    }
    if args.save {
        let folder = tool::root().join("benches/runs");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(report.file_name()), report.text()).context("writing the report")?;
        println!("\nsaved as benches/runs/{}", report.file_name());
    }
    Ok(())
}

/// Every peer that can run the case with what its rounds measured.
fn measure<'a>(
    case: &Case,
    peers: &'a [Peer],
    nginx: &Nginx,
    args: &PeersArgs,
) -> Result<Vec<(&'a Peer, Vec<Measured>)>> {
    let mut all: Vec<_> =
        peers.iter().filter(|peer| peer.can_run(case)).map(|peer| (peer, Vec::new())).collect();
    for round in 1..=args.rounds {
        for (peer, rounds) in &mut all {
            progress(&format!("{}: round {round} of {}, {}", case.name, args.rounds, peer.name));
            rounds.push(peer.run(case, &nginx.url, args.seconds)?);
        }
    }
    progress("");
    Ok(all)
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
