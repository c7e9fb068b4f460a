//! The API of Connex, on each database.

mod common;

use breakwater::{kit::config::Settings, service::System};
use common::{App, on_each_database};

on_each_database!(System::Connex, Settings::default(), [what_is_not_there_is_told_as_a_problem]);

async fn what_is_not_there_is_told_as_a_problem(app: &App) {
    app.get("/ready").send().await.expect(200);
    let problem = app.get("/nothing").send().await.problem(404);
    assert_eq!(problem["type"], "/problems/not-found");
}
