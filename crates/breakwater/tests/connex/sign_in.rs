//! Registering, signing in and out.

use std::time::Duration;

use breakwater::service::{Service, System};
use http::{Method, header};
use serde_json::json;

use crate::{
    ADMIN, PASSWORD,
    common::{App, Call, on_each_database},
    login, me, metric, registered, settings, signed_in,
};

on_each_database!(
    System::Connex,
    settings(),
    [
        a_registered_user_signs_in_and_reads_themself,
        a_taken_email_registers_like_a_free_one_and_changes_nothing,
        an_unknown_email_is_refused_like_a_wrong_password,
        refresh_tokens_rotate_and_end_when_they_come_twice,
        signing_out_ends_the_tokens_at_once,
        a_new_password_ends_all_sign_ins,
        tokens_of_one_instance_end_on_another,
        metrics_name_what_happened,
    ]
);

async fn a_registered_user_signs_in_and_reads_themself(app: &App) {
    let token = registered(app, "Ada@Example.com").await;
    let user = me(app, &token).await;
    assert_eq!((&user["email"], &user["name"]), (&json!("ada@example.com"), &json!("Ada Lovelace")));
    assert_eq!((&user["role"], &user["version"]), (&json!("user"), &json!(1)));
    assert!(user["created_at"].as_str().unwrap().ends_with('Z'), "{user}");
    assert!(user.get("password_hash").is_none());
    signed_in(app, "ADA@example.COM").await;
}

async fn a_taken_email_registers_like_a_free_one_and_changes_nothing(app: &App) {
    let register = async |email: &str, password: &str| {
        let body = json!({"email": email, "name": "Mallory", "password": password});
        let hashes = metric(app, "auth_password_hashes_total{operation=\"store\"}").await;
        let answer = app.post("/api/v1/auth/register", body).send().await.expect(202);
        let spent = metric(app, "auth_password_hashes_total{operation=\"store\"}").await - hashes;
        (answer.text(), spent)
    };
    let token = registered(app, "ada@example.com").await;
    let taken = register("ada@example.com", "another password").await;
    let free = register("bob@example.com", "another password").await;
    assert_eq!(taken, free);
    assert_eq!(me(app, &token).await["name"], "Ada Lovelace");
    login(app, "ada@example.com", "another password").await.problem(401);
    assert_eq!(metric(app, "connex_registrations_total").await, 2.0);
}

/// Counts the hashes rather than the time: the same work takes the same time.
async fn an_unknown_email_is_refused_like_a_wrong_password(app: &App) {
    registered(app, "ada@example.com").await;
    let refused = async |email: &str| {
        let hashes = metric(app, "auth_password_hashes_total{operation=\"check\"}").await;
        let queries = metric(app, "connex_database_seconds_count{operation=\"read\"}").await;
        let problem = login(app, email, "not the password").await.problem(401);
        let spent = (
            metric(app, "auth_password_hashes_total{operation=\"check\"}").await - hashes,
            metric(app, "connex_database_seconds_count{operation=\"read\"}").await - queries,
        );
        (problem, spent)
    };
    let known = refused("ada@example.com").await;
    assert_eq!(known, refused("nobody@example.com").await);
    assert_eq!(known.1, (1.0, 1.0));
}

async fn refresh_tokens_rotate_and_end_when_they_come_twice(app: &App) {
    registered(app, "ada@example.com").await;
    let first = login(app, "ada@example.com", PASSWORD).await.expect(200).json();
    assert_eq!((&first["token_type"], &first["expires_in"]), (&json!("Bearer"), &json!(900)));
    let refresh =
        async |token: &str| app.post("/api/v1/auth/refresh", json!({"refresh_token": token})).send().await;
    let second = refresh(first["refresh_token"].as_str().unwrap()).await.expect(200).json();
    me(app, second["access_token"].as_str().unwrap()).await;
    refresh(first["refresh_token"].as_str().unwrap()).await.problem(401);
    refresh(second["refresh_token"].as_str().unwrap()).await.problem(401);
    for tokens in [&first, &second] {
        let token = tokens["access_token"].as_str().unwrap();
        app.get("/api/v1/users/me").bearer(token).send().await.problem(401);
    }
    assert_eq!(metric(app, "auth_refresh_reuses_total{realm=\"connex\"}").await, 1.0);
}

async fn signing_out_ends_the_tokens_at_once(app: &App) {
    let other = registered(app, "ada@example.com").await;
    let tokens = login(app, "ada@example.com", PASSWORD).await.expect(200).json();
    let token = tokens["access_token"].as_str().unwrap();
    me(app, token).await;
    app.call(Method::POST, "/api/v1/auth/logout").bearer(token).send().await.expect(204);
    app.get("/api/v1/users/me").bearer(token).send().await.problem(401);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    app.post("/api/v1/auth/refresh", refresh).send().await.problem(401);
    me(app, &other).await;
}

