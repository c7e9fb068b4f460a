//! A rate limit as a tower layer.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use futures_util::future::{Either, Ready, ready};
use http::HeaderName;
use tower::{Layer, Service};

use super::{RateLimit, TrustedProxies};
use crate::kit::problem::Problem;

/// What tells clients apart.
#[derive(Clone, Debug)]
pub enum Key {
    /// The address; of IPv6 the first 64 bits, for one client has all the addresses below them.
    Address(TrustedProxies),
    /// The value of a header, and the address where it is missing. Only for what is verified further in, such as API keys: a
    /// client can send any value, and each new one has a new allowance.
    Header(HeaderName, TrustedProxies),
}

impl Key {
    fn check(&self, limit: &RateLimit, request: &Request) -> Result<(), Duration> {
        let (header, proxies) = match self {
            Self::Address(proxies) => (None, proxies),
            Self::Header(name, proxies) => (request.headers().get(name), proxies),
        };
        if let Some(value) = header {
            return limit.check(value.as_bytes());
        }
        // Requests that came over no connection, as in tests, are one client's.
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        limit.check(peer.map(|ConnectInfo(peer)| site(proxies.client(peer.ip(), request.headers()))))
    }
}

fn site(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// Answers with 429 what is above the limit, and lets the rest through.
#[derive(Clone, Debug)]
pub struct RateLayer {
    limit: Arc<RateLimit>,
    key: Arc<Key>,
}

impl RateLayer {
    /// Checks `limit` by `key`.
    pub fn new(limit: Arc<RateLimit>, key: Key) -> Self {
        Self { limit, key: Arc::new(key) }
    }
}

impl<S> Layer<S> for RateLayer {
    type Service = RateLimited<S>;

    fn layer(&self, inner: S) -> RateLimited<S> {
        RateLimited { layer: self.clone(), inner }
    }
}

/// A service behind a rate limit.
#[derive(Clone, Debug)]
pub struct RateLimited<S> {
    layer: RateLayer,
    inner: S,
}

impl<S> Service<Request> for RateLimited<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.layer.key.check(&self.layer.limit, &request) {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(after) => {
                let problem =
                    Problem::too_many_requests("this client has sent more requests than it may", after);
                Either::Right(ready(Ok(problem.into_response())))
            }
        }
    }
}
