//! Accounts in the database.

use jiff::Timestamp;
use sqlx::{
    Any, FromRow, Row,
    any::{AnyArguments, AnyRow},
    query::Query,
};
use uuid::Uuid;

use super::{
    domain::{Cursor, Name, Sort, User, search_pattern},
    metrics::{DatabaseMetrics, timed},
};
use crate::kit::{
    auth::{Realm, Role},
    db::Db,
    email::Email,
};

/// The table of accounts. Cloning shares it.
#[derive(Clone)]
pub(super) struct Users {
    db: Db,
    realm: Realm,
    metrics: DatabaseMetrics,
}

/// What a new account is made of.
#[derive(Debug, Clone)]
pub(super) struct NewUser {
    pub(super) email: Email,
    pub(super) name: Name,
    pub(super) role: Role,
    /// PHC string.
    pub(super) password_hash: String,
}

/// What is needed to let somebody in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Credentials {
    pub(super) id: Uuid,
    pub(super) role: Role,
    pub(super) password_hash: String,
}

impl<'r> FromRow<'r, AnyRow> for User {
    fn from_row(row: &'r AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: id(row)?,
            email: Email::from_stored(row.try_get("email")?),
            name: Name::from_stored(row.try_get("name")?),
            role: Role::from_stored(row.try_get("role")?),
            version: row.try_get("version")?,
            created_at: instant(row, "created_at")?,
            updated_at: instant(row, "updated_at")?,
        })
    }
}

impl<'r> FromRow<'r, AnyRow> for Credentials {
    fn from_row(row: &'r AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: id(row)?,
            role: Role::from_stored(row.try_get("role")?),
            password_hash: row.try_get("password_hash")?,
        })
    }
}

