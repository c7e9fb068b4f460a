//! The HTTP side: paths, what is read and what is answered.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::rejection::BytesRejection;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tower::ServiceBuilder;
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::domain::{NewUser, PageOf};
use crate::kit::admin::{Admin, admin_only};
use crate::kit::admission::{self, Admission, Limits};
use crate::kit::http::{Json, OfBodies, Query};
use crate::kit::problem::Problem;

/// The longest body that `/api/echo` takes, in bytes.
const ECHO_BYTES_MAX: usize = 64 << 10;

pub(super) fn routes(app: App) -> OpenApiRouter {
    let guard = ServiceBuilder::new().layer(app.0.figures.clone()).layer(app.0.admission.clone());
    let guarded = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(list_users, add_user))
        .routes(routes!(echo))
        .routes(routes!(metrics));
    let guarded = match app.0.kit.settings.fluxor.work_ms {
        0 => guarded,
        ms => guarded.layer(from_fn_with_state(Duration::from_millis(ms), work)),
    };
    let guarded = guarded.layer(guard);
    guarded.routes(routes!(read_admission, change_admission)).with_state(app)
}

/// Takes its time over a request that has been admitted.
async fn work(State(time): State<Duration>, request: Request, next: Next) -> Response {
    tokio::time::sleep(time).await;
    next.run(request).await
}

/// What the document says besides the routes.
#[derive(OpenApi)]
#[openapi(modifiers(&Admin))]
struct Document;

/// A response that is ready, with room for the headers that every response gets: the map grows only once.
fn whole(content_type: HeaderValue, bytes: Bytes) -> Response {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(header::CONTENT_TYPE, content_type);
    let mut response = Response::new(bytes.into());
    *response.headers_mut() = headers;
    response
}

fn json(bytes: Bytes) -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    whole(JSON, bytes)
}

fn text(text: &'static str) -> Response {
    const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
    whole(TEXT, Bytes::from_static(text.as_bytes()))
}

/// Whether the process is alive
#[utoipa::path(
    get, path = "/health", tag = "fluxor",
    responses((status = 200, description = "Alive", body = String), (status = 503, description = "At capacity", body = Problem)),
)]
async fn health() -> Response {
    text("alive\n")
}

/// Whether requests can be served
#[utoipa::path(
    get, path = "/ready", tag = "fluxor",
    responses(
        (status = 200, description = "Ready", body = String),
        (status = 503, description = "No database, shutting down, or at capacity", body = Problem),
    ),
)]
async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    app.0.ready().await?;
    Ok(text("ready\n"))
}

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = fluxor::User)]
pub(super) struct User {
    #[schema(value_type = String, format = "uuid")]
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) email: String,
    #[schema(format = DateTime)]
    pub(super) created_at: String,
}

/// Users in the order in which they were added.
#[derive(Serialize, ToSchema)]
#[schema(as = fluxor::Page)]
pub(super) struct Page {
    pub(super) users: Vec<User>,
    /// The `after` of the next page; null on the last.
    #[schema(value_type = Option<String>, format = "uuid")]
    pub(super) next: Option<Uuid>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// Users created after this one; from the first on when it is missing
    #[param(value_type = Option<String>, format = "uuid")]
    after: Option<Uuid>,
    /// Users on the page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// A page of users
#[utoipa::path(
    get, path = "/api/users", tag = "fluxor", params(PageQuery),
    responses(
        (status = 200, description = "The page, at most a second old", body = Page),
        (status = 400, description = "The query cannot be read", body = Problem),
        (status = 422, description = "The limit is out of bounds", body = Problem),
        (status = 503, description = "At capacity, or no database", body = Problem),
    ),
)]
async fn list_users(State(app): State<App>, Query(query): Query<PageQuery>) -> Result<Response, Problem> {
    let page = app.0.users.page(PageOf::new(query.after, query.limit)?).await?;
    Ok(json(page))
}

/// A user to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = fluxor::NewUser)]
struct NewUserBody {
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    name: String,
    #[schema(format = Email, max_length = 254, example = "ada@example.org")]
    email: String,
}

