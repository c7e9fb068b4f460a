//! People.

use super::{Storage, at};
use crate::{
    azora::domain::{Profile, ProfileChange},
    kit::{auth::Role, email::Email, now_ms, problem::Problem},
};

/// What sign-in needs to know.
pub(in crate::azora) struct Account {
    pub(in crate::azora) id: String,
    pub(in crate::azora) password_hash: String,
    pub(in crate::azora) role: Role,
}

#[derive(sqlx::FromRow)]
struct ProfileRow {
    id: String,
    email: String,
    role: String,
    name: String,
    bio: String,
    language: String,
    created_at: i64,
    updated_at: i64,
}

impl From<ProfileRow> for Profile {
    fn from(row: ProfileRow) -> Self {
        let ProfileRow { id, email, role, name, bio, language, created_at, updated_at } = row;
        let (created_at, updated_at) = (at(created_at), at(updated_at));
        Self { id, email, role, name, bio, language, created_at, updated_at }
    }
}

impl Storage {
    pub(in crate::azora) async fn account(&self, email: &Email) -> Result<Option<Account>, Problem> {
        let row: Option<(String, String, String)> =
            sqlx::query_as("SELECT id, password_hash, role FROM azora_users WHERE email = $1")
                .bind(email.as_str())
                .fetch_optional(self.db.current())
                .await?;
        Ok(row.map(|(id, password_hash, role)| Account { id, password_hash, role: Role::from_stored(&role) }))
    }

    pub(in crate::azora) async fn set_password_hash(&self, id: &str, hash: &str) -> Result<(), Problem> {
        sqlx::query("UPDATE azora_users SET password_hash = $1 WHERE id = $2")
            .bind(hash)
            .bind(id)
            .execute(&self.db.write)
            .await?;
        Ok(())
    }

    pub(in crate::azora) async fn profile(&self, id: &str) -> Result<Option<Profile>, Problem> {
        let _place = self.reading().await?;
        let row: Option<ProfileRow> = sqlx::query_as(
            "SELECT id, email, role, name, bio, language, created_at, updated_at FROM azora_users WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(self.db.current())
        .await?;
        Ok(row.map(Profile::from))
    }

    pub(in crate::azora) async fn change_profile(
        &self,
        id: &str,
        change: &ProfileChange,
    ) -> Result<Option<Profile>, Problem> {
        let row: Option<ProfileRow> = sqlx::query_as(
            "UPDATE azora_users SET name = $1, bio = $2, language = $3, updated_at = $4 WHERE id = $5 \
             RETURNING id, email, role, name, bio, language, created_at, updated_at",
        )
        .bind(&change.name)
        .bind(&change.bio)
        .bind(&change.language)
        .bind(now_ms())
        .bind(id)
        .fetch_optional(&self.db.write)
        .await?;
        Ok(row.map(Profile::from))
    }

    /// Adds somebody, unless the address is taken. Says whether they were added.
    pub(in crate::azora) async fn add_user(&self, person: &Profile, hash: &str) -> Result<bool, sqlx::Error> {
        Ok(self.add_users(std::slice::from_ref(person), hash).await? > 0)
    }

    /// Adds those whose address is not taken, all with one password. Says how many that were.
    pub(in crate::azora) async fn add_users(
        &self,
        people: &[Profile],
        hash: &str,
    ) -> Result<u64, sqlx::Error> {
        let mut transaction = self.db.write.begin().await?;
        let mut added = 0;
        for person in people {
            let done = sqlx::query(
                "INSERT INTO azora_users \
                 (id, email, password_hash, role, name, bio, language, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING",
            )
            .bind(&person.id)
            .bind(&person.email)
            .bind(hash)
            .bind(&person.role)
            .bind(&person.name)
            .bind(&person.bio)
            .bind(&person.language)
            .bind(person.created_at.as_millisecond())
            .execute(&mut *transaction)
            .await?;
            added += done.rows_affected();
        }
        transaction.commit().await?;
        Ok(added)
    }
}
