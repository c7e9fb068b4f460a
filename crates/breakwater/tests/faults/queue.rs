//! RabbitMQ is gone or silent: Birthday keeps its messages in the outbox, and each reaches its mailbox once it is back.

use breakwater::kit::mail::Mailer;
use jiff::{Timestamp, tz::TimeZone};

use super::*;
use crate::proxy::{Proxy, Way};

/// Messages of each part of the test.
const MESSAGES: u64 = 30;

/// Somebody whose birthday is today, and whose message is due since midnight.
fn celebrating(number: u64) -> serde_json::Value {
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    // Leap years take every day.
    let birthday = format!("1996-{:02}-{:02}", today.month(), today.day());
    json!({ "name": "Ada", "email": format!("ada{number}@example.org"), "birthday": birthday, "time_zone": "UTC" })
}

async fn create(service: &Service, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let call = Call::new(service.address(), Method::POST, "/api/v1/users").json(celebrating(number));
        call.send().await.expect(201);
    }
}

/// Waits until the mailboxes show so many messages.
async fn until_shown(service: &Service, count: u64) {
    let Mailer::Sink(sink) = &service.kit().mailer else { panic!("the mailer is a sink by default") };
    let begun = Instant::now();
    while sink.counts().shown < count {
        assert!(begun.elapsed() < LONG, "of {count} messages came {:?}", sink.counts());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(sink.counts().shown, count, "nobody gets more than one");
}

async fn survives(lost: Way) {
    let broker = std::env::var("BREAKWATER_TEST_AMQP").expect("BREAKWATER_TEST_AMQP is a URL");
    let proxy = Proxy::before(&broker).await;
    let mut settings = settings();
    settings.messages.queue = proxy.url.clone();
    settings.birthday.birthday_queue = format!("faults-{}", uuid::Uuid::new_v4().simple());
    settings.birthday.birthday_send_at = jiff::civil::Time::midnight();
    settings.birthday.birthday_interval_ms = 50;
    let service = Service::start(System::Birthday, settings).await.expect("the service starts");
    create(&service, 0..MESSAGES).await;
    until_shown(&service, MESSAGES).await;

    proxy.turn(lost);
    // People come all the same, and their messages wait in the database.
    create(&service, MESSAGES..2 * MESSAGES).await;
    get(&service, "/health").send().await.expect(200);

    proxy.turn(Way::Open);
    until_shown(&service, 2 * MESSAGES).await;
    service.stop().await;
}

#[tokio::test]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn gone_and_back() {
    survives(Way::Cut).await;
}

#[tokio::test]
#[ignore = "needs RabbitMQ: BREAKWATER_TEST_AMQP"]
async fn silent_and_back() {
    survives(Way::Silent).await;
}
