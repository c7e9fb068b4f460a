//! HTTP/2 with a server that is not ours: whatever it answers in order arrives, whatever settings it has.

use std::rc::Rc;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;
use squall_http::{Method, Protocol, Request, Response};
use squall_testing::{Authority, Validity};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, spawn_local};
use tokio_rustls::TlsAcceptor;

use crate::{Vu, error, request, run};

/// A request, and what the server makes of it.
#[derive(Clone, Debug)]
struct Case {
    method: Method,
    body_bytes: usize,
    answer: Answer,
}

#[derive(Clone, Debug)]
struct Answer {
    informational: u8,
    status: u16,
    headers: Vec<(String, String)>,
    tells_length: bool,
    pieces: Vec<usize>,
    has_trailers: bool,
    /// After so many pieces there is no more, but this.
    reset: Option<(usize, Reason)>,
    /// The connection takes no more requests.
    is_last: bool,
}

#[derive(Clone, Debug)]
struct Settings {
    window_bytes: u32,
    connection_window_bytes: u32,
    streams_max: u32,
    table_bytes: u32,
    frame_bytes: u32,
}

impl Answer {
    fn body(&self) -> Vec<u8> {
        match self.status {
            204 | 304 => Vec::new(),
            _ => (0..self.pieces.iter().sum()).map(pattern).collect(),
        }
    }
}

fn pattern(place: usize) -> u8 {
    (place % 251) as u8
}

struct Server {
    port: u16,
    authority: Authority,
}

impl Server {
    fn start(settings: Settings, cases: Rc<[Case]>) -> Self {
        let authority = Authority::new();
        let config = authority.server(&["localhost"], Validity::Current).server_config(&["h2"], None);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        listener.set_nonblocking(true).expect("a socket");
        let listener = TcpListener::from_std(listener).expect("a runtime");
        let acceptor = TlsAcceptor::from(config);
        spawn_local(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                spawn_local(serve(tcp, acceptor.clone(), settings.clone(), cases.clone()));
            }
        });
        Self { port, authority }
    }

    fn url(&self, number: usize) -> String {
        format!("https://localhost:{}/{number}", self.port)
    }
}

async fn serve(tcp: TcpStream, acceptor: TlsAcceptor, settings: Settings, cases: Rc<[Case]>) {
    tcp.set_nodelay(true).expect("a socket");
    let tls = acceptor.accept(tcp).await.expect("a handshake");
    let mut connection = Builder::new()
        .initial_window_size(settings.window_bytes)
        .initial_connection_window_size(settings.connection_window_bytes)
        .max_concurrent_streams(settings.streams_max)
        .header_table_size(settings.table_bytes)
        .max_frame_size(settings.frame_bytes)
        .handshake::<_, Bytes>(tls)
        .await
        .expect("a greeting");
    while let Some(accepted) = connection.accept().await {
        // The end, which a client need not announce.
        let Ok((request, respond)) = accepted else { return };
        let number: usize = request.uri().path()[1..].parse().expect("a number");
        let case = cases[number].clone();
        assert_eq!(request.method(), case.method);
        assert_eq!(request.headers()["x-number"], number.to_string());
        if case.answer.is_last {
            connection.graceful_shutdown();
        }
        spawn_local(answer(case, request.into_body(), respond));
    }
}

