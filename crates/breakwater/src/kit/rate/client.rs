//! Which address a request comes from.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The networks whose word on the client's address is taken.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Without networks `X-Forwarded-For` is ignored.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client of a request that came over a connection from `peer`: the peer itself, unless it is a trusted proxy. Each
    /// proxy appends to `X-Forwarded-For` whom it was asked by, so the list is true from its right end up to the first
    /// address that is not a trusted proxy, and that is the client. What is left of it anybody can have written.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR);
        let mut hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        while self.trusts(client) {
            let Some(hop) = hops.next() else { break };
            // An unreadable one ends the list: whoever wrote it is the last that is known.
            let Some(address) = address(hop) else { break };
            client = address;
        }
        client
    }
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let plain = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = plain.parse().or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}
