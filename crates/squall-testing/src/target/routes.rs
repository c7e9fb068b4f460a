//! The endpoints.

use std::io::{self, Write as _};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::body::{Body, full, pieces, seeded};
use super::{digest, echo, websocket};

/// A request may not make the server allocate more than this.
const BODY_BYTES_MAX: usize = 100 << 20;

/// What `GET /` says.
const INDEX: &str = "\
/get /post /put /patch /delete  echo, one method each
/anything[/..]                  echo, any method
/headers /cookies               parts of the echo
/cookies/set?k=v                sets cookies, redirects to /cookies
/cookies/delete?k               deletes them
/status/N                       that status
/redirect/N                     N redirects, then /get
/redirect-to?url=U&status_code= a redirect
/basic-auth/U/P                 wants basic credentials
/digest-auth/QOP/U/P            wants digest credentials (auth, or none for RFC 2069)
/gzip /deflate /brotli /zstd    a JSON document in that coding
/json /html                     fixed documents
/bytes/N?seed=                  N bytes, the same for each seed
/stream/N                       N lines of JSON as chunks
/drip?numbytes=&duration_ms=    bytes spread over time
/delay-ms/N                     echo after N milliseconds
/response-headers?k=v           those headers
/close                          an answer that closes the connection
/drop                           closes the connection without an answer
";

const HTML: &str = "<!DOCTYPE html>\n<html>\n  <head><title>Squall</title></head>\n  <body>\n    \
    <h1 class=\"title\">Squall</h1>\n    <a href=\"/get?from=link\">a link</a>\n    \
    <form action=\"/post\" method=\"post\"><input name=\"name\" value=\"squall\">\
    <input type=\"submit\" name=\"go\" value=\"Go\"></form>\n  </body>\n</html>\n";

type Answer = Response<Body>;

/// Answers a request. An error closes the connection.
pub(super) async fn serve(request: Request<Incoming>, scheme: &'static str) -> io::Result<Answer> {
    let is_head = *request.method() == Method::HEAD;
    let answer = route(request, scheme).await?;
    // hyper leaves the body out by itself in HTTP/1.1 only.
    Ok(if is_head { without_body(answer) } else { answer })
}

/// The answer to HEAD: it tells the length of the body that it leaves out.
fn without_body(mut answer: Answer) -> Answer {
    let length = answer.body().size_hint().exact();
    *answer.body_mut() = full("");
    match length {
        Some(length) => with_header(answer, header::CONTENT_LENGTH, &length.to_string()),
        None => answer,
    }
}

async fn route(mut request: Request<Incoming>, scheme: &'static str) -> io::Result<Answer> {
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    if let Some(answer) = websocket::upgrade(&mut request, &segments) {
        return Ok(answer);
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    match segments[..] {
        ["delay-ms", ms] => {
            tokio::time::sleep(Duration::from_millis(number(ms).min(600_000))).await;
            Ok(json_answer(echo::request(&parts, &body, scheme)))
        }
        ["drop"] => Err(io::Error::other("asked to drop the connection")),
        _ => Ok(answer(&parts, &body, &segments, scheme)),
    }
}

fn answer(parts: &Parts, body: &Bytes, segments: &[&str], scheme: &str) -> Answer {
    let echo = || json_answer(echo::request(parts, body, scheme));
    match *segments {
        [""] => with_type("text/plain; charset=utf-8", full([INDEX, websocket::INDEX].concat())),
        ["get" | "post" | "put" | "patch" | "delete"] => match is_method(&parts.method, segments[0]) {
            true => echo(),
            false => text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n"),
        },
        ["anything", ..] => echo(),
        ["headers"] => json_answer(json!({ "headers": echo::headers(&parts.headers) })),
        ["cookies"] => json_answer(json!({ "cookies": cookies(parts) })),
        ["cookies", "set"] => set_cookies(parts, ""),
        ["cookies", "delete"] => set_cookies(parts, "; Max-Age=0"),
        ["status", code] => status(code),
        ["redirect", count] => match number(count) {
            0 | 1 => redirect(StatusCode::FOUND, "/get"),
            count => redirect(StatusCode::FOUND, &format!("/redirect/{}", count - 1)),
        },
        ["redirect-to"] => redirect_to(parts),
        ["basic-auth", user, password] => basic_auth(parts, user, password),
        ["digest-auth", qop, user, password] => digest_auth(parts, qop, user, password),
        ["gzip" | "deflate" | "brotli" | "zstd"] => encoded(segments[0]),
        ["json"] => json_answer(slideshow()),
        ["html"] => with_type("text/html; charset=utf-8", full(HTML)),
        ["bytes", length] => {
            let seed = number(&query(parts, "seed").unwrap_or_default());
            let length = (number(length) as usize).min(BODY_BYTES_MAX);
            with_type("application/octet-stream", full(seeded(length, seed)))
        }
        ["stream", count] => stream(number(count).min(100_000)),
        ["drip"] => drip(parts),
        ["response-headers"] => response_headers(parts),
        ["close"] => with_header(echo(), header::CONNECTION, "close"),
        _ => text(StatusCode::NOT_FOUND, "not found\n"),
    }
}

/// `/get` takes HEAD too.
fn is_method(method: &Method, name: &str) -> bool {
    method.as_str().eq_ignore_ascii_case(name) || (name == "get" && *method == Method::HEAD)
}

/// Zero when it is none: every request has an answer.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn query(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn with_type(content_type: &'static str, body: Body) -> Answer {
    with_header(Response::new(body), header::CONTENT_TYPE, content_type)
}