async fn answer(case: Case, mut body: RecvStream, mut respond: SendResponse<Bytes>) {
    let mut place = 0;
    while let Some(data) = body.data().await {
        // A client may have gone.
        let Ok(data) = data else { return };
        assert!(data.iter().enumerate().all(|(at, byte)| *byte == pattern(place + at)));
        place += data.len();
        body.flow_control().release_capacity(data.len()).expect("what was taken");
    }
    assert_eq!(place, case.body_bytes);
    let Answer { informational, status, headers, tells_length, pieces, has_trailers, reset, .. } =
        &case.answer;
    for _ in 0..*informational {
        let response = http::Response::builder().status(103).header("link", "</a>").body(());
        respond.send_informational(response.expect("a head")).expect("a stream");
    }
    let whole = case.answer.body();
    let mut response = http::Response::new(());
    *response.status_mut() = StatusCode::from_u16(*status).expect("a status");
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        response.headers_mut().append(name, HeaderValue::from_str(value).expect("a value"));
    }
    if *tells_length && !matches!(status, 204 | 304) {
        response.headers_mut().insert("content-length", whole.len().into());
    }
    let is_bodiless = case.method == Method::HEAD || matches!(status, 204 | 304);
    if is_bodiless {
        match reset {
            Some((_, reason)) => respond.send_reset(*reason),
            None => drop(respond.send_response(response, true).expect("a stream")),
        }
        return;
    }
    let Ok(mut stream) = respond.send_response(response, false) else { return };
    let mut rest = Bytes::from(whole);
    for (number, bytes) in pieces.iter().enumerate() {
        if let Some((_, reason)) = reset.filter(|(pieces, _)| *pieces == number) {
            return stream.send_reset(reason);
        }
        stream.send_data(rest.split_to(*bytes), false).expect("a stream");
    }
    match (reset, has_trailers) {
        (Some((_, reason)), _) => stream.send_reset(*reason),
        (None, false) => stream.send_data(Bytes::new(), true).expect("a stream"),
        (None, true) => {
            let trailers = HeaderMap::from_iter([(
                HeaderName::from_static("x-trailer"),
                HeaderValue::from_static("nobody reads it"),
            )]);
            stream.send_trailers(trailers).expect("a stream");
        }
    }
}

