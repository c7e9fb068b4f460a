//! The cookie jar: RFC 6265 storage by `cookie_store`, with the operations k6's jar has.

use cookie_store::{CookieExpiration, CookieStore, RawCookie};
use url::Url;

use crate::headers::Headers;
use crate::request::RequestCookie;

/// What k6 shows as `expires` of a session cookie: Go's zero time in Unix milliseconds, wrapped.
const SESSION_EXPIRES_MS: i64 = -6_795_364_578_871;

/// A VU's cookies.
#[derive(Debug, Default)]
pub struct CookieJar {
    store: CookieStore,
}

/// The attributes of a cookie that a script puts into a jar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieAttributes {
    /// The domain it goes to; none means the URL's host alone.
    pub domain: Option<String>,
    /// The path it goes to; none means the URL's directory.
    pub path: Option<String>,
    /// An HTTP date (RFC 1123).
    pub expires: Option<String>,
    /// Seconds to live; 0 is not set, negative is expired.
    pub max_age_s: i64,
    /// For https only.
    pub secure: bool,
    /// Not for scripts in pages.
    pub http_only: bool,
}

/// A cookie of a response, as `res.cookies` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The `Domain` attribute or empty.
    pub domain: String,
    /// The `Path` attribute or empty.
    pub path: String,
    /// The `HttpOnly` attribute.
    pub http_only: bool,
    /// The `Secure` attribute.
    pub secure: bool,
    /// Seconds to live; 0 is not set, negative is expired.
    pub max_age_s: i64,
    /// Unix milliseconds; a fixed negative number for a session cookie.
    pub expires_ms: i64,
}

impl CookieJar {
    /// An empty jar.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the jar has nothing to send to anybody.
    pub fn is_empty(&self) -> bool {
        self.store.iter_any().next().is_none()
    }

    /// Names and values (without quotes) that go to `url`: longer paths first, then in order of arrival.
    pub fn cookies_for_url(&self, url: &Url) -> Vec<(&str, &str)> {
        let mut matching = self.store.matches(url);
        // The library trusts loopback as if it were https, as browsers do; Go does not.
        matching.retain(|cookie| url.scheme() == "https" || cookie.secure() != Some(true));
        matching.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        matching.into_iter().map(|cookie| (cookie.name(), cookie.value_trimmed())).collect()
    }

    /// Puts a cookie for `url` into the jar. A cookie the URL may not set is dropped, as a browser does.
    pub fn set(&mut self, url: &Url, name: &str, value: &str, attributes: &CookieAttributes) {
        // The library reads attributes from text; name and value must not be read as such.
        let Ok(mut cookie) = RawCookie::parse(attributes.to_line()) else { return };
        cookie.set_name(name.to_owned());
        cookie.set_value(value.to_owned());
        // The error says why a cookie was refused; browsers and k6 are silent about it.
        let _ = self.store.insert_raw(&cookie, url);
    }

    /// Drops every cookie that goes to `url`.
    pub fn clear(&mut self, url: &Url) {
        self.remove_matching(url, |_| true);
    }

    /// Drops the cookies called `name` that go to `url`.
    pub fn delete(&mut self, url: &Url, name: &str) {
        self.remove_matching(url, |have| have == name);
    }

    /// Takes the cookies a response from `url` sets. Malformed ones are skipped.
    pub fn store_response(&mut self, url: &Url, headers: &Headers) {
        for line in headers.get_all("set-cookie") {
            if let Ok(line) = std::str::from_utf8(line) {
                self.store_line(url, line);
            }
        }
    }

    /// Takes a cookie as a `Set-Cookie` header of a response from `url` has it. A malformed one is skipped.
    pub fn store_line(&mut self, url: &Url, line: &str) {
        let _ = self.store.parse(line, url);
    }

    /// The `Cookie` header for `url`; empty when there is none.
    pub fn header_for_url(&self, url: &Url) -> String {
        cookie_header(None, &[], Some(self), url)
    }

