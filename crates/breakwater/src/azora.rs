//! Azora: profiles and courses behind three layers of caches.

use utoipa_axum::router::OpenApiRouter;

use crate::kit::Kit;

/// Starts its background work and gives its routes.
pub async fn start(_kit: &Kit) -> anyhow::Result<OpenApiRouter> {
    Ok(OpenApiRouter::new())
}
