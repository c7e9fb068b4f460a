//! axum's extractors, whose rejections are problem documents here.

use axum::{
    extract::{FromRequest, FromRequestParts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::IntoResponses;

use crate::kit::problem::Problem;

/// A JSON body, of requests and responses.
#[derive(Debug, Clone, Copy, FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Refusals of routes that take a [`Json`] body, for OpenAPI documents.
#[derive(IntoResponses)]
pub enum OfBodies {
    /// The body is not JSON
    #[response(status = 400)]
    Unreadable(Problem),
    /// The body is too large
    #[response(status = 413)]
    TooLarge(Problem),
    /// Content-Type is not application/json
    #[response(status = 415)]
    OtherType(Problem),
    /// A field is missing or breaks a rule: the detail names it
    #[response(status = 422)]
    Invalid(Problem),
}

/// The query of the URL.
#[derive(Debug, Clone, Copy, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub struct Query<T>(pub T);

/// The parameters in the path. What does not parse is answered with 404: nothing has such a path.
#[derive(Debug, Clone, Copy, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct Path<T>(pub T);
