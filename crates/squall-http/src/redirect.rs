//! Where a response leads to: the rules of Go's `net/http`.

use std::rc::Rc;

use http::Method;
use squall_net::NetError;
use url::Url;

use crate::headers::Headers;

/// What to ask next.
#[derive(Debug)]
pub(crate) struct Redirect {
    pub(crate) method: Method,
    pub(crate) url: Rc<Url>,
    /// The body goes along.
    pub(crate) keeps_body: bool,
    /// The value for `Referer`.
    pub(crate) referer: Option<String>,
    /// `Location` named no host: a `Host` header of the caller's stays.
    pub(crate) is_relative: bool,
}

/// The redirect in a response, if it is one.
///
/// # Errors
/// A `Location` that is no URL.
pub(crate) fn next(
    method: &Method,
    url: &Url,
    status: u16,
    headers: &Headers,
) -> Result<Option<Redirect>, NetError> {
    let (method, keeps_body) = match status {
        301..=303 if *method == Method::HEAD => (Method::HEAD, false),
        301..=303 => (Method::GET, false),
        307 | 308 => (method.clone(), true),
        _ => return Ok(None),
    };
    let Some(location) = headers.get("location").filter(|location| !location.is_empty()) else {
        return Ok(None);
    };
    let malformed = |why: &dyn std::fmt::Display| {
        NetError::generic(format!("failed to parse Location header {location:?}: {why}"))
    };
    if location.starts_with(':') {
        // A path for browsers, but Go looks for the scheme before the colon.
        return Err(malformed(&format_args!("parse {location:?}: missing protocol scheme")));
    }
    let target = url.join(location).map_err(|error| malformed(&error))?;
    Ok(Some(Redirect {
        method,
        referer: referer(url, &target),
        url: Rc::new(target),
        keeps_body,
        is_relative: Url::parse(location) == Err(url::ParseError::RelativeUrlWithoutBase),
    }))
}

/// Not from https to http, and never with credentials.
fn referer(from: &Url, to: &Url) -> Option<String> {
    if from.scheme() == "https" && to.scheme() == "http" {
        return None;
    }
    let mut referer = from.clone();
    referer.set_fragment(None);
    let _ = referer.set_username("");
    let _ = referer.set_password(None);
    Some(referer.into())
}

/// Whether credentials for `first` may go to `url`: the same host or one below it.
pub(crate) fn may_share_secrets(first: &Url, url: &Url) -> bool {
    let (Some(first), Some(host)) = (first.host_str(), url.host_str()) else { return false };
    let below = || host.strip_suffix(first).is_some_and(|start| start.ends_with('.'));
    first == host || (url.domain().is_some() && below())
}
