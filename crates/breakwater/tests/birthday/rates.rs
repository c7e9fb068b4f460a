//! How fast it is: planning, publishing, sending. Prints; `--cargo-profile quick` gives figures that mean something.

use std::{sync::Arc, time::Duration, time::Instant};

use breakwater::{
    birthday::{Birthday, clock::Clock, storage::users::Particulars, worker},
    kit::{
        Kit,
        config::Settings,
        email::Email,
        mail::{Mailer, Sink},
    },
};
use jiff::{SignedDuration, Timestamp};

const MESSAGES: usize = 10_000;

#[expect(clippy::print_stderr, reason = "figures are what it is for")]
async fn measure(name: &str, database: String, queue: &str) {
    let mut settings = Settings::default();
    settings.storage.database = database;
    settings.storage.pool_timeout_ms = 30_000;
    settings.messages.queue = queue.to_owned();
    settings.birthday.birthday_queue = format!("rates-{}", uuid::Uuid::new_v4().simple());
    let mut kit = Kit::start(settings).await.unwrap();
    let sink = Sink::new(Duration::from_millis(1));
    kit.mailer = Mailer::Sink(sink.clone());
    let clock = Clock::standing_at("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap());
    let birthday = Arc::new(Birthday::new(&kit, clock.clone()));
    let rate = |since: Instant| MESSAGES as f64 / since.elapsed().as_secs_f64();

    let started = Instant::now();
    for number in 0..MESSAGES {
        let person = Particulars {
            name: format!("Person {number}"),
            email: Email::parse(&format!("person{number}@example.org")).unwrap(),
            birthday: "1990-06-01".parse().unwrap(),
            zone: ["UTC", "Asia/Tokyo", "America/Lima"][number % 3].to_owned(),
        };
        birthday.add(&person, clock.now()).await.unwrap();
    }
    eprintln!("{name}: {:.0} people/s added, one after the other", rate(started));

    clock.turn(SignedDuration::from_hours(24 * 150));
    let started = Instant::now();
    let report = birthday.plan(clock.now()).await.unwrap();
    eprintln!("{name}: {:?} for the daily run over {MESSAGES} people", started.elapsed());
    assert_eq!(report.scheduled, MESSAGES as u64);

    clock.turn(SignedDuration::from_hours(48));
    let started = Instant::now();
    assert_eq!(birthday.dispatch(clock.now()).await.unwrap(), MESSAGES as u64);
    eprintln!("{name}: {:.0} messages/s enqueued", rate(started));

    let started = Instant::now();
    let working = tokio::spawn(worker::run(birthday));
    let delivered = async || -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM birthday_messages WHERE state = 'delivered'");
        count.fetch_one(&kit.db.read).await.unwrap()
    };
    while sink.counts().shown < MESSAGES as u64 || delivered().await < MESSAGES as i64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    eprintln!("{name}: {:.0} messages/s delivered by one worker", rate(started));
    kit.shutdown.cancel();
    working.await.unwrap().unwrap();
    kit.db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs time: measures"]
async fn in_memory() {
    measure("SQLite in memory, queue in memory", "sqlite::memory:".to_owned(), "memory:").await;
}

#[cfg(feature = "servers")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn with_a_file_and_rabbitmq() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("birthday.db").display());
    measure("SQLite in a file, RabbitMQ", database, &amqp()).await;
}

#[cfg(feature = "servers")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs RabbitMQ and PostgreSQL: BREAKWATER_TEST_AMQP, BREAKWATER_TEST_POSTGRES"]
async fn with_postgresql_and_rabbitmq() {
    let schema = crate::common::Schema::create().await;
    measure("PostgreSQL, RabbitMQ", schema.database.clone(), &amqp()).await;
    schema.drop().await;
}

#[cfg(feature = "servers")]
fn amqp() -> String {
    std::env::var("BREAKWATER_TEST_AMQP").expect("BREAKWATER_TEST_AMQP is a URL")
}
