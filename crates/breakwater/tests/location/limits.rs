//! What one client cannot have too much of.

use breakwater::service::System;
use futures_util::SinkExt;
use http::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::{
    SESSIONS,
    common::App,
    counted,
    member::{join, member},
    session, settings,
};

#[tokio::test]
async fn messages_beyond_the_rate_are_refused() {
    let mut settings = settings();
    settings.location.location_updates = 3;
    let app = App::on_sqlite(System::Location, settings).await;
    let (id, _) = session(&app).await;
    let mut ada = member(&app, &id, "Ada").await;
    for number in 0..4 {
        ada.is_at(f64::from(number)).await;
    }
    let error = ada.next_of("error").await;
    assert!(error["detail"].as_str().unwrap().contains("at most 3 messages a second"), "{error}");
    assert_eq!(counted(&app, "breakwater_location_refused_total"), 1.0);
    app.end().await;
}

#[tokio::test]
async fn pings_count_as_messages_and_too_many_end_the_connection() {
    let mut settings = settings();
    settings.location.location_updates = 3;
    let app = App::on_sqlite(System::Location, settings).await;
    let (id, _) = session(&app).await;
    for (name, message) in [
        ("text", Message::text(json!({"type": "ping"}).to_string())),
        ("ping", Message::Ping(vec![7].into())),
        ("pong", Message::Pong(vec![7].into())),
    ] {
        let mut member = member(&app, &id, name).await;
        for _ in 0..100 {
            member.socket.feed(message.clone()).await.unwrap();
        }
        member.socket.flush().await.unwrap();
        assert_eq!(member.closed().await, (1008, "too many wrong messages".to_owned()), "{name}");
    }
    assert_eq!(counted(&app, "breakwater_location_closes_total{reason=\"wrong_messages\"}"), 3.0);
    app.end().await;
}

#[tokio::test]
async fn too_many_connections_and_members_are_refused() {
    let mut settings = settings();
    settings.location.location_connections = 1;
    settings.location.location_members = 2;
    settings.location.location_sessions = 1;
    let app = App::on_sqlite(System::Location, settings).await;
    let (id, _) = session(&app).await;
    app.post(SESSIONS, json!({"name": "another"})).send().await.problem(503);
    let connected = member(&app, &id, "Ada").await;
    let bob = join(app.service.address(), &id, "Bob").await;
    let path = format!("{SESSIONS}/{id}/join");
    app.post(&path, json!({"name": "Cy"})).send().await.problem(409);
    match bob.try_connect(app.service.address(), "").await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()["retry-after"], "5");
        }
        other => panic!("{:?}", other.map(|member| member.welcome)),
    }
    drop(connected);
    app.end().await;
}

#[tokio::test]
async fn sessions_from_one_address_are_limited() {
    let mut settings = settings();
    settings.location.location_sessions_per_address = 3;
    settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let app = App::on_sqlite(System::Location, settings).await;
    let (id, _) = session(&app).await;
    let door = format!("{SESSIONS}/{id}/join");
    for path in [SESSIONS, &door] {
        app.post(path, json!({"name": "a"})).send().await.expect(201);
    }
    for path in [SESSIONS, &door] {
        let refused = app.post(path, json!({"name": "a"})).send().await;
        let wait_s: u64 = refused.header("retry-after").parse().expect("it says when to come back");
        assert!((1..=20).contains(&wait_s), "{wait_s} s");
        refused.problem(429);
        let elsewhere = app.post(path, json!({"name": "a"})).header("x-forwarded-for", "192.0.2.1");
        elsewhere.send().await.expect(201);
    }
    // All else goes on.
    app.get(SESSIONS).send().await.expect(200);
    app.get(&format!("{SESSIONS}/{id}")).send().await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn the_limit_of_sessions_is_documented_and_can_be_off() {
    let mut settings = settings();
    settings.location.location_sessions_per_address = 0;
    let app = App::on_sqlite(System::Location, settings).await;
    let document = app.get("/openapi.json").send().await.expect(200).json();
    for path in [SESSIONS, "/api/v1/sessions/{id}/join"] {
        assert!(document["paths"][path]["post"]["responses"]["429"].is_object(), "{path}");
    }
    for _ in 0..700 {
        app.post(SESSIONS, json!({"name": ""})).send().await.problem(422);
    }
    app.call(Method::PUT, SESSIONS).send().await.problem(405);
    app.end().await;
}
