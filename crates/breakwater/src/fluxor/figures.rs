//! What `/api/metrics` shows: how requests went, and what the process uses.

mod latency;

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::{Layer, Service};

use super::api::{Latency, Metrics, Process, Requests};
use crate::kit::admission::{Admission, AdmittedBody};
use crate::kit::metrics::Usage;
use latency::Latencies;

/// How long an answer holds. Reading `/proc` and the histogram costs more than most requests.
const KEPT: Duration = Duration::from_millis(100);
/// The least time over which the use of CPU is averaged: the kernel counts it in hundredths of a second.
const CPU_SPAN: Duration = Duration::from_secs(1);

/// Counts requests as a tower layer, and shows the counts. Clones are the same figures.
#[derive(Clone)]
pub(super) struct Figures(Arc<Shared>);

struct Shared {
    started: Instant,
    served: Served,
    admission: Admission,
    shown: Mutex<Shown>,
}

struct Served {
    /// By the class of the status, 1xx to 5xx, without what admission refused.
    by_class: [AtomicU64; 5],
    latencies: Latencies,
}

struct Shown {
    at: Option<Instant>,
    json: Bytes,
    /// When the use of CPU was last read, and the seconds of it then.
    cpu_read: (Instant, f64),
    cpu_cores: f64,
}

impl Figures {
    pub(super) fn new(admission: Admission) -> Self {
        let started = Instant::now();
        let cpu_read = (started, Usage::now().cpu_seconds);
        Self(Arc::new(Shared {
            started,
            served: Served { by_class: Default::default(), latencies: Latencies::new(started) },
            admission,
            shown: Mutex::new(Shown { at: None, json: Bytes::new(), cpu_read, cpu_cores: 0.0 }),
        }))
    }

    /// The figures as JSON, at most [`KEPT`] old.
    pub(super) fn json(&self) -> Bytes {
        let now = Instant::now();
        let mut shown = self.0.shown.lock().expect("nothing panics while it holds the figures");
        if shown.at.is_none_or(|at| now - at >= KEPT) {
            let metrics = self.0.read(now, &mut shown);
            shown.json = serde_json::to_vec(&metrics).expect("figures are JSON").into();
            shown.at = Some(now);
        }
        shown.json.clone()
    }
}

impl Shared {
    fn read(&self, now: Instant, shown: &mut Shown) -> Metrics {
        let usage = Usage::now();
        let (cpu_at, cpu_seconds) = shown.cpu_read;
        if now - cpu_at >= CPU_SPAN {
            shown.cpu_cores = (usage.cpu_seconds - cpu_seconds) / (now - cpu_at).as_secs_f64();
            shown.cpu_read = (now, usage.cpu_seconds);
        }
        let [informational, success, redirection, client_error, server_error] =
            self.served.by_class.each_ref().map(|count| count.load(Relaxed));
        let recent = self.served.latencies.recent(now);
        Metrics {
            uptime_s: (now - self.started).as_secs_f64(),
            admission: (&self.admission).into(),
            requests: Requests {
                answered: informational + success + redirection + client_error + server_error,
                client_error,
                server_error,
                per_second: recent.per_second(),
            },
            latency: Latency {
                p50_ms: recent.quantile_ms(0.50),
                p95_ms: recent.quantile_ms(0.95),
                p99_ms: recent.quantile_ms(0.99),
                span_s: recent.span.as_secs_f64(),
            },
            process: Process {
                memory_bytes: usage.resident_bytes,
                cpu_seconds: usage.cpu_seconds,
                cpu_cores: shown.cpu_cores,
            },
        }
    }

    fn count(&self, asked: Instant, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5);
        self.served.by_class[class - 1].fetch_add(1, Relaxed);
        let now = Instant::now();
        self.served.latencies.record(now, now - asked);
    }
}

impl<S> Layer<S> for Figures {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { shared: self.0.clone(), inner }
    }
}

/// A service behind admission control whose answers are counted and timed, waiting included.
#[derive(Clone)]
pub(super) struct Counted<S> {
    shared: Arc<Shared>,
    inner: S,
}

impl<S, R, B> Service<R> for Counted<S>
where
    S: Service<R, Response = Response<AdmittedBody<B>>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CountedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        CountedFuture { shared: self.shared.clone(), asked: Instant::now(), answer: self.inner.call(request) }
    }
}

pin_project! {
    /// The answer of a service that is counted.
    pub(super) struct CountedFuture<F> {
        shared: Arc<Shared>,
        asked: Instant,
        #[pin]
        answer: F,
    }
}

impl<F, B, E> Future for CountedFuture<F>
where
    F: Future<Output = Result<Response<AdmittedBody<B>>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        if let Ok(response) = &answer
            && !response.body().is_refusal()
        {
            this.shared.count(*this.asked, response.status());
        }
        Poll::Ready(answer)
    }
}
