//! Fluxor, through its router in the process and over real sockets.

use std::time::{Duration, Instant};

use ::http::{Method, Request, Response, StatusCode, header};
use axum::{Router, body::Body};
use breakwater::{
    fluxor,
    kit::{Kit, config::Secret, config::Settings, http},
    service::{Service, System},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};
use tower::ServiceExt;

/// Longer than anything here takes, so that what hangs fails.
const LONG: Duration = Duration::from_secs(20);

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.server.listen = "127.0.0.1:0".parse().unwrap();
    settings.server.admin_token = Some(Secret::from("sesame"));
    settings
}

/// `clients` have a place, half of them in progress, and wait for as long as they like.
fn half_of(clients: u32) -> Settings {
    let mut settings = settings();
    settings.fluxor.max_clients = clients;
    settings.fluxor.utilisation = 0.5;
    settings.fluxor.max_wait_ms = 60_000;
    settings
}

struct Fluxor {
    router: Router,
    kit: Kit,
}

impl Fluxor {
    async fn start(settings: Settings) -> Self {
        let kit = Kit::start(settings).await.unwrap();
        let routes = fluxor::start(&kit).await.unwrap();
        Self { router: http::finish(&kit, routes), kit }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post_json(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(with_json(Method::POST, path, body)).await
    }

    async fn admission(&self) -> Value {
        let request = Request::get("/api/admission").header(header::AUTHORIZATION, "Bearer sesame");
        self.send(request.body(Body::empty()).unwrap()).await.expect(200)
    }

    async fn set_limits(&self, limits: Value) -> Answer {
        let mut request = with_json(Method::PUT, "/api/admission", limits.to_string());
        request.headers_mut().insert(header::AUTHORIZATION, "Bearer sesame".parse().unwrap());
        self.send(request).await
    }

    /// Asks for admission until so many are in progress and waiting.
    async fn until(&self, in_progress: u64, waiting: u64) {
        timeout(LONG, async {
            loop {
                let now = self.admission().await;
                if now["in_progress"] == in_progress && now["waiting"] == waiting {
                    return;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("it comes to that");
    }

    /// A request that is in progress until its body ends, and its answer.
    fn begin_echo(&self) -> (mpsc::Sender<Bytes>, tokio::task::JoinHandle<Answer>) {
        let (parts, mut source) = mpsc::channel::<Bytes>(1);
        let stream = futures_util::stream::poll_fn(move |cx| {
            source.poll_recv(cx).map(|part| part.map(Ok::<_, std::convert::Infallible>))
        });
        let request = Request::post("/api/echo").body(Body::from_stream(stream)).unwrap();
        let answer = self.router.clone().oneshot(request);
        (parts, tokio::spawn(async { Answer::of(answer.await.unwrap()).await }))
    }
}

fn with_json(method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    request.header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: ::http::HeaderMap,
    body: Bytes,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The JSON of an answer with this status.
    #[track_caller]
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self.json()
    }

    /// A problem document with this status, and its detail.
    #[track_caller]
    fn problem(self, status: u16) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{self:?}");
        let document = self.expect(status);
        assert_eq!(document["status"], status);
        assert!(document["type"].is_string() && document["title"].is_string(), "{document}");
        document["detail"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn it_is_alive_and_ready_until_it_stops_or_its_database_does() {
    let fluxor = Fluxor::start(settings()).await;
    assert_eq!(fluxor.get("/health").await.body, "alive\n");
    assert_eq!(fluxor.get("/ready").await.body, "ready\n");
    fluxor.kit.shutdown.cancel();
    let stopping = fluxor.get("/ready").await;
    assert_eq!(stopping.headers[header::RETRY_AFTER], "5");
    stopping.problem(503);

    let fluxor = Fluxor::start(settings()).await;
    fluxor.kit.db.close().await;
    fluxor.get("/ready").await.problem(503);
    assert_eq!(fluxor.get("/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn users_are_added_and_listed_by_pages() {
    let fluxor = Fluxor::start(settings()).await;
    let empty = fluxor.get("/api/users").await.expect(200);
    assert_eq!(empty, json!({ "users": [], "next": null }));

    for number in 0..7 {
        let user = json!({ "name": format!("User {number}"), "email": format!("U{number}@example.org") });
        let added = fluxor.post_json("/api/users", user.to_string()).await.expect(201);
        assert_eq!(added["email"], format!("u{number}@example.org"));
        // At once, though the page was kept before it was added.
        let users = fluxor.get("/api/users?limit=50").await.expect(200);
        assert_eq!(users["users"][number], added);
    }

    let mut sizes = Vec::new();
    let mut names = Vec::new();
    let mut path = "/api/users?limit=3".to_owned();
    loop {
        let page = fluxor.get(&path).await.expect(200);
        let users = page["users"].as_array().unwrap();
        sizes.push(users.len());
        names.extend(users.iter().map(|user| user["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/users?limit=3&after={next}");
    }
    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(names, (0..7).map(|number| format!("User {number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn users_that_cannot_be_are_refused_with_the_field() {
    let fluxor = Fluxor::start(settings()).await;
    let add = |body: &'static str| fluxor.post_json("/api/users", body);
    add(r#"{ "name": "Ada", "email": "ada@example.org" }"#).await.expect(201);
    assert!(add(r#"{ "name": "Eve", "email": "ADA@example.org" }"#).await.problem(409).contains("email"));
    assert!(add(r#"{ "name": " ", "email": "eve@example.org" }"#).await.problem(422).contains("name"));
    assert!(add(r#"{ "name": "Eve", "email": "eve" }"#).await.problem(422).contains("email"));
    assert!(add(r#"{ "name": "Eve" }"#).await.problem(422).contains("email"));
    assert!(add(r#"{ "name": "Eve", "email": "e@b", "role": "root" }"#).await.problem(422).contains("role"));
    add(r#"{ "name": "#).await.problem(400);
    fluxor.send(Request::post("/api/users").body(Body::from("{}")).unwrap()).await.problem(415);

    fluxor.get("/api/users?limit=0").await.problem(422);
    fluxor.get("/api/users?limit=101").await.problem(422);
    fluxor.get("/api/users?limit=many").await.problem(400);
    fluxor.get("/api/users?after=me").await.problem(400);
    fluxor.get("/api/users?page=2").await.problem(400);
}

#[tokio::test]
async fn an_echo_is_what_was_sent() {
    let fluxor = Fluxor::start(settings()).await;
    let echo = fluxor.post_json("/api/echo?a=b", r#"{"n":[1, 2.50]}"#).await;
    assert!(String::from_utf8_lossy(&echo.body).contains(r#""body":{"n":[1, 2.50]}"#), "byte for byte");
    let echo = echo.expect(200);
    assert_eq!((&echo["method"], &echo["target"]), (&json!("POST"), &json!("/api/echo?a=b")));
    assert_eq!((&echo["encoding"], &echo["bytes"]), (&json!("json"), &json!(15)));
    assert_eq!(echo["headers"], json!({ "content-type": "application/json" }));

    let echo = fluxor.post_json("/api/echo", "{ broken").await.expect(200);
    assert_eq!((&echo["encoding"], &echo["body"]), (&json!("text"), &json!("{ broken")));

    let request = Request::post("/api/echo").header(header::AUTHORIZATION, "Bearer secret");
    let echo = fluxor.send(request.body(Body::from(vec![0, 255])).unwrap()).await.expect(200);
    assert_eq!((&echo["encoding"], &echo["body"]), (&json!("base64"), &json!("AP8=")));
    assert_eq!(echo["headers"], json!({}));

    fluxor.post_json("/api/echo", vec![b'a'; 64 << 10]).await.expect(200);
    fluxor.post_json("/api/echo", vec![b'a'; (64 << 10) + 1]).await.problem(413);
    fluxor.post_json("/api/echo", vec![b'a'; 1 << 20]).await.problem(413);
}

#[tokio::test]
async fn figures_tell_of_requests_latencies_and_the_process() {
    let fluxor = Fluxor::start(settings()).await;
    for _ in 0..3 {
        fluxor.get("/health").await;
    }
    fluxor.post_json("/api/users", "{").await.problem(400);
    let figures = fluxor.get("/api/metrics").await.expect(200);
    assert_eq!(figures["requests"]["answered"], 4);
    assert_eq!(
        (&figures["requests"]["client_error"], &figures["requests"]["server_error"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(figures["admission"]["admitted"], 5, "this one is in progress");
    assert_eq!(
        figures["admission"]["limits"],
        json!({ "max_clients": 5000, "utilisation": 0.67, "max_wait_ms": 150 })
    );
    assert_eq!(
        (&figures["admission"]["max_in_progress"], &figures["admission"]["max_waiting"]),
        (&json!(3350), &json!(1650))
    );
    let latency = |quantile: &str| figures["latency"][quantile].as_f64().unwrap();
    assert!(
        0.0 < latency("p50_ms")
            && latency("p50_ms") <= latency("p95_ms")
            && latency("p95_ms") <= latency("p99_ms")
    );
    assert!(figures["process"]["memory_bytes"].as_u64().unwrap() > 1 << 20);
}

#[tokio::test]
async fn limits_are_changed_by_the_administrator_alone() {
    let mut closed = settings();
    closed.server.admin_token = None;
    let fluxor = Fluxor::start(closed).await;
    assert!(fluxor.get("/api/admission").await.problem(403).contains("--admin-token"));

    let fluxor = Fluxor::start(settings()).await;
    let limits = json!({ "max_clients": 10, "utilisation": 0.3, "max_wait_ms": 20 });
    let put = |body: String| with_json(Method::PUT, "/api/admission", body);
    fluxor.get("/api/admission").await.problem(401);
    fluxor.send(put("not even JSON".into())).await.problem(401);
    let mut forged = put(limits.to_string());
    forged.headers_mut().insert(header::AUTHORIZATION, "Bearer open".parse().unwrap());
    fluxor.send(forged).await.problem(401);
    assert_eq!(fluxor.admission().await["limits"]["max_clients"], 5000);

    let changed = fluxor.set_limits(limits.clone()).await.expect(200);
    assert_eq!(
        (&changed["limits"], &changed["max_in_progress"], &changed["max_waiting"]),
        (&limits, &json!(3), &json!(7))
    );
    for (bad, field) in [
        (json!({ "max_clients": 0, "utilisation": 0.3, "max_wait_ms": 20 }), "max_clients"),
        (json!({ "max_clients": 9, "utilisation": 1.3, "max_wait_ms": 20 }), "utilisation"),
        (json!({ "max_clients": 9, "utilisation": 0.3, "max_wait_ms": 60_001 }), "max_wait_ms"),
        (json!({ "max_clients": 9, "utilisation": 0.3 }), "max_wait_ms"),
    ] {
        assert!(fluxor.set_limits(bad).await.problem(422).contains(field));
    }
    assert_eq!(fluxor.admission().await["limits"], limits);
}

#[tokio::test]
async fn at_capacity_requests_wait_then_are_refused_until_limits_are_raised() {
    let fluxor = Fluxor::start(half_of(2)).await;
    let (first_body, first) = fluxor.begin_echo();
    fluxor.until(1, 0).await;
    let (second_body, second) = fluxor.begin_echo();
    fluxor.until(1, 1).await;

    let refused = fluxor.get("/health").await;
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    assert!(refused.headers.contains_key("x-request-id"), "a refusal is an answer like any other");
    refused.problem(503);

    // Raised from outside while it is full: the one that waits begins, and there are places again.
    fluxor
        .set_limits(json!({ "max_clients": 6, "utilisation": 0.5, "max_wait_ms": 1_000 }))
        .await
        .expect(200);
    fluxor.until(2, 0).await;
    assert_eq!(fluxor.get("/health").await.status, StatusCode::OK);

    drop((first_body, second_body));
    for answer in [first, second] {
        answer.await.unwrap().expect(200);
    }
    fluxor.until(0, 0).await;
    assert_eq!(fluxor.admission().await["refused_full"], 1);
    let metrics = fluxor.kit.metrics.text();
    assert!(metrics.contains("breakwater_admission_refused_total{reason=\"full\"} 1"), "{metrics}");
}

#[tokio::test]
async fn who_waits_too_long_is_refused() {
    let mut settings = half_of(2);
    settings.fluxor.max_wait_ms = 10;
    let fluxor = Fluxor::start(settings).await;
    let (_body, _answer) = fluxor.begin_echo();
    fluxor.until(1, 0).await;
    assert!(fluxor.get("/health").await.problem(503).contains("waited"));
    assert_eq!(fluxor.admission().await["refused_waited_too_long"], 1);
}

#[tokio::test]
async fn work_that_takes_time_holds_its_place() {
    let mut settings = half_of(2);
    settings.fluxor.work_ms = 30;
    let fluxor = Fluxor::start(settings).await;
    let begun = Instant::now();
    let (first, second) = tokio::join!(fluxor.get("/health"), fluxor.get("/health"));
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
    assert!(begun.elapsed() >= Duration::from_millis(60), "one at a time");
    // What is behind no admission has no work either.
    assert_eq!(fluxor.admission().await["admitted"], 2);
}

#[tokio::test]
async fn the_description_has_every_path_and_no_dangling_reference() {
    let fluxor = Fluxor::start(settings()).await;
    let description = fluxor.get("/openapi.json").await.expect(200);
    let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
    for path in ["/health", "/ready", "/api/users", "/api/echo", "/api/metrics", "/api/admission"] {
        assert!(paths.iter().any(|described| *described == path), "{path} in {paths:?}");
    }
    let text = description.to_string();
    let schemas = description["components"]["schemas"].as_object().unwrap();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = &reference[..reference.find('"').unwrap()];
        assert!(schemas.contains_key(name), "{name} in {:?}", schemas.keys());
    }
}

/// A connection that is closed after one answer.
async fn over_a_socket(service: &Service, head: &str) -> String {
    let mut stream = TcpStream::connect(service.address()).await.unwrap();
    stream.write_all(format!("{head}Host: x\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(LONG, stream.read_to_string(&mut answer)).await.expect("it answers").unwrap();
    answer
}

async fn admission_of(service: &Service) -> Value {
    let head = "GET /api/admission HTTP/1.1\r\nAuthorization: Bearer sesame\r\n";
    let answer = over_a_socket(service, head).await;
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

async fn until(service: &Service, in_progress: u64, waiting: u64) {
    timeout(LONG, async {
        while {
            let now = admission_of(service).await;
            now["in_progress"] != in_progress || now["waiting"] != waiting
        } {}
    })
    .await
    .expect("it comes to that");
}

#[tokio::test]
async fn clients_that_go_away_while_they_wait_or_work_give_their_places_back() {
    let service = Service::start(System::Fluxor, half_of(4)).await.unwrap();
    let begin = async |request: &str| {
        let mut stream = TcpStream::connect(service.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    };
    let echo = "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na";
    let health = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    let [gone, mut answered] = [begin(echo).await, begin(echo).await];
    until(&service, 2, 0).await;
    let [leaves, stays] = [begin(health).await, begin(echo).await];
    until(&service, 2, 2).await;
    assert!(over_a_socket(&service, "GET /health HTTP/1.1\r\n").await.starts_with("HTTP/1.1 503"));

    drop(leaves);
    until(&service, 2, 1).await;
    // Its place goes to the one that waits.
    drop(gone);
    until(&service, 2, 0).await;
    answered.write_all(b"b").await.unwrap();
    until(&service, 1, 0).await;
    drop(stays);
    until(&service, 0, 0).await;
    assert_eq!(admission_of(&service).await["gone_while_waiting"], 1);
    service.stop().await;
}

#[tokio::test]
async fn of_a_burst_those_with_a_place_are_served_and_the_others_refused() {
    let service = Service::start(System::Fluxor, half_of(8)).await.unwrap();
    // The four that work and the four that wait hold their places until all others have an answer.
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(service.address()).await.unwrap();
        let head = "POST /api/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\na";
        stream.write_all(head.as_bytes()).await.unwrap();
        open.push(stream);
    }
    until(&service, 4, 4).await;
    let burst = (0..100).map(|_| over_a_socket(&service, "GET /api/users HTTP/1.1\r\n"));
    for refused in futures_util::future::join_all(burst).await {
        assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: "), "{refused}");
    }
    for stream in &mut open {
        stream.write_all(b"b").await.unwrap();
    }
    for mut stream in open {
        let mut answer = String::new();
        timeout(LONG, stream.read_to_string(&mut answer)).await.expect("it answers").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let admission = admission_of(&service).await;
    assert_eq!((&admission["refused_full"], &admission["admitted"]), (&json!(100), &json!(8)));
    service.stop().await;
}
