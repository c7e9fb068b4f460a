//! The API of Connex, on each database.

#[path = "connex/bad_input.rs"]
mod bad_input;
mod common;
#[path = "connex/endings.rs"]
mod endings;
#[path = "connex/sign_in.rs"]
mod sign_in;
#[path = "connex/users.rs"]
mod users;

use breakwater::kit::config::{Secret, Settings};
use common::App;
use serde_json::{Value, json};

const ADMIN: &str = "admin@example.com";
const PASSWORD: &str = "correct horse";

/// Hashes that cost next to nothing, an admin, and no limits of sign-ins.
fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.auth.jwt_secret = vec![Secret::from("a secret of tests, 32 bytes long or more")];
    settings.auth.password_memory_kib = 8;
    settings.auth.password_passes = 1;
    settings.auth.password_queue = 1_000;
    settings.auth.revocation_poll_ms = 20;
    settings.connex.connex_admin = vec![Secret::from(format!("{ADMIN}:{PASSWORD}").as_str())];
    settings.connex.connex_sign_ins_per_account = 0;
    settings.connex.connex_sign_ins_per_address = 0;
    settings.server.metrics_token = Some(Secret::from("metrics"));
    settings
}

/// Registers a user and signs them in: their access token.
async fn registered(app: &App, email: &str) -> String {
    let body = json!({"email": email, "name": "Ada Lovelace", "password": PASSWORD});
    app.post("/api/v1/auth/register", body).send().await.expect(202);
    signed_in(app, email).await
}

async fn signed_in(app: &App, email: &str) -> String {
    let tokens = login(app, email, PASSWORD).await.expect(200).json();
    tokens["access_token"].as_str().expect("a token").to_owned()
}

async fn login(app: &App, email: &str, password: &str) -> common::Answer {
    app.post("/api/v1/auth/login", json!({"email": email, "password": password})).send().await
}

async fn me(app: &App, token: &str) -> Value {
    app.get("/api/v1/users/me").bearer(token).send().await.expect(200).json()
}

fn path_of(user: &Value) -> String {
    format!("/api/v1/users/{}", user["id"].as_str().expect("an id"))
}

/// The value of a series, 0 when there is none.
async fn metric(app: &App, series: &str) -> f64 {
    let text = app.get("/metrics").bearer("metrics").send().await.expect(200).text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("breakwater_{series} ")));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}
