//! Optimistic locking: a change names the version that it is made to, so of two who edit one record at once the second is
//! told, and nothing is lost.
//!
//! The header If-Match comes first, then the body's `version`. A stale header is answered with 412, as HTTP has it (RFC
//! 9110, section 13.1.1), a stale body with 409, none of both with 428.

use http::{HeaderMap, HeaderValue, header};
use utoipa::IntoParams;

use super::problem::Problem;

/// What a client changes, for OpenAPI documents.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is what the document says of it")]
pub struct IfMatch {
    /// The version that was read, in quotes: nothing is done if it is another by now
    #[param(rename = "If-Match")]
    tag: Option<String>,
}

/// The version that a change is made to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// By the header If-Match. `None` when that names nothing that we gave out.
    Header(Option<i64>),
    /// By the body.
    Body(i64),
}

impl Expected {
    /// Which version it is must be said: `If-Match: *` does not.
    pub fn of(headers: &HeaderMap, body: Option<i64>) -> Option<Self> {
        match headers.get(header::IF_MATCH) {
            Some(any) if any.as_bytes() == b"*" => None,
            Some(tag) => Some(Self::Header(version_of(tag))),
            None => body.map(Self::Body),
        }
    }

    /// 428 when no version is said.
    pub fn required(headers: &HeaderMap, body: Option<i64>) -> Result<Self, Problem> {
        Self::of(headers, body).ok_or_else(|| {
            Problem::precondition_required(
                "say which version is changed: `If-Match: \"1\"`, or `version` in the body",
            )
        })
    }

    /// `None` for one that no record has.
    pub fn version(self) -> Option<i64> {
        match self {
            Self::Header(version) => version,
            Self::Body(version) => Some(version),
        }
    }

    /// What tells a client that its version is not the stored one: 412 or 409.
    pub fn missed(self) -> Problem {
        let detail = "somebody else has changed it meanwhile: read it again and repeat the change";
        match self {
            Self::Header(_) => Problem::precondition_failed(detail),
            Self::Body(_) => Problem::conflict(detail),
        }
    }
}

/// The version in an entity tag of ours.
fn version_of(tag: &HeaderValue) -> Option<i64> {
    tag.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_version_before_the_body_does() {
        let of = |said, body| {
            let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(said))]);
            Expected::of(&headers, body)
        };
        assert_eq!(of("\"7\"", Some(3)), Some(Expected::Header(Some(7))));
        assert_eq!(of("*", Some(3)), None);
        for other in ["7", "W/\"7\"", "\"x\"", "\"7", ""] {
            assert_eq!(of(other, None), Some(Expected::Header(None)), "{other}");
        }
        assert_eq!(Expected::of(&HeaderMap::new(), Some(3)), Some(Expected::Body(3)));
        assert_eq!(Expected::of(&HeaderMap::new(), None), None);
    }

    #[test]
    fn a_stale_header_a_stale_body_and_no_version_are_told_apart() {
        assert_eq!(Expected::Header(Some(1)).missed().status(), 412);
        assert_eq!(Expected::Body(1).missed().status(), 409);
        assert_eq!(Expected::required(&HeaderMap::new(), None).unwrap_err().status(), 428);
    }
}
