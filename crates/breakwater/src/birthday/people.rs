//! Changes to people, each with what it means for their messages, in one transaction.

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Birthday,
    storage::{
        messages,
        users::{self, Particulars, User},
    },
};

impl Birthday {
    /// Stores a new person, and the message if it is near.
    pub async fn add(&self, particulars: &Particulars, now: Timestamp) -> sqlx::Result<User> {
        let user = User {
            id: Uuid::now_v7().to_string(),
            name: particulars.name.clone(),
            email: particulars.email.as_str().to_owned(),
            birthday: particulars.birthday.to_string(),
            zone: particulars.zone.clone(),
            since_ms: now.as_millisecond(),
            version: 1,
            created_ms: now.as_millisecond(),
            updated_ms: now.as_millisecond(),
        };
        match self.foresee_soon(&user, now) {
            Some(planned) => {
                let mut transaction = self.kit.db.write.begin().await?;
                users::insert(&mut transaction, &user.id, particulars, now).await?;
                self.store(&mut transaction, &[planned], now).await?;
                transaction.commit().await?;
            }
            // Most birthdays are far off. One statement alone is a transaction, and three round trips less.
            None => {
                let mut connection = self.kit.db.write.acquire().await?;
                users::insert(&mut connection, &user.id, particulars, now).await?;
            }
        }
        Ok(user)
    }

    /// Replaces version `version` of a person and works out again when their message is due, unless it is on the way.
    /// `None`: there is nobody with that id, or another version.
    pub async fn change(
        &self,
        id: &str,
        version: i64,
        particulars: &Particulars,
        now: Timestamp,
    ) -> sqlx::Result<Option<User>> {
        // It writes first: SQLite cannot make a reader a writer when another has written meanwhile.
        let mut transaction = self.kit.db.write.begin().await?;
        let user = users::update(&mut transaction, id, version, particulars, now).await?;
        if let Some(user) = &user {
            messages::forget(&mut transaction, id).await?;
            self.store(&mut transaction, self.foresee_soon(user, now).as_slice(), now).await?;
        }
        transaction.commit().await?;
        Ok(user)
    }

    /// Forgets a person and what was to be sent. Whether there was one.
    pub async fn remove(&self, id: &str) -> sqlx::Result<bool> {
        let mut transaction = self.kit.db.write.begin().await?;
        let removed = users::delete(&mut transaction, id).await?;
        if removed {
            messages::forget(&mut transaction, id).await?;
        }
        transaction.commit().await?;
        Ok(removed)
    }
}
