//! From a URL to a socket: dialling, the request that asks for an upgrade, the answer (RFC 6455 §4).

use std::{
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};
use squall_net::{Dialer, Endpoint, NetError, Passage, Security, Stream, TlsInfo, Traffic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

use crate::{deflate, frame::Decoder, socket::Socket};

/// The whole handshake must be over within this time: k6's limit.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A response's head may be this long.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// So much of the body is kept when the server refuses: enough for its reason.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Headers that make the upgrade: ours alone.
const OWN_HEADERS: [&str; 5] =
    ["Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions"];

/// Headers that have a place of their own in the request.
const PLACED_HEADERS: [&str; 3] = ["Host", "User-Agent", "Cookie"];

/// Headers that would announce a body. k6 leaves them out too.
const BODY_HEADERS: [&str; 3] = ["Content-Length", "Transfer-Encoding", "Trailer"];

/// What a server adds to the key to show that it has understood (RFC 6455 §1.3).
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What to ask a server for.
#[derive(Clone, Copy, Debug)]
pub struct Handshake<'a> {
    /// A `ws` or `wss` URL.
    pub url: &'a Url,
    /// The caller's headers. `Host` names the virtual host; those that make the upgrade are refused; those whose names
    /// are none, or that announce a body, are left out.
    pub headers: &'a [(String, String)],
    /// Sub-protocols to offer, the best first.
    pub protocols: &'a [String],
    /// Whether to offer permessage-deflate.
    pub offers_deflate: bool,
    /// The `User-Agent` unless `headers` bring one.
    pub user_agent: &'a str,
    /// The `Cookie` header unless `headers` bring one; empty for none.
    pub cookies: &'a str,
}

impl<'a> Handshake<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        let known = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(known).map(|(_, value)| value.as_str())
    }

    /// The name of a header that the caller may not set.
    fn header_that_is_ours(&self) -> Option<&'static str> {
        let protocol = (!self.protocols.is_empty()).then_some("Sec-WebSocket-Protocol");
        OWN_HEADERS.into_iter().chain(protocol).find(|name| self.header(name).is_some())
    }
}

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// 101 when it agreed.
    pub status: u16,
    /// The text after it.
    pub reason: String,
    /// In the order they came, names as they came.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body, when it refused.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of the header called `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// All values of the header called `name`.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A socket and how it came about.
#[derive(Debug)]
pub struct Connected {
    /// Open.
    pub socket: Socket,
    /// The server's answer.
    pub response: Response,
    /// From the beginning to the answer: names, TCP, TLS, handshake.
    pub connecting: Duration,
    /// How much of it a network profile has taken.
    pub network_delay: Duration,
    /// The peer: the server, or the proxy.
    pub remote: SocketAddr,
    /// What the TLS handshake agreed on.
    pub tls: Option<TlsInfo>,
}

/// Why there is no socket.
#[derive(Debug)]
pub struct Failed {
    /// What went wrong.
    pub error: NetError,
    /// What the server said, if it did.
    pub response: Option<Response>,
    /// How long it took.
    pub connecting: Duration,
    /// How much of it a network profile has taken.
    pub network_delay: Duration,
}

/// Connects VU `vu` and counts the connection's bytes into `traffic`. Dropping the future cancels it.
pub async fn connect(
    dialer: &Dialer,
    vu: u64,
    traffic: &Rc<Traffic>,
    handshake: Handshake<'_>,
) -> Result<Connected, Failed> {
    let started = Instant::now();
    let mut network = NetworkShare::default();
    let work = Box::pin(dial_and_ask(dialer, vu, traffic, handshake, &mut network));
    let outcome = tokio::time::timeout(TIME_LIMIT, work).await;
    let (connecting, network_delay) = (started.elapsed(), network.delay());
    match outcome.unwrap_or_else(|_| Err((NetError::timeout(), None))) {
        Ok(connected) => Ok(Connected { connecting, network_delay, ..connected }),
        Err((error, response)) => Err(Failed { error, response, connecting, network_delay }),
    }
}

/// What a network profile takes.
#[derive(Default)]
struct NetworkShare {
    dialling: Duration,
    /// Of the request and its answer.
    passage: Option<Passage>,
}

impl NetworkShare {
    /// How much it has taken so far.
    fn delay(&self) -> Duration {
        self.dialling + self.passage.as_ref().map_or(Duration::ZERO, Passage::delay)
    }
}

