//! Redis is gone or silent: Connex serves without a cache, counts that, and never what was.

use super::*;
use crate::proxy::{Proxy, Way};

/// Reads at once while there is no cache.
const CROWD: usize = 100;

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse";
const METRICS: &str = "metrics";

/// Connex, with somebody who has signed in: their token and path.
async fn connex(settings: Settings) -> (Service, String, String) {
    let service = Service::start(System::Connex, settings).await.expect("the service starts");
    let post = |path: &str, body: serde_json::Value| {
        Call::new(service.address(), Method::POST, path).json(body).send()
    };
    let person = json!({"email": EMAIL, "name": "Ada", "password": PASSWORD});
    post("/api/v1/auth/register", person).await.expect(202);
    let tokens =
        post("/api/v1/auth/login", json!({"email": EMAIL, "password": PASSWORD})).await.expect(200).json();
    let token = tokens["access_token"].as_str().expect("a token").to_owned();
    let me = get(&service, "/api/v1/users/me").bearer(&token).send().await.expect(200).json();
    let path = format!("/api/v1/users/{}", me["id"].as_str().expect("an id"));
    (service, token, path)
}

/// Values that the cache was asked for, with this outcome.
async fn asked(service: &Service, outcome: &str) -> u64 {
    let metrics = get(service, "/metrics").bearer(METRICS).send().await.expect(200).text();
    let of_users = metrics.lines().filter(|line| {
        line.starts_with("breakwater_cache_requests_total{")
            && line.contains("layer=\"connex-user\"")
            && line.contains(&format!("outcome=\"{outcome}\""))
    });
    of_users.map(|line| line.rsplit(' ').next().expect("a value").parse::<u64>().expect("a number")).sum()
}

async fn survives(lost: Way) {
    let redis = std::env::var("BREAKWATER_TEST_REDIS").expect("BREAKWATER_TEST_REDIS is a URL");
    let proxy = Proxy::before(&redis).await;
    let mut settings = settings();
    settings.auth.password_memory_kib = 8;
    settings.auth.password_passes = 1;
    settings.server.metrics_token = Some(METRICS.into());
    settings.cache.cache = proxy.url.clone();
    settings.cache.cache_namespace = format!("faults-{}", uuid::Uuid::new_v4().simple());
    let (service, token, path) = connex(settings).await;
    let read = || get(&service, &path).bearer(&token);
    while asked(&service, "hit").await == 0 {
        read().send().await.expect(200);
    }

    proxy.turn(lost);
    let begun = Instant::now();
    for answer in futures_util::future::join_all((0..CROWD).map(|_| read().send())).await {
        assert_eq!(answer.expect(200).json()["name"], "Ada");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "without a cache it took {:?}", begun.elapsed());
    assert!(asked(&service, "unavailable").await > 0, "nobody counted that the cache was away");
    let change = json!({ "name": "Grace", "version": 1 });
    Call::new(service.address(), Method::PATCH, &path).bearer(&token).json(change).send().await.expect(200);
    assert_eq!(read().send().await.expect(200).json()["name"], "Grace");

    proxy.turn(Way::Open);
    let (hits, begun) = (asked(&service, "hit").await, Instant::now());
    while asked(&service, "hit").await == hits {
        // What the cache held of before was changed while it could not be told.
        assert_eq!(read().send().await.expect(200).json()["name"], "Grace");
        assert!(begun.elapsed() < LONG, "the cache is not used again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    service.stop().await;
}

#[tokio::test]
#[ignore = "needs Redis: BREAKWATER_TEST_REDIS"]
async fn gone_and_back() {
    survives(Way::Cut).await;
}

#[tokio::test]
#[ignore = "needs Redis: BREAKWATER_TEST_REDIS"]
async fn silent_and_back() {
    survives(Way::Silent).await;
}
