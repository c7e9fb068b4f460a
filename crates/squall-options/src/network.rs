//! Option values about names, addresses and TLS.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use serde_json::{Map, Value, json};

use crate::{Cidr, OptionValue, OptionsError, duration::parse_duration, node::Node, value::FromText};

/// The `dns` option. What is unset falls back to k6's defaults through the methods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dns {
    /// How long answers are kept.
    pub ttl: Option<DnsTtl>,
    /// Which of several addresses is used.
    pub select: Option<DnsSelect>,
    /// Which address family is used.
    pub policy: Option<DnsPolicy>,
}

impl Dns {
    /// How long answers are kept: 5 minutes by default, `None` is for ever.
    pub fn cache_time(&self) -> Option<Duration> {
        match &self.ttl {
            Some(ttl) => ttl.cache_time,
            None => Some(Duration::from_secs(5 * 60)),
        }
    }

    /// Takes from `lower` what is unset here.
    pub(crate) fn fill_from(&mut self, lower: &Dns) {
        self.ttl = self.ttl.take().or_else(|| lower.ttl.clone());
        self.select = self.select.or(lower.select);
        self.policy = self.policy.or(lower.policy);
    }

    fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
        match key {
            "ttl" => self.ttl = Some(text.parse()?),
            "select" => self.select = Some(by_name(&DnsSelect::ALL, DnsSelect::name, text)?),
            "policy" => self.policy = Some(by_name(&DnsPolicy::ALL, DnsPolicy::name, text)?),
            _ => return Err(format!("unknown key {key:?} (expected ttl, select or policy)")),
        }
        Ok(())
    }
}

impl OptionValue for Dns {
    fn from_json(node: &Node<'_>) -> Result<Dns, OptionsError> {
        let mut dns = Dns::default();
        for (key, member) in node.members()?.filter(|(key, _)| ["ttl", "select", "policy"].contains(key)) {
            dns.set(key, member.string()?).map_err(|message| member.error(message))?;
        }
        Ok(dns)
    }

    fn to_json(&self) -> Value {
        json!({
            "ttl": self.ttl.as_ref().map(|ttl| ttl.text.as_str()),
            "select": self.select.map(DnsSelect::name),
            "policy": self.policy.map(DnsPolicy::name),
        })
    }
}

impl FromText for Dns {
    /// `ttl=5m,select=random,policy=preferIPv4`, each part optional.
    fn from_text(text: &str) -> Result<Dns, String> {
        let mut dns = Dns::default();
        for part in text.split(',') {
            let (key, value) =
                part.split_once('=').ok_or_else(|| format!("expected key=value, found {part:?}"))?;
            dns.set(key.trim(), value.trim())?;
        }
        Ok(dns)
    }
}

/// How long a resolved name is kept: a duration, `0` or `inf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsTtl {
    text: String,
    /// `None` is for ever.
    cache_time: Option<Duration>,
}

impl FromStr for DnsTtl {
    type Err = String;

    fn from_str(text: &str) -> Result<DnsTtl, String> {
        let cache_time = if text == "inf" { None } else { Some(parse_duration(text)?) };
        Ok(DnsTtl { text: text.to_owned(), cache_time })
    }
}

/// Which of a name's addresses is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DnsSelect {
    /// `first`
    First,
    /// `random`
    #[default]
    Random,
    /// `roundRobin`
    RoundRobin,
}

impl DnsSelect {
    const ALL: [DnsSelect; 3] = [DnsSelect::First, DnsSelect::Random, DnsSelect::RoundRobin];

    fn name(self) -> &'static str {
        match self {
            DnsSelect::First => "first",
            DnsSelect::Random => "random",
            DnsSelect::RoundRobin => "roundRobin",
        }
    }
}

/// Which address family is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DnsPolicy {
    /// `preferIPv4`
    #[default]
    PreferIpv4,
    /// `preferIPv6`
    PreferIpv6,
    /// `onlyIPv4`
    OnlyIpv4,
    /// `onlyIPv6`
    OnlyIpv6,
    /// `any`
    Any,
}

