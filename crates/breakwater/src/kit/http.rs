//! What every request passes: request ids, security headers, size limits, metrics.

pub mod compression;
mod extract;
mod shell;

pub use extract::{Json, OfBodies, Path, Query};
pub use shell::{RequestId, Shell};

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use super::{Kit, config::Secret, metrics, metrics::Metrics, problem::Problem};

/// A system's routes with everything around them: `/metrics`, `/openapi.json`, problem documents for what
/// is not there, and the [`Shell`]. `/health` and `/ready` are added where the system has none of its own.
pub fn finish(kit: &Kit, routes: OpenApiRouter) -> Router {
    let (mut router, openapi) = routes.split_for_parts();
    let paths = &openapi.paths.paths;
    if !paths.contains_key("/health") {
        router = router.route("/health", get(health));
    }
    if !paths.contains_key("/ready") {
        let kit = kit.clone();
        router = router.route("/ready", get(async move || ready(&kit).await));
    }
    let mut document = serde_json::to_value(&openapi).expect("the document is JSON");
    name_problem_documents(&mut document);
    let document = Bytes::from(document.to_string());
    let described = ([(header::CONTENT_TYPE, "application/json")], document);
    let (metrics, token) = (kit.metrics.clone(), kit.settings.server.metrics_token.clone());
    router
        .route("/openapi.json", get(async move || described))
        .route(
            "/metrics",
            get(async move |headers: HeaderMap| protected_metrics(&metrics, token.as_ref(), &headers)),
        )
        .fallback(async || {
            Problem::not_found("there is nothing at this path; /openapi.json lists what there is")
        })
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(Shell::new(kit))
}

/// Says of the responses that are problem documents that they have the content type of these. The attributes of handlers would
/// have to repeat it for each status.
fn name_problem_documents(document: &mut Value) {
    match document {
        Value::Object(fields) => {
            let is_problem = |content: &Value| content["schema"]["$ref"] == "#/components/schemas/Problem";
            if fields.get("application/json").is_some_and(is_problem) {
                let content = fields.remove("application/json").expect("it was there");
                fields.insert("application/problem+json".to_owned(), content);
            }
            fields.values_mut().for_each(name_problem_documents);
        }
        Value::Array(items) => items.iter_mut().for_each(name_problem_documents),
        _ => {}
    }
}

/// `/health`: the process is alive and can answer. It asks nobody else, or a slow database would get it restarted.
pub async fn health() -> &'static str {
    "alive\n"
}

/// `/ready`: requests can be served now, which takes the database.
pub async fn ready(kit: &Kit) -> Result<&'static str, Problem> {
    kit.need_running()?;
    kit.db.ready().await?;
    Ok("ready\n")
}

fn protected_metrics(
    metrics: &Metrics,
    token: Option<&Secret>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let Some(token) = token else {
        return Err(Problem::forbidden(
            "metrics are closed here: start with --metrics-token, or serve them with --metrics-listen",
        ));
    };
    need_token(headers, token, "metrics need the token of --metrics-token as bearer")?;
    Ok(open_metrics(metrics))
}

/// The metrics for whoever asks: for a port of their own.
pub(crate) fn metrics_router(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(async move || open_metrics(&metrics)))
}

fn open_metrics(metrics: &Metrics) -> Response {
    (StatusCode::OK, [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.text()).into_response()
}

/// The token of `Authorization: Bearer TOKEN`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// 401 with this detail unless the request has `token` as its bearer token.
pub fn need_token(headers: &HeaderMap, token: &Secret, detail: &'static str) -> Result<(), Problem> {
    match bearer(headers) {
        Some(said) if token.is(said) => Ok(()),
        _ => Err(Problem::unauthorized(detail)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_problem_documents_get_their_content_type() {
        let content = |kind: &str, of: &str| json!({ "content": { kind: { "schema": { "$ref": format!("#/components/schemas/{of}") } } } });
        let document = |problem: &str| {
            json!({ "paths": { "/users": { "post": { "responses": {
                "201": content("application/json", "User"), "409": content(problem, "Problem"),
            } } } } })
        };
        let mut named = document("application/json");
        name_problem_documents(&mut named);
        assert_eq!(named, document("application/problem+json"));
    }
}
