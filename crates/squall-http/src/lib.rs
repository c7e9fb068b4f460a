//! An HTTP client for load: own HTTP/1.1 and HTTP/2, for exact phase timings and a lean hot path.
//!
//! A [`Client`] is shared by the VUs of a worker thread; each VU has its [`Connections`]. [`Client::send`]
//! drives one call — dialling, redirects, cookies, authentication, decoding — and reports every hop as an
//! [`Exchange`]. What the numbers mean to a script is k6's: see [`squall_net::code`].
//!
//! Futures are not `Send`: run them on a current-thread runtime inside a `LocalSet`. Dropping one
//! cancels the call; its connection is closed, not pooled.

mod client;
mod connections;
mod cookies;
mod digest;
mod encoding;
mod exchange;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod h1;
mod h2;
mod headers;
mod limiter;
mod message;
mod multipart;
mod redirect;
mod request;
mod response;
mod timer;
mod wire_log;

pub use client::{Client, ClientConfig};
pub use connections::Connections;
pub use cookies::{CookieAttributes, CookieJar, ResponseCookie, response_cookies};
pub use encoding::{DECODED_BYTES_MAX, Encoding, UnknownEncoding, compress};
pub use exchange::{Exchange, NetworkDelay, Protocol, Timings, millis};
pub use headers::{Headers, canonical_name};
pub use limiter::RateLimiter;
pub use multipart::{Multipart, random_boundary};
pub use request::{Auth, DEFAULT_MAX_REDIRECTS, DEFAULT_TIMEOUT, Request, RequestCookie};
pub use response::Response;
pub use wire_log::{WireEvent, WireLog};

pub use http::Method;
pub use squall_net::{NetError, TlsInfo, code};
