//! Birthday over HTTP: people, messages, and the way from the one to the other.

mod common;
#[path = "birthday/rates.rs"]
mod rates;
#[path = "birthday/schedule.rs"]
mod schedule;

use std::time::Duration;

use breakwater::{kit::config::Settings, service::System};
use common::App;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

const ADMIN: &str = "let me in";

/// The schedulers look every few milliseconds.
fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.server.admin_token = Some(ADMIN.into());
    settings.birthday.birthday_interval_ms = 20;
    settings.birthday.birthday_retry_ms = 1;
    settings.birthday.birthday_attempts = 3;
    settings
}

common::on_each_database!(
    System::Birthday,
    settings(),
    [
        a_person_is_created_read_replaced_and_deleted,
        a_change_names_the_version_it_is_made_to,
        of_parallel_changes_to_a_version_one_is_made,
        people_are_found_by_the_beginnings_of_names_and_addresses,
        pages_follow_each_other,
        bad_input_is_refused_by_name,
        a_message_goes_from_its_user_to_the_mailbox,
        a_message_that_is_refused_for_now_is_sent_later,
        a_message_that_nobody_takes_is_a_dead_letter,
        a_message_moves_with_its_user,
        deleted_people_get_nothing,
        the_schedulers_can_be_run_by_hand,
    ]
);

/// Somebody whose birthday it is, now, after nine in the morning.
fn celebrating(email: &str) -> Value {
    let now = Timestamp::now();
    // Somewhere it is past noon.
    let zone = ["UTC", "Pacific/Honolulu", "Asia/Tokyo"].into_iter().find(|name| {
        let zone = breakwater::birthday::rules::zone(name).expect("it is a zone");
        (12..22).contains(&zone.to_datetime(now).hour())
    });
    let zone = zone.expect("one of three zones eight hours or so apart is between noon and ten");
    let today = breakwater::birthday::rules::zone(zone).expect("as above").to_datetime(now).date();
    // Leap years take every day.
    let birthday = format!("1996-{:02}-{:02}", today.month(), today.day());
    json!({ "name": "Ada Lovelace", "email": email, "birthday": birthday, "time_zone": zone })
}

/// Somebody whose birthday is far off.
fn waiting(name: &str, email: &str) -> Value {
    let far = TimeZone::UTC.to_datetime(Timestamp::now() + SignedDuration::from_hours(24 * 100)).date();
    let birthday = format!("1996-{:02}-{:02}", far.month(), far.day());
    json!({ "name": name, "email": email, "birthday": birthday, "time_zone": "Europe/Berlin" })
}

async fn create(app: &App, person: Value) -> Value {
    app.post("/api/v1/users", person).send().await.expect(201).json()
}

fn path(user: &Value) -> String {
    format!("/api/v1/users/{}", user["id"].as_str().unwrap())
}

async fn messages(app: &App, user: &Value) -> Vec<Value> {
    let path = format!("/api/v1/messages?user_id={}", user["id"].as_str().unwrap());
    app.get(&path).send().await.expect(200).json()["messages"].as_array().unwrap().clone()
}

