//! Admission control as a tower layer.
//!
//! The permit of a request goes from the answer's future into the answer's body, and is given back when either is dropped.
//! Only a request that has to wait is boxed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::gate::{Answer, Permit, Waiting};
use super::{Admission, Reason, Refusal};

impl<S> Layer<S> for Admission {
    type Service = Admitted<S>;

    fn layer(&self, inner: S) -> Admitted<S> {
        Admitted { admission: self.clone(), inner }
    }
}

/// A service behind admission control.
#[derive(Clone, Debug)]
pub struct Admitted<S> {
    admission: Admission,
    inner: S,
}

impl<S, A, B> Service<Request<A>> for Admitted<S>
where
    S: Service<Request<A>, Response = Response<B>> + Clone,
{
    type Response = Response<AdmittedBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, Request<A>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let state = match self.admission.0.ask() {
            Answer::Admitted(permit) => {
                State::Admitted { permit: Some(permit), answer: self.inner.call(request) }
            }
            Answer::Waiting(waiting) => {
                // The one that was polled ready is used; a clone need not be.
                let clone = self.inner.clone();
                let service = std::mem::replace(&mut self.inner, clone);
                State::Waiting { waiter: Some(Box::new(Waiter { waiting, service, request })) }
            }
            Answer::Refused(refusal) => State::Refused { refusal },
        };
        ResponseFuture { state }
    }
}

/// A request and what will answer it once it is admitted.
struct Waiter<S, R> {
    waiting: Waiting,
    service: S,
    request: R,
}

pin_project! {
    /// The answer of a service behind admission control.
    pub struct ResponseFuture<S: Service<R>, R> {
        #[pin]
        state: State<S, R>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S: Service<R>, R> {
        Waiting { waiter: Option<Box<Waiter<S, R>>> },
        Admitted { permit: Option<Permit>, #[pin] answer: S::Future },
        Refused { refusal: Refusal },
    }
}

impl<S, R, B> Future for ResponseFuture<S, R>
where
    S: Service<R, Response = Response<B>>,
{
    type Output = Result<Response<AdmittedBody<B>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Admitted { permit, answer } => {
                    let answer = ready!(answer.poll(cx));
                    let permit = permit.take().expect("an answer is polled until it is ready");
                    return Poll::Ready(
                        answer.map(|answer| answer.map(|body| AdmittedBody::new(body, permit))),
                    );
                }
                StateProj::Refused { refusal } => return Poll::Ready(Ok(refused(*refusal))),
                StateProj::Waiting { waiter } => {
                    let place = waiter.as_mut().expect("the state is left as soon as it was answered");
                    let answer = ready!(Pin::new(&mut place.waiting).poll(cx));
                    let Waiter { mut service, request, .. } =
                        *waiter.take().expect("it was there a line ago");
                    match answer {
                        Ok(permit) => State::Admitted { permit: Some(permit), answer: service.call(request) },
                        Err(refusal) => State::Refused { refusal },
                    }
                }
            };
            state.set(next);
        }
    }
}

pin_project! {
    /// The body of an answer, which holds the place of its request, or the document of a refusal.
    pub struct AdmittedBody<B> {
        #[pin]
        content: Content<B>,
    }
}

pin_project! {
    #[project = ContentProj]
    enum Content<B> {
        Answer { #[pin] body: B, permit: Option<Permit> },
        Refusal { document: Option<Bytes> },
    }
}

impl<B> AdmittedBody<B> {
    fn new(body: B, permit: Permit) -> Self {
        Self { content: Content::Answer { body, permit: Some(permit) } }
    }

    /// Whether the request was not admitted.
    pub fn is_refusal(&self) -> bool {
        matches!(self.content, Content::Refusal { .. })
    }
}

impl<B: Body<Data = Bytes>> Body for AdmittedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().content.project() {
            ContentProj::Answer { body, permit } => {
                let frame = ready!(body.poll_frame(cx));
                if frame.is_none() {
                    *permit = None;
                }
                Poll::Ready(frame)
            }
            ContentProj::Refusal { document } => {
                Poll::Ready(document.take().map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Answer { body, .. } => body.is_end_stream(),
            Content::Refusal { document } => document.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Answer { body, .. } => body.size_hint(),
            Content::Refusal { document } => {
                SizeHint::with_exact(document.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
        }
    }
}

/// What [`Problem::unavailable`](crate::kit::problem::Problem::unavailable) would say, as constants: refusing has to stay
/// cheap.
fn refused<B>(refusal: Refusal) -> Response<AdmittedBody<B>> {
    macro_rules! problem {
        ($detail:literal) => {
            concat!(
                r#"{"type":"/problems/at-capacity","status":503,"title":"At capacity","detail":""#,
                $detail,
                r#""}"#
            )
        };
    }
    let document = Bytes::from_static(match refusal.reason {
        Reason::Full => problem!("all places are taken").as_bytes(),
        Reason::WaitedTooLong => problem!("the request has waited for as long as one may").as_bytes(),
    });
    let mut response = Response::new(AdmittedBody { content: Content::Refusal { document: Some(document) } });
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(RETRY_AFTER, refusal.retry_after_s.into());
    response
}
