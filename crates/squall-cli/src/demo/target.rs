//! A small HTTP service to try Squall on: pages of items, a login, something slow, and an error now and then.
//! Everything it answers follows from the request and from how many came before, so runs compare.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

/// Items that there are, and how many of them a page shows.
const ITEMS: u64 = 1000;
const PAGE_ITEMS: u64 = 20;
/// One request of this many to `/api/items/{id}` fails.
const ERROR_EVERY: u64 = 100;
/// Largest body that is read.
const BODY_BYTES_MAX: usize = 1 << 20;

/// The service, on a thread of its own until it is dropped.
pub struct Target {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Target {
    /// Starts it at `address`; port 0 is any free port.
    pub fn start(address: SocketAddr) -> io::Result<Target> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("demo-target".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Target { address, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the target has been printed; the run's result stands.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener) {
    let shop = Arc::new(Shop::default());
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of descriptors: those of finished connections come back.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        // Small answers must not wait for more to send; without this they are only slower.
        let _ = stream.set_nodelay(true);
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shop = Arc::clone(&shop);
                async move { Ok::<_, Infallible>(shop.answer(request).await) }
            });
            // A client that goes away is no concern of the target.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

/// What the service remembers.
#[derive(Default)]
struct Shop {
    item_requests: AtomicU64,
    slow_requests: AtomicU64,
    created_items: AtomicU64,
}

impl Shop {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        match (request.method(), path.as_str()) {
            (&Method::GET, "/") => {
                html("<!doctype html><title>Demo</title><h1>Hello from the demo target</h1>")
            }
            (&Method::GET, "/api/items") => items_page(request.uri().query().unwrap_or_default()),
            (&Method::POST, "/api/items") => self.create_item(request).await,
            (&Method::POST, "/login") => login(request).await,
            (&Method::GET, "/slow") => self.slow().await,
            (&Method::GET, path) => match path.strip_prefix("/api/items/").map(str::parse) {
                Some(Ok(id)) => self.item(id),
                _ => not_found(),
            },
            _ => not_found(),
        }
    }

    fn item(&self, id: u64) -> Answer {
        if self.item_requests.fetch_add(1, Relaxed) % ERROR_EVERY == ERROR_EVERY - 1 {
            return json(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "the demo fails now and then" }));
        }
        match id {
            1..=ITEMS => json(StatusCode::OK, &item(id)),
            _ => not_found(),
        }
    }

    async fn create_item(&self, request: Request<Incoming>) -> Answer {
        match json_body(request).await.as_ref().map(|body| &body["name"]) {
            Some(Value::String(name)) => {
                let id = ITEMS + 1 + self.created_items.fetch_add(1, Relaxed);
                json(StatusCode::CREATED, &json!({ "id": id, "name": name }))
            }
            _ => json(StatusCode::BAD_REQUEST, &json!({ "error": "expected an object with a name" })),
        }
    }

    /// Takes 20 to 50 ms, in a sequence that repeats.
    async fn slow(&self) -> Answer {
        let step = self.slow_requests.fetch_add(1, Relaxed) * 7 % 31;
        tokio::time::sleep(Duration::from_millis(20 + step)).await;
        json(StatusCode::OK, &json!({ "waited_ms": 20 + step }))
    }
}

async fn login(request: Request<Incoming>) -> Answer {
    match json_body(request).await.as_ref().map(|body| &body["user"]) {
        Some(Value::String(user)) => json(StatusCode::OK, &json!({ "token": format!("token-of-{user}") })),
        _ => json(StatusCode::UNAUTHORIZED, &json!({ "error": "expected an object with a user" })),
    }
}

fn items_page(query: &str) -> Answer {
    let page = query.split('&').find_map(|pair| pair.strip_prefix("page=")).unwrap_or("1");
    match page.parse::<u64>() {
        Ok(page @ 1..) if page <= ITEMS / PAGE_ITEMS => {
            let first = (page - 1) * PAGE_ITEMS + 1;
            let items: Vec<Value> = (first..first + PAGE_ITEMS).map(item).collect();
            json(StatusCode::OK, &json!({ "page": page, "total": ITEMS, "items": items }))
        }
        _ => not_found(),
    }
}

fn item(id: u64) -> Value {
    json!({ "id": id, "name": format!("Item {id}"), "price": 5 + id * 37 % 400 })
}

async fn json_body(request: Request<Incoming>) -> Option<Value> {
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
}

fn html(text: &'static str) -> Answer {
    with_body(StatusCode::OK, "text/html; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

fn json(status: StatusCode, value: &Value) -> Answer {
    with_body(status, "application/json", Bytes::from(value.to_string()))
}

fn not_found() -> Answer {
    json(StatusCode::NOT_FOUND, &json!({ "error": "not found" }))
}

fn with_body(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    answer
}

#[cfg(test)]
mod tests;
