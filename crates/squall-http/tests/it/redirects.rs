//! Redirects by Go's rules.

use bytes::Bytes;
use squall_http::{Method, Request};
use squall_testing::{ScriptedServer, Step, Target};

use crate::{Vu, body_json, error, get, headers, request, run};

#[test]
fn redirects_are_followed_hop_by_hop() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        let response = vu.get(target.url("/redirect/2")).await;
        assert_eq!(response.exchange.url.path(), "/get");
        assert_eq!(vu.hops(), ["GET /redirect/2 302", "GET /redirect/1 302", "GET /get 200"]);
        assert_eq!(body_json(&response)["headers"]["Referer"], target.url("/redirect/1"));
    });
}

#[test]
fn beyond_the_limit_the_redirect_is_the_response() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        let check = async |max_redirects, hops: &[&str]| {
            let response = vu.send(&Request { max_redirects, ..get(target.url("/redirect/2")) }).await;
            assert_eq!(response.exchange.error, None);
            assert_eq!(vu.hops(), hops);
        };
        check(0, &["GET /redirect/2 302"]).await;
        check(1, &["GET /redirect/2 302", "GET /redirect/1 302"]).await;
    });
}

#[test]
fn the_status_decides_about_method_and_body() {
    let target = Target::start();
    run(async {
        let vu = Vu::new();
        let check = async |method: Method, status, expected: &str, data: &str| {
            let path = format!("/redirect-to?url=/anything&status_code={status}");
            let request = Request {
                body: (method == Method::POST).then(|| Bytes::from_static(b"data")),
                headers: headers(&[("Content-Type", "text/plain"), ("X-Own", "1")]),
                ..request(method.clone(), target.url(&path))
            };
            let response = vu.send(&request).await;
            assert_eq!(response.exchange.method, expected, "{method} {status}");
            if method == Method::POST {
                let echo = body_json(&response);
                assert_eq!(echo["data"], data, "{status}");
                assert_eq!(echo["headers"]["X-Own"], "1");
                assert_eq!(echo["headers"]["Content-Type"].is_null(), data.is_empty());
            }
        };
        for status in [301, 302, 303] {
            check(Method::POST, status, "GET", "").await;
            check(Method::HEAD, status, "HEAD", "").await;
        }
        for status in [307, 308] {
            check(Method::POST, status, "POST", "data").await;
        }
    });
}

#[test]
fn secrets_stay_with_their_host() {
    let target = Target::start();
    let port = target.address().port();
    let echo_after = |location: String| {
        let own =
            headers(&[("Authorization", "secret"), ("Cookie", "a=1"), ("X-Own", "1"), ("Host", "h.test")]);
        let path = format!("/redirect-to?url={location}");
        let request = Request { headers: own, ..get(target.url(&path)) };
        body_json(&run(async { Vu::new().send(&request).await }))["headers"].clone()
    };
    let same = echo_after("/headers".to_owned());
    assert_eq!(same["headers"], serde_json::Value::Null);
    let echo = echo_after("/anything".to_owned());
    assert_eq!((&echo["Authorization"], &echo["Cookie"]), (&"secret".into(), &"a=1".into()));
    assert_eq!(echo["Host"], "h.test");
    let echo = echo_after(format!("http://localhost:{port}/anything"));
    assert!(echo["Authorization"].is_null() && echo["Cookie"].is_null(), "{echo}");
    assert_eq!((&echo["X-Own"], &echo["Host"]), (&"1".into(), &format!("localhost:{port}").into()));
}

#[test]
fn bad_locations_are_errors_and_missing_ones_are_not() {
    let answer = |location: &str| {
        let answer = format!("HTTP/1.1 302 Found\r\n{location}Content-Length: 0\r\n\r\n");
        let server = ScriptedServer::start(vec![vec![Step::read_head(), Step::write(&answer)]]);
        run(async { Vu::new().get(server.url("/")).await })
    };
    let response = answer("");
    assert_eq!((response.exchange.status, response.exchange.error), (302, None));
    let (code, text) = error(&answer("Location: http://[::1\r\n"));
    assert_eq!(code, 1000);
    assert!(text.starts_with(r#"failed to parse Location header "http://[::1": "#), "{text}");
    let (_, text) = error(&answer("Location: :bad\r\n"));
    assert!(text.ends_with("missing protocol scheme"), "{text}");
    let scheme = (1000, r#"unsupported protocol scheme "ftp""#.to_owned());
    assert_eq!(error(&answer("Location: ftp://x/\r\n")), scheme);
}
