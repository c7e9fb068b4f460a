//! Users in the database, and pages of them in memory.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use moka::future::Cache;
use uuid::Uuid;

use super::api::{Page, User};
use super::domain::{NewUser, PageOf};
use crate::kit::db::Db;
use crate::kit::problem::Problem;

/// How long a page is kept. Other instances may have added users meanwhile, and a full page may lack one whose insert was
/// overtaken by a later one.
const PAGE_KEPT: Duration = Duration::from_secs(1);
/// Memory for pages.
const PAGES_BYTES_MAX: u64 = 16 << 20;

/// The users.
pub(super) struct Users {
    db: Db,
    pages: Cache<PageOf, Result<StoredPage, Problem>>,
    /// Users added by this instance: a last page that was read before an addition may lack it.
    additions: AtomicU64,
}

/// A page as it is sent.
#[derive(Clone)]
struct StoredPage {
    json: Bytes,
    is_last: bool,
    additions_before: u64,
}

impl Users {
    pub(super) fn new(db: Db) -> Self {
        let weight = |_: &PageOf, page: &Result<StoredPage, Problem>| {
            page.as_ref().map_or(100, |page| 100 + page.json.len() as u32)
        };
        let pages =
            Cache::builder().weigher(weight).max_capacity(PAGES_BYTES_MAX).time_to_live(PAGE_KEPT).build();
        Self { db, pages, additions: AtomicU64::new(0) }
    }

    /// A page as JSON. Many who ask for the same page at once make one query.
    pub(super) async fn page(&self, of: PageOf) -> Result<Bytes, Problem> {
        let additions = self.additions.load(SeqCst);
        // Users are only ever added, and at the end: a full page stays as it is.
        let is_stale = |page: &StoredPage| page.is_last && page.additions_before < additions;
        loop {
            // Failures are shared by those who wait for them, and by nobody after.
            let is_void = |page: &Result<StoredPage, Problem>| page.as_ref().map_or(true, is_stale);
            let page =
                self.pages.entry(of).or_insert_with_if(self.read_page(of), is_void).await.into_value()?;
            // One that others were reading already can still be from before an addition.
            if !is_stale(&page) {
                return Ok(page.json);
            }
        }
    }

    async fn read_page(&self, of: PageOf) -> Result<StoredPage, Problem> {
        let additions_before = self.additions.load(SeqCst);
        let after = of.after.map(|id| id.to_string()).unwrap_or_default();
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT id, name, email, created_at_ms FROM fluxor_users WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        // One more tells whether there is another page.
        .bind(i64::from(of.limit) + 1)
        .fetch_all(&self.db.read)
        .await?;
        let is_last = rows.len() <= of.limit as usize;
        let users = rows.into_iter().take(of.limit as usize);
        let users = users
            .map(|(id, name, email, created_at_ms)| {
                let id = Uuid::parse_str(&id).map_err(Problem::internal)?;
                Ok(User { id, name, email, created_at: in_words(created_at_ms)? })
            })
            .collect::<Result<Vec<_>, Problem>>()?;
        let next = users.last().filter(|_| !is_last).map(|user| user.id);
        let json = serde_json::to_vec(&Page { users, next }).map_err(Problem::internal)?;
        Ok(StoredPage { json: json.into(), is_last, additions_before })
    }

    /// Adds a user. No two have the same address.
    pub(super) async fn add(&self, user: NewUser, now: Timestamp) -> Result<User, Problem> {
        let id = Uuid::now_v7();
        let created_at_ms = now.as_millisecond();
        sqlx::query("INSERT INTO fluxor_users (id, name, email, created_at_ms) VALUES ($1, $2, $3, $4)")
            .bind(id.to_string())
            .bind(&user.name)
            .bind(user.email.as_str())
            .bind(created_at_ms)
            .execute(&self.db.write)
            .await
            .map_err(|error| match error.as_database_error() {
                Some(inner) if inner.is_unique_violation() => {
                    Problem::conflict("email: a user with this address exists")
                }
                _ => error.into(),
            })?;
        self.additions.fetch_add(1, SeqCst);
        Ok(User {
            id,
            name: user.name,
            email: user.email.as_str().to_owned(),
            created_at: in_words(created_at_ms)?,
        })
    }
}

/// An instant as RFC 3339 has it, as precise as it is stored.
fn in_words(ms: i64) -> Result<String, Problem> {
    Ok(Timestamp::from_millisecond(ms).map_err(Problem::internal)?.to_string())
}
