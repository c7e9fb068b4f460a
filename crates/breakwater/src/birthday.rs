//! Birthday: messages on people's birthdays, at their own morning, once.
//!
//! A person's message of a year is a row from when it is foreseeable ([`plan`]), goes into the queue when it is due
//! ([`dispatch`]) and is sent by a worker ([`worker`]). Each step is repeated after a crash, and recognises what was done by
//! the message's id: nothing is lost, and what is sent twice has one Message-ID, by which mailboxes show it once.
//!
//! Who may connect is served, unless there is a `--birthday-token`: this is a service for other services, on loopback by
//! default.

mod api;
pub mod clock;
mod coalesce;
mod dispatch;
mod measures;
pub mod people;
pub mod plan;
pub mod rules;
pub mod scheduler;
pub mod settings;
pub mod storage;
pub mod worker;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use utoipa_axum::router::OpenApiRouter;

use self::{
    clock::Clock,
    measures::Measures,
    rules::Rules,
    scheduler::Scheduler,
    settings::{BirthdaySettings, Role},
    storage::messages,
};
use crate::kit::{Kit, queue::Queue};

/// What its parts share.
pub struct Birthday {
    kit: Kit,
    clock: Clock,
    rules: Rules,
    measures: Measures,
}

impl Birthday {
    /// Registers its metrics: once a [`Kit`].
    pub fn new(kit: &Kit, clock: Clock) -> Self {
        let (rules, measures) = (kit.settings.birthday.rules(), Measures::new(&kit.metrics));
        Self { kit: kit.clone(), clock, rules, measures }
    }

    fn settings(&self) -> &BirthdaySettings {
        &self.kit.settings.birthday
    }

    fn queue_name(&self) -> &str {
        &self.settings().birthday_queue
    }
}

/// Starts its background work and gives its routes.
pub async fn start(kit: &Kit) -> anyhow::Result<OpenApiRouter> {
    let (settings, role) = (&kit.settings.birthday, kit.settings.birthday.birthday_role);
    anyhow::ensure!(
        role == Role::All || !matches!(kit.queue, Queue::Memory(_)),
        "--birthday-role: parts in processes of their own need a queue that they share: --queue amqp://…"
    );
    if role.has(Role::Api)
        && settings.birthday_token.is_none()
        && !kit.settings.server.listen.ip().is_loopback()
    {
        tracing::warn!("whoever can connect may read and change people: --birthday-token asks for a token");
    }
    let birthday = Arc::new(Birthday::new(kit, Clock::System));
    if matches!(kit.queue, Queue::Memory(_)) {
        // Whatever was in the queue went with the process that had it.
        let lost = messages::reschedule_lost(&kit.db.write, Timestamp::MAX).await?;
        birthday.measures.lost.inc_by(lost);
    }
    if role.has(Role::Scheduler) {
        kit.tasks.spawn(Scheduler::new(birthday.clone()).run());
    }
    if role.has(Role::Worker) {
        kit.tasks.spawn(work(birthday.clone()));
    }
    Ok(if role.has(Role::Api) { api::routes(birthday) } else { OpenApiRouter::new() })
}

/// Runs a worker, again when the queue could not be had.
async fn work(birthday: Arc<Birthday>) {
    let shutdown = birthday.kit.shutdown.clone();
    while let Err(error) = worker::run(birthday.clone()).await {
        tracing::warn!(%error, "the worker cannot take messages and tries again");
        if shutdown.run_until_cancelled(tokio::time::sleep(Duration::from_secs(1))).await.is_none() {
            return;
        }
    }
}
