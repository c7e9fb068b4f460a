//! The outcome of a call: the last exchange with its headers and body.

use bytes::Bytes;

use crate::exchange::Exchange;
use crate::headers::Headers;

/// What came back. A call that failed gives one too, with `exchange.error` set and status 0.
#[derive(Clone, Debug)]
pub struct Response {
    /// The last hop: URL, status, timings, error.
    pub exchange: Exchange,
    /// The text after the status; HTTP/2 has none, so it is the standard one.
    pub reason: Bytes,
    /// The last hop's headers.
    pub headers: Headers,
    /// The decoded body. None for an error, for 1xx, 204 and 304, and when it was not kept.
    pub body: Option<Bytes>,
}

impl Response {
    /// k6's `status_text`, such as `200 OK`; empty without a response.
    pub fn status_text(&self) -> String {
        match self.exchange.status {
            0 => String::new(),
            status => format!("{status} {}", String::from_utf8_lossy(&self.reason)),
        }
    }
}
