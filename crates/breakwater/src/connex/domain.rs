//! Rules of accounts: what names and passwords may be, what pages are. No I/O and no clock.

#[cfg(test)]
mod tests;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kit::{auth::Role, email::Email};

/// An account, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = connex::User)]
pub(super) struct User {
    pub(super) id: Uuid,
    /// In lower case.
    #[schema(value_type = String, example = "ada@example.com")]
    pub(super) email: Email,
    #[serde(serialize_with = "name_text")]
    #[schema(value_type = String, example = "Ada Lovelace")]
    pub(super) name: Name,
    pub(super) role: Role,
    /// Grows with each change, which must name the version that it changes.
    pub(super) version: i64,
    #[schema(value_type = String, format = DateTime)]
    #[serde(serialize_with = "as_text")]
    pub(super) created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    #[serde(serialize_with = "as_text")]
    pub(super) updated_at: Timestamp,
}

fn name_text<S: Serializer>(name: &Name, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name.as_str())
}

fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// What a person is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    /// `text` without white space at its ends, if 1 to 100 characters are left and all can be seen.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        match text.chars().count() {
            0 => Err("must not be empty"),
            1..=100 if text.chars().any(char::is_control) => Err("must not have control characters"),
            1..=100 => Ok(Self(text.to_owned())),
            _ => Err("may have 100 characters"),
        }
    }

    pub(super) fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password that may be chosen: 8 to 128 characters, any. Length is what counts (NIST SP 800-63B, section 3.1.1.2), and
/// hashing takes no longer for long ones.
pub(super) fn new_password(text: &str) -> Result<(), &'static str> {
    match text.chars().count() {
        0..8 => Err("must have 8 characters or more"),
        8..=PASSWORD_CHARS_MAX => Ok(()),
        _ => Err("may have 128 characters"),
    }
}

/// Longest password.
pub(super) const PASSWORD_CHARS_MAX: usize = 128;

/// What a list is sorted by; a hyphen turns it round. Accounts that are equal in it are sorted by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[schema(as = connex::Sort)]
pub(super) enum Sort {
    /// The eldest first.
    #[default]
    #[serde(rename = "created")]
    Created,
    #[serde(rename = "-created")]
    CreatedDown,
    /// Without regard to letter case.
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "-name")]
    NameDown,
    #[serde(rename = "email")]
    Email,
    #[serde(rename = "-email")]
    EmailDown,
}

impl Sort {
    const ALL: [(u8, Self); 6] = [
        (b'c', Self::Created),
        (b'C', Self::CreatedDown),
        (b'n', Self::Name),
        (b'N', Self::NameDown),
        (b'e', Self::Email),
        (b'E', Self::EmailDown),
    ];

    /// What `user` is sorted by.
    fn key(self, user: &User) -> String {
        match self {
            // Ids are UUIDs of version 7, which begin with the time.
            Self::Created | Self::CreatedDown => user.id.to_string(),
            Self::Name | Self::NameDown => user.name.as_str().to_lowercase(),
            Self::Email | Self::EmailDown => user.email.as_str().to_owned(),
        }
    }
}

/// Where a page ends, and the next begins: the last account's key and id. Unlike a number of accounts to skip it costs the
/// same on every page, and what is added or deleted meanwhile neither repeats nor hides others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) sort: Sort,
    pub(super) key: String,
    pub(super) id: Uuid,
}

impl Cursor {
    /// Behind `user` in this order.
    pub(super) fn behind(user: &User, sort: Sort) -> Self {
        Self { sort, key: sort.key(user), id: user.id }
    }

    /// As a client gets it, who need not understand it.
    pub(super) fn text(&self) -> String {
        let sort = Sort::ALL.iter().find(|(_, sort)| *sort == self.sort).map_or(0, |(letter, _)| *letter);
        let mut bytes = vec![sort];
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The reverse of [`Cursor::text`]. `None` for what did not come from it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (sort, rest) = bytes.split_first()?;
        let (_, sort) = *Sort::ALL.iter().find(|(letter, _)| letter == sort)?;
        let (id, key) = rest.split_at_checked(16)?;
        // PostgreSQL takes no NUL in a text, and no key has one.
        let key = String::from_utf8(key.to_vec()).ok().filter(|key| !key.contains('\0'))?;
        Some(Self { sort, key, id: Uuid::from_slice(id).ok()? })
    }
}

/// A pattern for LIKE, with `\` as its escape, that finds `text` anywhere, whatever its letter case.
pub(super) fn search_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    if pattern.len() > 1 {
        pattern.push('%');
    }
    pattern
}
