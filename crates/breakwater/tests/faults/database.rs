//! The database is busy, full, gone or silent.

use sqlx::Executor;

use super::*;

/// Requests at once: one after the other they would wait for minutes.
const CROWD: usize = 200;

#[tokio::test]
async fn a_full_pool_is_told_at_once_to_all_who_wait() {
    let service = fluxor(settings()).await;
    let held = service.kit().db.write.acquire().await.unwrap();
    all_unavailable((0..CROWD).map(|number| add_user(&service, number)), Duration::from_secs(20)).await;
    get(&service, "/health").send().await.expect(200);
    drop(held);
    add_user(&service, 0).send().await.expect(201);
    assert_eq!(users_listed(&service).await, 1);
    service.stop().await;
}

#[tokio::test]
async fn a_full_disk_refuses_writes_serves_reads_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.storage.database = format!("sqlite:{}", folder.path().join("data.db").display());
    let service = fluxor(settings).await;
    let db = &service.kit().db;
    let (pages,): (i64,) = sqlx::query_as("PRAGMA page_count").fetch_one(&db.write).await.unwrap();
    let limit = |pages: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    db.write.execute(limit(pages + 2)).await.unwrap();

    let mut added = 0;
    let refused = loop {
        let answer = add_user(&service, added).send().await;
        if answer.status != 201 {
            break answer;
        }
        added += 1;
        assert!(added < 10_000, "two pages hold no {added} users");
    };
    let problem = refused.problem(503);
    assert!(!problem.to_string().contains("SQL"), "{problem}");
    assert_eq!(users_listed(&service).await, added);
    get(&service, "/health").send().await.expect(200);

    db.write.execute(limit(pages + 1000)).await.unwrap();
    add_user(&service, added).send().await.expect(201);
    assert_eq!(users_listed(&service).await, added + 1);
    let (sound,): (String,) = sqlx::query_as("PRAGMA integrity_check").fetch_one(&db.read).await.unwrap();
    assert_eq!(sound, "ok");
    service.stop().await;
}

#[cfg(feature = "servers")]
mod postgres {
    use super::*;
    use crate::common::Schema;
    use crate::proxy::{Proxy, Way};

    /// Fluxor on PostgreSQL behind a proxy. Once it is up, the way is turned; then it must say so, and recover.
    async fn survives(lost: Way) {
        let schema = Schema::create().await;
        let proxy = Proxy::before(&schema.database).await;
        let mut settings = settings();
        settings.storage.database = proxy.url.clone();
        let service = fluxor(settings).await;
        add_user(&service, 0).send().await.expect(201);

        proxy.turn(lost);
        until(503, || get(&service, "/ready")).await.problem(503);
        all_unavailable((1..=CROWD).map(|number| add_user(&service, number)), Duration::from_secs(20)).await;
        get(&service, "/health").send().await.expect(200);

        proxy.turn(Way::Open);
        until(200, || get(&service, "/ready")).await;
        until(201, || add_user(&service, CROWD + 1)).await;
        // What was refused was not done behind the client's back.
        assert_eq!(users_listed(&service).await, 2);
        service.stop().await;
        schema.drop().await;
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: BREAKWATER_TEST_POSTGRES"]
    async fn gone_and_back() {
        survives(Way::Cut).await;
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: BREAKWATER_TEST_POSTGRES"]
    async fn silent_and_back() {
        survives(Way::Silent).await;
    }
}
