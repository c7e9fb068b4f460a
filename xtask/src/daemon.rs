//! A server's process: in a process group of its own, with a log, waited for until it serves, and gone with its owner.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;

/// RabbitMQ needs some 10 s on two busy cores.
const START_MAX: Duration = Duration::from_secs(120);

/// After it, a process that was told to end is killed.
const STOP_MAX: Duration = Duration::from_secs(5);

/// Lines of a log that an error shows.
const LOG_LINES: usize = 12;

/// The last signal that asked this process to end and was not dealt with yet; 0 is none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// A running process. Dropping it ends it; so does the end of the thread that started it.
pub struct Daemon {
    child: Child,
    name: &'static str,
    log: PathBuf,
    /// The signal that ends it.
    end: libc::c_int,
}

impl Daemon {
    /// Starts `command`, which writes to `log`. The signal `end` ends it.
    pub fn spawn(name: &'static str, command: &mut Command, log: &Path, end: libc::c_int) -> Result<Daemon> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            // Ctrl-C is for the command that runs beside it.
            .process_group(0);
        // SAFETY: between fork and exec only `prctl` is called, which is a bare system call.
        unsafe {
            command.pre_exec(move || match libc::prctl(libc::PR_SET_PDEATHSIG, end) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            })
        };
        let child = command.spawn().with_context(|| format!("starting {:?}", command.get_program()))?;
        Ok(Daemon { child, name, log: log.to_owned(), end })
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `serves`. It is an error when the process ends before, or somebody asks this one to.
    pub fn wait_until(&mut self, mut serves: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + START_MAX;
        while !serves() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended at its start ({status}):\n{}", self.name, self.last_words());
            }
            if SIGNAL.load(Ordering::Relaxed) != 0 {
                bail!("stopped while {} started", self.name);
            }
            if Instant::now() > deadline {
                let seconds = START_MAX.as_secs();
                bail!("{} does not serve after {seconds} s:\n{}", self.name, self.last_words());
            }
            thread::sleep(Duration::from_millis(40));
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        process::signal(self.child.id(), self.end);
        if let Ok(finished) = process::wait(&self.child, STOP_MAX)
            && finished.exceeded.is_some()
        {
            eprintln!("{} did not end within {} s and was killed", self.name, STOP_MAX.as_secs());
        }
    }
}

/// From now on a signal that asks this process to end is only noted.
pub fn catch_signals() {
    extern "C" fn note(signal: libc::c_int) {
        SIGNAL.store(signal, Ordering::Relaxed);
    }
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler only stores to an atomic, which is allowed in one.
        unsafe { libc::signal(signal, note as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    }
}

/// The signal that was noted since the last call.
pub fn take_signal() -> Option<libc::c_int> {
    match SIGNAL.swap(0, Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, log: &Path) -> Daemon {
        Daemon::spawn("the shell", Command::new("sh").args(["-c", script]), log, libc::SIGTERM).unwrap()
    }

    #[test]
    fn one_that_ends_at_its_start_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut daemon = shell("echo no room >&2; exit 3", &folder.path().join("log"));
        let error = daemon.wait_until(|| false).unwrap_err().to_string();
        assert_eq!(error, "the shell ended at its start (exit status: 3):\nno room");
    }

    #[test]
    fn dropping_it_ends_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut daemon = shell("echo up; exec sleep 600", &log);
        daemon.wait_until(|| fs::read_to_string(&log).unwrap() == "up\n").unwrap();
        let id = daemon.child.id();
        drop(daemon);
        assert_eq!(process::rss_bytes(id), 0);
    }
}
