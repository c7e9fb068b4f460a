//! What a run is given and what it gives back.

use std::{cell::RefCell, io, rc::Rc, sync::Arc, time::Duration};

use squall_metrics::{Aggregate, GeneratorHealth, Recorder, Registry, SampleSink, TagSet};
use squall_options::{Scenario, Stripe};

use crate::{AbortReason, Clock, RunState};

/// Everything a run needs besides the hosts that create its VUs.
pub struct RunSpec {
    /// What runs, all defaults filled in.
    pub scenarios: Vec<Scenario>,
    /// This process's part of the whole test.
    pub stripe: Stripe,
    /// The metrics of the run; shared with the hosts.
    pub registry: Arc<Registry>,
    /// Takes in the samples and holds the thresholds; comes back in the result.
    pub aggregate: Aggregate,
    /// Who wants raw samples. They are kept only when there is someone.
    pub sinks: Vec<Arc<dyn SampleSink>>,
    /// Shared with the hosts and with whoever may abort the run.
    pub state: Arc<RunState>,
    /// Tags of every sample.
    pub tags: Arc<TagSet>,
    /// Whether samples of a scenario carry its name: the `scenario` system tag.
    pub scenario_tag: bool,
    /// Time limit of setup; `None` skips it.
    pub setup_timeout: Option<Duration>,
    /// Time limit of teardown; `None` skips it.
    pub teardown_timeout: Option<Duration>,
    /// Shorter iterations are padded to this length with idling.
    pub min_iteration_duration: Duration,
    /// Worker threads; by default one a core. Never more than VUs.
    pub workers: Option<usize>,
}

/// What a host is built with. It lives on one thread.
#[derive(Clone)]
pub struct WorkerContext {
    /// Which worker; `None` is the conductor, whose host runs setup and teardown.
    pub worker: Option<usize>,
    /// This thread's clock.
    pub clock: Clock,
    /// This thread's recorder, which the engine drains.
    pub recorder: Rc<RefCell<Recorder>>,
    /// The run's state.
    pub state: Arc<RunState>,
}

/// How a run that started ended.
pub struct RunResult {
    /// All metrics, and thresholds after their final evaluation.
    pub aggregate: Aggregate,
    /// How this process did while it made the load. Outputs know what they dropped; here nothing is.
    pub generator: GeneratorHealth,
    /// From the end of VU initialisation to the end of teardown: the base of counter rates.
    pub duration: Duration,
    /// Why it ended early, if it did. Crossed thresholds at the end are in `aggregate`.
    pub abort_reason: Option<AbortReason>,
}

/// The system did not give what a run needs.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No timer for a thread's clock.
    #[error("cannot create a timer: {0}")]
    Clock(#[source] io::Error),
    /// No thread or event loop for a worker.
    #[error("cannot start a worker thread: {0}")]
    Thread(#[source] io::Error),
}
