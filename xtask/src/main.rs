//! Chores of the workspace: `cargo xtask compat`, `bench`, `dist` and `servers`.

mod bench;
mod compat;
mod daemon;
mod dist;
mod process;
mod servers;
mod target;
#[cfg(test)]
mod tidy;
mod tool;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the Squall workspace")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run the scripts of compat/ in k6 and in Squall and compare what they report
    Compat(compat::Args),
    /// Measure Squall beside other tools
    Bench(bench::Args),
    /// Build the binary to hand out: less processor time a request, for twice the time of building
    Dist,
    /// Run a command with PostgreSQL, Redis and RabbitMQ beside it
    Servers(servers::Args),
}

fn main() -> Result<ExitCode> {
    match Cli::parse().chore {
        Chore::Compat(args) => compat::run(&args),
        Chore::Bench(args) => bench::run(&args).map(|()| ExitCode::SUCCESS),
        Chore::Dist => dist::run().map(|()| ExitCode::SUCCESS),
        Chore::Servers(args) => servers::run(&args),
    }
}
