//! The layer around every handler. One layer for all that each request needs: several would each cost an allocation.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody as _},
    extract::{MatchedPath, Request},
    response::{IntoResponse, Response},
};
use futures_util::{
    FutureExt,
    future::{CatchUnwind, Either, Ready, ready},
};
use http::{HeaderName, HeaderValue, Method, header};
use http_body_util::Limited;
use pin_project_lite::pin_project;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};
use tokio::time::{Instant, Sleep, sleep_until};
use tower::{Layer, Service};
use tracing::Span;

use crate::kit::{Kit, problem::Cause, problem::Problem, trace};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What browsers are told of every answer: it is what it says it is, belongs in no frame, and loads nothing.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
];

/// Names the request in the log and in the header `X-Request-Id`. The client's own is kept when it is sane.
#[derive(Debug, Clone)]
pub struct RequestId(pub HeaderValue);

impl RequestId {
    fn of(request: &Request) -> Self {
        let sane = |value: &&HeaderValue| {
            let bytes = value.as_bytes();
            !bytes.is_empty()
                && bytes.len() <= 64
                && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
        };
        match request.headers().get(REQUEST_ID).filter(sane) {
            Some(said) => Self(said.clone()),
            None => Self::new(),
        }
    }

    /// Unique in this process by its count, and among processes by where the count began.
    fn new() -> Self {
        static NEXT: OnceLock<AtomicU64> = OnceLock::new();
        let number = NEXT.get_or_init(|| AtomicU64::new(rand::random())).fetch_add(1, Relaxed);
        let mut text = [0; 16];
        for (index, digit) in text.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(number >> (60 - 4 * index)) as usize & 15];
        }
        Self(HeaderValue::from_bytes(&text).expect("hexadecimal digits"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteStatus {
    method: String,
    path: String,
    status: &'static str,
}

const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The series of one route.
struct Series {
    path: Option<MatchedPath>,
    requests: [Counter; 5],
    seconds: Histogram,
}

struct Common {
    requests: Family<RouteStatus, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    body_bytes: usize,
    timeout: Duration,
}

/// See the module.
#[derive(Clone)]
pub struct Shell(Arc<Common>);

impl Shell {
    /// Registers the metrics of requests: once a [`Kit`].
    pub fn new(kit: &Kit) -> Self {
        let (settings, metrics) = (&kit.settings.server, &kit.metrics);
        Self(Arc::new(Common {
            requests: metrics.counters("http_requests", "Requests answered"),
            seconds: metrics
                .seconds_by("http_request_seconds", "Time from a request's head to its response's"),
            in_flight: metrics.gauge("http_requests_in_flight", "Requests being answered"),
            body_bytes: settings.max_body_bytes,
            timeout: Duration::from_millis(settings.request_timeout_ms),
        }))
    }
}

impl<S> Layer<S> for Shell {
    type Service = Shelled<S>;

    /// axum calls this once a route, so that each has series of its own.
    fn layer(&self, inner: S) -> Shelled<S> {
        Shelled { inner, common: self.0.clone(), series: Arc::default() }
    }
}

/// A route in its [`Shell`].
#[derive(Clone)]
pub struct Shelled<S> {
    inner: S,
    common: Arc<Common>,
    series: Arc<OnceLock<Series>>,
}

impl<S> Service<Request> for Shelled<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = ShelledFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let begun = Instant::now();
        let id = RequestId::of(&request);
        let method = request.method().clone();
        let (common, series) = (self.common.clone(), self.series.clone());
        let path = &series.get_or_init(|| common.series(&method, request.extensions().get())).path;
        let span = trace::request_span(&request, path.as_ref(), &id);
        let in_flight = InFlight::enter(&common);
        let answer = match common.bounded(request) {
            Ok(request) => Either::Left(self.inner.call(request)),
            Err(problem) => Either::Right(ready(Ok(problem.into_response()))),
        };
        let exchange = Exchange { id, method, begun, common, series, in_flight };
        ShelledFuture {
            answer: AssertUnwindSafe(answer).catch_unwind(),
            deadline: None,
            span,
            exchange: Some(exchange),
        }
    }
}

