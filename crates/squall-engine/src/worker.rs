//! A worker: one thread's VUs. It follows the conductor's commands, one at a time, and runs each busy VU as a
//! task of its own. The conductor says which VU works for which scenario and for how long; the worker's own
//! clock then decides about every single iteration, so none waits for a message.

use std::{
    cell::RefCell,
    collections::HashMap,
    convert::Infallible,
    pin::pin,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use squall_metrics::{SampleSink, Snapshot, TrendSink};
use squall_options::Stripe;
use tokio::{
    sync::{mpsc, oneshot},
    task::{spawn_local, yield_now},
};

use crate::{
    Time, WorkerContext,
    scenario::ScenarioRun,
    schedule::Tenure,
    vu::{Host, ScriptError, TIDY_INTERVAL, VuId},
};

mod arrivals;
mod spawn;
mod work;

pub(crate) use arrivals::ArrivalRun;
pub use spawn::Workers;
pub(crate) use spawn::{ContextParts, start};

use arrivals::LocalArrivals;
use work::{Leash, Seat};

/// How often raw samples leave a worker when an output wants them.
const RAW_FLUSH_INTERVAL: Duration = Duration::from_millis(100);

/// What the conductor, or for arrivals another worker, tells a worker. The queues have no limit of their own:
/// there are only as many commands in them as there are VUs to be told something.
pub(crate) enum Command {
    /// Create these VUs, one after the other.
    Init { vus: Vec<VuId>, reply: oneshot::Sender<Result<(), ScriptError>> },
    /// The scenarios begin: whatever was late before does not count.
    Begin,
    /// Let an idle VU work for a scenario. It comes back as `Returned`.
    Activate { vu: VuId, task: Task },
    /// The VU finishes its iteration and comes back.
    Retire(VuId),
    /// Answer when all earlier commands are followed.
    Settle(oneshot::Sender<()>),
    /// Start this worker's share of the arrivals.
    StartArrivals(Arc<ArrivalRun>),
    /// Another worker reserved a VU here for this arrival.
    HandOver { arrivals: Arc<ArrivalRun>, intended_start: Time },
    /// The scenario has no more arrivals: its VUs come back.
    CloseArrivals { scenario_index: usize },
    /// Hand over what was recorded since the last drain.
    Drain(oneshot::Sender<Drained>),
    /// Drop all VUs and end.
    Finish,
}

/// What a worker has to hand over.
pub(crate) struct Drained {
    pub(crate) snapshot: Snapshot,
    /// How late its timers fired, in milliseconds.
    pub(crate) timer_lag_ms: TrendSink,
}

/// A scenario and the work of one VU in it.
pub(crate) struct Task {
    /// Place of the scenario in the run.
    pub(crate) scenario_index: usize,
    pub(crate) scenario: Arc<ScenarioRun>,
    pub(crate) work: Work,
}

/// Which iterations a VU runs.
pub(crate) enum Work {
    /// One after the other, during the tenure's spans.
    Loop { tenure: Tenure, quota: Quota },
    /// Those that arrive while it is idle.
    Arrivals(Arc<ArrivalRun>),
}

/// How many iterations a looping VU may start.
pub(crate) enum Quota {
    Unlimited,
    /// Its own number; what is left at the end was dropped.
    Own(u64),
    /// Whatever the VUs of the scenario have left of their common number.
    Shared(Arc<std::sync::atomic::AtomicU64>),
}

/// A VU is idle again.
pub(crate) struct Returned {
    pub(crate) vu: VuId,
    pub(crate) scenario_index: usize,
}

/// What all workers of a run know.
pub(crate) struct Shared {
    pub(crate) stripe: Stripe,
    pub(crate) min_iteration_duration: Duration,
    pub(crate) sinks: Vec<Arc<dyn SampleSink>>,
    /// Commands to each worker, for hand-overs.
    pub(crate) workers: Vec<mpsc::UnboundedSender<Command>>,
    pub(crate) returned: mpsc::UnboundedSender<Returned>,
}

/// One thread's VUs and what they work on.
pub(crate) struct Worker<H: Host> {
    index: usize,
    host: H,
    context: WorkerContext,
    shared: Arc<Shared>,
    idle: RefCell<HashMap<VuId, Seat<H::Vu>>>,
    /// How to stop the busy ones.
    busy: RefCell<HashMap<VuId, Rc<Leash>>>,
    /// By scenario.
    arrivals: RefCell<HashMap<usize, Rc<LocalArrivals>>>,
}

impl<H: Host> Worker<H> {
    pub(crate) fn new(index: usize, host: H, context: WorkerContext, shared: Arc<Shared>) -> Worker<H> {
        Worker {
            index,
            host,
            context,
            shared,
            idle: RefCell::default(),
            busy: RefCell::default(),
            arrivals: RefCell::default(),
        }
    }

    /// Follows commands until `Finish`. An abort of the run interrupts all iterations here.
    pub(crate) async fn run(self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let worker = Rc::new(self);
        let state = worker.context.state.clone();
        let mut aborted = pin!(state.aborted());
        let mut flush = pin!(flush_raw_samples(&worker.context, &worker.shared.sinks));
        let mut pulse = pin!(worker.pulse());
        let mut interrupted = false;
        loop {
            tokio::select! {
                biased;
                () = &mut aborted, if !interrupted => {
                    interrupted = true;
                    worker.interrupt_all();
                }
                command = commands.recv() => match command {
                    None | Some(Command::Finish) => break,
                    Some(command) => worker.follow(command),
                },
                never = &mut flush => match never {},
                never = &mut pulse => match never {},
            }
        }
        push_raw_samples(&worker.context, &worker.shared.sinks);
    }

    fn follow(self: &Rc<Self>, command: Command) {
        match command {
            Command::Init { vus, reply } => {
                let worker = self.clone();
                // A conductor that gave up on the run does not listen any more.
                spawn_local(async move { drop(reply.send(worker.create(vus).await)) });
            }
            Command::Begin => drop(self.context.clock.take_lag()),
            Command::Activate { vu, task } => self.activate(vu, task),
            Command::Retire(vu) => {
                if let Some(leash) = self.busy.borrow().get(&vu) {
                    leash.retire();
                }
            }
            Command::Settle(reply) => drop(reply.send(())),
            Command::StartArrivals(run) => {
                let worker = self.clone();
                spawn_local(async move { worker.run_arrivals(run).await });
            }
            Command::HandOver { arrivals, intended_start } => self.take_over(&arrivals, intended_start),
            Command::CloseArrivals { scenario_index } => self.close_arrivals(scenario_index),
            Command::Drain(reply) => drop(reply.send(self.drain())),
            Command::Finish => unreachable!("the command loop ends with it"),
        }
    }

    async fn create(&self, vus: Vec<VuId>) -> Result<(), ScriptError> {
        let state = &self.context.state;
        for vu in vus {
            if state.is_aborted() {
                return Err(ScriptError::Interrupted);
            }
            let id_in_test = self.shared.stripe.global_index(vu.0 - 1) + 1;
            let seat = Seat::new(self.host.create(vu, id_in_test).await?);
            self.idle.borrow_mut().insert(vu, seat);
            state.vus_initialized.fetch_add(1, Relaxed);
            yield_now().await;
        }
        Ok(())
    }

    /// Never ends: lets the host tidy up, and looks at the time, so that the lag of a worker whose scripts never sleep is
    /// known too.
    async fn pulse(&self) -> Infallible {
        loop {
            self.context.clock.sleep(TIDY_INTERVAL).await;
            self.host.tidy().await;
        }
    }

    fn drain(&self) -> Drained {
        let snapshot = self.context.recorder.borrow_mut().drain();
        Drained { snapshot, timer_lag_ms: self.context.clock.take_lag() }
    }

    fn interrupt_all(&self) {
        for leash in self.busy.borrow().values() {
            leash.stop.raise();
        }
        for arrivals in self.arrivals.borrow().values() {
            arrivals.close();
        }
    }
}

/// Never ends. Without sinks there are no raw samples and nothing to do.
pub(crate) async fn flush_raw_samples(context: &WorkerContext, sinks: &[Arc<dyn SampleSink>]) -> Infallible {
    if sinks.is_empty() {
        return std::future::pending().await;
    }
    loop {
        context.clock.sleep(RAW_FLUSH_INTERVAL).await;
        push_raw_samples(context, sinks);
    }
}

/// Gives the raw samples since the last time to every sink.
pub(crate) fn push_raw_samples(context: &WorkerContext, sinks: &[Arc<dyn SampleSink>]) {
    let samples = context.recorder.borrow_mut().take_raw();
    if samples.is_empty() {
        return;
    }
    let batch: Arc<[_]> = samples.into();
    for sink in sinks {
        sink.push(batch.clone());
    }
}
