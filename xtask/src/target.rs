//! The deterministic HTTP server that scripts talk to: `squall-testing`'s `target`, for as long as it is needed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::tool;

const CA_FILE: &str = "ca.pem";

/// A running target. Dropping it ends it.
pub struct Target {
    child: Child,
    folder: TempDir,
    /// Its plain address, `http://127.0.0.1:PORT`.
    pub base: String,
    /// Its TLS address, `https://127.0.0.1:PORT`.
    pub base_tls: String,
}

impl Target {
    /// Builds and starts the target and waits until it says where it listens.
    pub fn start() -> Result<Target> {
        Target::start_at(tool::target(false)?)
    }

    /// The same, built for release.
    pub fn start_release() -> Result<Target> {
        Target::start_at(tool::target(true)?)
    }

    fn start_at(path: PathBuf) -> Result<Target> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(&path);
        command.arg("--tls").arg("--ca-file").arg(folder.path().join(CA_FILE)).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| path.display().to_string())?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut target = Target { child, folder, base: String::new(), base_tls: String::new() };
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
        bail!("the target ended without saying where it listens")
    }

    /// The authority to trust for its TLS address, as a PEM file.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join(CA_FILE)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
