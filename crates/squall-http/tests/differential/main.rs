//! The client beside hyper's HTTP/1 client and beside k6, on the same bytes: status, headers, body, whether it
//! is an error, whether the connection may be used again.
//!
//! hyper runs here; what k6 1.1.0 makes of the fixed answers was looked up by running it. Where they differ,
//! k6 is right; `differences.rs` lists everything else, with its reason.

mod differences;
#[allow(dead_code, unreachable_pub, reason = "it is the fuzzers' too")]
#[path = "../../src/fuzzing/shapes.rs"]
mod shapes;
mod table;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use arbitrary::Unstructured;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use squall_http::{Client, ClientConfig, Connections, Method, Request};
use squall_net::{Dialer, NetConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use differences::{DIFFERENCES, Who};

/// What a client makes of an answer; None is an error.
type Seen = Option<Answer>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Sorted, names in lower case.
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    is_reusable: bool,
}

/// `200 "hello" reused`, or `error`.
fn verdict(seen: &Seen) -> String {
    let Some(answer) = seen else { return "error".to_owned() };
    let body = String::from_utf8_lossy(&answer.body);
    let end = if answer.is_reusable { "reused" } else { "closed" };
    format!("{} {body:?} {end}", answer.status)
}

fn sorted<'h>(headers: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> Vec<(String, Vec<u8>)> {
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec()))
        .collect();
    headers.sort();
    headers
}

/// Our whole client against a server that answers with these bytes and closes.
async fn squall(method: &Method, answer: &[u8]) -> Seen {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serve = async {
        let (mut connection, _) = listener.accept().await.expect("a connection");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            if connection.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        // A client that has seen enough may be gone by now.
        let _ = connection.write_all(answer).await;
        let _ = connection.shutdown().await;
        let _ = connection.read(&mut [0]).await;
    };
    let ask = async {
        let dialer = Dialer::new(NetConfig::default()).expect("the configuration is valid");
        let client = Client::new(Arc::new(dialer), ClientConfig::default());
        let connections = Connections::new(1);
        let url = Url::parse(&format!("http://{address}/")).expect("a URL");
        let request = Request { max_redirects: 0, ..Request::new(method.clone(), url) };
        let response = client.send(&connections, &request, &mut |_| {}).await;
        let is_reusable = connections.idle_count() == 1;
        assert!(!is_reusable || response.exchange.error.is_none(), "a broken connection is kept");
        (response.exchange.error.is_none()).then(|| Answer {
            status: response.exchange.status,
            headers: sorted(response.headers.iter()),
            body: response.body.map(|body| body.to_vec()).unwrap_or_default(),
            is_reusable,
        })
    };
    tokio::join!(ask, serve).0
}

/// hyper's connection against the same bytes, all in memory and without a runtime.
fn hyper(method: &Method, answer: &[u8]) -> Seen {
    let closed = hyper_once(method, answer, true)?;
    // Whether it would go on shows only where the server does not close.
    let open = hyper_once(method, answer, false);
    Some(Answer { is_reusable: open.is_some_and(|answer| answer.is_reusable), ..closed })
}

fn hyper_once(method: &Method, answer: &[u8], closes: bool) -> Seen {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let (mut sender, connection) = ready(pin!(http1::handshake(TokioIo::new(near))))?.ok()?;
    let mut connection = pin!(connection);
    let request = hyper::Request::builder().method(method).uri("/").header("Host", "x");
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).expect("a request"));
    let mut response = pin!(async {
        let (head, body) = response.await.ok()?.into_parts();
        Some((head, body.collect().await.ok()?.to_bytes()))
    });
    let mut is_over = false;
    let mut is_answered = false;
    let mut outcome = None;
    for _ in 0..100 {
        let mut context = Context::from_waker(Waker::noop());
        is_over = is_over || connection.as_mut().poll(&mut context).is_ready();
        if outcome.is_none()
            && let Poll::Ready(seen) = response.as_mut().poll(&mut context)
        {
            outcome = Some(seen);
        }
        if !is_answered {
            is_answered = true;
            ready(pin!(far.write_all(answer)))?.ok()?;
            if closes {
                ready(pin!(far.shutdown()))?.ok()?;
            }
        }
    }
    let (head, body) = outcome??;
    let mut context = Context::from_waker(Waker::noop());
    let is_ready = matches!(sender.poll_ready(&mut context), Poll::Ready(Ok(())));
    let headers = head.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    Some(Answer {
        status: head.status.as_u16(),
        headers: sorted(headers),
        body: body.to_vec(),
        is_reusable: is_ready && !is_over,
    })
}

/// What a future gives that need not wait.
fn ready<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), test)
}

/// What two clients make of an answer, for a message.
fn both(answer: &[u8], left: &Seen, right: &str) -> String {
    format!("{}: {} here, {right} there", answer.escape_ascii(), verdict(left))
}

#[test]
fn fixed_answers_are_read_as_k6_and_hyper_do() {
    let mut unseen: Vec<_> = DIFFERENCES.iter().map(|difference| difference.because).collect();
    let mut explain = |of: Who, answer: &[u8], message: String| {
        let known = DIFFERENCES.iter().find(|known| known.of == of && known.applies_to(answer));
        let known = known.unwrap_or_else(|| panic!("{message}"));
        unseen.retain(|because| *because != known.because);
    };
    run(async {
        for (method, rows) in [(Method::GET, table::ANSWERS), (Method::HEAD, table::ANSWERS_TO_HEAD)] {
            for (answer, k6) in rows {
                let (ours, hypers) = (squall(&method, answer).await, hyper(&method, answer));
                if verdict(&ours) != *k6 {
                    explain(Who::Squall, answer, both(answer, &ours, k6));
                }
                if verdict(&hypers) != *k6 {
                    explain(Who::Hyper, answer, both(answer, &hypers, k6));
                } else if verdict(&ours) == *k6 {
                    assert_eq!(ours, hypers, "{}", answer.escape_ascii());
                }
            }
        }
    });
    assert!(unseen.is_empty(), "no answer shows these differences any more: {unseen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn shapes_are_read_as_hyper_does(data in prop::collection::vec(any::<u8>(), 0..400), to_head in 0..8) {
        let method = if to_head == 0 { Method::HEAD } else { Method::GET };
        let answer = shapes::answer(&mut Unstructured::new(&data)).unwrap_or_default();
        if !DIFFERENCES.iter().any(|known| known.applies_to(&answer)) {
            prop_assert_eq!(run(squall(&method, &answer)), hyper(&method, &answer), "{}", answer.escape_ascii());
        }
    }
}
