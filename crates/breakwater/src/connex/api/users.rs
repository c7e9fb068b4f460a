//! Users: list, create, read, change, delete.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, IntoResponses, ToSchema};
use uuid::Uuid;

use super::{
    super::{
        App,
        domain::{Cursor, Name, Sort, User, new_password},
        metrics::timed,
        storage::NewUser,
    },
    OfAll, OfSigned, entity_tag, field, has_already,
    sign_in::{begin, check_account_limit, known_length},
};
use crate::kit::{
    auth::{Role, Signed, Tokens},
    email::Email,
    http::{Json, OfBodies, Path, Query},
    problem::Problem,
    version::{Expected, IfMatch},
};

/// What a client has already.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is what the document says of it")]
struct IfNoneMatch {
    /// An ETag of this user that was read before: the user is sent if it is another by now
    #[param(rename = "If-None-Match")]
    tag: Option<String>,
}

/// Answers of reads.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is what the document says of them")]
enum OfReads {
    /// The user
    #[response(status = 200, headers(("ETag" = String, description = "Their version")))]
    Read(User),
    /// Not changed since the version in If-None-Match
    #[response(status = 304)]
    NotModified,
    /// There is no such user
    #[response(status = 404)]
    Missing(Problem),
}

/// Answers of changes.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is what the document says of them")]
enum OfChanges {
    /// As they are now
    #[response(status = 200, headers(("ETag" = String, description = "Their version")))]
    Changed(User),
    /// There is no such user
    #[response(status = 404)]
    Missing(Problem),
    /// Changed by another since the version in the body, or somebody has this email
    #[response(status = 409)]
    Conflict(Problem),
    /// Changed by another since the version in If-Match
    #[response(status = 412)]
    Stale(Problem),
    /// The version is missing, in the body and in If-Match
    #[response(status = 428)]
    NoVersion(Problem),
}

/// What of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// Users on a page
    #[serde(default = "limit_default")]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: u32,
    /// `next` of the page before
    #[param(max_length = 1000)]
    after: Option<String>,
    /// Part of the name or the email
    #[serde(default)]
    #[param(max_length = 100)]
    search: String,
    /// Order of the list
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
}

fn limit_default() -> u32 {
    20
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = connex::Page)]
pub(super) struct Page {
    users: Vec<User>,
    /// Goes as `after` for the next page, with the same `sort`. Missing on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List users
///
/// For admins. Every page costs the same, and what is added or deleted meanwhile neither repeats nor hides others.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "users", security(("bearer" = [])), params(Listing),
    responses(
        (status = 200, description = "A page", body = Page),
        (status = 400, description = "A parameter cannot be read", body = Problem),
        (status = 422, description = "A parameter breaks a rule: the detail names it", body = Problem),
        OfSigned, OfAll,
    ),
)]
pub(super) async fn list(
    State(app): State<App>,
    signed: Signed,
    Query(listing): Query<Listing>,
) -> Result<Json<Page>, Problem> {
    signed.admin_only()?;
    timed(&app.0.metrics.list, async {
        if !(1..=100).contains(&listing.limit) {
            return Err(Problem::invalid("limit: must be from 1 to 100"));
        }
        if listing.search.chars().count() > 100 || listing.search.contains('\0') {
            return Err(Problem::invalid("search: may have 100 characters, none of them NUL"));
        }
        let cursor = match &listing.after {
            Some(text) => {
                let cursor = Cursor::parse(text).filter(|cursor| cursor.sort == listing.sort);
                Some(cursor.ok_or_else(|| {
                    Problem::invalid("after: must be `next` of a page with the same `sort`")
                })?)
            }
            None => None,
        };
        // One more than asked for tells whether there is a next page.
        let mut users =
            app.0.users.page(&listing.search, listing.sort, cursor.as_ref(), listing.limit + 1).await?;
        let there_is_more = users.len() > listing.limit as usize;
        users.truncate(listing.limit as usize);
        let last = users.last().filter(|_| there_is_more);
        let next = last.map(|last| Cursor::behind(last, listing.sort).text());
        Ok(Json(Page { users, next }))
    })
    .await
}

/// A user whom an admin adds.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = connex::Creation)]
#[serde(deny_unknown_fields)]
pub(super) struct Creation {
    #[schema(format = Email, max_length = 254)]
    email: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(format = Password, min_length = 8, max_length = 128)]
    password: String,
    /// `user` unless it is said
    role: Option<Role>,
}

