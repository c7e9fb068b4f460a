//! The tower layer: what counts as in progress, and what a refused client reads.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;
use tower::{Layer, ServiceExt, service_fn};

use super::*;

fn request() -> Request<()> {
    Request::new(())
}

#[tokio::test(start_paused = true)]
async fn a_request_counts_until_its_body_has_ended() {
    let admission = admission(1, 1);
    let (frames, source) = mpsc::channel::<Bytes>(1);
    let source = Arc::new(Mutex::new(Some(source)));
    let service = admission.layer(service_fn(move |_: Request<()>| {
        let mut source = source.lock().expect("no panic").take().expect("one request");
        let frames = futures_util::stream::poll_fn(move |cx| {
            source.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes))))
        });
        async { Ok::<_, Infallible>(Response::new(StreamBody::new(frames))) }
    }));

    let mut body = service.oneshot(request()).await.expect("it cannot fail").into_body();
    assert_eq!(counts(&admission), (1, 0), "answered, and the body is under way");
    frames.send(Bytes::from_static(b"part")).await.expect("the body reads");
    assert_eq!(
        body.frame().await.expect("a frame").expect("it cannot fail").into_data().expect("data"),
        "part"
    );
    assert_eq!(counts(&admission), (1, 0));
    drop(frames);
    assert!(body.frame().await.is_none());
    assert_eq!(counts(&admission), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_and_a_client_that_goes_away_make_room() {
    let admission = admission(1, 1);
    let service = admission.layer(service_fn(|request: Request<bool>| async move {
        match request.into_body() {
            true => Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"answer")))),
            false => std::future::pending().await,
        }
    }));
    let answer = service.clone().oneshot(Request::new(true)).await.expect("it cannot fail");
    assert_eq!(answer.body().size_hint().exact(), Some(6));
    assert_eq!(counts(&admission), (1, 0));
    drop(answer);
    assert_eq!(counts(&admission), (0, 0));

    let mut never = Box::pin(service.clone().oneshot(Request::new(false)));
    assert!(poll_now(never.as_mut()).await.is_none());
    let mut waiting = Box::pin(service.clone().oneshot(Request::new(true)));
    assert!(poll_now(waiting.as_mut()).await.is_none());
    assert_eq!(counts(&admission), (1, 1));
    drop(never);
    let answer = poll_now(waiting.as_mut()).await.expect("its turn came").expect("it cannot fail");
    assert_eq!(answer.into_body().collect().await.expect("it cannot fail").to_bytes(), "answer");
    assert_eq!(counts(&admission), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_problem_document_that_says_when_to_come_back() {
    let admission = admission(1, 0);
    let _working = admission.admit().await;
    let service = admission.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let answer = service.oneshot(request()).await.expect("it cannot fail");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.headers()["retry-after"], "1");
    assert!(!answer.body().is_end_stream());
    let length = answer.body().size_hint().exact().expect("the length is known");
    let document = answer.into_body().collect().await.expect("it cannot fail").to_bytes();
    assert_eq!(document.len() as u64, length);
    let document: serde_json::Value = serde_json::from_slice(&document).expect("it is JSON");
    assert_eq!(document["status"], 503);
}
