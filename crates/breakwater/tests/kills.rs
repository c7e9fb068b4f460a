//! Workers and schedulers that are killed at random moments: no message is lost, and none is shown twice.
//!
//! In the process, tasks are aborted wherever they happen to wait. With servers, real processes get SIGKILL. The mailbox
//! outlives them, shows each Message-ID once and counts what came again.

mod common;

use std::{process::Stdio, sync::Arc, time::Duration};

use breakwater::{
    birthday::{Birthday, clock::Clock, scheduler::Scheduler, storage::users::Particulars, worker},
    kit::{
        Kit,
        config::Settings,
        email::Email,
        mail::{Mailer, Sink, smtp_sink},
        metrics::Metrics,
        queue::Queue,
    },
};
use jiff::Timestamp;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Adds people whose birthday it is, and who are to get a message now.
async fn add_people(kit: &Kit, count: usize) {
    let birthday = Birthday::new(&Kit { metrics: Metrics::default(), ..kit.clone() }, Clock::System);
    let now = Timestamp::now();
    let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
    let birthday_of_all = format!("1996-{:02}-{:02}", today.month(), today.day());
    for number in 0..count {
        let person = Particulars {
            name: format!("Person {number}"),
            email: Email::parse(&format!("person{number}@example.org")).unwrap(),
            birthday: birthday_of_all.parse().unwrap(),
            zone: "UTC".to_owned(),
        };
        birthday.add(&person, now).await.unwrap();
    }
}

/// Settings under which the deaths of others are noticed in a moment.
fn settings(database: String) -> Settings {
    let mut settings = Settings::default();
    settings.storage.database = database;
    settings.storage.pool_timeout_ms = 30_000;
    settings.birthday.birthday_send_at = jiff::civil::Time::midnight();
    settings.birthday.birthday_interval_ms = 5;
    settings.birthday.birthday_lease_ms = 60;
    settings.birthday.birthday_batch = 20;
    settings
}

/// Waits until the database has every message as delivered.
async fn all_delivered(kit: &Kit, count: usize, longest: Duration) {
    let delivered = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM birthday_messages WHERE state = 'delivered'")
            .fetch_one(&kit.db.write)
            .await
            .unwrap()
    };
    let waiting = async {
        while delivered().await < count as i64 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(longest, waiting).await.is_err() {
        let states: Vec<(String, i64)> =
            sqlx::query_as("SELECT state, count(*) FROM birthday_messages GROUP BY state")
                .fetch_all(&kit.db.write)
                .await
                .unwrap();
        panic!("after {longest:?} messages are {states:?}");
    }
}

/// Every message was shown, and shown once.
#[expect(clippy::print_stderr, reason = "the number of repeats is what the test is asked for")]
async fn assert_each_shown_once(kit: &Kit, sink: &Sink, count: usize) {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id FROM birthday_messages").fetch_all(&kit.db.write).await.unwrap();
    assert_eq!(ids.len(), count);
    let missing: Vec<_> = ids.iter().filter(|id| !sink.has(&format!("{id}@breakwater"))).collect();
    assert!(missing.is_empty(), "{} of {count} were never shown: {missing:?}", missing.len());
    let counts = sink.counts();
    assert_eq!(counts.shown, count as u64);
    eprintln!("{count} messages, {} arrivals, {} repeats", counts.arrivals, counts.repeats);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_aborted_at_random_lose_and_double_nothing() {
    const MESSAGES: usize = 400;
    const ABORTS: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("birthday.db").display());
    let mut kit = Kit::start(settings(database)).await.unwrap();
    let sink = Sink::new(Duration::from_millis(20));
    kit.mailer = Mailer::Sink(sink.clone());
    kit.queue = Queue::connect("memory:").await.unwrap();
    add_people(&kit, MESSAGES).await;
    // Two schedulers and three workers, each with four messages in hand.
    let start = |place: usize| -> JoinHandle<()> {
        let mut settings = (*kit.settings).clone();
        settings.birthday.birthday_concurrency = 4;
        let kit = Kit { metrics: Metrics::default(), settings: Arc::new(settings), ..kit.clone() };
        let birthday = Arc::new(Birthday::new(&kit, Clock::System));
        match place {
            0 | 1 => tokio::spawn(Scheduler::new(birthday).run()),
            _ => tokio::spawn(async move { worker::run(birthday).await.unwrap() }),
        }
    };
    let mut tasks: Vec<_> = (0..5).map(start).collect();
    let mut rng = StdRng::seed_from_u64(4);
    for _ in 0..ABORTS {
        tokio::time::sleep(Duration::from_micros(rng.random_range(0..8_000))).await;
        let place = rng.random_range(0..tasks.len());
        tasks[place].abort();
        tasks[place] = start(place);
    }
    all_delivered(&kit, MESSAGES, Duration::from_secs(60)).await;
    kit.shutdown.cancel();
    for task in tasks {
        task.await.unwrap();
    }
    assert_each_shown_once(&kit, &sink, MESSAGES).await;
}

