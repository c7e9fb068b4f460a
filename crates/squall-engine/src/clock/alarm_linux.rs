//! An alarm on a Linux timerfd: nanosecond resolution, seen by the runtime's epoll.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr,
    time::Duration,
};

use tokio::io::{Interest, unix::AsyncFd};

/// Longest time set at once; the clock sets the alarm again when it rings early.
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Alarm {
    timer: AsyncFd<OwnedFd>,
}

impl Alarm {
    pub(super) fn new() -> io::Result<Alarm> {
        // SAFETY: no pointers; the result is checked before it is owned.
        let fd =
            unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: `fd` was just opened and nothing else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: an owned descriptor stays the same and open until it is dropped.
        let timer = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
        Ok(Alarm { timer: timer? })
    }

    /// Rings after `delay`, instead of any earlier setting.
    pub(super) fn set(&self, delay: Duration) {
        // A zero setting would switch the timer off.
        let delay = delay.clamp(Duration::from_nanos(1), LONGEST_DELAY);
        let setting = libc::itimerspec {
            it_interval: libc::timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: libc::timespec {
                tv_sec: delay.as_secs() as libc::time_t,
                tv_nsec: libc::c_long::from(delay.subsec_nanos() as i32),
            },
        };
        // SAFETY: the descriptor is open, `setting` is valid, and the old setting may be null.
        let result = unsafe { libc::timerfd_settime(self.timer.as_raw_fd(), 0, &setting, ptr::null_mut()) };
        debug_assert_eq!(result, 0, "a clamped setting on an open timer is always accepted");
    }

    /// Ready when it rings; fails when the runtime shuts down. The number of expirations is not read: each one is an
    /// event of its own, and setting the timer makes it zero.
    pub(super) async fn rang(&self) -> io::Result<()> {
        self.timer.readable().await?.clear_ready();
        Ok(())
    }
}
