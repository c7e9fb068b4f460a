//! The profile of who is signed in, and of nobody else: its path names no one.

use axum::{extract::State, response::Response};

use super::{NOTHING, json};
use crate::{
    azora::{
        App,
        domain::{Profile, ProfileChange},
    },
    kit::{
        auth::Signed,
        http::{Json, OfBodies, compression::ready_json},
        problem::Problem,
    },
};

/// The profile of who is signed in
#[utoipa::path(
    get, path = "/api/v1/profile", tag = "azora", operation_id = "read_profile", security(("bearer" = [])),
    responses(
        (status = 200, description = "The profile", body = Profile),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 404, description = "The account is gone", body = Problem),
        (status = 503, description = "No database connection", body = Problem),
    ),
)]
pub(super) async fn read(State(app): State<App>, signed: Signed) -> Result<Response, Problem> {
    let id = signed.user_id.to_string();
    let fill = async || Ok(app.storage.profile(&id).await?.map_or(NOTHING, |profile| json(&profile).into()));
    let profile = app.session.get_or_fill(&id, fill).await?;
    match profile.is_empty() {
        true => Err(gone()),
        false => Ok(ready_json(profile)),
    }
}

/// Changes the profile of who is signed in
#[utoipa::path(
    put, path = "/api/v1/profile", tag = "azora", operation_id = "change_profile", security(("bearer" = [])), request_body = ProfileChange,
    responses(
        (status = 200, description = "The profile as it is now", body = Profile),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 404, description = "The account is gone", body = Problem),
        (status = 503, description = "No database connection", body = Problem),
        OfBodies,
    ),
)]
pub(super) async fn change(
    State(app): State<App>,
    signed: Signed,
    Json(change): Json<ProfileChange>,
) -> Result<Json<Profile>, Problem> {
    let change = change.checked()?;
    let id = signed.user_id.to_string();
    let work = {
        let app = app.clone();
        async move {
            let profile = app.storage.change_profile(&id, &change).await;
            // Also after an error: it may have been changed all the same.
            app.session.remove(&id).await;
            profile?.ok_or_else(gone)
        }
    };
    app.to_the_end(work).await.map(Json)
}

fn gone() -> Problem {
    Problem::not_found("this account does not exist any more")
}
