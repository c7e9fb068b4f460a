use proptest::prelude::*;

use super::*;

#[test]
fn emails_are_told_from_other_texts() {
    for good in ["a@b.de", "Ada.Lovelace+maths@Example.co.uk", "o'neill@x-y.org", "x@1.2.3.example"] {
        assert_eq!(Email::parse(good).map(|email| email.0), Ok(good.to_lowercase()));
    }
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_label = format!("a@{}.com", "b".repeat(64));
    let long = format!("a@{}com", "b.".repeat(130));
    for bad in [
        "",
        "@",
        "a",
        "a@",
        "@b.de",
        "a@b",
        "a b@c.de",
        " a@b.de",
        "a@b.de ",
        "a@b@c.de",
        ".a@b.de",
        "a.@b.de",
        "a..b@c.de",
        "a@b..de",
        "a@-b.de",
        "a@b-.de",
        "a@.de",
        "a@b.",
        "ä@b.de",
        "a@ü.de",
        "a@b.de\n",
        "a@b.de\r\nBcc: x@y.de",
        "a@b.de\0",
        "<a@b.de>",
        "\"a\"@b.de",
        &long_local,
        &long_label,
        &long,
    ] {
        assert!(Email::parse(bad).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn anything_may_come_as_an_email(text in "\\PC{0,40}") {
        if let Ok(email) = Email::parse(&text) {
            prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
            prop_assert_eq!(email.as_str().matches('@').count(), 1);
        }
    }

    #[test]
    fn addresses_of_the_usual_form_are_emails(
        text in "[a-zA-Z0-9_+-]{1,20}(\\.[a-z0-9]{1,10}){0,2}@([a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\\.){1,3}[a-z]{2,6}",
    ) {
        prop_assert!(Email::parse(&text).is_ok());
    }
}
