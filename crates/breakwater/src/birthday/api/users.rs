//! People: created, read, replaced, deleted, found.

use axum::{extract::State, response::IntoResponse};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{App, input};
use crate::{
    birthday::{
        clock::at_ms,
        storage::users::{self, User},
    },
    kit::{
        http::{Json, OfBodies, Path, Query},
        problem::Problem,
        version::{Expected, IfMatch},
    },
};

/// A person.
#[derive(Serialize, ToSchema)]
#[schema(as = birthday::User)]
pub(super) struct UserBody {
    #[schema(format = Uuid)]
    id: String,
    name: String,
    email: String,
    #[schema(format = Date, example = "1996-02-29")]
    birthday: String,
    /// By its IANA name.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// Goes up with each change; a change names the one it is made to.
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            email: user.email,
            birthday: user.birthday,
            time_zone: user.zone,
            version: user.version,
            created_at: at_ms(user.created_ms),
            updated_at: at_ms(user.updated_ms),
        }
    }
}

/// A person to be.
#[derive(Deserialize, ToSchema)]
#[schema(as = birthday::NewUser)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUserBody {
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    name: String,
    #[schema(format = Email, max_length = 254, example = "ada@example.org")]
    email: String,
    #[schema(format = Date, example = "1996-02-29")]
    birthday: String,
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
}

/// What a person is from now on.
#[derive(Deserialize, ToSchema)]
#[schema(as = birthday::ChangedUser)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedUserBody {
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    name: String,
    #[schema(format = Email, max_length = 254, example = "ada@example.org")]
    email: String,
    #[schema(format = Date, example = "1996-02-29")]
    birthday: String,
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// The version that was read, unless the header If-Match says it
    #[schema(minimum = 1)]
    version: Option<i64>,
}

/// Adds a person
#[utoipa::path(
    post, path = "/api/v1/users", tag = "birthday", security((), ("birthday" = [])), request_body = NewUserBody,
    responses(
        (status = 201, description = "Added", body = UserBody),
        (status = 401, description = "The token is missing or wrong", body = Problem),
        (status = 503, description = "No database", body = Problem),
        OfBodies,
    ),
)]
pub(super) async fn create(
    State(birthday): App,
    Json(body): Json<NewUserBody>,
) -> Result<impl IntoResponse, Problem> {
    let NewUserBody { name, email, birthday: day, time_zone } = body;
    let now = birthday.clock.now();
    let particulars = input::particulars(input::Said { name, email, birthday: day, time_zone }, now)?;
    let user = birthday.add(&particulars, now).await?;
    // Relative to this path, which may be below another.
    let location = [(header::LOCATION, format!("users/{}", user.id))];
    Ok((StatusCode::CREATED, location, Json(UserBody::from(user))))
}

/// One person
#[utoipa::path(
    get, path = "/api/v1/users/{id}", tag = "birthday", security((), ("birthday" = [])), params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The person", body = UserBody),
        (status = 401, description = "The token is missing or wrong", body = Problem),
        (status = 404, description = "There is nobody with this id", body = Problem),
        (status = 503, description = "No database", body = Problem),
    ),
)]
pub(super) async fn read(State(birthday): App, Path(id): Path<Uuid>) -> Result<Json<UserBody>, Problem> {
    let (db, id) = (&birthday.kit.db, id.to_string());
    let user = match users::find(&db.read, &id).await? {
        // A replica may not have heard of who was added a moment ago.
        None if birthday.kit.settings.storage.database_replica.is_some() => {
            users::find(&db.write, &id).await?
        }
        found => found,
    };
    user.map(|user| Json(user.into())).ok_or_else(nobody)
}

/// Replaces what is known of a person
#[utoipa::path(
    put, path = "/api/v1/users/{id}", tag = "birthday", security((), ("birthday" = [])), request_body = ChangedUserBody,
    params(("id" = Uuid, Path, description = "The user's id"), IfMatch),
    responses(
        (status = 200, description = "Replaced", body = UserBody),
        (status = 401, description = "The token is missing or wrong", body = Problem),
        (status = 404, description = "There is nobody with this id", body = Problem),
        (status = 409, description = "Changed by another since the version in the body", body = Problem),
        (status = 412, description = "Changed by another since the version in If-Match", body = Problem),
        (status = 428, description = "The version is missing, in the body and in If-Match", body = Problem),
        (status = 503, description = "No database", body = Problem),
        OfBodies,
    ),
)]
pub(super) async fn replace(
    State(birthday): App,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(body): Json<ChangedUserBody>,
) -> Result<Json<UserBody>, Problem> {
    let ChangedUserBody { name, email, birthday: day, time_zone, version } = body;
    let expected = Expected::required(&headers, version)?;
    let now = birthday.clock.now();
    let particulars = input::particulars(input::Said { name, email, birthday: day, time_zone }, now)?;
    let id = id.to_string();
    let changed = match expected.version() {
        Some(version) => birthday.change(&id, version, &particulars, now).await?,
        None => None,
    };
    match changed {
        Some(user) => Ok(Json(user.into())),
        None if users::find(&birthday.kit.db.write, &id).await?.is_some() => Err(expected.missed()),
        None => Err(nobody()),
    }
}

/// Forgets a person, and sends nothing any more
#[utoipa::path(
    delete, path = "/api/v1/users/{id}", tag = "birthday", security((), ("birthday" = [])),
    params(("id" = Uuid, Path, description = "The user's id")),
    responses(
        (status = 204, description = "Forgotten"),
        (status = 401, description = "The token is missing or wrong", body = Problem),
        (status = 404, description = "There is nobody with this id", body = Problem),
        (status = 503, description = "No database", body = Problem),
    ),
)]
pub(super) async fn delete(State(birthday): App, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    match birthday.remove(&id.to_string()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(nobody()),
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = birthday::Users)]
pub(super) struct UsersBody {
    users: Vec<UserBody>,
    /// The `after` of the next page; null on the last.
    #[schema(format = Uuid)]
    next: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsersQuery {
    /// People whose name or address begins with this, in any case of letters
    #[param(max_length = 100)]
    search: Option<String>,
    /// People added after this one; from the first on when it is missing
    after: Option<Uuid>,
    /// People on the page
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// A page of people
#[utoipa::path(
    get, path = "/api/v1/users", tag = "birthday", security((), ("birthday" = [])), params(UsersQuery),
    responses(
        (status = 200, description = "The page, in the order in which they were added", body = UsersBody),
        (status = 400, description = "The query cannot be read", body = Problem),
        (status = 401, description = "The token is missing or wrong", body = Problem),
        (status = 422, description = "A parameter is out of bounds", body = Problem),
        (status = 503, description = "No database", body = Problem),
    ),
)]
pub(super) async fn list(
    State(birthday): App,
    Query(query): Query<UsersQuery>,
) -> Result<Json<UsersBody>, Problem> {
    let limit = input::limit(query.limit)?;
    let search = input::text("search", query.search.unwrap_or_default(), 100)?;
    let after = query.after.map(|id| id.to_string()).unwrap_or_default();
    let users = users::page(&birthday.kit.db.read, &search, &after, limit).await?;
    let full = users.len() as i64 == limit;
    let next = users.last().filter(|_| full).map(|user| user.id.clone());
    Ok(Json(UsersBody { users: users.into_iter().map(UserBody::from).collect(), next }))
}

fn nobody() -> Problem {
    Problem::not_found("there is nobody with this id")
}
