//! Users, and pages of them.

use uuid::Uuid;

use crate::kit::email::Email;
use crate::kit::problem::Problem;

/// Users on a page when the client does not say, and at most.
pub(super) const PAGE_LIMIT: u32 = 20;
pub(super) const PAGE_LIMIT_MAX: u32 = 100;

const NAME_CHARS_MAX: usize = 100;

/// A user that may be added.
#[derive(Debug, PartialEq)]
pub(super) struct NewUser {
    pub(super) name: String,
    pub(super) email: Email,
}

impl NewUser {
    /// Checks what a client sent.
    pub(super) fn new(name: &str, email: &str) -> Result<Self, Problem> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.contains(char::is_control) {
            return Err(Problem::invalid(format!(
                "name: must have 1 to {NAME_CHARS_MAX} characters, and no control characters"
            )));
        }
        let email = Email::parse(email).map_err(|wrong| Problem::invalid(format!("email: {wrong}")))?;
        Ok(Self { name: name.to_owned(), email })
    }
}

/// Which page: the users that were created after one of them, or from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageOf {
    pub(super) after: Option<Uuid>,
    pub(super) limit: u32,
}

impl PageOf {
    /// Checks what a client asked for.
    pub(super) fn new(after: Option<Uuid>, limit: Option<u32>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(PAGE_LIMIT);
        if !(1..=PAGE_LIMIT_MAX).contains(&limit) {
            return Err(Problem::invalid(format!("limit: must be from 1 to {PAGE_LIMIT_MAX}")));
        }
        Ok(Self { after, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, email: &str, expected: Option<(&str, &str)>) {
        let expected = expected
            .map(|(name, email)| NewUser { name: name.into(), email: Email::from_stored(email.into()) });
        assert_eq!(NewUser::new(name, email).ok(), expected, "{name:?} {email:?}");
    }

    #[test]
    fn names_and_addresses_are_checked_and_tidied() {
        check(" Ada Lovelace ", "Ada@Example.org", Some(("Ada Lovelace", "ada@example.org")));
        check(&"é".repeat(100), "a@b.de", Some((&"é".repeat(100), "a@b.de")));
        check(&"é".repeat(101), "a@b.de", None);
        check(" ", "a@b.de", None);
        check("a\u{7}", "a@b.de", None);
        check("Ada", "ada", None);
    }

    #[test]
    fn pages_are_bounded() {
        assert_eq!(PageOf::new(None, None).expect("defaults"), PageOf { after: None, limit: PAGE_LIMIT });
        assert!(PageOf::new(None, Some(0)).is_err());
        assert!(PageOf::new(None, Some(PAGE_LIMIT_MAX)).is_ok());
        assert!(PageOf::new(None, Some(PAGE_LIMIT_MAX + 1)).is_err());
    }
}