/// The processes of the test with servers.
struct Fleet {
    database: String,
    queue_name: String,
    mail: String,
    children: Vec<Child>,
}

const ROLES: [&str; 6] = ["scheduler", "scheduler", "worker", "worker", "worker", "worker"];

impl Fleet {
    fn start(&self, place: usize) -> Child {
        let amqp = std::env::var("BREAKWATER_TEST_AMQP").expect("BREAKWATER_TEST_AMQP is a URL");
        Command::new(env!("CARGO_BIN_EXE_breakwater"))
            .args(["birthday", "--listen", "127.0.0.1:0", "--workers", "1", "--birthday-send-at", "00:00"])
            .args(["--birthday-role", ROLES[place], "--birthday-queue", &self.queue_name])
            .args(["--birthday-interval-ms", "50", "--birthday-lease-ms", "1000", "--birthday-batch", "100"])
            .args([
                "--birthday-concurrency",
                "16",
                "--birthday-lost-after-ms",
                "10000",
                "--pool-timeout-ms",
                "10000",
            ])
            .env("BREAKWATER_DATABASE", &self.database)
            .env("BREAKWATER_QUEUE", amqp)
            .env("BREAKWATER_MAIL", &self.mail)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts")
    }
}

async fn killed_processes_lose_and_double_nothing(database: String, seed: u64) {
    const MESSAGES: usize = 10_000;
    const KILLS: usize = 100;
    let kit = Kit::start(settings(database.clone())).await.unwrap();
    let listener = breakwater::kit::server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let mail = format!("smtp://{}", listener.local_addr().unwrap());
    // Slow enough that the kills are over before the messages are.
    let (sink, stop) = (Sink::new(Duration::from_millis(100)), CancellationToken::new());
    let mailbox = tokio::spawn(smtp_sink::serve(listener, sink.clone(), stop.clone()));
    add_people(&kit, MESSAGES).await;
    let queue_name = format!("kills-{}", uuid::Uuid::new_v4().simple());
    let mut fleet = Fleet { database, queue_name, mail, children: Vec::new() };
    fleet.children = (0..ROLES.len()).map(|place| fleet.start(place)).collect();
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(rng.random_range(50..400))).await;
        let place = rng.random_range(0..ROLES.len());
        fleet.children[place].kill().await.expect("it is there to be killed");
        fleet.children[place] = fleet.start(place);
    }
    let before_the_last_kill = sink.counts().shown;
    all_delivered(&kit, MESSAGES, Duration::from_secs(180)).await;
    for mut child in fleet.children {
        child.kill().await.expect("it still runs");
    }
    stop.cancel();
    mailbox.await.unwrap();
    assert_each_shown_once(&kit, &sink, MESSAGES).await;
    assert!(before_the_last_kill > 0, "nothing was sent while processes were killed");
    kit.db.close().await;
}

#[cfg(feature = "servers")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn a_hundred_kills_with_rabbitmq_and_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("birthday.db").display());
    killed_processes_lose_and_double_nothing(database, 1).await;
}

#[cfg(feature = "servers")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs RabbitMQ and PostgreSQL: BREAKWATER_TEST_AMQP, BREAKWATER_TEST_POSTGRES"]
async fn a_hundred_kills_with_rabbitmq_and_postgresql() {
    let schema = common::Schema::create().await;
    killed_processes_lose_and_double_nothing(schema.database.clone(), 2).await;
    schema.drop().await;
}
