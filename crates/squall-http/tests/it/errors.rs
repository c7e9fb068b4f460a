//! Every way to fail has k6's number and words.

use std::time::Duration;

use bytes::Bytes;
use squall_http::{ClientConfig, Method, Request};
use squall_net::NetConfig;
use squall_options::{HostnamePatterns, Hosts};
use squall_testing::{ScriptedServer, Signal, Step};

use crate::{Vu, error, get, request, run};

/// The error of a GET that is answered with these bytes and the connection's end.
fn answered_with(answer: impl Into<Bytes>) -> (u32, String) {
    let server = ScriptedServer::start(vec![vec![Step::read_head(), Step::Write(answer.into())]]);
    run(async {
        let vu = Vu::new();
        let response = vu.get(server.url("/")).await;
        assert_eq!(vu.exchanges.borrow().len(), 1, "a failed exchange is reported");
        assert_eq!(response.body, None);
        error(&response)
    })
}

#[test]
fn broken_responses_have_the_generic_number() {
    let check = |answer: &str, text: &str| {
        assert_eq!(answered_with(answer.to_owned()), (1000, text.to_owned()), "{answer}");
    };
    check("", "EOF");
    check("garbage\r\n\r\n", r#"malformed HTTP response "garbage""#);
    check("HTTP/2 200\r\n\r\n", r#"malformed HTTP version "HTTP/2""#);
    check("HTTP/1.1 2x0 OK\r\n\r\n", r#"malformed HTTP status code "2x0""#);
    check("HTTP/1.1 200 OK\r\nX: a", "unexpected EOF");
    check("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "unexpected EOF");
    check("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000\r\n\r\nabc", "unexpected EOF");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "unexpected EOF");
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc", "invalid byte in chunk length");
    check(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "unsupported response status: 101 Switching Protocols",
    );
}

#[test]
fn heads_have_a_limit() {
    let text = "net/http: server response headers exceeded 1048576 bytes; aborted".to_owned();
    let long = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(3 << 20));
    assert_eq!(answered_with(long), (1000, text.clone()));
    let informational = "HTTP/1.1 103 Early Hints\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n".repeat(1 << 15);
    assert_eq!(answered_with(informational), (1000, text));
}

#[test]
fn bodies_must_be_what_their_encoding_says() {
    for encoding in ["gzip", "deflate", "br", "zstd", "br, gzip"] {
        let answer =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 3\r\n\r\nabc");
        let (code, text) = answered_with(answer);
        assert_eq!(code, 1701, "{encoding}");
        assert!(text.starts_with("error decompressing response body ("), "{text}");
    }
}

#[test]
fn resets_and_refusals_have_their_numbers() {
    let server = ScriptedServer::start(vec![vec![Step::read_head(), Step::Reset]]);
    let response = run(async { Vu::new().get(server.url("/")).await });
    assert_eq!(error(&response), (1220, "read: connection reset by peer".to_owned()));

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let response = run(async { Vu::new().get(format!("http://{free}/")).await });
    assert_eq!(error(&response), (1212, "dial: connection refused".to_owned()));
    assert_eq!(response.exchange.timings, Default::default());
    assert_eq!(response.exchange.remote, None);
}

#[test]
fn a_server_that_stops_reading_breaks_the_sending() {
    let server = ScriptedServer::start(vec![vec![Step::read_head(), Step::Reset]]);
    let request =
        Request { body: Some(Bytes::from(vec![b'x'; 8 << 20])), ..request(Method::POST, server.url("/")) };
    let (code, text) = error(&run(async { Vu::new().send(&request).await }));
    assert!(matches!(code, 1201 | 1220), "{code} {text}");
    assert!(text.starts_with("write: "), "{text}");
}

#[test]
fn rules_about_names_and_addresses_come_before_dialling() {
    let net = NetConfig {
        block_hostnames: HostnamePatterns::new(vec!["*.blocked.test".to_owned()]).unwrap(),
        blacklist_ips: vec!["10.0.0.0/8".parse().unwrap()],
        hosts: Hosts::new([("listed.test", "10.0.0.1")]).unwrap(),
        ..NetConfig::default()
    };
    run(async {
        let vu = Vu::with(net, ClientConfig::default());
        let check = async |url: &str, code, text: &str| {
            assert_eq!(error(&vu.get(url).await), (code, text.to_owned()), "{url}");
        };
        check("http://a.blocked.test/", 1111, "hostname is blocked").await;
        check("http://listed.test/", 1110, "ip is blacklisted").await;
        check("http://10.1.2.3/", 1110, "ip is blacklisted").await;
        check("http://[::ffff:10.1.2.3]/", 1110, "ip is blacklisted").await;
        check("ftp://127.0.0.1/", 1000, r#"unsupported protocol scheme "ftp""#).await;
    });
}

#[test]
fn the_timeout_covers_the_whole_call() {
    let (stall, drip) = (Signal::new(), Signal::new());
    let server = ScriptedServer::start(vec![
        vec![Step::read_head(), Step::Wait(stall)],
        vec![Step::read_head(), Step::write("HTTP/1.1 200 OK\r\n\r\nx"), Step::Wait(drip)],
    ]);
    run(async {
        let vu = Vu::new();
        let impatient = Request { timeout: Duration::from_millis(30), ..get(server.url("/")) };
        for _ in 0..2 {
            let response = vu.send(&impatient).await;
            assert_eq!(error(&response), (1050, "request timeout".to_owned()));
            assert!(response.exchange.timings.duration() > Duration::from_millis(20));
            assert_eq!(vu.connections.idle_count(), 0);
        }
    });
}

#[test]
fn a_dropped_call_drops_its_connection() {
    let (arrived, closed) = (Signal::new(), Signal::new());
    let script =
        vec![Step::read_head(), Step::Fire(arrived.clone()), Step::ReadToEnd, Step::Fire(closed.clone())];
    let server = ScriptedServer::start(vec![script]);
    run(async {
        let vu = Vu::new();
        let request = get(server.url("/"));
        tokio::select! {
            _ = vu.send(&request) => panic!("nobody answers"),
            () = arrived.wait() => {}
        }
        closed.wait().await;
        assert!(vu.exchanges.borrow().is_empty());
        assert_eq!(vu.connections.idle_count(), 0);
    });
}
