//! The outcome of a call: the last exchange with its headers and body.

use std::rc::Rc;

use bytes::Bytes;
use http::Method;
use squall_net::NetError;
use url::Url;

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
    /// The outcome of a call that cannot be made at all.
    pub fn failed(method: Method, url: Rc<Url>, error: NetError) -> Self {
        Self::without_answer(Exchange { error: Some(error), ..Exchange::new(method, url) })
    }

    /// An exchange that ended with an error.
    pub(crate) fn without_answer(exchange: Exchange) -> Self {
        Self { exchange, reason: Bytes::new(), headers: Headers::default(), body: None }
    }

    /// k6's `status_text`, such as `200 OK`; empty without a response.
    pub fn status_text(&self) -> String {
        match self.exchange.status {
            0 => String::new(),
            status => format!("{status} {}", String::from_utf8_lossy(&self.reason)),
        }
    }
}
