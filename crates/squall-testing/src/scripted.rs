//! A server that follows a script a connection: what arrives, what is written and when, how it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::server::Server;

/// One thing a connection does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Read until these bytes have come (since the last read step ended).
    ReadUntil(Bytes),
    /// Read so many bytes.
    Read(usize),
    /// Read until the client closes.
    ReadToEnd,
    /// Write.
    Write(Bytes),
    /// Wait for the test, or another connection, to fire a signal.
    Wait(Signal),
    /// Fire a signal.
    Fire(Signal),
    /// Send a FIN but keep the connection.
    Shutdown,
    /// End with a RST.
    Reset,
}

impl Step {
    /// Reads a request's head.
    pub fn read_head() -> Self {
        Self::ReadUntil(Bytes::from_static(b"\r\n\r\n"))
    }

    /// Writes text.
    pub fn write(text: &str) -> Self {
        Self::Write(Bytes::copy_from_slice(text.as_bytes()))
    }
}

/// Something that happens once a firing; clones are the same signal.
#[derive(Clone, Debug)]
pub struct Signal(Arc<Semaphore>);

impl Signal {
    /// A signal that has not been fired.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets one waiter through, now or later.
    pub fn fire(&self) {
        self.0.add_permits(1);
    }

    /// Waits for a firing and uses it up.
    pub async fn wait(&self) {
        self.0.acquire().await.expect("it is never closed").forget();
    }
}

impl Default for Signal {
    fn default() -> Self {
        Self::new()
    }
}

/// The server. Connection number n follows script n; a connection too many is closed at once. At a
/// script's end the server closes its side, and the connection once the client has closed too.
pub struct ScriptedServer {
    server: Server,
    received: Received,
}

type Received = Arc<Mutex<Vec<Vec<u8>>>>;

impl ScriptedServer {
    /// Plain TCP.
    pub fn start(scripts: Vec<Vec<Step>>) -> Self {
        Self::start_with(scripts, None)
    }

    /// TLS.
    pub fn start_tls(config: Arc<ServerConfig>, scripts: Vec<Vec<Step>>) -> Self {
        Self::start_with(scripts, Some(config.into()))
    }

    fn start_with(scripts: Vec<Vec<Step>>, tls: Option<TlsAcceptor>) -> Self {
        let received: Received = Arc::new(Mutex::new(vec![Vec::new(); scripts.len()]));
        let log = received.clone();
        let serve = move |tcp, number: usize| {
            let script = scripts.get(number).cloned();
            let (log, tls) = (log.clone(), tls.clone());
            async move {
                if let Some(script) = script {
                    // The client's faults show in what the test sees of the client.
                    let _ = serve(tcp, tls, script, number, &log).await;
                }
            }
        };
        let server = Server::start(loopback(), serve).expect("loopback has a free port");
        Self { server, received }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// `http://` with its address and `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// `https://localhost` with its port and `path`.
    pub fn https_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address().port())
    }

    /// All that connection `number` has received so far.
    pub fn received(&self, number: usize) -> Vec<u8> {
        self.received.lock().expect("no holder panics")[number].clone()
    }

    /// The same as text.
    pub fn received_text(&self, number: usize) -> String {
        String::from_utf8_lossy(&self.received(number)).into_owned()
    }
}

pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn serve(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    script: Vec<Step>,
    number: usize,
    log: &Received,
) -> io::Result<()> {
    // A second handle on the socket, to reset it under TLS.
    let raw = socket2::SockRef::from(&tcp).try_clone()?;
    match tls {
        None => follow(tcp, &raw, script, number, log).await,
        Some(acceptor) => follow(acceptor.accept(tcp).await?, &raw, script, number, log).await,
    }
}

async fn follow(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    raw: &socket2::Socket,
    script: Vec<Step>,
    number: usize,
    log: &Received,
) -> io::Result<()> {
    for step in script {
        match step {
            Step::ReadUntil(end) => {
                let mut since = Vec::new();
                while !since.ends_with(&end) {
                    let byte = stream.read_u8().await?;
                    since.push(byte);
                    record(log, number, &[byte]);
                }
            }
            Step::Read(bytes) => {
                let mut data = vec![0; bytes];
                stream.read_exact(&mut data).await?;
                record(log, number, &data);
            }
            Step::ReadToEnd => {
                let mut data = Vec::new();
                let end = stream.read_to_end(&mut data).await;
                record(log, number, &data);
                end?;
            }
            Step::Write(data) => {
                stream.write_all(&data).await?;
                stream.flush().await?;
            }
            Step::Wait(signal) => signal.wait().await,
            Step::Fire(signal) => signal.fire(),
            Step::Shutdown => stream.shutdown().await?,
            Step::Reset => {
                raw.set_linger(Some(Duration::ZERO))?;
                return Ok(());
            }
        }
    }
    stream.shutdown().await?;
    // A socket closed with bytes unread resets its connection, and the reset may overtake what was written.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

fn record(log: &Received, number: usize, data: &[u8]) {
    log.lock().expect("no holder panics")[number].extend_from_slice(data);
}