pin_project! {
    /// The response of a route in its [`Shell`].
    pub struct ShelledFuture<F> {
        #[pin]
        answer: CatchUnwind<AssertUnwindSafe<Either<F, Ready<Result<Response, Infallible>>>>>,
        // Only a request that has to wait for something needs a timer.
        deadline: Option<Pin<Box<Sleep>>>,
        span: Option<Span>,
        exchange: Option<Exchange>,
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for ShelledFuture<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.span.as_ref().map(Span::enter);
        let exchange = this.exchange.as_ref().expect("it answers once");
        let response = match this.answer.poll(context) {
            Poll::Ready(Ok(Ok(response))) => response,
            Poll::Ready(Err(panic)) => Problem::internal(panicked(panic.as_ref())).into_response(),
            Poll::Pending => {
                let timeout = exchange.common.timeout;
                let deadline =
                    this.deadline.get_or_insert_with(|| Box::pin(sleep_until(exchange.begun + timeout)));
                std::task::ready!(deadline.as_mut().poll(context));
                Problem::timed_out(timeout).into_response()
            }
        };
        let exchange = this.exchange.take().expect("it was there above");
        Poll::Ready(Ok(exchange.end(response)))
    }
}

/// What is known of a request until it is answered.
struct Exchange {
    id: RequestId,
    method: Method,
    begun: Instant,
    common: Arc<Common>,
    series: Arc<OnceLock<Series>>,
    in_flight: InFlight,
}

impl Exchange {
    fn end(self, mut response: Response) -> Response {
        drop(self.in_flight);
        let series = self.series.get().expect("made when the request came");
        let class = usize::from(response.status().as_u16() / 100).clamp(1, 5);
        series.requests[class - 1].inc();
        series.seconds.observe(self.begun.elapsed().as_secs_f64());
        if response.status().is_server_error() {
            log(&response, &self.id, &self.method, series.path.as_ref());
        }
        seal(&mut response, self.id);
        response
    }
}

/// Adds the headers that every response has.
fn seal(response: &mut Response, id: RequestId) {
    let headers = response.headers_mut();
    headers.reserve(SECURITY_HEADERS.len() + 2);
    for (name, value) in &SECURITY_HEADERS {
        headers.insert(name, value.clone());
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(REQUEST_ID, id.0);
}

impl Common {
    fn series(&self, method: &Method, path: Option<&MatchedPath>) -> Series {
        let label = path.map_or("none", MatchedPath::as_str).to_owned();
        let method = method_label(method).to_owned();
        let requests = STATUS_CLASSES.map(|status| {
            let labels = RouteStatus { method: method.clone(), path: label.clone(), status };
            self.requests.get_or_create_owned(&labels)
        });
        let seconds = self.seconds.get_or_create_owned(&Route { method, path: label });
        Series { path: path.cloned(), requests, seconds }
    }

    /// The request with a body that ends with an error where it gets too long.
    fn bounded(&self, request: Request) -> Result<Request, Problem> {
        if request.body().is_end_stream() {
            return Ok(request);
        }
        if request.body().size_hint().lower() > self.body_bytes as u64 {
            return Err(Problem::too_large(format!("a body may have {} bytes here", self.body_bytes)));
        }
        Ok(request.map(|body| Body::new(Limited::new(body, self.body_bytes))))
    }
}

/// Counts a request for as long as somebody waits for it: also one whose client has gone.
struct InFlight(Gauge);

impl InFlight {
    fn enter(common: &Common) -> Self {
        common.in_flight.inc();
        Self(common.in_flight.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Methods are a client's choice: what is not known gets one name, or anyone could make series without end.
fn method_label(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::HEAD
        | Method::OPTIONS => method.as_str(),
        _ => "other",
    }
}

fn log(response: &Response, id: &RequestId, method: &Method, path: Option<&MatchedPath>) {
    let status = response.status().as_u16();
    let (id, path) = (id.0.to_str().unwrap_or_default(), path.map_or("none", MatchedPath::as_str));
    match response.extensions().get::<Cause>() {
        Some(cause) if status == 500 => tracing::error!(id, %method, path, status, %cause, "request failed"),
        Some(cause) => tracing::warn!(id, %method, path, status, %cause, "request not served"),
        // Refusals without a cause are what admission control does all day under load: they have their metrics.
        None => tracing::debug!(id, %method, path, status, "request not served"),
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> anyhow::Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    anyhow::anyhow!("the handler panicked: {}", text.unwrap_or("without a message"))
}
