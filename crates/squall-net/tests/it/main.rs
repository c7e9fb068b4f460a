//! Dialling against scripted servers.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use squall_net::{
    DialError, Dialed, Dialer, Endpoint, Link, NetConfig, NetError, Proxies, Security, Traffic,
};
use squall_options::{FromText as _, Hosts, IpPool, Network};
use squall_testing::{Authority, ScriptedServer, Signal, Step, Validity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Dials as VU 1.
async fn dial(
    config: NetConfig,
    host: &str,
    port: u16,
    security: Security,
) -> Result<(Dialed, Rc<Traffic>), NetError> {
    let traffic = Rc::new(Traffic::default());
    let dialer = Dialer::new(config).expect("the configuration is valid");
    let dialed =
        dialer.dial(Endpoint { host, port, security }, 1, &traffic, &mut Duration::default()).await?;
    Ok((dialed, traffic))
}

/// A configuration with one proxy for everything.
fn proxied(proxy: &ScriptedServer) -> NetConfig {
    let address = format!("http://u:p@{}", proxy.address());
    let proxies = Proxies::from_env(|name| name.starts_with("HTTP").then(|| address.clone()));
    NetConfig { proxies: proxies.expect("it is valid"), ..NetConfig::default() }
}

#[tokio::test]
async fn a_plain_stream_counts_its_bytes() {
    let server = ScriptedServer::start(vec![vec![Step::Read(4), Step::write("pong!")]]);
    let port = server.address().port();
    let (mut dialed, traffic) = dial(NetConfig::default(), "127.0.0.1", port, Security::Plain).await.unwrap();
    assert_eq!(dialed.remote, server.address());
    assert!(dialed.tls.is_none() && dialed.tls_handshaking.is_zero());
    dialed.stream.write_all(b"ping").await.unwrap();
    let mut answer = String::new();
    dialed.stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "pong!");
    assert_eq!(traffic.take(), (4, 5));
    assert_eq!(traffic.take(), (0, 0));
}

#[tokio::test]
async fn an_encrypted_stream_counts_what_is_on_the_wire() {
    let authority = Authority::new();
    let config = authority.server(&["a.test"], Validity::Current).server_config(&["h2"], None);
    let server = ScriptedServer::start_tls(config, vec![vec![Step::write("hi"), Step::ReadToEnd]]);
    let address = server.address().to_string();
    let mut config =
        NetConfig { hosts: Hosts::new([("a.test", address.as_str())]).unwrap(), ..NetConfig::default() };
    config.tls.extra_roots_pem = vec![authority.pem()];
    let (mut dialed, traffic) = dial(config, "a.test", 443, Security::TlsHttp2).await.unwrap();
    assert!(dialed.http2);
    assert_eq!(dialed.tls.unwrap().version, "tls1.3");
    let mut answer = [0; 2];
    dialed.stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"hi");
    let (sent, received) = traffic.take();
    assert!(sent > 100 && received > 500, "{sent} {received}");
}

#[tokio::test]
async fn a_dial_that_takes_too_long_ends() {
    // A proxy that never answers holds up the dial; a host that never does cannot be had offline.
    let never = Signal::new();
    let proxy = ScriptedServer::start(vec![vec![Step::read_head(), Step::Wait(never)]]);
    let config = NetConfig { dial_timeout: Duration::from_millis(20), ..proxied(&proxy) };
    let error = dial(config, "a.test", 443, Security::Tls).await.unwrap_err();
    assert_eq!((error.code, &*error.text), (1211, "dial: i/o timeout"));
}

