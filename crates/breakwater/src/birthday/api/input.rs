//! What clients may say, checked.

use std::time::Duration;

use jiff::{Timestamp, civil::Date};

use crate::{
    birthday::{rules, storage::users::Particulars},
    kit::{email::Email, problem::Problem},
};

/// People who are older were born before there were time zones.
const FIRST_YEAR: i16 = 1880;

/// A person's particulars as they came.
pub(super) struct Said {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) birthday: String,
    pub(super) time_zone: String,
}

/// The particulars, if every one of them can be.
pub(super) fn particulars(said: Said, now: Timestamp) -> Result<Particulars, Problem> {
    let name = text("name", said.name.trim().to_owned(), 100)?;
    if name.is_empty() {
        return Err(Problem::invalid("name: is empty"));
    }
    let email = Email::parse(&said.email).map_err(|wrong| Problem::invalid(format!("email: {wrong}")))?;
    let zone = rules::zone(&said.time_zone);
    let zone = zone.ok_or_else(|| {
        Problem::invalid("time_zone: is none of the IANA database; an example is Europe/Berlin")
    })?;
    let wrong = || Problem::invalid("birthday: is no day of the calendar as YYYY-MM-DD");
    // The parser takes more than the plain form.
    let plain =
        said.birthday.len() == 10 && said.birthday.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let birthday: Date = said.birthday.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
    if birthday.year() < FIRST_YEAR || birthday > zone.to_datetime(now).date() {
        return Err(Problem::invalid(format!(
            "birthday: must be from {FIRST_YEAR}-01-01 to today in the person's time zone"
        )));
    }
    let zone = zone.iana_name().expect("zones found by name have one").to_owned();
    Ok(Particulars { name, email, birthday, zone })
}

/// A line of text of at most `length_max` characters.
pub(super) fn text(field: &'static str, said: String, length_max: usize) -> Result<String, Problem> {
    if said.chars().count() > length_max {
        return Err(Problem::invalid(format!("{field}: has more than {length_max} characters")));
    }
    if said.chars().any(char::is_control) {
        return Err(Problem::invalid(format!("{field}: has control characters")));
    }
    Ok(said)
}

/// The size of a page.
pub(super) fn limit(said: Option<u32>) -> Result<i64, Problem> {
    match said.unwrap_or(20) {
        limit @ 1..=100 => Ok(limit.into()),
        _ => Err(Problem::invalid("limit: must be from 1 to 100")),
    }
}

/// What passes by itself.
pub(super) fn later(detail: &'static str) -> Problem {
    Problem::unavailable(detail, Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, email: &str, birthday: &str, time_zone: &str) -> Result<Particulars, String> {
        let [name, email, birthday, time_zone] = [name, email, birthday, time_zone].map(str::to_owned);
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        particulars(Said { name, email, birthday, time_zone }, now).map_err(|problem| problem.to_string())
    }

    #[test]
    fn particulars_are_taken_and_tidied() {
        let taken = check(" Ada ", "ada.b+c@mail.example.org", "1815-12-10", "Europe/London").unwrap_err();
        assert!(taken.contains("birthday"), "{taken}");
        let taken = check(" Ada ", "ada.b+c@mail.example.org", "1996-02-29", "europe/london").unwrap();
        assert_eq!((taken.name.as_str(), taken.zone.as_str()), ("Ada", "Europe/London"));
        // Born today where it is tomorrow already.
        check("Tane", "t@example.org", "2026-03-02", "Pacific/Kiritimati").unwrap();
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = "x".repeat(101);
        let cases = [
            ("", "a@b.c", "2000-01-01", "UTC", "name"),
            ("\u{7}x", "a@b.c", "2000-01-01", "UTC", "name"),
            (&long, "a@b.c", "2000-01-01", "UTC", "name"),
            ("A", "a", "2000-01-01", "UTC", "email"),
            ("A", "a\r\nBcc: x@y.z", "2000-01-01", "UTC", "email"),
            ("A", "a@b.c", "2001-02-29", "UTC", "birthday"),
            ("A", "a@b.c", "2001-02-28T10:00", "UTC", "birthday"),
            ("A", "a@b.c", "20010228", "UTC", "birthday"),
            ("A", "a@b.c", "2026-03-02", "UTC", "birthday"),
            ("A", "a@b.c", "2000-01-01", "Mars/Olympus", "time_zone"),
            ("A", "a@b.c", "2000-01-01", "", "time_zone"),
            ("A", "a@b.c", "2000-01-01", "../etc/passwd", "time_zone"),
        ];
        for (name, email, birthday, zone, field) in cases {
            let error = check(name, email, birthday, zone).unwrap_err();
            assert!(error.contains(&format!("{field}:")), "{email} {birthday} {zone}: {error}");
        }
    }
}
