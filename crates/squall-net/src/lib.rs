//! From a host name to a byte stream: name resolution, address rules, TCP, proxies and TLS, each phase
//! timed. What is said over the stream is left to the protocol crates. A VU's connections may have to go through a bad
//! [`Link`].
//!
//! One [`Dialer`] serves a process; worker threads share it. A dialed [`Stream`] counts its raw bytes
//! into the [`Traffic`] of whoever asked for it.

mod config;
mod dialer;
mod error;
mod network;
mod private_key;
mod proxy;
mod resolver;
mod stream;
mod tls;
mod verifier;

pub use config::NetConfig;
pub use dialer::{DialError, Dialed, Dialer, Endpoint, Security};
pub use error::{ConfigError, NetError, code};
pub use network::{Fault, Link, Passage};
pub use proxy::{Proxies, Proxy};
pub use stream::{Stream, Traffic};
pub use tls::{TlsConfig, TlsInfo};
