//! Clients that do not read, on connections whose every byte is in the test's hand.

use std::{future::Future, time::Duration};

use axum::{Router, body::Body};
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request, header};
use http_body_util::BodyExt;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use serde_json::{Value, json};
use tokio::{io::DuplexStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use tower::ServiceExt;

use crate::kit::{Kit, config::Settings, http::finish};

const GIVEN_UP: &str = "breakwater_location_closes_total{reason=\"slow\"}";

struct Service {
    kit: Kit,
    router: Router,
}

impl Service {
    async fn start(settings: Settings) -> Self {
        let kit = Kit::start(settings).await.unwrap();
        let routes = super::start(&kit).await.unwrap();
        let router = finish(&kit, routes);
        Self { kit, router }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = Request::builder().method(Method::POST).uri(path);
        let request =
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()));
        let answer = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let body = Body::new(answer.into_body()).collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    /// Makes a session with a participant of each name, and gives the paths of their sockets.
    async fn doors(&self, names: &[String]) -> Vec<String> {
        let session = self.post("/api/v1/sessions", json!({"name": "a"})).await["id"].clone();
        let path = format!("/api/v1/sessions/{}", session.as_str().unwrap());
        let mut doors = Vec::new();
        for name in names {
            let joined = self.post(&format!("{path}/join"), json!({"name": name})).await;
            doors.push(format!("{path}/ws?token={}", joined["token"].as_str().unwrap()));
        }
        doors
    }

    /// Connects through a pipe that holds `bytes` until its other end reads.
    async fn connect(&self, path: &str, bytes: usize) -> WebSocketStream<DuplexStream> {
        let (near, far) = tokio::io::duplex(bytes);
        let service = TowerToHyperService::new(self.router.clone());
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
        tokio::spawn(connection.with_upgrades());
        let (socket, _) = tokio_tungstenite::client_async(format!("ws://test{path}"), near).await.unwrap();
        socket
    }

    fn counted(&self, series: &str) -> u64 {
        let text = self.kit.metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), what).await.expect("within 20 s")
}

