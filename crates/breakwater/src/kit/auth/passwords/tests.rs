use std::sync::mpsc;

use http::StatusCode;

use super::{AuthSettings, Passwords};
use crate::kit::{auth::tests::cheap, metrics::Metrics};

fn passwords(settings: &AuthSettings) -> Passwords {
    Passwords::new(settings, &Metrics::default()).unwrap()
}

#[tokio::test]
async fn the_right_password_is_told_from_others() {
    let passwords = passwords(&cheap());
    let stored = passwords.hash("correct horse".to_owned()).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{stored}");
    assert_ne!(stored, passwords.hash("correct horse".to_owned()).await.unwrap());
    assert!(passwords.verify("correct horse".to_owned(), Some(&stored)).await.unwrap());
    assert!(!passwords.verify("correct horsf".to_owned(), Some(&stored)).await.unwrap());
}

#[tokio::test]
async fn nobodys_password_costs_a_hash_like_somebodys() {
    let metrics = Metrics::default();
    let passwords = Passwords::new(&cheap(), &metrics).unwrap();
    assert!(!passwords.verify("anything".to_owned(), None).await.unwrap());
    let text = metrics.text();
    assert!(text.contains("auth_password_hashes_total{operation=\"check\"} 1"), "{text}");
    // One that could not be parsed would be refused without any work.
    assert!(argon2::PasswordHash::new(&passwords.0.nobody).is_ok());
    assert!(!passwords.is_outdated(&passwords.0.nobody));
}

#[tokio::test]
async fn hashes_of_another_cost_are_good_and_outdated() {
    let old = passwords(&cheap());
    let new = passwords(&AuthSettings { password_memory_kib: 16, ..cheap() });
    let stored = old.hash("correct horse".to_owned()).await.unwrap();
    assert!(!old.is_outdated(&stored) && new.is_outdated(&stored));
    assert!(new.verify("correct horse".to_owned(), Some(&stored)).await.unwrap());
}

#[tokio::test]
async fn beyond_the_line_hashing_is_refused_and_those_who_leave_make_room() {
    let settings = AuthSettings { password_threads: 1, password_queue: 1, ..cheap() };
    let passwords = passwords(&settings);
    let (finish, wait) = mpsc::channel::<()>();
    let working = {
        let passwords = passwords.clone();
        tokio::spawn(async move { passwords.work(move |_| wait.recv()).await })
    };
    while passwords.0.threads.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let mut waiting = Box::pin(passwords.hash("a".to_owned()));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let refused = passwords.hash("b".to_owned()).await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(waiting);
    let next = tokio::spawn({
        let passwords = passwords.clone();
        async move { passwords.hash("c".to_owned()).await }
    });
    finish.send(()).unwrap();
    working.await.unwrap().unwrap().unwrap();
    next.await.unwrap().unwrap();
}
