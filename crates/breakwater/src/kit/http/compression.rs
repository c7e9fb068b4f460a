//! Compression of responses: gzip, for clients that accept it, from 1 KB.
//!
//! [`Compression`] compresses each response anew. What is kept in a cache can be kept compressed instead: [`Encoding`] tells how
//! this client takes it, [`Encoding::encode`] prepares the bytes once, [`ready_json`] sends them as they are.
//!
//! A client that sends `X-No-Compression: 1` gets everything plain, whatever it accepts: for debugging, and for load tests
//! that compare. Responses with secrets in them must not be compressed next to text that others choose (BREACH), so sign-in
//! stays outside of this layer.

use std::{
    convert::Infallible,
    io::Write,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use tower::{Layer, Service};
use tower_http::compression::{
    self, CompressionBody, CompressionLayer,
    predicate::{And, NotForContentType, Predicate, SizeAbove},
};

/// Says that nothing be compressed.
pub const NO_COMPRESSION: HeaderName = HeaderName::from_static("x-no-compression");

/// Shorter responses gain less than a packet and cost the same.
const BYTES_MIN: usize = 1024;
/// zlib's own choice between size and time.
const LEVEL: u32 = 6;
/// How gzip begins, and no JSON does (RFC 1952, section 2.3.1).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// How a client takes a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// What the request's headers say (RFC 9110, section 12.5.3). What cannot be understood is not accepted.
    pub fn of(headers: &HeaderMap) -> Self {
        if headers.get(NO_COMPRESSION).is_some_and(|value| value != "0") {
            return Self::Identity;
        }
        let mut any = false;
        for line in headers.get_all(header::ACCEPT_ENCODING) {
            for part in line.to_str().unwrap_or_default().split(',') {
                let (name, weight) = part.split_once(';').unwrap_or((part, "q=1"));
                let weight = weight.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.strip_prefix('='));
                let wanted = weight.and_then(|weight| weight.parse().ok()).is_some_and(|q: f32| q > 0.0);
                match name.trim() {
                    name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                        return if wanted { Self::Gzip } else { Self::Identity };
                    }
                    "*" => any = wanted,
                    _ => {}
                }
            }
        }
        if any { Self::Gzip } else { Self::Identity }
    }

    /// For keys of a cache.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
        }
    }

    /// `body` as this client takes it: compressed, if it is long enough.
    pub fn encode(self, body: Vec<u8>) -> Bytes {
        if self == Self::Identity || body.len() < BYTES_MIN {
            return body.into();
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), flate2::Compression::new(LEVEL));
        encoder.write_all(&body).and_then(|()| encoder.finish()).expect("a Vec takes everything").into()
    }
}

impl<S: Sync> FromRequestParts<S> for Encoding {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// A response of JSON that [`Encoding::encode`] has prepared.
pub fn ready_json(body: Bytes) -> Response {
    let gzip = body.starts_with(GZIP_MAGIC);
    let mut response = Body::from(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

type When = And<And<SizeAbove, NotForContentType>, NotForContentType>;

/// Compresses what is not compressed yet.
#[derive(Clone)]
pub struct Compression(CompressionLayer<When>);

impl Default for Compression {
    fn default() -> Self {
        // Events must not wait in the encoder, and images are compressed.
        let when = SizeAbove::new(BYTES_MIN as u64)
            .and(NotForContentType::SSE)
            .and(NotForContentType::const_new("image/"));
        let quality = compression::CompressionLevel::Precise(LEVEL as i32);
        Self(CompressionLayer::new().quality(quality).compress_when(when))
    }
}

impl<S> Layer<S> for Compression {
    type Service = Compressed<S>;

    fn layer(&self, inner: S) -> Compressed<S> {
        Compressed(self.0.layer(inner))
    }
}

/// A service with [`Compression`].
#[derive(Clone)]
pub struct Compressed<S>(compression::Compression<S, When>);

impl<S> Service<Request> for Compressed<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response<CompressionBody<Body>>;
    type Error = S::Error;
    type Future = compression::ResponseFuture<S::Future, When>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    /// The layer below gets one plain word to decide by.
    fn call(&mut self, mut request: Request) -> Self::Future {
        let encoding = Encoding::of(request.headers());
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding.name()));
        self.0.call(request)
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn what_clients_say_they_accept() {
        for (said, expected) in [
            ("gzip", Encoding::Gzip),
            ("br, GZIP;q=0.5", Encoding::Gzip),
            ("deflate, *", Encoding::Gzip),
            ("*, gzip;q=0", Encoding::Identity),
            ("gzip;q=0.000", Encoding::Identity),
            ("gzip;q=x", Encoding::Identity),
            ("identity", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, said.parse().unwrap());
            assert_eq!(Encoding::of(&headers), expected, "{said}");
            headers.insert(NO_COMPRESSION, "1".parse().unwrap());
            assert_eq!(Encoding::of(&headers), Encoding::Identity, "{said}");
        }
        assert_eq!(Encoding::of(&HeaderMap::new()), Encoding::Identity);
    }

    async fn ask(length: usize, headers: &[(HeaderName, &str)]) -> (HeaderMap, Bytes) {
        let text = "a".repeat(length);
        let router = Router::new().route("/", get(async || text)).layer(Compression::default());
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        assert_eq!(head.status, 200);
        (head.headers, body.collect().await.unwrap().to_bytes())
    }

    fn plain(gzip: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip), &mut plain).unwrap();
        plain
    }

    #[tokio::test]
    async fn responses_are_compressed_from_a_kilobyte() {
        let accepted = [(header::ACCEPT_ENCODING, "gzip, br")];
        let (headers, body) = ask(1023, &accepted).await;
        assert!(headers.get(header::CONTENT_ENCODING).is_none());
        assert_eq!(body.len(), 1023);
        let (headers, body) = ask(1024, &accepted).await;
        assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
        assert_eq!(headers[header::VARY], "accept-encoding");
        assert_eq!(plain(&body), "a".repeat(1024).as_bytes());
    }

    #[tokio::test]
    async fn whoever_does_not_want_it_gets_it_plain() {
        for headers in [
            vec![],
            vec![(header::ACCEPT_ENCODING, "gzip"), (NO_COMPRESSION, "1")],
            vec![(header::ACCEPT_ENCODING, "gzip;q=0")],
            // Nothing is acceptable: plain is better than nothing.
            vec![(header::ACCEPT_ENCODING, "identity;q=0, br")],
        ] {
            let (answer, body) = ask(5000, &headers).await;
            assert!(answer.get(header::CONTENT_ENCODING).is_none(), "{headers:?}");
            assert_eq!(answer[header::VARY], "accept-encoding");
            assert_eq!(body.len(), 5000);
        }
    }

    #[tokio::test]
    async fn what_is_kept_compressed_is_sent_as_it_is() {
        let text = format!("[{:2000}]", 1);
        for (encoding, compressed) in [(Encoding::Gzip, true), (Encoding::Identity, false)] {
            let kept = encoding.encode(text.clone().into_bytes());
            let response = ready_json(kept.clone());
            assert_eq!(response.headers().contains_key(header::CONTENT_ENCODING), compressed);
            let read = if compressed { plain(&kept) } else { kept.to_vec() };
            assert_eq!(read, text.as_bytes());
        }
        assert_eq!(Encoding::Gzip.encode(b"[1]".to_vec()), "[1]", "too short to gain");
    }
}
