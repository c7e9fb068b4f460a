//! Decides when VUs run: clock, schedules, executors, VU pool, lifecycle. Knows no JavaScript and no sockets.

use std::time::Duration;

mod run_state;
pub mod scenario;
pub mod vu;

pub use run_state::{AbortReason, RunState};

/// A moment of the run: time since its clock's zero.
pub type Time = Duration;
