//! `cargo xtask bench memory`: whether memory stays flat over a long run. The figure is the resident set at the
//! end beside the one after the first tenth of the requests.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::nginx::Nginx;
use crate::tool;

#[derive(clap::Args)]
pub(super) struct MemoryArgs {
    /// Requests in all
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1000..=1_000_000_000))]
    requests: u64,
}

/// Runs the chore.
pub(super) fn run(args: &MemoryArgs) -> Result<()> {
    let squall = tool::squall(true)?;
    let nginx = Nginx::start()?;
    let mut child = Command::new(squall)
        .args(["run", "--no-color"])
        .args(["--env", &format!("BASE={}", nginx.url.trim_end_matches('/'))])
        .args(["--env", &format!("REQUESTS={}", args.requests)])
        .arg(tool::root().join("benches/scripts/soak.js"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let stdout = BufReader::new(child.stdout.take().context("its output is a pipe")?);
    let (mut early, mut last) = (None, None);
    for line in stdout.lines() {
        let line = line?;
        // The process is gone when its last lines are read.
        let (Some(done), Ok(status)) = (iterations_done(&line), fs::read_to_string(&status)) else {
            continue;
        };
        let Some(rss_kb) = resident_kb(&status) else { continue };
        println!("{done:>12} requests  {:>8.1} MB", rss_kb as f64 / 1024.0);
        if done >= args.requests / 10 {
            early.get_or_insert((done, rss_kb));
            last = Some((done, rss_kb));
        }
    }
    ensure!(child.wait()?.success(), "the run failed");
    let ((early_done, early_kb), (last_done, last_kb)) =
        early.zip(last).context("the run was too short to be seen; give more --requests")?;
    let change = (last_kb as f64 / early_kb as f64 - 1.0) * 100.0;
    println!("from {early_done} to {last_done} requests: {change:+.1} %");
    Ok(())
}

/// `running (00m01.0s), 50/50 VUs, 81234 complete and 0 interrupted iterations`.
fn iterations_done(line: &str) -> Option<u64> {
    let (before, _) = line.strip_prefix("running (")?.split_once(" complete and")?;
    before.rsplit(' ').next()?.parse().ok()
}

/// `VmRSS:     12345 kB`.
fn resident_kb(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_progress_and_status() {
        let line = "running (00m01.0s), 50/50 VUs, 81234 complete and 0 interrupted iterations";
        assert_eq!(iterations_done(line), Some(81_234));
        assert_eq!(iterations_done("soak [ 10% ] 50 VUs"), None);
        assert_eq!(resident_kb("VmPeak:  9 kB\nVmRSS:\t   12345 kB\n"), Some(12_345));
    }
}
