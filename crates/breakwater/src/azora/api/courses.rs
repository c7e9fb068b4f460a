//! Courses: anyone reads, admins write.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use uuid::Uuid;

use super::{NOTHING, json};
use crate::{
    azora::{
        App,
        domain::{Course, CourseInput, CoursePage, CourseQuery, Listing},
    },
    kit::{
        auth::Signed,
        http::{
            Json, OfBodies, Path, Query,
            compression::{Encoding, ready_json},
        },
        problem::Problem,
    },
};

/// A page of courses
///
/// Compressed with gzip if the client accepts it, unless it sends `X-No-Compression: 1`.
#[utoipa::path(
    get, path = "/api/v1/courses", tag = "azora", params(CourseQuery),
    responses(
        (status = 200, description = "The page, in the order of titles", body = CoursePage),
        (status = 400, description = "The query cannot be read", body = Problem),
        (status = 422, description = "A parameter is out of bounds", body = Problem),
        (status = 503, description = "No database connection", body = Problem),
    ),
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<CourseQuery>,
    encoding: Encoding,
) -> Result<Response, Problem> {
    let listing = Listing::try_from(query)?;
    let key = format!("{} {}", encoding.name(), listing.key());
    let fill = async || Ok(encoding.encode(json(&app.storage.courses(&listing).await?)));
    Ok(ready_json(app.response.get_or_fill(&key, fill).await?))
}

/// A course
#[utoipa::path(
    get, path = "/api/v1/courses/{id}", tag = "azora", params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, description = "The course", body = Course),
        (status = 404, description = "There is no such course", body = Problem),
        (status = 503, description = "No database connection", body = Problem),
    ),
)]
pub(super) async fn read(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    encoding: Encoding,
) -> Result<Response, Problem> {
    let fill = async || {
        let course = app.storage.course(&id.to_string()).await?;
        Ok(course.map_or(NOTHING, |course| encoding.encode(json(&course))))
    };
    let course = app.data.get_or_fill(&key(encoding, id), fill).await?;
    match course.is_empty() {
        true => Err(unknown()),
        false => Ok(ready_json(course)),
    }
}

/// Adds a course; admins only
#[utoipa::path(
    post, path = "/api/v1/courses", tag = "azora", security(("bearer" = [])), request_body = CourseInput,
    responses(
        (status = 201, description = "The course as it is stored", body = Course,
            headers(("Location" = String, description = "Its path"))),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 503, description = "No database connection", body = Problem),
        OfBodies,
    ),
)]
pub(super) async fn create(
    State(app): State<App>,
    signed: Signed,
    Json(course): Json<CourseInput>,
) -> Result<Response, Problem> {
    signed.admin_only()?;
    let course = course.checked()?;
    let id = Uuid::now_v7();
    let work = {
        let app = app.clone();
        async move {
            let course = app.storage.add_course(id, &course).await;
            app.forget(id).await;
            course?.ok_or_else(|| Problem::conflict("there is a course with this id already"))
        }
    };
    let course = app.to_the_end(work).await?;
    // Relative to this path, which may be below another.
    let location = format!("courses/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(course)).into_response())
}

/// Replaces a course; admins only
#[utoipa::path(
    put, path = "/api/v1/courses/{id}", tag = "azora", security(("bearer" = [])), params(("id" = String, Path, format = Uuid)),
    request_body = CourseInput,
    responses(
        (status = 200, description = "The course as it is now", body = Course),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 404, description = "There is no such course", body = Problem),
        (status = 503, description = "No database connection", body = Problem),
        OfBodies,
    ),
)]
pub(super) async fn replace(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<Uuid>,
    Json(course): Json<CourseInput>,
) -> Result<Json<Course>, Problem> {
    signed.admin_only()?;
    let course = course.checked()?;
    let work = {
        let app = app.clone();
        async move {
            let course = app.storage.replace_course(id, &course).await;
            app.forget(id).await;
            course?.ok_or_else(unknown)
        }
    };
    app.to_the_end(work).await.map(Json)
}

/// Deletes a course; admins only
#[utoipa::path(
    delete, path = "/api/v1/courses/{id}", tag = "azora", security(("bearer" = [])), params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, description = "Not signed in", body = Problem),
        (status = 403, description = "Not an admin", body = Problem),
        (status = 404, description = "There is no such course", body = Problem),
        (status = 503, description = "No database connection", body = Problem),
    ),
)]
pub(super) async fn delete(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    signed.admin_only()?;
    let work = {
        let app = app.clone();
        async move {
            let was_there = app.storage.delete_course(id).await;
            app.forget(id).await;
            was_there
        }
    };
    match app.to_the_end(work).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown()),
    }
}

impl App {
    /// Invalidates what was computed from a course that has been written. Also after an error: it may have been written all
    /// the same.
    async fn forget(&self, id: Uuid) {
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            self.data.remove(&key(encoding, id)).await;
        }
        self.response.clear().await;
    }
}

fn key(encoding: Encoding, id: Uuid) -> String {
    format!("{} {id}", encoding.name())
}

fn unknown() -> Problem {
    Problem::not_found("there is no course with this id")
}