fn check(number: usize, case: &Case, response: &Response) {
    let expected = &case.answer;
    if let Some((_, reason)) = expected.reset {
        let text = error(response).1;
        let name = if reason == Reason::CANCEL { "CANCEL" } else { "INTERNAL_ERROR" };
        assert!(text.starts_with("stream error") || text.contains("http2: stream error"), "{text}");
        assert!(text.contains(name), "{text}");
        return;
    }
    assert_eq!(response.exchange.error, None, "{number}");
    assert_eq!((response.exchange.status, response.exchange.protocol), (expected.status, Protocol::Http2));
    let have: Vec<_> = response
        .headers
        .iter()
        .map(|(name, value)| (String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
        .collect();
    // A map of headers keeps the order of the values of one name.
    for (name, _) in &expected.headers {
        let of = |fields: &mut dyn Iterator<Item = (&str, &str)>| -> Vec<String> {
            fields.filter(|(have, _)| have == name).map(|(_, value)| value.to_owned()).collect()
        };
        let sent = of(&mut expected.headers.iter().map(|(name, value)| (&**name, &**value)));
        assert_eq!(of(&mut have.iter().map(|(name, value)| (&**name, &**value))), sent);
    }
    assert!(!have.iter().any(|(name, _)| matches!(&**name, "x-trailer" | "link")));
    let body = response.body.as_deref().unwrap_or_default();
    let is_same = if case.method == Method::HEAD { body.is_empty() } else { body == expected.body() };
    assert!(is_same, "the body of {number} has {} bytes", body.len());
}

fn ask(server: &Server, number: usize, case: &Case) -> Request {
    let body = (case.body_bytes > 0).then(|| (0..case.body_bytes).map(pattern).collect());
    let headers = vec![("x-number".to_owned(), number.to_string())];
    Request { body, headers, ..request(case.method.clone(), server.url(number)) }
}

fn converse(settings: Settings, cases: Vec<Case>, are_concurrent: bool) {
    run(async {
        let cases: Rc<[Case]> = cases.into();
        let server = Server::start(settings, cases.clone());
        let vu = Rc::new(Vu::trusting(server.authority.pem()));
        let mut calls = JoinSet::new();
        for (number, case) in cases.iter().cloned().enumerate() {
            let (vu, request) = (vu.clone(), ask(&server, number, &case));
            calls.spawn_local(async move {
                let response = vu.client.send(&vu.connections, &request, &mut |_| {}).await;
                check(number, &case, &response);
            });
            // The first opens the connection for all.
            if !are_concurrent || number == 0 {
                calls.join_next().await.expect("a call").expect("no panic");
            }
        }
        while let Some(call) = calls.join_next().await {
            call.expect("no panic");
        }
    });
}

fn header() -> impl Strategy<Value = (String, String)> {
    let name =
        prop_oneof![Just("set-cookie".to_owned()), "x-[a-d]", "[a-z]{3,12}-x", Just("x-long".to_owned())];
    let value = prop_oneof![
        8 => "[!-~]{0,40}",
        1 => (0..30_000_usize).prop_map(|bytes| "v".repeat(bytes)),
        1 => Just("~".repeat(5000)),
    ];
    (name, value)
}

fn answer_of_any_kind() -> impl Strategy<Value = Answer> {
    let piece = prop_oneof![0..20_usize, Just(16_384), Just(16_385), 0..60_000_usize];
    let reset = (0..6_usize, prop_oneof![Just(Reason::INTERNAL_ERROR), Just(Reason::CANCEL)]);
    (
        0..3_u8,
        prop_oneof![4 => Just(200), 1 => 201..600_u16, 1 => Just(204), 1 => Just(304)],
        prop::collection::vec(header(), 0..20),
        any::<bool>(),
        prop::collection::vec(piece, 0..6),
        any::<bool>(),
        prop::option::weighted(0.15, reset),
        prop::bool::weighted(0.2),
    )
        .prop_map(
            |(informational, status, headers, tells_length, pieces, has_trailers, reset, is_last)| Answer {
                informational,
                status,
                headers,
                tells_length,
                pieces,
                has_trailers,
                reset,
                is_last,
            },
        )
}

fn case() -> impl Strategy<Value = Case> {
    let request = prop_oneof![
        3 => Just((Method::GET, 0)),
        1 => Just((Method::HEAD, 0)),
        1 => (1..40_usize).prop_map(|bytes| (Method::POST, bytes)),
        1 => (1..150_000_usize).prop_map(|bytes| (Method::PUT, bytes)),
    ];
    let of = |((method, body_bytes), answer)| Case { method, body_bytes, answer };
    (request, answer_of_any_kind()).prop_map(of)
}

fn settings() -> impl Strategy<Value = Settings> {
    (
        prop_oneof![Just(65_535_u32), Just(100), Just(16_384), Just(1 << 20)],
        prop_oneof![Just(65_535_u32), Just(1 << 20)],
        prop_oneof![Just(1_u32), Just(2), Just(100)],
        prop_oneof![Just(0_u32), Just(4096), Just(64), Just(1 << 16)],
        prop_oneof![Just(16_384_u32), Just(16_777_215)],
    )
        .prop_map(|(window_bytes, connection_window_bytes, streams_max, table_bytes, frame_bytes)| {
            Settings { window_bytes, connection_window_bytes, streams_max, table_bytes, frame_bytes }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_server_answers_arrives(
        settings in settings(),
        cases in prop::collection::vec(case(), 1..7),
        are_concurrent in any::<bool>(),
    ) {
        // Who says farewell to many at a time refuses some.
        let mut cases = cases;
        if are_concurrent {
            cases.iter_mut().for_each(|case| case.answer.is_last = false);
        }
        converse(settings, cases, are_concurrent);
    }
}

#[test]
fn a_body_goes_through_a_window_of_one_byte() {
    let settings = Settings {
        window_bytes: 1,
        connection_window_bytes: 65_535,
        streams_max: 1,
        table_bytes: 0,
        frame_bytes: 16_384,
    };
    let answer = Answer {
        informational: 0,
        status: 200,
        headers: Vec::new(),
        tells_length: true,
        pieces: vec![300_000],
        has_trailers: false,
        reset: None,
        is_last: false,
    };
    let case = Case { method: Method::POST, body_bytes: 200, answer };
    converse(settings, vec![case.clone(), case.clone(), case], true);
}
