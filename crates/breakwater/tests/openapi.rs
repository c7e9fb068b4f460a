//! The OpenAPI documents are true: they define what they name, and schemathesis asks each system everything that its document allows, and much that it
//! does not, and holds the answers against it.
//!
//! `SCHEMATHESIS` names the program, `pip install schemathesis==4.32.5`.

mod common;

use std::{collections::BTreeSet, fs, process::Stdio, time::Duration};

use breakwater::{
    kit::config::{Secret, Settings},
    service::System,
};
use common::App;
use serde_json::json;
use tokio::{process::Command, time::timeout};

/// How long it looks for more, in seconds. It ends earlier when it has tried what it knows.
const SECONDS: &str = "40";

/// Beyond it something hangs.
const LONG: Duration = Duration::from_secs(240);

/// A schema cannot say every rule: what it allows may be refused with 422 and the rule's name, but must be readable. 412 and
/// 428 are about the version that a change names.
const CONFIGURATION: &str = r#"
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 304, 401, 403, 404, 409, 412, 422, 428, 429, 503]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429, 503]
"#;

/// Opens what is for administration.
const TOKEN: &str = "a-token-of-this-test";

const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "correct horse";

/// An admin, hashes that cost next to nothing, and no limits by client: what is behind them is asked.
fn settings() -> Settings {
    let admin = || Secret::from(format!("{EMAIL}:{PASSWORD}").as_str());
    let mut settings = Settings::default();
    settings.server.admin_token = Some(Secret::from(TOKEN));
    settings.auth.password_memory_kib = 8;
    settings.auth.password_passes = 1;
    settings.connex.connex_admin = vec![admin()];
    settings.connex.connex_seed = 20;
    settings.connex.connex_sign_ins_per_account = 0;
    settings.connex.connex_sign_ins_per_address = 0;
    settings.location.location_sessions_per_address = 0;
    settings.azora.azora_admin = Some(admin());
    settings.azora.azora_seed = 20;
    settings.azora.azora_sign_ins_per_account = 0;
    settings.azora.azora_sign_ins_per_address = 0;
    settings
}

#[tokio::test]
async fn every_security_scheme_that_is_named_is_defined() {
    for (system, names) in [
        (System::Connex, vec!["bearer"]),
        (System::Azora, vec!["bearer"]),
        (System::Birthday, vec!["admin", "birthday"]),
        (System::Fluxor, vec!["admin"]),
        (System::Location, vec!["owner_token", "participant_token"]),
        (System::All, vec!["admin", "bearer", "birthday", "owner_token", "participant_token"]),
    ] {
        let app = App::on_sqlite(system, settings()).await;
        let document = app.get("/openapi.json").send().await.expect(200).json();
        app.end().await;
        let operations = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|path| path.as_object().unwrap().values());
        let named: BTreeSet<&str> = operations
            .filter_map(|operation| operation["security"].as_array())
            .flatten()
            .flat_map(|needs| needs.as_object().unwrap().keys().map(String::as_str))
            .collect();
        assert_eq!(named.into_iter().collect::<Vec<_>>(), names, "{system:?}");
        let defined = document["components"]["securitySchemes"].as_object().unwrap();
        assert!(names.iter().all(|name| defined[*name]["scheme"] == "bearer"), "{system:?}: {defined:?}");
    }
}

/// Explores a system, as whoever the fixed token is.
async fn explore_with_token(system: System) {
    let app = App::on_sqlite(system, settings()).await;
    explore(&app, TOKEN).await;
    app.end().await;
}

/// Explores a system, as its admin.
async fn explore_signed_in(system: System) {
    let app = App::on_sqlite(system, settings()).await;
    let tokens = app
        .post("/api/v1/auth/login", json!({"email": EMAIL, "password": PASSWORD}))
        .send()
        .await
        .expect(200)
        .json();
    explore(&app, tokens["access_token"].as_str().expect("a token")).await;
    app.end().await;
}

/// Asks the running system as whoever `token` is.
async fn explore(app: &App, token: &str) {
    let program = std::env::var("SCHEMATHESIS").expect("SCHEMATHESIS is a program");
    // It reads its configuration and leaves files where it runs.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("schemathesis.toml"), CONFIGURATION).unwrap();
    let mut command = Command::new(program);
    command
        .args(["run", &format!("http://{}/openapi.json", app.service.address())])
        .args(["--max-time", SECONDS, "--continue-on-failure", "--no-color", "--seed", "1"])
        .args(["--generation-database", "none"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        // It would sign itself out, and be refused from then on.
        .args(["--exclude-path", "/api/v1/auth/logout"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(LONG, command.output()).await.expect("schemathesis ends").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis: SCHEMATHESIS"]
async fn connex() {
    explore_signed_in(System::Connex).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis: SCHEMATHESIS"]
async fn birthday() {
    explore_with_token(System::Birthday).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis: SCHEMATHESIS"]
async fn azora() {
    explore_signed_in(System::Azora).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis: SCHEMATHESIS"]
async fn fluxor() {
    explore_with_token(System::Fluxor).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis: SCHEMATHESIS"]
async fn location() {
    explore_with_token(System::Location).await;
}
