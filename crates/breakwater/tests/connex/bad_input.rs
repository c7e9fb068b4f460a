//! What no client should send gets a problem document and the right status.

use http::{Method, header};
use serde_json::json;

use breakwater::service::System;

use crate::{
    ADMIN, PASSWORD,
    common::{App, on_each_database},
    me, path_of, registered, settings, signed_in,
};

on_each_database!(
    System::Connex,
    settings(),
    [bad_bodies_are_problems, bad_requests_are_problems, bad_tokens_are_problems,]
);

async fn bad_bodies_are_problems(app: &App) {
    let long = "x".repeat(129);
    let fields = |email: &str, name: &str, password: &str| {
        json!({"email": email, "name": name, "password": password}).to_string()
    };
    let bodies: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("nothing", vec![], 400, ""),
        ("not JSON", b"{\"email\"".to_vec(), 400, ""),
        ("not UTF-8", b"{\"email\": \"\xff\xfe\"}".to_vec(), 400, ""),
        ("lone surrogate", br#"{"email": "\ud800", "name": "A", "password": "12345678"}"#.to_vec(), 400, ""),
        ("deep lists", "[".repeat(100_000).into_bytes(), 422, ""),
        ("deep in a field", format!("{{\"email\": {}", "[".repeat(10_000)).into_bytes(), 422, "email"),
        ("a list", b"[]".to_vec(), 422, ""),
        ("a missing field", br#"{"email": "a@b.de", "name": "A"}"#.to_vec(), 422, "password"),
        ("a wrong type", br#"{"email": 7, "name": "A", "password": "12345678"}"#.to_vec(), 422, "email"),
        ("null", br#"{"email": null, "name": "A", "password": "12345678"}"#.to_vec(), 422, "email"),
        (
            "an unknown field",
            br#"{"email": "a@b.de", "name": "A", "password": "12345678", "role": "admin"}"#.to_vec(),
            422,
            "role",
        ),
        (
            "a field twice",
            br#"{"email": "a@b.de", "email": "a@b.de", "name": "A", "password": "12345678"}"#.to_vec(),
            422,
            "email",
        ),
        ("no email", fields("ada", "Ada", PASSWORD).into_bytes(), 422, "email"),
        ("a NUL", fields("a@b.de", "A\0", PASSWORD).into_bytes(), 422, "name"),
        ("no name", fields("a@b.de", "  ", PASSWORD).into_bytes(), 422, "name"),
        ("a long name", fields("a@b.de", &long, PASSWORD).into_bytes(), 422, "name"),
        ("a short password", fields("a@b.de", "Ada", "1234567").into_bytes(), 422, "password"),
        ("a long password", fields("a@b.de", "Ada", &long).into_bytes(), 422, "password"),
        ("too much", vec![b' '; 300 << 10], 413, ""),
    ];
    for (what, body, status, field) in bodies {
        let call =
            app.call(Method::POST, "/api/v1/auth/register").header(header::CONTENT_TYPE, "application/json");
        let problem = call.body(body).send().await.problem(status);
        assert!(problem["detail"].as_str().unwrap().contains(field), "{what}: {problem}");
    }
    for kind in ["", "text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        let call = app.call(Method::POST, "/api/v1/auth/register").header(header::CONTENT_TYPE, kind);
        call.body(fields("a@b.de", "Ada", PASSWORD)).send().await.problem(415);
    }
    let login = |body| app.post("/api/v1/auth/login", body).send();
    login(json!({"email": "a@b.de", "password": long})).await.problem(422);
    login(json!({"email": "a@b.de", "password": ""})).await.problem(401);
    login(json!({"email": "a", "password": PASSWORD})).await.problem(422);
    let refresh = |body| app.post("/api/v1/auth/refresh", body).send();
    refresh(json!({"refresh_token": "x"})).await.problem(401);
    refresh(json!({"refresh_token": long.repeat(100)})).await.problem(401);
    refresh(json!({})).await.problem(422);
}

async fn bad_requests_are_problems(app: &App) {
    let admin = signed_in(app, ADMIN).await;
    let path = path_of(&me(app, &admin).await);
    for (query, status) in [
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=-1", 400),
        ("limit=ten", 400),
        ("limit=99999999999999999999", 400),
        ("limit=1&limit=2", 400),
        ("sort=password_hash", 400),
        ("page=2", 400),
        ("after=!!!", 422),
        ("after=", 422),
        ("after=AAAA", 422),
        ("search=%00", 422),
    ] {
        let answer = app.get(&format!("/api/v1/users?{query}")).bearer(&admin).send().await;
        assert_eq!(answer.status, status, "{query}");
        answer.problem(status);
    }
    let search = "x".repeat(101);
    app.get(&format!("/api/v1/users?search={search}")).bearer(&admin).send().await.problem(422);
    // A cursor belongs to its order.
    registered(app, "ada@example.com").await;
    let page = app.get("/api/v1/users?limit=1").bearer(&admin).send().await.expect(200).json();
    let other = format!("/api/v1/users?sort=name&after={}", page["next"].as_str().unwrap());
    app.get(&other).bearer(&admin).send().await.problem(422);
    for version in [json!(-1), json!(0), json!(i64::MAX)] {
        app.patch(&path, json!({"name": "A", "version": version})).bearer(&admin).send().await.problem(409);
    }
    for version in [json!("1"), json!(1.5), json!(1e30), json!(u64::MAX)] {
        app.patch(&path, json!({"name": "A", "version": version})).bearer(&admin).send().await.problem(422);
    }
    app.patch(&path, json!({"role": "root", "version": 1})).bearer(&admin).send().await.problem(422);
    let answer = app.call(Method::POST, &path).bearer(&admin).send().await;
    assert!(answer.header(header::ALLOW).contains("PATCH"), "{:?}", answer.headers);
    answer.problem(405);
    app.get("/api/v1/auth/login").send().await.problem(405);
    app.get("/api/v2/users").send().await.problem(404);
}

async fn bad_tokens_are_problems(app: &App) {
    let token = registered(app, "ada@example.com").await;
    let cut = &token[..token.len() - 5];
    let changed = format!("{}A{}", &token[..60], &token[61..]);
    let long = "x".repeat(5_000);
    for bad in ["", "x", "a.b.c", cut, &changed, &long, "\u{e4}"] {
        let answer = app.get("/api/v1/users/me").bearer(bad).send().await.expect(401);
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer");
        answer.problem(401);
    }
    for kind in ["Basic YTpi", "Bearer", &token] {
        let call = app.get("/api/v1/users/me").header(header::AUTHORIZATION, kind);
        call.send().await.problem(401);
    }
    app.get("/api/v1/users/me").send().await.problem(401);
    app.get("/api/v1/users/me")
        .header(header::AUTHORIZATION, &format!("bearer {token}"))
        .send()
        .await
        .expect(200);
}
