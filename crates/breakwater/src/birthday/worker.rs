//! A worker: takes messages from the queue and sends them.
//!
//! A message is acknowledged when the database has what became of it, and not before. Who dies between sending and noting
//! has it sent again by another, under the same Message-ID.

use std::{collections::HashMap, sync::Arc, time::Duration, time::Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    Birthday,
    clock::at_ms,
    coalesce::{Asker, coalesce},
    storage::messages::{self, Letter, Settled, State},
};
use crate::kit::{
    mail::{Mail, MailError},
    queue::{Delivery, QueueError},
};

/// Rows read or written at a time.
const BATCH: usize = 256;

/// The pause before the database is asked again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Clocks of scheduler and worker may differ by so much, and a message must not be dropped for it.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// What the tasks of one worker share.
struct Desk {
    birthday: Arc<Birthday>,
    letters: Asker<String, Option<Letter>>,
    settlements: Asker<Settled, ()>,
}

/// Sends what comes until the process is to end or the queue is closed, then ends what it has begun.
pub async fn run(birthday: Arc<Birthday>) -> Result<(), QueueError> {
    let concurrency = birthday.settings().birthday_concurrency;
    // As many again wait here, so that who has sent one has the next at hand.
    let mut consumer =
        birthday.kit.queue.consume(birthday.queue_name(), concurrency.saturating_mul(2)).await?;
    let (letters, reading) = {
        let db = birthday.kit.db.write.clone();
        coalesce(BATCH, move |ids: Vec<String>| {
            let db = db.clone();
            async move {
                let found = messages::letters(&db, &ids).await?;
                let found: HashMap<_, _> =
                    found.into_iter().map(|letter| (letter.id.clone(), letter)).collect();
                Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
            }
        })
    };
    let (settlements, writing) = {
        let db = birthday.kit.db.write.clone();
        coalesce(BATCH, move |settled: Vec<Settled>| {
            let db = db.clone();
            async move {
                messages::settle(&db, &settled).await?;
                Ok(vec![(); settled.len()])
            }
        })
    };
    let desk = Arc::new(Desk { birthday: birthday.clone(), letters, settlements });
    let shutdown = birthday.kit.shutdown.clone();
    let sending = async move {
        let places = Arc::new(Semaphore::new(concurrency.into()));
        // Dropped with this future, and its tasks with it.
        let mut tasks = JoinSet::new();
        let taking = async {
            loop {
                let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
                let Some(delivery) = consumer.next().await else { break };
                while tasks.try_join_next().is_some() {}
                let desk = desk.clone();
                tasks.spawn(async move {
                    desk.work_on(delivery).await;
                    drop(place);
                });
            }
        };
        shutdown.run_until_cancelled(taking).await;
        // The consumer lives until they are done: without it their messages would be given back.
        while tasks.join_next().await.is_some() {}
        drop(consumer);
        // And with the last who asks, the two that answer end.
        drop(desk);
    };
    tokio::join!(sending, reading, writing);
    Ok(())
}

/// Why a message goes back to the queue.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("the process ends before the database has answered")]
    Stopping,
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// What sending came to.
enum Sent {
    Delivered,
    Retry { after: Duration, error: String },
    Dead(String),
}

impl Desk {
    async fn work_on(&self, delivery: Delivery) {
        let id = delivery.id.clone();
        match self.answer(delivery).await {
            Ok(()) => {}
            Err(Unanswered::Stopping) => tracing::debug!(id, "the process ends; the message goes back"),
            // It comes again, and its row tells what became of it.
            Err(Unanswered::Queue(error)) => tracing::debug!(id, %error, "a message could not be answered"),
        }
    }

