//! The HTTP side.

mod courses;
mod profile;
mod sign_in;

use axum::extract::State;
use bytes::Bytes;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::App;
use crate::kit::{
    Kit,
    auth::Bearer,
    cache::Figures,
    http::{Json, compression::Compression},
    rate,
};

pub(super) fn routes(app: App, kit: &Kit) -> OpenApiRouter {
    let strangers = OpenApiRouter::new().routes(routes!(sign_in::login));
    let a_minute = kit.settings.azora.azora_sign_ins_per_address;
    let strangers = rate::by_address(strangers, a_minute, &kit.settings.server);
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(profile::read, profile::change))
        .routes(routes!(courses::list, courses::create))
        .routes(routes!(courses::read, courses::replace, courses::delete))
        .routes(routes!(cache_stats))
        .layer(Compression::default())
        // Outside of the layer: tokens are not compressed.
        .merge(strangers)
        .routes(routes!(sign_in::refresh))
        .routes(routes!(sign_in::logout))
        .with_state(app)
}

/// What the document says besides the routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "Azora", description = "Profiles and courses behind three layers of caches"),
    modifiers(&Bearer)
)]
struct Document;

/// A value as the caches keep it.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("it has nothing that JSON cannot say")
}

/// Kept where there is nothing, so that asking again does not ask the database.
const NOTHING: Bytes = Bytes::new();

#[derive(Serialize, ToSchema)]
#[schema(as = azora::CacheStats)]
struct CacheStats {
    /// The layers: session, data and response.
    layers: [Figures; 3],
    /// The share of hits among all that was asked of them, from 0 to 1.
    hit_rate: f64,
}

/// How the caches do, in this instance since its start
#[utoipa::path(
    get, path = "/api/v1/cache/stats", tag = "azora",
    responses((status = 200, description = "Figures of each layer", body = CacheStats)),
)]
async fn cache_stats(State(app): State<App>) -> Json<CacheStats> {
    let layers = [&app.session, &app.data, &app.response].map(|layer| layer.figures());
    let hits: u64 = layers.iter().map(|layer| layer.hits).sum();
    let asked: u64 = layers.iter().map(Figures::asked).sum();
    let hit_rate = if asked == 0 { 0.0 } else { hits as f64 / asked as f64 };
    Json(CacheStats { layers, hit_rate })
}
