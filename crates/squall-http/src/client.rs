//! One call from start to end: hops, cookies, credentials, the whole-request timeout.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use squall_net::{Dialer, Endpoint, NetError, Passage, Security};
use tokio::time::Instant;
use url::Url;

use crate::connections::{Connection, Connections, Origin};
use crate::cookies::cookie_header;
use crate::encoding::{Encoding, compress, decompress};
use crate::exchange::{Exchange, Marks, NetworkDelay, Protocol};
use crate::h1::{self, Failure, Received};
use crate::limiter::RateLimiter;
use crate::message::{Message, Payload, canonical, check_field};
use crate::redirect::{self, Redirect};
use crate::request::{Auth, Request};
use crate::response::Response;
use crate::timer::Timer;
use crate::{digest, h2};

/// So often Go sends again what an HTTP/2 server has not looked at, after pauses of 0, 1, 2, 4, 8, 16 and 32 seconds.
const RETRIES_MAX: u32 = 6;

/// A buffer for heads that has grown beyond this is given up.
const HEAD_CAPACITY_MAX: usize = 4096;

/// How a client behaves: the options that are not about single requests.
#[derive(Clone, Debug)]
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
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("squall/", env!("CARGO_PKG_VERSION")).to_owned(),
            no_connection_reuse: false,
            idle_max: 20,
            idle_per_host_max: 6,
            rate_limit: None,
        }
    }
}

/// Sends requests for the VUs of a worker thread.
#[derive(Debug)]
pub struct Client {
    dialer: Arc<Dialer>,
    config: ClientConfig,
    timer: Timer,
    heads: Heads,
}

impl Client {
    /// A client that dials with `dialer`.
    pub fn new(dialer: Arc<Dialer>, config: ClientConfig) -> Self {
        Self { dialer, config, timer: Timer::default(), heads: Heads::default() }
    }

    /// What it dials with.
    pub fn dialer(&self) -> &Arc<Dialer> {
        &self.dialer
    }

    /// The `User-Agent` of requests that bring none.
    pub fn user_agent(&self) -> &str {
        &self.config.user_agent
    }

    /// Sends `request` over the VU's connections and follows where it leads. `on_exchange` sees every hop
    /// at its end, the failed ones too. Dropping the future cancels the call: the hop in flight is not reported.
    /// The response is large and handed on many times, so it is made in the box it stays in.
    pub async fn send(
        &self,
        connections: &Connections,
        request: &Request,
        on_exchange: &mut dyn FnMut(&Exchange),
    ) -> Box<Response> {
        if let Some(limit) = &self.config.rate_limit {
            limit.turn().await;
        }
        let mut hop = Hop::new(request.method.clone(), request.url.clone());
        hop.is_shaped = connections.traffic().is_shaped();
        let start = hop.marks.started;
        let outcome = {
            // Pinned where it is: a large future is not moved about.
            let call = pin!(self.follow(connections, request, &mut hop, on_exchange));
            self.timer.timeout(start, request.timeout, call).await
        };
        let response = match outcome {
            Some(Ok(mut received)) => match decode(&mut received) {
                Ok(()) => hop.respond(received),
                Err(error) => hop.fail(error),
            },
            Some(Err(error)) => hop.fail(error),
            None => hop.fail(NetError::timeout()),
        };
        on_exchange(&response.exchange);
        response
    }

    /// Makes exchanges until one leads nowhere else.
    async fn follow(
        &self,
        connections: &Connections,
        request: &Request,
        hop: &mut Hop,
        on_exchange: &mut dyn FnMut(&Exchange),
    ) -> Result<Received, NetError> {
        let mut step = Step::first(request)?;
        for redirects in 0.. {
            let mut received = self.exchange(connections, request, &step, None, hop).await?;
            if request.auth == Auth::Digest && received.status == 401 {
                let answered = self.answer_challenge(connections, request, &step, received, hop, on_exchange);
                received = Box::pin(answered).await?;
            }
            if let Some(jar) = &request.jar {
                jar.borrow_mut().store_response(&step.url, &received.headers);
            }
            if redirects == request.max_redirects {
                return Ok(received);
            }
            match redirect::next(&step.method, &step.url, received.status, &received.headers)? {
                None => return Ok(received),
                Some(redirect) => {
                    step = step.redirected(redirect);
                    on_exchange(&hop.next(&step, received.status));
                }
            }
        }
        unreachable!("the number of redirects has a limit")
    }

