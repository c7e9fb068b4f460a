//! Birthday: messages on people's birthdays, at their own morning, once.

use utoipa_axum::router::OpenApiRouter;

use crate::kit::Kit;

/// Starts its background work and gives its routes.
pub async fn start(_kit: &Kit) -> anyhow::Result<OpenApiRouter> {
    Ok(OpenApiRouter::new())
}
