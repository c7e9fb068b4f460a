//! The HTTP side: who is let in, and what operators and tests ask of messages and the queue. People are in [`users`].

mod input;
mod users;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, Modify, OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    Birthday,
    clock::at_ms,
    storage::messages::{self, Message, Sought},
};
use crate::kit::{
    admin::{Admin, admin_only},
    auth::add_bearer,
    config::Secret,
    http::{Json, Query, need_token},
    problem::Problem,
};

type App = State<Arc<Birthday>>;

pub(super) fn routes(birthday: Arc<Birthday>) -> OpenApiRouter {
    let routes = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::read, users::replace, users::delete))
        .routes(routes!(list_messages))
        .routes(routes!(queue));
    let routes = match &birthday.settings().birthday_token {
        Some(token) => routes.layer(from_fn_with_state(token.clone(), token_needed)),
        None => routes,
    };
    // Outside of the layer: it has a token of its own.
    routes.routes(routes!(run)).with_state(birthday)
}

/// What the document says besides the routes.
#[derive(OpenApi)]
#[openapi(modifiers(&Admin, &Token))]
struct Document;

/// Tells what the security scheme `birthday` is.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        add_bearer(document, "birthday", "The token of --birthday-token, where the service has one");
    }
}

async fn token_needed(State(token): State<Secret>, request: Request, next: Next) -> Response {
    match need_token(request.headers(), &token, "this service needs the token of --birthday-token as bearer")
    {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// A message, or one that is to be.
#[derive(Serialize, ToSchema)]
#[schema(as = birthday::Message)]
struct MessageBody {
    /// What it is called everywhere, and the first part of its Message-ID.
    id: String,
    #[schema(format = Uuid)]
    user_id: String,
    /// The birthday's year.
    year: i64,
    /// scheduled, enqueued, delivered, dead or cancelled.
    state: String,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    scheduled_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    enqueued_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    /// How often sending was tried.
    attempts: i64,
    /// Why the last try failed.
    error: Option<String>,
}

impl From<Message> for MessageBody {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            user_id: message.user_id,
            year: message.year,
            state: message.state,
            due_at: at_ms(message.due_ms),
            scheduled_at: at_ms(message.scheduled_ms),
            enqueued_at: message.enqueued_ms.map(at_ms),
            delivered_at: message.delivered_ms.map(at_ms),
            attempts: message.attempts,
            error: message.error,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = birthday::Messages)]
struct MessagesBody {
    messages: Vec<MessageBody>,
    /// The `after` of the next page; null on the last.
    next: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MessagesQuery {
    /// Messages of this user
    user_id: Option<Uuid>,
    /// Messages that have come so far
    state: Option<messages::State>,
    /// Messages after this id; from the first on when it is missing
    #[param(max_length = 64)]
    after: Option<String>,
    /// Messages on the page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// A page of messages
#[utoipa::path(
    get, path = "/api/v1/messages", tag = "birthday", security((), ("birthday" = [])),
    params(MessagesQuery),
    responses(
        (status = 200, description = "The page, in the order of ids", body = MessagesBody),
        (status = 400, description = "The query cannot be read", body = Problem),
        (status = 401, description = "The token is missing or wrong", body = Problem),
        (status = 422, description = "A parameter is out of bounds", body = Problem),
        (status = 503, description = "No database", body = Problem),
    ),
)]
async fn list_messages(
    State(birthday): App,
    Query(query): Query<MessagesQuery>,
) -> Result<Json<MessagesBody>, Problem> {
    let limit = input::limit(query.limit)?;
    let after = input::text("after", query.after.unwrap_or_default(), 64)?;
    let sought = Sought { user_id: query.user_id.map(|id| id.to_string()), state: query.state };
    // From the primary: tests ask right after something has happened.
    let messages = messages::page(&birthday.kit.db.write, &sought, &after, limit).await?;
    let full = messages.len() as i64 == limit;
    let next = messages.last().filter(|_| full).map(|message| message.id.clone());
    Ok(Json(MessagesBody { messages: messages.into_iter().map(MessageBody::from).collect(), next }))
}

#[derive(Serialize, ToSchema)]
#[schema(as = birthday::Queue)]
struct QueueBody {
    /// Due, and not published yet.
    outbox: i64,
    /// Waiting for a worker.
    ready: u64,
    /// Put off after a failure.
    delayed: u64,
    /// With a worker; null when the queue does not tell.
    in_progress: Option<u64>,
    /// Dead letters.
    dead: u64,
}

/// How much is waiting where
#[utoipa::path(
    get, path = "/api/v1/queue", tag = "birthday", security((), ("birthday" = [])),
    responses(
        (status = 200, description = "The numbers", body = QueueBody),
        (status = 401, description = "The token is missing or wrong", body = Problem),
        (status = 503, description = "No database, or no queue", body = Problem),
    ),
)]
async fn queue(State(birthday): App) -> Result<Json<QueueBody>, Problem> {
    let outbox = messages::outbox(&birthday.kit.db.write, birthday.clock.now()).await?;
    let depth = birthday.kit.queue.depth(birthday.queue_name()).await;
    let depth = depth.map_err(|error| input::later("the queue cannot be reached").caused_by(error))?;
    let (ready, delayed, dead) = (depth.ready, depth.delayed, depth.dead);
    Ok(Json(QueueBody { outbox, ready, delayed, in_progress: depth.in_progress, dead }))
}

/// Which of the schedulers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = birthday::Part)]
enum Part {
    /// Stores the messages of the days to come
    Daily,
    /// Publishes what is due
    Minute,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunQuery {
    /// One of the schedulers; both when it is missing
    part: Option<Part>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = birthday::Run)]
struct RunBody {
    /// People looked at by the daily scheduler.
    people: u64,
    /// Messages that it stored.
    scheduled: u64,
    /// Messages that the minute scheduler published.
    enqueued: u64,
    /// How long it took.
    duration_ms: u64,
}

/// Runs the schedulers now, here, whoever has the lease
#[utoipa::path(
    post, path = "/api/v1/schedule/run", tag = "birthday", security(("admin" = [])), params(RunQuery),
    responses(
        (status = 200, description = "What was done", body = RunBody),
        (status = 400, description = "The query cannot be read", body = Problem),
        (status = 401, description = "The token of administration is missing or wrong", body = Problem),
        (status = 403, description = "There is no administration here", body = Problem),
        (status = 503, description = "No database, no queue, or not done in time", body = Problem),
    ),
)]
async fn run(
    State(birthday): App,
    headers: HeaderMap,
    Query(query): Query<RunQuery>,
) -> Result<Json<RunBody>, Problem> {
    admin_only(&birthday.kit, &headers)?;
    let started = std::time::Instant::now();
    let now = birthday.clock.now();
    let failed = |error: anyhow::Error| input::later("the run was not finished").caused_by(error);
    let mut body = RunBody { people: 0, scheduled: 0, enqueued: 0, duration_ms: 0 };
    if query.part != Some(Part::Minute) {
        let report = birthday.plan(now).await.map_err(failed)?;
        (body.people, body.scheduled) = (report.people, report.scheduled);
    }
    if query.part != Some(Part::Daily) {
        body.enqueued = birthday.dispatch(now).await.map_err(failed)?;
    }
    body.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Json(body))
}