#[tokio::test]
async fn a_tunnel_is_asked_for_and_may_be_refused() {
    let answers = ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", ""];
    let scripts = answers.map(|answer| vec![Step::read_head(), Step::write(answer)]);
    let proxy = ScriptedServer::start(scripts.to_vec());
    let error = dial(proxied(&proxy), "a.test", 443, Security::Tls).await.unwrap_err();
    assert_eq!(error, NetError::generic("Proxy Authentication Required"));
    assert_eq!(
        proxy.received_text(0),
        "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
    );
    // The tunnel stands, but there is no TLS behind it.
    let error = dial(proxied(&proxy), "a.test", 443, Security::Tls).await.unwrap_err();
    assert!(matches!(error.code, 1000 | 1220), "{error:?}");
    let error = dial(proxied(&proxy), "a.test", 443, Security::Tls).await.unwrap_err();
    assert_eq!(error, NetError::generic("unexpected EOF"));
}

/// A proxy that makes one tunnel, to `server` whatever it is asked for.
async fn tunnel_to(server: SocketAddr) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tunnel = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        let mut server = TcpStream::connect(server).await.unwrap();
        // Either side may end it.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        String::from_utf8(head).unwrap()
    });
    (address, tunnel)
}

#[tokio::test]
async fn tls_goes_through_a_tunnel() {
    let authority = Authority::new();
    let config = authority.server(&["a.test"], Validity::Current).server_config(&["h2"], None);
    let server = ScriptedServer::start_tls(config, vec![vec![Step::Read(4), Step::write("pong")]]);
    let (proxy, tunnel) = tunnel_to(server.address()).await;
    let proxies = Proxies::from_env(|name| (name == "HTTPS_PROXY").then(|| proxy.to_string())).unwrap();
    let mut config = NetConfig { proxies, ..NetConfig::default() };
    config.tls.extra_roots_pem = vec![authority.pem()];
    let (mut dialed, traffic) = dial(config, "a.test", 443, Security::TlsHttp2).await.unwrap();
    assert_eq!((dialed.remote, dialed.http2), (proxy, true));
    assert!(dialed.forward_proxy.is_none() && !dialed.tls_handshaking.is_zero());
    dialed.stream.write_all(b"ping").await.unwrap();
    let mut answer = [0; 4];
    dialed.stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"pong");
    let (sent, received) = traffic.take();
    assert!(sent > 200 && received > 500, "{sent} {received}");
    drop(dialed);
    assert!(tunnel.await.unwrap().starts_with("CONNECT a.test:443 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn what_is_not_http_goes_through_a_tunnel_too() {
    let server = ScriptedServer::start(vec![vec![Step::Read(4), Step::write("pong")]]);
    let (proxy, tunnel) = tunnel_to(server.address()).await;
    let proxies = Proxies::from_env(|name| (name == "HTTP_PROXY").then(|| proxy.to_string())).unwrap();
    let config = NetConfig { proxies, ..NetConfig::default() };
    let (mut dialed, _) = dial(config, "a.test", 80, Security::Tunnel).await.unwrap();
    assert!(dialed.forward_proxy.is_none() && dialed.tls.is_none());
    dialed.stream.write_all(b"ping").await.unwrap();
    let mut answer = [0; 4];
    dialed.stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"pong");
    drop(dialed);
    assert!(tunnel.await.unwrap().starts_with("CONNECT a.test:80 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn plain_requests_go_to_the_proxy_itself() {
    let proxy = ScriptedServer::start(vec![vec![Step::ReadToEnd]]);
    let (dialed, _) = dial(proxied(&proxy), "a.test", 80, Security::Plain).await.unwrap();
    assert_eq!(dialed.remote, proxy.address());
    assert_eq!(dialed.forward_proxy.as_deref(), Some("Basic dTpw"));
}

#[tokio::test]
async fn a_local_address_is_used_or_the_dial_fails() {
    let server = ScriptedServer::start(vec![vec![]]);
    let port = server.address().port();
    let from = |ip: &str| NetConfig { local_ips: IpPool::from_text(ip).unwrap(), ..NetConfig::default() };
    assert!(dial(from("127.0.0.1"), "127.0.0.1", port, Security::Plain).await.is_ok());
    // A documentation address (RFC 5737) belongs to no machine.
    let error = dial(from("192.0.2.1"), "127.0.0.1", port, Security::Plain).await.unwrap_err();
    assert_eq!(error.code, 1213, "{error}");
}

/// The network that an option asks for, for a test that begins now.
fn network(option: &str) -> Rc<Link> {
    let network = Network::from_text(option).expect("a network");
    let profile = network.of_scenario("any").expect("for everyone").of_vu(1, 0);
    Rc::new(Link::new(profile, 0, 1, tokio::time::Instant::now()))
}

/// Dials through such a network, and how much of the time that has taken.
async fn dial_through(
    option: &str,
    config: NetConfig,
    endpoint: Endpoint<'_>,
) -> (Result<Dialed, DialError>, Duration) {
    let traffic = Rc::new(Traffic::default());
    traffic.set_link(Some(network(option)));
    let dialer = Dialer::new(config).expect("the configuration is valid");
    let mut network_delay = Duration::ZERO;
    (dialer.dial(endpoint, 1, &traffic, &mut network_delay).await, network_delay)
}

#[tokio::test]
async fn a_bad_network_makes_dialling_slow() {
    let authority = Authority::new();
    let config = authority.server(&["a.test"], Validity::Current).server_config(&["h2"], None);
    let server = ScriptedServer::start_tls(config, vec![vec![Step::ReadToEnd]]);
    let address = server.address().to_string();
    let mut config =
        NetConfig { hosts: Hosts::new([("a.test", address.as_str())]).unwrap(), ..NetConfig::default() };
    config.tls.extra_roots_pem = vec![authority.pem()];
    let option = r#"{"latency": 30, "dns": {"delay": 40}, "tls": {"delay": 50}}"#;
    let endpoint = Endpoint { host: "a.test", port: 443, security: Security::TlsHttp2 };
    let (dialed, delay) = dial_through(option, config, endpoint).await;
    let dialed = dialed.unwrap();
    let ms = Duration::from_millis;
    assert!(dialed.connecting >= ms(30), "{:?}", dialed.connecting);
    // The delay, and the handshake's round trip.
    assert!(dialed.tls_handshaking >= ms(80), "{:?}", dialed.tls_handshaking);
    let all = dialed.connecting + dialed.tls_handshaking + ms(40);
    assert!(delay >= ms(150) && delay < all + ms(20), "{delay:?} of {all:?}");
}

#[tokio::test]
async fn the_way_to_the_proxys_tunnel_is_the_networks_too() {
    let server = ScriptedServer::start(vec![vec![Step::ReadToEnd]]);
    let (proxy, _tunnel) = tunnel_to(server.address()).await;
    let proxies = Proxies::from_env(|name| (name == "HTTP_PROXY").then(|| proxy.to_string())).unwrap();
    let config = NetConfig { proxies, ..NetConfig::default() };
    let endpoint = Endpoint { host: "a.test", port: 80, security: Security::Tunnel };
    let (dialed, delay) = dial_through(r#"{"latency": 100}"#, config, endpoint).await;
    dialed.unwrap();
    // TCP's round trip, and that of asking for the tunnel.
    assert!(delay >= Duration::from_millis(200), "{delay:?}");
}

#[tokio::test]
async fn a_bad_network_may_not_connect_at_all() {
    let server = ScriptedServer::start(vec![]);
    let port = server.address().port();
    let lost = NetConfig { dial_timeout: Duration::from_millis(20), ..NetConfig::default() };
    let endpoint = Endpoint { host: "127.0.0.1", port, security: Security::Plain };
    let (failed, delay) = dial_through(r#"{"loss": 1}"#, lost, endpoint).await;
    let failed = failed.unwrap_err();
    assert_eq!((failed.error.code, &*failed.error.text), (1211, "dial: i/o timeout"));
    assert!(delay >= Duration::from_millis(20), "{delay:?}");

    let endpoint = Endpoint { host: "localhost", ..endpoint };
    let (failed, _) = dial_through(r#"{"dns": {"failure": 1}}"#, NetConfig::default(), endpoint).await;
    let failed = failed.unwrap_err();
    assert_eq!((failed.error.code, &*failed.error.text), (1100, "lookup: server misbehaving"));
}
