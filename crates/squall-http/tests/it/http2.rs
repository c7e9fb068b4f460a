//! HTTP/2: many requests over a connection, and what servers may do with it.

use std::time::Duration;

use bytes::Bytes;
use squall_http::{Method, Request};
use squall_testing::{Authority, ScriptedServer, Signal, Step, Target, Validity};

use crate::{Vu, body_json, body_text, error, http2_frame as frame, request, run};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// A block of fields that says 200 and no more.
const OK: &[u8] = &[0x88];

fn write(frames: &[Vec<u8>]) -> Step {
    Step::Write(frames.concat().into())
}

/// A server that speaks HTTP/2 by the script, and a VU that trusts it.
fn server(scripts: Vec<Vec<Step>>) -> (ScriptedServer, Vu) {
    let authority = Authority::new();
    let config = authority.server(&["localhost"], Validity::Current).server_config(&["h2"], None);
    (ScriptedServer::start_tls(config, scripts), Vu::trusting(authority.pem()))
}

/// A request that ends with these bytes: nothing else of it is readable.
fn post(server: &ScriptedServer, body: &'static [u8]) -> Request {
    Request { body: Some(Bytes::from_static(body)), ..request(Method::POST, server.https_url("/")) }
}

fn arrived(body: &'static [u8]) -> Step {
    Step::ReadUntil(Bytes::from_static(body))
}

#[test]
fn heads_come_in_pieces_and_bodies_with_padding() {
    let answer = [
        frame(SETTINGS, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, b"\x08\x03103"),
        frame(0x77, 0xff, 1, b"no known frame"),
        frame(HEADERS, PADDED | PRIORITY, 1, &[b"\x02\0\0\0\0\x10\x88\x00\x01".as_slice(), b"pp"].concat()),
        frame(CONTINUATION, 0, 1, b"a\x03o"),
        frame(CONTINUATION, END_HEADERS, 1, b"ne"),
        frame(DATA, PADDED, 1, b"\x03bodyppp"),
        frame(DATA, 0, 1, b""),
        frame(DATA, 0, 1, b" and more"),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x00\x07trailer\x01x"),
    ];
    let bytes = answer.concat();
    let pieces = bytes.chunks(5).map(|piece| Step::Write(Bytes::copy_from_slice(piece)));
    let (server, vu) = server(vec![[arrived(b"the end")].into_iter().chain(pieces).collect()]);
    run(async {
        let response = vu.send(&post(&server, b"the end")).await;
        assert_eq!(response.exchange.error, None);
        assert_eq!((response.exchange.status, body_text(&response)), (200, "body and more".to_owned()));
        assert_eq!(response.headers.canonical(), [("A".to_owned(), "one".to_owned())]);
        assert_eq!(response.headers.head(), b"HTTP/2.0 200 OK\r\na: one\r\n\r\n");
    });
}

#[test]
fn an_idle_connection_answers_pings() {
    let answered = Signal::new();
    let script = vec![
        arrived(b"the end"),
        write(&[frame(SETTINGS, 0, 0, &[]), frame(HEADERS, END_HEADERS | END_STREAM, 1, OK)]),
        write(&[frame(PING, 0, 0, b"pingpong")]),
        arrived(b"pingpong"),
        Step::Fire(answered.clone()),
    ];
    let (server, vu) = server(vec![script]);
    run(async {
        assert_eq!(vu.send(&post(&server, b"the end")).await.exchange.status, 200);
        answered.wait().await;
    });
}

#[test]
fn a_server_that_says_farewell_gets_no_more_requests() {
    let script = |frames: &[Vec<u8>]| vec![arrived(b"the end"), write(frames), Step::ReadToEnd];
    let ok = || frame(HEADERS, END_HEADERS | END_STREAM, 1, OK);
    let farewell = frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    let (server, vu) = server(vec![
        script(&[frame(SETTINGS, 0, 0, &[]), farewell, ok()]),
        script(&[frame(SETTINGS, 0, 0, &[]), ok()]),
    ]);
    run(async {
        for _ in 0..2 {
            let response = vu.send(&post(&server, b"the end")).await;
            assert_eq!((response.exchange.status, vu.connections.idle_count()), (200, 1));
            assert!(!response.exchange.timings.connecting.is_zero());
        }
    });
}

#[test]
fn a_request_that_was_not_looked_at_is_sent_again() {
    let ok = |stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, OK);
    let first = vec![
        arrived(b"the end"),
        write(&[frame(SETTINGS, 0, 0, &[]), ok(1)]),
        Step::Read(1),
        write(&[frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])]),
        Step::ReadToEnd,
    ];
    // The first script's connection has no end that an answer could come from: only a second one can give it.
    let second = vec![Step::Read(1), write(&[frame(SETTINGS, 0, 0, &[]), ok(1)]), Step::ReadToEnd];
    let (server, vu) = server(vec![first, second]);
    run(async {
        assert_eq!(vu.send(&post(&server, b"the end")).await.exchange.status, 200);
        assert_eq!(vu.get(server.https_url("/")).await.exchange.status, 200);
    });
}

#[test]
fn a_connection_that_ends_takes_its_requests_along() {
    let (server, vu) = server(vec![vec![arrived(b"the end"), write(&[frame(SETTINGS, 0, 0, &[])])]]);
    run(async {
        let response = vu.send(&post(&server, b"the end")).await;
        assert_eq!(error(&response), (1000, "unexpected EOF".to_owned()));
    });
}

#[test]
fn answers_come_in_any_order_and_bodies_of_any_size() {
    let target = Target::start();
    run(async {
        let vu = Vu::trusting(target.ca_pem());
        let warm = vu.get(target.https_url("/get")).await;
        assert_eq!(warm.exchange.error, None);
        // Beyond each window and each buffer there is.
        let body = Bytes::from(vec![b'x'; 300_000]);
        let send = async |path: &str| {
            let url = target.https_url(path);
            let post = Request { body: Some(body.clone()), ..request(Method::POST, url) };
            let response = vu.client.send(&vu.connections, &post, &mut |_| {}).await;
            assert!(response.exchange.timings.connecting.is_zero(), "they share the connection");
            assert_eq!(body_json(&response)["data"].as_str().map(str::len), Some(body.len()));
        };
        tokio::join!(send("/delay-ms/20"), send("/delay-ms/0"), send("/delay-ms/10"), send("/post"));
        assert_eq!(vu.connections.idle_count(), 1);
    });
}

#[test]
fn a_request_that_is_given_up_leaves_the_connection_to_others() {
    let target = Target::start();
    run(async {
        let vu = Vu::trusting(target.ca_pem());
        let timeout = Duration::from_millis(20);
        let slow = Request { timeout, ..request(Method::GET, target.https_url("/delay-ms/600000")) };
        let response = vu.send(&slow).await;
        assert_eq!(error(&response).0, 1050);
        assert!(!response.exchange.timings.waiting.is_zero(), "it was sent");
        let other = vu.get(target.https_url("/get")).await;
        assert_eq!((other.exchange.status, other.exchange.timings.connecting.is_zero()), (200, true));
    });
}
