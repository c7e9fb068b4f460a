//! Response heads: finding their end, parsing them, and what they say about the body and the connection.

use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::ops::Range;

use bytes::{Buf, Bytes};
use http::StatusCode;
use squall_net::NetError;

use crate::exchange::Protocol;
use crate::headers::{Headers, Place, is_token_byte};

/// All heads of a response, informational ones included, may not be longer than this.
pub(crate) const HEAD_BYTES_MAX: usize = 1 << 20;

const HEAD_START: &[u8] = b"HTTP/1.";

/// Enough fields for any sane response; more only cost a second parse.
const FIELDS_USUAL: usize = 32;
const FIELDS_MAX: usize = 1 << 16;

/// Which bytes can be in a field's name.
static TOKEN_BYTES: [bool; 256] = {
    let mut are_token_bytes = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        are_token_bytes[byte] = is_token_byte(byte as u8);
        byte += 1;
    }
    are_token_bytes
};

/// What fits Go's signed lengths.
const LENGTH_MAX: u64 = i64::MAX as u64;

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
    let length = buffer.len().min(HEAD_START.len());
    if buffer[..length] == HEAD_START[..length] { Ok(()) } else { Err(malformed(buffer)) }
}

/// The head at the start of the bytes and its length, if it is all there and written as nearly all are: HTTP/1.1,
/// a reason, lines that end with CRLF, fields of a plain name, a colon and some text. It is read in one pass; others are
/// left to [`find_end`] and [`parse`], which take what this takes for the same.
pub(crate) fn parse_usual(bytes: &[u8]) -> Option<(Head, usize)> {
    let line = bytes.strip_prefix(b"HTTP/1.1 ")?;
    let &[hundreds @ b'0'..=b'9', tens @ b'0'..=b'9', ones @ b'0'..=b'9', b' ', first, ..] = line else {
        return None;
    };
    let status = [hundreds, tens, ones].iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    let reason_start = bytes.len() - line.len() + 4;
    let mut at = text_end(bytes, reason_start);
    let shown = &bytes[reason_start..at];
    if first == b' ' || !shown.is_ascii() {
        return None;
    }
    let mut places = [Place::default(); FIELDS_USUAL];
    let mut count = 0;
    loop {
        let after_line = bytes.get(at..)?.strip_prefix(b"\r\n")?;
        at += 2;
        if after_line.starts_with(b"\r\n") {
            break;
        }
        let name_bytes = after_line.iter().position(|byte| !TOKEN_BYTES[usize::from(*byte)])?;
        let name = at..at + name_bytes;
        let blank = match after_line[name_bytes..] {
            [b':', b' ', b'!'..=b'~', ..] => 2,
            [b':', b'!'..=b'~', ..] => 1,
            _ => return None,
        };
        let value_start = name.end + blank;
        at = text_end(bytes, value_start);
        if name.is_empty() || bytes[at - 1] == b' ' {
            return None;
        }
        *places.get_mut(count)? = Place::new(name, value_start..at);
        count += 1;
    }
    let length = at + 2;
    let headers = Headers::new(&bytes[..length], places[..count].iter().copied());
    Some((Head { protocol: Protocol::Http11, status, reason: reason(status, shown), headers }, length))
}

/// Where the text that starts at `at` ends: before the first control character, or at the end of the bytes.
fn text_end(bytes: &[u8], mut at: usize) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * EACH;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let below = |word: u64, limit: u64| word.wrapping_sub(limit * EACH) & !word;
        // The lowest bit that is set is right; those above it may be borrowed from.
        let found = (below(word, 0x20) | below(word ^ (0x7f * EACH), 1)) & TOP;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes[at.min(bytes.len())..].iter().take_while(|byte| !byte.is_ascii_control()).count()
}

/// Takes a head of `length` bytes off the buffer, which is in one piece, and parses it.
pub(crate) fn parse(buffer: &mut impl Buf, length: usize) -> Result<Head, NetError> {
    let text = &buffer.chunk()[..length];
    let parsed = match parse_text(text) {
        // Obsolete, and thus not looked for before something is wrong.
        Err(httparse::Error::HeaderName) if let Some(unfolded) = unfold(text) => parse_text(&unfolded),
        parsed => parsed,
    };
    let head = parsed.map_err(|error| parse_error(error, text));
    buffer.advance(length);
    head
}