impl DnsPolicy {
    const ALL: [DnsPolicy; 5] = [
        DnsPolicy::PreferIpv4,
        DnsPolicy::PreferIpv6,
        DnsPolicy::OnlyIpv4,
        DnsPolicy::OnlyIpv6,
        DnsPolicy::Any,
    ];

    fn name(self) -> &'static str {
        match self {
            DnsPolicy::PreferIpv4 => "preferIPv4",
            DnsPolicy::PreferIpv6 => "preferIPv6",
            DnsPolicy::OnlyIpv4 => "onlyIPv4",
            DnsPolicy::OnlyIpv6 => "onlyIPv6",
            DnsPolicy::Any => "any",
        }
    }
}

/// A TLS protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// `tls1.0`
    Tls10,
    /// `tls1.1`
    Tls11,
    /// `tls1.2`
    Tls12,
    /// `tls1.3`
    Tls13,
}

impl TlsVersion {
    const ALL: [TlsVersion; 4] = [TlsVersion::Tls10, TlsVersion::Tls11, TlsVersion::Tls12, TlsVersion::Tls13];

    /// As scripts write it: `tls1.3`.
    pub fn name(self) -> &'static str {
        match self {
            TlsVersion::Tls10 => "tls1.0",
            TlsVersion::Tls11 => "tls1.1",
            TlsVersion::Tls12 => "tls1.2",
            TlsVersion::Tls13 => "tls1.3",
        }
    }
}

impl OptionValue for TlsVersion {
    fn from_json(node: &Node<'_>) -> Result<TlsVersion, OptionsError> {
        by_name(&TlsVersion::ALL, TlsVersion::name, node.string()?).map_err(|message| node.error(message))
    }

    fn to_json(&self) -> Value {
        Value::from(self.name())
    }
}

/// The `tlsVersion` option: a range, or one version as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TlsVersions {
    /// Lowest version to offer.
    pub min: Option<TlsVersion>,
    /// Highest version to offer.
    pub max: Option<TlsVersion>,
}

impl OptionValue for TlsVersions {
    fn from_json(node: &Node<'_>) -> Result<TlsVersions, OptionsError> {
        if node.value() == "" {
            return Ok(TlsVersions::default());
        }
        if node.value().is_string() {
            let version = Some(TlsVersion::from_json(node)?);
            return Ok(TlsVersions { min: version, max: version });
        }
        let mut versions = TlsVersions::default();
        for (key, member) in node.members()? {
            match key {
                "min" => versions.min = Some(TlsVersion::from_json(&member)?),
                "max" => versions.max = Some(TlsVersion::from_json(&member)?),
                _ => (),
            }
        }
        Ok(versions)
    }

    fn to_json(&self) -> Value {
        let name = |version: Option<TlsVersion>| version.map_or("", TlsVersion::name);
        json!({ "min": name(self.min), "max": name(self.max) })
    }
}

/// The cipher suites that k6 knows; which of them can be offered is the TLS library's matter.
const CIPHER_SUITES: [&str; 25] = [
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];

/// A cipher suite that `tlsCipherSuites` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CipherSuite(&'static str);

impl CipherSuite {
    /// As scripts write it.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl FromText for CipherSuite {
    fn from_text(text: &str) -> Result<CipherSuite, String> {
        let known = CIPHER_SUITES.into_iter().find(|name| *name == text);
        known.map(CipherSuite).ok_or_else(|| format!("unknown cipher suite {text:?}"))
    }
}

impl OptionValue for CipherSuite {
    fn from_json(node: &Node<'_>) -> Result<CipherSuite, OptionsError> {
        CipherSuite::from_text(node.string()?).map_err(|message| node.error(message))
    }

    fn to_json(&self) -> Value {
        Value::from(self.name())
    }
}

/// A client certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsAuth {
    /// Certificate chain in PEM.
    pub cert: String,
    /// Private key in PEM.
    pub key: String,
    /// Password of the key.
    pub password: Option<String>,
    /// Hosts that it is for (`a.com`, `*.a.com`); empty is all.
    pub domains: Vec<String>,
}