/// Add a user
///
/// For admins.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", security(("bearer" = [])), request_body = Creation,
    responses(
        (status = 201, description = "Added", body = User,
            headers(
                ("Location" = String, description = "Its path"),
                ("ETag" = String, description = "Its version"),
            )),
        (status = 409, description = "Somebody has this email", body = Problem),
        OfBodies, OfSigned, OfAll,
    ),
)]
pub(super) async fn create(
    State(app): State<App>,
    signed: Signed,
    Json(body): Json<Creation>,
) -> Result<Response, Problem> {
    signed.admin_only()?;
    timed(&app.0.metrics.create, async {
        let email = Email::parse(&body.email).map_err(field("email"))?;
        let name = Name::parse(&body.name).map_err(field("name"))?;
        new_password(&body.password).map_err(field("password"))?;
        let password_hash = app.0.passwords.hash(body.password).await?;
        let role = body.role.unwrap_or(Role::User);
        let new = NewUser { email, name, role, password_hash };
        let user = app.0.users.insert(&new, app.now()).await?;
        let user = user.ok_or_else(|| Problem::conflict("email: somebody has it already"))?;
        // Relative to this path, which may be below another.
        let location = [(header::LOCATION, format!("users/{}", user.id))];
        Ok((StatusCode::CREATED, location, shown(&user)).into_response())
    })
    .await
}

/// Who I am
#[utoipa::path(
    get, path = "/api/v1/users/me", tag = "users", security(("bearer" = [])),
    params(IfNoneMatch), responses(OfReads, OfSigned, OfAll),
)]
pub(super) async fn me(
    State(app): State<App>,
    signed: Signed,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    timed(&app.0.metrics.read, cached(&app, signed.user_id, &headers)).await
}

/// Read a user
///
/// For the user themself and admins.
#[utoipa::path(
    get, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user's id"), IfNoneMatch),
    responses(OfReads, OfSigned, OfAll),
)]
pub(super) async fn read(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    signed.own_only(id)?;
    timed(&app.0.metrics.read, cached(&app, id, &headers)).await
}

async fn cached(app: &App, id: Uuid, headers: &HeaderMap) -> Result<Response, Problem> {
    let kept = app.cached_user(id).await?;
    let Some(end) = kept.iter().position(|byte| *byte == b'\n') else { return Err(no_such_user()) };
    let version = &kept[..end];
    Ok(match has_already(headers, version) {
        true => (StatusCode::NOT_MODIFIED, [entity_tag(version), may_keep()]).into_response(),
        false => json(version, kept.slice(end + 1..)),
    })
}

/// A new state of a user, with all that can be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = connex::Replacement)]
#[serde(deny_unknown_fields)]
pub(super) struct Replacement {
    /// Another one than before is for admins
    #[schema(format = Email, max_length = 254)]
    email: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Another one than before is for admins
    role: Option<Role>,
    /// The version that was read, unless the header If-Match says it
    version: Option<i64>,
}

/// What is to be different.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = connex::Change)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// For admins
    #[schema(format = Email, max_length = 254)]
    email: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// For admins
    role: Option<Role>,
    /// The version that was read, unless the header If-Match says it
    version: Option<i64>,
}

/// Replace a user
///
/// For the user themself and admins. Another role ends the user's sign-ins.
#[utoipa::path(
    put, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = [])), request_body = Replacement,
    params(("id" = Uuid, Path, description = "The user's id"), IfMatch),
    responses(OfChanges, OfBodies, OfSigned, OfAll),
)]
pub(super) async fn replace(
    state: State<App>,
    signed: Signed,
    id: Path<Uuid>,
    headers: HeaderMap,
    Json(body): Json<Replacement>,
) -> Result<Response, Problem> {
    let Replacement { email, name, role, version } = body;
    let body = Change { email: Some(email), name: Some(name), role, version };
    change(state, signed, id, headers, Json(body)).await
}

