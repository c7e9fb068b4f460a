//! Credentials of a URL, and the answer to a digest challenge.

use std::borrow::Cow;

use base64::Engine as _;
use digest_auth::{AuthContext, HttpMethod, WwwAuthenticateHeader};
use http::Method;
use percent_encoding::percent_decode_str;
use squall_net::NetError;
use url::{Position, Url};

use crate::headers::Headers;

/// User name and password of a URL, decoded.
pub(crate) fn credentials(url: &Url) -> Option<(String, String)> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decode(url.username()), decode(url.password().unwrap_or_default())))
}

/// The `Authorization` header for basic authentication.
pub(crate) fn basic(user: &str, password: &str) -> String {
    let credentials = format!("{user}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials))
}

/// The `Authorization` header that answers the digest challenge in `headers`; None when there is no such
/// challenge.
///
/// # Errors
/// A challenge that cannot be understood.
pub(crate) fn answer(
    headers: &Headers,
    method: &Method,
    url: &Url,
    body: Option<&[u8]>,
) -> Result<Option<String>, NetError> {
    let challenge = headers
        .get_all("www-authenticate")
        .filter_map(|value| std::str::from_utf8(value).ok())
        .find(|value| value.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("digest")));
    let (Some(challenge), Some((user, password))) = (challenge, credentials(url)) else {
        return Ok(None);
    };
    let context = AuthContext::new_with_method(
        user,
        password,
        &url[Position::BeforePath..Position::AfterQuery],
        body.map(Cow::Borrowed),
        HttpMethod::from(method.as_str()),
    );
    let answer = WwwAuthenticateHeader::parse(&challenge[6..])
        .and_then(|mut challenge| challenge.respond(&context))
        .map_err(|error| NetError::generic(format!("digest authentication: {error}")))?;
    Ok(Some(answer.to_header_string()))
}