/// The user's only message once it is in this state.
async fn message_in(app: &App, user: &Value, state: &str) -> Value {
    let waiting = async {
        loop {
            if let [message] = &messages(app, user).await[..]
                && message["state"] == state
            {
                return message.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(20), waiting).await {
        Ok(message) => message,
        Err(_) => panic!("the message is not {state}: {:?}", messages(app, user).await),
    }
}

async fn a_person_is_created_read_replaced_and_deleted(app: &App) {
    let answer = app.post("/api/v1/users", waiting("Ada", "ada@example.org")).send().await.expect(201);
    let user = answer.json();
    assert_eq!(answer.header("location"), format!("users/{}", user["id"].as_str().unwrap()));
    assert_eq!((&user["name"], &user["version"]), (&json!("Ada"), &json!(1)));
    let read = app.get(&path(&user)).send().await.expect(200).json();
    assert_eq!(read, user);

    let mut change = waiting("Grace", "grace@example.org");
    change["version"] = json!(1);
    let changed = app.put(&path(&user), change).send().await.expect(200).json();
    assert_eq!((&changed["name"], &changed["version"]), (&json!("Grace"), &json!(2)));
    assert_eq!(changed["created_at"], user["created_at"]);
    assert_eq!(app.get(&path(&user)).send().await.expect(200).json(), changed);

    app.delete(&path(&user)).send().await.expect(204);
    app.get(&path(&user)).send().await.problem(404);
    app.delete(&path(&user)).send().await.problem(404);
    app.get("/api/v1/users/nobody").send().await.problem(404);
}

async fn a_change_names_the_version_it_is_made_to(app: &App) {
    let user = create(app, waiting("Ada", "ada@example.org")).await;
    app.put(&path(&user), waiting("Ada", "ada@example.org")).send().await.problem(428);
    let matching = app.put(&path(&user), waiting("Eve", "ada@example.org")).header("if-match", "\"1\"");
    assert_eq!(matching.send().await.expect(200).json()["version"], 2);
    let mut late = waiting("Late", "ada@example.org");
    late["version"] = json!(1);
    app.put(&path(&user), late.clone()).send().await.problem(409);
    // The header comes first, also before a body that is right.
    let late_by_header =
        |body: &Value, tag: &str| app.put(&path(&user), body.clone()).header("if-match", tag);
    let mut present = late.clone();
    present["version"] = json!(2);
    late_by_header(&present, "\"1\"").send().await.problem(412);
    late_by_header(&present, "2").send().await.problem(412);
    late_by_header(&present, "*").send().await.problem(428);
    app.put("/api/v1/users/01900000-0000-7000-8000-000000000000", late).send().await.problem(404);
}

async fn of_parallel_changes_to_a_version_one_is_made(app: &App) {
    let user = create(app, celebrating("ada@example.org")).await;
    let changes = (0..10).map(|number| {
        let mut change = celebrating(&format!("ada{number}@example.org"));
        change["version"] = json!(1);
        app.put(&path(&user), change).send()
    });
    let answers = futures_util::future::join_all(changes).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(made.len(), 1);
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status.as_u16())));
    assert_eq!(app.get(&path(&user)).send().await.expect(200).json(), made[0].json());
}

