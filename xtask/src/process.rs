//! Child processes that always end: waited for with a limit, stopped by their own id, with their use of the machine.

use std::io;
use std::mem::MaybeUninit;
use std::process::Child;
use std::time::{Duration, Instant};

/// How a child ended and what it used.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// The exit code; `None` when a signal ended the child or it ran into the limit.
    pub code: Option<i32>,
    /// Whether the child had to be killed at the limit.
    pub timed_out: bool,
    /// Processor time, user and system, of the child and its own children.
    pub cpu: Duration,
    /// The largest resident set, in bytes.
    pub rss_bytes: u64,
}

/// Waits for `child` for at most `limit`, then kills it.
pub fn wait(child: &Child, limit: Duration) -> io::Result<Finished> {
    let deadline = Instant::now() + limit;
    let mut timed_out = false;
    loop {
        if let Some((status, usage)) = wait4(child.id())? {
            return Ok(Finished {
                code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
                timed_out,
                cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
                rss_bytes: usage.ru_maxrss as u64 * 1024,
            });
        }
        if Instant::now() > deadline && !timed_out {
            timed_out = true;
            signal(child.id(), libc::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Sends `signal` to the process `id`, which must be a child that has not been waited for.
pub fn signal(id: u32, signal: libc::c_int) {
    // SAFETY: `kill` only takes two integers; an unreaped child keeps its id, so no other process is hit.
    unsafe { libc::kill(id as libc::pid_t, signal) };
}

/// One look at the child: its wait status and usage once it has ended.
///
/// `std` waits without telling the usage, hence the direct call.
fn wait4(id: u32) -> io::Result<Option<(libc::c_int, libc::rusage)>> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are valid for the call, and `rusage` is plain integers, so zeroes are a value of it.
    let (reaped, usage) = unsafe {
        let reaped = libc::wait4(id as libc::pid_t, &mut status, libc::WNOHANG, usage.as_mut_ptr());
        (reaped, usage.assume_init())
    };
    match reaped {
        0 => Ok(None),
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(Some((status, usage))),
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
}
