//! What goes over the wire: Go's bytes, because that is what k6 sends.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use squall_http::{
    CookieAttributes, CookieJar, Encoding, Method, Request, RequestCookie, WireEvent, WireLog,
};
use squall_testing::{ScriptedServer, Signal, Step};

use crate::{Vu, get, headers, request, run};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Sends what `build` makes of a server's URL and returns the bytes, with the address left out.
fn wire(path: &str, build: impl FnOnce(String) -> Request) -> String {
    let closed = Signal::new();
    let script = vec![Step::read_head(), Step::write(OK), Step::ReadToEnd, Step::Fire(closed.clone())];
    let server = ScriptedServer::start(vec![script]);
    let request = build(server.url(path));
    run(async {
        assert_eq!(Vu::new().send(&request).await.exchange.error, None);
        closed.wait().await;
    });
    server.received_text(0).replace(&server.address().to_string(), "SERVER")
}

#[test]
fn a_bare_get_is_three_lines() {
    assert_eq!(
        wire("/a%20b?q=%C3%A4&x#f", get),
        "GET /a%20b?q=%C3%A4&x HTTP/1.1\r\nHost: SERVER\r\nUser-Agent: test\r\n\r\n"
    );
}

#[test]
fn headers_are_canonical_sorted_and_the_callers_own() {
    let sent = wire("/", |url| Request {
        headers: headers(&[
            ("x-b", "1"),
            ("A-c", "2"),
            ("content-length", "9"),
            ("host", "h.test"),
            ("user-agent", "mine"),
            ("connection", "x"),
            ("X-B", "3"),
        ]),
        cookies: vec![RequestCookie { name: "c".into(), value: "1".into(), replace: false }],
        body: Some(Bytes::from_static(b"body")),
        ..request(Method::POST, url)
    });
    assert_eq!(
        sent,
        "POST / HTTP/1.1\r\nHost: h.test\r\nUser-Agent: mine\r\nContent-Length: 4\r\nA-C: 2\r\nConnection: x\r\n\
         Cookie: c=1\r\nX-B: 3\r\n\r\nbody"
    );
}

#[test]
fn bodies_without_bytes_follow_go() {
    let check = |method: Method, body: Option<&'static [u8]>, expected: &str| {
        let build = |url| Request { body: body.map(Bytes::from_static), ..request(method.clone(), url) };
        let sent = wire("/", build);
        let start = format!("{method} / HTTP/1.1\r\nHost: SERVER\r\nUser-Agent: test\r\n");
        assert_eq!(sent.strip_prefix(&start), Some(expected), "{method} {body:?}");
    };
    check(Method::POST, None, "Content-Length: 0\r\n\r\n");
    check(Method::PUT, None, "Content-Length: 0\r\n\r\n");
    check(Method::DELETE, None, "\r\n");
    check(Method::POST, Some(b""), "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    check(Method::DELETE, Some(b""), "\r\n");
    check(Method::GET, Some(b"bd"), "Content-Length: 2\r\n\r\nbd");
}

#[test]
fn userinfo_becomes_basic_credentials_unless_the_caller_has_some() {
    let with_userinfo = |url: String| url.replace("http://", "http://u%40:p@");
    let sent = wire("/", |url| get(with_userinfo(url)));
    assert!(sent.contains("\r\nAuthorization: Basic dUA6cA==\r\n"), "{sent}");
    let sent = wire("/", |url| Request {
        headers: headers(&[("authorization", "mine")]),
        ..get(with_userinfo(url))
    });
    assert!(sent.contains("\r\nAuthorization: mine\r\n"), "{sent}");
}

#[test]
fn bodies_are_compressed_in_order() {
    let sent = wire("/", |url| Request {
        body: Some(Bytes::from("squall ".repeat(100))),
        compression: vec![Encoding::Deflate, Encoding::Gzip],
        ..request(Method::POST, url)
    });
    assert!(sent.contains("\r\nContent-Encoding: deflate, gzip\r\n"), "{sent}");
}

#[test]
fn cookies_come_from_the_request_then_the_jar() {
    let sent = wire("/a/b", |url| {
        let url = url::Url::parse(&url).unwrap();
        let mut jar = CookieJar::new();
        for (name, path) in [("both", "/"), ("long", "/a"), ("gone", "/")] {
            let attributes = CookieAttributes { path: Some(path.into()), ..Default::default() };
            jar.set(&url, name, "jar", &attributes);
        }
        let cookie = |name: &str, replace| RequestCookie { name: name.into(), value: "own".into(), replace };
        Request {
            cookies: vec![cookie("both", false), cookie("gone", true)],
            jar: Some(Rc::new(RefCell::new(jar))),
            headers: headers(&[("Cookie", "first=1")]),
            ..get(url)
        }
    });
    assert!(sent.contains("\r\nCookie: first=1; both=own; gone=own; long=jar; both=jar\r\n"), "{sent}");
}

#[test]
fn cookie_values_are_quoted_and_cleaned() {
    let sent = |value: &str| {
        let cookie = RequestCookie { name: "c\n".into(), value: value.into(), replace: false };
        let sent = wire("/", |url| Request { cookies: vec![cookie], ..get(url) });
        let (_, cookie) = sent.split_once("Cookie: c-=").expect("there is a cookie");
        cookie.trim_end().to_owned()
    };
    assert_eq!(sent("plain"), "plain");
    assert_eq!(sent("a b,c"), "\"a b,c\"");
    assert_eq!(sent("\"a;\r\n\\b\u{e9}"), "ab");
}

#[test]
fn headers_that_would_break_the_head_are_refused() {
    let check = |name: &str, value: &str, expected: &str| {
        let request = Request { headers: headers(&[(name, value)]), ..get("http://127.0.0.1:9/") };
        let response = run(async { Vu::new().send(&request).await });
        assert_eq!(crate::error(&response), (1000, expected.to_owned()));
    };
    check("x y", "1", r#"net/http: invalid header field name "x y""#);
    check("", "1", r#"net/http: invalid header field name """#);
    check("x", "a\r\nb: c", r#"net/http: invalid header field value for "X""#);
}

#[test]
fn the_wire_log_sees_both_sides() {
    let script = vec![Step::read_head(), Step::write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")];
    let server = ScriptedServer::start(vec![script]);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = seen.clone();
    let wire_log = WireLog::new(move |event: WireEvent<'_>| {
        let (head, body) = match event {
            WireEvent::Request { head, body } | WireEvent::Response { head, body } => (head, body),
        };
        log.borrow_mut().push(String::from_utf8_lossy(&[head, body].concat()).into_owned());
    });
    let request = Request { wire_log: Some(wire_log), ..get(server.url("/")) };
    run(async { Vu::new().send(&request).await });
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: test\r\n\r\n", server.address());
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned();
    assert_eq!(*seen.borrow(), [request, response]);
}