async fn people_are_found_by_the_beginnings_of_names_and_addresses(app: &App) {
    for (name, email) in
        [("Ada Lovelace", "x1@example.org"), ("ADAM", "x2@example.org"), ("Bob", "ada@example.org")]
    {
        create(app, waiting(name, email)).await;
    }
    create(app, waiting("Zoë Ångström", "z%_@example.org")).await;
    let found = async |search: &str| {
        let page = app.get(&format!("/api/v1/users?search={search}")).send().await.expect(200).json();
        page["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("ada").await, ["Ada Lovelace", "ADAM", "Bob"]);
    assert_eq!(found("ADA%20").await, ["Ada Lovelace"]);
    assert_eq!(found("zo%C3%8B").await, ["Zoë Ångström"]);
    assert_eq!(found("%25").await, [""; 0]);
    assert_eq!(found("z%25_").await, ["Zoë Ångström"]);
    assert_eq!(found("").await.len(), 4);
}

async fn pages_follow_each_other(app: &App) {
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.push(create(app, waiting("Ada", &format!("ada{number}@example.org"))).await);
    }
    for search in ["", "&search=ada"] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page =
                app.get(&format!("/api/v1/users?limit=2{search}{after}")).send().await.expect(200).json();
            seen.extend(page["users"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, expected);
    }
}

async fn bad_input_is_refused_by_name(app: &App) {
    let good = waiting("Ada", "ada@example.org");
    for (field, value, status) in [
        ("name", json!(""), 422),
        ("name", json!(5), 422),
        ("email", json!("ada"), 422),
        ("birthday", json!("2001-02-29"), 422),
        ("time_zone", json!("Mars/Olympus"), 422),
        ("time_zone", json!(null), 422),
        ("nickname", json!("A"), 422),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let problem = app.post("/api/v1/users", bad.clone()).send().await.problem(status);
        assert!(problem["detail"].as_str().unwrap().contains(field), "{field}: {problem}");
    }
    app.post("/api/v1/users", json!([])).send().await.problem(422);
    for path in ["/api/v1/users?limit=0", "/api/v1/users?limit=101", "/api/v1/messages?limit=1000"] {
        app.get(path).send().await.problem(422);
    }
    for path in [
        "/api/v1/users?limit=x",
        "/api/v1/users?page=1",
        "/api/v1/users?after=x",
        "/api/v1/messages?state=lost",
    ] {
        app.get(path).send().await.problem(400);
    }
    app.call(http::Method::PATCH, "/api/v1/users").send().await.problem(405);
}

async fn a_message_goes_from_its_user_to_the_mailbox(app: &App) {
    let user = create(app, celebrating("ada@example.org")).await;
    let message = message_in(app, &user, "delivered").await;
    assert_eq!(message["user_id"], user["id"]);
    let instants: Vec<Timestamp> = ["due_at", "scheduled_at", "enqueued_at", "delivered_at"]
        .map(|field| {
            message[field].as_str().unwrap_or_else(|| panic!("{field} of {message}")).parse().unwrap()
        })
        .to_vec();
    assert!(instants.is_sorted(), "{message}");
    let delivered = app.get("/api/v1/messages?state=delivered").send().await.expect(200).json();
    assert_eq!(delivered["messages"], json!([message]));
    let queue = app.get("/api/v1/queue").send().await.expect(200).json();
    assert_eq!((&queue["outbox"], &queue["ready"], &queue["dead"]), (&json!(0), &json!(0), &json!(0)));
    // It stays the only one, whatever becomes of its user.
    let mut change = celebrating("ada@example.org");
    change["version"] = json!(1);
    change["time_zone"] = json!("Pacific/Kiritimati");
    app.put(&path(&user), change).send().await.expect(200);
    app.post("/api/v1/schedule/run", json!({})).bearer(ADMIN).send().await.expect(200);
    assert_eq!(messages(app, &user).await, [message]);
}

async fn a_message_that_is_refused_for_now_is_sent_later(app: &App) {
    let user = create(app, celebrating("ada@later.invalid")).await;
    let message = message_in(app, &user, "delivered").await;
    assert_eq!((&message["attempts"], &message["error"]), (&json!(2), &json!(null)));
}

async fn a_message_that_nobody_takes_is_a_dead_letter(app: &App) {
    let unknown = create(app, celebrating("ada@unknown.invalid")).await;
    let message = message_in(app, &unknown, "dead").await;
    assert_eq!(message["attempts"], 1);
    assert!(message["error"].as_str().unwrap().contains("not known"), "{message}");
    let busy = create(app, celebrating("ada@busy.invalid")).await;
    let message = message_in(app, &busy, "dead").await;
    assert_eq!(message["attempts"], 3);
    assert!(message["error"].as_str().unwrap().contains("after 3 attempts"), "{message}");
}

async fn a_message_moves_with_its_user(app: &App) {
    // Tomorrow in UTC, so that it is foreseen and not due yet.
    let tomorrow = TimeZone::UTC.to_datetime(Timestamp::now() + SignedDuration::from_hours(40)).date();
    let mut person = waiting("Ada", "ada@example.org");
    person["birthday"] = json!(format!("1996-{:02}-{:02}", tomorrow.month(), tomorrow.day()));
    person["time_zone"] = json!("Asia/Tokyo");
    let user = create(app, person.clone()).await;
    let due = |message: &Value| message["due_at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let in_tokyo = due(&message_in(app, &user, "scheduled").await);
    assert_eq!(TimeZone::UTC.to_datetime(in_tokyo).to_string(), format!("{tomorrow}T00:00:00"));
    // Three hours west.
    person["time_zone"] = json!("Asia/Dhaka");
    person["version"] = json!(1);
    app.put(&path(&user), person).send().await.expect(200);
    let in_dhaka = due(&message_in(app, &user, "scheduled").await);
    assert_eq!(in_dhaka.duration_since(in_tokyo), SignedDuration::from_hours(3));
    // Another birthday: nothing is foreseen any more.
    let mut change = waiting("Ada", "ada@example.org");
    change["version"] = json!(2);
    app.put(&path(&user), change).send().await.expect(200);
    assert_eq!(messages(app, &user).await, [json!(null); 0]);
}

async fn deleted_people_get_nothing(app: &App) {
    let tomorrow = TimeZone::UTC.to_datetime(Timestamp::now() + SignedDuration::from_hours(30)).date();
    let mut person = waiting("Ada", "ada@example.org");
    person["birthday"] = json!(format!("1996-{:02}-{:02}", tomorrow.month(), tomorrow.day()));
    let user = create(app, person).await;
    message_in(app, &user, "scheduled").await;
    app.delete(&path(&user)).send().await.expect(204);
    assert_eq!(messages(app, &user).await, [json!(null); 0]);
}

async fn the_schedulers_can_be_run_by_hand(app: &App) {
    let run = "/api/v1/schedule/run";
    app.post(run, json!({})).send().await.problem(401);
    app.post(run, json!({})).bearer("wrong").send().await.problem(401);
    app.post(&format!("{run}?part=hourly"), json!({})).bearer(ADMIN).send().await.problem(400);
    create(app, celebrating("ada@example.org")).await;
    let daily =
        app.post(&format!("{run}?part=daily"), json!({})).bearer(ADMIN).send().await.expect(200).json();
    // It is stored since its user is.
    assert_eq!(
        (&daily["people"], &daily["scheduled"], &daily["enqueued"]),
        (&json!(1), &json!(0), &json!(0))
    );
    app.post(&format!("{run}?part=minute"), json!({})).bearer(ADMIN).send().await.expect(200);
}

#[tokio::test]
async fn a_token_closes_the_service_when_there_is_one() {
    let mut settings = settings();
    settings.birthday.birthday_token = Some("sesame".into());
    settings.server.admin_token = None;
    let app = App::on_sqlite(System::Birthday, settings).await;
    app.get("/api/v1/users").send().await.problem(401);
    app.get("/api/v1/queue").bearer("simsim").send().await.problem(401);
    app.get("/api/v1/users").bearer("sesame").send().await.expect(200);
    app.get("/health").send().await.expect(200);
    // And without the other token there is no administration.
    app.post("/api/v1/schedule/run", json!({})).bearer("sesame").send().await.problem(403);
    app.end().await;
}

#[tokio::test]
async fn parts_in_processes_of_their_own_need_a_queue_that_they_share() {
    let mut settings = settings();
    settings.birthday.birthday_role = breakwater::birthday::settings::Role::Worker;
    settings.server.listen = "127.0.0.1:0".parse().unwrap();
    let refused =
        breakwater::service::Service::start(System::Birthday, settings).await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("--queue amqp://"), "{refused}");
}

#[tokio::test]
async fn what_was_on_the_way_in_memory_is_sent_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.server.listen = "127.0.0.1:0".parse().unwrap();
    settings.storage.database = format!("sqlite:{}", folder.path().join("birthday.db").display());
    // The first process dies with the message in its queue: nobody takes it in a minute.
    settings.messages.mail = "sink:?delay_ms=60000".to_owned();
    settings.server.drain_timeout_ms = 1;
    let first = breakwater::service::Service::start(System::Birthday, settings.clone()).await.unwrap();
    let call = common::Call::new(first.address(), http::Method::POST, "/api/v1/users");
    let user = call.json(celebrating("ada@example.org")).send().await.expect(201).json();
    let path = format!("/api/v1/messages?user_id={}", user["id"].as_str().unwrap());
    let state = async |address| {
        let page = common::Call::new(address, http::Method::GET, &path).send().await.expect(200).json();
        page["messages"][0]["state"].as_str().unwrap_or_default().to_owned()
    };
    while state(first.address()).await != "enqueued" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    first.stop().await;
    settings.messages.mail = "sink:".to_owned();
    let second = breakwater::service::Service::start(System::Birthday, settings).await.unwrap();
    while state(second.address()).await != "delivered" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    second.stop().await;
}
