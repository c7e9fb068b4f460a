//! What every thread of a run may read: counts, the setup data, and whether the run must end.

use std::{
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use crate::{Time, generator::Generator, vu::SetupData};

/// Why a run ended before its schedule did. The first reason counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbortReason {
    /// A threshold with `abortOnFail` failed.
    Thresholds,
    /// `exec.test.abort(message)`.
    Script(String),
    /// SIGINT or SIGTERM.
    Signal,
    /// Init code of a VU, setup or teardown threw.
    Exception(String),
    /// `setup` took longer than `setupTimeout`.
    SetupTimeout,
    /// `teardown` took longer than `teardownTimeout`.
    TeardownTimeout,
}

/// Shared by conductor, workers and host modules.
pub struct RunState {
    /// Wall time of the clock's zero.
    pub started_at: SystemTime,
    /// When all VUs were initialised, by the clock: the test's own time counts from here.
    pub test_started: OnceLock<Time>,
    pub iterations_completed: AtomicU64,
    pub iterations_interrupted: AtomicU64,
    pub vus_active: AtomicU64,
    pub vus_initialized: AtomicU64,
    /// `exec.test.fail()` was called: the run goes on and exits with its own code.
    pub marked_failed: AtomicBool,
    pub setup_data: OnceLock<SetupData>,
    /// What the load generator notices about itself.
    pub generator: Generator,
    aborted: AtomicBool,
    abort_reason: Mutex<Option<AbortReason>>,
    abort_notify: tokio::sync::Notify,
}

impl RunState {
    pub fn new(started_at: SystemTime) -> RunState {
        RunState {
            started_at,
            test_started: OnceLock::new(),
            iterations_completed: AtomicU64::new(0),
            iterations_interrupted: AtomicU64::new(0),
            vus_active: AtomicU64::new(0),
            vus_initialized: AtomicU64::new(0),
            marked_failed: AtomicBool::new(false),
            setup_data: OnceLock::new(),
            generator: Generator::default(),
            aborted: AtomicBool::new(false),
            abort_reason: Mutex::new(None),
            abort_notify: tokio::sync::Notify::new(),
        }
    }

    /// A time of the run in milliseconds since 1970, as dates count them.
    pub fn unix_ms(&self, time: Time) -> f64 {
        (self.started_at + time).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
            * 1e3
    }

    /// Asks the run to end: running iterations are interrupted, teardown and summary still happen.
    pub fn abort(&self, reason: AbortReason) {
        self.abort_reason.lock().expect("no panic under this lock").get_or_insert(reason);
        self.aborted.store(true, Relaxed);
        self.abort_notify.notify_waiters();
    }

    pub fn is_aborted(&self) -> bool {
        self.aborted.load(Relaxed)
    }

    pub fn abort_reason(&self) -> Option<AbortReason> {
        self.abort_reason.lock().expect("no panic under this lock").clone()
    }

    /// Ready once `abort` has been called.
    pub async fn aborted(&self) {
        loop {
            let notified = self.abort_notify.notified();
            if self.is_aborted() {
                return;
            }
            notified.await;
        }
    }
}
