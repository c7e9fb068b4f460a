//! Errors as problem documents (RFC 9457).

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use axum::{
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// What a client is told when its request cannot be served. It names what is wrong and never what is inside.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; stays the same for all its occurrences.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/problems/not-found")]
    kind: Cow<'static, str>,
    /// The HTTP status code.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, example = 404)]
    status: StatusCode,
    /// The kind in words.
    #[schema(value_type = String, example = "Not found")]
    title: &'static str,
    /// What is wrong with this request, and what to do.
    #[schema(value_type = String, example = "there is no user with this id")]
    detail: Cow<'static, str>,
    /// For the header `Retry-After`.
    #[serde(skip)]
    retry_after: Option<Duration>,
    /// For the log: a client never sees it.
    #[serde(skip)]
    cause: Option<Cause>,
}

/// Why the service failed. Travels with the response to where the request is known, and is logged there.
#[derive(Debug, Clone)]
pub(super) struct Cause(Arc<anyhow::Error>);

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#}", self.0)
    }
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (kind, detail) = (Cow::Borrowed(kind), detail.into());
        Self { kind, status, title, detail, retry_after: None, cause: None }
    }

    /// 400: the request cannot be read.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "/problems/bad-request", "Bad request", detail)
    }

    /// 401: nobody is signed in, or the proof is not valid. Says `WWW-Authenticate: Bearer`.
    pub fn unauthorized(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "/problems/unauthorized", "Not signed in", detail)
    }

    /// 403: signed in, and not allowed.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "/problems/forbidden", "Not allowed", detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "/problems/not-found", "Not found", detail)
    }

    /// 405: the path exists, the method does not.
    pub fn method_not_allowed() -> Self {
        let detail = "this path does not have this method; the header Allow names those it has";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "/problems/method-not-allowed",
            "Method not allowed",
            detail,
        )
    }

    /// 409: what is stored forbids it, such as a name that is taken.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "/problems/conflict", "Conflict", detail)
    }

    /// 412: somebody else has changed the record since it was read.
    pub fn precondition_failed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "/problems/changed-meanwhile", "Changed meanwhile", detail)
    }

    /// 413.
    pub fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "/problems/too-large", "Too large", detail)
    }

    /// 422: readable, and breaks a rule that `detail` names with the field.
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "/problems/invalid", "Invalid value", detail)
    }

    /// 428: the request must say which version it changes.
    pub fn precondition_required(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PRECONDITION_REQUIRED, "/problems/version-required", "Version required", detail)
    }

    /// 429, with the time until which trying again is in vain.
    pub fn too_many_requests(detail: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        let kind = "/problems/too-many-requests";
        Self::new(StatusCode::TOO_MANY_REQUESTS, kind, "Too many requests", detail).retry_after(retry_after)
    }

    /// 500: a fault of ours. `cause` is logged with the request's id, the client gets the id alone.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let detail = "the service failed; its log has the cause under the id in the header X-Request-Id";
        let kind = "/problems/internal";
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, kind, "Internal error", detail);
        Self { cause: Some(Cause(Arc::new(cause.into()))), ..problem }
    }

    /// 503: not now. The same request can succeed after `retry_after`.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        let kind = "/problems/unavailable";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, "Unavailable", detail).retry_after(retry_after)
    }

    /// 503 after the time that a request may take.
    pub(super) fn timed_out(limit: Duration) -> Self {
        let detail = format!("not answered within {} s", limit.as_secs_f64());
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "/problems/timed-out", "Timed out", detail)
            .retry_after(Duration::from_secs(1))
    }

    fn retry_after(self, after: Duration) -> Self {
        Self { retry_after: Some(after), ..self }
    }

    /// Adds what the log should say of it.
    pub fn caused_by(self, cause: impl Into<anyhow::Error>) -> Self {
        Self { cause: Some(Cause(Arc::new(cause.into()))), ..self }
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("a problem has nothing that JSON cannot say");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            // Whole seconds, and never zero: that would invite the next try at once.
            let seconds = after.as_millis().div_ceil(1000).max(1) as u64;
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

impl From<sqlx::Error> for Problem {
    /// What no handler expects: a full pool or a database that is gone will pass, the rest are faults of ours.
    fn from(error: sqlx::Error) -> Self {
        let soon = Duration::from_secs(1);
        match error {
            sqlx::Error::PoolTimedOut => Self::unavailable("every database connection is in use", soon),
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::unavailable("the database cannot be reached", soon).caused_by(error)
            }
            sqlx::Error::Database(ref inner) if inner.code().is_some_and(|code| will_pass(&code)) => {
                Self::unavailable("the database cannot serve", soon).caused_by(error)
            }
            _ => Self::internal(error),
        }
    }
}

/// Whether the database says by `code` that it cannot do anything now, rather than not this.
fn will_pass(code: &str) -> bool {
    match code.len() {
        // PostgreSQL: 57P01–57P03 is shutting down or starting, 53xxx has no resources left, 25006 is read-only now.
        5 => code.starts_with("57P") || code.starts_with("53") || code == "25006",
        // SQLite, whose lowest byte is the kind: 5 is locked by others, 10 cannot read or write the file, 13 has no room.
        _ => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 10 | 13)),
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let status = rejection.status();
        let detail = rejection.body_text();
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large("the body is larger than this service takes"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(
                status,
                "/problems/unsupported-media-type",
                "Unsupported media type",
                "the body must be JSON, and Content-Type say so: application/json",
            ),
            StatusCode::UNPROCESSABLE_ENTITY => Self::invalid(detail),
            _ => Self::bad_request(detail),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::not_found(rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_the_database_is_told_from_faults_of_ours() {
        // Too many connections, starting up, full disk; SQLite full, busy with a recovery, and no room for its index of the log.
        for code in ["53300", "57P03", "53100", "13", "261", "4874"] {
            assert!(will_pass(code), "{code}");
        }
        // Unique violation, syntax error; SQLite unique, and an error in SQL.
        for code in ["23505", "42601", "2067", "1", ""] {
            assert!(!will_pass(code), "{code}");
        }
    }
}
