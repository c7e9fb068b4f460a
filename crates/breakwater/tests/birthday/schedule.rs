//! The schedulers on a clock that the test turns: outages, jumps, several at once, people who move.

use std::{collections::HashMap, sync::Arc, time::Duration};

use breakwater::{
    birthday::{
        Birthday,
        clock::Clock,
        rules,
        scheduler::{Scheduler, Step},
        storage::{
            messages::{self, Planned, Settled, State},
            users::{self, Particulars, User},
        },
    },
    kit::{Kit, config::Settings, email::Email, metrics::Metrics, queue::Queue},
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZoneDatabase};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::common;

/// A service without its loops. Several share a database and a queue.
struct Bench {
    kit: Kit,
    clock: Clock,
    birthday: Arc<Birthday>,
    schema: Option<common::Schema>,
}

impl Bench {
    async fn on_sqlite() -> Self {
        Self::start("sqlite::memory:".to_owned(), None).await
    }

    #[cfg(feature = "servers")]
    async fn on_postgres() -> Self {
        let schema = common::Schema::create().await;
        Self::start(schema.database.clone(), Some(schema)).await
    }

    async fn start(database: String, schema: Option<common::Schema>) -> Self {
        let mut settings = Settings::default();
        settings.storage.database = database;
        settings.storage.pool_timeout_ms = 30_000;
        let kit = Kit::start(settings).await.unwrap();
        let clock = Clock::standing_at(at("2026-01-01T00:00:00Z"));
        let birthday = Arc::new(Birthday::new(&kit, clock.clone()));
        Self { kit, clock, birthday, schema }
    }

    async fn end(self) {
        self.kit.db.close().await;
        if let Some(schema) = self.schema {
            schema.drop().await;
        }
    }

    /// Another instance, with a clock of its own.
    fn another(&self) -> (Arc<Birthday>, Clock) {
        let clock = Clock::standing_at(self.clock.now());
        let kit = Kit { metrics: Metrics::default(), ..self.kit.clone() };
        (Arc::new(Birthday::new(&kit, clock.clone())), clock)
    }

    async fn add(&self, birthday: &str, zone: &str) -> User {
        self.birthday.add(&person(birthday, zone), self.clock.now()).await.unwrap()
    }

    async fn move_to(&self, user: &User, zone: &str) -> User {
        let person = person(&user.birthday, zone);
        self.birthday.change(&user.id, user.version, &person, self.clock.now()).await.unwrap().unwrap()
    }

    /// The messages that are in the queue, which are delivered by that.
    async fn deliver(&self) -> Vec<String> {
        let ids = self.take().await;
        let settled: Vec<Settled> = ids
            .iter()
            .map(|id| Settled {
                id: id.clone(),
                state: State::Delivered,
                touched: self.clock.now(),
                attempts: 1,
                error: None,
            })
            .collect();
        for settled in settled.chunks(500) {
            messages::settle(&self.kit.db.write, settled).await.unwrap();
        }
        ids
    }

    /// Empties the queue.
    async fn take(&self) -> Vec<String> {
        let ready = self.kit.queue.depth("birthday").await.unwrap().ready;
        let mut consumer = self.kit.queue.consume("birthday", 100).await.unwrap();
        let mut ids = Vec::new();
        for _ in 0..ready {
            let delivery = consumer.next().await.unwrap();
            ids.push(delivery.id.clone());
            delivery.ack().await.unwrap();
        }
        ids
    }

    /// Runs a scheduler for so many hours, a step every `every`, and gives what was delivered and when.
    async fn run_for(&self, scheduler: &Scheduler, hours: i64, every: i64) -> Vec<(String, Timestamp)> {
        let mut delivered = Vec::new();
        for _ in 0..hours / every {
            self.clock.turn(SignedDuration::from_hours(every));
            assert!(matches!(scheduler.step().await.unwrap(), Step::Worked { .. }));
            let now = self.clock.now();
            delivered.extend(self.deliver().await.into_iter().map(|id| (id, now)));
        }
        delivered
    }
}

fn at(instant: &str) -> Timestamp {
    instant.parse().unwrap()
}

fn person(birthday: &str, zone: &str) -> Particulars {
    Particulars {
        name: "Ada".to_owned(),
        email: Email::parse("ada@example.org").unwrap(),
        birthday: birthday.parse().unwrap(),
        zone: zone.to_owned(),
    }
}

fn id(user: &User, year: i64) -> String {
    messages::id(&user.id, year)
}

macro_rules! on_each_database {
    ([$($test:ident),* $(,)?]) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                let bench = super::Bench::on_sqlite().await;
                super::$test(&bench).await;
                bench.end().await;
            })*
        }
        #[cfg(feature = "servers")]
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs PostgreSQL: BREAKWATER_TEST_POSTGRES"]
            async fn $test() {
                let bench = super::Bench::on_postgres().await;
                super::$test(&bench).await;
                bench.end().await;
            })*
        }
    };
}