impl OptionValue for TlsAuth {
    fn from_json(node: &Node<'_>) -> Result<TlsAuth, OptionsError> {
        let mut auth = TlsAuth::default();
        for (key, member) in node.members()? {
            match key {
                "cert" => auth.cert = String::from_json(&member)?,
                "key" => auth.key = String::from_json(&member)?,
                "password" => auth.password = Some(String::from_json(&member)?),
                "domains" => auth.domains = Vec::from_json(&member)?,
                _ => return Err(member.error("unknown key (expected cert, key, password or domains)")),
            }
        }
        Ok(auth)
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("cert".to_owned(), Value::from(self.cert.as_str()));
        map.insert("key".to_owned(), Value::from(self.key.as_str()));
        map.insert("password".to_owned(), self.password.as_deref().map_or(Value::Null, Value::from));
        let domains = if self.domains.is_empty() { Value::Null } else { self.domains.to_json() };
        map.insert("domains".to_owned(), domains);
        Value::Object(map)
    }
}

/// Names and wildcards (`a.com`, `*.a.com`, `*`); letter case does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostnamePatterns(Vec<String>);

impl HostnamePatterns {
    /// Reads patterns. The error is a clause that says what is wrong.
    pub fn new(patterns: Vec<String>) -> Result<HostnamePatterns, String> {
        match patterns.iter().find(|pattern| !is_hostname_pattern(pattern)) {
            Some(bad) => Err(format!("{bad:?} is not a host name pattern (like a.com or *.a.com)")),
            None => Ok(HostnamePatterns(patterns)),
        }
    }

    /// Whether any pattern matches `host`.
    pub fn matches(&self, host: &str) -> bool {
        self.0.iter().any(|pattern| pattern_matches(pattern, host))
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl OptionValue for HostnamePatterns {
    fn from_json(node: &Node<'_>) -> Result<HostnamePatterns, OptionsError> {
        HostnamePatterns::new(Vec::from_json(node)?).map_err(|message| node.error(message))
    }

    fn to_json(&self) -> Value {
        self.0.to_json()
    }
}

impl FromText for HostnamePatterns {
    fn from_text(text: &str) -> Result<HostnamePatterns, String> {
        HostnamePatterns::new(Vec::from_text(text)?)
    }
}

/// An address to use for a host; without a port the one of the request stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HostAddress {
    ip: IpAddr,
    port: Option<u16>,
}

impl FromStr for HostAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<HostAddress, String> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse() {
            return Ok(HostAddress { ip, port: None });
        }
        text.parse::<SocketAddr>()
            .map(|address| HostAddress { ip: address.ip(), port: Some(address.port()) })
            .map_err(|_| format!("{text:?} is not an address (like 10.0.0.1 or 10.0.0.1:8080)"))
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

/// The `hosts` option: addresses by `host`, `host:port` or `*.host`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hosts(BTreeMap<String, HostAddress>);

impl Hosts {
    /// Reads pairs of `host`, `host:port` or `*.host` and `ip` or `ip:port`. The error is a clause that says
    /// what is wrong.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Hosts, String> {
        let mut hosts = Hosts::default();
        for (pattern, address) in entries {
            hosts.insert(pattern, address)?;
        }
        Ok(hosts)
    }

    fn insert(&mut self, pattern: &str, address: &str) -> Result<(), String> {
        let host = pattern.rsplit_once(':').map_or(pattern, |(host, _)| host);
        if !is_hostname_pattern(host) {
            return Err(format!("{pattern:?} is not a host name pattern (like a.com, a.com:443 or *.a.com)"));
        }
        self.0.insert(pattern.to_lowercase(), address.parse()?);
        Ok(())
    }

    /// Where to connect to for `host` at `port`. An entry with the port wins over one without, a name over a
    /// wildcard, a long wildcard over a short one.
    pub fn lookup(&self, host: &str, port: u16) -> Option<SocketAddr> {
        if self.0.is_empty() {
            return None;
        }
        let host = host.to_lowercase();
        let found = self.find(&format!("{host}:{port}")).or_else(|| self.find(&host))?;
        Some(SocketAddr::new(found.ip, found.port.unwrap_or(port)))
    }

