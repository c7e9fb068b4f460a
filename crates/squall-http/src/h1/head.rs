//! Response heads: finding their end, parsing them, and what they say about the body and the connection.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use squall_net::NetError;

use crate::exchange::Protocol;
use crate::headers::{Headers, is_token_byte};

/// All heads of a response, informational ones included, may not be longer than this.
pub(crate) const HEAD_BYTES_MAX: usize = 1 << 20;

/// Enough fields for any sane response; more only cost a second parse.
const FIELDS_USUAL: usize = 64;
const FIELDS_MAX: usize = 1 << 16;

/// A parsed head.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) protocol: Protocol,
    pub(crate) status: u16,
    pub(crate) reason: Bytes,
    pub(crate) headers: Headers,
}

/// Where the head ends: behind its empty line. `scanned` remembers how far earlier calls have looked, so
/// a head that comes in small pieces is looked at once.
pub(crate) fn find_end(buffer: &[u8], scanned: &mut usize) -> Option<usize> {
    while let Some(offset) = memchr::memchr(b'\n', &buffer[*scanned..]) {
        let next = *scanned + offset + 1;
        match buffer[next..] {
            [b'\n', ..] => return Some(next + 1),
            [b'\r', b'\n', ..] => return Some(next + 2),
            [] | [b'\r'] => {
                *scanned = next - 1;
                return None;
            }
            _ => *scanned = next,
        }
    }
    *scanned = buffer.len();
    None
}

/// Whether `buffer` can still become a head. Tells garbage before waiting for its end.
pub(crate) fn check_start(buffer: &[u8]) -> Result<(), NetError> {
    let start = b"HTTP/1.";
    let length = buffer.len().min(start.len());
    if buffer[..length] == start[..length] { Ok(()) } else { Err(malformed(buffer)) }
}

/// Splits a head of `length` bytes off the buffer and parses it.
pub(crate) fn parse(buffer: &mut BytesMut, length: usize) -> Result<Head, NetError> {
    let text = buffer.split_to(length).freeze();
    let mut usual = [httparse::EMPTY_HEADER; FIELDS_USUAL];
    match parse_fields(&text, &mut usual) {
        Err(httparse::Error::TooManyHeaders) => {
            let mut many = vec![httparse::EMPTY_HEADER; FIELDS_MAX];
            parse_fields(&text, &mut many).map_err(|error| parse_error(error, &text))
        }
        parsed => parsed.map_err(|error| parse_error(error, &text)),
    }
}

fn parse_fields<'b>(text: &'b Bytes, fields: &mut [httparse::Header<'b>]) -> Result<Head, httparse::Error> {
    let mut response = httparse::Response::new(fields);
    response.parse(text)?;
    // An empty value is a constant of the parser's and lies outside of the text.
    let place = |part: &[u8]| -> Range<usize> {
        if part.is_empty() {
            return 0..0;
        }
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        start..start + part.len()
    };
    let mut headers = Headers::with_text(text.clone(), response.headers.len());
    for field in response.headers.iter() {
        headers.push(place(field.name.as_bytes()), place(field.value));
    }
    let reason = response.reason.filter(|reason| !reason.is_empty());
    Ok(Head {
        protocol: if response.version == Some(0) { Protocol::Http10 } else { Protocol::Http11 },
        status: response.code.unwrap_or_default(),
        reason: reason.map_or_else(Bytes::new, |reason| text.slice(place(reason.as_bytes()))),
        headers,
    })
}

fn parse_error(error: httparse::Error, text: &[u8]) -> NetError {
    match error {
        httparse::Error::HeaderName | httparse::Error::HeaderValue => malformed_field(text),
        httparse::Error::TooManyHeaders => {
            NetError::generic(format!("more than {FIELDS_MAX} headers in the response"))
        }
        _ => malformed(text),
    }
}

/// Go's words, with the line in question (but not a book of it).
fn malformed(text: &[u8]) -> NetError {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    NetError::generic(format!("malformed HTTP response {}", quoted(line)))
}

fn malformed_field(text: &[u8]) -> NetError {
    let is_bad = |line: &&[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        name.len() == line.len() || !name.iter().copied().all(is_token_byte)
    };
    match text.split(|byte| *byte == b'\n').skip(1).find(is_bad) {
        Some(line) if !line.contains(&b':') => {
            NetError::generic(format!("malformed MIME header: missing colon: {}", quoted(line)))
        }
        Some(line) => NetError::generic(format!("malformed MIME header line: {}", quoted(line))),
        None => NetError::generic("malformed MIME header value"),
    }
}

fn quoted(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(&line[..line.len().min(100)]);
    format!("{:?}", line.trim_end())
}

/// How long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none, whatever the headers say.
    Empty,
    /// So many bytes.
    Length(u64),
    /// Chunks, the last one empty.
    Chunked,
    /// All until the connection ends.
    UntilClose,
}

impl Head {
    /// RFC 9112, 6.3.
    pub(crate) fn framing(&self, to_head_request: bool) -> Result<Framing, NetError> {
        if to_head_request || self.status < 200 || matches!(self.status, 204 | 304) {
            return Ok(Framing::Empty);
        }
        let mut codings = self.headers.get_all("transfer-encoding");
        if let Some(coding) = codings.next()
            && self.protocol == Protocol::Http11
        {
            if codings.next().is_some() {
                return Err(NetError::generic("too many transfer encodings"));
            }
            return match coding.eq_ignore_ascii_case(b"chunked") {
                true => Ok(Framing::Chunked),
                false => {
                    let coding = String::from_utf8_lossy(coding);
                    Err(NetError::generic(format!("unsupported transfer encoding: {coding:?}")))
                }
            };
        }
        Ok(self.content_length()?.map_or(Framing::UntilClose, Framing::Length))
    }

    /// Repeated lengths are fine as long as they agree.
    fn content_length(&self) -> Result<Option<u64>, NetError> {
        let mut length = None;
        for value in self.headers.get_all("content-length") {
            let text = String::from_utf8_lossy(value);
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let parsed = text.parse().ok().filter(|_| digits);
            let parsed: u64 =
                parsed.ok_or_else(|| NetError::generic(format!("bad Content-Length {text:?}")))?;
            if length.is_some_and(|length| length != parsed) {
                let all: Vec<_> = self.headers.get_all("content-length").collect();
                let all = all.iter().map(|value| format!("{:?}", String::from_utf8_lossy(value)));
                let all = all.collect::<Vec<_>>().join(" ");
                return Err(NetError::generic(format!(
                    "http: message cannot contain multiple Content-Length headers; got [{all}]"
                )));
            }
            length = Some(parsed);
        }
        Ok(length)
    }

    /// Whether the server will take another request on this connection. With both ways to frame a body
    /// it will not: that is how responses are smuggled (RFC 9112, 6.1).
    pub(crate) fn keeps_alive(&self, framing: Framing) -> bool {
        let says = |token: &str| {
            self.headers.get_all("connection").any(|value| {
                value
                    .split(|byte| *byte == b',')
                    .any(|have| have.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
            })
        };
        let ambiguous =
            framing == Framing::Chunked && self.headers.get_all("content-length").next().is_some();
        match self.protocol {
            _ if ambiguous || framing == Framing::UntilClose => false,
            Protocol::Http10 => says("keep-alive"),
            _ => !says("close"),
        }
    }
}
