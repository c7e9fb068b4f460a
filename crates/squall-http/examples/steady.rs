//! What requests cost in memory: allocations and bytes of a steady exchange, and the bytes that a VU holds between
//! two of them. The servers run in threads of this process and are not counted.
//!
//! `steady [ROUNDS]` makes so many requests a case (1,000 unless told) over one connection.

#![allow(clippy::print_stdout)]

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use squall_http::{Client, ClientConfig, Connections, CookieJar, Method, Request};
use squall_net::{Dialer, NetConfig};
use squall_testing::{Allocated, Authority, CountingAllocator, Target, Validity};
use url::Url;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const VUS: u64 = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(1_000), |rounds| rounds.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, measure(rounds))
}

async fn measure(rounds: u64) -> Result<(), Box<dyn std::error::Error>> {
    let authority = Authority::new();
    let credentials = authority.server(&["localhost"], Validity::Current);
    let mut net = NetConfig::default();
    let target = Target::start();
    net.tls.extra_roots_pem = vec![authority.pem(), target.ca_pem()];
    let client = Client::new(Arc::new(Dialer::new(net)?), ClientConfig::default());
    let plain = serve(None)?;
    let tls = serve(Some(credentials.server_config(&["http/1.1"], None)))?;
    let http = |path: &str| Url::parse(&format!("http://127.0.0.1:{plain}{path}"));
    let https = |path: &str| Url::parse(&format!("https://localhost:{tls}{path}"));
    let http2 = |bytes: u32| Url::parse(&target.https_url(&format!("/bytes/{bytes}")));
    let get = |url: Url| Request { jar: Some(Rc::default()), ..Request::new(Method::GET, url) };
    let discarded = |request: Request| Request { body_kept: false, ..request };
    let post = |url: Url| Request {
        method: Method::POST,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: Some(vec![b'x'; 1024].into()),
        ..get(url)
    };
    let with_cookies = |url: Url| {
        let mut jar = CookieJar::new();
        for name in ["session", "theme", "language"] {
            jar.set(&url, name, "some-value", &Default::default());
        }
        Request { jar: Some(Rc::new(RefCell::new(jar))), ..Request::new(Method::GET, url) }
    };
    let cases = [
        ("GET", get(http("/94")?)),
        ("GET, discarded", discarded(get(http("/94")?))),
        ("POST of 1 KB", post(http("/94")?)),
        ("GET, three cookies", with_cookies(http("/94")?)),
        ("GET of 100 KB", get(http("/102400")?)),
        ("GET of 100 KB, discarded", discarded(get(http("/102400")?))),
        ("HTTPS GET", get(https("/94")?)),
        ("HTTPS GET, discarded", discarded(get(https("/94")?))),
        ("HTTPS GET of 100 KB", get(https("/102400")?)),
        ("HTTPS POST of 1 KB", post(https("/94")?)),
        ("HTTP/2 GET", get(http2(94)?)),
        ("HTTP/2 GET, discarded", discarded(get(http2(94)?))),
        ("HTTP/2 GET of 100 KB", get(http2(102_400)?)),
        ("HTTP/2 POST of 1 KB", post(http2(94)?)),
    ];
    println!("{:26} {:>12} {:>12} {:>14}", "a steady exchange", "allocations", "bytes", "bytes of a VU");
    for (name, request) in &cases {
        let connections = Connections::new(1);
        for _ in 0..10 {
            exchange(&client, &connections, request).await?;
        }
        let before = Allocated::now();
        for _ in 0..rounds {
            exchange(&client, &connections, request).await?;
        }
        let spent = Allocated::since(before);
        let [allocations, bytes] = [spent.allocations, spent.bytes].map(|all| all as f64 / rounds as f64);
        let held = held(&client, request).await?;
        println!("{name:26} {allocations:>12.2} {bytes:>12.0} {held:>14.0}");
    }
    Ok(())
}

async fn exchange(client: &Client, connections: &Connections, request: &Request) -> io::Result<()> {
    let response = client.send(connections, request, &mut |_| {}).await;
    response.exchange.error.map_or(Ok(()), |error| Err(io::Error::other(error.text)))
}

/// What a VU holds after three requests: its connections and all that is behind them.
async fn held(client: &Client, request: &Request) -> io::Result<f64> {
    let mut vus = Vec::with_capacity(VUS as usize);
    let before = Allocated::now();
    for vu in 1..=VUS {
        let connections = Connections::new(vu);
        for _ in 0..3 {
            exchange(client, &connections, request).await?;
        }
        vus.push(connections);
    }
    Ok(Allocated::since(before).live_bytes as f64 / VUS as f64)
}

/// Answers `/N` with N bytes, on a free port.
fn serve(tls: Option<Arc<ServerConfig>>) -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let tls = tls.clone();
            // The client's end of a connection ends its thread.
            std::thread::spawn(move || {
                let _ = tcp.set_nodelay(true);
                match tls {
                    None => answer(tcp),
                    Some(config) => {
                        let connection = ServerConnection::new(config).map_err(io::Error::other)?;
                        answer(StreamOwned::new(connection, tcp))
                    }
                }
            });
        }
    });
    Ok(port)
}

fn answer(mut stream: impl Read + Write) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            receive(&mut stream, &mut buffer)?;
        };
        let text = String::from_utf8_lossy(&buffer[..head]);
        let number = |mark: &str| -> usize {
            let digits = text.split_once(mark).map_or("0", |(_, rest)| rest);
            digits.split(|char: char| !char.is_ascii_digit()).next().unwrap_or("0").parse().unwrap_or(0)
        };
        let (wanted, request_bytes) = (number(" /"), head + number("Content-Length: "));
        while buffer.len() < request_bytes {
            receive(&mut stream, &mut buffer)?;
        }
        buffer.drain(..request_bytes);
        let mut response = format!(
            "HTTP/1.1 200 OK\r\nServer: steady\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n\
             Content-Type: text/plain\r\nContent-Length: {wanted}\r\nConnection: keep-alive\r\n\r\n"
        );
        response.extend(std::iter::repeat_n('x', wanted));
        stream.write_all(response.as_bytes())?;
        stream.flush()?;
    }
}

fn receive(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<()> {
    let mut piece = [0; 16 * 1024];
    match stream.read(&mut piece)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        bytes => {
            buffer.extend_from_slice(&piece[..bytes]);
            Ok(())
        }
    }
}
