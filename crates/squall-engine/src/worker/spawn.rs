//! Where workers live: a thread each, or all on the caller's, which is how tests run them on virtual time.

use std::{cell::RefCell, io, rc::Rc, sync::Arc, thread};

use squall_metrics::{Recorder, Registry};
use tokio::{
    runtime::{Builder, LocalOptions},
    sync::{mpsc, oneshot},
    task::spawn_local,
};

use super::{Command, Shared, Worker};
use crate::{Clock, ClockSource, RunError, RunState, WorkerContext, vu::Host};

/// Where the workers of a run live.
pub enum Workers {
    /// A thread each, with a runtime of its own; all count time from this source's zero.
    Threads(ClockSource),
    /// On the caller's `LocalSet`, together with the conductor.
    Local(Clock),
}

/// What contexts are made of. Crosses threads.
#[derive(Clone)]
pub(crate) struct ContextParts {
    pub(crate) registry: Arc<Registry>,
    pub(crate) state: Arc<RunState>,
    pub(crate) with_raw_samples: bool,
}

impl ContextParts {
    pub(crate) fn assemble(self, worker: Option<usize>, clock: Clock) -> WorkerContext {
        let mut recorder = Recorder::new(self.registry);
        if self.with_raw_samples {
            recorder.enable_raw();
        }
        WorkerContext { worker, clock, recorder: Rc::new(RefCell::new(recorder)), state: self.state }
    }
}

impl Workers {
    /// The clock of the caller's thread.
    pub(crate) fn conductor_clock(&self) -> Result<Clock, RunError> {
        match self {
            Workers::Threads(source) => source.clock().map_err(RunError::Clock),
            Workers::Local(clock) => Ok(clock.clone()),
        }
    }
}

/// The started workers.
pub(crate) struct Team {
    finished: Vec<oneshot::Receiver<()>>,
    shared: Arc<Shared>,
}

/// Starts a worker for each receiver of commands and waits until all are up.
pub(crate) async fn start<H: Host>(
    workers: &Workers,
    receivers: Vec<mpsc::UnboundedReceiver<Command>>,
    shared: &Arc<Shared>,
    parts: &ContextParts,
    build_host: &(impl Fn(WorkerContext) -> H + Clone + Send + 'static),
) -> Result<Team, RunError> {
    let mut team = Team { finished: Vec::new(), shared: shared.clone() };
    let mut starting = Vec::new();
    for (index, commands) in receivers.into_iter().enumerate() {
        let (finish, finished) = oneshot::channel::<()>();
        team.finished.push(finished);
        let (shared, parts, build_host) = (shared.clone(), parts.clone(), build_host.clone());
        let live = async move |clock| {
            let context = parts.assemble(Some(index), clock);
            Worker::new(index, build_host(context.clone()), context, shared).run(commands).await;
        };
        match workers {
            Workers::Local(clock) => {
                let clock = clock.clone();
                spawn_local(async move {
                    live(clock).await;
                    drop(finish);
                });
            }
            Workers::Threads(source) => {
                let source = *source;
                let (started, start) = oneshot::channel();
                starting.push(start);
                let thread = thread::Builder::new().name(format!("worker-{}", index + 1));
                let body = move || {
                    run_thread(source, started, live);
                    drop(finish);
                };
                thread.spawn(body).map_err(RunError::Thread)?;
            }
        }
    }
    for start in starting {
        start.await.unwrap_or_else(|_| Err(RunError::Thread(io::Error::other("it ended at once"))))?;
    }
    Ok(team)
}

/// A worker thread from its start to its end. It says first whether the system gave it what it needs.
fn run_thread(
    source: ClockSource,
    started: oneshot::Sender<Result<(), RunError>>,
    live: impl AsyncFnOnce(Clock),
) {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return drop(started.send(Err(RunError::Thread(error)))),
    };
    runtime.block_on(async {
        match source.clock() {
            Ok(clock) => {
                let _ = started.send(Ok(()));
                live(clock).await;
            }
            Err(error) => drop(started.send(Err(RunError::Clock(error)))),
        }
    });
}

impl Team {
    /// Drops all VUs and waits until the last raw samples are out.
    pub(crate) async fn finish(self) {
        for worker in &self.shared.workers {
            // One that has ended already needs no telling.
            let _ = worker.send(Command::Finish);
        }
        for finished in self.finished {
            // The sender is dropped at the end, whatever the end was.
            let _ = finished.await;
        }
    }
}