    async fn answer(&self, delivery: Delivery) -> Result<(), Unanswered> {
        let (id, attempt) = (delivery.id.clone(), delivery.attempt);
        let measures = &self.birthday.measures;
        let none = Duration::ZERO;
        match self.address(self.read(&id).await?) {
            Address::Known { mail, wanted } => match self.send(&mail, attempt).await {
                Sent::Delivered => {
                    let lag = self.birthday.clock.now().duration_since(wanted);
                    self.settle(&id, State::Delivered, attempt, None, none).await?;
                    measures.delivered.inc();
                    measures.lag_seconds.observe(lag.as_secs_f64().max(0.0));
                    delivery.ack().await?;
                }
                Sent::Retry { after, error } => {
                    self.settle(&id, State::Enqueued, attempt, Some(error), after).await?;
                    measures.retries.inc();
                    delivery.retry(after).await?;
                }
                Sent::Dead(error) => {
                    self.settle(&id, State::Dead, attempt, Some(error.clone()), none).await?;
                    measures.dead.inc();
                    tracing::warn!(id, attempt, error, "a message is given up");
                    delivery.dead(&error).await?;
                }
            },
            Address::SentBefore => {
                measures.repeats.inc();
                delivery.ack().await?;
            }
            Address::GivenUpBefore(error) => delivery.dead(&error).await?,
            Address::Gone => {
                self.settle(&id, State::Cancelled, attempt, None, none).await?;
                measures.cancelled.inc();
                delivery.ack().await?;
            }
            Address::NotWanted => {
                measures.cancelled.inc();
                delivery.ack().await?;
            }
        }
        Ok(())
    }

    /// The row of a message, waiting for a database that is gone.
    async fn read(&self, id: &str) -> Result<Option<Letter>, Unanswered> {
        self.insist(&self.letters, id.to_owned()).await
    }

    /// Notes what became of a message, waiting for a database that is gone: without the note it would be sent again.
    async fn settle(
        &self,
        id: &str,
        state: State,
        attempts: u32,
        error: Option<String>,
        after: Duration,
    ) -> Result<(), Unanswered> {
        let touched = self.birthday.clock.now() + after;
        let settled = Settled { id: id.to_owned(), state, touched, attempts, error };
        self.insist(&self.settlements, settled).await
    }

    /// Asks until there is an answer, or the process ends.
    async fn insist<Q: Clone, A>(&self, asker: &Asker<Q, A>, question: Q) -> Result<A, Unanswered> {
        let mut pause = FIRST_PAUSE;
        loop {
            if let Ok(answer) = asker.ask(question.clone()).await {
                return Ok(answer);
            }
            let asleep = tokio::time::sleep(pause);
            let waited = self.birthday.kit.shutdown.run_until_cancelled(asleep).await;
            waited.ok_or(Unanswered::Stopping)?;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Whether a message is to be sent, and where.
    fn address(&self, letter: Option<Letter>) -> Address {
        let Some(letter) = letter else { return Address::NotWanted };
        match letter.state.as_str() {
            "delivered" => Address::SentBefore,
            "dead" => Address::GivenUpBefore(letter.error.unwrap_or_default()),
            "cancelled" => Address::NotWanted,
            // Published for a time that has changed since. The outbox has it, and publishes it again.
            "scheduled" if at_ms(letter.due_ms) > self.birthday.clock.now() + CLOCKS_DIFFER => {
                Address::NotWanted
            }
            _ => match (&letter.name, &letter.email) {
                (Some(name), Some(email)) => {
                    Address::Known { mail: mail(&letter.id, name, email), wanted: letter.wanted() }
                }
                _ => Address::Gone,
            },
        }
    }

    async fn send(&self, mail: &Mail, attempt: u32) -> Sent {
        let settings = self.birthday.settings();
        let started = Instant::now();
        let sent = tokio::time::timeout(settings.send_timeout(), self.birthday.kit.mailer.send(mail)).await;
        self.birthday.measures.send_seconds.observe(started.elapsed().as_secs_f64());
        let error = match sent {
            Ok(Ok(())) => return Sent::Delivered,
            Ok(Err(MailError::Permanent(error))) => return Sent::Dead(error),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("not sent within {} ms", settings.birthday_send_timeout_ms),
        };
        if attempt >= settings.birthday_attempts {
            return Sent::Dead(format!("given up after {attempt} attempts: {error}"));
        }
        Sent::Retry { after: settings.back_off(attempt, rand::random()), error }
    }
}

enum Address {
    /// To be sent. It was `wanted` when it was due, or when we knew of it.
    Known {
        mail: Mail,
        wanted: Timestamp,
    },
    SentBefore,
    GivenUpBefore(String),
    /// Its user was deleted.
    Gone,
    /// Its row was deleted, or is not due.
    NotWanted,
}

fn mail(id: &str, name: &str, email: &str) -> Mail {
    Mail {
        message_id: format!("{id}@breakwater"),
        to: email.to_owned(),
        subject: format!("Happy birthday, {name}!"),
        text: format!("Dear {name},\n\nall the best on your birthday!\n"),
    }
}
