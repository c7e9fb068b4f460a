//! `cargo xtask servers -- COMMAND`: PostgreSQL with a replica, Redis and RabbitMQ of this machine, for as long as a command runs.
//!
//! Each listens on free loopback ports and keeps its data in a folder under `target/servers` that is deleted at the
//! end. The command finds them by the variables that the tests of Breakwater read. A thread a server starts it, keeps
//! it and stops it, so that they start side by side, and none outlives this process.

mod postgres;
mod rabbitmq;
mod redis;

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::daemon::{self, Daemon};
use crate::{process, tool};

#[derive(clap::Args)]
pub struct Args {
    /// Only these, by default all
    #[arg(long, value_delimiter = ',')]
    only: Vec<Kind>,
    /// The command that needs them, with its arguments; its exit code is passed on
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// A server, or a group of them that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A primary and a streaming replica
    Postgres,
    Redis,
    Rabbitmq,
}

/// All of them.
pub const ALL: [Kind; 3] = [Kind::Postgres, Kind::Redis, Kind::Rabbitmq];

/// A variable for the command, and its value.
pub type Variable = (&'static str, String);

/// Running servers. Dropping it stops them and deletes their data.
pub struct Servers {
    keepers: Vec<Keeper>,
    variables: Vec<Variable>,
    _folder: TempDir,
}

/// What a kind of server runs, and how it is reached.
struct Started {
    /// Stopped in this order.
    daemons: Vec<Daemon>,
    variables: Vec<Variable>,
    /// For people: `PostgreSQL 15.4`.
    version: String,
}

/// The thread that owns a server, and the channel whose end tells it to stop.
struct Keeper {
    thread: JoinHandle<()>,
    stop: Sender<()>,
}

/// Runs the chore; its exit code is the command's.
pub fn run(args: &Args) -> Result<ExitCode> {
    daemon::catch_signals();
    let servers = Servers::start(if args.only.is_empty() { &ALL } else { &args.only })?;
    run_command(&args.command, servers.variables())
}

impl Servers {
    /// Starts servers of these kinds and waits until each can serve. Each gets a line on standard error.
    pub fn start(kinds: &[Kind]) -> Result<Servers> {
        let folder = fresh_folder()?;
        let (tell, told) = mpsc::channel();
        let mut servers = Servers { keepers: Vec::new(), variables: Vec::new(), _folder: folder };
        for kind in ALL.into_iter().filter(|kind| kinds.contains(kind)) {
            let place = servers._folder.path().join(kind.name());
            let (stop, stopped) = mpsc::channel();
            let tell = tell.clone();
            let thread = thread::spawn(move || kind.keep(&place, tell, &stopped));
            servers.keepers.push(Keeper { thread, stop });
        }
        drop(tell);
        for outcome in told {
            servers.variables.extend(outcome?);
        }
        Ok(servers)
    }

    /// What tells a command where they are.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let (threads, stops): (Vec<_>, Vec<_>) =
            self.keepers.drain(..).map(|keeper| (keeper.thread, keeper.stop)).unzip();
        drop(stops);
        for thread in threads {
            // A thread that panicked has said so, and its servers went with it.
            let _ = thread.join();
        }
    }
}

impl Kind {
    /// Also the name of its folder.
    fn name(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres",
            Kind::Redis => "redis",
            Kind::Rabbitmq => "rabbitmq",
        }
    }

    /// Runs the server from its start until `stopped` ends.
    fn keep(self, place: &Path, tell: Sender<Result<Vec<Variable>>>, stopped: &Receiver<()>) {
        let begun = Instant::now();
        let started = fs::create_dir(place).map_err(Into::into).and_then(|()| match self {
            Kind::Postgres => postgres::start(place),
            Kind::Redis => redis::start(place),
            Kind::Rabbitmq => rabbitmq::start(place),
        });
        let (outcome, daemons) = match started {
            Ok(Started { daemons, variables, version }) => {
                eprintln!("{version}: ready after {:.1} s", begun.elapsed().as_secs_f64());
                (Ok(variables), daemons)
            }
            Err(error) => (Err(error), Vec::new()),
        };
        // Nobody listens any more when another server has failed; then there is nothing to wait for either.
        let _ = tell.send(outcome);
        drop(tell);
        let _ = stopped.recv();
        drop(daemons);
    }
}

/// A new folder that other users can reach: PostgreSQL does not run as root.
fn fresh_folder() -> Result<TempDir> {
    let preferred = tool::target_dir().join("servers");
    fs::create_dir_all(&preferred).with_context(|| format!("creating {}", preferred.display()))?;
    let preferred = preferred.canonicalize()?;
    let parent = if others_can_enter(&preferred) { preferred } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new()
        .prefix("run-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(&parent);
    folder.with_context(|| format!("creating a folder in {}", parent.display()))
}

fn others_can_enter(folder: &Path) -> bool {
    let open = |folder: &Path| fs::metadata(folder).is_ok_and(|data| data.permissions().mode() & 0o001 != 0);
    folder.ancestors().all(open)
}

/// Runs the command to its end and returns its exit code, 128 and the signal's number when one ended it.
fn run_command(command: &[OsString], variables: &[Variable]) -> Result<ExitCode> {
    let (program, args) = command.split_first().context("no command")?;
    let mut child = Command::new(program)
        .args(args)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .spawn()
        .with_context(|| format!("starting {}", PathBuf::from(program).display()))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // Whoever wants us to end wants the command to end; the servers go after it.
        if let Some(signal) = daemon::take_signal() {
            process::signal(child.id(), signal);
        }
        thread::sleep(Duration::from_millis(10));
    };
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    Ok(ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)))
}

/// Runs a program that prepares something to its end; `Err` has what it said.
fn prepare(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {:?}", command.get_program()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{:?} failed ({}): {}", command.get_program(), output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(script: &str) -> ExitCode {
        let command = ["sh", "-c", script].map(OsString::from);
        run_command(&command, &[("PLACE", "here".to_owned())]).unwrap()
    }

    #[test]
    fn the_command_gets_the_variables_and_its_exit_code_is_passed_on() {
        assert_eq!(code_of("test \"$PLACE\" = here && exit 7"), ExitCode::from(7));
        assert_eq!(code_of("kill -TERM $$"), ExitCode::from(128 + 15));
    }

    #[test]
    fn a_command_that_does_not_exist_is_named() {
        let error = run_command(&["no-such-command".into()], &[]).unwrap_err();
        assert_eq!(error.to_string(), "starting no-such-command");
    }

    #[test]
    fn a_folder_under_a_closed_one_is_not_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(!others_can_enter(&inner));
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        assert!(others_can_enter(&inner));
    }
}
