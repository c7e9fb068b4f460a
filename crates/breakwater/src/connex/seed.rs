//! Accounts that are there from the start.

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use super::{
    domain::{Name, new_password},
    storage::{NewUser, Users},
};
use crate::kit::{
    auth::{Passwords, Role},
    config::Secret,
    email::Email,
};

/// The password of all seeded users.
const SEED_PASSWORD: &str = "breakwater-demo";

const FIRST_NAMES: [&str; 16] = [
    "Ada",
    "Alan",
    "Barbara",
    "Claude",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "John",
    "Katherine",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Radia",
    "Tim",
];
const LAST_NAMES: [&str; 13] = [
    "Allen", "Dijkstra", "Hamilton", "Hopper", "Johnson", "Knuth", "Lamarr", "Lamport", "Liskov", "Lovelace",
    "Perlman", "Shannon", "Turing",
];

/// Adds the admins `EMAIL:PASSWORD` that are not there yet.
pub(super) async fn admins(users: &Users, passwords: &Passwords, admins: &[Secret]) -> anyhow::Result<()> {
    for admin in admins {
        let (email, password) =
            admin.expose().split_once(':').ok_or_else(|| anyhow!("--connex-admin: give EMAIL:PASSWORD"))?;
        let email = Email::parse(email).map_err(|wrong| anyhow!("--connex-admin: the email {wrong}"))?;
        new_password(password).map_err(|wrong| anyhow!("--connex-admin: the password {wrong}"))?;
        match users.credentials(&email).await? {
            Some(there) if there.role == Role::Admin => continue,
            Some(_) => {
                tracing::warn!(email = email.as_str(), "--connex-admin: a user has this email and stays one");
                continue;
            }
            None => {}
        }
        let name = Name::parse("Admin").expect("it is a name");
        let password_hash = passwords.hash(password.to_owned()).await?;
        users.insert(&NewUser { email, name, role: Role::Admin, password_hash }, Timestamp::now()).await?;
    }
    Ok(())
}

/// Adds `count` users, of whom those that are there already stay as they are. One hash does for all: at 20 ms each, ten
/// thousand would take minutes.
pub(super) async fn users(users: &Users, passwords: &Passwords, count: u32) -> anyhow::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let password_hash = passwords.hash(SEED_PASSWORD.to_owned()).await?;
    let new = (1..=count).map(|number| {
        let first = FIRST_NAMES[number as usize % FIRST_NAMES.len()];
        let last = LAST_NAMES[number as usize % LAST_NAMES.len()];
        NewUser {
            email: Email::parse(&format!("user{number}@example.com")).expect("it is an email"),
            name: Name::parse(&format!("{first} {last}")).expect("it is a name"),
            role: Role::User,
            password_hash: password_hash.clone(),
        }
    });
    let added = users.insert_all(new, Timestamp::now()).await.context("--connex-seed")?;
    tracing::warn!(
        added,
        "users user1@example.com to user{count}@example.com have the password {SEED_PASSWORD}"
    );
    Ok(())
}
