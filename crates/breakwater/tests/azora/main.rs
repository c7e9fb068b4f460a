//! The API of Azora, on each database.

#[path = "../common/mod.rs"]
mod common;

use std::io::Read;

use breakwater::{
    azora::AzoraSettings,
    kit::{auth::AuthSettings, config::Secret, config::Settings},
    service::System,
};
use common::{Answer, App, Call, on_each_database};
use http::{Method, header};
use serde_json::{Value, json};

const ADMIN: (&str, &str) = ("admin@azora.example", "the admin's own password");
const LEARNER_PASSWORD: &str = "azora-learner-password";
const NO_ID: &str = "00000000-0000-4000-8000-000000000000";

/// 40 learners and 50 courses, an admin, and hashes that cost next to nothing.
fn settings() -> Settings {
    let azora_admin = Some(Secret::from(format!("{}:{}", ADMIN.0, ADMIN.1).as_str()));
    Settings {
        azora: AzoraSettings { azora_seed: 40, azora_admin, ..AzoraSettings::default() },
        auth: AuthSettings { password_memory_kib: 8, password_passes: 1, ..AuthSettings::default() },
        ..Settings::default()
    }
}

#[cfg(feature = "servers")]
mod instances;

on_each_database!(
    System::Azora,
    settings(),
    [
        signing_in_gives_tokens_to_who_knows_the_password,
        tokens_are_renewed_once_and_end_with_the_sign_in,
        tries_at_one_account_are_limited,
        a_profile_is_its_owners,
        a_profile_is_kept_and_a_change_is_seen_at_once,
        courses_are_listed_page_by_page,
        courses_are_found_by_words_category_and_level,
        admins_alone_change_courses,
        a_change_of_a_course_is_seen_at_once,
        lists_are_compressed_for_who_wants_that,
        the_figures_of_the_caches_are_told,
        bad_input_is_answered_with_a_problem,
        the_same_seed_again_adds_nothing,
    ]
);

async fn login(app: &App, email: &str, password: &str) -> Answer {
    app.post("/api/v1/auth/login", json!({ "email": email, "password": password })).send().await
}

