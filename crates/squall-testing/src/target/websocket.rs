//! WebSocket endpoints: a server that says exactly what it is asked for, frame by frame.

use std::{
    io,
    io::Write as _,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::{body::Incoming, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::json;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    body::{Body, full, seeded},
    echo,
};

/// What `GET /` says of them.
pub(super) const INDEX: &str = "\
/ws/echo?fragment=N             WebSocket: echoes, in frames of N bytes if asked to; takes the first sub-protocol,
                                and compression when it is offered
/ws/headers                     says the request's headers as JSON, then echoes
/ws/set-cookie?k=v              sets a cookie in the handshake, then echoes
/ws/count/N                     says 0 to N-1, then farewell with 1000
/ws/big/N /ws/bytes/N           says a text or bytes of that length, then echoes
/ws/close/CODE?reason=          says farewell with this code (0: none) after the first message
/ws/ping?timed                  answers each message with a ping of that payload, each pong with a text, of the
                                milliseconds since the ping if so asked
/ws/flood/N/BYTES               says N texts of that length, each of which begins with the milliseconds since the first
/ws/drop                        drops the connection after the first message
/ws/frame/HEX                   sends these bytes after the first message, then echoes
/ws/silent                      never says anything, nor farewell
";

/// What a server adds to the key to show that it has understood (RFC 6455 §1.3).
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The end of a flushed block, which does not travel (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A silent connection is given up after this time.
const PATIENCE: Duration = Duration::from_secs(600);

/// Answers the request for an upgrade; the connection then lives on in a task of its own. None: it is no such request.
pub(super) fn upgrade(request: &mut Request<Incoming>, segments: &[&str]) -> Option<Response<Body>> {
    let key = request.headers().get("sec-websocket-key")?.clone();
    let script = Script::of(segments, request)?;
    let accept = STANDARD.encode(Sha1::new().chain_update(&key).chain_update(KEY_SUFFIX).finalize());
    let mut answer = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header("Sec-WebSocket-Accept", accept)
        .header("X-Squall", "target");
    if let Some(protocol) = first_item(request.headers(), "sec-websocket-protocol") {
        answer = answer.header("Sec-WebSocket-Protocol", protocol);
    }
    let compresses = first_item(request.headers(), "sec-websocket-extensions")
        .is_some_and(|extension| extension.starts_with("permessage-deflate"));
    if compresses {
        let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        answer = answer.header("Sec-WebSocket-Extensions", agreed);
    }
    if let Script::SetCookie(pair) = &script {
        answer = answer.header(header::SET_COOKIE, format!("{pair}; Path=/"));
    }
    let upgrading = hyper::upgrade::on(request);
    tokio::task::spawn_local(async move {
        if let Ok(upgraded) = upgrading.await {
            let mut talk = Talk { stream: TokioIo::new(upgraded), compresses, fragment: None };
            // A broken connection is the client's affair.
            let _ = tokio::time::timeout(PATIENCE, talk.follow(script)).await;
        }
    });
    Some(answer.body(full("")).expect("all of its parts are valid"))
}

fn first_item(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.split(',').next()?.trim().to_owned())
}

/// What a connection does.
enum Script {
    Echo { fragment: Option<usize> },
    Say(Vec<(u8, Vec<u8>)>),
    SetCookie(String),
    Count(usize),
    Close { code: u16, reason: String },
    Ping { is_timed: bool },
    Flood { count: usize, length: usize },
    Drop,
    Frame(Vec<u8>),
    Silent,
}

impl Script {
    fn of(segments: &[&str], request: &Request<Incoming>) -> Option<Self> {
        let query = request.uri().query().unwrap_or_default();
        let parameter = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let number = |text: &str| text.parse::<usize>().unwrap_or(0).min(100 << 20);
        Some(match *segments {
            ["ws", "echo"] => Self::Echo { fragment: parameter("fragment").map(|size| number(&size).max(1)) },
            ["ws", "headers"] => {
                let headers = json!({ "headers": echo::headers(request.headers()) });
                Self::Say(vec![(TEXT, headers.to_string().into_bytes())])
            }
            ["ws", "set-cookie"] => Self::SetCookie(query.to_owned()),
            ["ws", "count", count] => Self::Count(number(count)),
            ["ws", "big", length] => Self::Say(vec![(TEXT, vec![b'x'; number(length)])]),
            ["ws", "bytes", length] => Self::Say(vec![(BINARY, seeded(number(length), 0).into())]),
            ["ws", "close", code] => {
                Self::Close { code: number(code) as u16, reason: parameter("reason").unwrap_or_default() }
            }
            ["ws", "ping"] => Self::Ping { is_timed: parameter("timed").is_some() },
            ["ws", "flood", count, length] => Self::Flood { count: number(count), length: number(length) },
            ["ws", "drop"] => Self::Drop,
            ["ws", "frame", hex] => Self::Frame(bytes_of_hex(hex)),
            ["ws", "silent"] => Self::Silent,
            _ => return None,
        })
    }
}

fn bytes_of_hex(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    hex.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// A connection.
struct Talk {
    stream: TokioIo<Upgraded>,
    compresses: bool,
    /// The most that a frame carries.
    fragment: Option<usize>,
}

impl Talk {
    async fn follow(&mut self, script: Script) -> io::Result<()> {
        match script {
            Script::Echo { fragment } => self.fragment = fragment,
            Script::Say(messages) => {
                for (opcode, message) in messages {
                    self.say(opcode, &message).await?;
                }
            }
            Script::SetCookie(_) => {}
            Script::Count(count) => {
                for number in 0..count {
                    self.say(TEXT, number.to_string().as_bytes()).await?;
                }
                self.say_farewell(1000, "").await?;
            }
            Script::Close { code, reason } => {
                self.listen().await?;
                self.say_farewell(code, &reason).await?;
            }
            Script::Ping { is_timed } => return self.ping(is_timed).await,
            Script::Flood { count, length } => {
                let started = Instant::now();
                for _ in 0..count {
                    let text = format!("{:<length$}", started.elapsed().as_millis());
                    self.say(TEXT, text.as_bytes()).await?;
                }
                self.say_farewell(1000, "").await?;
            }
            Script::Drop => return self.listen().await.map(drop),
            Script::Frame(frame) => {
                self.listen().await?;
                self.stream.write_all(&frame).await?;
            }
            Script::Silent => loop {
                self.listen().await?;
            },
        }
        self.echo().await
    }

    async fn echo(&mut self) -> io::Result<()> {
        loop {
            let (opcode, message) = self.listen().await?;
            match opcode {
                PING => self.say(PONG, &message).await?,
                PONG => {}
                CLOSE => {
                    self.say(CLOSE, &message).await?;
                    return self.stream.shutdown().await;
                }
                opcode => self.say(opcode, &message).await?,
            }
        }
    }

    async fn ping(&mut self, is_timed: bool) -> io::Result<()> {
        let mut asked = Instant::now();
        loop {
            let (opcode, message) = self.listen().await?;
            match opcode {
                PONG if is_timed => {
                    self.say(TEXT, asked.elapsed().as_millis().to_string().as_bytes()).await?
                }
                PONG => self.say(TEXT, &[b"pong ", &*message].concat()).await?,
                CLOSE => return self.say(CLOSE, &message).await,
                PING => self.say(PONG, &message).await?,
                _ => {
                    asked = Instant::now();
                    self.say(PING, &message).await?;
                }
            }
        }
    }

    async fn say_farewell(&mut self, code: u16, reason: &str) -> io::Result<()> {
        match code {
            0 => self.say(CLOSE, &[]).await,
            code => self.say(CLOSE, &[&code.to_be_bytes()[..], reason.as_bytes()].concat()).await,
        }
    }

    /// Says a message, compressed and in pieces as was agreed.
    async fn say(&mut self, opcode: u8, message: &[u8]) -> io::Result<()> {
        let is_message = matches!(opcode, TEXT | BINARY);
        let is_compressed = self.compresses && is_message;
        let payload = if is_compressed { deflate(message)? } else { message.to_vec() };
        let piece = self.fragment.filter(|_| is_message).unwrap_or(payload.len().max(1));
        let count = payload.len().div_ceil(piece).max(1);
        let mut out = Vec::with_capacity(payload.len() + 16);
        for index in 0..count {
            let part = &payload[index * piece..payload.len().min((index + 1) * piece)];
            let is_last = index + 1 == count;
            let rsv1 = if is_compressed && index == 0 { 0x40 } else { 0 };
            let opcode = if index == 0 { opcode } else { 0 };
            out.extend(frame(u8::from(is_last) << 7 | rsv1 | opcode, part));
        }
        self.stream.write_all(&out).await
    }

    /// The next message or control frame.
    async fn listen(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let (mut opcode, mut is_compressed, mut message) = (0, false, Vec::new());
        loop {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head).await?;
            let length = match head[1] & 0x7f {
                126 => u64::from(self.stream.read_u16().await?),
                127 => self.stream.read_u64().await?,
                short => u64::from(short),
            };
            if head[1] & 0x80 == 0 || length > 100 << 20 {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut mask = [0; 4];
            self.stream.read_exact(&mut mask).await?;
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).await?;
            payload.iter_mut().zip(mask.into_iter().cycle()).for_each(|(byte, key)| *byte ^= key);
            let frame_opcode = head[0] & 0x0f;
            if frame_opcode >= CLOSE {
                return Ok((frame_opcode, payload));
            }
            if frame_opcode != 0 {
                (opcode, is_compressed) = (frame_opcode, head[0] & 0x40 != 0);
            }
            message.extend(payload);
            if head[0] & 0x80 != 0 {
                let message = if is_compressed { inflate(message)? } else { message };
                return Ok((opcode, message));
            }
        }
    }
}

/// A WebSocket frame as servers write it, without a mask (RFC 6455 §5.2). `first` is its first byte: flags and opcode.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        length @ 0..=125 => out.push(length as u8),
        length @ 126..=0xffff => {
            out.push(126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(payload);
    out
}

fn deflate(message: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(message)?;
    encoder.flush()?;
    let mut out = encoder.get_ref().clone();
    if out.ends_with(&TAIL) {
        out.truncate(out.len() - TAIL.len());
    }
    Ok(out)
}

fn inflate(mut payload: Vec<u8>) -> io::Result<Vec<u8>> {
    payload.extend(TAIL);
    // A last, empty block, so that the stream has an end.
    payload.extend([1, 0, 0, 0xff, 0xff]);
    let mut out = Vec::new();
    io::Read::read_to_end(&mut DeflateDecoder::new(&*payload), &mut out)?;
    Ok(out)
}