fn id(row: &AnyRow) -> Result<Uuid, sqlx::Error> {
    row.try_get::<&str, _>("id")?.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn instant(row: &AnyRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(row.try_get(column)?).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// The columns of [`User`].
macro_rules! user_columns {
    () => {
        "id, email, name, role, version, created_at, updated_at"
    };
}

/// The first page of an order, and those that follow. Both walk along an index.
macro_rules! pages {
    ($key:literal, $past:literal, $direction:literal) => {
        [
            concat!(
                "SELECT ",
                user_columns!(),
                " FROM connex_users WHERE search LIKE $1 ESCAPE '\\' ",
                "ORDER BY ",
                $key,
                $direction,
                ", id",
                $direction,
                " LIMIT $2",
            ),
            concat!(
                "SELECT ",
                user_columns!(),
                " FROM connex_users WHERE search LIKE $1 ESCAPE '\\' ",
                "AND (",
                $key,
                ", id) ",
                $past,
                " ($3, $4) ",
                "ORDER BY ",
                $key,
                $direction,
                ", id",
                $direction,
                " LIMIT $2",
            ),
        ]
    };
}

impl Users {
    pub(super) fn new(db: Db, realm: Realm, metrics: DatabaseMetrics) -> Self {
        Self { db, realm, metrics }
    }

    /// Adds an account. `None` when there is one with this email.
    pub(super) async fn insert(&self, new: &NewUser, now: Timestamp) -> Result<Option<User>, sqlx::Error> {
        let user = User {
            id: Uuid::now_v7(),
            email: new.email.clone(),
            name: new.name.clone(),
            role: new.role,
            version: 1,
            // As it is stored.
            created_at: milliseconds(now),
            updated_at: milliseconds(now),
        };
        let work = insertion(new, user.id, now).execute(&self.db.write);
        let done = timed(&self.metrics.insert, work).await?;
        Ok((done.rows_affected() > 0).then_some(user))
    }

    /// Adds many accounts in one transaction, and tells how many were new.
    pub(super) async fn insert_all(
        &self,
        new: impl IntoIterator<Item = NewUser>,
        now: Timestamp,
    ) -> Result<u64, sqlx::Error> {
        let mut transaction = self.db.write.begin().await?;
        let mut added = 0;
        for new in new {
            let done = insertion(&new, Uuid::now_v7(), now).execute(&mut *transaction).await?;
            added += done.rows_affected();
        }
        transaction.commit().await?;
        Ok(added)
    }

    /// As it is now: from the primary, since a replica would give a version that can no longer be changed.
    pub(super) async fn by_id(&self, id: Uuid) -> Result<Option<User>, sqlx::Error> {
        let work = sqlx::query_as(concat!("SELECT ", user_columns!(), " FROM connex_users WHERE id = $1"))
            .bind(id.to_string())
            .fetch_optional(&self.db.write);
        timed(&self.metrics.read, work).await
    }

    /// From the primary: whoever has registered signs in next.
    pub(super) async fn credentials(&self, email: &Email) -> Result<Option<Credentials>, sqlx::Error> {
        let work = sqlx::query_as("SELECT id, role, password_hash FROM connex_users WHERE email = $1")
            .bind(email.as_str())
            .fetch_optional(&self.db.write);
        timed(&self.metrics.read, work).await
    }

    pub(super) async fn credentials_by_id(&self, id: Uuid) -> Result<Option<Credentials>, sqlx::Error> {
        let work = sqlx::query_as("SELECT id, role, password_hash FROM connex_users WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.db.write);
        timed(&self.metrics.read, work).await
    }

    /// Up to `limit` accounts whose name or email has `search` in it, behind `cursor`.
    pub(super) async fn page(
        &self,
        search: &str,
        sort: Sort,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Vec<User>, sqlx::Error> {
        let [first, next] = match sort {
            Sort::Created => pages!("id", ">", ""),
            Sort::CreatedDown => pages!("id", "<", " DESC"),
            Sort::Name => pages!("name_key", ">", ""),
            Sort::NameDown => pages!("name_key", "<", " DESC"),
            Sort::Email => pages!("email", ">", ""),
            Sort::EmailDown => pages!("email", "<", " DESC"),
        };
        let query = match cursor {
            Some(_) => sqlx::query_as(next),
            None => sqlx::query_as(first),
        };
        let query = query.bind(search_pattern(search)).bind(i64::from(limit));
        let query = match cursor {
            Some(cursor) => query.bind(cursor.key.clone()).bind(cursor.id.to_string()),
            None => query,
        };
        timed(&self.metrics.list, query.fetch_all(&self.db.read)).await
    }

    /// Whether an account still is what it was when somebody began to sign in. Told by a write, which waits for whoever is
    /// changing the account: a change ends the sign-ins that there are, and this finds the change for those that come later.
    pub(super) async fn is_still(&self, account: &Credentials) -> Result<bool, sqlx::Error> {
        let work = sqlx::query(
            "UPDATE connex_users SET version = version WHERE id = $1 AND role = $2 AND password_hash = $3",
        )
        .bind(account.id.to_string())
        .bind(account.role.as_str())
        .bind(account.password_hash.as_str())
        .execute(&self.db.write);
        Ok(timed(&self.metrics.update, work).await?.rows_affected() > 0)
    }

    /// Stores `user`'s email, name and role if its version is still the stored one, which then grows by one. `None` when it
    /// is not. Another role ends the sign-ins.
    pub(super) async fn update(
        &self,
        user: &User,
        is_other_role: bool,
        now: Timestamp,
    ) -> Result<Option<User>, sqlx::Error> {
        let write = sqlx::query(concat!(
            "UPDATE connex_users SET email = $1, name = $2, name_key = $3, search = $4, role = $5, \
             version = version + 1, updated_at = $6 WHERE id = $7 AND version = $8 RETURNING ",
            user_columns!()
        ))
        .bind(user.email.as_str())
        .bind(user.name.as_str())
        .bind(user.name.as_str().to_lowercase())
        .bind(search_text(&user.name, &user.email))
        .bind(user.role.as_str())
        .bind(now.as_millisecond())
        .bind(user.id.to_string())
        .bind(user.version);
        let work = async {
            match is_other_role {
                true => self.realm.end_all_with(user.id, write).await,
                false => write.fetch_optional(&self.db.write).await,
            }
        };
        timed(&self.metrics.update, work).await?.as_ref().map(User::from_row).transpose()
    }

    /// Replaces the hash `old` by that of another password, and ends the sign-ins. `None` when it is not the stored one any
    /// more.
    pub(super) async fn change_password(
        &self,
        id: Uuid,
        old: &str,
        new: &str,
    ) -> Result<Option<Credentials>, sqlx::Error> {
        let work = self.realm.end_all_with(id, hash_replacement(id, old, new));
        timed(&self.metrics.update, work).await?.as_ref().map(Credentials::from_row).transpose()
    }

    /// Replaces the hash `old` by another of the same password, unless it is not the stored one any more.
    pub(super) async fn renew_hash(&self, id: Uuid, old: &str, new: &str) -> Result<(), sqlx::Error> {
        let work = hash_replacement(id, old, new).execute(&self.db.write);
        timed(&self.metrics.update, work).await?;
        Ok(())
    }

    /// Deletes an account, of any version or of this, and ends its sign-ins. False when there is none.
    pub(super) async fn delete(&self, id: Uuid, version: Option<i64>) -> Result<bool, sqlx::Error> {
        let write =
            sqlx::query("DELETE FROM connex_users WHERE id = $1 AND ($2 < 0 OR version = $2) RETURNING id")
                .bind(id.to_string())
                .bind(version.unwrap_or(-1));
        let work = self.realm.end_all_with(id, write);
        Ok(timed(&self.metrics.delete, work).await?.is_some())
    }

    pub(super) async fn count(&self) -> Result<i64, sqlx::Error> {
        let work = sqlx::query_scalar("SELECT count(*) FROM connex_users").fetch_one(&self.db.read);
        timed(&self.metrics.count, work).await
    }
}

fn insertion(new: &NewUser, id: Uuid, now: Timestamp) -> Query<'static, Any, AnyArguments> {
    sqlx::query(
        "INSERT INTO connex_users (id, email, name, name_key, search, role, password_hash, version, created_at, \
         updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8) ON CONFLICT (email) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(new.email.as_str().to_owned())
    .bind(new.name.as_str().to_owned())
    .bind(new.name.as_str().to_lowercase())
    .bind(search_text(&new.name, &new.email))
    .bind(new.role.as_str())
    .bind(new.password_hash.clone())
    .bind(now.as_millisecond())
}

fn hash_replacement<'q>(id: Uuid, old: &'q str, new: &'q str) -> Query<'q, Any, AnyArguments> {
    sqlx::query(
        "UPDATE connex_users SET password_hash = $1 WHERE id = $2 AND password_hash = $3 \
         RETURNING id, role, password_hash",
    )
    .bind(new)
    .bind(id.to_string())
    .bind(old)
}

/// What a search looks through: no search has a line break.
fn search_text(name: &Name, email: &Email) -> String {
    format!("{}\n{}", name.as_str().to_lowercase(), email.as_str())
}

fn milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).expect("it was an instant before")
}