async fn token(app: &App, email: &str, password: &str) -> String {
    let tokens = login(app, email, password).await.expect(200).json();
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn learner(app: &App, number: u32) -> String {
    token(app, &format!("learner-{number}@azora.example"), LEARNER_PASSWORD).await
}

async fn admin(app: &App) -> String {
    token(app, ADMIN.0, ADMIN.1).await
}

async fn get(app: &App, path: &str) -> Value {
    app.get(path).send().await.expect(200).json()
}

fn course(title: &str) -> Value {
    json!({
        "title": title, "summary": "About it.", "description": "At length.", "category": "test-courses",
        "level": "advanced", "hours": 12,
    })
}

/// Hits, misses of a layer: 0 session, 1 data, 2 response.
async fn figures(app: &App, layer: usize) -> (u64, u64) {
    let stats = get(app, "/api/v1/cache/stats").await;
    let layer = &stats["layers"][layer];
    (layer["hits"].as_u64().unwrap(), layer["misses"].as_u64().unwrap())
}

async fn signing_in_gives_tokens_to_who_knows_the_password(app: &App) {
    let tokens = login(app, "Learner-1@AZORA.example", LEARNER_PASSWORD).await.expect(200).json();
    assert_eq!(tokens["token_type"], "Bearer");
    login(app, "learner-1@azora", LEARNER_PASSWORD).await.problem(422);
    let wrong = login(app, "learner-1@azora.example", "wrong").await.problem(401);
    let unknown = login(app, "nobody@azora.example", "wrong").await.problem(401);
    assert_eq!(wrong["detail"], unknown["detail"], "who exists is not told");
}

async fn tokens_are_renewed_once_and_end_with_the_sign_in(app: &App) {
    let first = login(app, "learner-1@azora.example", LEARNER_PASSWORD).await.expect(200).json();
    let refresh = |tokens: &Value| {
        app.post("/api/v1/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] })).send()
    };
    let second = refresh(&first).await.expect(200).json();
    let access = second["access_token"].as_str().unwrap();
    app.get("/api/v1/profile").bearer(access).send().await.expect(200);
    app.call(Method::POST, "/api/v1/auth/logout").bearer(access).send().await.expect(204);
    app.get("/api/v1/profile").bearer(access).send().await.problem(401);
    refresh(&second).await.problem(401);
}

async fn tries_at_one_account_are_limited(app: &App) {
    for _ in 0..20 {
        login(app, "learner-2@azora.example", "guess").await.problem(401);
    }
    let refused = login(app, "Learner-2@azora.example", LEARNER_PASSWORD).await;
    assert!(!refused.header(header::RETRY_AFTER).is_empty());
    refused.problem(429);
    login(app, "learner-3@azora.example", LEARNER_PASSWORD).await.expect(200);
}

async fn a_profile_is_its_owners(app: &App) {
    let (one, other) = (learner(app, 4).await, learner(app, 5).await);
    let profile =
        async |token: &str| app.get("/api/v1/profile").bearer(token).send().await.expect(200).json();
    for _ in 0..2 {
        assert_eq!(profile(&one).await["email"], "learner-4@azora.example");
        assert_eq!(profile(&other).await["email"], "learner-5@azora.example");
    }
    let change = json!({ "name": "Mallory", "language": "en" });
    app.put("/api/v1/profile", change.clone()).send().await.problem(401);
    app.put("/api/v1/profile", change).bearer(&one).send().await.expect(200);
    assert_ne!(profile(&other).await["name"], "Mallory");
    app.get("/api/v1/profile").send().await.problem(401);
    app.get("/api/v1/profile").bearer("a.b.c").send().await.problem(401);
}

async fn a_profile_is_kept_and_a_change_is_seen_at_once(app: &App) {
    let token = learner(app, 6).await;
    let profile = async || app.get("/api/v1/profile").bearer(&token).send().await.expect(200).json();
    let before = profile().await;
    assert_eq!(profile().await, before);
    assert_eq!(figures(app, 0).await, (1, 1));
    let change = json!({ "name": " Ada Lovelace ", "bio": "Engines.", "language": "en-GB" });
    let changed = app.put("/api/v1/profile", change).bearer(&token).send().await.expect(200).json();
    assert_eq!(changed["name"], "Ada Lovelace");
    assert_eq!(profile().await, changed);
    assert_eq!((&changed["id"], &changed["role"]), (&before["id"], &json!("user")));
    assert_eq!(figures(app, 0).await, (1, 2));
}

async fn courses_are_listed_page_by_page(app: &App) {
    let mut seen = std::collections::BTreeSet::new();
    for page in 1..=3 {
        let list = get(app, &format!("/api/v1/courses?page={page}&page_size=20")).await;
        assert_eq!((&list["total"], &list["page"]), (&json!(50), &json!(page)));
        for course in list["courses"].as_array().unwrap() {
            assert!(course.get("description").is_none(), "lists are short");
            assert!(seen.insert(course["id"].to_string()), "no course twice");
        }
    }
    assert_eq!(seen.len(), 50);
    assert_eq!(get(app, "/api/v1/courses?page=4").await["courses"], json!([]));
}

async fn courses_are_found_by_words_category_and_level(app: &App) {
    let token = admin(app).await;
    for title in ["100% Rust_y Nails", "Wholly Rusty Nails"] {
        app.post("/api/v1/courses", course(title)).bearer(&token).send().await.expect(201);
    }
    for (query, found) in [
        ("search=NAILS", 2),
        ("search=nails+wholly", 1),
        ("search=100%25", 1),
        ("search=t_y", 1),
        ("search=%25", 1),
        ("search=nails'%20OR%201=1", 0),
        ("category=test-courses", 2),
        ("category=test-courses&level=beginner", 0),
        ("category=none", 0),
    ] {
        assert_eq!(get(app, &format!("/api/v1/courses?{query}")).await["total"], found, "{query}");
    }
    let levels =
        async |level: &str| get(app, &format!("/api/v1/courses?level={level}")).await["total"].clone();
    let mut sum = 0;
    for level in ["beginner", "intermediate", "advanced"] {
        sum += levels(level).await.as_i64().unwrap();
    }
    assert_eq!(sum, 52);
}

async fn admins_alone_change_courses(app: &App) {
    let (learner, admin) = (learner(app, 7).await, admin(app).await);
    let created = app.post("/api/v1/courses", course("One")).bearer(&admin).send().await.expect(201);
    let path = format!("/api/v1/{}", created.header(header::LOCATION));
    let calls = |id: &str| -> [Call; 3] {
        let path = path.replace(path.rsplit('/').next().unwrap(), id);
        [app.post("/api/v1/courses", course("Two")), app.put(&path, course("Two")), app.delete(&path)]
    };
    let id = created.json()["id"].as_str().unwrap().to_owned();
    for call in calls(&id) {
        call.send().await.problem(401);
    }
    for call in calls(&id) {
        call.bearer(&learner).send().await.problem(403);
    }
    let [_, replace, delete] = calls(NO_ID);
    replace.bearer(&admin).send().await.problem(404);
    delete.bearer(&admin).send().await.problem(404);
    assert_eq!(get(app, &path).await, created.json());
}

async fn a_change_of_a_course_is_seen_at_once(app: &App) {
    let token = admin(app).await;
    let list = "/api/v1/courses?category=test-courses";
    assert_eq!(get(app, list).await["total"], 0);
    let created =
        app.post("/api/v1/courses", course("Before")).bearer(&token).send().await.expect(201).json();
    let path = format!("/api/v1/courses/{}", created["id"].as_str().unwrap());
    let gzip = async || {
        let answer = app.get(list).header(header::ACCEPT_ENCODING, "gzip").send().await.expect(200);
        answer.json()
    };
    assert_eq!(get(app, list).await["courses"][0]["title"], "Before");
    assert_eq!(gzip().await["courses"][0]["title"], "Before");
    assert_eq!(get(app, &path).await, created);
    let changed = app.put(&path, course("After")).bearer(&token).send().await.expect(200).json();
    assert_eq!(get(app, &path).await, changed);
    assert_eq!(get(app, list).await["courses"][0]["title"], "After");
    assert_eq!(gzip().await["courses"][0]["title"], "After");
    app.delete(&path).bearer(&token).send().await.expect(204);
    app.get(&path).send().await.problem(404);
    assert_eq!(get(app, list).await["total"], 0);
    app.delete(&path).bearer(&token).send().await.problem(404);
}

async fn lists_are_compressed_for_who_wants_that(app: &App) {
    let ask = async |path: &str, headers: &[(&'static str, &str)]| {
        let mut call = app.get(path);
        for (name, value) in headers {
            call = call.header(*name, value);
        }
        call.send().await.expect(200)
    };
    let long = "/api/v1/courses?page_size=50";
    let plain = ask(long, &[]).await;
    assert_eq!((plain.header(header::CONTENT_ENCODING), plain.header(header::VARY)), ("", "accept-encoding"));
    for _ in 0..2 {
        let small = ask(long, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(
            (small.header(header::CONTENT_ENCODING), small.header(header::VARY)),
            ("gzip", "accept-encoding")
        );
        assert!(small.body.len() * 3 < plain.body.len(), "{} of {}", small.body.len(), plain.body.len());
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&small.body[..]).read_to_end(&mut text).unwrap();
        assert_eq!(text, plain.body);
    }
    let opted_out = ask(long, &[("accept-encoding", "gzip"), ("x-no-compression", "1")]).await;
    assert_eq!((opted_out.header(header::CONTENT_ENCODING), &opted_out.body), ("", &plain.body));
    let short = ask("/api/v1/courses?page_size=1", &[("accept-encoding", "gzip")]).await;
    assert!(short.body.len() < 1024 && short.header(header::CONTENT_ENCODING).is_empty());
}

async fn the_figures_of_the_caches_are_told(app: &App) {
    for _ in 0..4 {
        get(app, "/api/v1/courses?search=rust&page=1").await;
    }
    get(app, "/api/v1/courses?search=RUST").await;
    assert_eq!(figures(app, 2).await, (4, 1), "the same page however it is asked for");
    for _ in 0..2 {
        app.get(&format!("/api/v1/courses/{NO_ID}")).send().await.problem(404);
    }
    assert_eq!(figures(app, 1).await, (1, 1), "what is not there is kept as well");
    let stats = get(app, "/api/v1/cache/stats").await;
    assert_eq!(stats["layers"][2]["hit_rate"], 0.8);
    assert_eq!(stats["layers"][0]["ttl_s"], 3600.0);
    assert_eq!(stats["hit_rate"], 5.0 / 7.0);
}

async fn bad_input_is_answered_with_a_problem(app: &App) {
    let token = admin(app).await;
    let long = "x".repeat(20_001);
    let deep = "[".repeat(50_000);
    let huge = format!("{{\"email\":\"{}\"}}", "x".repeat(300 << 10));
    let with = |field: &str, value: Value| {
        let mut course = course("Bad");
        course[field] = value;
        course.to_string()
    };
    let without = |field: &str| {
        let mut course = course("Bad");
        course.as_object_mut().unwrap().remove(field);
        course.to_string()
    };
    let courses = "/api/v1/courses";
    let bodies: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        (courses, with("title", json!("")).into(), 422, "title"),
        (courses, with("title", json!("x".repeat(201))).into(), 422, "title"),
        (courses, with("title", json!("two\nlines")).into(), 422, "title"),
        (courses, with("title", json!(7)).into(), 422, "title"),
        (courses, with("summary", json!("x".repeat(501))).into(), 422, "summary"),
        (courses, with("description", json!(long)).into(), 422, "description"),
        (courses, with("description", json!("a\0b")).into(), 422, "description"),
        (courses, with("category", json!("No Spaces")).into(), 422, "category"),
        (courses, with("level", json!("expert")).into(), 422, "level"),
        (courses, with("hours", json!(0)).into(), 422, "hours"),
        (courses, with("hours", json!(-1)).into(), 422, "hours"),
        (courses, with("hours", json!(1e300)).into(), 422, "hours"),
        (courses, with("price", json!(1)).into(), 422, "price"),
        (courses, without("level").into(), 422, "level"),
        (courses, b"{\"title\": ".to_vec(), 400, ""),
        (courses, b"{\"title\": \"\xff\"}".to_vec(), 400, ""),
        (courses, deep.into(), 422, "expected a string"),
        (courses, huge.into(), 413, ""),
        ("/api/v1/auth/login", b"{}".to_vec(), 422, "email"),
        ("/api/v1/auth/login", br#"{"email":"x","password":"y"}"#.to_vec(), 422, "email"),
        (
            "/api/v1/auth/login",
            json!({ "email": "a@b.cd", "password": "x".repeat(129) }).to_string().into(),
            422,
            "password",
        ),
        ("/api/v1/auth/refresh", br#"{"refresh_token":"?"}"#.to_vec(), 401, ""),
    ];
    for (path, body, status, field) in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let call = app.call(Method::POST, path).bearer(&token).header("content-type", "application/json");
        let answer = call.body(body).send().await;
        assert_eq!(answer.status, status, "{path} {shown}: {}", answer.text());
        let problem = answer.problem(status);
        assert!(problem["detail"].as_str().unwrap().contains(field), "{shown}: {problem}");
    }
    let profile = json!({ "name": "A", "language": "english!" });
    app.put("/api/v1/profile", profile).bearer(&token).send().await.problem(422);
    let text = app.call(Method::POST, courses).bearer(&token).header("content-type", "text/plain");
    text.body("x").send().await.problem(415);
    for (method, path, status) in [
        (Method::GET, "/api/v1/courses?page=x", 400),
        (Method::GET, "/api/v1/courses?page=0", 422),
        (Method::GET, "/api/v1/courses?page=99999999999999999999", 400),
        (Method::GET, "/api/v1/courses?page_size=1000", 422),
        (Method::GET, "/api/v1/courses?search=%FF", 422),
        (Method::GET, "/api/v1/courses?order=price", 400),
        (Method::GET, "/api/v1/courses/1", 404),
        (Method::GET, "/api/v1/courses/..%2F..%2Fetc", 404),
        (Method::PATCH, "/api/v1/courses", 405),
        (Method::GET, "/api/v1/auth/login", 405),
        (Method::GET, "/api/v2/courses", 404),
    ] {
        let answer = app.call(method.clone(), path).send().await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        answer.problem(status);
    }
}

async fn the_same_seed_again_adds_nothing(app: &App) {
    let second = breakwater::service::Service::start(System::Azora, app.settings.clone());
    // In memory each service has a database of its own; in PostgreSQL they share it.
    let second = second.await.unwrap();
    let list = Call::new(second.address(), Method::GET, "/api/v1/courses").send().await.expect(200).json();
    assert_eq!(list["total"], 50);
    second.stop().await;
}

/// One read has a place, and waits for the only connection: the next is refused at once, and both are served afterwards.
#[tokio::test]
async fn who_finds_the_database_busy_is_sent_away_at_once() {
    let mut settings = settings();
    settings.azora.azora_reserve = settings.storage.pool_size;
    settings.azora.azora_clients = 1;
    let app = App::on_sqlite(System::Azora, settings).await;
    let busy = app.service.kit().db.write.acquire().await.unwrap();
    let waiting = tokio::spawn(app.get("/api/v1/courses").send());
    while !app.service.kit().metrics.text().contains("breakwater_azora_reads_in_progress 1") {
        tokio::task::yield_now().await;
    }
    let refused = app.get(&format!("/api/v1/courses/{NO_ID}")).send().await;
    assert!(!refused.header(header::RETRY_AFTER).is_empty());
    refused.problem(503);
    assert!(app.service.kit().metrics.text().contains("breakwater_azora_reads_refused_total 1"));
    drop(busy);
    waiting.await.unwrap().expect(200);
    app.get(&format!("/api/v1/courses/{NO_ID}")).send().await.problem(404);
    app.end().await;
}