on_each_database!([
    a_message_is_published_in_the_morning_of_its_user,
    days_on_which_nothing_ran_are_made_up_for,
    a_clock_that_jumps_loses_nothing_and_doubles_nothing,
    who_moves_gets_one_message_a_year,
    a_plan_older_than_its_user_is_worked_out_again,
    one_of_two_schedulers_is_at_work_and_the_other_takes_over,
    two_that_both_believe_to_be_at_work_publish_each_message_once,
    a_queue_that_takes_nothing_leaves_messages_in_the_outbox,
    what_the_queue_lost_is_published_again,
    a_claim_of_somebody_who_died_runs_out,
]);

async fn a_message_is_published_in_the_morning_of_its_user(bench: &Bench) {
    let tokyo = bench.add("1990-03-10", "Asia/Tokyo").await;
    let paris = bench.add("1990-03-10", "Europe/Paris").await;
    let leap = bench.add("1996-02-29", "UTC").await;
    let scheduler = Scheduler::new(bench.birthday.clone());
    let delivered = bench.run_for(&scheduler, 24 * 80, 1).await;
    let expected = [
        (id(&leap, 2026), at("2026-02-28T09:00:00Z")),
        (id(&tokyo, 2026), at("2026-03-10T00:00:00Z")),
        (id(&paris, 2026), at("2026-03-10T08:00:00Z")),
    ];
    assert_eq!(delivered, expected);
}

async fn days_on_which_nothing_ran_are_made_up_for(bench: &Bench) {
    let mut users = Vec::new();
    for day in 1..=28 {
        users.push(bench.add(&format!("1990-02-{day:02}"), "America/Lima").await);
    }
    let scheduler = Scheduler::new(bench.birthday.clone());
    bench.run_for(&scheduler, 24, 12).await;
    // Nothing runs in all of February but for the people who come, on whose account nobody looks back.
    bench.clock.turn(SignedDuration::from_hours(24 * 44));
    let late = bench.add("1990-02-01", "America/Lima").await;
    bench.clock.turn(SignedDuration::from_hours(24 * 14));
    scheduler.step().await.unwrap();
    let mut delivered = bench.deliver().await;
    delivered.sort();
    // 1 March, and messages are sent up to 30 days late.
    assert_eq!(bench.clock.now(), at("2026-03-01T00:00:00Z"));
    let mut expected: Vec<String> = users.iter().map(|user| id(user, 2026)).collect();
    expected.sort();
    assert_eq!(delivered, expected);
    assert!(!delivered.contains(&id(&late, 2026)));
}

async fn a_clock_that_jumps_loses_nothing_and_doubles_nothing(bench: &Bench) {
    let mut users = Vec::new();
    for week in 0..30_i64 {
        let birthday = Date::constant(1996, 1, 2).saturating_add((week * 7).days());
        users.push(bench.add(&birthday.to_string(), "Europe/Berlin").await);
    }
    let scheduler = Scheduler::new(bench.birthday.clone());
    let mut delivered = bench.run_for(&scheduler, 24 * 20, 6).await;
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..12 {
        let jump = SignedDuration::from_hours(rng.random_range(1..24 * 60));
        // Ahead for a few steps, then right again.
        bench.clock.turn(jump);
        delivered.extend(bench.run_for(&scheduler, 12, 6).await);
        bench.clock.turn(-jump);
        delivered.extend(bench.run_for(&scheduler, 24 * 8, 6).await);
        // Behind, then right again.
        bench.clock.turn(-jump);
        delivered.extend(bench.run_for(&scheduler, 12, 6).await);
        bench.clock.turn(jump);
        delivered.extend(bench.run_for(&scheduler, 24 * 8, 6).await);
    }
    assert_eq!(
        bench.clock.now(),
        at("2026-01-01T00:00:00Z") + SignedDuration::from_hours(24 * (20 + 12 * 17))
    );
    let mut delivered: Vec<String> = delivered.into_iter().map(|(id, _)| id).collect();
    delivered.sort();
    let mut expected: Vec<String> = users.iter().map(|user| id(user, 2026)).collect();
    expected.sort();
    assert_eq!(delivered, expected);
}

