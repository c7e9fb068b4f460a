//! Users: list, create, read, change, delete.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::header;
use serde_json::{Value, json};

use breakwater::service::System;

use crate::{
    ADMIN, PASSWORD,
    common::{App, on_each_database},
    login, me, metric, path_of, registered, settings, signed_in,
};

on_each_database!(
    System::Connex,
    settings(),
    [
        admins_add_users_and_others_do_not,
        users_reach_what_is_theirs_alone,
        a_read_user_need_not_be_sent_again,
        a_change_names_its_version,
        of_fifty_editors_nothing_is_lost,
        a_deleted_user_is_gone_with_their_tokens,
        signing_in_while_being_deleted_gives_no_good_tokens,
        another_role_ends_sign_ins,
        an_email_belongs_to_one,
        pages_follow_each_other_in_every_order,
        searches_find_parts_in_any_case,
    ]
);

/// A user whom an admin adds.
async fn added(app: &App, admin: &str, email: &str, name: &str) -> Value {
    let body = json!({"email": email, "name": name, "password": PASSWORD});
    app.post("/api/v1/users", body).bearer(admin).send().await.expect(201).json()
}

async fn admins_add_users_and_others_do_not(app: &App) {
    let (admin, user) = (signed_in(app, ADMIN).await, registered(app, "ada@example.com").await);
    let body = json!({"email": "bob@example.com", "name": "Bob", "password": PASSWORD, "role": "admin"});
    let add = |token: &str| app.post("/api/v1/users", body.clone()).bearer(token);
    add(&user).send().await.problem(403);
    app.get("/api/v1/users").bearer(&user).send().await.problem(403);
    let answer = add(&admin).send().await.expect(201);
    let bob = answer.json();
    assert_eq!(format!("/api/v1/{}", answer.header(header::LOCATION)), path_of(&bob));
    assert_eq!(answer.header(header::ETAG), "\"1\"");
    assert_eq!((&bob["role"], &bob["version"]), (&json!("admin"), &json!(1)));
    let problem = add(&admin).send().await.problem(409);
    assert!(problem["detail"].as_str().unwrap().starts_with("email:"), "{problem}");
    let read = app.get(&path_of(&bob)).bearer(&admin).send().await.expect(200);
    assert_eq!(read.json(), bob);
    signed_in(app, "bob@example.com").await;
}

async fn users_reach_what_is_theirs_alone(app: &App) {
    let (ada, bob) = (registered(app, "ada@example.com").await, registered(app, "bob@example.com").await);
    let (ada_user, nobody) =
        (path_of(&me(app, &ada).await), "/api/v1/users/0190a2b4-0000-7000-8000-000000000000");
    app.get(&ada_user).bearer(&ada).send().await.expect(200);
    // The same whether there is one or not.
    for path in [ada_user.as_str(), nobody] {
        app.get(path).bearer(&bob).send().await.problem(403);
        app.patch(path, json!({"name": "B", "version": 1})).bearer(&bob).send().await.problem(403);
        app.delete(path).bearer(&bob).send().await.problem(403);
    }
    let admin = signed_in(app, ADMIN).await;
    app.get(nobody).bearer(&admin).send().await.problem(404);
    app.patch(nobody, json!({"name": "B", "version": 1})).bearer(&admin).send().await.problem(404);
    app.delete(nobody).bearer(&admin).send().await.problem(404);
    app.get("/api/v1/users/not-an-id").bearer(&admin).send().await.problem(404);
    for change in [json!({"email": "a@b.de", "version": 1}), json!({"role": "admin", "version": 1})] {
        app.patch(&ada_user, change).bearer(&ada).send().await.problem(403);
    }
}

async fn a_read_user_need_not_be_sent_again(app: &App) {
    let token = registered(app, "ada@example.com").await;
    let path = path_of(&me(app, &token).await);
    let read = |tag: &str| app.get(&path).bearer(&token).header(header::IF_NONE_MATCH, tag);
    let answer = read("\"0\"").send().await.expect(200);
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/json");
    assert_eq!(answer.header(header::CACHE_CONTROL), "private, no-cache");
    let tag = answer.header(header::ETAG);
    let same = read(tag).send().await.expect(304);
    assert!(same.body.is_empty() && same.header(header::ETAG) == tag);
    app.patch(&path, json!({"name": "Ada", "version": 1})).bearer(&token).send().await.expect(200);
    let changed = read(tag).send().await.expect(200);
    assert_eq!((changed.header(header::ETAG), &changed.json()["name"]), ("\"2\"", &json!("Ada")));
}

