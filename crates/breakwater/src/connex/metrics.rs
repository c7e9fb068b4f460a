//! What Connex counts and measures.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};
use tokio::time::Instant;

use crate::kit::metrics::Metrics;

/// Runs `work` and notes how long it took, also when it fails.
pub(super) async fn timed<T>(seconds: &Histogram, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    seconds.observe(begun.elapsed().as_secs_f64());
    done
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    job: &'static str,
    outcome: &'static str,
}

/// Business metrics. Those of the cache and of active users are the kit's.
pub(super) struct ConnexMetrics {
    pub(super) registrations: Counter,
    pub(super) users: Gauge,
    /// Somebody was let in.
    pub(super) logins_ok: Counter,
    /// The email or the password was not right.
    pub(super) logins_refused: Counter,
    /// Too many tries.
    pub(super) logins_limited: Counter,
    /// Too many people at once, or no database.
    pub(super) logins_failed: Counter,
    /// Changes that named a version which was not the stored one any more.
    pub(super) conflicts: Counter,
    pub(super) register: Histogram,
    pub(super) login: Histogram,
    pub(super) refresh: Histogram,
    pub(super) logout: Histogram,
    pub(super) password: Histogram,
    pub(super) create: Histogram,
    pub(super) read: Histogram,
    pub(super) list: Histogram,
    pub(super) update: Histogram,
    pub(super) delete: Histogram,
    pub(super) database: DatabaseMetrics,
    jobs: Family<Job, Counter>,
}

/// How long the database takes.
#[derive(Clone)]
pub(super) struct DatabaseMetrics {
    pub(super) insert: Histogram,
    pub(super) read: Histogram,
    pub(super) list: Histogram,
    pub(super) update: Histogram,
    pub(super) delete: Histogram,
    pub(super) count: Histogram,
}

impl ConnexMetrics {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let logins = metrics.counters("connex_logins", "Tries to sign in, by outcome");
        let login = |outcome| logins.get_or_create_owned(&Outcome { outcome });
        let seconds = |name, help| {
            let family = metrics.seconds_by(name, help);
            move |operation| family.get_or_create_owned(&Operation { operation })
        };
        let authentication =
            seconds("connex_authentication_seconds", "Time of signing in and what belongs to it");
        let user = seconds("connex_user_operation_seconds", "Time of reading and changing accounts");
        let database =
            seconds("connex_database_seconds", "Time of database operations, with the wait for a connection");
        Self {
            registrations: metrics
                .counter("connex_registrations", "Accounts that people made for themselves"),
            users: metrics.gauge("connex_users", "Accounts, as counted lately"),
            logins_ok: login("ok"),
            logins_refused: login("refused"),
            logins_limited: login("limited"),
            logins_failed: login("failed"),
            conflicts: metrics
                .counter("connex_version_conflicts", "Changes refused because another came first"),
            register: authentication("register"),
            login: authentication("login"),
            refresh: authentication("refresh"),
            logout: authentication("logout"),
            password: authentication("password"),
            create: user("create"),
            read: user("read"),
            list: user("list"),
            update: user("update"),
            delete: user("delete"),
            database: DatabaseMetrics {
                insert: database("insert"),
                read: database("read"),
                list: database("list"),
                update: database("update"),
                delete: database("delete"),
                count: database("count"),
            },
            jobs: metrics.counters("connex_jobs", "Work done in the background, by outcome"),
        }
    }

    /// Notes that a job of the background has ended.
    pub(super) fn job<T, E>(&self, job: &'static str, done: &Result<T, E>) {
        let outcome = if done.is_ok() { "ok" } else { "failed" };
        self.jobs.get_or_create(&Job { job, outcome }).inc();
    }
}
