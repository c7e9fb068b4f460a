//! Child processes that always end: waited for with a limit, stopped by their own id, with their use of the machine.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::process::Child;
use std::time::{Duration, Instant};

/// How a child ended and what it used.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// The exit code; `None` when a signal ended the child or it ran into a limit.
    pub code: Option<i32>,
    /// The limit at which the child had to be killed.
    pub exceeded: Option<Exceeded>,
    /// Processor time, user and system, of the child and its own children.
    pub cpu: Duration,
    /// The largest resident set, in bytes.
    pub rss_bytes: u64,
}

/// What a child may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub time: Duration,
    /// Of the resident set, in bytes.
    pub rss_bytes: u64,
}

/// A limit that a child did not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exceeded {
    Time,
    Memory,
}

/// Waits for `child` for at most `time`, then kills it.
pub fn wait(child: &Child, time: Duration) -> io::Result<Finished> {
    wait_within(child, Limits { time, rss_bytes: u64::MAX })
}

/// Waits for `child` and kills it when it takes more than `limits`.
pub fn wait_within(child: &Child, limits: Limits) -> io::Result<Finished> {
    let deadline = Instant::now() + limits.time;
    let mut exceeded = None;
    loop {
        if let Some((status, usage)) = wait4(child.id())? {
            return Ok(Finished {
                code: libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)),
                exceeded,
                cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
                rss_bytes: usage.ru_maxrss as u64 * 1024,
            });
        }
        if exceeded.is_none() {
            exceeded = match () {
                () if Instant::now() > deadline => Some(Exceeded::Time),
                () if rss_bytes(child.id()) > limits.rss_bytes => Some(Exceeded::Memory),
                () => None,
            };
            if exceeded.is_some() {
                signal(child.id(), libc::SIGKILL);
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Sends `signal` to the process `id`, which must be a child that has not been waited for.
pub fn signal(id: u32, signal: libc::c_int) {
    // SAFETY: `kill` only takes two integers; an unreaped child keeps its id, so no other process is hit.
    unsafe { libc::kill(id as libc::pid_t, signal) };
}

/// The resident set of a process now; nothing when it has ended.
pub fn rss_bytes(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    kilobytes(&status, "VmRSS:").unwrap_or_default() * 1024
}

/// TCP connections of the machine that are closed and keep their ports for a while.
pub fn closed_connections() -> u64 {
    waiting(&fs::read_to_string("/proc/net/sockstat").unwrap_or_default()).unwrap_or_default()
}

/// `TCP: inuse 5 orphan 0 tw 20011 alloc 8 mem 0`
fn waiting(sockstat: &str) -> Option<u64> {
    let tcp = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    tcp.split_whitespace().skip_while(|word| *word != "tw").nth(1)?.parse().ok()
}

/// Processor time, user and system, that a process has used until now.
pub fn cpu(id: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let ticks = ticks(&stat).ok_or_else(|| io::Error::other("/proc/…/stat is not as expected"))?;
    Ok(Duration::from_secs_f64(ticks as f64 / ticks_per_s()))
}

/// Processor time, user and system, of this process and all that descend from it, those that have ended included.
pub fn family_cpu() -> io::Result<Duration> {
    let mut times = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process may end between being listed and being read.
        let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        times.extend(lineage(&stat).map(|lineage| (id, lineage)));
    }
    let ours = std::process::id();
    let is_ours = |mut id: u32| {
        while id != ours {
            match times.get(&id) {
                Some((parent, _)) if *parent != 0 => id = *parent,
                _ => return false,
            }
        }
        true
    };
    let ticks: u64 = times.iter().filter(|(id, _)| is_ours(**id)).map(|(_, (_, ticks))| ticks).sum();
    Ok(Duration::from_secs_f64(ticks as f64 / ticks_per_s()))
}

/// The parent of a process, and the ticks that it and its children that have ended used.
fn lineage(stat: &str) -> Option<(u32, u64)> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks: Option<u64> = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum();
    Some((fields[1].parse().ok()?, ticks?))
}

fn ticks_per_s() -> f64 {
    // SAFETY: it takes an integer and returns one.
    unsafe { libc::sysconf(libc::_SC_CLK_TCK) as f64 }
}

/// `ID (NAME) STATE …`: user and system time are the fields 14 and 15, and the name may have anything in it.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Memory that the machine can still give away.
pub fn available_bytes() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let available = kilobytes(&text, "MemAvailable:");
    available.map(|kb| kb * 1024).ok_or_else(|| io::Error::other("/proc/meminfo does not tell MemAvailable"))
}

/// `VmRSS:     12345 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Processor time of the whole machine since it started, in ticks.
#[derive(Clone, Copy, Debug)]
pub struct MachineTime {
    busy: u64,
    all: u64,
}

impl MachineTime {
    /// Until now.
    pub fn now() -> io::Result<MachineTime> {
        let text = fs::read_to_string("/proc/stat")?;
        MachineTime::parse(&text).ok_or_else(|| io::Error::other("/proc/stat is not as expected"))
    }

    /// `cpu  user nice system idle iowait irq softirq steal guest guest_nice`; user time includes the guests'.
    fn parse(text: &str) -> Option<MachineTime> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
        let idle = ticks.get(3)? + ticks.get(4)?;
        let all = ticks.iter().sum();
        Some(MachineTime { busy: all - idle, all })
    }

    /// Processor time of all cores together that was used since `before`.
    pub fn used_since(self, before: MachineTime) -> Duration {
        Duration::from_secs_f64((self.busy - before.busy) as f64 / ticks_per_s())
    }

    /// The part of the machine's time that was used since `before`, from 0 to 1.
    pub fn busy_since(self, before: MachineTime) -> f64 {
        (self.busy - before.busy) as f64 / (self.all - before.all).max(1) as f64
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_tells() {
        assert_eq!(kilobytes("VmPeak:  9 kB\nVmRSS:\t   12345 kB\n", "VmRSS:"), Some(12_345));
        assert_eq!(ticks("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20"), Some(300));
        assert_eq!(lineage("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 20 1 20"), Some((1, 321)));
        let sockstat =
            "sockets: used 10\nTCP: inuse 1 orphan 0 tw 15060 alloc 1 mem 338\nUDP: inuse 0 mem 0\n";
        assert_eq!(waiting(sockstat), Some(15_060));
        let before = MachineTime::parse("cpu  10 0 10 60 20 0 0 0 5 0\ncpu0 …").unwrap();
        let after = MachineTime::parse("cpu  60 0 20 90 30 0 0 0 5 0\ncpu0 …").unwrap();
        assert_eq!(after.busy_since(before), 0.6);
    }
}