/// Adds a header; a value that cannot be one is left out.
fn with_header(mut answer: Answer, name: HeaderName, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().append(name, value);
    }
    answer
}

fn text(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = with_type("text/plain; charset=utf-8", full(text));
    *answer.status_mut() = status;
    answer
}

fn json_answer(value: Value) -> Answer {
    with_type("application/json", full(value.to_string()))
}

fn status(code: &str) -> Answer {
    let known = code.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
    let mut answer = Response::new(full(""));
    match known.filter(|status| *status >= StatusCode::OK) {
        Some(status) => *answer.status_mut() = status,
        None => return text(StatusCode::BAD_REQUEST, "not a status\n"),
    }
    if answer.status().is_redirection() && answer.status() != StatusCode::NOT_MODIFIED {
        return with_header(answer, header::LOCATION, "/get");
    }
    answer
}

fn redirect(status: StatusCode, location: &str) -> Answer {
    let mut answer = Response::new(full(""));
    *answer.status_mut() = status;
    with_header(answer, header::LOCATION, location)
}

fn redirect_to(parts: &Parts) -> Answer {
    let status = query(parts, "status_code").and_then(|code| code.parse().ok());
    let status = status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::FOUND);
    redirect(status, &query(parts, "url").unwrap_or_else(|| "/get".to_owned()))
}

fn cookies(parts: &Parts) -> Value {
    let mut cookies = Map::new();
    for pair in echo::header(&parts.headers, "cookie").split(';') {
        if let Some((name, value)) = pair.trim().split_once('=') {
            cookies.insert(name.to_owned(), value.into());
        }
    }
    Value::Object(cookies)
}

fn set_cookies(parts: &Parts, attributes: &str) -> Answer {
    let query = parts.uri.query().unwrap_or_default();
    let answer = redirect(StatusCode::FOUND, "/cookies");
    form_urlencoded::parse(query.as_bytes()).fold(answer, |answer, (name, value)| {
        with_header(answer, header::SET_COOKIE, &format!("{name}={value}; Path=/{attributes}"))
    })
}

fn basic_auth(parts: &Parts, user: &str, password: &str) -> Answer {
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let authorized = echo::header(&parts.headers, "authorization") == format!("Basic {credentials}");
    authentication(authorized, user, "Basic realm=\"squall\"")
}

fn digest_auth(parts: &Parts, qop: &str, user: &str, password: &str) -> Answer {
    let qop = if qop == "none" { "" } else { qop };
    let header = echo::header(&parts.headers, "authorization");
    let authorized = digest::is_authorized(header, parts.method.as_str(), user, password);
    authentication(authorized, user, &digest::challenge(qop))
}

fn authentication(authorized: bool, user: &str, challenge: &str) -> Answer {
    if authorized {
        return json_answer(json!({ "authenticated": true, "user": user }));
    }
    let mut answer = with_header(Response::new(full("")), header::WWW_AUTHENTICATE, challenge);
    *answer.status_mut() = StatusCode::UNAUTHORIZED;
    answer
}

fn encoded(coding: &str) -> Answer {
    let document = json!({ "coding": coding, "text": "squall ".repeat(100) }).to_string();
    let (name, body) = match coding {
        "gzip" => ("gzip", gzip(&document)),
        "deflate" => ("deflate", deflate(&document)),
        "brotli" => ("br", brotli(&document)),
        _ => ("zstd", zstd::encode_all(document.as_bytes(), 3)),
    };
    let body = body.expect("writing to memory does not fail");
    with_header(with_type("application/json", full(body)), header::CONTENT_ENCODING, name)
}

fn gzip(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

fn deflate(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

fn brotli(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.into_inner())
}

fn slideshow() -> Value {
    json!({
        "slideshow": {
            "author": "Ada",
            "date": "date of publication",
            "slides": [
                { "title": "Wind", "type": "all" },
                { "title": "Rain", "type": "all", "items": ["drops", "puddles"] },
            ],
            "title": "Weather",
        }
    })
}

fn stream(count: u64) -> Answer {
    let lines = (0..count).map(|id| Bytes::from(json!({ "id": id }).to_string() + "\n")).collect();
    with_type("application/x-ndjson", pieces(lines, Duration::ZERO))
}

fn drip(parts: &Parts) -> Answer {
    let bytes = query(parts, "numbytes").map_or(10, |count| number(&count)).min(10_000) as u32;
    let duration = query(parts, "duration_ms").map_or(1000, |ms| number(&ms)).min(600_000);
    let pause = Duration::from_millis(duration).checked_div(bytes).unwrap_or_default();
    let drops = vec![Bytes::from_static(b"*"); bytes as usize];
    with_type("application/octet-stream", pieces(drops, pause))
}

fn response_headers(parts: &Parts) -> Answer {
    let query = parts.uri.query().unwrap_or_default();
    let answer = json_answer(echo::args(parts));
    form_urlencoded::parse(query.as_bytes()).fold(
        answer,
        |answer, (name, value)| match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => with_header(answer, name, &value),
            Err(_) => answer,
        },
    )
}
