//! People as they are stored.

use jiff::{Timestamp, civil::Date};
use sqlx::{AnyConnection, AnyPool, FromRow};

use crate::{
    birthday::{clock::at_ms, rules, rules::Person},
    kit::email::Email,
};

/// What a [`User`] is read from.
macro_rules! user_columns {
    () => {
        "id, name, email, birthday, zone, since_ms, version, created_ms, updated_ms"
    };
}

/// A row of people.
#[derive(Debug, Clone, FromRow)]
pub struct User {
    pub id: String,
    pub name: String,
    pub email: String,
    pub birthday: String,
    pub zone: String,
    pub since_ms: i64,
    pub version: i64,
    pub created_ms: i64,
    pub updated_ms: i64,
}

impl User {
    /// What rules need to know.
    pub fn person(&self) -> anyhow::Result<Person> {
        person(&self.birthday, &self.zone, self.since_ms)
    }
}

/// What the rules need, from what is stored.
pub fn person(birthday: &str, zone: &str, since_ms: i64) -> anyhow::Result<Person> {
    let zone =
        rules::zone(zone).ok_or_else(|| anyhow::anyhow!("the time zone {zone} is not known any more"))?;
    Ok(Person { birthday: birthday.parse()?, zone, since: at_ms(since_ms) })
}

/// What a client may say of a person, checked.
#[derive(Debug, Clone)]
pub struct Particulars {
    pub name: String,
    pub email: Email,
    pub birthday: Date,
    /// As the IANA database writes it.
    pub zone: String,
}

/// Stores a new person, whose birthday is known since `now`.
pub async fn insert(
    connection: &mut AnyConnection,
    id: &str,
    particulars: &Particulars,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO birthday_users (id, name, email, name_key, email_key, birthday, month_day, zone, since_ms, version, \
         created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $9, $9)",
    )
    .bind(id)
    .bind(&particulars.name)
    .bind(particulars.email.as_str())
    .bind(search_key(&particulars.name))
    .bind(search_key(particulars.email.as_str()))
    .bind(particulars.birthday.to_string())
    .bind(rules::month_day(particulars.birthday))
    .bind(&particulars.zone)
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// The person with this id, from one of the pools.
pub async fn find(pool: &AnyPool, id: &str) -> sqlx::Result<Option<User>> {
    sqlx::query_as(concat!("SELECT ", user_columns!(), " FROM birthday_users WHERE id = $1"))
        .bind(id)
        .fetch_optional(pool)
        .await
}

/// Replaces version `version`, and gives the row as it is then. `None`: there is no such person, or another version.
pub async fn update(
    connection: &mut AnyConnection,
    id: &str,
    version: i64,
    particulars: &Particulars,
    now: Timestamp,
) -> sqlx::Result<Option<User>> {
    sqlx::query_as(concat!(
        "UPDATE birthday_users SET name = $3, email = $4, name_key = $5, email_key = $6, \
         since_ms = CASE WHEN birthday = $7 THEN since_ms ELSE $10 END, birthday = $7, month_day = $8, zone = $9, \
         version = version + 1, updated_ms = $10 WHERE id = $1 AND version = $2 RETURNING ",
        user_columns!(),
    ))
    .bind(id)
    .bind(version)
    .bind(&particulars.name)
    .bind(particulars.email.as_str())
    .bind(search_key(&particulars.name))
    .bind(search_key(particulars.email.as_str()))
    .bind(particulars.birthday.to_string())
    .bind(rules::month_day(particulars.birthday))
    .bind(&particulars.zone)
    .bind(now.as_millisecond())
    .fetch_optional(connection)
    .await
}

/// Whether there was such a person.
pub async fn delete(connection: &mut AnyConnection, id: &str) -> sqlx::Result<bool> {
    let deleted =
        sqlx::query("DELETE FROM birthday_users WHERE id = $1").bind(id).execute(connection).await?;
    Ok(deleted.rows_affected() > 0)
}

/// At most `limit` people after the id `after`, in the order of ids, whose name or address begins with `search`.
pub async fn page(pool: &AnyPool, search: &str, after: &str, limit: i64) -> sqlx::Result<Vec<User>> {
    if search.is_empty() {
        let all = sqlx::query_as(concat!(
            "SELECT ",
            user_columns!(),
            " FROM birthday_users WHERE id > $1 ORDER BY id LIMIT $2"
        ));
        return all.bind(after).bind(limit).fetch_all(pool).await;
    }
    let from = search_key(search);
    // Behind every hexadecimal digit there is g.
    let until = format!("{from}g");
    sqlx::query_as(concat!(
        "SELECT ",
        user_columns!(),
        " FROM birthday_users \
         WHERE ((name_key >= $1 AND name_key < $2) OR (email_key >= $1 AND email_key < $2)) AND id > $3 \
         ORDER BY id LIMIT $4",
    ))
    .bind(from)
    .bind(until)
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// At most `limit` people after the id `after` who were born on `month_day` (see [`rules::month_day`]).
pub async fn born_on(pool: &AnyPool, month_day: i64, after: &str, limit: i64) -> sqlx::Result<Vec<User>> {
    sqlx::query_as(concat!(
        "SELECT ",
        user_columns!(),
        " FROM birthday_users WHERE month_day = $1 AND id > $2 ORDER BY id LIMIT $3",
    ))
    .bind(month_day)
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await
}

/// Lower case, as hexadecimal digits: see the migration.
fn search_key(text: &str) -> String {
    use std::fmt::Write;
    let mut key = String::with_capacity(text.len() * 2);
    for byte in text.to_lowercase().bytes() {
        write!(key, "{byte:02x}").expect("a String takes everything");
    }
    key
}