async fn a_change_names_its_version(app: &App) {
    let token = registered(app, "ada@example.com").await;
    let user = me(app, &token).await;
    let path = path_of(&user);
    let patch = |body: Value| app.patch(&path, body).bearer(&token);
    patch(json!({"name": "A"})).send().await.problem(428);
    patch(json!({"name": "A"})).header(header::IF_MATCH, "*").send().await.problem(428);
    let answer = patch(json!({"name": "A"})).header(header::IF_MATCH, "\"1\"").send().await.expect(200);
    assert_eq!(answer.header(header::ETAG), "\"2\"");
    patch(json!({"name": "B"})).header(header::IF_MATCH, "\"1\"").send().await.problem(412);
    patch(json!({"name": "B"})).header(header::IF_MATCH, "W/\"2\"").send().await.problem(412);
    patch(json!({"name": "B", "version": 1})).send().await.problem(409);
    let changed = patch(json!({"name": "B", "version": 2})).send().await.expect(200).json();
    assert_eq!((&changed["name"], &changed["version"]), (&json!("B"), &json!(3)));
    assert_eq!(me(app, &token).await, changed);
    let put = json!({"email": user["email"], "name": "C", "version": 3});
    let replaced = app.put(&path, put).bearer(&token).send().await.expect(200).json();
    assert_eq!((&replaced["name"], &replaced["email"]), (&json!("C"), &user["email"]));
    assert_eq!(metric(app, "connex_version_conflicts_total").await, 3.0);
}

/// Each editor appends its letter to the name, reading and trying again when another came first.
async fn of_fifty_editors_nothing_is_lost(app: &App) {
    let token = registered(app, "ada@example.com").await;
    let path = path_of(&me(app, &token).await);
    let letters: Vec<char> = ('A'..='Z').chain('a'..='x').collect();
    assert_eq!(letters.len(), 50);
    let begin = json!({"name": "-", "version": 1});
    app.patch(&path, begin).bearer(&token).send().await.expect(200);
    join_all(letters.iter().map(async |letter| {
        loop {
            let user = app.get(&path).bearer(&token).send().await.expect(200).json();
            let name = format!("{}{letter}", user["name"].as_str().unwrap());
            let change = json!({"name": name, "version": user["version"]});
            let answer = app.patch(&path, change).bearer(&token).send().await;
            if answer.status == 200 {
                break;
            }
            answer.problem(409);
        }
    }))
    .await;
    let user = me(app, &token).await;
    let name: BTreeSet<char> = user["name"].as_str().unwrap().chars().skip(1).collect();
    assert_eq!(name, letters.into_iter().collect());
    assert_eq!(user["version"], 52);
}

async fn a_deleted_user_is_gone_with_their_tokens(app: &App) {
    let (token, admin) = (registered(app, "ada@example.com").await, signed_in(app, ADMIN).await);
    let path = path_of(&me(app, &token).await);
    let delete = |tag: &str| app.delete(&path).bearer(&token).header(header::IF_MATCH, tag);
    delete("\"7\"").send().await.problem(412);
    delete("\"1\"").send().await.expect(204);
    app.get("/api/v1/users/me").bearer(&token).send().await.problem(401);
    app.get(&path).bearer(&admin).send().await.problem(404);
    app.delete(&path).bearer(&admin).send().await.problem(404);
    login(app, "ada@example.com", PASSWORD).await.problem(401);
    let again = registered(app, "ada@example.com").await;
    assert_ne!(path_of(&me(app, &again).await), path);
}

async fn signing_in_while_being_deleted_gives_no_good_tokens(app: &App) {
    let token = registered(app, "ada@example.com").await;
    let path = path_of(&me(app, &token).await);
    let delete = async {
        login(app, "ada@example.com", PASSWORD).await.expect(200);
        app.delete(&path).bearer(&token).send().await.expect(204);
    };
    let logins = join_all((0..30).map(|_| login(app, "ada@example.com", PASSWORD)));
    let (logins, ()) = tokio::join!(logins, delete);
    for tokens in logins.iter().filter(|answer| answer.status == 200).map(|answer| answer.json()) {
        let token = tokens["access_token"].as_str().unwrap();
        app.get("/api/v1/users/me").bearer(token).send().await.problem(401);
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        app.post("/api/v1/auth/refresh", refresh).send().await.problem(401);
    }
}

