//! Connex: the accounts API. People register and sign in; they read and change what is theirs, admins everything.
//!
//! Nobody is told who has an account. Signing in fails with the same answer after the same work whether it was the email or
//! the password that was wrong, and registering is answered with 202 whether the email was free or not: who has it finds
//! that their password works. (As no mail confirms an email, a stranger can still register one and try to sign in; that is
//! what the limit by address is for.) Emails are changed by admins alone, as a refusal would tell too.
//!
//! Changes name the version that they change, so of two who edit one record at once the second is told, and nothing is lost.

mod api;
mod domain;
mod metrics;
mod seed;
mod storage;

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use bytes::Bytes;
use clap::Args;
use jiff::Timestamp;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::kit::{
    Kit,
    auth::{Passwords, Realm},
    cache::Layer,
    config::Secret,
    problem::Problem,
    rate::RateLimit,
};
use metrics::ConnexMetrics;
use storage::Users;

/// What Connex alone is told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connex")]
pub struct ConnexSettings {
    /// An admin to add at the start, if nobody has the email yet. For several say it again; the environment has one
    #[arg(long, env = "BREAKWATER_CONNEX_ADMIN", value_name = "EMAIL:PASSWORD", hide_env_values = true)]
    pub connex_admin: Vec<Secret>,
    /// Users to add at the start, user1@example.com and so on, all with the password that the log tells. For tests of load
    #[arg(long, env = "BREAKWATER_CONNEX_SEED", value_name = "N", default_value_t = 0)]
    pub connex_seed: u32,
    /// How long what was read of a user is kept. A change through this API is seen at once; with several instances that takes
    /// a common --cache
    #[arg(long, env = "BREAKWATER_CONNEX_CACHE_S", value_name = "S", default_value_t = 60)]
    pub connex_cache_s: u32,
    /// Tries to sign in to one account in a minute, right or wrong. 0: no limit
    #[arg(long, env = "BREAKWATER_CONNEX_SIGN_INS_PER_ACCOUNT", value_name = "N", default_value_t = 20)]
    pub connex_sign_ins_per_account: u32,
    /// Registrations and tries to sign in from one address in a minute. 0: no limit, as tests of load need that come from
    /// one machine
    #[arg(long, env = "BREAKWATER_CONNEX_SIGN_INS_PER_ADDRESS", value_name = "N", default_value_t = 300)]
    pub connex_sign_ins_per_address: u32,
}
crate::kit::config::defaults_of_flags!(ConnexSettings);

/// How often accounts are counted for the metrics.
const COUNT_EVERY: Duration = Duration::from_secs(30);

/// What handlers work with. Cloning shares it.
#[derive(Clone)]
struct App(Arc<Inner>);

struct Inner {
    users: Users,
    realm: Realm,
    passwords: Passwords,
    /// Users by id: version, line break, JSON. Empty for one who does not exist.
    cached: Layer,
    metrics: ConnexMetrics,
    sign_ins_per_account: Option<RateLimit>,
    tasks: TaskTracker,
}

impl FromRef<App> for Realm {
    fn from_ref(app: &App) -> Self {
        app.0.realm.clone()
    }
}

/// Starts its background work and gives its routes.
pub async fn start(kit: &Kit) -> anyhow::Result<OpenApiRouter> {
    let settings = &kit.settings.connex;
    let metrics = ConnexMetrics::new(&kit.metrics);
    let ttl = Duration::from_secs(settings.connex_cache_s.into());
    let realm = kit.auth.realm("connex");
    let app = App(Arc::new(Inner {
        users: Users::new(kit.db.clone(), realm.clone(), metrics.database.clone()),
        realm,
        passwords: kit.auth.passwords().clone(),
        cached: kit.cache.layer("connex-user", ttl),
        metrics,
        sign_ins_per_account: RateLimit::a_minute(settings.connex_sign_ins_per_account),
        tasks: kit.tasks.clone(),
    }));
    seed::admins(&app.0.users, &app.0.passwords, &settings.connex_admin).await?;
    seed::users(&app.0.users, &app.0.passwords, settings.connex_seed).await?;
    kit.tasks.spawn(app.clone().count_users(kit.shutdown.clone()));
    Ok(api::routes(app, kit))
}

impl App {
    /// Version and JSON of a user, cached. Empty when there is none.
    async fn cached_user(&self, id: Uuid) -> Result<Bytes, Problem> {
        let mut key = Uuid::encode_buffer();
        let fill = async || match self.0.users.by_id(id).await? {
            Some(user) => {
                let json = serde_json::to_string(&user).expect("a user is JSON");
                Ok(Bytes::from(format!("{}\n{json}", user.version)))
            }
            None => Ok(Bytes::new()),
        };
        self.0.cached.get_or_fill(id.hyphenated().encode_lower(&mut key), fill).await
    }

    /// Does `write`, which changes a user, and forgets what is cached of them. Both happen also when the client that asked for
    /// it has gone meanwhile: otherwise others would go on reading what was.
    async fn change<T: Send + 'static>(
        &self,
        id: Uuid,
        write: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.clone();
        let work = self.0.tasks.spawn(async move {
            let done = write.await;
            app.0.cached.remove(&id.to_string()).await;
            done
        });
        work.await.unwrap_or_else(|error| Err(Problem::internal(error)))
    }

    /// Stores the password at the present cost. Nobody waits for it.
    fn renew_hash(&self, id: Uuid, old: String, password: String) {
        let app = self.clone();
        self.0.tasks.spawn(async move {
            let work = async {
                let new = app.0.passwords.hash(password).await?;
                Ok::<_, Problem>(app.0.users.renew_hash(id, &old, &new).await?)
            };
            app.0.metrics.job("renew_hash", &work.await);
        });
    }

    async fn count_users(self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(COUNT_EVERY);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = shutdown.cancelled() => return,
            }
            let count = self.0.users.count().await;
            self.0.metrics.job("count_users", &count);
            if let Ok(count) = count {
                self.0.metrics.users.set(count);
            }
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
