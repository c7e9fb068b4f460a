//! The queue and the thread of an output.
//!
//! Workers push batches and never wait. The thread writes them and flushes when it has caught up. When
//! writing fails it says so once and ends; what is pushed after that counts as dropped.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    thread::{self, JoinHandle},
};

use squall_metrics::{Sample, SampleSink};

use crate::{Encoder, OutputError, target::Target};

/// Samples that may wait: about 60 MB, and some seconds of a fast run.
const QUEUE_LIMIT: usize = 1_000_000;

/// A running output. Shared with the workers, which push samples into it.
pub struct OutputHandle {
    output: &'static str,
    batches: Mutex<Option<Sender<Arc<[Sample]>>>>,
    waiting: Arc<AtomicUsize>,
    limit: usize,
    dropped: AtomicU64,
    thread: Mutex<Option<JoinHandle<Result<u64, OutputError>>>>,
}

/// What became of an output's samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputReport {
    /// Samples written.
    pub samples: u64,
    /// Samples that did not fit into the queue.
    pub dropped: u64,
}

impl OutputHandle {
    /// Starts the thread.
    pub(crate) fn start(
        output: &'static str,
        target: Target,
        encoder: impl Encoder + 'static,
    ) -> Result<OutputHandle, OutputError> {
        OutputHandle::with_limit(output, target, encoder, QUEUE_LIMIT)
    }

    pub(crate) fn with_limit(
        output: &'static str,
        target: Target,
        encoder: impl Encoder + 'static,
        limit: usize,
    ) -> Result<OutputHandle, OutputError> {
        let (sender, batches) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer { target, encoder, batches, waiting: Arc::clone(&waiting), written: 0 };
        let thread = thread::Builder::new()
            .name(format!("output-{output}"))
            .spawn(move || writer.run(output))
            .map_err(|source| OutputError::Thread { output, source })?;
        Ok(OutputHandle {
            output,
            batches: Mutex::new(Some(sender)),
            waiting,
            limit,
            dropped: AtomicU64::new(0),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The name of the output.
    pub fn name(&self) -> &'static str {
        self.output
    }

    /// Samples that were dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Writes what is waiting and closes the output. Samples pushed after this are dropped. A second call
    /// reports no samples.
    pub fn finish(&self) -> Result<OutputReport, OutputError> {
        *self.batches.lock().expect("no panic under this lock") = None;
        let thread = self.thread.lock().expect("no panic under this lock").take();
        let samples = match thread {
            Some(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
            None => 0,
        };
        Ok(OutputReport { samples, dropped: self.dropped.load(Relaxed) })
    }

    /// Queues a batch unless the queue is full, closed or without a reader.
    fn offer(&self, batch: Arc<[Sample]>) -> bool {
        let batches = self.batches.lock().expect("no panic under this lock");
        let Some(batches) = &*batches else { return false };
        let len = batch.len();
        // The lock makes this the only writer that adds, so the limit holds.
        if self.waiting.load(Relaxed) + len > self.limit {
            return false;
        }
        self.waiting.fetch_add(len, Relaxed);
        batches.send(batch).is_ok()
    }
}

impl SampleSink for OutputHandle {
    fn push(&self, batch: Arc<[Sample]>) {
        let len = batch.len() as u64;
        if !self.offer(batch) {
            self.dropped.fetch_add(len, Relaxed);
        }
    }
}

/// The thread's side.
struct Writer<E> {
    target: Target,
    encoder: E,
    batches: Receiver<Arc<[Sample]>>,
    waiting: Arc<AtomicUsize>,
    written: u64,
}

impl<E: Encoder> Writer<E> {
    /// Writes until the handle closes the queue. The result is the number of samples.
    fn run(mut self, output: &'static str) -> Result<u64, OutputError> {
        self.write_all().map_err(|source| {
            let target = self.target.to_string();
            let error = OutputError::Write { output, target, source };
            tracing::error!("{error}");
            error
        })?;
        Ok(self.written)
    }

    fn write_all(&mut self) -> io::Result<()> {
        self.encoder.begin(self.target.writer())?;
        while let Some(batch) = self.next_batch()? {
            self.waiting.fetch_sub(batch.len(), Relaxed);
            self.encoder.samples(&batch, self.target.writer())?;
            self.written += batch.len() as u64;
        }
        self.target.finish()
    }

    /// The next batch, flushing before a wait for it. `None` when the queue is closed and empty.
    fn next_batch(&mut self) -> io::Result<Option<Arc<[Sample]>>> {
        match self.batches.try_recv() {
            Ok(batch) => Ok(Some(batch)),
            Err(TryRecvError::Disconnected) => Ok(None),
            Err(TryRecvError::Empty) => {
                self.target.flush()?;
                Ok(self.batches.recv().ok())
            }
        }
    }
}
