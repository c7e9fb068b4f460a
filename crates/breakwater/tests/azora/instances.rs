//! Two instances of Azora on one PostgreSQL and one Redis, with a replica to read from.

use breakwater::service::{Service, System};
use common::{Call, Schema};
use http::Method;
use serde_json::json;

use super::*;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is the URL of a server to use"))
}

#[tokio::test]
#[ignore = "needs PostgreSQL with a replica and Redis: BREAKWATER_TEST_POSTGRES, BREAKWATER_TEST_POSTGRES_REPLICA, BREAKWATER_TEST_REDIS"]
async fn what_one_changes_the_other_knows_at_once() {
    let schema = Schema::create().await;
    let mut settings = settings();
    let part = schema.database.strip_prefix(&variable("BREAKWATER_TEST_POSTGRES")).unwrap();
    settings.storage.database_replica = Some(variable("BREAKWATER_TEST_POSTGRES_REPLICA") + part);
    settings.storage.database = schema.database.clone();
    settings.cache.cache = variable("BREAKWATER_TEST_REDIS");
    settings.cache.cache_namespace = format!("test-{}", uuid::Uuid::now_v7());
    settings.auth.jwt_secret = vec![Secret::from("a secret of tests, 32 bytes long or more")];
    settings.server.listen.set_port(0);
    let one = Service::start(System::Azora, settings.clone()).await.unwrap();
    let other = Service::start(System::Azora, settings).await.unwrap();

    let login = json!({ "email": ADMIN.0, "password": ADMIN.1 });
    let login = Call::new(one.address(), Method::POST, "/api/v1/auth/login").json(login).send().await;
    let token = login.expect(200).json()["access_token"].as_str().unwrap().to_owned();
    let write = async |service: &Service, method: Method, path: &str, body: Value| {
        Call::new(service.address(), method, path).bearer(&token).json(body).send().await
    };
    let read = async |service: &Service, path: &str| {
        Call::new(service.address(), Method::GET, path).bearer(&token).send().await.expect(200).json()
    };
    let created = write(&one, Method::POST, "/api/v1/courses", course("Version 0")).await.expect(201).json();
    let path = format!("/api/v1/courses/{}", created["id"].as_str().unwrap());
    let list = "/api/v1/courses?category=test-courses";
    for version in 1..=50 {
        let (writer, reader) = if version % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let title = format!("Version {version}");
        write(writer, Method::PUT, &path, course(&title)).await.expect(200);
        let profile = json!({ "name": title, "language": "en" });
        write(writer, Method::PUT, "/api/v1/profile", profile).await.expect(200);
        for service in [reader, writer, reader] {
            assert_eq!(read(service, &path).await["title"], title);
            assert_eq!(read(service, list).await["courses"][0]["title"], title);
            assert_eq!(read(service, "/api/v1/profile").await["name"], title);
        }
    }
    let stats = read(&other, "/api/v1/cache/stats").await;
    assert!(stats["layers"][1]["hits"].as_u64().unwrap() >= 50, "{stats}");
    assert_eq!(stats["layers"][1]["unavailable"], 0);

    one.stop().await;
    other.stop().await;
    schema.drop().await;
}