type Refusal = (NetError, Option<Response>);

async fn dial_and_ask(
    dialer: &Dialer,
    vu: u64,
    traffic: &Rc<Traffic>,
    handshake: Handshake<'_>,
    network: &mut NetworkShare,
) -> Result<Connected, Refusal> {
    let url = handshake.url;
    if let Some(name) = handshake.header_that_is_ours() {
        return Err((NetError::generic(format!("websocket: duplicate header not allowed: {name}")), None));
    }
    let security = match url.scheme() {
        "ws" => Security::Tunnel,
        "wss" => Security::Tls,
        scheme => return Err((NetError::generic(format!("{scheme} is no scheme of a WebSocket")), None)),
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port().unwrap_or(if security == Security::Tunnel { 80 } else { 443 });
    let endpoint = Endpoint { host, port, security };
    let dialed = dialer.dial(endpoint, vu, traffic, &mut network.dialling).await;
    let dialed = dialed.map_err(|failed| (failed.error, None))?;
    let mut stream = dialed.stream;
    network.passage = stream.passage();
    let key = STANDARD.encode(rand::random::<[u8; 16]>());
    let request = request(&handshake, &key);
    let io_error = |what| move |error: std::io::Error| (NetError::io(what, &error), None);
    stream.write_all(request.as_bytes()).await.map_err(io_error("write"))?;
    stream.flush().await.map_err(io_error("write"))?;
    let (mut response, rest) = read_head(&mut stream).await.map_err(|error| (error, None))?;
    let compressed = match agreed(&handshake, &key, &response) {
        Ok(compressed) => compressed,
        Err(why) => {
            if response.status != 101 {
                response.body = read_body(&mut stream, &response, rest).await;
            }
            return Err((NetError::generic(why), Some(response)));
        }
    };
    let socket = Socket::new(stream, Decoder::new(compressed), compressed, rest);
    // Times are the caller's.
    let (connecting, network_delay) = Default::default();
    Ok(Connected { socket, response, connecting, network_delay, remote: dialed.remote, tls: dialed.tls })
}

fn request(handshake: &Handshake<'_>, key: &str) -> String {
    let Handshake { url, headers, protocols, .. } = handshake;
    let own_host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut head = format!("GET {} HTTP/1.1\r\n", if target.is_empty() { "/" } else { target });
    let mut add = |name: &str, value: &str| {
        head.extend([name, ": "]);
        // No value must become another header: what would end a line is a space, as in k6.
        let value = value.trim_matches([' ', '\t', '\r', '\n']);
        head.extend(value.chars().map(|char| if matches!(char, '\r' | '\n') { ' ' } else { char }));
        head.push_str("\r\n");
    };
    // A host that cannot be one is empty, and an empty user agent is none: so it is in k6.
    let host = handshake.header("Host").unwrap_or(&own_host);
    add("Host", if host.bytes().all(is_host_byte) { host } else { "" });
    let user_agent = handshake.header("User-Agent").unwrap_or(handshake.user_agent);
    if !user_agent.is_empty() {
        add("User-Agent", user_agent);
    }
    add("Connection", "Upgrade");
    add("Upgrade", "websocket");
    add("Sec-WebSocket-Key", key);
    add("Sec-WebSocket-Version", "13");
    if !protocols.is_empty() {
        add("Sec-WebSocket-Protocol", &protocols.join(", "));
    }
    if handshake.offers_deflate {
        add("Sec-WebSocket-Extensions", deflate::EXTENSION);
    }
    let cookies = handshake.header("Cookie").unwrap_or(handshake.cookies);
    if !cookies.is_empty() {
        add("Cookie", cookies);
    }
    for (name, value) in *headers {
        let mut known = PLACED_HEADERS.iter().chain(&BODY_HEADERS);
        if is_token(name) && !known.any(|known| name.eq_ignore_ascii_case(known)) {
            add(name, value);
        }
    }
    head.push_str("\r\n");
    head
}

/// RFC 9110 §5.6.2: what a header may be called.
fn is_token(name: &str) -> bool {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token_byte)
}

/// RFC 3986 §3.2.2 and §3.2.3: what a host and its port are made of.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=[]:".contains(&byte)
}

