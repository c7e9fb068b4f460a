//! What the machine gives this process, and whether a test can run on that.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use squall_engine::Requirements;

use crate::error::{Error, Result};

/// Less memory than any VU takes: two pages of stack, and the smallest script in a realm that VUs share.
const VU_BYTES_MIN: u64 = 12 << 10;

/// What this process may take.
#[derive(Clone, Copy, Debug)]
pub struct Resources {
    /// Files and sockets that it may have open.
    pub open_files: u64,
    /// Bytes of memory that are free for it; `None` when the machine does not say.
    pub free_memory_bytes: Option<u64>,
    /// Memory mappings that the kernel lets a process have; `None` when it does not say.
    pub mappings: Option<u64>,
    /// How many of them a VU's stack takes.
    pub mappings_of_vu: u64,
}

impl Resources {
    /// Those of this process, after it asked for as many files as it may have: the usual soft limit of 1,024 is
    /// there for programs that cannot handle more.
    pub fn claim() -> Resources {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        let open_files = if raised.is_ok() { maximum } else { current };
        Resources {
            open_files: open_files.unwrap_or(u64::MAX),
            free_memory_bytes: free_memory_bytes(),
            mappings: read_number("/proc/sys/vm/max_map_count"),
            mappings_of_vu: squall_js::mappings_of_stack(),
        }
    }

    /// Refuses a test that cannot fit into memory, before it takes the machine down. Warns when there are fewer
    /// descriptors than VUs.
    pub fn check(&self, needs: &Requirements) -> Result<()> {
        self.check_memory(needs)?;
        self.check_mappings(needs)?;
        if needs.vus_max > self.open_files {
            tracing::warn!(
                "up to {} VUs share {} open files, and each connection takes one; raise the limit with ulimit -n",
                needs.vus_max,
                self.open_files
            );
        }
        Ok(())
    }

    fn check_memory(&self, needs: &Requirements) -> Result<()> {
        let needed = needs.vus_planned.saturating_mul(VU_BYTES_MIN);
        if let Some(free) = self.free_memory_bytes
            && needed > free
        {
            let message = format!(
                "the test starts with {} VUs, which take at least {} GB of memory; {} GB are free",
                needs.vus_planned,
                gigabytes(needed),
                gigabytes(free)
            );
            return Err(Error::config(message)
                .hint("use fewer VUs, or spread them over machines with --execution-segment"));
        }
        Ok(())
    }

    fn check_mappings(&self, needs: &Requirements) -> Result<()> {
        let needed = needs.vus_planned.saturating_mul(self.mappings_of_vu);
        if self.mappings.is_none_or(|mappings| needed <= mappings) {
            return Ok(());
        }
        let message = format!(
            "the test starts with {} VUs, whose stacks need {needed} memory mappings; the kernel allows {}",
            needs.vus_planned,
            self.mappings.unwrap_or_default()
        );
        let enough = needed.saturating_add(needed / 10);
        Err(Error::config(message).hint(format!(
            "raise the limit with sysctl -w vm.max_map_count={enough}, or spread the VUs over processes with --execution-segment"
        )))
    }
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e9)
}

/// What the kernel could give without swapping, within the limit of the control group.
fn free_memory_bytes() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_bytes(&text));
    machine.into_iter().chain(read_number("/sys/fs/cgroup/memory.max")).min()
}

/// A file of the kernel's that holds one number.
fn read_number(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// `MemAvailable` of `/proc/meminfo`.
fn available_bytes(meminfo: &str) -> Option<u64> {
    let kilobytes = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(kilobytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(vus_planned: u64) -> Result<()> {
        let needs = Requirements { vus_planned, vus_max: vus_planned, duration_max: None };
        let free_memory_bytes = Some(8_000_000_000);
        Resources { open_files: 1024, free_memory_bytes, mappings: Some(65_530), mappings_of_vu: 2 }
            .check(&needs)
    }

    #[test]
    fn a_test_that_cannot_fit_into_memory_is_refused() {
        check(10_000).unwrap();
        let error = check(100_000_000).unwrap_err();
        assert_eq!(
            error.message,
            "the test starts with 100000000 VUs, which take at least 1228.8 GB of memory; 8.0 GB are free"
        );
    }

    #[test]
    fn a_test_with_more_stacks_than_mappings_is_refused() {
        let error = check(40_000).unwrap_err();
        assert_eq!(
            error.message,
            "the test starts with 40000 VUs, whose stacks need 80000 memory mappings; the kernel allows 65530"
        );
        assert!(error.hint.unwrap().starts_with("raise the limit with sysctl -w vm.max_map_count=88000"));
    }

    #[test]
    fn free_memory_is_what_the_kernel_calls_available() {
        let text = "MemTotal:       24683000 kB\nMemAvailable:   23142400 kB\nBuffers: 1 kB\n";
        assert_eq!(available_bytes(text), Some(23_142_400 * 1024));
        assert_eq!(available_bytes("nothing of use"), None);
    }
}