/// Adds a user
#[utoipa::path(
    post, path = "/api/users", tag = "fluxor", request_body = NewUserBody,
    responses(
        (status = 201, description = "Added", body = User),
        (status = 409, description = "A user with this address exists", body = Problem),
        (status = 503, description = "At capacity, or no database", body = Problem),
        OfBodies,
    ),
)]
async fn add_user(
    State(app): State<App>,
    Json(body): Json<NewUserBody>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let user = app.0.users.add(NewUser::new(&body.name, &body.email)?, Timestamp::now()).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// What was received.
#[derive(Serialize, ToSchema)]
#[schema(as = fluxor::Echo)]
struct Echo<'a> {
    #[schema(value_type = String, example = "POST")]
    method: &'a str,
    #[schema(value_type = String, example = "/api/echo?a=b")]
    target: String,
    /// Headers, without those that carry secrets.
    #[schema(value_type = BTreeMap<String, String>)]
    headers: BTreeMap<&'a str, Cow<'a, str>>,
    bytes: usize,
    encoding: Encoding,
    /// JSON as it is, text as a string, other bytes in base64.
    #[schema(value_type = serde_json::Value)]
    body: EchoBody<'a>,
}

/// How a body is shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = fluxor::Encoding)]
enum Encoding {
    Json,
    Text,
    Base64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum EchoBody<'a> {
    Json(&'a RawValue),
    Text(Cow<'a, str>),
}

/// Sends back what it was sent
#[utoipa::path(
    post, path = "/api/echo", tag = "fluxor",
    request_body(content = Option<serde_json::Value>, content_type = "*/*", description = "At most 64 KiB of anything"),
    responses(
        (status = 200, description = "What was received", body = Echo),
        (status = 400, description = "The body broke off", body = Problem),
        (status = 413, description = "The body is too large", body = Problem),
        (status = 503, description = "At capacity", body = Problem),
    ),
)]
async fn echo(
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let too_large = || Problem::too_large(format!("at most {ECHO_BYTES_MAX} bytes are echoed"));
    let body = match body {
        Ok(body) if body.len() > ECHO_BYTES_MAX => return Err(too_large()),
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => return Err(too_large()),
        Err(_) => return Err(Problem::bad_request("the body broke off")),
    };
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let as_json = is_json.then(|| serde_json::from_slice(&body).ok()).flatten();
    let (encoding, shown) = match (as_json, std::str::from_utf8(&body)) {
        (Some(raw), _) => (Encoding::Json, EchoBody::Json(raw)),
        (None, Ok(text)) => (Encoding::Text, EchoBody::Text(text.into())),
        (None, Err(_)) => (Encoding::Base64, EchoBody::Text(BASE64_STANDARD.encode(&body).into())),
    };
    let is_secret = |name: &str| ["authorization", "cookie", "proxy-authorization"].contains(&name);
    let echo = Echo {
        method: method.as_str(),
        target: uri.to_string(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
            .filter(|(name, _)| !is_secret(name))
            .collect(),
        bytes: body.len(),
        encoding,
        body: shown,
    };
    Ok(json(serde_json::to_vec(&echo).map_err(Problem::internal)?.into()))
}

/// Figures of the service.
#[derive(Serialize, ToSchema)]
#[schema(as = fluxor::Metrics)]
pub(super) struct Metrics {
    pub(super) uptime_s: f64,
    pub(super) admission: AdmissionState,
    pub(super) requests: Requests,
    pub(super) latency: Latency,
    pub(super) process: Process,
}

/// Requests that were admitted and answered, since the start.
#[derive(Serialize, ToSchema)]
#[schema(as = fluxor::Requests)]
pub(super) struct Requests {
    pub(super) answered: u64,
    /// Of them those answered with 4xx.
    pub(super) client_error: u64,
    /// Of them those answered with 5xx.
    pub(super) server_error: u64,
    /// Answered a second, over the span of the latencies.
    pub(super) per_second: f64,
}

/// From the request's head to the answer's, waiting included, of the requests admitted and answered in the last `span_s`.
#[derive(Serialize, ToSchema)]
#[schema(as = fluxor::Latency)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) span_s: f64,
}

