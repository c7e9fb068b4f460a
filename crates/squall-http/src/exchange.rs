//! One request and its response on the wire: what metrics are made of.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http::Method;
use squall_net::{NetError, TlsInfo};
use tokio::time::Instant;
use url::Url;

/// One hop. A call makes several when it follows redirects or answers a digest challenge.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method of this hop; a redirect may have changed it.
    pub method: Method,
    /// The URL of this hop, userinfo included.
    pub url: Rc<Url>,
    /// The response's status; 0 when there is an error.
    pub status: u16,
    /// The protocol spoken.
    pub protocol: Protocol,
    /// How long each phase took.
    pub timings: Timings,
    /// Why there is no complete response.
    pub error: Option<NetError>,
    /// Version and cipher, when the connection is encrypted.
    pub tls: Option<TlsInfo>,
    /// Whom we talked to.
    pub remote: Option<SocketAddr>,
    /// What a network profile has taken of its time; `None` without one.
    pub network_delay: Option<NetworkDelay>,
    /// This is the 401 that starts a digest authentication: not a failure.
    pub expected_401: bool,
}

impl Exchange {
    pub(crate) fn new(method: Method, url: Rc<Url>) -> Self {
        Self {
            method,
            url,
            status: 0,
            protocol: Protocol::Http11,
            timings: Timings::default(),
            error: None,
            tls: None,
            remote: None,
            network_delay: None,
            expected_401: false,
        }
    }

    /// k6's `error_code`: the error's, or 1000 + status from 400 on, or 0.
    pub fn error_code(&self) -> u32 {
        match &self.error {
            Some(error) => error.code,
            None if self.status >= 400 => 1000 + u32::from(self.status),
            None => 0,
        }
    }
}

/// The protocol of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0: the server's choice, we send 1.1.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// The value of k6's `proto`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2.0",
        }
    }
}

/// The phases of an exchange; a phase that did not happen is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until there was a connection to use: includes DNS, connecting and the TLS handshake.
    pub blocked: Duration,
    /// TCP connect.
    pub connecting: Duration,
    /// TLS handshake.
    pub tls_handshaking: Duration,
    /// From having the connection to the last byte of the request.
    pub sending: Duration,
    /// From there to the first byte of the response.
    pub waiting: Duration,
    /// From there to its last byte.
    pub receiving: Duration,
}

impl Timings {
    /// `http_req_duration`: sending, waiting and receiving.
    pub fn duration(&self) -> Duration {
        self.sending + self.waiting + self.receiving
    }
}

/// What a network profile has taken of an exchange's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkDelay {
    /// Of the time until there was a connection; zero where there was one.
    pub connecting: Duration,
    /// Of [`Timings::duration`].
    pub transfer: Duration,
}

/// A duration in milliseconds, as k6's metrics carry it.
pub fn millis(duration: Duration) -> f64 {
    // A number of 128 bits would take a function of the compiler's to convert.
    duration.as_secs() as f64 * 1e3 + f64::from(duration.subsec_nanos()) / 1e6
}

/// When each phase of an exchange ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    pub(crate) started: Instant,
    /// There is a connection.
    pub(crate) connected: Option<Instant>,
    pub(crate) connecting: Duration,
    pub(crate) tls_handshaking: Duration,
    /// How much of the way to a fresh connection was the network profile's.
    pub(crate) network_delay: Duration,
    /// The request is out.
    pub(crate) sent: Option<Instant>,
    pub(crate) first_byte: Option<Instant>,
}

impl Marks {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            connected: None,
            connecting: Duration::ZERO,
            tls_handshaking: Duration::ZERO,
            network_delay: Duration::ZERO,
            sent: None,
            first_byte: None,
        }
    }

    /// The phases of an exchange that ends now. Without a connection all are zero, but connecting when only the
    /// TLS handshake failed; a server that never
    /// answered was waited for until the end; one that answers before it has the whole request was not.
    pub(crate) fn timings(&self, end: Instant) -> Timings {
        let Some(connected) = self.connected else {
            return Timings { connecting: self.connecting, ..Timings::default() };
        };
        let sent = self.sent.or(self.first_byte);
        let first_byte = self.first_byte;
        Timings {
            blocked: connected - self.started,
            connecting: self.connecting,
            tls_handshaking: self.tls_handshaking,
            sending: sent.map_or(Duration::ZERO, |sent| sent - connected),
            waiting: sent
                .map_or(Duration::ZERO, |sent| first_byte.unwrap_or(end).saturating_duration_since(sent)),
            receiving: first_byte.map_or(Duration::ZERO, |first_byte| end - first_byte),
        }
    }
}