/// The head with each field in one line; None when that is how it is. The first field continues nothing.
fn unfold(text: &[u8]) -> Option<Vec<u8>> {
    let is_continued = |line: &[u8]| line.starts_with(b" ") || line.starts_with(b"\t");
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let mut unfolded = [lines.next()?, lines.next()?].concat();
    if !lines.clone().any(is_continued) {
        return None;
    }
    for line in lines {
        if is_continued(line) {
            unfolded.truncate(unfolded.trim_ascii_end().len());
            unfolded.push(b' ');
            let blank_bytes = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            unfolded.extend_from_slice(&line[blank_bytes..]);
        } else {
            unfolded.extend_from_slice(line);
        }
    }
    Some(unfolded)
}

fn parse_text(text: &[u8]) -> Result<Head, httparse::Error> {
    let mut usual = [const { MaybeUninit::uninit() }; FIELDS_USUAL];
    match parse_fields(text, &mut usual) {
        Err(httparse::Error::TooManyHeaders) => {
            parse_fields(text, &mut vec![MaybeUninit::uninit(); FIELDS_MAX])
        }
        parsed => parsed,
    }
}

fn parse_fields<'b>(
    text: &'b [u8],
    fields: &mut [MaybeUninit<httparse::Header<'b>>],
) -> Result<Head, httparse::Error> {
    let mut response = httparse::Response::new(&mut []);
    let mut parser = httparse::ParserConfig::default();
    parser.allow_multiple_spaces_in_response_status_delimiters(true);
    let parsed = parser.parse_response_with_uninit_headers(&mut response, text, fields)?;
    // Empty lines are skipped before a head, and then there may be none.
    if !text.starts_with(HEAD_START) || parsed != httparse::Status::Complete(text.len()) {
        return Err(httparse::Error::Version);
    }
    // An empty value is a constant of the parser's and lies outside of the text.
    let place = |part: &[u8]| -> Range<usize> {
        if part.is_empty() {
            return 0..0;
        }
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        start..start + part.len()
    };
    let places =
        response.headers.iter().map(|field| Place::new(place(field.name.as_bytes()), place(field.value)));
    let status = response.code.unwrap_or_default();
    let shown = response.reason.filter(|reason| !reason.is_empty());
    Ok(Head {
        protocol: if response.version == Some(0) { Protocol::Http10 } else { Protocol::Http11 },
        status,
        reason: reason(status, shown.map_or_else(|| line_reason(text), str::as_bytes)),
        headers: Headers::new(text, places),
    })
}

/// The text after the status; nearly always the standard one, which takes no memory.
fn reason(status: u16, text: &[u8]) -> Bytes {
    let standard = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    match standard.filter(|standard| standard.as_bytes() == text) {
        Some(standard) => Bytes::from_static(standard.as_bytes()),
        None => Bytes::copy_from_slice(text),
    }
}

/// The reason as it stands in the head: the parser shows none outside of ASCII.
fn line_reason(head: &[u8]) -> &[u8] {
    let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let mut words = line.splitn(2, |byte| *byte == b' ').skip(1);
    let status_and_reason = words.next().unwrap_or_default().trim_ascii_start();
    status_and_reason.splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default()
}

/// Go's words for what is wrong.
fn parse_error(error: httparse::Error, text: &[u8]) -> NetError {
    match error {
        httparse::Error::TooManyHeaders => {
            NetError::generic(format!("more than {FIELDS_MAX} headers in the response"))
        }
        httparse::Error::HeaderName | httparse::Error::HeaderValue | httparse::Error::NewLine => {
            let fields = memchr::memchr(b'\n', text).map_or(&text[..0], |end| &text[end + 1..]);
            check_fields(fields).err().unwrap_or_else(|| malformed(text))
        }
        _ => malformed(text),
    }
}

fn malformed(text: &[u8]) -> NetError {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    NetError::generic(match (words.next(), words.next()) {
        (Some(_), Some(code)) if code.len() != 3 || !code.iter().all(u8::is_ascii_digit) => {
            format!("malformed HTTP status code {}", quoted(code))
        }
        (Some(version), Some(_)) if !matches!(version, b"HTTP/1.0" | b"HTTP/1.1") => {
            format!("malformed HTTP version {}", quoted(version))
        }
        _ => format!("malformed HTTP response {}", quoted(line)),
    })
}

