//! Location: positions shared in sessions over WebSocket.
//!
//! A session is created and joined over HTTP; joining gives a token that opens the socket. There the participant sends its
//! positions and gets everybody's, newest first in importance: a member that reads slowly misses positions that have newer
//! ones, never the newest, and none of it waits in a queue.

mod api;
pub mod board;
mod message;
mod metrics;
mod peers;
mod room;
mod settings;
mod socket;
mod storage;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

pub use settings::LocationSettings;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;

use crate::kit::{Kit, now_ms};

/// How often old sessions are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// What the handlers share.
struct App {
    kit: Kit,
    store: storage::Store,
    hub: Arc<room::Hub>,
    /// Connections that may still be opened.
    room: Arc<Semaphore>,
    terms: socket::Terms,
}

/// Starts its background work and gives its routes.
pub async fn start(kit: &Kit) -> anyhow::Result<OpenApiRouter> {
    let settings = &kit.settings.location;
    let counts = metrics::Counts::new(&kit.metrics);
    let store = storage::Store::open(kit.db.clone(), settings).await?;
    let window = Duration::from_millis(settings.location_window_ms);
    let grace = Duration::from_millis(settings.location_away_ms);
    let hub = room::Hub::new(kit.bus.clone(), window, grace, counts);
    let app = Arc::new(App {
        kit: kit.clone(),
        store,
        hub,
        room: Arc::new(Semaphore::new(settings.location_connections)),
        terms: socket::Terms {
            patience: Duration::from_millis(kit.settings.server.client_timeout_ms),
            ping_every: Duration::from_millis(settings.location_ping_ms),
            idle_max: Duration::from_millis(settings.location_idle_ms),
            messages_per_second: f64::from(settings.location_updates),
        },
    });
    kit.tasks.spawn(attend(app.clone()));
    Ok(api::routes(app, kit))
}

/// Deletes old sessions until the process is to end, and then lets the connections go.
async fn attend(app: Arc<App>) {
    let age_max = Duration::from_secs(app.kit.settings.location.location_session_s);
    let age_max_ms = i64::try_from(age_max.as_millis()).unwrap_or(i64::MAX);
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = app.kit.shutdown.cancelled() => break,
            _ = sweep.tick() => match app.store.delete_older_than(now_ms() - age_max_ms).await {
                Ok(sessions) => sessions.into_iter().for_each(|session| app.hub.ended(session)),
                Err(error) => tracing::warn!(%error, "old sessions could not be deleted; trying again in a minute"),
            },
        }
    }
    app.hub.stop();
}