async fn who_moves_gets_one_message_a_year(bench: &Bench) {
    let database = TimeZoneDatabase::bundled();
    let zones: Vec<String> = database.available().map(|name| name.as_str().to_owned()).collect();
    let mut rng = StdRng::seed_from_u64(11);
    let mut users = Vec::new();
    for _ in 0..40 {
        let birthday = Date::constant(1996, 1, 5).saturating_add(rng.random_range(0..100_i64).days());
        users.push(bench.add(&birthday.to_string(), &zones[rng.random_range(0..zones.len())]).await);
    }
    let scheduler = Scheduler::new(bench.birthday.clone());
    let mut times = HashMap::new();
    while bench.clock.now() < at("2026-05-01T00:00:00Z") {
        bench.clock.turn(SignedDuration::from_mins(rng.random_range(30..600)));
        // People move most just before their birthday, where it matters.
        for user in &mut users {
            let birthday: Date = user.birthday.parse().unwrap();
            let today = rules::zone(&user.zone).unwrap().to_datetime(bench.clock.now()).date();
            let near = (today - birthday.with().year(2026).build().unwrap()).get_days().abs() <= 2;
            if rng.random_bool(if near { 0.4 } else { 0.01 }) {
                *user = bench.move_to(user, &zones[rng.random_range(0..zones.len())]).await;
            }
        }
        scheduler.step().await.unwrap();
        for id in bench.deliver().await {
            let user = users.iter().find(|user| id.starts_with(&user.id)).unwrap();
            // Whenever it is sent, it is the morning of the birthday, or later, where they live.
            let there = rules::zone(&user.zone).unwrap().to_datetime(bench.clock.now());
            let birthday: Date = user.birthday.parse().unwrap();
            let morning = birthday.with().year(2026).build().unwrap().at(9, 0, 0, 0);
            assert!(there >= morning, "{} in {}: sent at {there}", user.birthday, user.zone);
            *times.entry(id).or_insert(0) += 1;
        }
    }
    for user in &users {
        assert_eq!(times.remove(&id(user, 2026)), Some(1), "{} in {}", user.birthday, user.zone);
    }
    assert!(times.is_empty(), "{times:?}");
}

async fn a_plan_older_than_its_user_is_worked_out_again(bench: &Bench) {
    // As if planning had read the users before they changed, and stored the messages after.
    let moved = bench.add("1990-06-10", "America/New_York").await;
    let reborn = bench.add("1990-11-11", "UTC").await;
    bench.clock.turn(SignedDuration::from_hours(24 * 160));
    let deleted = bench.add("1990-11-11", "UTC").await;
    let stale = [&moved, &reborn, &deleted].map(|user| Planned {
        user_id: user.id.clone(),
        version: user.version,
        year: 2026,
        due: bench.clock.now(),
    });
    let older = Planned { version: 0, ..stale[0].clone() };
    let (mut connection, now) = (bench.kit.db.write.acquire().await.unwrap(), bench.clock.now());
    // When it is known to be older, it is not stored at all.
    assert_eq!(messages::plan(&mut connection, &[older], now).await.unwrap(), 0);
    assert_eq!(messages::plan(&mut connection, &stale, now).await.unwrap(), 3);
    assert!(users::delete(&mut connection, &deleted.id).await.unwrap());
    drop(connection);
    let scheduler = Scheduler::new(bench.birthday.clone());
    let step = scheduler.step().await.unwrap();
    assert_eq!((bench.clock.now(), step), (at("2026-06-10T00:00:00Z"), Step::Worked { published: 0 }));
    let delivered = bench.run_for(&scheduler, 24 * 160, 1).await;
    let expected =
        [(id(&moved, 2026), at("2026-06-10T13:00:00Z")), (id(&reborn, 2026), at("2026-11-11T09:00:00Z"))];
    assert_eq!(delivered, expected);
}

async fn one_of_two_schedulers_is_at_work_and_the_other_takes_over(bench: &Bench) {
    let (other, others_clock) = bench.another();
    let (first, second) = (Scheduler::new(bench.birthday.clone()), Scheduler::new(other));
    let works = |step: anyhow::Result<Step>| matches!(step.unwrap(), Step::Worked { .. });
    let turn_both = |by: SignedDuration| {
        bench.clock.turn(by);
        others_clock.turn(by);
    };
    assert!(works(first.step().await));
    for _ in 0..5 {
        turn_both(SignedDuration::from_secs(20));
        assert!(!works(second.step().await));
        assert!(works(first.step().await));
    }
    // The first dies, and after the lease of 30 s the second takes over.
    turn_both(SignedDuration::from_secs(30));
    assert!(!works(second.step().await));
    turn_both(SignedDuration::from_secs(1));
    assert!(works(second.step().await));
    assert!(!works(first.step().await));
    // The second's clock was days ahead when it died. That does not keep the first out.
    others_clock.turn(SignedDuration::from_hours(72));
    assert!(works(second.step().await));
    assert!(works(first.step().await));
}

