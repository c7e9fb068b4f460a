//! From a host name to a byte stream: name resolution, address rules, TCP, proxies and TLS, each phase
//! timed. What is said over the stream is left to the protocol crates.
//!
//! One [`Dialer`] serves a process; worker threads share it. A dialed [`Stream`] counts its raw bytes
//! into the [`Traffic`] of whoever asked for it.

mod dialer;
mod error;
mod hosts;
mod proxy;
mod resolver;
mod stream;
mod tls;

pub use dialer::{Dialed, Dialer, Endpoint, NetConfig, Security};
pub use error::{ConfigError, NetError, code};
pub use hosts::{HostOverrides, HostPatterns, IpRange};
pub use proxy::{Proxies, Proxy};
pub use resolver::{DnsConfig, DnsPolicy, DnsSelect};
pub use stream::{Stream, Traffic};
pub use tls::{ClientCertificate, TlsConfig, TlsInfo, TlsVersion};
