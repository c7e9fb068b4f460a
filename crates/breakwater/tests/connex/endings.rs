//! A change of role or password, and a deletion, end the sign-ins, or nothing is changed.

use std::time::Duration;

use breakwater::service::System;
use http::Method;
use serde_json::json;
use sqlx::Executor;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{ADMIN, PASSWORD, common::App, login, me, path_of, registered, settings, signed_in};

const EMAIL: &str = "ada@example.com";

#[tokio::test]
async fn nothing_is_changed_when_sign_ins_cannot_be_ended() {
    let app = App::on_sqlite(System::Connex, settings()).await;
    let (token, admin) = (registered(&app, EMAIL).await, signed_in(&app, ADMIN).await);
    let user = me(&app, &token).await;
    let path = path_of(&user);
    let role = || app.patch(&path, json!({"role": "admin", "version": 1})).bearer(&admin);
    let password = || {
        let body = json!({"current_password": PASSWORD, "new_password": "a new password"});
        app.put("/api/v1/users/me/password", body).bearer(&token)
    };
    let delete = || app.call(Method::DELETE, &path).bearer(&admin);

    let db = &app.service.kit().db.write;
    let fault = "CREATE TRIGGER fault BEFORE UPDATE ON sign_ins BEGIN SELECT RAISE(ABORT, 'a fault'); END";
    db.execute(fault).await.unwrap();
    for change in [role(), password(), delete()] {
        change.send().await.problem(500);
        assert_eq!(app.get(&path).bearer(&token).send().await.expect(200).json(), user);
        login(&app, EMAIL, PASSWORD).await.expect(200);
    }

    db.execute("DROP TRIGGER fault").await.unwrap();
    password().send().await.expect(200);
    app.get(&path).bearer(&token).send().await.problem(401);
    role().send().await.expect(200);
    delete().send().await.expect(204);
    app.end().await;
}

/// The change is stopped half-way, by a lock on the sign-in that it ends. Then its client goes.
#[tokio::test]
#[ignore = "needs PostgreSQL: BREAKWATER_TEST_POSTGRES"]
async fn a_new_password_ends_all_sign_ins_also_when_the_client_has_gone() {
    let app = App::on_postgres(System::Connex, settings()).await;
    let token = registered(&app, EMAIL).await;
    let mut lock = app.service.kit().db.write.begin().await.unwrap();
    lock.execute("SELECT family FROM sign_ins FOR UPDATE").await.unwrap();
    let body = json!({"current_password": PASSWORD, "new_password": "a new password"}).to_string();
    let mut client = TcpStream::connect(app.service.address()).await.unwrap();
    let request = format!(
        "PUT /api/v1/users/me/password HTTP/1.1\r\nHost: breakwater\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len(),
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let stopped = async {
        // Not pg_stat_activity: a transaction goes on seeing the connections that were there when it first looked.
        let waiting = "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *lock).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), stopped).await.expect("the change waits for the lock");
    drop(client);
    let gone = async {
        while crate::metric(&app, "http_requests_in_flight").await > 1.0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .expect("the service sees that the client has gone");
    lock.rollback().await.unwrap();
    let ended = async {
        while app.get("/api/v1/users/me").bearer(&token).send().await.status == 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the old sign-in ends");
    login(&app, EMAIL, PASSWORD).await.problem(401);
    login(&app, EMAIL, "a new password").await.expect(200);
    app.end().await;
}
