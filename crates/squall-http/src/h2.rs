//! HTTP/2 by hyper: many requests over one connection, with the phase timings of ours.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use h2::Reason;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use squall_net::{Dialed, NetError, TlsInfo, code};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::exchange::{Marks, Protocol};
use crate::h1::{Failure, HEAD_BYTES_MAX, Received};
use crate::headers::Headers;
use crate::message::{Message, Payload};

/// A connection that speaks HTTP/2. Clones share it; it closes with the last of them.
///
/// A clone that is in use keeps the driver alive, so [`crate::Connections::close_idle`] breaks nothing.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Outgoing>,
    _driver: Rc<Driver>,
    pub(crate) remote: SocketAddr,
    pub(crate) tls: Option<TlsInfo>,
}

#[derive(Debug)]
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    /// Starts to speak HTTP/2 over a fresh connection.
    pub(crate) async fn new(dialed: Dialed) -> Result<Self, NetError> {
        let Dialed { stream, remote, tls, .. } = dialed;
        let handshake = Builder::new(LocalExecutor)
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .max_header_list_size(HEAD_BYTES_MAX as u32)
            .handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(|error| http2_error(&error))?;
        // What ends the connection is told to the requests on it.
        let driver = tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(Self { sender, _driver: Rc::new(Driver(driver.abort_handle())), remote, tls })
    }

    /// Whether it takes requests.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request and reads its response.
    pub(crate) async fn exchange(
        &mut self,
        message: &Message<'_>,
        keep_body: bool,
        marks: &mut Marks,
    ) -> Result<Received, Failure> {
        let sent = Rc::new(Cell::new(None));
        let request = request(message, sent.clone()).map_err(|error| failure(error, false, false))?;
        let response = self.sender.try_send_request(request).await;
        let now = Instant::now();
        marks.sent = Some(sent.get().unwrap_or(now));
        let response = response.map_err(|mut error| {
            let nothing_sent = error.take_message().is_some();
            let error = error.into_error();
            failure(http2_error(&error), nothing_sent, has_ended(&error))
        })?;
        marks.first_byte = Some(now);
        receive(response, keep_body).await.map_err(|error| failure(error, false, false))
    }
}

fn failure(error: NetError, nothing_sent: bool, no_answer: bool) -> Failure {
    Failure { error, nothing_sent, no_answer }
}

/// Whether the connection came to its end, rather than the request to grief.
fn has_ended(error: &hyper::Error) -> bool {
    match http2_source(error) {
        Some(error) => error.is_io() || (error.is_go_away() && error.reason() == Some(Reason::NO_ERROR)),
        None => error.is_closed() || error.is_canceled(),
    }
}

#[derive(Clone)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// A request's body that notes when it has been taken.
#[derive(Debug)]
struct Outgoing {
    bytes: Option<Bytes>,
    sent: Rc<Cell<Option<Instant>>>,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = self.bytes.take();
        if bytes.is_some() {
            self.sent.set(Some(Instant::now()));
        }
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

fn request(message: &Message<'_>, sent: Rc<Cell<Option<Instant>>>) -> Result<Request<Outgoing>, NetError> {
    let invalid = |error: &dyn std::fmt::Display| NetError::generic(format!("http2: {error}"));
    let path = &message.url[url::Position::BeforePath..url::Position::AfterQuery];
    let uri = Uri::builder()
        .scheme(message.url.scheme())
        .authority(&*message.host)
        .path_and_query(path)
        .build()
        .map_err(|error| invalid(&error))?;
    let mut request = Request::builder().method(message.method).uri(uri);
    if !message.user_agent.is_empty() {
        request = request.header(header::USER_AGENT, &*message.user_agent);
    }
    let connection_headers = ["Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Te"];
    for (name, value) in &message.headers {
        if !connection_headers.contains(&&**name) {
            request = request.header(&**name, &**value);
        }
    }
    let bytes = match &message.payload {
        Payload::Bytes(bytes) => Some(bytes.clone()),
        Payload::Zero => {
            request = request.header(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            None
        }
        Payload::None | Payload::EmptyChunked => None,
    };
    if bytes.is_none() {
        sent.set(Some(Instant::now()));
    }
    request.body(Outgoing { bytes, sent }).map_err(|error| invalid(&error))
}

async fn receive(response: Response<Incoming>, keep_body: bool) -> Result<Received, NetError> {
    let (parts, mut incoming) = response.into_parts();
    let (reason, headers) = render_head(&parts);
    let mut body = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| http2_error(&error))?;
        if let (true, Some(data)) = (keep_body, frame.data_ref()) {
            crate::h1::check_body_limit(body.len() + data.len())?;
            body.extend_from_slice(data);
        }
    }
    Ok(Received {
        protocol: Protocol::Http2,
        status: parts.status.as_u16(),
        reason,
        headers,
        body: keep_body.then(|| body.freeze()),
        reusable: true,
    })
}

/// The head as HTTP/1.1 would write it, which is how headers are kept.
fn render_head(parts: &http::response::Parts) -> (Bytes, Headers) {
    let reason = parts.status.canonical_reason().unwrap_or_default();
    let mut text = BytesMut::from(format!("HTTP/2.0 {} {reason}\r\n", parts.status.as_u16()).as_bytes());
    let mut places = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        let start = text.len();
        text.extend_from_slice(name.as_str().as_bytes());
        let name = start..text.len();
        text.extend_from_slice(b": ");
        let start = text.len();
        text.extend_from_slice(value.as_bytes());
        places.push((name, start..text.len()));
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    let headers = Headers::new(&text, places.into_iter());
    (Bytes::from_static(reason.as_bytes()), headers)
}

/// The error with k6's number: which kind it is, plus the protocol's own code.
fn http2_error(error: &hyper::Error) -> NetError {
    match http2_source(error) {
        Some(error) => classify(error),
        None => NetError::generic(format!("http2: {error}")),
    }
}

/// The HTTP/2 error inside hyper's.
fn http2_source(error: &hyper::Error) -> Option<&h2::Error> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        source = error.source();
    }
    None
}

fn classify(error: &h2::Error) -> NetError {
    if let Some(error) = error.get_io() {
        return match error.kind() {
            std::io::ErrorKind::UnexpectedEof => NetError::generic("unexpected EOF"),
            _ => NetError::io("read", error),
        };
    }
    let Some(reason) = error.reason() else {
        return NetError::new(code::HTTP2_CONNECTION, format!("http2: {error}"));
    };
    let (base, kind) = if error.is_go_away() && error.is_remote() {
        (code::HTTP2_GOAWAY, "received GoAway")
    } else if error.is_reset() {
        (code::HTTP2_STREAM, "stream error")
    } else {
        (code::HTTP2_CONNECTION, "connection error")
    };
    let number = u32::from(reason);
    let offset = if number <= u32::from(Reason::HTTP_1_1_REQUIRED) { number + 1 } else { 0 };
    let name = reason_name(number);
    NetError::new(base + offset, format!("http2: {kind} with http2 ErrCode {name}"))
}

/// RFC 9113, 7.
fn reason_name(number: u32) -> String {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    match NAMES.get(number as usize) {
        Some(name) => (*name).to_owned(),
        None => format!("unknown error code 0x{number:x}"),
    }
}