async fn two_that_both_believe_to_be_at_work_publish_each_message_once(bench: &Bench) {
    let (users, per_task) = (10_000, 1_250);
    let adding = (0..users / per_task).map(|task| {
        let (birthday, now) = (bench.birthday.clone(), bench.clock.now());
        tokio::spawn(async move {
            for number in 0..per_task {
                let zone = ["UTC", "Asia/Tokyo", "America/Lima"][(task + number) % 3];
                birthday.add(&person("1990-04-01", zone), now).await.unwrap();
            }
        })
    });
    for task in adding.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let (other, others_clock) = bench.another();
    // 31 March: all are near, and both plan.
    bench.clock.turn(SignedDuration::from_hours(24 * 89));
    others_clock.turn(SignedDuration::from_hours(24 * 89));
    let now = bench.clock.now();
    let started = std::time::Instant::now();
    let (one, two) = tokio::join!(bench.birthday.plan(now), other.plan(now));
    assert_eq!(one.unwrap().scheduled + two.unwrap().scheduled, users as u64);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?} for the daily run", started.elapsed());
    let due = now + SignedDuration::from_hours(48);
    let (one, two) = tokio::join!(bench.birthday.dispatch(due), other.dispatch(due));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one + two, users as u64);
    let mut ids = bench.take().await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), users);
}

async fn a_queue_that_takes_nothing_leaves_messages_in_the_outbox(bench: &Bench) {
    let queue = Queue::connect_bounded("memory:", 3).await.unwrap();
    let mut settings = (*bench.kit.settings).clone();
    settings.birthday.birthday_batch = 2;
    let kit = Kit { queue, metrics: Metrics::default(), settings: Arc::new(settings), ..bench.kit.clone() };
    let birthday = Arc::new(Birthday::new(&kit, bench.clock.clone()));
    let full = Bench { kit, clock: bench.clock.clone(), birthday: birthday.clone(), schema: None };
    for _ in 0..7 {
        full.add("1990-01-01", "Asia/Tokyo").await;
    }
    bench.clock.turn(SignedDuration::from_hours(1));
    let scheduler = Scheduler::new(birthday);
    let mut published = Vec::new();
    for (left, taken) in [(5, 2), (3, 2)] {
        let refused = scheduler.step().await.unwrap_err().to_string();
        assert!(refused.contains("full"), "{refused}");
        assert_eq!(messages::outbox(&full.kit.db.write, full.clock.now()).await.unwrap(), left);
        let ids = full.deliver().await;
        assert_eq!(ids.len(), taken);
        published.extend(ids);
    }
    assert_eq!(scheduler.step().await.unwrap(), Step::Worked { published: 3 });
    published.extend(full.deliver().await);
    published.sort();
    published.dedup();
    assert_eq!(published.len(), 7);
}

async fn what_the_queue_lost_is_published_again(bench: &Bench) {
    let user = bench.add("1990-01-01", "Asia/Tokyo").await;
    let scheduler = Scheduler::new(bench.birthday.clone());
    bench.clock.turn(SignedDuration::from_hours(1));
    assert_eq!(scheduler.step().await.unwrap(), Step::Worked { published: 1 });
    // Gone, and nobody tells of it.
    assert_eq!(bench.take().await, [id(&user, 2026)]);
    bench.clock.turn(SignedDuration::from_mins(14));
    assert_eq!(bench.birthday.find_lost(bench.clock.now()).await.unwrap(), 0);
    bench.clock.turn(SignedDuration::from_mins(2));
    assert_eq!(bench.birthday.find_lost(bench.clock.now()).await.unwrap(), 1);
    assert_eq!(scheduler.step().await.unwrap(), Step::Worked { published: 1 });
    // While it is in the queue it is not lost, however long it takes.
    bench.clock.turn(SignedDuration::from_hours(3));
    assert_eq!(bench.birthday.find_lost(bench.clock.now()).await.unwrap(), 0);
    assert_eq!(bench.deliver().await, [id(&user, 2026)]);
    bench.clock.turn(SignedDuration::from_hours(3));
    assert_eq!(bench.birthday.find_lost(bench.clock.now()).await.unwrap(), 0);
}

async fn a_claim_of_somebody_who_died_runs_out(bench: &Bench) {
    let user = bench.add("1990-01-01", "Asia/Tokyo").await;
    bench.clock.turn(SignedDuration::from_hours(1));
    let (db, now) = (&bench.kit.db.write, bench.clock.now());
    let hold = SignedDuration::from_secs(120);
    let claimed = messages::claim(db, "somebody", now, hold, 10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(bench.birthday.dispatch(now).await.unwrap(), 0);
    assert_eq!(bench.birthday.dispatch(now + hold).await.unwrap(), 0);
    let later = now + hold + SignedDuration::from_millis(1);
    assert_eq!(bench.birthday.dispatch(later).await.unwrap(), 1);
    assert_eq!(bench.deliver().await, [id(&user, 2026)]);
    // Not dead after all: it has published too, and finds that the row is no longer its own.
    assert_eq!(messages::mark_enqueued(db, "somebody", later).await.unwrap(), 0);
}
