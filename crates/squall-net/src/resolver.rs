//! Names to addresses: the system's resolver behind a cache that all VUs share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rand::seq::IndexedRandom as _;
use squall_options::{Dns, DnsPolicy, DnsSelect};
use tokio::time::Instant;

use crate::{NetError, code};

#[derive(Debug)]
pub(crate) struct Resolver {
    dns: Dns,
    cache: Mutex<HashMap<String, Arc<Entry>>>,
}

/// Whoever holds the lock asks; the others wait for the answer and take it.
#[derive(Debug, Default)]
struct Entry {
    answer: tokio::sync::Mutex<Option<Answer>>,
    next: AtomicUsize,
}

#[derive(Clone, Debug)]
struct Answer {
    ips: Vec<IpAddr>,
    at: Instant,
}

impl Resolver {
    pub(crate) fn new(dns: Dns) -> Self {
        Self { dns, cache: Mutex::default() }
    }

    /// One address of `host`, chosen by the configured policy.
    pub(crate) async fn resolve(&self, host: &str) -> Result<IpAddr, NetError> {
        let entry = self.entry(host);
        let mut answer = entry.answer.lock().await;
        let fresh = answer.as_ref().filter(|answer| self.is_fresh(answer));
        let ips = match fresh {
            Some(answer) => answer.ips.clone(),
            None => {
                let ips = by_policy(lookup(host).await?, self.dns.policy.unwrap_or_default());
                *answer = Some(Answer { ips: ips.clone(), at: Instant::now() });
                ips
            }
        };
        drop(answer);
        select(&ips, self.dns.select.unwrap_or_default(), &entry.next).ok_or_else(|| {
            // There are addresses, but none that the policy allows: k6 has no number for that.
            NetError::generic(format!("lookup {host}: no such host"))
        })
    }

    fn entry(&self, host: &str) -> Arc<Entry> {
        let mut cache = self.cache.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match cache.get(host) {
            Some(entry) => entry.clone(),
            None => cache.entry(host.to_owned()).or_default().clone(),
        }
    }

    fn is_fresh(&self, answer: &Answer) -> bool {
        self.dns.cache_time().is_none_or(|ttl| answer.at.elapsed() < ttl)
    }
}

async fn lookup(host: &str) -> Result<Vec<IpAddr>, NetError> {
    match tokio::net::lookup_host((host, 0)).await {
        Ok(addresses) => {
            let mut ips: Vec<IpAddr> = Vec::new();
            for address in addresses {
                if !ips.contains(&address.ip()) {
                    ips.push(address.ip());
                }
            }
            Ok(ips)
        }
        Err(error) => Err(lookup_error(&error.to_string())),
    }
}

/// The standard library keeps only getaddrinfo's text: "no such name" in the words of glibc, musl and macOS.
fn lookup_error(text: &str) -> NetError {
    const NOT_FOUND: [&str; 5] = [
        "Name or service not known",
        "No address associated with",
        "Name does not resolve",
        "Name has no usable address",
        "nodename nor servname",
    ];
    if NOT_FOUND.iter().any(|known| text.contains(known)) {
        return no_such_host();
    }
    let reason = text.strip_prefix("failed to lookup address information: ").unwrap_or(text);
    NetError::new(code::DNS, format!("lookup: {reason}"))
}

fn no_such_host() -> NetError {
    NetError::new(code::NO_SUCH_HOST, "lookup: no such host")
}

fn by_policy(ips: Vec<IpAddr>, policy: DnsPolicy) -> Vec<IpAddr> {
    let (v4, v6): (Vec<_>, Vec<_>) = ips.iter().copied().partition(IpAddr::is_ipv4);
    let prefer = |first: Vec<IpAddr>, second| if first.is_empty() { second } else { first };
    match policy {
        DnsPolicy::PreferIpv4 => prefer(v4, v6),
        DnsPolicy::PreferIpv6 => prefer(v6, v4),
        DnsPolicy::OnlyIpv4 => v4,
        DnsPolicy::OnlyIpv6 => v6,
        DnsPolicy::Any => ips,
    }
}

fn select(ips: &[IpAddr], select: DnsSelect, next: &AtomicUsize) -> Option<IpAddr> {
    match select {
        DnsSelect::First => ips.first().copied(),
        DnsSelect::Random => ips.choose(&mut rand::rng()).copied(),
        DnsSelect::RoundRobin if ips.is_empty() => None,
        DnsSelect::RoundRobin => Some(ips[next.fetch_add(1, Ordering::Relaxed) % ips.len()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_policy_chooses_the_family() {
        let check = |policy, expected: &[&str]| {
            assert_eq!(by_policy(ips(&["::1", "1.1.1.1", "::2"]), policy), ips(expected));
        };
        check(DnsPolicy::PreferIpv4, &["1.1.1.1"]);
        check(DnsPolicy::PreferIpv6, &["::1", "::2"]);
        check(DnsPolicy::OnlyIpv4, &["1.1.1.1"]);
        check(DnsPolicy::OnlyIpv6, &["::1", "::2"]);
        check(DnsPolicy::Any, &["::1", "1.1.1.1", "::2"]);
        assert_eq!(by_policy(ips(&["::1"]), DnsPolicy::PreferIpv4), ips(&["::1"]));
        assert!(by_policy(ips(&["::1"]), DnsPolicy::OnlyIpv4).is_empty());
    }

    #[test]
    fn round_robin_takes_turns() {
        let all = ips(&["1.1.1.1", "2.2.2.2"]);
        let next = AtomicUsize::new(0);
        let taken: Vec<_> = (0..3).filter_map(|_| select(&all, DnsSelect::RoundRobin, &next)).collect();
        assert_eq!(taken, ips(&["1.1.1.1", "2.2.2.2", "1.1.1.1"]));
        assert_eq!(select(&all, DnsSelect::First, &next), Some(all[0]));
        assert!(all.contains(&select(&all, DnsSelect::Random, &next).unwrap()));
        for choice in [DnsSelect::First, DnsSelect::Random, DnsSelect::RoundRobin] {
            assert_eq!(select(&[], choice, &next), None);
        }
    }

    #[test]
    fn lookup_errors_get_k6s_numbers() {
        let prefix = "failed to lookup address information";
        let check = |reason, code| {
            assert_eq!(lookup_error(&format!("{prefix}: {reason}")).code, code);
        };
        check("Name or service not known", code::NO_SUCH_HOST);
        check("No address associated with hostname", code::NO_SUCH_HOST);
        check("Temporary failure in name resolution", code::DNS);
    }

    #[tokio::test]
    async fn localhost_resolves_and_is_cached() {
        let resolver = Resolver::new(Dns::default());
        assert!(resolver.resolve("localhost").await.unwrap().is_loopback());
        let entry = resolver.entry("localhost");
        let at = entry.answer.lock().await.as_ref().unwrap().at;
        resolver.resolve("localhost").await.unwrap();
        assert_eq!(entry.answer.lock().await.as_ref().unwrap().at, at);
    }
}