/// Change a user
///
/// For the user themself and admins. What is not said stays. Another role ends the user's sign-ins.
#[utoipa::path(
    patch, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = [])), request_body = Change,
    params(("id" = Uuid, Path, description = "The user's id"), IfMatch),
    responses(OfChanges, OfBodies, OfSigned, OfAll),
)]
pub(super) async fn change(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(body): Json<Change>,
) -> Result<Response, Problem> {
    signed.own_only(id)?;
    let begun = app.clone();
    timed(&app.0.metrics.update, async {
        let expected = Expected::required(&headers, body.version)?;
        let email = body.email.as_deref().map(Email::parse).transpose().map_err(field("email"))?;
        let name = body.name.as_deref().map(Name::parse).transpose().map_err(field("name"))?;
        let write = async move {
            let stored = begun.0.users.by_id(id).await?.ok_or_else(no_such_user)?;
            let next = User {
                email: email.unwrap_or_else(|| stored.email.clone()),
                name: name.unwrap_or_else(|| stored.name.clone()),
                role: body.role.unwrap_or(stored.role),
                ..stored.clone()
            };
            if !signed.is_admin() && (next.email != stored.email || next.role != stored.role) {
                return Err(Problem::forbidden("email, role: only an admin may change them"));
            }
            let is_other_role = next.role != stored.role;
            let changed = match expected.version() == Some(stored.version) {
                true => begun.0.users.update(&next, is_other_role, begun.now()).await.map_err(email_taken)?,
                false => None,
            };
            let Some(changed) = changed else {
                begun.0.metrics.conflicts.inc();
                return Err(expected.missed());
            };
            Ok(changed)
        };
        Ok(shown(&app.change(id, write).await?))
    })
    .await
}

/// Delete a user
///
/// For the user themself and admins. Ends the user's sign-ins.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The user's id"), IfMatch),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "There is no such user", body = Problem),
        (status = 412, description = "Changed by another since the version in If-Match", body = Problem),
        OfSigned, OfAll,
    ),
)]
pub(super) async fn delete(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    signed.own_only(id)?;
    let begun = app.clone();
    timed(&app.0.metrics.delete, async {
        let expected = Expected::of(&headers, None);
        let write = async move {
            let stored = begun.0.users.by_id(id).await?.ok_or_else(no_such_user)?;
            let version = match expected {
                Some(expected) if expected.version() != Some(stored.version) => {
                    return Err(expected.missed());
                }
                Some(_) => Some(stored.version),
                None => None,
            };
            if !begun.0.users.delete(id, version).await? {
                return Err(expected.map_or_else(no_such_user, Expected::missed));
            }
            Ok(())
        };
        app.change(id, write).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// A new password, by who knows the old one.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = connex::NewPassword)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    #[schema(format = Password, max_length = 128)]
    current_password: String,
    #[schema(format = Password, min_length = 8, max_length = 128)]
    new_password: String,
}

/// Change my password
///
/// Ends all sign-ins of the user, and gives the tokens of a new one.
#[utoipa::path(
    put, path = "/api/v1/users/me/password", tag = "users", security(("bearer" = [])),
    request_body = NewPassword,
    responses(
        (status = 200, description = "Changed", body = Tokens),
        (status = 404, description = "Deleted meanwhile", body = Problem),
        (status = 409, description = "Changed by another request at the same time", body = Problem),
        (status = 429, description = "Too many tries", body = Problem),
        OfBodies, OfSigned, OfAll,
    ),
)]
pub(super) async fn change_password(
    State(app): State<App>,
    signed: Signed,
    Json(body): Json<NewPassword>,
) -> Result<Json<Tokens>, Problem> {
    timed(&app.0.metrics.password, async {
        known_length(&body.current_password).map_err(field("current_password"))?;
        new_password(&body.new_password).map_err(field("new_password"))?;
        let user = app.0.users.by_id(signed.user_id).await?.ok_or_else(no_such_user)?;
        check_account_limit(&app, &user.email)?;
        let stored = app.0.users.credentials_by_id(user.id).await?.ok_or_else(no_such_user)?.password_hash;
        if !app.0.passwords.verify(body.current_password, Some(&stored)).await? {
            return Err(Problem::forbidden("current_password: it is not right"));
        }
        let hash = app.0.passwords.hash(body.new_password).await?;
        let begun = app.clone();
        let write = async move {
            let meanwhile =
                || Problem::conflict("the account was changed by another request at the same time");
            let changed = begun.0.users.change_password(user.id, &stored, &hash).await?;
            begin(&begun, &changed.ok_or_else(meanwhile)?).await?.ok_or_else(meanwhile)
        };
        Ok(Json(app.change(user.id, write).await?))
    })
    .await
}

fn no_such_user() -> Problem {
    Problem::not_found("there is no user with this id")
}

fn email_taken(error: sqlx::Error) -> Problem {
    match error.as_database_error().is_some_and(|error| error.is_unique_violation()) {
        true => Problem::conflict("email: somebody has it already"),
        false => error.into(),
    }
}

fn shown(user: &User) -> Response {
    let body = serde_json::to_vec(user).expect("a user is JSON");
    json(user.version.to_string().as_bytes(), body.into())
}

fn json(version: &[u8], body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.extend([entity_tag(version), may_keep()]);
    response
}

/// The client may keep it, and must ask each time whether it is still so.
fn may_keep() -> (header::HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))
}
