//! Decides when VUs run: clock, schedules, executors, VU pool, lifecycle. Knows no JavaScript and no sockets.
//!
//! How a run flows: a [`Run`] is planned from a [`RunSpec`] and executed with [`Workers`] and a function that builds
//! a [`vu::Host`] for each of them. The conductor (the calling thread) initialises the VUs, calls setup, and follows
//! each scenario's executor. An executor takes VUs from the pool and tells their workers what each is to do and until
//! when; the workers' VUs then iterate by the clock, without asking. At the end come teardown, the last samples
//! and a [`RunResult`]. `worker`'s documentation tells the workers' side of it.

use std::time::Duration;

mod run;
mod spec;

mod clock;
pub mod scenario;
mod schedule;
pub mod vu;

mod executor;
mod pool;
mod worker;

mod collect;
mod conductor;
mod generator;
mod progress;
mod run_state;

pub use clock::{Clock, ClockSource, Sleep};
pub use executor::{ExternalControl, ExternalState};
pub use generator::Generator;
pub use progress::{Phase, RunProgress, ScenarioStatus, ScenarioView};
pub use run::Run;
pub use run_state::{AbortReason, RunState};
pub use schedule::Requirements;
pub use spec::{RunError, RunResult, RunSpec, WorkerContext};
pub use worker::Workers;

/// A moment of the run: time since its clock's zero.
pub type Time = Duration;
