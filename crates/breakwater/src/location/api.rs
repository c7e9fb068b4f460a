//! The HTTP side: sessions, joining, leaving, and the door to the socket.

use std::{sync::Arc, time::Duration, time::Instant};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, Modify, OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    App,
    board::DEPARTED_MAX,
    message::MESSAGE_BYTES_MAX,
    socket,
    storage::{Joined, ParticipantRow, SessionRow},
};
use crate::kit::{
    Kit,
    auth::add_bearer,
    http::{Json, OfBodies, Path, Query, bearer},
    now_ms,
    problem::Problem,
    rate,
};

/// Longest name of a session or participant, in characters.
const NAME_MAX: usize = 80;

/// Most a session's metadata may take as JSON, in bytes.
const METADATA_BYTES_MAX: usize = 2048;

/// Sessions on a page unless asked for fewer or more, and the most.
const PAGE: u16 = 20;
const PAGE_MAX: u16 = 100;

/// Memory that a connection keeps for reading. Messages are small; a larger one makes it grow for as long as it is read.
const READ_BYTES: usize = 1024;

/// Messages that go out together are one write; what has been written once is gone from memory.
const WRITE_BYTES: usize = 8 << 10;

/// Room for the answers to pings of a client that does not read.
const PONGS_BYTES: usize = 8 << 10;

/// More than a member takes of a message: its id, its longest name or all numbers of its position.
const MEMBER_BYTES: usize = 512;

pub(super) fn routes(app: Arc<App>, kit: &Kit) -> OpenApiRouter {
    let filling = OpenApiRouter::new().routes(routes!(create)).routes(routes!(join));
    let a_minute = kit.settings.location.location_sessions_per_address;
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(list))
        .routes(routes!(show, delete))
        .merge(rate::by_address(filling, a_minute, &kit.settings.server))
        .routes(routes!(leave))
        .routes(routes!(connect))
        .with_state(app)
}

/// What the document says besides the routes.
#[derive(OpenApi)]
#[openapi(modifiers(&SessionTokens))]
struct Document;

/// Tells in an OpenAPI document what the tokens of sessions are.
struct SessionTokens;

impl Modify for SessionTokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        add_bearer(document, "owner_token", "The `owner_token` that creating the session gave");
        add_bearer(document, "participant_token", "The `token` that joining the session gave");
    }
}

/// Most that may wait to be written to a connection: the largest message of a full session, and some.
fn write_bytes_max(members_max: u32) -> usize {
    let members = (members_max as usize).saturating_add(DEPARTED_MAX);
    members.saturating_mul(MEMBER_BYTES).saturating_add(WRITE_BYTES + PONGS_BYTES)
}

/// What a session is made of.
#[derive(Deserialize, ToSchema)]
#[schema(as = location::NewSession)]
struct NewSession {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Anything the clients want to know; as JSON at most 2048 bytes
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = location::Session)]
struct Session {
    id: String,
    name: String,
    #[schema(value_type = Object)]
    metadata: Value,
    /// How many have joined
    members: i64,
    /// Milliseconds since 1970
    created_at: i64,
}

/// A session with the token that deletes it.
#[derive(Serialize, ToSchema)]
#[schema(as = location::CreatedSession)]
struct Created {
    #[serde(flatten)]
    session: Session,
    owner_token: String,
}

/// A session and who is in it.
#[derive(Serialize, ToSchema)]
#[schema(as = location::SessionDetail)]
struct Detail {
    #[serde(flatten)]
    session: Session,
    participants: Vec<Participant>,
}