    /// What the server says when its challenge is answered; what it said when there was none.
    async fn answer_challenge(
        &self,
        connections: &Connections,
        request: &Request,
        step: &Step<'_>,
        received: Received,
        hop: &mut Hop,
        on_exchange: &mut dyn FnMut(&Exchange),
    ) -> Result<Received, NetError> {
        let body = step.body.as_deref();
        let Some(answer) = digest::answer(&received.headers, &step.method, &step.url, body)? else {
            return Ok(received);
        };
        hop.exchange.expected_401 = true;
        on_exchange(&hop.next(step, received.status));
        self.exchange(connections, request, step, Some(answer), hop).await
    }

    /// The message of a step, with the credentials and cookies it may carry.
    fn message<'a>(
        &'a self,
        request: &'a Request,
        step: &'a Step<'_>,
        digest: Option<String>,
    ) -> Result<Message<'a>, NetError> {
        if !matches!(step.url.scheme(), "http" | "https") {
            let scheme = step.url.scheme();
            return Err(NetError::generic(format!("unsupported protocol scheme {scheme:?}")));
        }
        let mut message = Message::new(&step.method, &step.url, &self.config.user_agent);
        message.payload = Payload::new(&step.method, step.body.as_ref());
        message.close = self.config.no_connection_reuse;
        let mut own_cookies = None;
        for (name, value) in &request.headers {
            check_field(name, value)?;
            match canonical(name) {
                name if step.drops(&name) => {}
                name if name == "Host" => message.host = Cow::Borrowed(value),
                name if name == "User-Agent" => message.user_agent = Cow::Borrowed(value),
                name if name == "Cookie" => own_cookies = Some(value.as_str()),
                name => message.set(name, Cow::Borrowed(value)),
            }
        }
        let cookies = {
            let jar = request.jar.as_ref().map(|jar| jar.borrow());
            cookie_header(own_cookies, &request.cookies, jar.as_deref(), &step.url)
        };
        if !cookies.is_empty() {
            message.set("Cookie".into(), cookies.into());
        }
        if let Some(referer) = &step.referer {
            message.set_default("Referer", || referer.clone());
        }
        if step.body.is_some() && !request.compression.is_empty() {
            message.set_default("Content-Encoding", || content_encoding(&request.compression));
        }
        match (digest, request.auth, digest::credentials(&step.url)) {
            (Some(answer), ..) => message.set("Authorization".into(), answer.into()),
            (None, Auth::Basic, Some((user, password))) => {
                message.set_default("Authorization", || digest::basic(&user, &password));
            }
            _ => {}
        }
        message.headers.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(message)
    }

    /// One exchange over an idle connection or a fresh one, shown to the request's log. An idle connection may turn
    /// out to be closed by its server: then what can be sent again is, once, on a fresh one.
    ///
    /// The usual way is short, and the others are boxed: what a future may have to hold is copied as it is made.
    async fn exchange(
        &self,
        connections: &Connections,
        request: &Request,
        step: &Step<'_>,
        digest: Option<String>,
        hop: &mut Hop,
    ) -> Result<Received, NetError> {
        let message = self.message(request, step, digest)?;
        // Like k6, shows what is to be sent before it is known whether there will be a connection.
        if let Some(log) = &request.wire_log {
            log.request(&message.head(None), message.payload.bytes());
        }
        let keep_body = request.body_kept;
        let idle = match self.config.no_connection_reuse {
            true => None,
            false => connections.take(message.url),
        };
        let mut outcome = None;
        let mut again = None;
        let mut tries = 0;
        if let Some((origin, connection)) = idle {
            tries = 1;
            hop.connected(&connection);
            let is_http2 = matches!(connection, Connection::H2(_));
            match self.over(connections, origin, connection, &message, keep_body, hop).await {
                Err(failure) if failure.is_replayable(&message) => {
                    hop.restart();
                    // A connection that takes many may take this one too.
                    again = is_http2.then(|| connections.take(message.url)).flatten();
                }
                received => outcome = Some(received.map_err(|failure| failure.error)),
            }
        }
        let received = match outcome {
            Some(outcome) => outcome?,
            None => Box::pin(self.over_others(connections, &message, keep_body, hop, again, tries)).await?,
        };
        if let Some(log) = &request.wire_log {
            log.response(received.headers.head(), received.body.as_deref().unwrap_or_default());
        }
        Ok(received)
    }

    /// The exchange over a fresh connection, or over one that others use too. Over HTTP/2 a server may say that it has not looked at the request: then
    /// it is sent again, as Go does it, at once and later after pauses, over whatever connection there is by then.
    async fn over_others(
        &self,
        connections: &Connections,
        message: &Message<'_>,
        keep_body: bool,
        hop: &mut Hop,
        mut shared: Option<(Origin, Connection)>,
        mut tries: u32,
    ) -> Result<Received, NetError> {
        loop {
            let (origin, connection) = match shared.take() {
                Some(shared) => shared,
                None => {
                    let origin = Origin::of(message.url);
                    let connection = self.dial(connections, &origin, &mut hop.marks).await?;
                    (origin, connection)
                }
            };
            hop.connected(&connection);
            let is_http2 = matches!(connection, Connection::H2(_));
            let failure = match self.over(connections, origin, connection, message, keep_body, hop).await {
                Ok(received) => return Ok(received),
                Err(failure) => failure,
            };
            if !is_http2 || !failure.nothing_sent || tries > RETRIES_MAX {
                return Err(failure.error);
            }
            if tries > 0 {
                let pause = Duration::from_secs(1 << (tries - 1));
                let never = pin!(std::future::pending::<()>());
                self.timer.timeout(Instant::now(), pause, never).await;
            }
            tries += 1;
            hop.restart();
            if !self.config.no_connection_reuse {
                shared = connections.take(message.url);
            }
        }
    }

    async fn dial(
        &self,
        connections: &Connections,
        origin: &Origin,
        marks: &mut Marks,
    ) -> Result<Connection, NetError> {
        let security = if origin.tls { Security::TlsHttp2 } else { Security::Plain };
        let endpoint = Endpoint { host: &origin.host, port: origin.port, security };
        let network_delay = &mut marks.network_delay;
        let dialed = self.dialer.dial(endpoint, connections.vu(), connections.traffic(), network_delay).await;
        let dialed = dialed.map_err(|failed| {
            marks.connecting = failed.connecting;
            failed.error
        })?;
        marks.connecting = dialed.connecting;
        marks.tls_handshaking = dialed.tls_handshaking;
        if !dialed.http2 {
            return Ok(Connection::H1(Box::new(h1::Connection::new(dialed))));
        }
        let connection = Connection::H2(h2::Connection::new(dialed));
        if let (Connection::H2(shared), false) = (&connection, self.config.no_connection_reuse) {
            self.keep(connections, origin.clone(), Connection::H2(shared.clone()));
        }
        Ok(connection)
    }

    /// One exchange over this connection, which is kept when it can be.
    async fn over(
        &self,
        connections: &Connections,
        origin: Origin,
        connection: Connection,
        message: &Message<'_>,
        keep_body: bool,
        hop: &mut Hop,
    ) -> Result<Received, Failure> {
        let mut connection = match connection {
            Connection::H1(connection) => connection,
            Connection::H2(connection) => {
                return connection.exchange(message, keep_body, &mut hop.marks).await;
            }
        };
        let mut head = self.heads.lend();
        message.write_head(connection.forward_proxy.as_deref(), &mut head);
        let outgoing = h1::Outgoing {
            head: head.as_bytes(),
            body: message.payload.wire(),
            is_head: *message.method == Method::HEAD,
            keep_body,
        };
        let received = connection.exchange(outgoing, &mut hop.marks).await?;
        if received.reusable && !self.config.no_connection_reuse {
            self.keep(connections, origin, Connection::H1(connection));
        }
        Ok(received)
    }

    fn keep(&self, connections: &Connections, origin: Origin, connection: Connection) {
        let ClientConfig { idle_max, idle_per_host_max, .. } = self.config;
        connections.put(origin, connection, idle_max, idle_per_host_max);
    }
}

