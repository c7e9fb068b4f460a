//! What every request passes: request ids, security headers, size limits, metrics.

mod extract;
mod shell;

pub use extract::{Json, Path, Query};
pub use shell::{RequestId, Shell};

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};
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
    let document: Arc<str> = openapi.to_json().expect("the document is JSON").into();
    let described = ([(header::CONTENT_TYPE, "application/json")], document.to_string());
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

/// `/health`: the process is alive and can answer. It asks nobody else, or a slow database would get it restarted.
pub async fn health() -> &'static str {
    "alive\n"
}

/// `/ready`: requests can be served now, which takes the database.
pub async fn ready(kit: &Kit) -> Result<&'static str, Problem> {
    if kit.shutdown.is_cancelled() {
        return Err(Problem::unavailable("shutting down", std::time::Duration::from_secs(5)));
    }
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
    match bearer(headers) {
        Some(said) if token.is(said) => Ok(open_metrics(metrics)),
        _ => Err(Problem::unauthorized("metrics need the token of --metrics-token as bearer")),
    }
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