/// Somebody who has joined.
#[derive(Serialize, ToSchema)]
#[schema(as = location::Participant)]
struct Participant {
    id: String,
    name: String,
    /// Milliseconds since 1970
    joined_at: i64,
    /// joined (connected), away (connection lost, may come back), offline, or unknown: connected elsewhere if at all
    presence: &'static str,
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
#[schema(as = location::SessionPage)]
struct SessionPage {
    sessions: Vec<Session>,
    /// `after` of the next page; missing on the last
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Who joins.
#[derive(Deserialize, ToSchema)]
#[schema(as = location::NewParticipant)]
struct NewParticipant {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
}

/// The place of somebody who has joined.
#[derive(Serialize, ToSchema)]
#[schema(as = location::Membership)]
struct Membership {
    session: String,
    participant: String,
    /// Opens the socket and leaves the session. It is told only here
    token: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// The `next` of the page before
    #[param(value_type = Option<String>, format = "uuid")]
    after: Option<Uuid>,
    /// Sessions on the page, 1 to 100
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Connecting {
    /// The participant's token; or send it as a bearer token
    token: Option<String>,
    /// The last `seq` that an earlier connection has seen: only newer positions are sent
    since: Option<u64>,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        let metadata = serde_json::from_str(&row.metadata).unwrap_or_default();
        Self { id: row.id, name: row.name, metadata, members: row.members, created_at: row.created_at }
    }
}

/// Creates a session
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "location", request_body = NewSession,
    responses(
        (status = 201, description = "Created", body = Created),
        (status = 429, description = "Too many from this address", body = Problem),
        (status = 503, description = "Too many sessions, or no database", body = Problem),
        OfBodies,
    ),
)]
async fn create(
    State(app): State<Arc<App>>,
    Json(new): Json<NewSession>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    let name = checked_name(new.name)?;
    let metadata = Value::Object(new.metadata);
    let text = metadata.to_string();
    if text.len() > METADATA_BYTES_MAX {
        return Err(Problem::invalid(format!("`metadata` may have {METADATA_BYTES_MAX} bytes as JSON")));
    }
    let owner_token = new_token();
    let row =
        SessionRow { id: Uuid::now_v7().to_string(), name, metadata: text, members: 0, created_at: now_ms() };
    if !app.store.create(&row, &hash(&owner_token)).await? {
        return Err(Problem::unavailable("there are too many sessions", Duration::from_secs(60)));
    }
    Ok((StatusCode::CREATED, Json(Created { session: row.into(), owner_token })))
}

/// Lists sessions, the newest first
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "location", params(Paging),
    responses(
        (status = 200, description = "A page", body = SessionPage),
        (status = 400, description = "Not readable", body = Problem),
        (status = 422, description = "`limit` is out of bounds", body = Problem),
        (status = 503, description = "No database", body = Problem),
    ),
)]
async fn list(
    State(app): State<Arc<App>>,
    Query(paging): Query<Paging>,
) -> Result<Json<SessionPage>, Problem> {
    let limit = paging.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::invalid(format!("`limit` must be from 1 to {PAGE_MAX}")));
    }
    let before = paging.after.unwrap_or(Uuid::max()).to_string();
    // One more than asked for tells whether there is another page.
    let mut rows = app.store.list(&before, i64::from(limit) + 1).await?;
    let has_more = rows.len() > usize::from(limit);
    rows.truncate(usize::from(limit));
    let next = rows.last().filter(|_| has_more).map(|last| last.id.clone());
    Ok(Json(SessionPage { sessions: rows.into_iter().map(Session::from).collect(), next }))
}

/// Tells of a session and who is in it
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}", tag = "location", params(("id" = String, Path, format = "uuid")),
    responses(
        (status = 200, description = "The session", body = Detail),
        (status = 404, description = "No such session", body = Problem),
        (status = 503, description = "No database", body = Problem),
    ),
)]
async fn show(State(app): State<Arc<App>>, Path(id): Path<Uuid>) -> Result<Json<Detail>, Problem> {
    let (row, participants) = app.store.session(&id.to_string()).await?.ok_or_else(no_session)?;
    let known = app.hub.presences(id);
    let otherwise = if known.is_some() || app.hub.is_alone() { "offline" } else { "unknown" };
    let presence = |id: &str| {
        let id: Uuid = id.parse().ok()?;
        known.as_ref()?.get(&id).copied()
    };
    let participants = participants.into_iter().map(|ParticipantRow { id, name, joined_at }| {
        let presence = presence(&id).unwrap_or(otherwise);
        Participant { id, name, joined_at, presence }
    });
    Ok(Json(Detail { session: row.into(), participants: participants.collect() }))
}

/// Ends a session for everybody
#[utoipa::path(
    delete, path = "/api/v1/sessions/{id}", tag = "location", params(("id" = String, Path, format = "uuid")),
    security(("owner_token" = [])),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "Not the owner's token", body = Problem),
        (status = 404, description = "No such session", body = Problem),
        (status = 503, description = "No database", body = Problem),
    ),
)]
async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let stored_id = id.to_string();
    let deleted = match bearer(&headers) {
        Some(token) => app.store.delete(&stored_id, &hash(token)).await?,
        None => false,
    };
    if deleted {
        app.hub.ended(id);
        return Ok(StatusCode::NO_CONTENT);
    }
    match app.store.exists(&stored_id).await? {
        true => {
            Err(Problem::unauthorized("a session is deleted with the owner_token that its creation gave"))
        }
        false => Err(no_session()),
    }
}

