//! Answers as broken servers and attackers give them: made of tables of shapes, the usual one first.
//!
//! A conversation is one string. Its first byte tells the requests (`G`, `H` for HEAD, `P` for one that is
//! taken slowly); the rest is what the server sends, with the [`mark`]s between.

use arbitrary::{Result, Unstructured};

/// Bytes that stand for something other than themselves.
pub mod mark {
    /// What follows comes in another read.
    pub const SPLIT: u8 = 0xfe;
    /// What follows comes after the next request.
    pub const PAUSE: u8 = 0xfd;
    /// The server closes.
    pub const CLOSE: u8 = 0xfc;
    /// The connection breaks.
    pub const RESET: u8 = 0xfb;
    /// The server takes some more of the request.
    pub const TAKE: u8 = 0xfa;
    /// The server takes nothing more of the request.
    pub const REFUSE: u8 = 0xf9;
    /// All of them.
    pub const ALL: [u8; 6] = [SPLIT, PAUSE, CLOSE, RESET, TAKE, REFUSE];
}

const LINE_ENDS: [&str; 5] = ["\r\n", "\n", "\r\r\n", "\r", "\0\r\n"];

const STATUS_LINES: [&str; 22] = [
    "HTTP/1.1 200 OK",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 404 ",
    "HTTP/1.1 413 Too Large",
    "HTTP/1.1 205 Reset",
    "HTTP/1.1 301 Moved",
    "HTTP/1.1 200",
    "HTTP/1.1 999 \u{e9}",
    "HTTP/1.1 101 Switching Protocols",
    "HTTP/1.1 099 Low",
    "HTTP/1.1 000 None",
    "HTTP/1.1  200 OK",
    "HTTP/1.1 200OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.2 200 OK",
    "HTTP/2.0 200 OK",
    "HTTP/1.1 -20 OK",
    "http/1.1 200 OK",
    " HTTP/1.1 200 OK",
    "",
];

const INFORMATIONAL: [&str; 6] = [
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    "HTTP/1.1 102 Processing\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.0 100 Continue\n\n",
    "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 199 Last\r\nConnection: close\r\n\r\n",
];

const FIELDS: [&str; 25] = [
    "X: a",
    "Connection: close",
    "Connection: keep-alive",
    "Connection: keep-alive, Close",
    "Connection: x,close ,y",
    "Content-Length: 5",
    "Content-Length: 05",
    "Content-Length: 5, 5",
    "Content-Length: -5",
    "Content-Length: +5",
    "Content-Length: ",
    "Content-Length: 99999999999999999999",
    "Content-Length: 9223372036854775808",
    "Content-Length : 5",
    "Content-Length\t: 5",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: Chunked ",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding:\u{b}chunked",
    "X: a\r\n b",
    "X: a\r\n Content-Length: 5",
    "X: \0",
    ": empty",
    "no colon",
];

const SIZES: [&str; 16] = [
    "5",
    "0005",
    "5;x=\"y\"",
    "5 ",
    "5\t ;x",
    "5 x",
    " 5",
    "0x5",
    "+5",
    "-5",
    "",
    ";x",
    "F",
    "ffffffffffffffff",
    "00000000000000005",
    "5;\rx",
];

const TRAILERS: [&str; 9] =
    ["", "T: 1\r\n", "Content-Length: 7\r\n", "T: 1\n", "T\r\n", " T: 1\r\n", "T: \0\r\n", "\r", "T : 1\r\n"];

const BODIES: [&str; 6] = ["hello", "", "hell", "hello, world", "HTTP/1.1 200 OK\r\n\r\n", "\r\n\r\n"];

const TAILS: [&str; 4] = ["", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", "garbage"];

/// Several answers, in pieces and with what else may happen.
pub fn conversation(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut wire = vec![*u.choose(b"GGHP")?];
    loop {
        let answer = answer(u)?;
        for byte in answer {
            if rarely(u, 24)? {
                wire.push(*u.choose(&[mark::SPLIT, mark::SPLIT, mark::SPLIT, mark::TAKE, mark::TAKE])?);
            }
            wire.push(byte);
        }
        if rarely(u, 8)? {
            wire.push(*u.choose(&mark::ALL)?);
        }
        if u.is_empty() || wire.len() > 4096 {
            return Ok(wire);
        }
        wire.push(mark::PAUSE);
    }
}

/// One answer without any marks.
pub fn answer(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut wire = Vec::new();
    while rarely(u, 6)? {
        wire.extend(u.choose(&INFORMATIONAL)?.bytes());
    }
    push_line(&mut wire, usual(u, &STATUS_LINES)?, u)?;
    let body = *usual(u, &BODIES)?;
    let is_chunked = rarely(u, 3)?;
    let is_framed = !rarely(u, 5)?;
    if is_framed && is_chunked {
        push_line(&mut wire, "Transfer-Encoding: chunked", u)?;
    } else if is_framed {
        push_line(&mut wire, &format!("Content-Length: {}", body.len()), u)?;
    }
    while rarely(u, 3)? {
        push_line(&mut wire, u.choose(&FIELDS)?, u)?;
    }
    push_line(&mut wire, "", u)?;
    match is_chunked {
        true => push_chunks(&mut wire, u)?,
        false => wire.extend(body.bytes()),
    }
    wire.extend(usual(u, &TAILS)?.bytes());
    if rarely(u, 8)? && !wire.is_empty() {
        wire.truncate(u.choose_index(wire.len())?);
    }
    if rarely(u, 16)? && !wire.is_empty() {
        let at = u.choose_index(wire.len())?;
        wire[at] = u.arbitrary()?;
    }
    wire.retain(|byte| !mark::ALL.contains(byte));
    Ok(wire)
}

fn push_chunks(wire: &mut Vec<u8>, u: &mut Unstructured<'_>) -> Result<()> {
    while rarely(u, 2)? {
        push_line(wire, usual(u, &SIZES)?, u)?;
        push_line(wire, "hello", u)?;
    }
    push_line(wire, usual(u, &["0", "000", "0;x", "0 ", ""])?, u)?;
    wire.extend(usual(u, &TRAILERS)?.bytes());
    push_line(wire, "", u)
}

fn push_line(wire: &mut Vec<u8>, line: &str, u: &mut Unstructured<'_>) -> Result<()> {
    wire.extend(line.bytes());
    if rarely(u, 24)? {
        wire.extend(u.choose(&LINE_ENDS)?.bytes());
    } else {
        wire.extend(b"\r\n");
    }
    Ok(())
}

/// Mostly the first.
pub(super) fn usual<'t, T>(u: &mut Unstructured<'_>, table: &'t [T]) -> Result<&'t T> {
    if rarely(u, 4)? { u.choose(table) } else { Ok(&table[0]) }
}

/// Once in so many times, and never when the data is used up: what repeats itself comes to an end.
pub(super) fn rarely(u: &mut Unstructured<'_>, times: u32) -> Result<bool> {
    Ok(!u.ratio(times - 1, times)?)
}
