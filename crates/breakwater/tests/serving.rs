//! What every service does for every client, friendly or not: over real sockets, on a service with a few routes of its own.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Bytes, routing::get, routing::post};
use breakwater::kit::{
    Kit,
    config::{Secret, Settings},
    http, server,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
    time::timeout,
};
use utoipa_axum::router::OpenApiRouter;

/// Longer than anything here takes, so that what hangs fails.
const LONG: Duration = Duration::from_secs(20);

struct Service {
    address: SocketAddr,
    kit: Kit,
    /// Lets `/wait` answer.
    go: Arc<Notify>,
    serving: JoinHandle<()>,
}

async fn start(change: impl FnOnce(&mut Settings)) -> Service {
    let mut settings = Settings::default();
    settings.server.client_timeout_ms = 200;
    settings.server.request_timeout_ms = 5_000;
    settings.server.max_body_bytes = 1000;
    change(&mut settings);
    let kit = Kit::start(settings).await.unwrap();
    let go = Arc::new(Notify::new());
    let wait = {
        let go = go.clone();
        async move || {
            go.notified().await;
            "waited"
        }
    };
    let routes = Router::new()
        .route("/wait", get(wait))
        .route("/panic", get(async || -> &'static str { panic!("the secret cause") }))
        .route("/large", get(async || vec![b'x'; 64 << 20]))
        .route("/count", post(async |body: Bytes| body.len().to_string()));
    let router = http::finish(&kit, OpenApiRouter::from(routes));
    let listener = server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (settings, stop) = (kit.settings.clone(), kit.stop_accepting.clone());
    let serving = tokio::spawn(async move { server::serve(listener, router, &settings.server, stop).await });
    Service { address, kit, go, serving }
}

impl Service {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `bytes` and gives everything that comes until the end.
    async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        read_to_end(&mut stream).await
    }

    async fn get(&self, path: &str, headers: &str) -> String {
        self.exchange(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")).await
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _ = timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("the service closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn every_answer_has_an_id_and_the_headers_that_browsers_need() {
    let service = start(|_| {}).await;
    let answer = service.get("/health", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for header in ["x-content-type-options: nosniff", "x-frame-options: DENY", "cache-control: no-store"] {
        assert!(answer.contains(header), "{header} in {answer}");
    }
    let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert!(!service.get("/health", "").await.contains(id), "ids differ");
    assert!(service.get("/health", "X-Request-Id: mine-1\r\n").await.contains("x-request-id: mine-1\r\n"));
    let forged = service.get("/health", "X-Request-Id: a b;DROP\r\n").await;
    assert!(!forged.contains("DROP"), "{forged}");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_document() {
    let service = start(|_| {}).await;
    let missing = service.get("/nothing", "").await;
    assert!(missing.starts_with("HTTP/1.1 404") && missing.contains("application/problem+json"), "{missing}");
    assert!(missing.contains(r#""status":404"#), "{missing}");
    let answer = service.exchange("DELETE /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("application/problem+json"), "{answer}");
    assert!(answer.to_lowercase().contains("allow: get"), "{answer}");
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let service = start(|_| {}).await;
    let answer = service.get("/panic", "").await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("application/problem+json"), "{answer}");
    assert!(!answer.contains("secret") && !answer.contains(".rs"), "{answer}");
    assert!(service.get("/health", "").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn bodies_end_at_their_bound() {
    let service = start(|_| {}).await;
    let post = "POST /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let fits = service.exchange(format!("{post}Content-Length: 1000\r\n\r\n{}", "a".repeat(1000))).await;
    assert!(fits.starts_with("HTTP/1.1 200") && fits.ends_with("1000"), "{fits}");
    let told = service.exchange(format!("{post}Content-Length: 1001\r\n\r\n")).await;
    assert!(told.starts_with("HTTP/1.1 413"), "{told}");
    let chunk = format!("3e9\r\n{}\r\n0\r\n\r\n", "a".repeat(1001));
    let untold = service.exchange(format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}")).await;
    assert!(untold.starts_with("HTTP/1.1 413"), "{untold}");
}

#[tokio::test]
async fn heads_end_at_their_bound_and_garbage_is_refused() {
    let service = start(|_| {}).await;
    let long = service.get("/health", &format!("X-Long: {}\r\n", "a".repeat(64 << 10))).await;
    assert!(long.is_empty() || long.starts_with("HTTP/1.1 431"), "{long}");
    let many = service.get("/health", &"X-A: b\r\n".repeat(200)).await;
    assert!(many.is_empty() || many.starts_with("HTTP/1.1 431"), "{many}");
    let garbage = service.exchange("\x16\x03\x01\x02 hello\r\n\r\n").await;
    assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400"), "{garbage}");
    assert!(service.get("/health", "").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_closed() {
    let service = start(|_| {}).await;
    let answer = service.exchange("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn clients_that_say_nothing_or_not_what_they_speak_give_their_places_back() {
    let service = start(|settings| settings.server.max_connections = 1).await;
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut silent = service.connect().await;
        silent.write_all(beginning.as_bytes()).await.unwrap();
        // There is one place, and it becomes free when the service gives the silent one up.
        let answer = service.get("/health", "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "after {beginning:?}: {answer}");
        drop(silent);
    }
}

#[tokio::test]
async fn a_connection_that_is_kept_and_not_used_is_closed() {
    let service = start(|_| {}).await;
    let mut kept = service.connect().await;
    kept.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut kept).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn no_number_of_connections_is_too_large_a_bound() {
    let service = start(|settings| settings.server.max_connections = usize::MAX).await;
    assert!(service.get("/health", "").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_takes_no_response_gives_its_place_back() {
    let service = start(|settings| settings.server.max_connections = 1).await;
    let mut greedy = service.connect().await;
    greedy.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    // It reads nothing. The one place there is becomes free when the service gives it up.
    let answer = service.get("/health", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(greedy);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_with_503() {
    let service = start(|settings| settings.server.request_timeout_ms = 50).await;
    let answer = service.get("/wait", "").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
}

#[tokio::test]
async fn requests_that_have_begun_end_and_new_connections_are_refused() {
    let service = start(|_| {}).await;
    let mut slow = service.connect().await;
    slow.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut kept = service.connect().await;
    kept.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    timeout(LONG, kept.read_u8()).await.unwrap().unwrap();
    service.kit.shutdown.cancel();
    let not_ready = service.get("/ready", "").await;
    assert!(not_ready.starts_with("HTTP/1.1 503") && not_ready.contains("retry-after"), "{not_ready}");
    service.kit.stop_accepting.cancel();
    read_to_end(&mut kept).await;
    service.go.notify_one();
    let answer = read_to_end(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("waited"), "{answer}");
    timeout(LONG, service.serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(service.address).await.is_err());
}

#[tokio::test]
async fn metrics_need_their_token() {
    let closed = start(|_| {}).await;
    assert!(closed.get("/metrics", "").await.starts_with("HTTP/1.1 403"));
    let service = start(|settings| settings.server.metrics_token = Some(Secret::from("sesame"))).await;
    assert!(service.get("/metrics", "").await.starts_with("HTTP/1.1 401"));
    assert!(service.get("/metrics", "Authorization: Bearer wrong\r\n").await.starts_with("HTTP/1.1 401"));
    service.get("/health", "").await;
    service.get("/unknown/path", "").await;
    let text = service.get("/metrics", "Authorization: Bearer sesame\r\n").await;
    let health = r#"breakwater_http_requests_total{method="GET",path="/health",status="2xx"} 1"#;
    let missing = r#"breakwater_http_requests_total{method="GET",path="none",status="4xx"} 1"#;
    assert!(text.contains(health) && text.contains(missing), "{text}");
    assert!(
        text.contains(r#"breakwater_http_request_seconds_count{method="GET",path="/health"} 1"#),
        "{text}"
    );
}

#[tokio::test]
async fn the_description_is_served() {
    let service = start(|_| {}).await;
    let answer = service.get("/openapi.json", "").await;
    assert!(
        answer.contains("content-type: application/json") && answer.contains(r#""openapi":"3"#),
        "{answer}"
    );
}
