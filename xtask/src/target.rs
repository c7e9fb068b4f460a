//! The deterministic HTTP server that scripts talk to: `squall-testing`'s `target`, for as long as it is needed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::tool;

/// A running target. Dropping it ends it.
pub struct Target {
    child: Child,
    /// Its plain address, `http://127.0.0.1:PORT`.
    pub base: String,
    /// Its TLS address, `https://127.0.0.1:PORT`.
    pub base_tls: String,
}

impl Target {
    /// Builds and starts the target and waits until it says where it listens.
    pub fn start() -> Result<Target> {
        let path = tool::target()?;
        let mut child =
            Command::new(&path).stdout(Stdio::piped()).spawn().with_context(|| path.display().to_string())?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut target = Target { child, base: String::new(), base_tls: String::new() };
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            if line.starts_with("https://") {
                target.base_tls = line;
            } else if line.starts_with("http://") {
                target.base = line;
            }
            if !target.base.is_empty() && !target.base_tls.is_empty() {
                return Ok(target);
            }
        }
        anyhow::bail!("the target ended without saying where it listens")
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
