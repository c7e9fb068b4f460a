//! A deterministic HTTP server in the manner of httpbin: the same request gets the same answer.
//!
//! `GET /` lists the endpoints. It speaks HTTP/1.1 and WebSocket in plain, and HTTP/1.1, HTTP/2 and WebSocket over TLS.

mod body;
mod digest;
mod echo;
mod routes;
mod websocket;

use std::io;
use std::net::SocketAddr;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::certificates::{Authority, Validity};
use crate::scripted::loopback;
use crate::server::Server;

pub use self::websocket::frame as websocket_frame;

/// The server, plain and encrypted.
pub struct Target {
    plain: Server,
    tls: Option<Server>,
    authority: Authority,
}

/// Where and how to serve.
#[derive(Clone, Copy, Debug)]
pub struct TargetOptions {
    /// The address of the plain server; TLS takes a free port of the same address.
    pub listen: SocketAddr,
    /// Whether to serve TLS too.
    pub tls: bool,
}

impl Default for TargetOptions {
    fn default() -> Self {
        Self { listen: loopback(), tls: true }
    }
}

impl Target {
    /// Serves on free loopback ports.
    pub fn start() -> Self {
        Self::with_options(TargetOptions::default()).expect("loopback has free ports")
    }

    /// Serves as told.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn with_options(options: TargetOptions) -> io::Result<Self> {
        let authority = Authority::new();
        let plain = Server::start(options.listen, |tcp, _| serve_plain(tcp))?;
        let tls = match options.tls {
            true => {
                let credentials = authority.server(&["localhost", "127.0.0.1"], Validity::Current);
                let config = credentials.server_config(&["h2", "http/1.1"], None);
                let acceptor = TlsAcceptor::from(config);
                let address = SocketAddr::new(options.listen.ip(), 0);
                Some(Server::start(address, move |tcp, _| serve_tls(tcp, acceptor.clone()))?)
            }
            false => None,
        };
        Ok(Self { plain, tls, authority })
    }

    /// Where the plain server listens.
    pub fn address(&self) -> SocketAddr {
        self.plain.address
    }

    /// Where the TLS server listens.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls.as_ref().map(|server| server.address)
    }

    /// A plain URL.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// An https URL on `localhost`. Trust [`Target::ca_pem`] to use it.
    ///
    /// # Panics
    /// When the target was started without TLS.
    pub fn https_url(&self, path: &str) -> String {
        let address = self.tls_address().expect("the target serves TLS");
        format!("https://localhost:{}{path}", address.port())
    }

    /// The authority behind its certificate.
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }
}

async fn serve_plain(tcp: TcpStream) {
    serve_http1(TokioIo::new(tcp), "http").await;
}

async fn serve_tls(tcp: TcpStream, acceptor: TlsAcceptor) {
    let Ok(stream) = acceptor.accept(tcp).await else { return };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(stream);
    if !http2 {
        return serve_http1(io, "https").await;
    }
    let service = service_fn(|request| routes::serve(request, "https"));
    // A broken connection is the client's affair.
    let _ = http2::Builder::new(LocalExecutor).serve_connection(io, service).await;
}

async fn serve_http1(
    io: impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    scheme: &'static str,
) {
    let service = service_fn(|request| routes::serve(request, scheme));
    let _ = http1::Builder::new().serve_connection(io, service).with_upgrades().await;
}

#[derive(Clone)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
