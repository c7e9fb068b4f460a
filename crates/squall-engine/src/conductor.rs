//! The conductor's side of the workers: which VU is where, and how to give it work.

use std::{
    cell::{Cell, OnceCell},
    convert::Infallible,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use squall_metrics::{MetricId, TagSet};
use tokio::sync::{mpsc, oneshot};

use crate::{
    RunState, Time, WorkerContext,
    generator::CpuWatch,
    pool::Pool,
    progress::RunProgress,
    run::cores,
    vu::{ScriptError, VuId},
    worker::{Command, Drained, Returned, Shared},
};

/// Shared by the executors of a run, all on the conductor's thread.
pub(crate) struct Conductor {
    pub(crate) context: WorkerContext,
    pub(crate) shared: Arc<Shared>,
    pub(crate) progress: Arc<RunProgress>,
    pub(crate) pool: Pool,
    /// Ids up to this one are taken.
    vus_created: Cell<u64>,
    cpu: OnceCell<CpuWatch>,
}

impl Conductor {
    pub(crate) fn new(
        context: WorkerContext,
        shared: Arc<Shared>,
        progress: Arc<RunProgress>,
    ) -> Rc<Conductor> {
        Rc::new(Conductor {
            context,
            shared,
            progress,
            pool: Pool::default(),
            vus_created: Cell::new(0),
            cpu: OnceCell::new(),
        })
    }

    pub(crate) fn state(&self) -> &Arc<RunState> {
        &self.context.state
    }

    pub(crate) fn now(&self) -> Time {
        self.context.clock.now()
    }

    /// Since all VUs were initialised.
    pub(crate) fn test_duration(&self) -> Duration {
        self.state().test_started.get().map_or(Duration::ZERO, |started| self.now().saturating_sub(*started))
    }

    pub(crate) fn worker_count(&self) -> usize {
        self.shared.workers.len()
    }

    /// VU ids are dealt out to the workers in turn.
    pub(crate) fn worker_of(&self, vu: VuId) -> usize {
        (vu.0 - 1) as usize % self.worker_count()
    }

    pub(crate) fn send(&self, worker: usize, command: Command) {
        // A worker only ends when the run does.
        let _ = self.shared.workers[worker].send(command);
    }

    /// Creates so many VUs for the pool, on all workers at the same time.
    pub(crate) async fn fill_pool(&self, count: u64) -> Result<(), ScriptError> {
        let first = self.vus_created.get() + 1;
        let vus: Vec<_> = (first..first + count).map(VuId).collect();
        self.create(&vus).await?;
        vus.into_iter().for_each(|vu| self.pool.put(vu));
        Ok(())
    }

    /// Creates one VU, which goes to the pool only after its first task.
    pub(crate) async fn create_vu(&self) -> Result<VuId, ScriptError> {
        let vu = VuId(self.vus_created.get() + 1);
        self.create(&[vu]).await?;
        Ok(vu)
    }

    async fn create(&self, vus: &[VuId]) -> Result<(), ScriptError> {
        self.vus_created.set(self.vus_created.get() + vus.len() as u64);
        let mut shares = vec![Vec::new(); self.worker_count()];
        for &vu in vus {
            shares[self.worker_of(vu)].push(vu);
        }
        let replies =
            shares.into_iter().enumerate().filter(|(_, share)| !share.is_empty()).map(|(worker, vus)| {
                let (reply, created) = oneshot::channel();
                self.send(worker, Command::Init { vus, reply });
                created
            });
        for created in join_all(replies).await {
            created
                .unwrap_or_else(|_| Err(ScriptError::Exception("internal error: VU init panicked".into())))?;
        }
        Ok(())
    }

    /// Takes back VUs as they return. Never ends while the run lasts.
    pub(crate) async fn receive_vus(&self, mut returned: mpsc::UnboundedReceiver<Returned>) -> Infallible {
        while let Some(Returned { vu, scenario_index }) = returned.recv().await {
            self.pool.put(vu);
            self.progress.scenarios[scenario_index].release_vu();
        }
        unreachable!("the conductor itself holds a sender")
    }

    /// The scenarios begin: what the generator notices about itself counts from here.
    pub(crate) fn begin(&self) {
        // Scenarios begin once.
        let _ = self.cpu.set(CpuWatch::start(&self.context.clock));
        (0..self.worker_count()).for_each(|worker| self.send(worker, Command::Begin));
    }

    /// This process's share of the machine's processors since the scenarios began.
    pub(crate) fn cpu_share(&self) -> Option<f64> {
        self.cpu.get()?.share(&self.context.clock, cores())
    }

    /// Collects what the workers recorded since the last time.
    pub(crate) async fn drain(&self) -> Vec<Drained> {
        self.ask_all(Command::Drain).await
    }

    /// Waits until all workers have followed all commands so far.
    pub(crate) async fn settle(&self) {
        self.ask_all(Command::Settle).await;
    }

    async fn ask_all<T>(&self, question: impl Fn(oneshot::Sender<T>) -> Command) -> Vec<T> {
        let replies = (0..self.worker_count()).map(|worker| {
            let (reply, answer) = oneshot::channel();
            self.send(worker, question(reply));
            answer
        });
        join_all(replies).await.into_iter().flatten().collect()
    }

    pub(crate) fn record(&self, metric: MetricId, tags: &Arc<TagSet>, value: f64) {
        let mut recorder = self.context.recorder.borrow_mut();
        let series = recorder.series(metric, tags);
        recorder.record(series, value, self.now());
    }
}