async fn read(socket: &mut WebSocketStream<DuplexStream>) -> Value {
    loop {
        if let Message::Text(text) = soon(socket.next()).await.expect("open").expect("a message") {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_nobody_up_misses_old_positions_and_is_given_up() {
    let mut settings = Settings::default();
    settings.server.client_timeout_ms = 1500;
    settings.location.location_window_ms = 1;
    settings.location.location_updates = 100_000;
    let service = Service::start(settings).await;
    let doors = service.doors(&["fast", "slow", "stuck"].map(str::to_owned)).await;
    let mut fast = service.connect(&doors[0], 64 << 10).await;
    let mut slow = service.connect(&doors[1], 1024).await;
    let stuck = service.connect(&doors[2], 1024).await;

    // Only the fast one reads, each position before it sends the next: each is a frame for everybody.
    const LAST: u64 = 200;
    for number in 1..=LAST {
        let position = json!({"type": "position", "lat": 1, "lon": 1, "seq": number});
        fast.send(Message::text(position.to_string())).await.unwrap();
        loop {
            let message = read(&mut fast).await;
            if message["type"] == "positions" && message["positions"][0]["seq"] == number {
                break;
            }
        }
    }
    // What the pipe held comes first, then at once the newest.
    let (mut frames, mut newest) = (0, 0);
    while newest < LAST {
        let message = read(&mut slow).await;
        if message["type"] == "positions" {
            let number = message["positions"][0]["seq"].as_u64().unwrap();
            assert!(number > newest, "positions only get newer");
            (frames, newest) = (frames + 1, number);
        }
    }
    assert!(frames < LAST / 4, "{frames} frames of {LAST} updates");
    let skipped = "breakwater_location_skipped_total";
    assert!(service.counted(skipped) >= LAST - frames, "what it missed is counted");

    soon(async {
        while service.counted(GIVEN_UP) == 0 {
            read(&mut fast).await;
        }
    })
    .await;
    assert_eq!(service.counted(GIVEN_UP), 1, "the others are not");
    drop(stuck);
    service.kit.shutdown.cancel();
    service.kit.tasks.close();
    soon(async {
        // The end of the connections is part of the service's end.
        tokio::join!(fast.for_each(async |_| ()), slow.for_each(async |_| ()));
        service.kit.tasks.wait().await;
    })
    .await;
}

fn ping() -> Message {
    Message::Ping(vec![7; 125].into())
}

#[tokio::test]
async fn answers_to_pings_that_nobody_reads_take_bounded_memory() {
    const PINGS: u32 = 20_000;
    let mut settings = Settings::default();
    settings.location.location_updates = 10 * PINGS;
    settings.location.location_members = 1;
    let service = Service::start(settings).await;
    let doors = service.doors(&["a".to_owned()]).await;
    let mut socket = service.connect(&doors[0], 1024).await;
    read(&mut socket).await;
    for _ in 0..PINGS {
        soon(socket.feed(ping())).await.unwrap();
    }
    soon(socket.send(Message::text(json!({"type": "ping"}).to_string()))).await.unwrap();
    // What had been kept for it comes now.
    let mut pongs = 0;
    loop {
        match soon(socket.next()).await.expect("open").expect("a message") {
            Message::Pong(_) => pongs += 1,
            Message::Text(text) if text.contains("pong") => break,
            _ => {}
        }
    }
    assert!(pongs * 127 < 64 << 10, "{pongs} pongs of {PINGS} were kept");
}

#[tokio::test]
async fn a_client_that_pings_and_does_not_read_is_given_up() {
    let mut settings = Settings::default();
    settings.server.client_timeout_ms = 200;
    settings.location.location_updates = 1_000_000;
    let service = Service::start(settings).await;
    let doors = service.doors(&["a".to_owned()]).await;
    let mut socket = service.connect(&doors[0], 1024).await;
    read(&mut socket).await;
    // Until the connection is cut.
    soon(async { while socket.send(ping()).await.is_ok() {} }).await;
    assert_eq!(service.counted(GIVEN_UP), 1);
}

/// Its presence alone is more than is buffered, and positions are to follow.
#[tokio::test]
async fn a_client_that_does_not_read_a_large_presence_is_given_up() {
    let mut settings = Settings::default();
    settings.server.client_timeout_ms = 200;
    // Long enough for all to enter before the first step.
    settings.location.location_window_ms = 3000;
    let service = Service::start(settings).await;
    let names: Vec<_> = (0..40).map(|number| format!("{number:02}{}", "\u{1f30d}".repeat(78))).collect();
    let doors = service.doors(&names).await;
    // It reads what it is told at once, and nothing after.
    let mut stuck = service.connect(&doors[0], 1024).await;
    read(&mut stuck).await;
    let mut others = Vec::new();
    for door in &doors[1..] {
        let mut socket = service.connect(door, 1 << 20).await;
        socket
            .send(Message::text(json!({"type": "position", "lat": 1, "lon": 1}).to_string()))
            .await
            .unwrap();
        others.push(socket);
    }
    soon(async {
        while service.counted(GIVEN_UP) == 0 {
            // That it is away is told in the end.
            read(&mut others[0]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let service = Service::start(Settings::default()).await;
    let [door] = service.doors(&["a".to_owned()]).await.try_into().unwrap();
    let mut socket = service.connect(&door, 64 << 10).await;
    assert_eq!(soon(read(&mut socket)).await["type"], "welcome");
    let goodbye = CloseFrame { code: CloseCode::Normal, reason: "home".into() };
    socket.send(Message::Close(Some(goodbye.clone()))).await.unwrap();
    let last = soon(async {
        let mut last = None;
        while let Some(message) = socket.next().await {
            last = Some(message.expect("the connection ends with a close, not in the middle"));
        }
        last
    });
    assert_eq!(last.await, Some(Message::Close(Some(goodbye))));
}
