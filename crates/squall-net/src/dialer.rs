//! Dialling: rules about names, resolution, rules about addresses, TCP, proxy, TLS — in that order.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::network::Dialling;
use crate::resolver::Resolver;
use crate::stream::{Counted, Stream, Traffic};
use crate::tls::{TlsClient, TlsInfo, tls_error};
use crate::{ConfigError, NetConfig, NetError, Proxy, code, proxy};

/// k6's TCP keep-alive interval.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Where to connect to.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// A name or an address, IPv6 without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// How to speak to it.
    pub security: Security,
}

/// Plain or encrypted, and what to offer in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Plain TCP. A proxy gets the requests themselves.
    Plain,
    /// Plain TCP, through a tunnel where there is a proxy: for what is not HTTP.
    Tunnel,
    /// TLS that offers HTTP/1.1 only.
    Tls,
    /// TLS that offers HTTP/2 before HTTP/1.1.
    TlsHttp2,
}

/// A fresh connection and how it came about.
#[derive(Debug)]
pub struct Dialed {
    /// The stream, ready for the first request byte.
    pub stream: Stream,
    /// The peer: the server, or the proxy.
    pub remote: SocketAddr,
    /// Time to connect.
    pub connecting: Duration,
    /// Time for the TLS handshake; zero without.
    pub tls_handshaking: Duration,
    /// What the handshake agreed on.
    pub tls: Option<TlsInfo>,
    /// The server chose HTTP/2.
    pub http2: bool,
    /// Requests go to a plain proxy: use the absolute form and this authorization (which may be empty).
    pub forward_proxy: Option<Rc<str>>,
}

/// Why there is no connection, and how long the part of it that worked took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialError {
    /// What went wrong.
    pub error: NetError,
    /// Time to connect, when it was the TLS handshake that failed.
    pub connecting: Duration,
}

impl From<NetError> for DialError {
    fn from(error: NetError) -> Self {
        Self { error, connecting: Duration::ZERO }
    }
}

impl From<DialError> for NetError {
    fn from(failed: DialError) -> Self {
        failed.error
    }
}

/// Makes connections for all VUs of a process.
#[derive(Debug)]
pub struct Dialer {
    config: NetConfig,
    resolver: Resolver,
    tls: TlsClient,
}

impl Dialer {
    /// A dialer for `config`.
    ///
    /// # Errors
    /// TLS options that cannot be honoured, or client certificates that cannot be read.
    pub fn new(config: NetConfig) -> Result<Self, ConfigError> {
        let tls = TlsClient::new(&config.tls)?;
        let resolver = Resolver::new(config.dns.clone());
        Ok(Self { config, resolver, tls })
    }

    /// Connects VU `vu` (they count from 1) to `endpoint`, through the network of `traffic`, and counts the connection's
    /// bytes into it. `network_delay` gets how much of the time a network profile has taken, also when there is no
    /// connection, and when the future is dropped.
    ///
    /// # Errors
    /// With the codes 1100 to 1311 of [`code`].
    pub async fn dial(
        &self,
        endpoint: Endpoint<'_>,
        vu: u64,
        traffic: &Rc<Traffic>,
        network_delay: &mut Duration,
    ) -> Result<Dialed, DialError> {
        let mut dialling = Dialling::new(traffic.link(), network_delay);
        let dialed = self.dial_over(&mut dialling, endpoint, vu, traffic).await;
        dialed.map_err(|error| DialError { error, connecting: dialling.connecting })
    }

