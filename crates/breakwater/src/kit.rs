//! What every system needs and none is about: configuration, serving, storage, sign-in, caching, messages, limits.

pub mod admin;
pub mod admission;
pub mod auth;
pub mod bus;
pub mod cache;
pub mod config;
pub mod db;
pub mod email;
pub mod http;
pub mod mail;
pub mod metrics;
pub mod problem;
pub mod queue;
pub mod rate;
pub mod server;
pub mod trace;
pub mod version;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use jiff::Timestamp;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a system is built on. Cloning shares it.
#[derive(Clone)]
pub struct Kit {
    pub settings: Arc<config::Settings>,
    pub metrics: metrics::Metrics,
    pub db: db::Db,
    /// Messages between the instances.
    pub bus: bus::Bus,
    pub cache: cache::Cache,
    pub auth: auth::Auth,
    pub queue: queue::Queue,
    pub mailer: mail::Mailer,
    /// Cancelled when the process is to end: background work stops taking more.
    pub shutdown: CancellationToken,
    /// Cancelled a little later: connections are accepted until then.
    pub stop_accepting: CancellationToken,
    /// Background work that the end waits for.
    pub tasks: TaskTracker,
}

impl Kit {
    /// Opens everything that the settings name.
    pub async fn start(settings: config::Settings) -> anyhow::Result<Self> {
        let db = db::Db::open(&settings.storage).await?;
        db.migrate(&settings.storage).await?;
        let metrics = metrics::Metrics::default();
        let bus = bus::Bus::connect(&settings.bus, &metrics)?;
        let cache = cache::Cache::connect(&settings.cache, &metrics).await?;
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        let auth = auth::Auth::start(&settings.auth, &db, &metrics).await?;
        tasks.spawn(auth.clone().keep_up(shutdown.clone()));
        let queue = queue::Queue::connect(&settings.messages.queue).await.context("--queue")?;
        let mailer =
            mail::Mailer::new(&settings.messages.mail, &settings.messages.mail_from).context("--mail")?;
        Ok(Self {
            settings: Arc::new(settings),
            metrics,
            db,
            bus,
            cache,
            auth,
            queue,
            mailer,
            shutdown,
            stop_accepting: CancellationToken::new(),
            tasks,
        })
    }

    /// 503 once the process is to end.
    pub fn need_running(&self) -> Result<(), problem::Problem> {
        match self.shutdown.is_cancelled() {
            true => Err(problem::Problem::unavailable("shutting down", Duration::from_secs(5))),
            false => Ok(()),
        }
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}
