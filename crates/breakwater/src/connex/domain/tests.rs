use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn user(name: &str, email: &str, id: u128) -> User {
    User {
        id: Uuid::from_u128(id),
        email: Email::parse(email).unwrap(),
        name: Name::parse(name).unwrap(),
        role: Role::User,
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn names_have_something_to_see_and_a_length() {
    assert_eq!(Name::parse("  Ada\u{a0}").unwrap().as_str(), "Ada");
    assert!(Name::parse(&"ß".repeat(100)).is_ok());
    for bad in ["", " \t", "a\nb", "a\0b", &"x".repeat(101)] {
        assert!(Name::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn passwords_are_counted_in_characters() {
    for good in ["12345678", "pässwörd", "        ", &"\u{10ffff}".repeat(128)] {
        assert!(new_password(good).is_ok(), "{good:?}");
    }
    for bad in ["", "1234567", "pässwör", &"x".repeat(129)] {
        assert!(new_password(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn searches_take_signs_of_patterns_for_what_they_are() {
    assert_eq!(search_pattern("50%_A\\"), "%50\\%\\_a\\\\%");
    assert_eq!(search_pattern(""), "%");
}

proptest! {
    #[test]
    fn cursors_come_back_as_they_were(name in "[^\\p{C}]{1,100}", id: u128, order in 0_usize..6) {
        prop_assume!(Name::parse(&name).is_ok());
        let cursor = Cursor::behind(&user(&name, "a@b.de", id), Sort::ALL[order].1);
        prop_assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
    }

    #[test]
    fn anything_may_come_as_a_cursor(text in "\\PC{0,60}", bytes: Vec<u8>) {
        Cursor::parse(&text);
        if let Some(cursor) = Cursor::parse(&URL_SAFE_NO_PAD.encode(&bytes)) {
            prop_assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        }
    }

    /// Pages by cursor give each account once and in order, however large the pages are.
    #[test]
    fn pages_follow_each_other(
        names in prop::collection::vec("[abAB]{1,2}", 1..30), size in 1_usize..7, order in 0_usize..6,
    ) {
        let sort = Sort::ALL[order].1;
        let down = matches!(sort, Sort::CreatedDown | Sort::NameDown | Sort::EmailDown);
        let mut users: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(n, name)| user(name, &format!("{name}{n}@b.de"), n as u128))
            .collect();
        let place = |user: &User| (sort.key(user), user.id);
        users.sort_by_key(place);
        if down {
            users.reverse();
        }
        let mut seen = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let page: Vec<_> = users
                .iter()
                .filter(|user| match &cursor {
                    Some(Cursor { key, id, .. }) if down => place(user) < (key.clone(), *id),
                    Some(Cursor { key, id, .. }) => place(user) > (key.clone(), *id),
                    None => true,
                })
                .take(size)
                .cloned()
                .collect();
            let Some(last) = page.last() else { break };
            cursor = Cursor::parse(&Cursor::behind(last, sort).text());
            seen.extend(page);
        }
        prop_assert_eq!(seen, users);
    }
}
