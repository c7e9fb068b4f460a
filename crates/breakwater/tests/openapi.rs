//! The OpenAPI documents are true: schemathesis asks each system everything that its document allows, and much that it
//! does not, and holds the answers against it.
//!
//! `SCHEMATHESIS` names the program, `pip install schemathesis==4.32.5`.

mod common;

use std::{fs, process::Stdio, time::Duration};

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

const TOKEN: &str = "a-token-of-this-test";

/// Asks the running system, as whoever `token` is.
async fn explore(app: &App, token: Option<&str>) {
    let program = std::env::var("SCHEMATHESIS").expect("SCHEMATHESIS is a program");
    // It reads its configuration and leaves files where it runs.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("schemathesis.toml"), CONFIGURATION).unwrap();
    let mut command = Command::new(program);
    command
        .args(["run", &format!("http://{}/openapi.json", app.service.address())])
        .args(["--max-time", SECONDS, "--continue-on-failure", "--no-color", "--seed", "1"])
        .args(["--generation-database", "none"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(token) = token {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = timeout(LONG, command.output()).await.expect("schemathesis ends").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis: SCHEMATHESIS"]
async fn fluxor() {
    let mut settings = Settings::default();
    settings.server.admin_token = Some(Secret::from(TOKEN));
    let app = App::on_sqlite(System::Fluxor, settings).await;
    explore(&app, Some(TOKEN)).await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs schemathesis: SCHEMATHESIS"]
async fn azora() {
    let mut settings = Settings::default();
    settings.azora.azora_seed = 10;
    settings.azora.azora_admin = Some(Secret::from("admin@azora.example:a password of this test"));
    let app = App::on_sqlite(System::Azora, settings).await;
    let account = json!({ "email": "admin@azora.example", "password": "a password of this test" });
    let tokens = app.post("/api/v1/auth/login", account).send().await.expect(200).json();
    explore(&app, tokens["access_token"].as_str()).await;
    app.end().await;
}
