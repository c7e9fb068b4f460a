//! Access tokens: what is taken, and what is refused.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    super::{
        AuthError, Role, Signed,
        tokens::{Keys, accepted},
    },
    SECRET,
};
use crate::kit::config::Secret;

const NOW_S: i64 = 1_800_000_000;

fn keys(secrets: &[&str]) -> Keys {
    let secrets: Vec<_> = secrets.iter().map(|&secret| Secret::from(secret)).collect();
    Keys::new(&secrets).unwrap()
}

fn someone() -> Signed {
    Signed { user_id: Uuid::new_v4(), role: Role::Admin, family: Uuid::new_v4() }
}

#[test]
fn a_token_says_who_and_until_when() {
    let (keys, someone) = (keys(&[SECRET]), someone());
    let claims = keys.verify(&keys.sign(someone, "a", NOW_S, 900), &accepted("a")).unwrap();
    assert_eq!((claims.signed(), claims.exp), (someone, NOW_S + 900));
}

#[test]
fn a_token_opens_its_realm_alone() {
    let keys = keys(&[SECRET]);
    assert!(keys.verify(&keys.sign(someone(), "a", NOW_S, 900), &accepted("b")).is_none());
}

#[test]
fn what_another_secret_signed_is_refused() {
    let token = keys(&["another secret that has 32 bytes too"]).sign(someone(), "a", NOW_S, 900);
    assert!(keys(&[SECRET]).verify(&token, &accepted("a")).is_none());
}

#[test]
fn a_secret_is_changed_without_signing_anybody_out() {
    let new = "the secret that comes next, 32 bytes or more";
    let (old, both) = (keys(&[SECRET]), keys(&[new, SECRET]));
    let accepted = accepted("a");
    assert!(both.verify(&old.sign(someone(), "a", NOW_S, 900), &accepted).is_some());
    let token = both.sign(someone(), "a", NOW_S, 900);
    assert!(old.verify(&token, &accepted).is_none());
    assert!(keys(&[new]).verify(&token, &accepted).is_some());
}

#[test]
fn short_secrets_are_not_taken() {
    let error = Keys::new(&[Secret::from(SECRET), Secret::from("too short")]).err().unwrap();
    assert!(matches!(error, AuthError::ShortSecret { bytes: 9 }), "{error}");
}

#[test]
fn a_token_without_a_signature_is_refused() {
    let keys = keys(&[SECRET]);
    let token = keys.sign(someone(), "a", NOW_S, 900);
    let (said, _) = token.rsplit_once('.').unwrap();
    let (_, claims) = said.split_once('.').unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    for forged in [format!("{none}.{claims}."), format!("{said}."), said.to_owned()] {
        assert!(keys.verify(&forged, &accepted("a")).is_none(), "{forged}");
    }
}

proptest! {
    #[test]
    fn a_changed_token_is_refused(position in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_.-]") {
        let keys = keys(&[SECRET]);
        let token = keys.sign(someone(), "a", NOW_S, 900);
        let at = position.index(token.len());
        let changed = format!("{}{letter}{}", &token[..at], &token[at + 1..]);
        // The last letter has two bits that mean nothing.
        prop_assume!(at + 1 < token.len() && changed != token);
        prop_assert!(keys.verify(&changed, &accepted("a")).is_none());
    }

    #[test]
    fn anything_may_be_sent_as_a_token(text in "\\PC{0,300}") {
        prop_assert!(keys(&[SECRET]).verify(&text, &accepted("a")).is_none());
    }
}
