//! Azora: profiles and courses behind three layers of caches.
//!
//! | layer | keeps | for | invalidated by |
//! |---|---|---|---|
//! | session | the profile of who is signed in | 1 h | a change of this profile |
//! | data | courses, one by one | 5 min | a change of this course |
//! | response | pages of the course list as they are sent | 1 min | a change of any course |
//!
//! Every layer keeps bytes that are ready to send, courses and pages compressed if that is how the client takes them. What they
//! miss comes from the database, which has a door: see [`storage`].

mod api;
mod domain;
mod seed;
mod storage;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::extract::FromRef;
use clap::Args;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;

use self::storage::Storage;
use crate::kit::{
    Kit,
    auth::{Passwords, Realm, Role},
    cache::Layer,
    config::{Secret, defaults_of_flags},
    email::Email,
    problem::Problem,
    rate::RateLimit,
};

/// How Azora is run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Azora")]
pub struct AzoraSettings {
    /// Create this many learners and, for every ten of them, a course at start, where they are missing. The log says how they
    /// sign in
    #[arg(long, env = "BREAKWATER_AZORA_SEED", value_name = "N", default_value_t = 0)]
    pub azora_seed: u32,
    /// Create this admin at start, who may change courses
    #[arg(long, env = "BREAKWATER_AZORA_ADMIN", value_name = "EMAIL:PASSWORD", hide_env_values = true)]
    pub azora_admin: Option<Secret>,
    /// How long a profile is kept
    #[arg(long, env = "BREAKWATER_AZORA_SESSION_S", value_name = "S", default_value_t = 3600)]
    pub azora_session_s: u32,
    /// How long a course is kept
    #[arg(long, env = "BREAKWATER_AZORA_DATA_S", value_name = "S", default_value_t = 300)]
    pub azora_data_s: u32,
    /// How long a page of the course list is kept
    #[arg(long, env = "BREAKWATER_AZORA_RESPONSE_S", value_name = "S", default_value_t = 60)]
    pub azora_response_s: u32,
    /// Requests that may have a read of the database at a time, running or waiting. More are answered with 503 at once
    #[arg(long, env = "BREAKWATER_AZORA_CLIENTS", value_name = "N", default_value_t = 1_000)]
    pub azora_clients: u32,
    /// Connections of --pool-size that reads leave free for sign-in and writes. With --pool-size 25, 20 read
    #[arg(long, env = "BREAKWATER_AZORA_RESERVE", value_name = "N", default_value_t = 5)]
    pub azora_reserve: u32,
    /// Tries to sign in to one account in a minute, right or wrong. 0: no limit
    #[arg(long, env = "BREAKWATER_AZORA_SIGN_INS_PER_ACCOUNT", value_name = "N", default_value_t = 20)]
    pub azora_sign_ins_per_account: u32,
    /// Tries to sign in from one address in a minute. 0: no limit, as tests of load need that come from one machine
    #[arg(long, env = "BREAKWATER_AZORA_SIGN_INS_PER_ADDRESS", value_name = "N", default_value_t = 300)]
    pub azora_sign_ins_per_address: u32,
}
defaults_of_flags!(AzoraSettings);

/// What handlers work with.
#[derive(Clone)]
struct App(Arc<Shared>);

struct Shared {
    storage: Storage,
    session: Layer,
    data: Layer,
    response: Layer,
    realm: Realm,
    passwords: Passwords,
    sign_ins_per_account: Option<RateLimit>,
    tasks: TaskTracker,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<App> for Realm {
    fn from_ref(app: &App) -> Self {
        app.realm.clone()
    }
}

impl App {
    /// Runs a write and the invalidation that follows it to their end, also when the client goes away meanwhile.
    async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        self.tasks.spawn(work).await.map_err(Problem::internal)?
    }
}

/// Starts its background work and gives its routes.
pub async fn start(kit: &Kit) -> anyhow::Result<OpenApiRouter> {
    let settings = &kit.settings.azora;
    let layer = |name, seconds: u32| kit.cache.layer(name, Duration::from_secs(seconds.into()));
    let app = App(Arc::new(Shared {
        storage: Storage::new(kit)?,
        session: layer("azora-session", settings.azora_session_s),
        data: layer("azora-data", settings.azora_data_s),
        response: layer("azora-response", settings.azora_response_s),
        realm: kit.auth.realm("azora"),
        passwords: kit.auth.passwords().clone(),
        sign_ins_per_account: RateLimit::a_minute(settings.azora_sign_ins_per_account),
        tasks: kit.tasks.clone(),
    }));
    if let Some(admin) = &settings.azora_admin {
        let (email, password) =
            admin.expose().split_once(':').context("--azora-admin: say EMAIL:PASSWORD")?;
        let email =
            Email::parse(email).map_err(|wrong| anyhow::anyhow!("--azora-admin: the email {wrong}"))?;
        let hash = app.passwords.hash(password.to_owned()).await?;
        app.storage.add_user(&seed::person(email.as_str(), "Azora Admin", Role::Admin), &hash).await?;
    }
    let added = seed::run(&app, settings.azora_seed).await?;
    if added > 0 || kit.settings.storage.database.contains(":memory:") {
        // A cache that outlives the process may know other courses than this database.
        for layer in [&app.session, &app.data, &app.response] {
            layer.clear().await;
        }
    }
    Ok(api::routes(app, kit))
}
