//! Sign-ins: begun, renewed, ended, and seen by other instances.

use std::time::Duration;

use http::StatusCode;
use uuid::Uuid;

use super::{
    super::{Auth, CLOCKS_DIFFER, Role},
    cheap, database, instance,
};
use crate::kit::{metrics::Metrics, now_ms};

const NOT_SIGNED_IN: StatusCode = StatusCode::UNAUTHORIZED;

#[tokio::test]
async fn a_sign_in_gives_tokens_that_say_who() {
    let realm = instance(&database().await).await.realm("a");
    let user_id = Uuid::new_v4();
    let tokens = realm.begin(user_id, Role::User).await.unwrap();
    let signed = realm.verify(&tokens.access_token).unwrap();
    assert_eq!((signed.user_id, signed.role), (user_id, Role::User));
    let (again, next) = realm.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(again, signed);
    assert_eq!(realm.verify(&next.access_token).unwrap(), signed);
    assert_ne!(next.refresh_token, tokens.refresh_token);
}

#[tokio::test]
async fn an_access_token_expires_also_when_it_is_known() {
    let realm = instance(&database().await).await.realm("a");
    let tokens = realm.begin(Uuid::new_v4(), Role::User).await.unwrap();
    let (token, now) = (tokens.access_token.as_str(), now_ms());
    assert!(realm.verify_at(token, now).is_some());
    assert!(realm.verify_at(token, now + 898_000).is_some());
    assert!(realm.verify_at(token, now + 901_000).is_none());
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_the_sign_in() {
    let realm = instance(&database().await).await.realm("a");
    let first = realm.begin(Uuid::new_v4(), Role::User).await.unwrap();
    let (_, second) = realm.refresh(&first.refresh_token).await.unwrap();
    assert!(realm.verify(&second.access_token).is_ok());
    assert_eq!(realm.refresh(&first.refresh_token).await.unwrap_err().status(), NOT_SIGNED_IN);
    for token in [&first, &second] {
        assert_eq!(realm.verify(&token.access_token).unwrap_err().status(), NOT_SIGNED_IN);
    }
    assert_eq!(realm.refresh(&second.refresh_token).await.unwrap_err().status(), NOT_SIGNED_IN);
}

#[tokio::test]
async fn of_many_who_show_one_refresh_token_at_once_one_gets_the_next() {
    let realm = instance(&database().await).await.realm("a");
    let first = realm.begin(Uuid::new_v4(), Role::User).await.unwrap();
    let attempts = (0..20).map(|_| realm.refresh(&first.refresh_token));
    let answers = futures_util::future::join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
}

#[tokio::test]
async fn refresh_tokens_open_their_realm_alone_until_they_expire() {
    let db = database().await;
    let auth = instance(&db).await;
    let tokens = auth.realm("a").begin(Uuid::new_v4(), Role::User).await.unwrap();
    assert!(auth.realm("b").refresh(&tokens.refresh_token).await.is_err());
    assert!(auth.realm("b").verify(&tokens.access_token).is_err());
    sqlx::query("UPDATE sign_ins SET expires_at = $1").bind(now_ms() - 1).execute(&db.write).await.unwrap();
    assert!(auth.realm("a").refresh(&tokens.refresh_token).await.is_err());
}

#[tokio::test]
async fn unreadable_refresh_tokens_are_refused() {
    let realm = instance(&database().await).await.realm("a");
    let long = "A".repeat(5000);
    for text in ["", "x", "ü", "AAAA", &"A".repeat(64), &long] {
        assert_eq!(realm.refresh(text).await.unwrap_err().status(), NOT_SIGNED_IN);
    }
}

#[tokio::test]
async fn signing_out_ends_one_sign_in_or_all() {
    let realm = instance(&database().await).await.realm("a");
    let (user_id, other_id) = (Uuid::new_v4(), Uuid::new_v4());
    let [phone, laptop] =
        [realm.begin(user_id, Role::User).await.unwrap(), realm.begin(user_id, Role::User).await.unwrap()];
    let other = realm.begin(other_id, Role::User).await.unwrap();
    let signed = realm.verify(&phone.access_token).unwrap();
    realm.end(&signed).await.unwrap();
    assert!(realm.verify(&phone.access_token).is_err());
    assert!(realm.refresh(&phone.refresh_token).await.is_err());
    assert!(realm.verify(&laptop.access_token).is_ok());
    realm.end_all(user_id).await.unwrap();
    assert!(realm.verify(&laptop.access_token).is_err());
    assert!(realm.verify(&other.access_token).is_ok());
}

#[tokio::test]
async fn other_instances_learn_of_what_ended_at_their_start_and_later() {
    let db = database().await;
    let (here, there) = (instance(&db).await.realm("a"), instance(&db).await);
    let [first, second] = [
        here.begin(Uuid::new_v4(), Role::User).await.unwrap(),
        here.begin(Uuid::new_v4(), Role::User).await.unwrap(),
    ];
    here.end(&here.verify(&first.access_token).unwrap()).await.unwrap();
    let late = instance(&db).await;
    assert!(late.realm("a").verify(&first.access_token).is_err());
    assert!(late.realm("a").verify(&second.access_token).is_ok());
    assert!(there.realm("a").verify(&first.access_token).is_ok());
    there.learn(now_ms(), Duration::from_secs(1)).await.unwrap();
    assert!(there.realm("a").verify(&first.access_token).is_err());
}

#[tokio::test]
async fn what_has_ended_for_everyone_is_deleted() {
    let db = database().await;
    let realm = instance(&db).await.realm("a");
    let auth = instance(&db).await;
    let tokens = realm.begin(Uuid::new_v4(), Role::User).await.unwrap();
    realm.begin(Uuid::new_v4(), Role::User).await.unwrap();
    realm.end(&realm.verify(&tokens.access_token).unwrap()).await.unwrap();
    let left = async || {
        let (count,): (i64,) =
            sqlx::query_as("SELECT count(*) FROM sign_ins").fetch_one(&db.read).await.unwrap();
        count
    };
    let access = Duration::from_secs(900);
    auth.sweep(now_ms() + access.as_millis() as i64).await.unwrap();
    assert_eq!(left().await, 2);
    auth.sweep(now_ms() + (access + 3 * CLOCKS_DIFFER).as_millis() as i64).await.unwrap();
    assert_eq!(left().await, 1);
    auth.sweep(now_ms() + Duration::from_secs(31 * 24 * 3600).as_millis() as i64).await.unwrap();
    assert_eq!(left().await, 0);
}

#[tokio::test]
async fn active_users_are_counted_once_each_until_they_leave() {
    let (db, metrics) = (database().await, Metrics::default());
    let auth = Auth::start(&cheap(), &db, &metrics).await.unwrap();
    let realm = auth.realm("a");
    let user_id = Uuid::new_v4();
    realm.begin(Uuid::new_v4(), Role::User).await.unwrap();
    realm.begin(user_id, Role::User).await.unwrap();
    realm.begin(user_id, Role::User).await.unwrap();
    let shows = |count: u32| {
        let line = format!("breakwater_auth_active_users{{realm=\"a\"}} {count}\n");
        assert!(metrics.text().contains(&line), "{}", metrics.text());
    };
    shows(2);
    realm.end_all(user_id).await.unwrap();
    shows(1);
    auth.0.active.forget_expired(now_ms() + 1_000_000);
    shows(0);
}