/// Buffers for request heads: as many as there ever were exchanges at a time, used again and again.
#[derive(Debug, Default)]
struct Heads(RefCell<Vec<String>>);

impl Heads {
    fn lend(&self) -> Lent<'_> {
        Lent { text: self.0.borrow_mut().pop().unwrap_or_default(), owner: self }
    }
}

/// An empty buffer, given back in the end.
struct Lent<'a> {
    text: String,
    owner: &'a Heads,
}

impl Deref for Lent<'_> {
    type Target = String;

    fn deref(&self) -> &String {
        &self.text
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut String {
        &mut self.text
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        // A head of unusual size is not kept for ever.
        if text.capacity() <= HEAD_CAPACITY_MAX {
            text.clear();
            self.owner.0.borrow_mut().push(text);
        }
    }
}

impl Failure {
    /// Whether the request can be sent again on another connection. Go's rule: nothing has been sent, or
    /// the connection ended without an answer to a request that is safe to repeat.
    fn is_replayable(&self, message: &Message<'_>) -> bool {
        self.nothing_sent || (self.no_answer && message.is_replayable())
    }
}

/// The exchange in progress.
struct Hop {
    exchange: Exchange,
    marks: Marks,
    /// A network profile shapes the VU's connections.
    is_shaped: bool,
    passage: Option<Passage>,
}

impl Hop {
    fn new(method: Method, url: Rc<Url>) -> Self {
        let exchange = Exchange::new(method, url);
        Self { exchange, marks: Marks::start(), is_shaped: false, passage: None }
    }

