//! Messages as they are stored, and the outbox.
//!
//! ```text
//! scheduled ──published──▶ enqueued ──sent──▶ delivered
//!     ▲                       │ ├──given up──▶ dead
//!     └───────lost────────────┘ └──user gone─▶ cancelled
//! ```
//! A worker may be faster than the note that its message was published, so it settles scheduled messages too.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, FromRow};
use utoipa::ToSchema;

use super::{padded, places};
use crate::birthday::clock::at_ms;

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = birthday::State)]
pub enum State {
    /// Foreseen; not published
    Scheduled,
    /// In the queue, or with a worker
    Enqueued,
    /// Sent
    Delivered,
    /// Given up: `error` tells why
    Dead,
    /// Its user was deleted before it was sent
    Cancelled,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Enqueued => "enqueued",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A message that is foreseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub user_id: String,
    /// The version of the user that it was worked out from.
    pub version: i64,
    pub year: i16,
    pub due: Timestamp,
}

/// The id of a user's message of a year: the same whoever works it out, and however often.
pub fn id(user_id: &str, year: i64) -> String {
    format!("{user_id}-{year}")
}

/// Rows of one INSERT. SQLite looks each parameter up among all of the statement, so long statements are slow.
const ROWS: usize = 128;

/// Stores those that are not stored yet and whose users have not changed meanwhile, and tells how many these were. Who
/// changes a user plans anew. (Two transactions of PostgreSQL may miss each other here; publishing works it out again.)
pub async fn plan(connection: &mut AnyConnection, planned: &[Planned], now: Timestamp) -> sqlx::Result<u64> {
    let mut stored = 0;
    for planned in planned.chunks(ROWS) {
        stored += insert(connection, planned, now).await?;
    }
    Ok(stored)
}

