//! wrk on the second core: what it is told, and what it tells.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::super::said::Said;
use super::service::Service;
use crate::tool;

/// Enough to keep a core busy, few enough that each waits for little else than the others.
const CONNECTIONS: &str = "-c50";

/// Requests, all alike or made by a script.
pub(super) struct Load {
    pub(super) path: String,
    /// A token to sign in with.
    pub(super) token: Option<String>,
    /// A script of `benches/scripts`, and its argument.
    pub(super) script: Option<(&'static str, String)>,
}

/// What a round came to.
#[derive(Debug, PartialEq)]
pub(super) struct Measured {
    /// Requests a second.
    pub(super) rate: f64,
    pub(super) p50_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
    /// Processor time of the service for each request, in microseconds.
    pub(super) cpu_us: f64,
}

impl Load {
    /// GETs of one path.
    pub(super) fn get(path: impl Into<String>, token: Option<String>) -> Load {
        Load { path: path.into(), token, script: None }
    }

    /// One round. A request that fails makes it worthless and is an error.
    pub(super) fn run(&self, wrk: &Path, service: &Service, seconds: u64) -> Result<Measured> {
        let before = service.cpu()?;
        let mut command = Command::new("taskset");
        command.args(["-c", "1"]).arg(wrk).args(["-t1", CONNECTIONS, "--latency", &format!("-d{seconds}s")]);
        if let Some(token) = &self.token {
            command.arg("-H").arg(format!("Authorization: Bearer {token}"));
        }
        if let Some((script, _)) = &self.script {
            command.arg("-s").arg(tool::bench_script(script));
        }
        command.arg(format!("http://{}{}", service.api.address, self.path));
        if let Some((_, argument)) = &self.script {
            command.args(["--", argument]);
        }
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "wrk: {}", String::from_utf8_lossy(&output.stderr).trim());
        let said = Said::of_wrk(&text)?;
        ensure!(!text.contains("Socket errors"), "wrk had socket errors");
        let cpu = service.cpu()? - before;
        Ok(Measured {
            rate: said.rate.context("wrk names no rate")?,
            p50_ms: percentile(&text, "50%"),
            p99_ms: percentile(&text, "99%"),
            cpu_us: cpu.as_secs_f64() * 1e6 / said.count as f64,
        })
    }

    /// How it is started, for people.
    pub(super) fn command_line(&self, seconds: u64) -> String {
        let token = if self.token.is_some() { " -H 'Authorization: Bearer …'" } else { "" };
        let (script, argument) = self.script.as_ref().map_or_else(Default::default, |(script, argument)| {
            (format!(" -s benches/scripts/{script}"), format!(" -- {argument}"))
        });
        let path = &self.path;
        format!(
            "taskset -c 1 wrk -t1 {CONNECTIONS} --latency -d{seconds}s{token}{script} URL{path}{argument}"
        )
    }
}

/// `     99%    1.25ms` of the latency distribution, in milliseconds.
fn percentile(text: &str, name: &str) -> Option<f64> {
    let value = text.lines().find_map(|line| line.trim().strip_prefix(name))?.trim();
    let number_end = value.find(|letter: char| letter != '.' && !letter.is_ascii_digit())?;
    let (number, unit) = value.split_at(number_end);
    let number: f64 = number.parse().ok()?;
    match unit {
        "us" => Some(number / 1e3),
        "ms" => Some(number),
        "s" => Some(number * 1e3),
        "m" => Some(number * 60e3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_percentiles_in_each_unit() {
        let text = "  Latency Distribution\n     50%  635.00us\n     75%    1.25ms\n     90%    2.00s \n     99%    1.50m \n";
        let values = ["50%", "75%", "90%", "99%", "42%"].map(|name| percentile(text, name));
        assert_eq!(values, [Some(0.635), Some(1.25), Some(2000.0), Some(90_000.0), None]);
    }
}