    fn connected(&mut self, connection: &Connection) {
        self.marks.connected = Some(Instant::now());
        let (remote, tls, protocol) = match connection {
            Connection::H1(connection) => (connection.remote, connection.tls, Protocol::Http11),
            Connection::H2(connection) => (connection.remote, connection.tls, Protocol::Http2),
        };
        if self.is_shaped {
            self.passage = connection.passage();
        }
        self.exchange.remote = Some(remote);
        self.exchange.tls = tls;
        self.exchange.protocol = protocol;
    }

    fn restart(&mut self) {
        self.marks = Marks::start();
    }

    /// The exchange with its outcome; it ends now.
    fn end(mut self, status: u16) -> Exchange {
        self.close();
        Exchange { status, ..self.exchange }
    }

    /// Takes the time: the exchange ends now.
    fn close(&mut self) {
        let timings = self.marks.timings(Instant::now());
        self.exchange.timings = timings;
        if self.is_shaped {
            let transfer = self.passage.take().map_or(Duration::ZERO, |passage| passage.delay());
            self.exchange.network_delay = Some(NetworkDelay {
                connecting: self.marks.network_delay,
                transfer: transfer.min(timings.duration()),
            });
        }
    }

    /// Ends the exchange and starts the next.
    fn next(&mut self, step: &Step<'_>, status: u16) -> Exchange {
        let next = Self { is_shaped: self.is_shaped, ..Self::new(step.method.clone(), step.url.clone()) };
        std::mem::replace(self, next).end(status)
    }

    fn respond(mut self, received: Received) -> Box<Response> {
        self.close();
        let Received { protocol, status, reason, headers, body, .. } = received;
        let body = body.filter(|_| !matches!(status, 204 | 304));
        let exchange = Exchange { status, protocol, ..self.exchange };
        Box::new(Response { exchange, reason, headers, body })
    }

    fn fail(self, error: NetError) -> Box<Response> {
        Box::new(Response::without_answer(Exchange { error: Some(error), ..self.end(0) }))
    }
}

/// What a hop asks for: the caller's request as redirects have changed it.
struct Step<'a> {
    request: &'a Request,
    method: Method,
    url: Rc<Url>,
    /// The body as sent, compressed if asked for.
    body: Option<Bytes>,
    referer: Option<String>,
    /// A redirect has led to another host: secrets stay behind, for good.
    is_foreign: bool,
    /// A redirect has named a host: the caller's `Host` stays behind.
    has_own_host: bool,
    /// A redirect has dropped the body: what describes it goes too.
    is_bodiless: bool,
}

impl<'a> Step<'a> {
    fn first(request: &'a Request) -> Result<Self, NetError> {
        let compressed = request.body.as_ref().map(|body| compress(body, &request.compression));
        let body = compressed.transpose().map_err(|error| NetError::generic(error.to_string()))?;
        Ok(Self {
            request,
            method: request.method.clone(),
            url: request.url.clone(),
            body,
            referer: None,
            is_foreign: false,
            has_own_host: false,
            is_bodiless: false,
        })
    }

    fn redirected(self, redirect: Redirect) -> Self {
        let shares_secrets = redirect::may_share_secrets(&self.request.url, &redirect.url);
        Self {
            request: self.request,
            method: redirect.method,
            body: self.body.filter(|_| redirect.keeps_body),
            referer: redirect.referer,
            is_foreign: self.is_foreign || !shares_secrets,
            has_own_host: self.has_own_host || !redirect.is_relative,
            is_bodiless: self.is_bodiless || !redirect.keeps_body,
            url: redirect.url,
        }
    }

    /// Whether a header of the caller's does not go along. Lengths are never the caller's business.
    fn drops(&self, name: &str) -> bool {
        match name {
            "Content-Length" | "Transfer-Encoding" | "Trailer" => true,
            "Host" => self.has_own_host,
            "Authorization" | "Www-Authenticate" | "Cookie" | "Cookie2" => self.is_foreign,
            "Content-Type" | "Content-Encoding" | "Content-Language" | "Content-Location" => self.is_bodiless,
            _ => false,
        }
    }
}

fn content_encoding(compression: &[Encoding]) -> String {
    let names: Vec<_> = compression.iter().map(|encoding| encoding.as_str()).collect();
    names.join(", ")
}

/// Decodes the body. Headers without a body (HEAD, 304) may name an encoding too.
fn decode(received: &mut Received) -> Result<(), NetError> {
    if let Some(encoding) = received.headers.get("content-encoding")
        && let Some(body) = received.body.take()
    {
        received.body = Some(decompress(body, encoding)?);
    }
    Ok(())
}