/// The head, and what has arrived behind it.
async fn read_head(stream: &mut Stream) -> Result<(Response, Vec<u8>), NetError> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut parsed = httparse::Response::new(&mut headers);
        match parsed.parse(&bytes) {
            Ok(httparse::Status::Complete(length)) => {
                let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                let response = Response {
                    status: parsed.code.unwrap_or_default(),
                    reason: parsed.reason.unwrap_or_default().to_owned(),
                    headers: parsed.headers.iter().map(|it| (it.name.to_owned(), text(it.value))).collect(),
                    body: Vec::new(),
                };
                return Ok((response, bytes.split_off(length)));
            }
            Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES_MAX => {}
            Ok(httparse::Status::Partial) => {
                return Err(NetError::generic("the response's head is too long"));
            }
            Err(error) => return Err(NetError::generic(format!("malformed HTTP response: {error}"))),
        }
        if stream.read_buf(&mut bytes).await.map_err(|error| NetError::io("read", &error))? == 0 {
            return Err(NetError::generic("unexpected EOF"));
        }
    }
}

/// Whether compression was agreed on, or why there is no agreement.
fn agreed(handshake: &Handshake<'_>, key: &str, response: &Response) -> Result<bool, String> {
    let says = |name: &str, word: &str| {
        let value = response.header(name).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    let accept = STANDARD.encode(Sha1::new().chain_update(key).chain_update(KEY_SUFFIX).finalize());
    let is_upgrade = response.status == 101
        && says("Upgrade", "websocket")
        && says("Connection", "Upgrade")
        && response.header("Sec-WebSocket-Accept") == Some(accept.as_str());
    if !is_upgrade {
        return Err("websocket: bad handshake".to_owned());
    }
    // A sub-protocol that was not offered is let pass, as k6 does: it is the script's to look at.
    let Some(extensions) = response.header("Sec-WebSocket-Extensions") else { return Ok(false) };
    let name = extensions.split([';', ',']).next().unwrap_or_default().trim();
    if name != "permessage-deflate" || !handshake.offers_deflate {
        return Err(format!(
            "websocket: the server chose the extension {extensions:?}, which was not offered"
        ));
    }
    let keeps_context = !extensions.contains("server_no_context_takeover");
    match keeps_context {
        true => Err("websocket: the server keeps its compression context, which was not offered".to_owned()),
        false => Ok(true),
    }
}

/// As much of a refusal's body as is announced, or as comes within a second, up to a bound.
async fn read_body(stream: &mut Stream, response: &Response, mut body: Vec<u8>) -> Vec<u8> {
    let announced = response.header("Content-Length").and_then(|length| length.trim().parse::<usize>().ok());
    let length = announced.unwrap_or(BODY_BYTES_MAX).min(BODY_BYTES_MAX);
    let reading =
        async { while body.len() < length && matches!(stream.read_buf(&mut body).await, Ok(1..)) {} };
    // The refusal stands, whatever becomes of its text.
    let _ = tokio::time::timeout(Duration::from_secs(1), reading).await;
    body.truncate(length);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers of the request that the caller's come to, without those that make the upgrade.
    #[track_caller]
    fn check(headers: &[(&str, &str)], expected: &[&str]) {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let handshake = Handshake {
            url: &Url::parse("ws://a.test:81/").unwrap(),
            headers: &headers,
            protocols: &[],
            offers_deflate: false,
            user_agent: "us",
            cookies: "",
        };
        let request = request(&handshake, "key");
        let lines = request.split_terminator("\r\n").skip(1);
        let is_ours = |line: &&str| OWN_HEADERS.iter().any(|name| line.starts_with(name));
        let seen: Vec<_> = lines.filter(|line| !line.is_empty() && !is_ours(line)).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn no_header_becomes_another() {
        let usual = ["Host: a.test:81", "User-Agent: us"];
        check(&[], &usual);
        check(&[("X-A", " a\r\nB: c\t\n"), ("x-b", " ")], &[usual[0], usual[1], "X-A: a  B: c", "x-b: "]);
        check(&[("A b", "x"), ("", "x"), ("A\r\nB", "x"), ("É", "x"), ("A:", "x")], &usual);
        check(&[("content-length", "5"), ("Transfer-Encoding", "chunked"), ("Trailer", "x")], &usual);
        check(&[("User-Agent", "a\nb"), ("Host", "b:1")], &["Host: b:1", "User-Agent: a b"]);
        check(&[("user-agent", ""), ("host", "b\r\nc")], &["Host: "]);
        check(&[("cookie", "a=b\r\nc")], &[usual[0], usual[1], "Cookie: a=b  c"]);
    }
}
