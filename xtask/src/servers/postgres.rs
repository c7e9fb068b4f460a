//! PostgreSQL: a primary, and a replica that streams from it and serves reads.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Started, prepare};
use crate::daemon::Daemon;
use crate::tool;

const USER: &str = "breakwater";
const PASSWORD: &str = "breakwater-test";

/// Where Debian puts the versions, each in a folder of its number.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Many tests at once, each with pools of its own.
const CONNECTIONS_MAX: &str = "max_connections=300";

/// The programs of one version, and the user that runs them.
struct Postgres {
    programs: PathBuf,
    /// Somebody else when we are root, as whom it refuses to run.
    user: Option<User>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct User {
    id: u32,
    group: u32,
}

/// Starts both and waits until the replica streams.
pub(super) fn start(folder: &Path) -> Result<Started> {
    let postgres = Postgres { programs: programs()?, user: other_user()? };
    if let Some(user) = postgres.user {
        chown(folder, Some(user.id), Some(user.group))?;
    }
    let [primary_port, replica_port] = tool::free_ports()?;
    let (primary, replica) = (folder.join("primary"), folder.join("replica"));
    let password = folder.join("password");
    fs::write(&password, PASSWORD)?;
    prepare(
        postgres
            .command("initdb")
            .args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8"])
            .args(["--locale", "C.UTF-8", "--no-sync", "--no-instructions"])
            .args([Path::new("--pwfile"), &password, Path::new("--pgdata"), &primary]),
    )?;
    let primary = postgres.serve("PostgreSQL", &primary, primary_port, "fsync=on", "select 1")?;
    prepare(
        postgres
            .client("pg_basebackup", primary_port)
            .args(["--checkpoint", "fast", "--wal-method", "stream", "--write-recovery-conf", "--no-sync"])
            .args([Path::new("--pgdata"), &replica]),
    )?;
    let streams = "select 1 from pg_stat_wal_receiver where status = 'streaming'";
    // With fsync it would bring each file of its copy to the disk before it begins.
    let replica = postgres.serve("the replica", &replica, replica_port, "fsync=off", streams)?;
    // `postgres (PostgreSQL) 15.14 (Debian …)`.
    let version = prepare(postgres.command("postgres").arg("--version"))?;
    let version = version.split_whitespace().nth(2).unwrap_or_default();
    Ok(Started {
        daemons: vec![replica, primary],
        variables: vec![
            ("BREAKWATER_TEST_POSTGRES", url(primary_port)),
            ("BREAKWATER_TEST_POSTGRES_REPLICA", url(replica_port)),
        ],
        version: format!("PostgreSQL {version} and a replica"),
    })
}

fn url(port: u16) -> String {
    format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres")
}

impl Postgres {
    /// One of its programs, to be run by the right user.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir("/");
        if let Some(user) = self.user {
            command.uid(user.id).gid(user.group);
        }
        command
    }

    /// A program that connects to a server.
    fn client(&self, program: &str, port: u16) -> Command {
        let mut command = self.command(program);
        command.env("PGPASSWORD", PASSWORD).args(["--host", "127.0.0.1", "--username", USER]);
        command.args(["--port", &port.to_string()]);
        command
    }

    /// Serves a data folder with a setting of its own and waits until `query` gives 1.
    fn serve(
        &self,
        name: &'static str,
        data: &Path,
        port: u16,
        setting: &str,
        query: &str,
    ) -> Result<Daemon> {
        let mut command = self.command("postgres");
        command
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            // In the data folder, so that nothing is left of it elsewhere.
            .args(["-c", "dynamic_shared_memory_type=mmap"])
            .args(["-c", CONNECTIONS_MAX, "-c", setting, "-p", &port.to_string()])
            .args([Path::new("-D"), data]);
        // SIGQUIT ends it at once, without writing what will be deleted.
        let log = data.with_extension("log");
        let mut daemon = Daemon::spawn(name, &mut command, &log, libc::SIGQUIT)?;
        daemon.wait_until(|| {
            let mut psql = self.client("psql", port);
            psql.args(["--no-align", "--tuples-only", "--dbname", "postgres", "--command", query]);
            prepare(&mut psql).is_ok_and(|answer| answer == "1")
        })?;
        Ok(daemon)
    }
}

/// The folder of the newest version's programs.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let numbered = versions.filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((number, entry.path().join("bin")))
    });
    let installed = numbered.filter(|(_, programs)| programs.join("initdb").is_file());
    let newest = installed.max().map(|(_, programs)| programs);
    newest.context("PostgreSQL is not installed: `apt-get install postgresql`")
}

/// Whom to run it as, when we are root.
fn other_user() -> Result<Option<User>> {
    // SAFETY: it takes nothing and cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")
        .map_err(|error| io::Error::other(format!("/etc/passwd: {error}")))?;
    let found = ["postgres", "nobody"].iter().find_map(|name| user(&users, name));
    found
        .map(Some)
        .context("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

/// `postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash`.
fn user(users: &str, name: &str) -> Option<User> {
    let mut fields =
        users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.split(':').skip(1);
    Some(User { id: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_by_its_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres2:x:9:9::/:/bin/sh\npostgres:x:101:104:P,,,:/:/bin/bash\n";
        assert_eq!(user(users, "postgres"), Some(User { id: 101, group: 104 }));
        assert_eq!(user(users, "nobody"), None);
    }
}
