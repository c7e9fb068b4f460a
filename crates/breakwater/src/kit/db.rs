//! Storage: SQLite or PostgreSQL behind one pair of pools, one for writes and one for reads.
//!
//! SQL is written once for both. That works with parameters as `$1`, and with TEXT, BIGINT and DOUBLE PRECISION alone: ids
//! are UUIDs as text, instants milliseconds since 1970, truth is 0 or 1.

use std::{sync::Once, time::Duration};

use sqlx::{
    AnyPool, Executor,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::Migrator,
};

use super::config::{StorageSettings, without_password};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The database of the service. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Db {
    /// SQLite has one writer at a time, so this pool has one connection there; waiting in the pool is fair, waiting in
    /// SQLite is not. In PostgreSQL it is the primary's.
    pub write: AnyPool,
    /// May lag behind `write` when PostgreSQL has replicas: whoever must read their own write reads from `write`.
    pub read: AnyPool,
    /// Whether `read` is a replica.
    read_lags: bool,
}

/// Why there is no storage.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    #[error(
        "--database {url}: unknown kind; give sqlite::memory:, sqlite:FILE or postgres://USER@HOST/DATABASE"
    )]
    Kind { url: String },
    #[error("--database: cannot open {url}: {source}")]
    Open { url: String, source: sqlx::Error },
    #[error("--database: cannot bring the tables of {url} up to date: {source}")]
    Migrate { url: String, source: sqlx::migrate::MigrateError },
}

impl Db {
    /// Opens the pools. The tables may be missing or old: see [`Db::migrate`].
    pub async fn open(settings: &StorageSettings) -> Result<Self, DbError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let url = settings.database.as_str();
        if url.starts_with("sqlite:") {
            Self::sqlite(settings, url).await
        } else if cfg!(feature = "servers")
            && (url.starts_with("postgres:") || url.starts_with("postgresql:"))
        {
            Self::postgres(settings, url).await
        } else {
            Err(DbError::Kind { url: without_password(url) })
        }
    }

    async fn sqlite(settings: &StorageSettings, url: &str) -> Result<Self, DbError> {
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        // There is nothing between us and the file that could have failed unseen. And whoever is cancelled while testing a
        // connection closes it, with which a database in memory would be gone.
        let options = pool(settings).test_before_acquire(false).after_connect(|connection, _| {
            Box::pin(async move {
                // WAL lets readers go on while one writes; with it NORMAL survives a crash of the process, and a crash of
                // the machine costs the last transactions at most (sqlite.org/wal.html).
                connection
                    .execute(
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; \
                         PRAGMA busy_timeout = 5000; PRAGMA cache_size = -16384",
                    )
                    .await?;
                Ok(())
            })
        });
        let file = match url.contains('?') || in_memory {
            true => url.to_owned(),
            false => format!("{url}?mode=rwc"),
        };
        // A database in memory belongs to its connection: it must be the only one, and stay.
        let write = options.clone().max_connections(1).idle_timeout(None).max_lifetime(None);
        let write = connect(write, &file).await?;
        let read = match in_memory {
            true => write.clone(),
            false => connect(options, &file).await?,
        };
        Ok(Self { write, read, read_lags: false })
    }

    async fn postgres(settings: &StorageSettings, url: &str) -> Result<Self, DbError> {
        let write = connect(pool(settings), url).await?;
        let read = match &settings.database_replica {
            Some(replica) => connect(pool(settings), replica).await?,
            None => write.clone(),
        };
        Ok(Self { write, read, read_lags: settings.database_replica.is_some() })
    }

    /// Where a read sees every write that has ended: what a cache is to keep, and invalidate by writes, is read here.
    pub fn current(&self) -> &AnyPool {
        if self.read_lags { &self.write } else { &self.read }
    }

    /// Creates the tables or brings them up to date. Several instances may do it at once: one does, the others wait.
    pub async fn migrate(&self, settings: &StorageSettings) -> Result<(), DbError> {
        let url = without_password(&settings.database);
        MIGRATIONS.run(&self.write).await.map_err(|source| DbError::Migrate { url, source })
    }

    /// Whether both pools answer, for `/ready`.
    pub async fn ready(&self) -> Result<(), sqlx::Error> {
        self.write.execute("SELECT 1").await?;
        self.read.execute("SELECT 1").await?;
        Ok(())
    }

    pub async fn close(&self) {
        self.write.close().await;
        self.read.close().await;
    }
}

fn pool(settings: &StorageSettings) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(settings.pool_size)
        // A full pool is answered with 503 soon: requests that pile up behind it would only time out later.
        .acquire_timeout(Duration::from_millis(settings.pool_timeout_ms))
        .idle_timeout(Duration::from_secs(600))
        .max_lifetime(Duration::from_secs(1800))
}

async fn connect(options: AnyPoolOptions, url: &str) -> Result<AnyPool, DbError> {
    let failed = |source| DbError::Open { url: without_password(url), source };
    let target: AnyConnectOptions = url.parse().map_err(failed)?;
    options.connect_with(sqlx::ConnectOptions::disable_statement_logging(target)).await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_serves_readers_and_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("x.db").display());
        let settings = StorageSettings { database, ..StorageSettings::default() };
        let db = Db::open(&settings).await.unwrap();
        db.migrate(&settings).await.unwrap();
        db.migrate(&settings).await.unwrap();
        db.write.execute("CREATE TABLE t (a BIGINT NOT NULL)").await.unwrap();
        sqlx::query("INSERT INTO t (a) VALUES ($1), ($2)")
            .bind(1_i64)
            .bind(2_i64)
            .execute(&db.write)
            .await
            .unwrap();
        let (sum,): (i64,) =
            sqlx::query_as("SELECT CAST(sum(a) AS BIGINT) FROM t").fetch_one(&db.read).await.unwrap();
        assert_eq!(sum, 3);
        let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(&db.read).await.unwrap();
        assert_eq!(mode, "wal");
        db.ready().await.unwrap();
    }

    #[tokio::test]
    async fn an_unknown_kind_says_which_there_are() {
        let database = "mysql://me:secret@host/db".to_owned();
        let settings = StorageSettings { database, ..StorageSettings::default() };
        let error = Db::open(&settings).await.unwrap_err().to_string();
        assert!(error.contains("mysql://me@host/db") && error.contains("sqlite:FILE"), "{error}");
    }
}
