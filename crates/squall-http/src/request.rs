//! A request as a caller states it, before it is rendered for a wire.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use url::Url;

use crate::cookies::{CookieJar, cookie_header};
use crate::encoding::Encoding;
use crate::wire_log::WireLog;

/// k6's default for the whole request, body and redirects included.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// k6's default for `maxRedirects`.
pub const DEFAULT_MAX_REDIRECTS: u32 = 10;

/// What to ask of a server. Build it once; sending only reads it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, used as it is.
    pub method: Method,
    /// An `http` or `https` URL; userinfo becomes basic (or digest) credentials.
    pub url: Rc<Url>,
    /// The caller's headers in any case and order. `Host` names the virtual host; `Content-Length`
    /// is ignored, the client knows it better.
    pub headers: Vec<(String, String)>,
    /// The body before compression. Empty is not the same as none: see `k6-surface`'s wire table.
    pub body: Option<Bytes>,
    /// Encodings to apply to the body, in order.
    pub compression: Vec<Encoding>,
    /// Time for everything: dialling, all hops, the last body byte.
    pub timeout: Duration,
    /// Redirects to follow; beyond it the 3xx itself is the response.
    pub max_redirects: u32,
    /// How to use the URL's credentials.
    pub auth: Auth,
    /// Whether the response's body is kept.
    pub body_kept: bool,
    /// Cookies of this request alone.
    pub cookies: Vec<RequestCookie>,
    /// The jar that gives and takes cookies.
    pub jar: Option<Rc<RefCell<CookieJar>>>,
    /// `httpDebug`: sees every message.
    pub wire_log: Option<WireLog>,
}

impl Request {
    /// A request with k6's defaults: no headers, no body, a minute, ten redirects, no jar.
    pub fn new(method: Method, url: impl Into<Rc<Url>>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            compression: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            max_redirects: DEFAULT_MAX_REDIRECTS,
            auth: Auth::Basic,
            body_kept: true,
            cookies: Vec::new(),
            jar: None,
            wire_log: None,
        }
    }

    /// The `Cookie` header that it is sent with if it is sent now; empty when there is none.
    pub fn cookie_header(&self) -> String {
        let own = self.headers.iter().rfind(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        let jar = self.jar.as_ref().map(|jar| jar.borrow());
        cookie_header(own.map(|(_, value)| value.as_str()), &self.cookies, jar.as_deref(), &self.url)
    }
}

/// How to use the credentials of a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Send them at once. What k6 does without `auth`.
    #[default]
    Basic,
    /// Ask first, take the 401, answer its challenge: always two requests a hop.
    Digest,
}

/// A cookie of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestCookie {
    /// Its name.
    pub name: String,
    /// Its value, sent as it is.
    pub value: String,
    /// Suppress the jar's cookie of this name; otherwise both are sent.
    pub replace: bool,
}
