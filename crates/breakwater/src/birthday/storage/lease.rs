//! Which scheduler is at work: one row, which the one at work renews.
//!
//! Times come from the schedulers' own clocks, which may jump. A renewal counts when it is near to now, before or after;
//! one from a clock that was ahead cannot keep others out. Two may so believe that they are at work, which costs some work
//! done twice and nothing else: rows are claimed one by one.

use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyPool, FromRow};

/// What the schedulers have planned so far. Zeros: nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Planned {
    /// When that was.
    pub planned_ms: i64,
    /// Messages due until then are stored.
    pub planned_until_ms: i64,
}

/// Takes or renews the lease for `holder`. `None`: another has it.
pub async fn hold(
    pool: &AnyPool,
    holder: &str,
    now: Timestamp,
    lease: SignedDuration,
) -> sqlx::Result<Option<Planned>> {
    let (now, lease) = (now.as_millisecond(), i64::try_from(lease.as_millis()).unwrap_or(i64::MAX));
    sqlx::query_as(
        "INSERT INTO birthday_scheduler (name, holder, renewed_ms, planned_ms, planned_until_ms) \
         VALUES ('scheduler', $1, $2, 0, 0) \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, renewed_ms = excluded.renewed_ms \
         WHERE birthday_scheduler.holder = excluded.holder OR birthday_scheduler.renewed_ms NOT BETWEEN $3 AND $4 \
         RETURNING planned_ms, planned_until_ms",
    )
    .bind(holder)
    .bind(now)
    .bind(now.saturating_sub(lease))
    .bind(now.saturating_add(lease))
    .fetch_optional(pool)
    .await
}

/// Gives the lease back, so that the next need not wait for it to run out.
pub async fn release(pool: &AnyPool, holder: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE birthday_scheduler SET renewed_ms = 0 WHERE holder = $1")
        .bind(holder)
        .execute(pool)
        .await?;
    Ok(())
}

/// What has been planned. Zeros before any scheduler ran.
pub async fn planned(pool: &AnyPool) -> sqlx::Result<Planned> {
    let row = sqlx::query_as(
        "SELECT planned_ms, planned_until_ms FROM birthday_scheduler WHERE name = 'scheduler'",
    );
    Ok(row.fetch_optional(pool).await?.unwrap_or(Planned { planned_ms: 0, planned_until_ms: 0 }))
}

/// Notes that messages due until `until` are stored.
pub async fn note(pool: &AnyPool, now: Timestamp, until: Timestamp) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO birthday_scheduler (name, holder, renewed_ms, planned_ms, planned_until_ms) \
         VALUES ('scheduler', '', 0, $1, $2) ON CONFLICT (name) \
         DO UPDATE SET planned_ms = excluded.planned_ms, planned_until_ms = excluded.planned_until_ms",
    )
    .bind(now.as_millisecond())
    .bind(until.as_millisecond())
    .execute(pool)
    .await?;
    Ok(())
}
