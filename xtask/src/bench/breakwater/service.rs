//! A system of Breakwater as a process: on the first core, or wherever the kernel puts it.

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
pub(in crate::bench) struct Service {
    daemon: Daemon,
    pub(in crate::bench) api: Api,
    /// How it was started, for people: without this machine's addresses.
    pub(in crate::bench) command_line: String,
    _log: TempDir,
}

impl Service {
    /// Starts a system on the first core and the servers that `variables` name, and waits until it can serve.
    pub(in crate::bench) fn start(
        program: &Path,
        system: &str,
        flags: &[&str],
        variables: &[Variable],
    ) -> Result<Service> {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        let flags = [&["--workers", "1"], flags].concat();
        Self::spawn(command, format!("taskset -c 0 breakwater {system}"), system, &flags, variables)
    }

    /// As [`Service::start`], with as many threads as there are cores and on any of them.
    pub(in crate::bench) fn start_on_all_cores(
        program: &Path,
        system: &str,
        flags: &[&str],
        variables: &[Variable],
    ) -> Result<Service> {
        Self::spawn(Command::new(program), format!("breakwater {system}"), system, flags, variables)
    }

    fn spawn(
        mut command: Command,
        named: String,
        system: &str,
        flags: &[&str],
        variables: &[Variable],
    ) -> Result<Service> {
        let [port] = tool::free_ports()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let command_line = flags.iter().fold(named, |line, flag| line + " " + flag);
        command.args([system, "--listen", &address.to_string()]).args(flags).envs(
            variables.iter().flat_map(|(name, value)| settings(name).iter().map(move |name| (name, value))),
        );
        let log = tempfile::tempdir()?;
        let daemon = Daemon::spawn("breakwater", &mut command, &log.path().join("log"), libc::SIGTERM)?;
        let mut service = Service { daemon, api: Api { address }, command_line, _log: log };
        let api = &service.api;
        service.daemon.wait_until(|| api.ask("GET", "/ready", None, None).is_ok())?;
        Ok(service)
    }

    /// The processor time it has used until now.
    pub(in crate::bench) fn cpu(&self) -> Result<Duration> {
        Ok(process::cpu(self.daemon.id())?)
    }
}

/// The settings of Breakwater that are told where this server is.
fn settings(variable: &str) -> &'static [&'static str] {
    match variable {
        "BREAKWATER_TEST_POSTGRES" => &["BREAKWATER_DATABASE"],
        "BREAKWATER_TEST_POSTGRES_REPLICA" => &["BREAKWATER_DATABASE_REPLICA"],
        "BREAKWATER_TEST_REDIS" => &["BREAKWATER_CACHE", "BREAKWATER_BUS"],
        "BREAKWATER_TEST_AMQP" => &["BREAKWATER_QUEUE"],
        _ => &[],
    }
}
