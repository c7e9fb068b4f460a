//! A service in process for API tests, and the client that asks it.
//!
//! [`on_each_database`] runs the same tests on SQLite in memory and, where BREAKWATER_TEST_POSTGRES names a server, on
//! PostgreSQL in a schema of their own.

#![allow(dead_code, unused_macros, unused_imports, reason = "each test program uses a part")]

use std::net::SocketAddr;

use breakwater::{
    kit::{config::Settings, config::StorageSettings, db::Db},
    service::{Service, System},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sqlx::Executor;

/// Declares tests that run on each database. Each is an `async fn name(app: &App)`; `settings` gives what the service is
/// started with, of which the database and the address are replaced.
///
/// ```ignore
/// on_each_database!(System::Connex, settings(), [a_user_is_created, pages_follow_each_other]);
/// ```
macro_rules! on_each_database {
    ($system:expr, $settings:expr, [$($test:ident),* $(,)?]) => {
        mod on_sqlite {
            #[allow(unused_imports, reason = "the tests' own names are their files'")]
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                let app = $crate::common::App::on_sqlite($system, $settings).await;
                super::$test(&app).await;
                app.end().await;
            })*
        }
        #[cfg(feature = "servers")]
        mod on_postgres {
            #[allow(unused_imports, reason = "the tests' own names are their files'")]
            use super::*;
            $(#[tokio::test]
            #[ignore = "needs PostgreSQL: BREAKWATER_TEST_POSTGRES"]
            async fn $test() {
                let app = $crate::common::App::on_postgres($system, $settings).await;
                super::$test(&app).await;
                app.end().await;
            })*
        }
    };
}
pub(crate) use on_each_database;

/// A running service. What it was started with is in `settings`, for a second one on the same database.
pub(crate) struct App {
    pub(crate) service: Service,
    pub(crate) settings: Settings,
    schema: Option<Schema>,
}

impl App {
    pub(crate) async fn on_sqlite(system: System, settings: Settings) -> Self {
        Self::start(system, settings, "sqlite::memory:".to_owned(), None).await
    }

    pub(crate) async fn on_postgres(system: System, settings: Settings) -> Self {
        let schema = Schema::create().await;
        let database = schema.database.clone();
        Self::start(system, settings, database, Some(schema)).await
    }

    async fn start(system: System, mut settings: Settings, database: String, schema: Option<Schema>) -> Self {
        settings.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        settings.storage.database = database;
        // Tests wait for a busy machine rather than fail on it.
        settings.storage.pool_timeout_ms = settings.storage.pool_timeout_ms.max(10_000);
        let service = Service::start(system, settings.clone()).await.expect("the service starts");
        Self { service, settings, schema }
    }

    /// A service that was started otherwise.
    pub(crate) fn of(service: Service, settings: Settings) -> Self {
        Self { service, settings, schema: None }
    }

    pub(crate) async fn end(self) {
        self.service.stop().await;
        if let Some(schema) = self.schema {
            schema.drop().await;
        }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.service.address(), method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Call {
        self.call(Method::POST, path).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: Value) -> Call {
        self.call(Method::PUT, path).json(body)
    }

    pub(crate) fn patch(&self, path: &str, body: Value) -> Call {
        self.call(Method::PATCH, path).json(body)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }
}

/// A schema of PostgreSQL for one test.
pub(crate) struct Schema {
    name: String,
    /// The URL under which the schema is all there is.
    pub(crate) database: String,
}

impl Schema {
    pub(crate) async fn create() -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        Self::execute(format!("CREATE SCHEMA {name}")).await;
        let server = Self::server();
        let separator = if server.contains('?') { '&' } else { '?' };
        Self { database: format!("{server}{separator}options[search_path]={name}"), name }
    }

    pub(crate) async fn drop(self) {
        Self::execute(format!("DROP SCHEMA {} CASCADE", self.name)).await;
    }

    fn server() -> String {
        std::env::var("BREAKWATER_TEST_POSTGRES").expect("BREAKWATER_TEST_POSTGRES is a URL")
    }

    async fn execute(sql: String) {
        let settings = StorageSettings { database: Self::server(), ..StorageSettings::default() };
        let db = Db::open(&settings).await.expect("PostgreSQL answers");
        db.write.execute(sqlx::AssertSqlSafe(sql)).await.expect("schemas may be created and dropped");
        db.close().await;
    }
}

/// A request being made.
#[must_use = "ends in `send`"]
pub(crate) struct Call {
    address: SocketAddr,
    request: Request<Full<Bytes>>,
}

impl Call {
    pub(crate) fn new(address: SocketAddr, method: Method, path: &str) -> Self {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, address.to_string())
            .body(Full::default())
            .expect("the path is one");
        Self { address, request }
    }

    pub(crate) fn header(mut self, name: impl header::IntoHeaderName, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().expect("a header's value"));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION, &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: Value) -> Self {
        self.header(header::CONTENT_TYPE, "application/json").body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into());
        self
    }

    /// Sends it over a connection of its own.
    pub(crate) async fn send(self) -> Answer {
        let stream = tokio::net::TcpStream::connect(self.address).await.expect("the service listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
        let connection = tokio::spawn(connection);
        let (head, body) = sender.send_request(self.request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        connection.abort();
        Answer { status: head.status, headers: head.headers, body }
    }
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a text"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Fails with the body unless it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// The problem document that it must be, with this status.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> Value {
        let answer = self.expect(status);
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json", "{}", answer.text());
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        for field in ["type", "title", "detail"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {problem}");
        }
        problem
    }
}
