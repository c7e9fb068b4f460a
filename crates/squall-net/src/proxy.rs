//! Proxies from the environment, by the rules of Go's `net/http`, and the CONNECT handshake.

use std::net::IpAddr;

use squall_options::Cidr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::stream::Counted;
use crate::{ConfigError, NetError};

/// A proxy's answer to CONNECT may not be longer than this.
const CONNECT_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Which proxy to use for which request.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    exceptions: Exceptions,
}

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The value for `Proxy-Authorization`.
    pub authorization: Option<String>,
}

impl Proxies {
    /// Proxies from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, upper case before lower, as `variable` reads them.
    ///
    /// # Errors
    /// A proxy that is not `http://`.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| {
            let spellings = [name.to_owned(), name.to_ascii_lowercase()];
            spellings.iter().filter_map(|name| variable(name)).find(|value| !value.is_empty())
        };
        let proxy = |name: &str| get(name).map(|value| Proxy::parse(&value)).transpose();
        Ok(Self {
            http: proxy("HTTP_PROXY")?,
            https: proxy("HTTPS_PROXY")?,
            exceptions: get("NO_PROXY").map(|list| Exceptions::parse(&list)).unwrap_or_default(),
        })
    }

    /// The proxy for a request. Loopback is always reached directly.
    pub fn proxy_for(&self, host: &str, port: u16, tls: bool) -> Option<&Proxy> {
        let proxy = if tls { self.https.as_ref() } else { self.http.as_ref() }?;
        let direct = is_loopback(host) || self.exceptions.matches(host, port);
        (!direct).then_some(proxy)
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

impl Proxy {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::new("invalid proxy address");
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some((scheme, _)) => {
                return Err(ConfigError::new(format!("proxy scheme {scheme}:// is not supported")));
            }
            None => text,
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let (userinfo, address) = match authority.rsplit_once('@') {
            Some((userinfo, address)) => (Some(userinfo), address),
            None => (None, authority),
        };
        let (host, port) = split_port(address);
        let port = match port {
            Some(port) => port.parse().map_err(|_| invalid())?,
            None => 80,
        };
        if host.is_empty() {
            return Err(invalid());
        }
        let authorization = userinfo.map(basic_authorization);
        Ok(Self { host: host.to_owned(), port, authorization })
    }
}

fn basic_authorization(userinfo: &str) -> String {
    use base64::Engine as _;
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let credentials = [decode(user), decode(password)].join(&b':');
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials))
}

/// Splits `host:port`; the brackets of an IPv6 address go.
fn split_port(address: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match address.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, Some(port)),
        _ => (address, None),
    }
}

#[derive(Clone, Debug, Default)]
struct Exceptions(Vec<Exception>);

#[derive(Clone, Debug)]
enum Exception {
    All,
    Network(Cidr),
    /// A domain and what is below it.
    Domain {
        /// Starts with a dot.
        suffix: String,
        /// It was written with a dot: the domain itself is no exception.
        below_only: bool,
        port: Option<u16>,
    },
}

impl Exceptions {
    fn parse(list: &str) -> Self {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        Self(entries.map(Exception::parse).collect())
    }

    fn matches(&self, host: &str, port: u16) -> bool {
        let ip: Option<IpAddr> = host.parse().ok();
        let host = host.to_ascii_lowercase();
        self.0.iter().any(|exception| match exception {
            Exception::All => true,
            Exception::Network(network) => ip.is_some_and(|ip| network.contains(&ip)),
            Exception::Domain { suffix, below_only, port: only } => {
                let itself = !below_only && host == suffix[1..];
                only.is_none_or(|only| only == port) && (itself || host.ends_with(suffix.as_str()))
            }
        })
    }
}