async fn insert(connection: &mut AnyConnection, planned: &[Planned], now: Timestamp) -> sqlx::Result<u64> {
    let rows = padded(planned);
    let sql = format!(
        "INSERT INTO birthday_messages \
         (id, user_id, year, state, due_ms, scheduled_ms, touched_ms, attempts, claimed_ms) \
         SELECT v.column1, v.column2, v.column3, 'scheduled', v.column4, v.column5, v.column5, 0, 0 \
         FROM (VALUES {}) AS v JOIN birthday_users u ON u.id = v.column2 AND u.version = v.column6 \
         WHERE true ON CONFLICT (id) DO NOTHING",
        places(rows.len(), &["TEXT", "TEXT", "BIGINT", "BIGINT", "BIGINT", "BIGINT"])
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for planned in &rows {
        query = query
            .bind(id(&planned.user_id, planned.year.into()))
            .bind(&planned.user_id)
            .bind(i64::from(planned.year))
            .bind(planned.due.as_millisecond())
            .bind(now.as_millisecond())
            .bind(planned.version);
    }
    Ok(query.execute(connection).await?.rows_affected())
}

/// Forgets what is scheduled for a user.
pub async fn forget(connection: &mut AnyConnection, user_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM birthday_messages WHERE user_id = $1 AND state = 'scheduled'")
        .bind(user_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// A message that a publisher has claimed, with what its user is now. Without `birthday` there is no user.
#[derive(Debug, FromRow)]
pub struct Claimed {
    pub id: String,
    pub user_id: String,
    pub year: i64,
    pub birthday: Option<String>,
    pub zone: Option<String>,
    pub since_ms: Option<i64>,
}

/// Claims at most `limit` messages that are due and that nobody else claimed within `hold` of now. When two claim at once
/// one of them may get none; there is more for it at its next step.
pub async fn claim(
    pool: &AnyPool,
    claim: &str,
    now: Timestamp,
    hold: SignedDuration,
    limit: i64,
) -> sqlx::Result<Vec<Claimed>> {
    let (now, hold) = (now.as_millisecond(), i64::try_from(hold.as_millis()).unwrap_or(i64::MAX));
    // The outer conditions repeat the inner ones: PostgreSQL checks them again when a row was another's meanwhile.
    let claimed = sqlx::query(
        "UPDATE birthday_messages SET claim = $1, claimed_ms = $2 WHERE id IN ( \
           SELECT id FROM birthday_messages WHERE state = 'scheduled' AND due_ms <= $2 \
           AND claimed_ms NOT BETWEEN $3 AND $4 ORDER BY due_ms LIMIT $5) \
         AND state = 'scheduled' AND claimed_ms NOT BETWEEN $3 AND $4",
    )
    .bind(claim)
    .bind(now)
    .bind(now - hold)
    .bind(now + hold)
    .bind(limit)
    .execute(pool)
    .await?;
    if claimed.rows_affected() == 0 {
        return Ok(Vec::new());
    }
    sqlx::query_as(
        "SELECT m.id, m.user_id, m.year, u.birthday, u.zone, u.since_ms FROM birthday_messages m \
         LEFT JOIN birthday_users u ON u.id = m.user_id WHERE m.claim = $1 AND m.state = 'scheduled'",
    )
    .bind(claim)
    .fetch_all(pool)
    .await
}

/// Notes that what was claimed is published. How many rows it was: fewer than claimed when workers were faster.
pub async fn mark_enqueued(pool: &AnyPool, claim: &str, now: Timestamp) -> sqlx::Result<u64> {
    let marked = sqlx::query(
        "UPDATE birthday_messages SET state = 'enqueued', enqueued_ms = $2, touched_ms = $2, claim = NULL, claimed_ms = 0 \
         WHERE claim = $1 AND state = 'scheduled'",
    );
    Ok(marked.bind(claim).bind(now.as_millisecond()).execute(pool).await?.rows_affected())
}

/// Gives the claim up: the messages stay scheduled.
pub async fn unclaim(pool: &AnyPool, claim: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE birthday_messages SET claim = NULL, claimed_ms = 0 WHERE claim = $1 AND state = 'scheduled'",
    )
    .bind(claim)
    .execute(pool)
    .await?;
    Ok(())
}

/// Puts a claimed message off to `due`; `None`: it is not wanted any more.
pub async fn put_off(pool: &AnyPool, id: &str, due: Option<Timestamp>) -> sqlx::Result<()> {
    let query = match due {
        Some(due) => sqlx::query(
            "UPDATE birthday_messages SET due_ms = $2, claim = NULL, claimed_ms = 0 WHERE id = $1 AND state = 'scheduled'",
        )
        .bind(id)
        .bind(due.as_millisecond()),
        None => sqlx::query("DELETE FROM birthday_messages WHERE id = $1 AND state = 'scheduled'").bind(id),
    };
    query.execute(pool).await?;
    Ok(())
}

/// Schedules again what has been on the way since `before` without news, and tells how many these were.
pub async fn reschedule_lost(pool: &AnyPool, before: Timestamp) -> sqlx::Result<u64> {
    let lost = sqlx::query(
        "UPDATE birthday_messages SET state = 'scheduled', claim = NULL, claimed_ms = 0 \
         WHERE state = 'enqueued' AND touched_ms < $1",
    );
    Ok(lost.bind(before.as_millisecond()).execute(pool).await?.rows_affected())
}

/// Messages that are due and not published.
pub async fn outbox(pool: &AnyPool, now: Timestamp) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM birthday_messages WHERE state = 'scheduled' AND due_ms <= $1")
        .bind(now.as_millisecond())
        .fetch_one(pool)
        .await
}

/// What a worker needs to know of a message. Without `email` there is no user.
#[derive(Debug, Clone, FromRow)]
pub struct Letter {
    pub id: String,
    pub state: String,
    pub due_ms: i64,
    pub scheduled_ms: i64,
    pub name: Option<String>,
    pub email: Option<String>,
    pub error: Option<String>,
}

impl Letter {
    /// When there was first something to send: when it was due, or when we knew of it if that was later.
    pub fn wanted(&self) -> Timestamp {
        at_ms(self.due_ms.max(self.scheduled_ms))
    }
}

/// The messages of these ids. Those that are missing are not wanted any more.
pub async fn letters(pool: &AnyPool, ids: &[String]) -> sqlx::Result<Vec<Letter>> {
    let ids = padded(ids);
    let sql = format!(
        "SELECT m.id, m.state, m.due_ms, m.scheduled_ms, u.name, u.email, m.error FROM birthday_messages m \
         LEFT JOIN birthday_users u ON u.id = m.user_id WHERE m.id IN ({})",
        (1..=ids.len()).map(|place| format!("${place}")).collect::<Vec<_>>().join(",")
    );
    let mut query = sqlx::query_as(AssertSqlSafe(sql));
    for id in &ids {
        query = query.bind(id);
    }
    query.fetch_all(pool).await
}

/// What became of a message that a worker had.
#[derive(Debug, Clone)]
pub struct Settled {
    pub id: String,
    /// `Enqueued` when it will be tried again.
    pub state: State,
    /// Now, or when it will be tried again.
    pub touched: Timestamp,
    pub attempts: u32,
    pub error: Option<String>,
}

/// Notes what became of messages. What was settled for good before stays so.
pub async fn settle(pool: &AnyPool, settled: &[Settled]) -> sqlx::Result<()> {
    let mut rows = padded(settled);
    // In one order, or two workers with the same messages could wait for each other.
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    let sql = format!(
        "UPDATE birthday_messages AS m SET state = v.column2, touched_ms = v.column3, attempts = v.column4, \
         error = v.column5, enqueued_ms = COALESCE(m.enqueued_ms, v.column3), \
         delivered_ms = CASE WHEN v.column2 = 'delivered' THEN v.column3 ELSE NULL END, claim = NULL \
         FROM (VALUES {}) AS v WHERE m.id = v.column1 AND m.state IN ('scheduled', 'enqueued')",
        places(rows.len(), &["TEXT", "TEXT", "BIGINT", "BIGINT", "TEXT"])
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for row in &rows {
        query = query
            .bind(&row.id)
            .bind(row.state.name())
            .bind(row.touched.as_millisecond())
            .bind(i64::from(row.attempts))
            .bind(row.error.as_deref());
    }
    query.execute(pool).await?;
    Ok(())
}

/// A row of messages.
#[derive(Debug, FromRow)]
pub struct Message {
    pub id: String,
    pub user_id: String,
    pub year: i64,
    pub state: String,
    pub due_ms: i64,
    pub scheduled_ms: i64,
    pub enqueued_ms: Option<i64>,
    pub delivered_ms: Option<i64>,
    pub attempts: i64,
    pub error: Option<String>,
}

/// Which messages somebody wants to see.
#[derive(Debug, Default)]
pub struct Sought {
    pub user_id: Option<String>,
    pub state: Option<State>,
}

/// At most `limit` messages after the id `after`, in the order of ids.
pub async fn page(pool: &AnyPool, sought: &Sought, after: &str, limit: i64) -> sqlx::Result<Vec<Message>> {
    let state = sought.state.map(State::name).unwrap_or_default();
    let query = match (&sought.user_id, sought.state) {
        (Some(user), _) => sqlx::query_as(
            "SELECT id, user_id, year, state, due_ms, scheduled_ms, enqueued_ms, delivered_ms, attempts, error \
             FROM birthday_messages WHERE user_id = $1 AND ($2 = '' OR state = $2) AND id > $3 ORDER BY id LIMIT $4",
        )
        .bind(user)
        .bind(state),
        (None, Some(_)) => sqlx::query_as(
            "SELECT id, user_id, year, state, due_ms, scheduled_ms, enqueued_ms, delivered_ms, attempts, error \
             FROM birthday_messages WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(state),
        (None, None) => sqlx::query_as(
            "SELECT id, user_id, year, state, due_ms, scheduled_ms, enqueued_ms, delivered_ms, attempts, error \
             FROM birthday_messages WHERE id > $1 ORDER BY id LIMIT $2",
        ),
    };
    query.bind(after).bind(limit).fetch_all(pool).await
}
