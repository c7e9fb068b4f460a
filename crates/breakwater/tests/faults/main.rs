//! What Breakwater leans on goes away and comes back: it says so quickly, loses nothing that it promised, and recovers by
//! itself.

#[cfg(feature = "servers")]
mod cache;
#[path = "../common/mod.rs"]
mod common;
mod database;
#[cfg(feature = "servers")]
mod proxy;
#[cfg(feature = "servers")]
mod queue;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use breakwater::{
    kit::config::Settings,
    service::{Service, System},
};
use common::{Answer, Call};
use http::{Method, header};
use serde_json::json;

/// Longer than anything here takes, also on a busy machine, so that what hangs fails.
const LONG: Duration = Duration::from_secs(60);

/// Settings by which a lack is told soon.
fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    settings.server.request_timeout_ms = 3_000;
    settings.storage.pool_timeout_ms = 500;
    settings
}

/// The system that has little more than users in a database.
async fn fluxor(settings: Settings) -> Service {
    Service::start(System::Fluxor, settings).await.expect("the service starts")
}

fn get(service: &Service, path: &str) -> Call {
    Call::new(service.address(), Method::GET, path)
}

fn add_user(service: &Service, number: usize) -> Call {
    let body = json!({ "name": "Ada Lovelace", "email": format!("ada{number}@example.org") });
    Call::new(service.address(), Method::POST, "/api/users").json(body)
}

/// Sends what `call` gives until the answer has this status.
async fn until(status: u16, mut call: impl FnMut() -> Call) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = call().send().await;
        if answer.status == status {
            return answer;
        }
        assert!(begun.elapsed() < LONG, "no {status}, still {}: {}", answer.status, answer.text());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sends them all at once. Each must be told 503 with a time to try again, and none may wait behind the others.
async fn all_unavailable(calls: impl Iterator<Item = Call>, longest: Duration) {
    let begun = Instant::now();
    for answer in futures_util::future::join_all(calls.map(Call::send)).await {
        let retry_after: u64 = answer.header(header::RETRY_AFTER).parse().expect("seconds in Retry-After");
        assert!((1..=60).contains(&retry_after));
        answer.problem(503);
    }
    let took = begun.elapsed();
    assert!(took < longest, "they were told after {took:?}");
}

/// The users that the service lists.
async fn users_listed(service: &Service) -> usize {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let page = get(service, &format!("/api/users?limit=100{after}")).send().await.expect(200).json();
        count += page["users"].as_array().expect("users").len();
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return count,
        }
    }
}
