//! What options and environment say about connections.

use std::path::PathBuf;
use std::time::Duration;

use squall_options::{Cidr, Dns, HostnamePatterns, Hosts, IpPool, Options};

use crate::ConfigError;
use crate::proxy::Proxies;
use crate::tls::TlsConfig;

/// Everything about connections that can be chosen. The default is k6's.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// `hosts`: addresses that replace name resolution.
    pub hosts: Hosts,
    /// `dns`: the cache of answers and the choice among them.
    pub dns: Dns,
    /// `blockHostnames`: names that are not dialled. Addresses are not names.
    pub block_hostnames: HostnamePatterns,
    /// `blacklistIPs`: addresses that are not dialled.
    pub blacklist_ips: Vec<Cidr>,
    /// `localIPs`: the pool of source addresses; empty leaves it to the system.
    pub local_ips: IpPool,
    /// Time to connect, a proxy's handshake included.
    pub dial_timeout: Duration,
    /// The TLS options.
    pub tls: TlsConfig,
    /// Proxies, usually from the environment.
    pub proxies: Proxies,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            hosts: Hosts::default(),
            dns: Dns::default(),
            block_hostnames: HostnamePatterns::default(),
            blacklist_ips: Vec::new(),
            local_ips: IpPool::default(),
            dial_timeout: Duration::from_secs(30),
            tls: TlsConfig::default(),
            proxies: Proxies::default(),
        }
    }
}

impl NetConfig {
    /// What `options` ask for, with the proxies and authorities that `variable` (the environment) names.
    ///
    /// # Errors
    /// A proxy that cannot be used.
    pub fn from_options(
        options: &Options,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let options = options.clone();
        Ok(Self {
            hosts: options.hosts.unwrap_or_default(),
            dns: options.dns.unwrap_or_default(),
            block_hostnames: options.block_hostnames.unwrap_or_default(),
            blacklist_ips: options.blacklist_ips.unwrap_or_default(),
            local_ips: options.local_ips.unwrap_or_default(),
            tls: TlsConfig {
                versions: options.tls_version.unwrap_or_default(),
                cipher_suites: options.tls_cipher_suites.unwrap_or_default(),
                insecure_skip_verify: options.insecure_skip_tls_verify.unwrap_or_default(),
                client_certificates: options.tls_auth.unwrap_or_default(),
                roots_file: variable("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from),
                extra_roots_pem: Vec::new(),
            },
            proxies: Proxies::from_env(variable)?,
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_option_arrives() {
        let json = r#"{
            "hosts": { "a.test": "10.0.0.1" }, "dns": { "ttl": "0" }, "blockHostnames": ["b.test"],
            "blacklistIPs": ["10.0.0.0/8"], "tlsVersion": "tls1.2", "insecureSkipTLSVerify": true,
            "tlsCipherSuites": ["TLS_AES_128_GCM_SHA256"], "tlsAuth": [{ "cert": "c", "key": "k" }]
        }"#;
        let (options, warnings) = Options::from_json(json).unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        let variable = |name: &str| (name == "HTTP_PROXY").then(|| "proxy.test".to_owned());
        let config = NetConfig::from_options(&options, variable).unwrap();
        assert_eq!(config.hosts.lookup("a.test", 80), Some(([10, 0, 0, 1], 80).into()));
        assert_eq!(config.dns.cache_time(), Some(Duration::ZERO));
        assert!(config.block_hostnames.matches("b.test"));
        assert_eq!(config.blacklist_ips, options.blacklist_ips.unwrap());
        assert_eq!(config.tls.versions, options.tls_version.unwrap());
        assert_eq!(config.tls.cipher_suites, options.tls_cipher_suites.unwrap());
        assert_eq!(config.tls.client_certificates, options.tls_auth.unwrap());
        assert!(config.tls.insecure_skip_verify);
        assert!(config.proxies.proxy_for("a.test", 80, false).is_some());
        let socks = |_: &str| Some("socks5://proxy.test".to_owned());
        assert!(NetConfig::from_options(&Options::default(), socks).is_err());
    }
}