impl Exception {
    fn parse(entry: &str) -> Self {
        if entry == "*" {
            return Self::All;
        }
        if let Ok(network) = entry.parse().or_else(|_| entry.parse::<IpAddr>().map(Cidr::from)) {
            return Self::Network(network);
        }
        let (host, port) = split_port(entry);
        let port = port.and_then(|port| port.parse().ok());
        let host = host.to_ascii_lowercase();
        let host = host.strip_prefix('*').unwrap_or(&host);
        let below_only = host.starts_with('.');
        let suffix = if below_only { host.to_owned() } else { format!(".{host}") };
        Self::Domain { suffix, below_only, port }
    }
}

/// Asks the proxy at the other end of `stream` for a tunnel to `host:port`.
pub(crate) async fn connect(
    stream: &mut Counted,
    host: &str,
    port: u16,
    proxy: &Proxy,
) -> Result<(), NetError> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(authorization) = &proxy.authorization {
        head.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.map_err(|error| NetError::io("write", &error))?;
    let answer = read_head(stream).await?;
    let status_line = answer.lines().next().unwrap_or_default();
    match status_line.split_once(' ') {
        Some((version, status)) if version.starts_with("HTTP/1.") => match status.get(..3) {
            Some("200") => Ok(()),
            // Go's error is the text after the status code.
            _ => Err(NetError::generic(status.get(4..).unwrap_or(status).to_owned())),
        },
        _ => Err(NetError::generic(format!("malformed HTTP response {status_line:?}"))),
    }
}

/// One byte at a time: what follows the head belongs to the tunnel, and this is done once a connection.
async fn read_head(stream: &mut Counted) -> Result<String, NetError> {
    let mut head = Vec::with_capacity(128);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == CONNECT_HEAD_BYTES_MAX {
            return Err(NetError::generic("proxy: the response to CONNECT is too long"));
        }
        head.push(stream.read_u8().await.map_err(|error| NetError::io("read", &error))?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, ConfigError> {
        Proxies::from_env(|name| {
            let (_, value) = variables.iter().find(|(have, _)| *have == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn the_environment_names_a_proxy_for_each_scheme() {
        let proxies = proxies(&[
            ("HTTP_PROXY", "http://u%20:p@proxy.test:3128/"),
            ("http_proxy", "http://not-this-one.test"),
            ("https_proxy", "[::1]:8080"),
        ]);
        let proxies = proxies.unwrap();
        let proxy = proxies.proxy_for("a.test", 80, false).unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("proxy.test", 3128));
        assert_eq!(proxy.authorization.as_deref(), Some("Basic dSA6cA=="));
        let proxy = proxies.proxy_for("a.test", 443, true).unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("::1", 8080));
        for loopback in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            assert_eq!(proxies.proxy_for(loopback, 80, false), None, "{loopback}");
        }
    }

    #[test]
    fn bad_proxies_are_refused() {
        for bad in ["socks5://x", "http://", "http://x:port", "http://x:99999"] {
            assert!(proxies(&[("HTTP_PROXY", bad)]).is_err(), "{bad}");
        }
        assert!(proxies(&[("HTTP_PROXY", "")]).unwrap().proxy_for("a.test", 80, false).is_none());
    }

    #[test]
    fn exceptions_follow_go() {
        let check = |no_proxy: &str, direct: &[&str], proxied: &[&str]| {
            let proxies = proxies(&[("HTTP_PROXY", "proxy.test"), ("NO_PROXY", no_proxy)]).unwrap();
            for (hosts, expected) in [(direct, true), (proxied, false)] {
                for host in hosts {
                    let is_direct = proxies.proxy_for(host, 80, false).is_none();
                    assert_eq!(is_direct, expected, "{host} with {no_proxy}");
                }
            }
        };
        check("*", &["a.test", "1.2.3.4"], &[]);
        check("a.test, b.test:80", &["A.test", "x.a.test", "b.test"], &["xa.test", "test"]);
        check(".a.test,*.c.test", &["x.a.test", "x.c.test"], &["a.test", "c.test"]);
        check("b.test:81", &[], &["b.test"]);
        check("10.0.0.0/8,1.2.3.4", &["10.1.1.1", "1.2.3.4"], &["11.0.0.1", "a.test"]);
    }
}
