//! Connex over HTTP: its routes, and what they share.

mod sign_in;
mod users;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::App;
use crate::kit::{Kit, auth::Bearer, problem::Problem, rate};

/// All routes.
pub(super) fn routes(app: App, kit: &Kit) -> OpenApiRouter {
    let strangers = OpenApiRouter::new().routes(routes!(sign_in::register)).routes(routes!(sign_in::login));
    let a_minute = kit.settings.connex.connex_sign_ins_per_address;
    let strangers = rate::by_address(strangers, a_minute, &kit.settings.server);
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(strangers)
        .routes(routes!(sign_in::refresh))
        .routes(routes!(sign_in::logout))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::me))
        .routes(routes!(users::change_password))
        .routes(routes!(users::read, users::replace, users::change, users::delete))
        .with_state(app)
}

/// What the document says besides the routes.
#[derive(OpenApi)]
#[openapi(modifiers(&Bearer))]
struct Document;

/// Refusals of routes that need an access token.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is what the document says of them")]
enum OfSigned {
    /// No access token, or one that is not good any more
    #[response(status = 401)]
    NotSignedIn(Problem),
    /// Not what this user may do
    #[response(status = 403)]
    NotAllowed(Problem),
}

/// Refusals of all routes.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is what the document says of them")]
enum OfAll {
    /// Not now: the header Retry-After tells when
    #[response(status = 503)]
    Unavailable(Problem),
}

/// Puts the field's name before what is wrong with it.
fn field(name: &'static str) -> impl Fn(&'static str) -> Problem {
    move |wrong| Problem::invalid(format!("{name}: {wrong}"))
}

/// Entity tags are versions in quotes.
fn entity_tag(version: &[u8]) -> (HeaderName, HeaderValue) {
    let tag = [b"\"", version, b"\""].concat();
    (header::ETAG, HeaderValue::from_bytes(&tag).expect("a version is digits"))
}

/// Whether the client has this version already. Weak tags count: for reading, the same version is as good (RFC 9110,
/// section 13.1.2).
fn has_already(headers: &HeaderMap, version: &[u8]) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|line| {
        line.as_bytes().split(|byte| *byte == b',').any(|tag| {
            let tag = tag.trim_ascii();
            let tag = tag.strip_prefix(b"W/").unwrap_or(tag);
            let ours = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\""));
            tag == b"*" || ours == Some(version)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_a_client_has_are_found_in_lists() {
        for (said, has) in [
            ("\"7\"", true),
            ("W/\"7\"", true),
            ("\"6\", W/\"7\"", true),
            ("*", true),
            ("7", false),
            ("\"77\"", false),
            ("\"\"", false),
            ("", false),
            ("W/", false),
        ] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(said))]);
            assert_eq!(has_already(&headers, b"7"), has, "{said}");
        }
    }
}