/// Joins a session
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/join", tag = "location", params(("id" = String, Path, format = "uuid")),
    request_body = NewParticipant,
    responses(
        (status = 201, description = "Joined", body = Membership),
        (status = 404, description = "No such session", body = Problem),
        (status = 409, description = "The session is full", body = Problem),
        (status = 429, description = "Too many from this address", body = Problem),
        (status = 503, description = "No database", body = Problem),
        OfBodies,
    ),
)]
async fn join(
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(new): Json<NewParticipant>,
) -> Result<(StatusCode, Json<Membership>), Problem> {
    let participant = Uuid::now_v7().to_string();
    let row = ParticipantRow { id: participant, name: checked_name(new.name)?, joined_at: now_ms() };
    let (session, token) = (id.to_string(), new_token());
    match app.store.join(&session, &row, &hash(&token)).await? {
        Joined::Yes => Ok((StatusCode::CREATED, Json(Membership { session, participant: row.id, token }))),
        Joined::Full => Err(Problem::conflict("the session is full")),
        Joined::NoSession => Err(no_session()),
    }
}

/// Leaves a session
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/leave", tag = "location", params(("id" = String, Path, format = "uuid")),
    security(("participant_token" = [])),
    responses(
        (status = 204, description = "Left"),
        (status = 401, description = "Not the token of a participant", body = Problem),
        (status = 404, description = "Not an id", body = Problem),
        (status = 503, description = "No database", body = Problem),
    ),
)]
async fn leave(
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (participant, row) = signed(&app, id, bearer(&headers)).await?;
    app.store.leave(&id.to_string(), &row.id).await?;
    app.hub.left(id, participant);
    Ok(StatusCode::NO_CONTENT)
}

/// Opens the socket
///
/// A WebSocket. The client sends `{"type":"position","lat":…,"lon":…}` with `accuracy`, `speed`, `heading`, `at` and `seq` as it
/// likes, and `{"type":"ping"}`. It gets a `welcome`, then `positions` and `presence` with a `seq` each, `pong`, and `error`.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/ws", tag = "location", params(("id" = String, Path, format = "uuid"), Connecting),
    responses(
        (status = 101, description = "The connection is a WebSocket now"),
        (status = 400, description = "Not a WebSocket handshake, or not readable", body = Problem),
        (status = 401, description = "Not the token of a participant", body = Problem),
        (status = 404, description = "Not an id", body = Problem),
        (status = 503, description = "Too many connections, stopping, or no database", body = Problem),
    ),
)]
async fn connect(
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(query): Query<Connecting>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let begun = Instant::now();
    if app.kit.shutdown.is_cancelled() {
        return Err(Problem::unavailable("this instance stops; connect again", Duration::from_secs(1)));
    }
    let (participant, row) = signed(&app, id, query.token.as_deref().or(bearer(&headers))).await?;
    let upgrade = upgrade
        .map_err(|rejection| Problem::bad_request(format!("not a WebSocket: {}", rejection.body_text())))?;
    let Ok(place) = app.room.clone().try_acquire_owned() else {
        return Err(Problem::unavailable("there are too many connections", Duration::from_secs(5)));
    };
    let upgrade = upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES)
        .max_write_buffer_size(write_bytes_max(app.kit.settings.location.location_members));
    Ok(upgrade.on_upgrade(async move |socket| {
        let tasks = app.kit.tasks.clone();
        let (hub, terms) = (app.hub.clone(), app.terms);
        drop(app);
        let seat = hub.enter(id, participant, &row.name, query.since);
        let counts = hub.counts.clone();
        tasks.track_future(socket::serve(socket, seat, terms, counts, begun)).await;
        drop(place);
    }))
}

/// Whose token this is.
async fn signed(app: &App, session: Uuid, token: Option<&str>) -> Result<(Uuid, ParticipantRow), Problem> {
    let denied = || Problem::unauthorized("that takes the token which joining this session gave");
    let token = token.ok_or_else(denied)?;
    let row = app.store.participant(&session.to_string(), &hash(token)).await?.ok_or_else(denied)?;
    let participant = row.id.parse::<Uuid>().map_err(Problem::internal)?;
    Ok((participant, row))
}

fn no_session() -> Problem {
    Problem::not_found("there is no session with this id")
}

fn checked_name(name: String) -> Result<String, Problem> {
    let name = name.trim();
    let length = name.chars().count();
    match (1..=NAME_MAX).contains(&length) && !name.chars().any(char::is_control) {
        true => Ok(name.to_owned()),
        false => Err(Problem::invalid(format!(
            "`name` must have 1 to {NAME_MAX} characters, and no control characters"
        ))),
    }
}

/// 128 random bits: they cannot be guessed, so looking up their hash tells nothing.
fn new_token() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

fn hash(token: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()))
}
