//! Registering, signing in and out.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::{
        App,
        domain::{Name, PASSWORD_CHARS_MAX, new_password},
        metrics::timed,
        storage::{Credentials, NewUser},
    },
    OfAll, OfSigned, field,
};
use crate::kit::{
    auth::{Role, Signed, Tokens},
    email::Email,
    http::{Json, OfBodies},
    problem::Problem,
};

/// Who registers.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = connex::Registration)]
#[serde(deny_unknown_fields)]
pub(super) struct Registration {
    #[schema(format = Email, max_length = 254)]
    email: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(format = Password, min_length = 8, max_length = 128)]
    password: String,
}

/// Whether it worked is not told here.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = connex::Registered)]
pub(super) struct Registered {
    #[schema(value_type = String)]
    detail: &'static str,
}

/// Register
///
/// The answer is the same whether somebody has the email already or not; signing in tells the one who knows the password.
#[utoipa::path(
    post, path = "/api/v1/auth/register", tag = "sign-in", request_body = Registration,
    responses(
        (status = 202, description = "The account exists if the email was free", body = Registered),
        (status = 429, description = "Too many from this address", body = Problem),
        OfBodies, OfAll,
    ),
)]
pub(super) async fn register(
    State(app): State<App>,
    Json(body): Json<Registration>,
) -> Result<(StatusCode, Json<Registered>), Problem> {
    timed(&app.0.metrics.register, async {
        let email = Email::parse(&body.email).map_err(field("email"))?;
        let name = Name::parse(&body.name).map_err(field("name"))?;
        new_password(&body.password).map_err(field("password"))?;
        // Also when the email is taken: the work must not tell.
        let password_hash = app.0.passwords.hash(body.password).await?;
        let new = NewUser { email, name, role: Role::User, password_hash };
        if app.0.users.insert(&new, app.now()).await?.is_some() {
            app.0.metrics.registrations.inc();
        }
        Ok((StatusCode::ACCEPTED, Json(Registered { detail: "sign in with the email and the password" })))
    })
    .await
}

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = connex::Login)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    #[schema(format = Email, max_length = 254)]
    email: String,
    #[schema(format = Password, max_length = 128)]
    password: String,
}

/// Sign in
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "sign-in", request_body = Login,
    responses(
        (status = 200, description = "Signed in", body = Tokens),
        (status = 401, description = "The email or the password is not right", body = Problem),
        (status = 429, description = "Too many tries", body = Problem),
        OfBodies, OfAll,
    ),
)]
pub(super) async fn login(State(app): State<App>, Json(body): Json<Login>) -> Result<Json<Tokens>, Problem> {
    let metrics = &app.0.metrics;
    let answer = timed(&metrics.login, let_in(&app, body)).await;
    match &answer {
        Ok(_) => metrics.logins_ok.inc(),
        Err(problem) => match problem.status() {
            StatusCode::UNAUTHORIZED => metrics.logins_refused.inc(),
            StatusCode::TOO_MANY_REQUESTS => metrics.logins_limited.inc(),
            status if status.is_server_error() => metrics.logins_failed.inc(),
            _ => 0,
        },
    };
    answer.map(Json)
}

async fn let_in(app: &App, body: Login) -> Result<Tokens, Problem> {
    let refused = || Problem::unauthorized("the email or the password is not right");
    let email = Email::parse(&body.email).map_err(field("email"))?;
    known_length(&body.password).map_err(field("password"))?;
    check_account_limit(app, &email)?;
    let user = app.0.users.credentials(&email).await?;
    let stored = user.as_ref().map(|user| user.password_hash.as_str());
    let right = app.0.passwords.verify(body.password.clone(), stored).await?;
    let Some(user) = user.filter(|_| right) else { return Err(refused()) };
    let tokens = begin(app, &user).await?.ok_or_else(refused)?;
    if app.0.passwords.is_outdated(&user.password_hash) {
        app.renew_hash(user.id, user.password_hash, body.password);
    }
    Ok(tokens)
}

/// Begins a sign-in for who has shown that this is their account. `None` when it is not what it was any more: whoever deletes
/// it, or changes its role or password, has ended its sign-ins and may have come too early for this one.
pub(super) async fn begin(app: &App, account: &Credentials) -> Result<Option<Tokens>, Problem> {
    let tokens = app.0.realm.begin(account.id, account.role).await?;
    if app.0.users.is_still(account).await? {
        return Ok(Some(tokens));
    }
    app.0.realm.end_all(account.id).await?;
    Ok(None)
}

/// Bounds what is hashed. A shorter one than may be chosen is only wrong.
pub(super) fn known_length(password: &str) -> Result<(), &'static str> {
    match password.chars().nth(PASSWORD_CHARS_MAX) {
        None => Ok(()),
        Some(_) => Err("may have 128 characters"),
    }
}

pub(super) fn check_account_limit(app: &App, email: &Email) -> Result<(), Problem> {
    let Some(limit) = &app.0.sign_ins_per_account else { return Ok(()) };
    limit
        .check(email.as_str())
        .map_err(|after| Problem::too_many_requests("too many tries to sign in to this account", after))
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = connex::RefreshBody)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshBody {
    #[schema(max_length = 64)]
    refresh_token: String,
}

/// Get new tokens
///
/// A refresh token is good once. If it comes again, the sign-in that it goes back to ends.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "sign-in", request_body = RefreshBody,
    responses(
        (status = 200, description = "New tokens, of both kinds", body = Tokens),
        (status = 401, description = "Not a refresh token, or not good any more", body = Problem),
        OfBodies, OfAll,
    ),
)]
pub(super) async fn refresh(
    State(app): State<App>,
    Json(body): Json<RefreshBody>,
) -> Result<Json<Tokens>, Problem> {
    timed(&app.0.metrics.refresh, async {
        let (signed, tokens) = app.0.realm.refresh(&body.refresh_token).await?;
        let user = app.0.users.credentials_by_id(signed.user_id).await?;
        if user.is_none_or(|user| user.role != signed.role) {
            app.0.realm.end_all(signed.user_id).await?;
            return Err(Problem::unauthorized("this account has changed: sign in again"));
        }
        Ok(Json(tokens))
    })
    .await
}

/// Sign out
///
/// Ends the sign-in that the access token goes back to, with all its tokens, at once.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "sign-in", security(("bearer" = [])),
    responses((status = 204, description = "Signed out"), OfSigned, OfAll),
)]
pub(super) async fn logout(State(app): State<App>, signed: Signed) -> Result<StatusCode, Problem> {
    timed(&app.0.metrics.logout, app.0.realm.end(&signed)).await?;
    Ok(StatusCode::NO_CONTENT)
}
