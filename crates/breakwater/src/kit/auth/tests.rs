//! Tests of sign-in on SQLite in memory. The API tests of the systems run the same on PostgreSQL.

mod sign_ins;
mod tokens;

use super::{Auth, AuthSettings};
use crate::kit::{
    config::{Secret, StorageSettings},
    db::Db,
    metrics::Metrics,
};

const SECRET: &str = "a secret of tests, 32 bytes long or more";

/// Hashes that cost next to nothing.
pub(super) fn cheap() -> AuthSettings {
    AuthSettings {
        jwt_secret: vec![Secret::from(SECRET)],
        password_memory_kib: 8,
        password_passes: 1,
        ..AuthSettings::default()
    }
}

async fn database() -> Db {
    let settings = StorageSettings::default();
    let db = Db::open(&settings).await.unwrap();
    db.migrate(&settings).await.unwrap();
    db
}

async fn instance(db: &Db) -> Auth {
    Auth::start(&cheap(), db, &Metrics::default()).await.unwrap()
}
