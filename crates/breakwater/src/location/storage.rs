//! Sessions and participants in the database.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use sqlx::{FromRow, any::AnyRow};
use uuid::Uuid;

use super::LocationSettings;
use crate::kit::db::Db;

/// Sessions deleted in one go: a long transaction would hold up every writer.
const SWEEP_MOST: i64 = 500;

/// The tables of Location.
pub(super) struct Store {
    db: Db,
    members_max: i64,
    sessions_max: i64,
    /// Sessions there are. Counted at each sweep and kept up to date by this instance between them: counting rows for every
    /// new session would cost more than the session.
    sessions: AtomicI64,
}

/// A session as stored.
#[derive(Debug, FromRow)]
pub(super) struct SessionRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) metadata: String,
    pub(super) members: i64,
    pub(super) created_at: i64,
}

/// A participant as stored.
#[derive(Debug, FromRow)]
pub(super) struct ParticipantRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) joined_at: i64,
}

/// What came of an attempt to join.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    Yes,
    Full,
    NoSession,
}

impl Store {
    pub(super) async fn open(db: Db, settings: &LocationSettings) -> Result<Self, sqlx::Error> {
        let store = Self {
            db,
            members_max: settings.location_members.into(),
            sessions_max: settings.location_sessions.into(),
            sessions: AtomicI64::new(0),
        };
        store.count().await?;
        Ok(store)
    }

    async fn count(&self) -> Result<(), sqlx::Error> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT count(*) FROM location_sessions").fetch_one(&self.db.read).await?;
        self.sessions.store(count, Relaxed);
        Ok(())
    }

    /// Says no when there are too many sessions.
    pub(super) async fn create(&self, session: &SessionRow, owner_hash: &str) -> Result<bool, sqlx::Error> {
        if self.sessions.load(Relaxed) >= self.sessions_max {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO location_sessions (id, name, metadata, owner_hash, members, created_at) \
             VALUES ($1, $2, $3, $4, 0, $5)",
        )
        .bind(&session.id)
        .bind(&session.name)
        .bind(&session.metadata)
        .bind(owner_hash)
        .bind(session.created_at)
        .execute(&self.db.write)
        .await?;
        self.sessions.fetch_add(1, Relaxed);
        Ok(true)
    }

    /// The newest sessions first, those before the id `before`.
    pub(super) async fn list(&self, before: &str, limit: i64) -> Result<Vec<SessionRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, name, metadata, members, created_at FROM location_sessions \
             WHERE id < $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(before)
        .bind(limit)
        .fetch_all(&self.db.read)
        .await
    }

    pub(super) async fn session(
        &self,
        id: &str,
    ) -> Result<Option<(SessionRow, Vec<ParticipantRow>)>, sqlx::Error> {
        // From the primary: clients look at a session right after they have made or joined it.
        let session = sqlx::query_as(
            "SELECT id, name, metadata, members, created_at FROM location_sessions WHERE id = $1",
        );
        let Some(session) = session.bind(id).fetch_optional(&self.db.write).await? else { return Ok(None) };
        let participants = sqlx::query_as(
            "SELECT id, name, joined_at FROM location_participants WHERE session_id = $1 ORDER BY id",
        );
        Ok(Some((session, participants.bind(id).fetch_all(&self.db.write).await?)))
    }

    /// Adds a participant if there is room. The count in the session's row makes that one decision for everybody who joins
    /// at the same time.
    pub(super) async fn join(
        &self,
        session: &str,
        participant: &ParticipantRow,
        token_hash: &str,
    ) -> Result<Joined, sqlx::Error> {
        let mut transaction = self.db.write.begin().await?;
        let counted =
            sqlx::query("UPDATE location_sessions SET members = members + 1 WHERE id = $1 AND members < $2")
                .bind(session)
                .bind(self.members_max)
                .execute(&mut *transaction)
                .await?;
        if counted.rows_affected() == 0 {
            let there: Option<AnyRow> = sqlx::query("SELECT id FROM location_sessions WHERE id = $1")
                .bind(session)
                .fetch_optional(&mut *transaction)
                .await?;
            return Ok(if there.is_some() { Joined::Full } else { Joined::NoSession });
        }
        sqlx::query(
            "INSERT INTO location_participants (id, session_id, name, token_hash, joined_at) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&participant.id)
        .bind(session)
        .bind(&participant.name)
        .bind(token_hash)
        .bind(participant.joined_at)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Joined::Yes)
    }

    /// The participant of a session that has this token.
    pub(super) async fn participant(
        &self,
        session: &str,
        token_hash: &str,
    ) -> Result<Option<ParticipantRow>, sqlx::Error> {
        // From the primary: clients connect right after they have joined.
        sqlx::query_as(
            "SELECT id, name, joined_at FROM location_participants WHERE token_hash = $1 AND session_id = $2",
        )
        .bind(token_hash)
        .bind(session)
        .fetch_optional(&self.db.write)
        .await
    }

    /// Says no when the participant has left already.
    pub(super) async fn leave(&self, session: &str, participant: &str) -> Result<bool, sqlx::Error> {
        let mut transaction = self.db.write.begin().await?;
        let gone = sqlx::query("DELETE FROM location_participants WHERE id = $1 AND session_id = $2")
            .bind(participant)
            .bind(session)
            .execute(&mut *transaction)
            .await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("UPDATE location_sessions SET members = members - 1 WHERE id = $1")
            .bind(session)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn exists(&self, id: &str) -> Result<bool, sqlx::Error> {
        let found: Option<AnyRow> = sqlx::query("SELECT id FROM location_sessions WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.db.write)
            .await?;
        Ok(found.is_some())
    }

    /// Deletes a session that `owner_hash` owns. Participants go with it.
    pub(super) async fn delete(&self, id: &str, owner_hash: &str) -> Result<bool, sqlx::Error> {
        let gone = sqlx::query("DELETE FROM location_sessions WHERE id = $1 AND owner_hash = $2")
            .bind(id)
            .bind(owner_hash)
            .execute(&self.db.write)
            .await?;
        self.sessions.fetch_sub(i64::try_from(gone.rows_affected()).unwrap_or(0), Relaxed);
        Ok(gone.rows_affected() > 0)
    }

    /// Deletes sessions created before `instant` (milliseconds since 1970), some at a time, and names them.
    pub(super) async fn delete_older_than(&self, instant: i64) -> Result<Vec<Uuid>, sqlx::Error> {
        let gone: Vec<(String,)> = sqlx::query_as(
            "DELETE FROM location_sessions WHERE id IN \
             (SELECT id FROM location_sessions WHERE created_at < $1 ORDER BY created_at LIMIT $2) RETURNING id",
        )
        .bind(instant)
        .bind(SWEEP_MOST)
        .fetch_all(&self.db.write)
        .await?;
        self.count().await?;
        Ok(gone.into_iter().filter_map(|(id,)| id.parse().ok()).collect())
    }
}
