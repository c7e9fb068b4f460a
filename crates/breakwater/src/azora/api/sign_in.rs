//! Signing in and out.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    azora::App,
    kit::{
        auth::{Signed, Tokens},
        email::Email,
        http::{Json, OfBodies},
        problem::Problem,
    },
};

const PASSWORD_BYTES_MAX: usize = 128;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = azora::Login)]
pub(super) struct Login {
    #[schema(max_length = 254, format = Email, example = "learner-1@azora.example")]
    email: String,
    #[schema(max_length = 128, format = Password)]
    password: String,
}

/// Signs in
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "azora", request_body = Login,
    responses(
        (status = 200, description = "Signed in", body = Tokens),
        (status = 401, description = "No such account with this password", body = Problem),
        (status = 429, description = "Too many tries for this account, or from this address", body = Problem),
        (status = 503, description = "No database connection, or too many are signing in", body = Problem),
        OfBodies,
    ),
)]
pub(super) async fn login(
    State(app): State<App>,
    Json(Login { email, password }): Json<Login>,
) -> Result<Json<Tokens>, Problem> {
    let email = Email::parse(&email).map_err(|wrong| Problem::invalid(format!("email: {wrong}")))?;
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Problem::invalid(format!("password: must have at most {PASSWORD_BYTES_MAX} bytes")));
    }
    if let Some(limit) = &app.sign_ins_per_account {
        let too_many = |after| Problem::too_many_requests("too many tries to sign in to this account", after);
        limit.check(email.as_str()).map_err(too_many)?;
    }
    let account = app.storage.account(&email).await?;
    // Without an account as well: how long it takes must not tell.
    let stored = account.as_ref().map(|account| account.password_hash.as_str());
    let right = app.passwords.verify(password.clone(), stored).await?;
    let Some(account) = account.filter(|_| right) else {
        return Err(Problem::unauthorized("there is no account with this address and password"));
    };
    if app.passwords.is_outdated(&account.password_hash) {
        let hash = app.passwords.hash(password).await?;
        app.storage.set_password_hash(&account.id, &hash).await?;
    }
    let id = account.id.parse().map_err(|error| Problem::internal(anyhow::Error::new(error)))?;
    Ok(Json(app.realm.begin(id, account.role).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = azora::Refresh)]
pub(super) struct Refresh {
    #[schema(max_length = 128)]
    refresh_token: String,
}

/// Gives new tokens for a refresh token, which is good once
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "azora", request_body = Refresh,
    responses(
        (status = 200, description = "New tokens", body = Tokens),
        (status = 401, description = "The refresh token is not good, or not any more", body = Problem),
        (status = 503, description = "No database connection", body = Problem),
        OfBodies,
    ),
)]
pub(super) async fn refresh(
    State(app): State<App>,
    Json(Refresh { refresh_token }): Json<Refresh>,
) -> Result<Json<Tokens>, Problem> {
    let (_, tokens) = app.realm.refresh(&refresh_token).await?;
    Ok(Json(tokens))
}

/// Signs out: the tokens of this sign-in are good no more
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "azora", security(("bearer" = [])),
    responses(
        (status = 204, description = "Signed out"),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 503, description = "No database connection", body = Problem),
    ),
)]
pub(super) async fn logout(State(app): State<App>, signed: Signed) -> Result<StatusCode, Problem> {
    app.realm.end(&signed).await?;
    Ok(StatusCode::NO_CONTENT)
}
