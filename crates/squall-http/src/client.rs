//! One call from start to end: hops, cookies, credentials, the whole-request timeout.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use squall_net::{Dialer, NetError};

use crate::connections::Connections;
use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::limiter::RateLimiter;
use crate::request::Request;
use crate::response::Response;

/// How a client behaves: the options that are not about single requests.
#[derive(Clone)]
pub struct ClientConfig {
    /// `userAgent`.
    pub user_agent: String,
    /// `noConnectionReuse`.
    pub no_connection_reuse: bool,
    /// Idle connections a VU keeps: k6 uses `batch`.
    pub idle_max: usize,
    /// Idle connections a VU keeps to one host: k6 uses `batchPerHost`.
    pub idle_per_host_max: usize,
    /// `rps`, shared by all clients of the process.
    pub rate_limit: Option<Arc<RateLimiter>>,
    /// `httpDebug`: sees every message.
    pub wire_log: Option<Rc<dyn Fn(WireEvent<'_>)>>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("squall/", env!("CARGO_PKG_VERSION")).to_owned(),
            no_connection_reuse: false,
            idle_max: 20,
            idle_per_host_max: 6,
            rate_limit: None,
            wire_log: None,
        }
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig").field("user_agent", &self.user_agent).finish_non_exhaustive()
    }
}

/// A message as it went over the wire; an HTTP/2 head is written out as HTTP/1.1 would.
#[derive(Clone, Copy, Debug)]
pub enum WireEvent<'a> {
    /// A request is about to be sent.
    Request {
        /// Request line and headers, with the empty line.
        head: &'a [u8],
        /// The body as sent, compressed if asked for.
        body: &'a [u8],
    },
    /// A response has arrived.
    Response {
        /// Status line and headers, with the empty line.
        head: &'a [u8],
        /// The body as received; empty when it was not kept.
        body: &'a [u8],
    },
}

/// Sends requests for the VUs of a worker thread.
#[derive(Debug)]
pub struct Client {
    dialer: Arc<Dialer>,
    config: ClientConfig,
}

impl Client {
    /// A client that dials with `dialer`.
    pub fn new(dialer: Arc<Dialer>, config: ClientConfig) -> Self {
        Self { dialer, config }
    }

    /// Sends `request` over the VU's connections and follows where it leads. `on_exchange` sees every hop
    /// at its end, the failed ones too. Dropping the future cancels the call: the hop in flight is not reported.
    pub async fn send(
        &self,
        connections: &Connections,
        request: &Request,
        on_exchange: &mut dyn FnMut(&Exchange),
    ) -> Response {
        let _ = (&self.dialer, &self.config, connections);
        let mut exchange = Exchange::new(request.method.clone(), request.url.clone());
        exchange.error = Some(NetError::generic("not connected"));
        on_exchange(&exchange);
        Response { exchange, reason: Bytes::new(), headers: Headers::default(), body: None }
    }
}