async fn another_role_ends_sign_ins(app: &App) {
    let (token, admin) = (registered(app, "ada@example.com").await, signed_in(app, ADMIN).await);
    let path = path_of(&me(app, &token).await);
    let change = json!({"role": "admin", "version": 1});
    app.patch(&path, change).bearer(&admin).send().await.expect(200);
    app.get("/api/v1/users/me").bearer(&token).send().await.problem(401);
    let promoted = signed_in(app, "ada@example.com").await;
    app.get("/api/v1/users").bearer(&promoted).send().await.expect(200);
}

async fn an_email_belongs_to_one(app: &App) {
    let admin = signed_in(app, ADMIN).await;
    let ada = added(app, &admin, "ada@example.com", "Ada").await;
    added(app, &admin, "bob@example.com", "Bob").await;
    let change =
        |email: &str| app.patch(&path_of(&ada), json!({"email": email, "version": 1})).bearer(&admin);
    change("BOB@example.com").send().await.problem(409);
    change("lovelace@example.com").send().await.expect(200);
    login(app, "ada@example.com", PASSWORD).await.problem(401);
    signed_in(app, "lovelace@example.com").await;
}

/// All pages, with `size` users each.
async fn all_pages(app: &App, admin: &str, query: &str, size: usize) -> Vec<String> {
    let (mut emails, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/users?limit={size}{query}{after}");
        let page = app.get(&path).bearer(admin).send().await.expect(200).json();
        let users = page["users"].as_array().unwrap();
        assert!(users.len() <= size);
        emails.extend(users.iter().map(|user| user["email"].as_str().unwrap().to_owned()));
        match page.get("next") {
            Some(next) => after = format!("&after={}", next.as_str().unwrap()),
            None => return emails,
        }
    }
}

async fn pages_follow_each_other_in_every_order(app: &App) {
    let admin = signed_in(app, ADMIN).await;
    let mut by_age = vec![ADMIN.to_owned()];
    // Two of each name.
    for (email, name) in [("e", "xa"), ("d", "Xb"), ("c", "xc"), ("b", "Xa"), ("a", "xb"), ("f", "xc")] {
        let email = format!("{email}@example.com");
        added(app, &admin, &email, name).await;
        by_age.push(email);
    }
    let mut by_email = by_age.clone();
    by_email.sort();
    let named = ["admin", "e", "b", "d", "a", "c", "f"].map(|email| format!("{email}@example.com")).to_vec();
    for (sort, expected) in [("created", by_age), ("email", by_email), ("name", named)] {
        for size in [1, 2, 3, 100] {
            assert_eq!(
                all_pages(app, &admin, &format!("&sort={sort}"), size).await,
                expected,
                "{sort} {size}"
            );
            let mut down = all_pages(app, &admin, &format!("&sort=-{sort}"), size).await;
            down.reverse();
            assert_eq!(down, expected, "-{sort} {size}");
        }
    }
    let default = app.get("/api/v1/users").bearer(&admin).send().await.expect(200).json();
    assert_eq!(default["users"][0]["email"], ADMIN);
}

async fn searches_find_parts_in_any_case(app: &App) {
    let admin = signed_in(app, ADMIN).await;
    added(app, &admin, "ada@example.com", "Ada Lovelace").await;
    added(app, &admin, "bob@other.org", "Ärger 100%").await;
    for (search, found) in [
        ("LOVE", vec!["ada@example.com"]),
        ("other.org", vec!["bob@other.org"]),
        ("%C3%A4RG", vec!["bob@other.org"]),
        ("0%25", vec!["bob@other.org"]),
        ("%25", vec!["bob@other.org"]),
        ("_", vec![]),
        ("example", vec![ADMIN, "ada@example.com"]),
        ("'%20OR%201=1--", vec![]),
        ("", vec![ADMIN, "ada@example.com", "bob@other.org"]),
    ] {
        for size in [1, 100] {
            assert_eq!(all_pages(app, &admin, &format!("&search={search}"), size).await, found, "{search}");
        }
    }
}
