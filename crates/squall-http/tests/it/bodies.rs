//! Bodies in every framing and coding.

use squall_http::{Method, Request};
use squall_testing::{ScriptedServer, Step, Target};

use crate::{Vu, body_json, body_text, get, request, run};

#[test]
fn every_framing_gives_its_body() {
    let check = |answer: &str, expected: Option<&str>| {
        let server = ScriptedServer::start(vec![vec![Step::read_head(), Step::write(answer)]]);
        let response = run(async { Vu::new().get(server.url("/")).await });
        assert_eq!(response.exchange.error, None, "{answer}");
        let body = response.body.as_deref().map(String::from_utf8_lossy);
        assert_eq!(body.as_deref(), expected, "{answer}");
    };
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Some("hello"));
    check("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Some(""));
    check("HTTP/1.1 200 OK\r\n\r\nuntil close", Some("until close"));
    check("HTTP/1.0 200 OK\r\n\r\nold", Some("old"));
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n",
        Some("abc"),
    );
    check("HTTP/1.1 204 No Content\r\n\r\n", None);
    check("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", None);
    check(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        Some("x"),
    );
    check("HTTP/1.1 200 OK\r\nContent-Encoding: unknown\r\nContent-Length: 1\r\n\r\nx", Some("x"));
    check("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", Some(""));
}

#[test]
fn encodings_are_undone() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        for path in ["/gzip", "/deflate", "/brotli", "/zstd"] {
            let response = vu.get(target.url(path)).await;
            assert_eq!(body_json(&response)["text"], "squall ".repeat(100), "{path}");
        }
    });
}

#[test]
fn large_bodies_arrive_whole_or_are_discarded() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        let url = target.url("/bytes/3000000?seed=7");
        let whole = vu.get(&url).await;
        assert_eq!(whole.body.map(|body| body.len()), Some(3_000_000));
        let discarded = vu.send(&Request { body_kept: false, ..get(&url) }).await;
        assert_eq!((discarded.exchange.status, discarded.body), (200, None));
        assert_eq!(vu.connections.idle_count(), 1);
        let (_, received) = vu.connections.traffic().take();
        assert!(received > 6_000_000);
        let lines = vu.get(target.url("/stream/1000")).await;
        assert_eq!(body_text(&lines).lines().last(), Some(r#"{"id":999}"#));
    });
}

#[test]
fn a_head_request_has_no_body() {
    let target = Target::start();
    run(async {
        let vu = Vu::trusting(target.ca_pem());
        for url in [target.url("/bytes/10"), target.https_url("/bytes/10")] {
            let response = vu.send(&request(Method::HEAD, url.clone())).await;
            assert_eq!(response.exchange.error, None);
            assert_eq!(response.headers.get("content-length"), Some("10"));
            assert_eq!(body_text(&response), "");
            assert_eq!(vu.get(url).await.body.map(|body| body.len()), Some(10));
        }
    });
}

#[test]
fn the_status_has_its_text() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        assert_eq!(vu.get(target.url("/status/404")).await.status_text(), "404 Not Found");
        assert_eq!(vu.exchanges.borrow()[0].error_code(), 1404);
    });
}
