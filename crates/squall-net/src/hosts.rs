//! Rules about names and addresses: `hosts`, `blockHostnames` and `blacklistIPs`.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::ConfigError;

/// A set of host name patterns: a name, or `*` and the end of a name. Case does not matter.
#[derive(Clone, Debug, Default)]
pub struct HostPatterns(Vec<String>);

impl HostPatterns {
    /// Reads patterns.
    ///
    /// # Errors
    /// A `*` anywhere but at the start, or an empty pattern.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, ConfigError> {
        patterns.into_iter().map(checked_pattern).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `host` is one of them.
    pub fn matches(&self, host: &str) -> bool {
        self.0.iter().any(|pattern| pattern_matches(pattern, host))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn checked_pattern(pattern: &str) -> Result<String, ConfigError> {
    if pattern.is_empty() || pattern.strip_prefix('*').unwrap_or(pattern).contains('*') {
        return Err(ConfigError::new(format!("invalid host name pattern '{pattern}'")));
    }
    Ok(pattern.to_ascii_lowercase())
}

/// `pattern` is in lower case.
fn pattern_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        None => pattern.eq_ignore_ascii_case(host),
        Some(end) => {
            host.len() >= end.len()
                && host.as_bytes()[host.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
        }
    }
}

/// `options.hosts`: addresses that replace name resolution.
#[derive(Clone, Debug, Default)]
pub struct HostOverrides {
    exact: HashMap<String, Override>,
    /// Longest first, so that the closest rule wins.
    wildcards: Vec<(String, Override)>,
}

#[derive(Clone, Copy, Debug)]
struct Override {
    ip: IpAddr,
    port: Option<u16>,
}

impl HostOverrides {
    /// Reads pairs of `host`, `host:port` or `*.host` and `ip` or `ip:port`.
    ///
    /// # Errors
    /// A value that is no address, or a malformed pattern.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ConfigError> {
        let mut overrides = Self::default();
        for (host, address) in entries {
            let host = checked_pattern(host)?;
            let address = address.parse()?;
            if host.starts_with('*') {
                overrides.wildcards.push((host, address));
            } else {
                overrides.exact.insert(host, address);
            }
        }
        overrides.wildcards.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.len()));
        Ok(overrides)
    }

    /// The address to dial for `host` and `port`. A rule for the port beats one for the host alone,
    /// a name beats a wildcard.
    pub fn get(&self, host: &str, port: u16) -> Option<SocketAddr> {
        if self.exact.is_empty() && self.wildcards.is_empty() {
            return None;
        }
        let host = host.to_ascii_lowercase();
        let with_port = format!("{host}:{port}");
        let found = self.lookup(&with_port).or_else(|| self.lookup(&host))?;
        Some(SocketAddr::new(found.ip, found.port.unwrap_or(port)))
    }

    fn lookup(&self, host: &str) -> Option<&Override> {
        let wildcard =
            || self.wildcards.iter().find(|(pattern, _)| pattern_matches(pattern, host)).map(|(_, to)| to);
        self.exact.get(host).or_else(wildcard)
    }
}

impl FromStr for Override {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self { ip: address.ip(), port: Some(address.port()) });
        }
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        match bare.parse() {
            Ok(ip) => Ok(Self { ip, port: None }),
            Err(_) => Err(ConfigError::new(format!("invalid IP address '{text}' in hosts"))),
        }
    }
}

/// A block of addresses in CIDR notation. A lone address is a block of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpRange {
    network: IpAddr,
    prefix: u8,
}

impl IpRange {
    /// Whether `ip` lies in the block. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.network, ip.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                let host_bits = 32 - u32::from(self.prefix);
                let block = |ip: u32| u64::from(ip) >> host_bits;
                block(network.to_bits()) == block(ip.to_bits())
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                let host_bits = 128 - u32::from(self.prefix);
                let block = |ip: u128| ip.checked_shr(host_bits).unwrap_or(0);
                block(network.to_bits()) == block(ip.to_bits())
            }
            _ => false,
        }
    }
}

impl FromStr for IpRange {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::new(format!("invalid CIDR address: {text}"));
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().map_err(|_| invalid())?;
        let bits = if network.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().ok().filter(|p| *p <= bits).ok_or_else(invalid)?,
            None => bits,
        };
        Ok(Self { network, prefix })
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_and_endings() {
        let patterns = HostPatterns::new(["Exact.test", "*.example.com", "*wild.test"]).unwrap();
        for host in ["exact.TEST", "a.example.com", "a.b.Example.com", "verywild.test"] {
            assert!(patterns.matches(host), "{host}");
        }
        for host in ["example.com", "an.exact.test", "wild.test.org", ""] {
            assert!(!patterns.matches(host), "{host}");
        }
        for bad in ["", "a*b", "**", "é*"] {
            assert!(HostPatterns::new([bad]).is_err(), "{bad}");
        }
        assert!(HostPatterns::new(["é"]).is_ok_and(|patterns| patterns.matches("é")));
    }

    #[test]
    fn the_closest_override_wins() {
        let hosts = HostOverrides::new([
            ("a.test", "10.0.0.1"),
            ("a.test:8080", "10.0.0.2:80"),
            ("*.test", "10.0.0.3"),
            ("*.deep.test", "[::1]:9"),
        ])
        .unwrap();
        let check = |host, port, expected: &str| {
            let found = hosts.get(host, port).map(|a| a.to_string()).unwrap_or_default();
            assert_eq!(found, expected, "{host}:{port}");
        };
        check("A.test", 80, "10.0.0.1:80");
        check("a.test", 8080, "10.0.0.2:80");
        check("b.test", 81, "10.0.0.3:81");
        check("x.deep.test", 81, "[::1]:9");
        check("other", 80, "");
        assert!(HostOverrides::new([("a", "not an address")]).is_err());
    }

    #[test]
    fn ranges_hold_their_addresses() {
        let check = |range: &str, ip: &str, expected| {
            let range: IpRange = range.parse().unwrap();
            assert_eq!(range.contains(ip.parse().unwrap()), expected, "{range} {ip}");
        };
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("0.0.0.0/0", "1.2.3.4", true);
        check("::/0", "::5", true);
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "::ffff:127.0.0.1", true);
        check("fe80::/10", "fe90::1", true);
        check("fe80::/10", "10.0.0.1", false);
        for bad in ["", "10.0.0.0/33", "x/8", "10.0.0.0/-1", "::/129"] {
            assert!(bad.parse::<IpRange>().is_err(), "{bad}");
        }
    }
}
