//! Fluxor: back-pressure at capacity.
//!
//! A small API behind admission control ([`crate::kit::admission`] says what its limits promise). What is asked most is
//! answered from memory: `/health` and `/ready` ask nobody, pages of users and the figures are kept as bytes for a moment. So
//! the work of a request is small and alike, and the limits alone decide how the service behaves under load.
//!
//! Everything but `/api/admission` is behind the admission control, `/health` too: at capacity the service says so to whoever
//! asks. `/api/admission` is not, or nobody could raise the limits of a service that is full.

mod api;
mod domain;
mod figures;
mod settings;
mod storage;

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
pub use settings::FluxorSettings;
use utoipa_axum::router::OpenApiRouter;

use crate::kit::Kit;
use crate::kit::admission::Admission;
use crate::kit::problem::Problem;
use figures::Figures;
use storage::Users;

/// Gives its routes.
pub async fn start(kit: &Kit) -> anyhow::Result<OpenApiRouter> {
    let admission = Admission::new(kit.settings.fluxor.limits()?);
    kit.metrics.collector(Box::new(admission.clone()));
    Ok(api::routes(App(Arc::new(Parts {
        users: Users::new(kit.db.clone()),
        readiness: Cache::builder().max_capacity(1).time_to_live(READINESS_KEPT).build(),
        figures: Figures::new(admission.clone()),
        admission,
        kit: kit.clone(),
    }))))
}

/// How long the answer of the database holds for `/ready`: it is asked twice a second however many ask.
const READINESS_KEPT: Duration = Duration::from_millis(500);

/// What the handlers work with.
#[derive(Clone)]
struct App(Arc<Parts>);

struct Parts {
    kit: Kit,
    admission: Admission,
    users: Users,
    readiness: Cache<(), Result<(), Problem>>,
    figures: Figures,
}

impl Parts {
    /// Whether requests can be served.
    async fn ready(&self) -> Result<(), Problem> {
        self.kit.need_running()?;
        self.readiness.get_with((), async { Ok(self.kit.db.ready().await?) }).await
    }
}