    fn find(&self, name: &str) -> Option<&HostAddress> {
        let wildcard = || {
            let has_port = |text: &str| text.contains(':');
            let matching = self
                .0
                .iter()
                .filter(|(pattern, _)| has_port(pattern) == has_port(name) && pattern_matches(pattern, name));
            matching.max_by_key(|(pattern, _)| pattern.len()).map(|(_, address)| address)
        };
        self.0.get(name).or_else(wildcard)
    }
}

impl OptionValue for Hosts {
    fn from_json(node: &Node<'_>) -> Result<Hosts, OptionsError> {
        let mut hosts = Hosts::default();
        for (pattern, address) in node.members()? {
            hosts.insert(pattern, address.string()?).map_err(|message| address.error(message))?;
        }
        Ok(hosts)
    }

    fn to_json(&self) -> Value {
        let entry =
            |(pattern, address): (&String, &HostAddress)| (pattern.clone(), Value::from(address.to_string()));
        Value::Object(self.0.iter().map(entry).collect())
    }
}

impl FromText for Hosts {
    fn from_text(text: &str) -> Result<Hosts, String> {
        let entries = BTreeMap::from_text(text)?;
        Hosts::new(entries.iter().map(|(pattern, address)| (pattern.as_str(), address.as_str())))
    }
}

fn is_hostname_pattern(pattern: &str) -> bool {
    let rest = pattern.strip_prefix('*').unwrap_or(pattern);
    !pattern.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Whether `pattern` matches `host`, in any letter case. A leading `*` stands for any text, also for none.
fn pattern_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => {
            let start = host.len().checked_sub(end.len());
            start.is_some_and(|start| host.as_bytes()[start..].eq_ignore_ascii_case(end.as_bytes()))
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// The `localIPs` option: addresses, ranges (`a-b`) and networks that VUs dial from in turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IpPool {
    text: String,
    blocks: Vec<IpBlock>,
}

/// Addresses in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IpBlock {
    first: IpAddr,
    len: u128,
}

impl IpPool {
    /// The address of the VU with that number (from 1); `None` when the pool is empty.
    pub fn address_of(&self, vu: u64) -> Option<IpAddr> {
        let size = self.blocks.iter().fold(0u128, |sum, block| sum.saturating_add(block.len));
        let mut index = u128::from(vu.saturating_sub(1)).checked_rem(size)?;
        for block in &self.blocks {
            if index < block.len {
                return Some(offset(block.first, index));
            }
            index -= block.len;
        }
        None
    }
}

impl FromText for IpPool {
    fn from_text(text: &str) -> Result<IpPool, String> {
        let blocks = text.split(',').map(|part| ip_block(part.trim())).collect::<Result<_, _>>()?;
        Ok(IpPool { text: text.to_owned(), blocks })
    }
}

impl OptionValue for IpPool {
    fn from_json(node: &Node<'_>) -> Result<IpPool, OptionsError> {
        IpPool::from_text(node.string()?).map_err(|message| node.error(message))
    }

    fn to_json(&self) -> Value {
        Value::from(self.text.as_str())
    }
}