/// What the process uses.
#[derive(Serialize, ToSchema)]
#[schema(as = fluxor::Process)]
pub(super) struct Process {
    pub(super) memory_bytes: u64,
    /// Since the start.
    pub(super) cpu_seconds: f64,
    /// Cores in use, over the last second or more in which figures were asked for.
    pub(super) cpu_cores: f64,
}

/// Figures of admission, requests, latencies and the process
#[utoipa::path(
    get, path = "/api/metrics", tag = "fluxor",
    responses((status = 200, description = "Figures, at most 100 ms old", body = Metrics), (status = 503, description = "At capacity", body = Problem)),
)]
async fn metrics(State(app): State<App>) -> Response {
    json(app.0.figures.json())
}

/// The limits of admission.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = fluxor::Limits)]
struct LimitsBody {
    /// Clients that have a place, in progress or waiting.
    #[schema(minimum = 1, maximum = 2_097_151)]
    max_clients: u32,
    /// The share of them whose requests are in progress.
    #[schema(exclusive_minimum = 0.0, maximum = 1.0)]
    utilisation: f64,
    /// The longest a request waits for its turn.
    #[schema(maximum = 60_000)]
    max_wait_ms: u64,
}

/// The limits of admission, what they come to, and the figures.
#[derive(Serialize, ToSchema)]
#[schema(as = fluxor::Admission)]
pub(super) struct AdmissionState {
    limits: LimitsBody,
    max_in_progress: u32,
    max_waiting: u32,
    #[serde(flatten)]
    figures: admission::Figures,
}

impl From<&Admission> for AdmissionState {
    fn from(admission: &Admission) -> Self {
        let limits = admission.limits();
        Self {
            limits: LimitsBody {
                max_clients: limits.max_clients(),
                utilisation: limits.utilisation(),
                max_wait_ms: limits.max_wait().as_millis() as u64,
            },
            max_in_progress: limits.max_in_progress(),
            max_waiting: limits.max_waiting(),
            figures: admission.figures(),
        }
    }
}

/// Longer than a client waits; a request waits for `--request-timeout-ms` at most in any case.
const MAX_WAIT_MS_MAX: u64 = 60_000;

/// The limits of admission and the figures
#[utoipa::path(
    get, path = "/api/admission", tag = "fluxor", security(("admin" = [])),
    responses(
        (status = 200, description = "Limits and figures", body = AdmissionState),
        (status = 401, description = "Not the administrator's token", body = Problem),
        (status = 403, description = "There is no administration", body = Problem),
    ),
)]
async fn read_admission(State(app): State<App>, headers: HeaderMap) -> Result<Json<AdmissionState>, Problem> {
    admin_only(&app.0.kit, &headers)?;
    Ok(Json((&app.0.admission).into()))
}

/// Puts other limits in force
///
/// At once and without ending anything: what is in progress ends as it would have, and who waits keeps the place.
#[utoipa::path(
    put, path = "/api/admission", tag = "fluxor", request_body = LimitsBody, security(("admin" = [])),
    responses(
        (status = 200, description = "The limits now in force, and the figures", body = AdmissionState),
        (status = 401, description = "Not the administrator's token", body = Problem),
        (status = 403, description = "There is no administration", body = Problem),
        OfBodies,
    ),
)]
async fn change_admission(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Json<LimitsBody>, Problem>,
) -> Result<Json<AdmissionState>, Problem> {
    // Who may not change them is told so before what is wrong with the body.
    admin_only(&app.0.kit, &headers)?;
    let Json(body) = body?;
    if body.max_wait_ms > MAX_WAIT_MS_MAX {
        return Err(Problem::invalid(format!("max_wait_ms: must be at most {MAX_WAIT_MS_MAX}")));
    }
    let limits = Limits::new(body.max_clients, body.utilisation, Duration::from_millis(body.max_wait_ms));
    app.0.admission.set_limits(limits.map_err(|error| Problem::invalid(error.to_string()))?);
    Ok(Json((&app.0.admission).into()))
}
