//! The client against servers: what goes over the wire, what comes back, what fails and how.

mod auth;
mod bodies;
mod connections;
mod cookies;
mod errors;
mod http2;
mod interop;
mod redirects;
mod requests;
mod retries;
mod timings;
mod tls;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use squall_http::{Client, ClientConfig, Connections, Exchange, Method, Request, Response};
use squall_net::{Dialer, NetConfig};
use url::Url;

/// A VU: a client with its connections, and the exchanges it has seen.
struct Vu {
    client: Client,
    connections: Connections,
    exchanges: Rc<RefCell<Vec<Exchange>>>,
}

impl Vu {
    fn new() -> Self {
        Self::with(NetConfig::default(), ClientConfig::default())
    }

    fn with(net: NetConfig, client: ClientConfig) -> Self {
        let client = ClientConfig { user_agent: "test".to_owned(), ..client };
        let dialer = Dialer::new(net).expect("the configuration is valid");
        Self {
            client: Client::new(Arc::new(dialer), client),
            connections: Connections::new(1),
            exchanges: Rc::default(),
        }
    }

    /// Trusts the certificates of an authority.
    fn trusting(ca_pem: String) -> Self {
        let mut net = NetConfig::default();
        net.tls.extra_roots_pem = vec![ca_pem];
        Self::with(net, ClientConfig::default())
    }

    async fn send(&self, request: &Request) -> Response {
        self.exchanges.borrow_mut().clear();
        let mut on_exchange = |exchange: &Exchange| self.exchanges.borrow_mut().push(exchange.clone());
        *self.client.send(&self.connections, request, &mut on_exchange).await
    }

    async fn get(&self, url: impl AsRef<str>) -> Response {
        self.send(&get(url)).await
    }

    /// Method, path and status of each exchange of the last call.
    fn hops(&self) -> Vec<String> {
        let exchanges = self.exchanges.borrow();
        let hops = exchanges.iter();
        hops.map(|hop| format!("{} {} {}", hop.method, hop.url.path(), hop.status)).collect()
    }
}

fn get(url: impl AsRef<str>) -> Request {
    request(Method::GET, url)
}

fn request(method: Method, url: impl AsRef<str>) -> Request {
    Request::new(method, Url::parse(url.as_ref()).expect("the URL is valid"))
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn body_text(response: &Response) -> String {
    let body = response.body.as_deref().unwrap_or_default();
    String::from_utf8_lossy(body).into_owned()
}

fn body_json(response: &Response) -> serde_json::Value {
    serde_json::from_slice(response.body.as_deref().unwrap_or_default()).expect("the body is JSON")
}

/// An HTTP/2 frame.
fn http2_frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Number and text of a response's error.
fn error(response: &Response) -> (u32, String) {
    let error = response.exchange.error.as_ref().expect("the call failed");
    assert_eq!(response.exchange.status, 0);
    (error.code, error.text.to_string())
}

/// Runs a test on a worker's kind of runtime.
fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), test)
}