fn ip_block(text: &str) -> Result<IpBlock, String> {
    let invalid =
        || format!("{text:?} is not an address, a range (10.0.0.1-10.0.0.9) or a network (10.0.0.0/24)");
    if let Ok(network) = text.parse::<Cidr>() {
        return Ok(network_block(network));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let first: IpAddr = first.trim().parse().map_err(|_| invalid())?;
    let last: IpAddr = last.trim().parse().map_err(|_| invalid())?;
    let (from, to) = (number(first), number(last));
    if first.is_ipv4() != last.is_ipv4() || from > to {
        return Err(invalid());
    }
    Ok(IpBlock { first, len: (to - from).saturating_add(1) })
}

/// The hosts of a network. Like k6, leaves out network and broadcast address where IPv4 has them.
fn network_block(network: Cidr) -> IpBlock {
    let (first, last) = (network.network(), network.broadcast());
    let len = (number(last) - number(first)).saturating_add(1);
    match first.is_ipv4() && network.prefix_len() < 31 {
        true => IpBlock { first: offset(first, 1), len: len - 2 },
        false => IpBlock { first, len },
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The address `distance` after `ip`; the caller stays within the family's range.
fn offset(ip: IpAddr, distance: u128) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4(ip.to_bits().wrapping_add(distance as u32).into()),
        IpAddr::V6(ip) => IpAddr::V6(ip.to_bits().wrapping_add(distance).into()),
    }
}

/// The member of `all` whose name is `text`.
fn by_name<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, text: &str) -> Result<T, String> {
    all.iter().copied().find(|&candidate| name(candidate) == text).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|&candidate| name(candidate)).collect();
        format!("expected one of {}, found {text:?}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn patterns_match_names_and_subdomains() {
        let patterns = HostnamePatterns::from_text("*.foo.com,Bar.com").expect("valid");
        for host in ["a.foo.com", "A.B.Foo.com", "bar.COM"] {
            assert!(patterns.matches(host), "{host}");
        }
        for host in ["foo.com", "a.bar.com", "xfoo.com", ""] {
            assert!(!patterns.matches(host), "{host}");
        }
        assert!(HostnamePatterns::from_text("*").expect("valid").matches("anything"));
        assert!(HostnamePatterns::from_text("*foo.com").expect("valid").matches("foo.com"));
        for bad in ["", "a b", "a*b", "**"] {
            assert!(HostnamePatterns::from_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_prefer_the_closest_entry() {
        let entries = [
            ("a.com", "1.1.1.1"),
            ("a.com:443", "2.2.2.2:8443"),
            ("*.com", "3.3.3.3"),
            ("*.b.com", "[::1]:80"),
            ("*", "4.4.4.4"),
            ("*.com:8080", "5.5.5.5"),
        ];
        let hosts = Hosts::new(entries).expect("valid");
        let check = |host, port, expected: &str| {
            let found = hosts.lookup(host, port).map(|address| address.to_string());
            assert_eq!(found.as_deref().unwrap_or("none"), expected, "{host}:{port}");
        };
        check("A.com", 80, "1.1.1.1:80");
        check("a.com", 443, "2.2.2.2:8443");
        check("x.b.com", 1, "[::1]:80");
        check("b.com", 1, "3.3.3.3:1");
        check("a.com", 8080, "5.5.5.5:8080");
        check("b.org", 1, "4.4.4.4:1");
        assert_eq!(Hosts::default().lookup("a.com", 80), None);
        assert!(Hosts::new([("a.com", "not an address")]).is_err());
        assert!(Hosts::new([("a*b", "1.1.1.1")]).is_err());
    }

    #[test]
    fn the_pool_deals_addresses_in_turn() {
        let pool = IpPool::from_text("10.0.0.1-10.0.0.2,192.168.0.0/30,fd00::/127").expect("valid");
        let dealt: Vec<_> = (1..=7).map(|vu| pool.address_of(vu).expect("not empty")).collect();
        let expected =
            ["10.0.0.1", "10.0.0.2", "192.168.0.1", "192.168.0.2", "fd00::", "fd00::1", "10.0.0.1"];
        assert_eq!(dealt, expected.map(ip));
        assert!(IpPool::from_text("10.0.0.9-10.0.0.1").is_err());
        assert!(IpPool::from_text("10.0.0.1-::1").is_err());
        assert!(IpPool::from_text("").is_err());
        assert_eq!(IpPool::from_text("::/0").expect("valid").address_of(2), Some(ip("::1")));
    }

    #[test]
    fn dns_reads_its_text_form() {
        let dns = Dns::from_text("ttl=inf,policy=onlyIPv6").expect("valid");
        assert_eq!((dns.cache_time(), dns.select, dns.policy), (None, None, Some(DnsPolicy::OnlyIpv6)));
        assert_eq!(Dns::default().cache_time(), Some(Duration::from_secs(300)));
        assert_eq!(
            Dns::from_text("select=best").unwrap_err(),
            r#"expected one of first, random, roundRobin, found "best""#
        );
    }
}