async fn a_new_password_ends_all_sign_ins(app: &App) {
    let [phone, laptop] = [registered(app, "ada@example.com").await, signed_in(app, "ada@example.com").await];
    let change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        app.put("/api/v1/users/me/password", body).bearer(&laptop)
    };
    change("not the password", "a new password").send().await.problem(403);
    let tokens = change(PASSWORD, "a new password").send().await.expect(200).json();
    for token in [&phone, &laptop] {
        app.get("/api/v1/users/me").bearer(token).send().await.problem(401);
    }
    me(app, tokens["access_token"].as_str().unwrap()).await;
    login(app, "ada@example.com", PASSWORD).await.problem(401);
    login(app, "ada@example.com", "a new password").await.expect(200);
}

async fn tokens_of_one_instance_end_on_another(app: &App) {
    if app.settings.storage.database.contains(":memory:") {
        return; // Two instances cannot share it.
    }
    let other = Service::start(System::Connex, app.settings.clone()).await.unwrap();
    let token = registered(app, "ada@example.com").await;
    let ask = || Call::new(other.address(), Method::GET, "/api/v1/users/me").bearer(&token).send();
    ask().await.expect(200);
    app.call(Method::POST, "/api/v1/auth/logout").bearer(&token).send().await.expect(204);
    let learned = async {
        while ask().await.status == 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), learned).await.expect("the other instance learns of it");
    ask().await.problem(401);
    other.stop().await;
}

async fn metrics_name_what_happened(app: &App) {
    let token = registered(app, "ada@example.com").await;
    login(app, "ada@example.com", "not the password").await.problem(401);
    me(app, &token).await;
    me(app, &token).await;
    for (series, value) in [
        ("connex_registrations_total", 1.0),
        ("connex_logins_total{outcome=\"ok\"}", 1.0),
        ("connex_logins_total{outcome=\"refused\"}", 1.0),
        ("auth_active_users{realm=\"connex\"}", 1.0),
        ("connex_authentication_seconds_count{operation=\"register\"}", 1.0),
        ("connex_authentication_seconds_count{operation=\"login\"}", 2.0),
        ("connex_user_operation_seconds_count{operation=\"read\"}", 2.0),
        ("cache_requests_total{layer=\"connex-user\",outcome=\"miss\"}", 1.0),
        ("cache_requests_total{layer=\"connex-user\",outcome=\"hit\"}", 1.0),
        ("auth_password_seconds_count", 4.0),
    ] {
        assert_eq!(metric(app, series).await, value, "{series}");
    }
}

#[tokio::test]
async fn tries_to_sign_in_are_limited_by_account_and_by_address() {
    let mut settings = settings();
    settings.connex.connex_sign_ins_per_account = 3;
    settings.connex.connex_sign_ins_per_address = 8;
    let app = App::on_sqlite(System::Connex, settings).await;
    registered(&app, "ada@example.com").await;
    for _ in 0..2 {
        login(&app, "ada@example.com", "not the password").await.problem(401);
    }
    // The right password is refused too: or guessing would go on, with the limit telling when it hit.
    let limited = login(&app, "ADA@example.com", PASSWORD).await.expect(429);
    let wait: u64 = limited.header(header::RETRY_AFTER).parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    limited.problem(429);
    for n in 0..3 {
        login(&app, &format!("nobody{n}@example.com"), PASSWORD).await.problem(401);
    }
    login(&app, "somebody@example.com", PASSWORD).await.problem(429);
    let body = json!({"email": "bob@example.com", "name": "Bob", "password": PASSWORD});
    app.post("/api/v1/auth/register", body).send().await.problem(429);
    assert_eq!(metric(&app, "connex_logins_total{outcome=\"limited\"}").await, 1.0);
    app.end().await;
}

#[tokio::test]
async fn a_hash_of_another_cost_is_renewed_at_the_next_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.server.listen = ([127, 0, 0, 1], 0).into();
    settings.storage.database = format!("sqlite:{}", folder.path().join("connex.db").display());
    let cheap = Service::start(System::Connex, settings.clone()).await.unwrap();
    cheap.stop().await;
    settings.auth.password_memory_kib = 16;
    let service = Service::start(System::Connex, settings).await.unwrap();
    let stored = async || {
        let (hash,): (String,) = sqlx::query_as("SELECT password_hash FROM connex_users")
            .fetch_one(&service.kit().db.read)
            .await
            .unwrap();
        hash
    };
    assert!(stored().await.contains("$m=8,t=1,p=1$"));
    let sign_in = || {
        let call = Call::new(service.address(), Method::POST, "/api/v1/auth/login");
        call.json(json!({"email": ADMIN, "password": PASSWORD})).send()
    };
    sign_in().await.expect(200);
    // Nobody waits for it but the end of the service.
    let renewed = async {
        while !stored().await.contains("$m=16,t=1,p=1$") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed).await.expect("the hash is renewed");
    sign_in().await.expect(200);
    service.stop().await;
}

#[tokio::test]
async fn seeded_users_sign_in() {
    let mut settings = settings();
    settings.connex.connex_seed = 30;
    let app = App::on_sqlite(System::Connex, settings).await;
    let tokens = login(&app, "user30@example.com", "breakwater-demo").await.expect(200).json();
    let user = me(&app, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(user["role"], "user");
    app.end().await;
}