    async fn dial_over(
        &self,
        dialling: &mut Dialling<'_>,
        endpoint: Endpoint<'_>,
        vu: u64,
        traffic: &Rc<Traffic>,
    ) -> Result<Dialed, NetError> {
        let Endpoint { host, port, security } = endpoint;
        let is_tls = matches!(security, Security::Tls | Security::TlsHttp2);
        let proxy = self.config.proxies.proxy_for(host, port, is_tls);
        let (first_host, first_port) = proxy.map_or((host, port), |p| (p.host.as_str(), p.port));
        let remote = self.address_of(dialling, first_host, first_port).await?;

        let started = Instant::now();
        let tcp = self.connect(dialling, remote, vu).await?;
        dialling.connecting = started.elapsed();
        let mut tcp = Counted::new(tcp, traffic.clone());
        dialling.connected(tcp.passage());
        let proxy = match security {
            Security::Plain => proxy,
            _ => {
                if let Some(proxy) = proxy {
                    self.tunnel(&mut tcp, endpoint, proxy).await?;
                }
                None
            }
        };
        let dialed = match security {
            Security::Plain | Security::Tunnel => Dialed {
                stream: Stream::plain(tcp),
                remote,
                connecting: dialling.connecting,
                tls_handshaking: Duration::ZERO,
                tls: None,
                http2: false,
                forward_proxy: proxy.map(|p| p.authorization.as_deref().unwrap_or_default().into()),
            },
            Security::Tls | Security::TlsHttp2 => {
                let (stream, tls_handshaking) = self.secure(dialling, tcp, endpoint).await?;
                let (_, connection) = stream.get_ref();
                Dialed {
                    remote,
                    connecting: dialling.connecting,
                    tls_handshaking,
                    tls: TlsInfo::of(connection),
                    http2: connection.alpn_protocol() == Some(b"h2"),
                    forward_proxy: None,
                    stream: Stream::tls(stream),
                }
            }
        };
        dialling.shook_hands();
        Ok(dialed)
    }

    /// Makes a connection to the proxy one to the endpoint.
    async fn tunnel(&self, tcp: &mut Counted, endpoint: Endpoint<'_>, proxy: &Proxy) -> Result<(), NetError> {
        let connecting = proxy::connect(tcp, endpoint.host, endpoint.port, proxy);
        tokio::time::timeout(self.config.dial_timeout, connecting)
            .await
            .unwrap_or_else(|_| Err(NetError::dial_timeout()))
    }

    /// Makes TLS of a connection to the endpoint. Times the handshake.
    async fn secure(
        &self,
        dialling: &mut Dialling<'_>,
        tcp: Counted,
        endpoint: Endpoint<'_>,
    ) -> Result<(TlsStream<Counted>, Duration), NetError> {
        let Endpoint { host, security, .. } = endpoint;
        let started = Instant::now();
        dialling.secure().await;
        let stream = self.handshake(host, security, tcp).await?;
        Ok((stream, started.elapsed()))
    }

    /// The address for a name after all rules.
    async fn address_of(
        &self,
        dialling: &mut Dialling<'_>,
        host: &str,
        port: u16,
    ) -> Result<SocketAddr, NetError> {
        let address = match host.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, port),
            Err(_) => {
                if self.config.block_hostnames.matches(host) {
                    return Err(NetError::new(code::BLOCKED_HOSTNAME, "hostname is blocked"));
                }
                dialling.resolve().await?;
                match self.config.hosts.lookup(host, port) {
                    Some(address) => address,
                    None => SocketAddr::new(self.resolver.resolve(host).await?, port),
                }
            }
        };
        // An IPv4 address mapped into IPv6 is the same host.
        let ip = address.ip().to_canonical();
        if self.config.blacklist_ips.iter().any(|network| network.contains(&ip)) {
            return Err(NetError::new(code::BLACKLISTED_IP, "ip is blacklisted"));
        }
        Ok(address)
    }

    async fn connect(
        &self,
        dialling: &mut Dialling<'_>,
        remote: SocketAddr,
        vu: u64,
    ) -> Result<TcpStream, NetError> {
        let dial = async {
            let socket = if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            if let Some(local) = self.config.local_ips.address_of(vu) {
                socket.bind(SocketAddr::new(local, 0))?;
            }
            socket.set_nodelay(true)?;
            dialling.connect().await;
            let stream = socket.connect(remote).await?;
            let keep_alive = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE);
            socket2::SockRef::from(&stream).set_tcp_keepalive(&keep_alive)?;
            Ok(stream)
        };
        match tokio::time::timeout(self.config.dial_timeout, dial).await {
            Ok(connected) => connected.map_err(|error| NetError::dial(&error)),
            Err(_) => Err(NetError::dial_timeout()),
        }
    }

    async fn handshake(
        &self,
        host: &str,
        security: Security,
        tcp: Counted,
    ) -> Result<TlsStream<Counted>, NetError> {
        let name = ServerName::try_from(host.trim_end_matches('.').to_owned())
            .map_err(|_| NetError::new(code::TLS, format!("tls: invalid server name {host:?}")))?;
        let config = self.tls.config_for(host, security == Security::TlsHttp2);
        TlsConnector::from(config).connect(name, tcp).await.map_err(|error| match tls_error(&error) {
            Some(error) => error,
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => NetError::generic("EOF"),
            None => NetError::io("read", &error),
        })
    }
}
