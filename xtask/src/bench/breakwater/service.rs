//! A system of Breakwater as a process on the first core.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use super::api::Api;
use crate::daemon::Daemon;
use crate::servers::Variable;
use crate::{process, tool};

/// A running system. Dropping it ends it.
pub(super) struct Service {
    daemon: Daemon,
    pub(super) api: Api,
    /// How it was started, for people: without this machine's addresses.
    pub(super) command_line: String,
    _log: TempDir,
}

impl Service {
    /// Starts a system on the servers that `variables` name, and waits until it can serve.
    pub(super) fn start(
        program: &Path,
        system: &str,
        flags: &[&str],
        variables: &[Variable],
    ) -> Result<Service> {
        let [port] = tool::free_ports()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let flags = ["--workers", "1"].iter().chain(flags);
        let named = format!("taskset -c 0 breakwater {}", system);
        let command_line = flags.clone().fold(named, |line, flag| line + " " + flag);
        let mut command = Command::new("taskset");
        command
            .args(["-c", "0"])
            .arg(program)
            .args([system, "--listen", &address.to_string()])
            .args(flags)
            .envs(variables.iter().filter_map(|(name, value)| Some((setting(name)?, value))));
        let log = tempfile::tempdir()?;
        let daemon = Daemon::spawn("breakwater", &mut command, &log.path().join("log"), libc::SIGTERM)?;
        let mut service = Service { daemon, api: Api { address }, command_line, _log: log };
        let api = &service.api;
        service.daemon.wait_until(|| api.ask("GET", "/ready", None, None).is_ok())?;
        Ok(service)
    }

    /// The processor time it has used until now.
    pub(super) fn cpu(&self) -> Result<Duration> {
        Ok(process::cpu(self.daemon.id())?)
    }
}

/// The setting of Breakwater that is told where this server is.
fn setting(variable: &str) -> Option<&'static str> {
    match variable {
        "BREAKWATER_TEST_POSTGRES" => Some("BREAKWATER_DATABASE"),
        "BREAKWATER_TEST_POSTGRES_REPLICA" => Some("BREAKWATER_DATABASE_REPLICA"),
        "BREAKWATER_TEST_REDIS" => Some("BREAKWATER_CACHE"),
        "BREAKWATER_TEST_AMQP" => Some("BREAKWATER_QUEUE"),
        _ => None,
    }
}
