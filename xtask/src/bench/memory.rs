//! `cargo xtask bench memory`: whether memory stays flat over a long run. The figure is the resident set at the
//! end beside the one after the first tenth of the run.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::case::Listener;
use super::nginx::Nginx;
use crate::{process, tool};

/// Lines of progress in a run of any length.
const LINES: u32 = 60;

#[derive(clap::Args)]
pub(super) struct MemoryArgs {
    /// Requests in all
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1000..=1_000_000_000))]
    requests: u64,
    /// Minutes at full speed, instead of a number of requests
    #[arg(long, conflicts_with = "requests", value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: Option<u64>,
}

/// How far a run is, and what it holds.
#[derive(Clone, Copy)]
struct Moment {
    after: Duration,
    requests: u64,
    rss_bytes: u64,
}

impl MemoryArgs {
    fn length(&self) -> String {
        self.minutes.map_or(format!("REQUESTS={}", self.requests), |minutes| format!("MINUTES={minutes}"))
    }

    /// The part of the run that is done at `moment`, from 0 to 1.
    fn part(&self, moment: Moment) -> f64 {
        match self.minutes {
            Some(minutes) => moment.after.as_secs_f64() / (minutes * 60) as f64,
            None => moment.requests as f64 / self.requests as f64,
        }
    }
}

/// Runs the chore.
pub(super) fn run(args: &MemoryArgs) -> Result<()> {
    let squall = tool::squall(true)?;
    let nginx = Nginx::start()?;
    let started = Instant::now();
    let mut child = Command::new(squall)
        .args(["run", "--no-color"])
        .args(["--env", &format!("BASE={}", nginx.url(Listener::Http).trim_end_matches('/'))])
        .args(["--env", &args.length()])
        .arg(tool::bench_script("soak.js"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = BufReader::new(child.stdout.take().context("its output is a pipe")?);
    let (mut early, mut late, mut printed) = (Vec::new(), Vec::new(), 0);
    for line in stdout.lines() {
        let Some(requests) = iterations_done(&line?) else { continue };
        let moment = Moment { after: started.elapsed(), requests, rss_bytes: process::rss_bytes(child.id()) };
        // The process is gone when its last lines are read.
        if moment.rss_bytes == 0 {
            continue;
        }
        let part = args.part(moment);
        if (part * f64::from(LINES)) as u32 >= printed {
            printed = (part * f64::from(LINES)) as u32 + 1;
            print(moment);
        }
        match part {
            0.1..0.2 => early.push(moment.rss_bytes),
            0.9.. => late.push(moment.rss_bytes),
            _ => {}
        }
    }
    ensure!(child.wait()?.success(), "the run failed");
    // Single moments differ by some megabytes: while samples are collected there is more than between.
    let (early, late) = median(early).zip(median(late)).context("the run was too short; make it longer")?;
    let change = (late as f64 / early as f64 - 1.0) * 100.0;
    let [early, late] = [early, late].map(|bytes| bytes as f64 / 1e6);
    println!(
        "medians of the second and the last tenth: {early:.1} and {late:.1} MB, {change:+.1} %; the goal is within 2 %"
    );
    Ok(())
}

fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

fn print(moment: Moment) {
    let Moment { after, requests, rss_bytes } = moment;
    println!("{:>6} s {requests:>12} requests  {:>8.1} MB", after.as_secs(), rss_bytes as f64 / 1e6);
}

/// `running (00m01.0s), 50/50 VUs, 81234 complete and 0 interrupted iterations`.
fn iterations_done(line: &str) -> Option<u64> {
    let (before, _) = line.strip_prefix("running (")?.split_once(" complete and")?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_progress() {
        let line = "running (00m01.0s), 50/50 VUs, 81234 complete and 0 interrupted iterations";
        assert_eq!(iterations_done(line), Some(81_234));
        assert_eq!(iterations_done("soak [ 10% ] 50 VUs"), None);
    }
}