    fn remove_matching(&mut self, url: &Url, wanted: impl Fn(&str) -> bool) {
        let doomed: Vec<_> = self
            .store
            .matches(url)
            .into_iter()
            .filter(|cookie| wanted(cookie.name()))
            .map(|c| (String::from(&c.domain), String::from(&c.path), c.name().to_owned()))
            .collect();
        for (domain, path, name) in doomed {
            self.store.remove(&domain, &path, &name);
        }
    }
}

impl CookieAttributes {
    /// A `Set-Cookie` line with a name and a value that stand for any.
    fn to_line(&self) -> String {
        let mut line = "name=value".to_owned();
        let mut attribute = |key: &str, value: &str| {
            line.push_str("; ");
            line.push_str(key);
            line.push('=');
            line.push_str(value);
        };
        for (key, value) in [("Domain", &self.domain), ("Path", &self.path), ("Expires", &self.expires)] {
            if let Some(value) = value {
                attribute(key, value);
            }
        }
        if self.max_age_s != 0 {
            attribute("Max-Age", &self.max_age_s.max(0).to_string());
        }
        if self.secure {
            attribute("Secure", "");
        }
        if self.http_only {
            attribute("HttpOnly", "");
        }
        line
    }
}

/// The cookies a response sets.
pub fn response_cookies(headers: &Headers) -> Vec<ResponseCookie> {
    headers
        .get_all("set-cookie")
        .filter_map(|line| RawCookie::parse(std::str::from_utf8(line).ok()?).ok())
        .map(|cookie| ResponseCookie {
            name: cookie.name().to_owned(),
            value: cookie.value_trimmed().to_owned(),
            domain: cookie.domain().unwrap_or_default().to_owned(),
            path: cookie.path().unwrap_or_default().to_owned(),
            http_only: cookie.http_only().unwrap_or(false),
            secure: cookie.secure().unwrap_or(false),
            // Go tells "expire now" (-1) from "not set" (0).
            max_age_s: cookie.max_age().map_or(0, |age| match age.whole_seconds() {
                0 => -1,
                seconds => seconds,
            }),
            expires_ms: expires_ms(&cookie),
        })
        .collect()
}

fn expires_ms(cookie: &RawCookie<'_>) -> i64 {
    match cookie.expires().map(CookieExpiration::from) {
        Some(CookieExpiration::AtUtc(time)) => (time.unix_timestamp_nanos() / 1_000_000) as i64,
        _ => SESSION_EXPIRES_MS,
    }
}

/// The `Cookie` header for `url`: the caller's own header, the request's cookies, the jar's. Empty when
/// there is none.
pub(crate) fn cookie_header(
    own: Option<&str>,
    request: &[RequestCookie],
    jar: Option<&CookieJar>,
    url: &Url,
) -> String {
    let mut header = own.unwrap_or_default().to_owned();
    for cookie in request {
        push_pair(&mut header, &cookie.name, &cookie.value);
    }
    let replaced = |name: &str| request.iter().any(|cookie| cookie.replace && cookie.name == name);
    let jar = jar.filter(|jar| !jar.is_empty());
    for (name, value) in jar.map(|jar| jar.cookies_for_url(url)).unwrap_or_default() {
        if !replaced(name) {
            push_pair(&mut header, name, value);
        }
    }
    header
}

/// Go's rules: bytes that a value may not have are left out, and spaces and commas put it in quotes.
fn push_pair(header: &mut String, name: &str, value: &str) {
    if !header.is_empty() {
        header.push_str("; ");
    }
    header.extend(name.chars().map(|char| if matches!(char, '\r' | '\n') { '-' } else { char }));
    header.push('=');
    let quote = if value.contains([' ', ',']) { "\"" } else { "" };
    header.push_str(quote);
    header
        .extend(value.chars().filter(|char| matches!(char, ' '..='~') && !matches!(char, '"' | ';' | '\\')));
    header.push_str(quote);
}