/// Whether these lines, up to an empty one, are fields.
///
/// # Errors
/// Names the first that is none, in Go's words.
pub(crate) fn check_fields(lines: &[u8]) -> Result<(), NetError> {
    let lines = lines.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for (number, line) in lines.take_while(|line| !line.is_empty()).enumerate() {
        let is_continued = matches!(line[0], b' ' | b'\t');
        if is_continued && number == 0 {
            return Err(NetError::generic(format!("malformed MIME header initial line: {}", cut(line))));
        }
        let Some(colon) = memchr::memchr(b':', line).or(is_continued.then_some(0)) else {
            return Err(NetError::generic(format!("malformed MIME header: missing colon: {}", quoted(line))));
        };
        let is_name = colon > 0 && line[..colon].iter().copied().all(is_token_byte);
        let is_text = line[colon..].iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control());
        if !(is_name || is_continued) || !is_text {
            return Err(NetError::generic(format!("malformed MIME header line: {}", cut(line))));
        }
    }
    Ok(())
}

/// A line, but not a book of it.
fn cut(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&line[..line.len().min(100)])
}

/// A line as Go quotes it.
fn quoted(line: &[u8]) -> String {
    let mut quoted = String::from('"');
    for char in cut(line).chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            _ if char.is_ascii_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(char))),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
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
    /// RFC 9112, 6.3. What makes no sense is refused even where there is no body to frame, as k6 does.
    pub(crate) fn framing(&self, to_head_request: bool) -> Result<Framing, NetError> {
        let is_chunked = self.is_chunked()?;
        let length = self.content_length()?;
        Ok(match length {
            _ if to_head_request || matches!(self.status, 204 | 304) => Framing::Empty,
            _ if is_chunked => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        })
    }

    fn is_chunked(&self) -> Result<bool, NetError> {
        let mut codings = self.headers.get_all("transfer-encoding");
        let Some(coding) = codings.next().filter(|_| self.protocol == Protocol::Http11) else {
            return Ok(false);
        };
        if codings.next().is_some() {
            let all = self.quoted_all("transfer-encoding");
            return Err(NetError::generic(format!("too many transfer encodings: {all}")));
        }
        if !coding.eq_ignore_ascii_case(b"chunked") {
            return Err(NetError::generic(format!("unsupported transfer encoding: {}", quoted(coding))));
        }
        Ok(true)
    }

    /// Repeated lengths are fine as long as they are the same text.
    fn content_length(&self) -> Result<Option<u64>, NetError> {
        let mut values = self.headers.get_all("content-length");
        let Some(value) = values.next() else { return Ok(None) };
        if values.any(|other| other != value) {
            let all = self.quoted_all("content-length");
            return Err(NetError::generic(format!(
                "http: message cannot contain multiple Content-Length headers; got {all}"
            )));
        }
        if value.is_empty() {
            return Err(NetError::generic("invalid empty Content-Length \"\""));
        }
        let digits = std::str::from_utf8(value).ok().filter(|_| value.iter().all(u8::is_ascii_digit));
        let length = digits.and_then(|digits| digits.parse().ok()).filter(|length| *length <= LENGTH_MAX);
        length.map(Some).ok_or_else(|| NetError::generic(format!("bad Content-Length {}", quoted(value))))
    }

    fn quoted_all(&self, name: &str) -> String {
        let all: Vec<_> = self.headers.get_all(name).map(quoted).collect();
        format!("[{}]", all.join(" "))
    }

    /// Whether the server will take another request on this connection. With both ways to frame a body
    /// it will not: that is how responses are smuggled (RFC 9112, 6.1).
    pub(crate) fn keeps_alive(&self, framing: Framing) -> bool {
        let says = |token| self.headers.has_token("connection", token);
        let ambiguous =
            framing == Framing::Chunked && self.headers.get_all("content-length").next().is_some();
        match self.protocol {
            _ if ambiguous || framing == Framing::UntilClose || self.status < 200 => false,
            Protocol::Http10 => says("keep-alive") && !says("close"),
            _ => !says("close"),
        }
    }
}
