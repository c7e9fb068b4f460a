//! Location over real sockets: the API, what members of a session see, and how connections end.

mod common;
#[path = "location/limits.rs"]
mod limits;
#[path = "location/member.rs"]
mod member;

use std::{collections::HashSet, time::Duration};

use breakwater::{
    kit::config::Settings,
    service::{Service, System},
};
use common::{App, on_each_database};
use futures_util::SinkExt;
use http::Method;
use member::{join, member, text};
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::tungstenite::Message;

const SESSIONS: &str = "/api/v1/sessions";

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.location.location_window_ms = 5;
    settings.location.location_members = 60;
    settings
}

on_each_database!(System::Location, settings(), [sessions_come_and_go, bad_requests_are_told_what_is_wrong]);

async fn session(app: &App) -> (String, String) {
    let created = app.post(SESSIONS, json!({"name": "walk", "metadata": {"city": "Bern"}})).send().await;
    let created = created.expect(201).json();
    (text(&created["id"]), text(&created["owner_token"]))
}

/// The value of a counter or gauge.
fn counted(app: &App, series: &str) -> f64 {
    let text = app.service.kit().metrics.text();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

async fn sessions_come_and_go(app: &App) {
    let (first, owner) = session(app).await;
    let (second, _) = session(app).await;
    let (third, _) = session(app).await;
    let page = app.get(&format!("{SESSIONS}?limit=2")).send().await.expect(200).json();
    assert_eq!((&page["sessions"][0]["id"], &page["sessions"][1]["id"]), (&json!(third), &json!(second)));
    let next = text(&page["next"]);
    let page = app.get(&format!("{SESSIONS}?limit=2&after={next}")).send().await.expect(200).json();
    assert_eq!(page["sessions"][0]["id"], json!(first));
    assert!(page["next"].is_null());

    let path = format!("{SESSIONS}/{first}");
    let (ada, bob) =
        (join(app.service.address(), &first, "Ada").await, join(app.service.address(), &first, "Bob").await);
    let connected = ada.connect(app).await;
    let shown = app.get(&path).send().await.expect(200).json();
    assert_eq!(shown["metadata"], json!({"city": "Bern"}));
    assert_eq!(shown["members"], 2);
    let told: Vec<_> = shown["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], &one["presence"]))
        .collect();
    assert_eq!(told, [(&json!("Ada"), &json!("joined")), (&json!("Bob"), &json!("offline"))]);

    app.post(&format!("{path}/leave"), json!({})).send().await.problem(401);
    app.post(&format!("{path}/leave"), json!({})).bearer(&bob.token).send().await.expect(204);
    app.post(&format!("{path}/leave"), json!({})).bearer(&bob.token).send().await.problem(401);
    assert_eq!(app.get(&path).send().await.json()["members"], 1);

    app.delete(&path).bearer(&ada.token).send().await.problem(401);
    app.delete(&path).bearer(&owner).send().await.expect(204);
    assert_eq!(connected.closed().await, (1000, "the session has ended".to_owned()));
    app.get(&path).send().await.problem(404);
    app.delete(&path).bearer(&owner).send().await.problem(404);
    assert!(ada.try_connect(app.service.address(), "").await.is_err());
}

async fn bad_requests_are_told_what_is_wrong(app: &App) {
    let (id, _) = session(app).await;
    let long = "x".repeat(81);
    let (door, path) = (format!("{SESSIONS}/{id}/join"), format!("{SESSIONS}/{id}"));
    let big = json!({"name": "a", "metadata": {"a": "x".repeat(2048)}});
    for (path, body, status) in [
        (SESSIONS, json!({}), 422),
        (SESSIONS, json!({"name": 7}), 422),
        (SESSIONS, json!({"name": ""}), 422),
        (SESSIONS, json!({"name": "a\u{7}b"}), 422),
        (SESSIONS, json!({"name": long}), 422),
        (SESSIONS, json!({"name": "a", "metadata": []}), 422),
        (SESSIONS, big, 422),
        (SESSIONS, json!([]), 422),
        (door.as_str(), json!({"name": "  "}), 422),
        (path.as_str(), json!({}), 405),
        ("/api/v1/sessions/0/join", json!({"name": "a"}), 404),
        ("/api/v1/sessions/00000000-0000-0000-0000-000000000000/join", json!({"name": "a"}), 404),
    ] {
        app.post(path, body.clone()).send().await.problem(status);
    }
    app.call(Method::POST, SESSIONS).body("{}").send().await.problem(415);
    app.post(SESSIONS, json!({})).body("{").send().await.problem(400);
    app.post(SESSIONS, json!({})).body(vec![0xff, 0xfe]).send().await.problem(400);
    app.post(SESSIONS, json!({}))
        .body(format!(r#"{{"name":"a","metadata":{{"a":{}"#, "[".repeat(200_000)))
        .send()
        .await
        .problem(400);
    app.post(SESSIONS, json!({})).body(" ".repeat(300 << 10)).send().await.problem(413);
    for query in ["limit=0", "limit=101"] {
        app.get(&format!("{SESSIONS}?{query}")).send().await.problem(422);
    }
    for query in ["limit=x", "limit=-1", "after=x"] {
        app.get(&format!("{SESSIONS}?{query}")).send().await.problem(400);
    }
    let participant = join(app.service.address(), &id, "Ada").await;
    app.get(&format!("{path}/ws")).send().await.problem(401);
    app.get(&format!("{path}/ws?token=nonsense")).send().await.problem(401);
    app.get(&format!("{path}/ws?token={}", participant.token)).send().await.problem(400);
    app.get(&format!("{path}/ws?token={}&since=x", participant.token)).send().await.problem(400);
}

/// Tools that read a document fail where it names what it does not define.
#[tokio::test]
async fn the_document_defines_the_tokens_that_it_asks_for() {
    for system in [System::Location, System::All] {
        let app = App::on_sqlite(system, settings()).await;
        let document = app.get("/openapi.json").send().await.expect(200).json();
        let paths = document["paths"].as_object().expect("paths");
        let operations = paths.values().flat_map(|path| path.as_object().expect("operations").values());
        let asked = operations.filter_map(|operation| operation["security"].as_array()).flatten();
        let names: HashSet<_> = asked.flat_map(|one| one.as_object().expect("a scheme").keys()).collect();
        for name in ["owner_token", "participant_token"] {
            assert!(names.iter().any(|asked| *asked == name), "{name} of {system:?}");
            let scheme = &document["components"]["securitySchemes"][name];
            assert_eq!(scheme["scheme"], "bearer", "{name} of {system:?}");
        }
        app.end().await;
    }
}

#[tokio::test]
async fn positions_and_presence_reach_everybody_in_the_session() {
    let app = App::on_sqlite(System::Location, settings()).await;
    let (id, _) = session(&app).await;
    let (other_id, _) = session(&app).await;
    let mut ada = member(&app, &id, "Ada \"the first\"").await;
    let mut bob = member(&app, &id, "Bob").await;
    let mut stranger = member(&app, &other_id, "Cy").await;
    assert_eq!(bob.welcome["participants"][0]["name"], "Ada \"the first\"");
    let bob_id = bob.id.clone();
    ada.hears(&bob_id, "joined").await;
    ada.say(json!({"type": "position", "lat": 46.9, "lon": 7.4, "speed": 1.5, "heading": 90, "accuracy": 3, "at": 1_700_000_000_000_i64, "seq": 9}))
        .await;
    let seen = bob.next_of("positions").await["positions"][0].clone();
    let expected = json!({"participant": ada.id, "lat": 46.9, "lon": 7.4, "accuracy": 3.0, "speed": 1.5,
                          "heading": 90.0, "at": 1_700_000_000_000_i64, "seq": 9});
    assert_eq!(seen, expected);
    // The sender gets its own as well: that is how it knows it was shared.
    let ada_id = ada.id.clone();
    ada.sees(&ada_id, 46.9).await;
    stranger.is_at(1.0).await;
    let message = stranger.next_of("positions").await;
    assert_eq!(message["positions"].as_array().unwrap().len(), 1, "{message}");
    bob.say(json!({"type": "ping"})).await;
    bob.next_of("pong").await;
    // Who comes later gets what is known.
    let mut late = member(&app, &id, "Dee").await;
    late.sees(&ada_id, 46.9).await;
    app.end().await;
}

#[tokio::test]
async fn wrong_messages_are_told_and_too_many_end_the_connection() {
    let app = App::on_sqlite(System::Location, settings()).await;
    let (id, _) = session(&app).await;
    let mut ada = member(&app, &id, "Ada").await;
    for (message, told) in [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ("{\"type\":", "cannot be read"),
        ("{\"type\":\"move\"}", "`type`"),
        ("{\"type\":\"position\",\"lat\":1}", "`lon` is missing"),
        ("{\"type\":\"position\",\"lat\":\"1\",\"lon\":1}", "cannot be read"),
        ("{\"type\":\"position\",\"lat\":90.01,\"lon\":1}", "`lat` must be"),
        ("{\"type\":\"position\",\"lat\":1e999,\"lon\":1}", "cannot be read"),
        ("{\"type\":\"position\",\"lat\":1,\"lon\":1,\"at\":-1}", "`at` must be"),
        ("{\"type\":\"position\",\"lat\":1,\"lon\":1,\"heading\":361}", "`heading` must be"),
    ] {
        ada.socket.send(Message::text(message)).await.unwrap();
        let error = ada.next_of("error").await;
        assert!(error["detail"].as_str().unwrap().contains(told), "{message}: {error}");
    }
    ada.socket.send(Message::binary(vec![1, 2])).await.unwrap();
    ada.socket.send(Message::text("{}")).await.unwrap();
    assert_eq!(ada.closed().await, (1008, "too many wrong messages".to_owned()));

    let mut bob = member(&app, &id, "Bob").await;
    bob.socket.send(Message::text(" ".repeat(1025))).await.unwrap();
    assert_eq!(bob.closed().await.0, 1009);
    for (reason, closes) in [("wrong_messages", 1.0), ("too_big", 1.0)] {
        let series = format!("breakwater_location_closes_total{{reason=\"{reason}\"}}");
        assert_eq!(counted(&app, &series), closes);
    }
    app.end().await;
}

/// 100 sessions at once: everybody ends with the newest position of everybody in the session, and sees nobody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_sessions_broadcast_each_to_itself() {
    const MEMBERS: usize = 4;
    const LAST: f64 = 10.0;
    let app = App::on_sqlite(System::Location, settings()).await;
    let address = app.service.address();
    let mut sessions = tokio::task::JoinSet::new();
    for number in 0..100 {
        let (id, _) = session(&app).await;
        sessions.spawn(async move {
            let mut members = Vec::new();
            for name in 0..MEMBERS {
                let participant = join(address, &id, &name.to_string()).await;
                members.push(participant.try_connect(address, "").await.expect("a connection"));
            }
            let ids: Vec<_> = members.iter().map(|member| member.id.clone()).collect();
            for step in 1..=LAST as u32 {
                for member in &mut members {
                    member.say(json!({"type": "position", "lat": step, "lon": number})).await;
                }
            }
            for member in &mut members {
                let mut missing = ids.clone();
                while !missing.is_empty() {
                    for position in member.next_of("positions").await["positions"].as_array().unwrap() {
                        assert_eq!(position["lon"], f64::from(number), "of another session");
                        if position["lat"] == LAST {
                            missing.retain(|id| position["participant"] != **id);
                        }
                    }
                }
            }
            // Handed back, because a connection that ends takes its participant's presence with it.
            members
        });
    }
    let members = sessions.join_all().await;
    let updates = (100 * MEMBERS) as f64 * LAST;
    assert_eq!(counted(&app, "breakwater_location_updates_total"), updates);
    assert_eq!(counted(&app, "breakwater_location_connections"), 100.0 * MEMBERS as f64);
    drop(members);
    app.end().await;
}

#[tokio::test]
async fn a_connection_that_comes_back_goes_on_where_it_was() {
    let app = App::on_sqlite(System::Location, settings()).await;
    let (id, _) = session(&app).await;
    let ada = join(app.service.address(), &id, "Ada").await;
    let mut first = ada.connect(&app).await;
    let (mut bob, mut cy) = (member(&app, &id, "Bob").await, member(&app, &id, "Cy").await);
    let (bob_id, cy_id) = (bob.id.clone(), cy.id.clone());
    bob.is_at(1.0).await;
    first.sees(&bob_id, 1.0).await;
    cy.is_at(2.0).await;
    let seen = first.sees(&cy_id, 2.0).await;
    // Without a close: the network is gone.
    drop(first);
    bob.hears(&ada.id, "away").await;
    bob.is_at(3.0).await;
    bob.is_at(4.0).await;
    bob.sees(&bob_id, 4.0).await;

    let mut again =
        ada.try_connect(app.service.address(), &format!("&since={seen}")).await.expect("a connection");
    bob.hears(&ada.id, "joined").await;
    assert_eq!(again.welcome["resumed"], true);
    let restored = again.next_of("positions").await;
    let positions = restored["positions"].as_array().unwrap();
    assert_eq!(positions.len(), 1, "what it has seen is not sent again: {restored}");
    assert_eq!((&positions[0]["participant"], &positions[0]["lat"]), (&json!(bob_id), &json!(4.0)));

    let mut anew = ada.try_connect(app.service.address(), "&since=12345").await.expect("a connection");
    assert_eq!(anew.welcome["resumed"], false);
    assert_eq!(anew.next_of("positions").await["positions"].as_array().unwrap().len(), 2);
    assert_eq!(again.closed().await, (1008, "you have connected again elsewhere".to_owned()));
    assert_eq!(counted(&app, "breakwater_location_resumed_total"), 1.0);
    app.end().await;
}

#[tokio::test]
async fn who_does_not_come_back_has_left() {
    let mut settings = settings();
    settings.location.location_away_ms = 50;
    let app = App::on_sqlite(System::Location, settings).await;
    let (id, _) = session(&app).await;
    let (ada, mut bob) = (member(&app, &id, "Ada").await, member(&app, &id, "Bob").await);
    let ada_id = ada.id.clone();
    drop(ada);
    bob.hears(&ada_id, "away").await;
    bob.hears(&ada_id, "left").await;

    let cy = join(app.service.address(), &id, "Cy").await;
    let connected = cy.connect(&app).await;
    let path = format!("{SESSIONS}/{id}/leave");
    app.post(&path, json!({})).bearer(&cy.token).send().await.expect(204);
    bob.hears(&cy.id, "left").await;
    assert_eq!(connected.closed().await, (1000, "you have left the session".to_owned()));
    app.end().await;
}

#[tokio::test]
async fn clients_that_do_not_answer_or_say_nothing_are_sent_away() {
    let mut settings = settings();
    settings.location.location_ping_ms = 20;
    settings.location.location_idle_ms = 400;
    settings.server.client_timeout_ms = 100;
    let app = App::on_sqlite(System::Location, settings).await;
    let (id, _) = session(&app).await;
    // Answers pings, because its client reads; and says nothing.
    let idle = member(&app, &id, "Ada").await.closed().await;
    assert_eq!(idle, (1000, "nothing was said for a long time".to_owned()));

    // Its pongs never leave: with the socket split, reading alone does not send them.
    let silent = join(app.service.address(), &id, "Bob").await;
    let mut stream = TcpStream::connect(app.service.address()).await.unwrap();
    let head = format!(
        "GET {SESSIONS}/{id}/ws?token={} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        silent.token
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut all);
    let _ = timeout(Duration::from_secs(20), read).await.expect("it is closed");
    let said = String::from_utf8_lossy(&all);
    assert!(said.contains("the ping was not answered"), "{said}");
    app.end().await;
}

#[tokio::test]
async fn a_service_that_stops_says_so_and_its_clients_can_go_elsewhere() {
    let (one, two, _folder) = two_instances("memory:stops").await;
    let (id, _) = session(&one).await;
    let ada = join(one.service.address(), &id, "Ada").await;
    let connected = ada.connect(&one).await;
    let mut bob = join(one.service.address(), &id, "Bob").await.connect(&two).await;
    let (closed, ()) = tokio::join!(connected.closed(), one.end());
    assert_eq!(closed, (1001, "this instance stops; connect again".to_owned()));
    bob.hears(&ada.id, "away").await;
    let again = ada.try_connect(two.service.address(), &format!("&since={}", bob.welcome["seq"])).await;
    let _again = again.expect("a connection to the other");
    bob.hears(&ada.id, "joined").await;
    two.end().await;
}

/// Two services on one database, with `bus` between them.
async fn two_instances(bus: &str) -> (App, App, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = settings();
    settings.bus.bus = bus.to_owned();
    settings.server.listen = ([127, 0, 0, 1], 0).into();
    settings.storage.database = format!("sqlite:{}", folder.path().join("location.db").display());
    let one = Service::start(System::Location, settings.clone()).await.expect("the service starts");
    let two = Service::start(System::Location, settings.clone()).await.expect("the service starts");
    (App::of(one, settings.clone()), App::of(two, settings), folder)
}

async fn instances_share_sessions(bus: &str) {
    let (one, two, _folder) = two_instances(bus).await;
    let (id, owner) = session(&one).await;
    let mut ada = member(&one, &id, "Ada").await;
    let ada_id = ada.id.clone();
    ada.is_at(1.0).await;
    ada.sees(&ada_id, 1.0).await;
    // Bob comes to the other instance later: it asks for what is known.
    let bob = join(two.service.address(), &id, "Bob").await;
    let mut there = bob.connect(&two).await;
    there.sees(&ada_id, 1.0).await;
    ada.hears(&bob.id, "joined").await;
    for lat in 2..20 {
        there.is_at(lat.into()).await;
        ada.sees(&bob.id, lat.into()).await;
        ada.is_at(lat.into()).await;
        there.sees(&ada_id, lat.into()).await;
    }
    // He moves to the first: his older connection ends, and nobody takes him for gone.
    let mut here = bob.connect(&one).await;
    assert_eq!(there.closed().await, (1008, "you have connected again elsewhere".to_owned()));
    here.is_at(30.0).await;
    ada.sees(&bob.id, 30.0).await;
    // What one instance is asked to do, the other does.
    let path = format!("{SESSIONS}/{id}");
    two.post(&format!("{path}/leave"), json!({})).bearer(&bob.token).send().await.expect(204);
    assert_eq!(here.closed().await, (1000, "you have left the session".to_owned()));
    ada.hears(&bob.id, "left").await;
    two.delete(&path).bearer(&owner).send().await.expect(204);
    assert_eq!(ada.closed().await, (1000, "the session has ended".to_owned()));
    one.end().await;
    two.end().await;
}

#[tokio::test]
async fn instances_of_one_process_share_sessions() {
    instances_share_sessions("memory:sessions").await;
}

#[cfg(feature = "servers")]
#[tokio::test]
#[ignore = "needs Redis: BREAKWATER_TEST_REDIS"]
async fn instances_share_sessions_through_redis() {
    let url = std::env::var("BREAKWATER_TEST_REDIS").expect("BREAKWATER_TEST_REDIS is the URL of a Redis");
    instances_share_sessions(&url).await;
}
