//! Allowances on virtual time, whom a request is from, and the layer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use tokio::time::advance;
use tower::ServiceExt;

use super::*;

fn requests(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("above zero")
}

#[tokio::test(start_paused = true)]
async fn each_key_has_its_allowance_and_gets_it_back_with_time() {
    let limit = RateLimit::new(requests(3), Duration::from_secs(6));
    for _ in 0..3 {
        assert_eq!(limit.check("a"), Ok(()));
    }
    assert_eq!(limit.check("a"), Err(Duration::from_secs(2)));
    assert_eq!(limit.check("b"), Ok(()));
    advance(Duration::from_millis(1_500)).await;
    assert_eq!(limit.check("a"), Err(Duration::from_millis(500)));
    advance(Duration::from_millis(500)).await;
    assert_eq!(limit.check("a"), Ok(()));
    assert_eq!(limit.check("a"), Err(Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_and_shrinks() {
    let limit = RateLimit::with_clients_max(requests(2), Duration::from_secs(10), 400);
    for key in 0..100_000 {
        let _ = limit.check(key);
    }
    let most = 400 + 100 + SHARED as usize;
    assert!(limit.limiter.len() <= most, "{} clients are kept", limit.limiter.len());
    assert!(limit.is_crowded.load(Relaxed));
    assert!((0..100_000).any(|key| limit.check(key).is_err()), "clients share what is left");

    advance(Duration::from_secs(20)).await;
    for _ in 0..101 {
        let _ = limit.check("one");
    }
    assert!(!limit.is_crowded.load(Relaxed));
    assert!(limit.limiter.len() <= 2, "{} clients are kept", limit.limiter.len());
    assert_eq!(limit.check("another"), Ok(()));
}

/// `forwarded`: the lines of X-Forwarded-For. Proxies are 10.0.0.0/8 and fd00::/8.
fn check_client(peer: &str, forwarded: &[&str], expected: &str) {
    let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network"));
    let mut headers = HeaderMap::new();
    for line in forwarded {
        headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).expect("a value"));
    }
    let client = TrustedProxies::new(networks).client(peer.parse().expect("an address"), &headers);
    assert_eq!(client, expected.parse::<IpAddr>().expect("an address"), "{peer} with {forwarded:?}");
}

#[test]
fn the_client_is_the_rightmost_address_that_is_no_trusted_proxy() {
    check_client("203.0.113.9", &[], "203.0.113.9");
    // Not from a proxy: anybody can write the header.
    check_client("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
    check_client("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
    check_client("10.0.0.1", &["1.2.3.4, 198.51.100.1, 10.0.0.2"], "198.51.100.1");
    check_client("10.0.0.1", &["1.2.3.4", "198.51.100.1,10.0.0.2"], "198.51.100.1");
    check_client("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1");
    check_client("fd00::1", &["2001:db8::7"], "2001:db8::7");
    check_client("fd00::1", &["[2001:db8::7]:443"], "2001:db8::7");
    check_client("fd00::1", &["[2001:db8::7]"], "2001:db8::7");
    check_client("10.0.0.1", &["198.51.100.1:5000"], "198.51.100.1");
    // All are proxies: the first of them asked.
    check_client("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3");
    check_client("10.0.0.1", &[], "10.0.0.1");
    // What is unreadable hides what is left of it.
    check_client("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1");
    check_client("10.0.0.1", &["198.51.100.1, \u{fc}", "10.0.0.2"], "10.0.0.2");
    check_client("10.0.0.1", &["198.51.100.1,"], "10.0.0.1");
}

fn router(key: Key) -> Router {
    let limit = Arc::new(RateLimit::new(requests(1), Duration::from_millis(2_500)));
    Router::new().route("/", get(|| async { "served" })).layer(RateLayer::new(limit, key))
}

async fn status(router: &Router, peer: &str, api_key: Option<&'static str>) -> StatusCode {
    let mut request = Request::new(Body::empty());
    let peer: SocketAddr = peer.parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(peer));
    if let Some(key) = api_key {
        request.headers_mut().insert("x-api-key", HeaderValue::from_static(key));
    }
    router.clone().oneshot(request).await.expect("it cannot fail").status()
}

#[tokio::test(start_paused = true)]
async fn the_layer_limits_by_address() {
    let router = router(Key::Address(TrustedProxies::default()));
    assert_eq!(status(&router, "192.0.2.1:1000", None).await, StatusCode::OK);
    assert_eq!(status(&router, "192.0.2.1:1001", None).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status(&router, "192.0.2.2:1000", None).await, StatusCode::OK);
    assert_eq!(status(&router, "[2001:db8:0:1::1]:1", None).await, StatusCode::OK);
    assert_eq!(status(&router, "[2001:db8:0:1::2]:1", None).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status(&router, "[2001:db8:0:2::1]:1", None).await, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn the_layer_limits_by_a_header_and_without_it_by_address() {
    let header = HeaderName::from_static("x-api-key");
    let router = router(Key::Header(header, TrustedProxies::default()));
    assert_eq!(status(&router, "192.0.2.1:1", Some("a")).await, StatusCode::OK);
    assert_eq!(status(&router, "192.0.2.2:1", Some("a")).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status(&router, "192.0.2.1:1", Some("b")).await, StatusCode::OK);
    assert_eq!(status(&router, "192.0.2.1:1", None).await, StatusCode::OK);
    assert_eq!(status(&router, "192.0.2.1:1", None).await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_when_to_come_back() {
    let router = router(Key::Address(TrustedProxies::default()));
    let request = || Request::new(Body::empty());
    let served = router.clone().oneshot(request()).await.expect("it cannot fail");
    assert_eq!(served.status(), StatusCode::OK);
    let refused = router.oneshot(request()).await.expect("it cannot fail");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "3", "2.5 s, rounded up");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
}
