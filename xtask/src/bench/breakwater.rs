//! `cargo xtask bench breakwater`: what each system of Breakwater serves on one core, asked by wrk on another.

pub(super) mod api;
mod case;
mod deliveries;
mod messages;
pub(super) mod service;
mod wrk;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use self::case::{CASES, Case};
use self::service::Service;
use self::wrk::Measured;
use crate::servers::{self, Servers, Variable};
use crate::tool;

#[derive(clap::Args)]
pub(super) struct BreakwaterArgs {
    /// Only these systems, by default all
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(["connex", "birthday", "location", "azora", "fluxor"]))]
    systems: Vec<String>,
    /// Seconds of load in a round
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Rounds of each case; the one with the median rate is told
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: u64,
    /// With PostgreSQL, Redis and RabbitMQ, instead of what Breakwater has built in
    #[arg(long)]
    servers: bool,
    /// Write the results to benches/runs
    #[arg(long)]
    save: bool,
}

impl BreakwaterArgs {
    fn wants(&self, system: &str) -> bool {
        self.systems.is_empty() || self.systems.iter().any(|name| name == system)
    }

    /// The command that does the same again.
    fn command_line(&self) -> String {
        let mut line = "cargo xtask bench breakwater".to_owned();
        self.systems.iter().for_each(|system| line += &format!(" {system}"));
        line += &format!(" --seconds {} --rounds {}", self.seconds, self.rounds);
        if self.servers {
            line += " --servers";
        }
        line
    }
}

/// Runs the chore. It fails when a case could not be measured, not when a goal is missed.
pub(super) fn run(args: &BreakwaterArgs) -> Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    ensure!(cores > 1, "the service and wrk need a core each, and this machine has one");
    let program = tool::breakwater()?;
    let wrk = tool::on_path("wrk").context("wrk is not installed: `apt-get install wrk`")?;
    let servers = args.servers.then(|| Servers::start(&servers::ALL)).transpose()?;
    let variables = servers.as_ref().map_or(&[][..], Servers::variables);
    let date = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();

    let behind = if args.servers { "PostgreSQL, Redis and RabbitMQ" } else { "what it has built in" };
    let mut report = format!(
        "# Breakwater, {date}\n\n`{}` on {cores} cores: the service on the first, with {behind}, wrk on the second.\n\
         The median of {} rounds. CPU is the service's, user and system.\n\n{HEAD}\n",
        args.command_line(),
        args.rounds
    );
    println!("{HEAD}");
    let mut failed = Vec::new();
    let mut tell = |measured: Result<Vec<String>>| match measured {
        Ok(rows) => rows.iter().for_each(|row| {
            println!("{row}");
            let _ = writeln!(report, "{row}");
        }),
        Err(error) => failed.push(format!("{error:#}")),
    };
    for case in CASES.iter().filter(|case| args.wants(case.system)) {
        let measured = measure(case, &program, &wrk, variables, args);
        tell(measured.with_context(|| format!("{}: {}", case.system, case.title)));
    }
    if args.wants("location") {
        let measured = tool::deliveries().and_then(|program| deliveries::measure(&program, args.seconds));
        tell(measured.context("location"));
    }
    if args.servers && args.wants("birthday") {
        tell(messages::measure(&program, &wrk, variables).context("birthday: messages"));
    }
    if args.save {
        let folder = tool::root().join("benches/runs");
        fs::create_dir_all(&folder)?;
        let kind = if args.servers { "breakwater-servers" } else { "breakwater" };
        let name = format!("{date}-{cores}-cores-{kind}.md");
        fs::write(folder.join(&name), report).context("writing the report")?;
        println!("\nsaved as benches/runs/{name}");
    }
    if !failed.is_empty() {
        bail!("not measured:\n{}", failed.join("\n"));
    }
    Ok(())
}

/// The row of the median round.
fn measure(
    case: &Case,
    program: &Path,
    wrk: &Path,
    variables: &[Variable],
    args: &BreakwaterArgs,
) -> Result<Vec<String>> {
    let service = Service::start(program, case.system, case.flags, variables)?;
    let load = (case.prepare)(&service.api)?;
    // Pools fill, caches warm up and the allocator settles.
    load.run(wrk, &service, 1)?;
    let rounds: Result<Vec<Measured>> =
        (0..args.rounds).map(|_| load.run(wrk, &service, args.seconds)).collect();
    let mut rounds = rounds?;
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let median = rounds.swap_remove(rounds.len() / 2);
    let commands = format!("`{}`; `{}`", service.command_line, load.command_line(args.seconds));
    Ok(vec![row(case.system, case.title, case.goal, &median, &commands)])
}

const HEAD: &str = "| system | case | goal /s | measured /s | p50 ms | p99 ms | CPU µs each | command |\n\
                    |---|---|---:|---:|---:|---:|---:|---|";

fn row(system: &str, title: &str, goal: Option<f64>, measured: &Measured, commands: &str) -> String {
    let number =
        |value: Option<f64>, digits| value.map_or(String::new(), |value| format!("{value:.digits$}"));
    let (goal, rate, cpu_us) = (number(goal, 0), measured.rate, measured.cpu_us);
    let (p50_ms, p99_ms) = (number(measured.p50_ms, 2), number(measured.p99_ms, 2));
    format!("| {system} | {title} | {goal} | {rate:.0} | {p50_ms} | {p99_ms} | {cpu_us:.1} | {commands} |")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_what_is_known() {
        let measured = Measured { rate: 81234.5, p50_ms: Some(0.6), p99_ms: Some(1.234), cpu_us: 11.0 };
        assert_eq!(
            row("fluxor", "GET /health", Some(80_000.0), &measured, "`x`"),
            "| fluxor | GET /health | 80000 | 81234 | 0.60 | 1.23 | 11.0 | `x` |"
        );
        let measured = Measured { p50_ms: None, p99_ms: None, ..measured };
        assert_eq!(
            row("birthday", "messages", None, &measured, ""),
            "| birthday | messages |  | 81234 |  |  | 11.0 |  |"
        );
    }
}
