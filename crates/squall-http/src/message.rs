//! A request ready for a wire: Go's order of headers, and its rules for bodies without bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use squall_net::NetError;
use url::{Position, Url};

use crate::headers::{canonical_name, is_token_byte};

/// Chunk framing of a body without bytes.
const EMPTY_CHUNKED: &[u8] = b"0\r\n\r\n";

/// One hop's request.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    /// The value for `Host` or `:authority`.
    pub(crate) host: Cow<'a, str>,
    pub(crate) user_agent: Cow<'a, str>,
    /// Everything else, canonical and sorted.
    pub(crate) headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(crate) payload: Payload,
    /// Tell the server not to keep the connection.
    pub(crate) close: bool,
}

/// A body and how its length is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// No body and no word about it.
    None,
    /// No body: `Content-Length: 0`.
    Zero,
    /// A body of unknown length that turns out to be empty: what k6 makes of `""`.
    EmptyChunked,
    /// A body of known length.
    Bytes(Bytes),
}

impl Payload {
    /// What Go's `net/http` makes of a body.
    pub(crate) fn new(method: &Method, body: Option<&Bytes>) -> Self {
        let may_be_empty = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
        match body {
            Some(body) if !body.is_empty() => Self::Bytes(body.clone()),
            None if may_be_empty => Self::Zero,
            Some(_) if !usually_lacks_body(method) => Self::EmptyChunked,
            _ => Self::None,
        }
    }

    /// The bytes on an HTTP/1.1 wire.
    pub(crate) fn wire(&self) -> &[u8] {
        match self {
            Self::None | Self::Zero => &[],
            Self::EmptyChunked => EMPTY_CHUNKED,
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The bytes without any framing.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => &[],
        }
    }
}

fn usually_lacks_body(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS)
        || matches!(method.as_str(), "PROPFIND" | "SEARCH")
}

impl<'a> Message<'a> {
    /// A message without headers or body.
    pub(crate) fn new(method: &'a Method, url: &'a Url, user_agent: &'a str) -> Self {
        Self {
            method,
            url,
            host: Cow::Borrowed(&url[Position::BeforeHost..Position::AfterPort]),
            user_agent: Cow::Borrowed(user_agent),
            headers: Vec::new(),
            payload: Payload::None,
            close: false,
        }
    }

    /// Sets a header whose name is canonical; the last value wins.
    pub(crate) fn set(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) {
        match self.headers.iter_mut().find(|(have, _)| *have == name) {
            Some((_, old)) => *old = value,
            None => self.headers.push((name, value)),
        }
    }

    /// Sets a header unless it is set.
    pub(crate) fn set_default(&mut self, name: &'static str, value: impl FnOnce() -> String) {
        if !self.headers.iter().any(|(have, _)| have == name) {
            self.headers.push((Cow::Borrowed(name), Cow::Owned(value())));
        }
    }

    /// The head for HTTP/1.1.
    pub(crate) fn head(&self, proxy_authorization: Option<&str>) -> String {
        let mut head = String::with_capacity(192);
        self.write_head(proxy_authorization, &mut head);
        head
    }

    /// Writes the head for HTTP/1.1. To a plain proxy the target is the whole URL, with its authorization.
    pub(crate) fn write_head(&self, proxy_authorization: Option<&str>, head: &mut String) {
        head.push_str(self.method.as_str());
        head.push(' ');
        if proxy_authorization.is_some() {
            let _ = write!(head, "{}://{}", self.url.scheme(), self.host);
        }
        head.push_str(&self.url[Position::BeforePath..Position::AfterQuery]);
        head.push_str(" HTTP/1.1\r\nHost: ");
        head.push_str(&self.host);
        head.push_str("\r\n");
        if !self.user_agent.is_empty() {
            push_field(head, "User-Agent", &self.user_agent);
        }
        match &self.payload {
            Payload::None => {}
            Payload::Zero => head.push_str("Content-Length: 0\r\n"),
            Payload::EmptyChunked => head.push_str("Transfer-Encoding: chunked\r\n"),
            Payload::Bytes(bytes) => {
                let _ = write!(head, "Content-Length: {}\r\n", bytes.len());
            }
        }
        for (name, value) in &self.headers {
            push_field(head, name, value);
        }
        if let Some(authorization) = proxy_authorization.filter(|value| !value.is_empty()) {
            push_field(head, "Proxy-Authorization", authorization);
        }
        if self.close {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
    }

    /// Whether it may be sent again when the first try broke without an answer: Go's rule.
    pub(crate) fn is_replayable(&self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
            || self.headers.iter().any(|(name, _)| matches!(&**name, "Idempotency-Key" | "X-Idempotency-Key"))
    }
}

fn push_field(head: &mut String, name: &str, value: &str) {
    head.push_str(name);
    head.push_str(": ");
    head.push_str(value);
    head.push_str("\r\n");
}

/// A name in canonical form, borrowed when it has that form already.
pub(crate) fn canonical(name: &str) -> Cow<'_, str> {
    let mut upper = true;
    let is_canonical = name.bytes().all(|byte| {
        let fits = if upper { !byte.is_ascii_lowercase() } else { !byte.is_ascii_uppercase() };
        upper = byte == b'-';
        fits
    });
    if is_canonical { Cow::Borrowed(name) } else { Cow::Owned(canonical_name(name)) }
}

/// Refuses what would break the head's framing, in Go's words.
pub(crate) fn check_field(name: &str, value: &str) -> Result<(), NetError> {
    if name.is_empty() || !name.bytes().all(is_token_byte) {
        return Err(NetError::generic(format!("net/http: invalid header field name {name:?}")));
    }
    if value.bytes().any(|byte| byte != b'\t' && byte.is_ascii_control()) {
        let name = canonical(name);
        return Err(NetError::generic(format!("net/http: invalid header field value for {name:?}")));
    }
    Ok(())
}
