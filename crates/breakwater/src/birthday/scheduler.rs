//! The scheduler's loop: one of all instances is at work, the others stand by to take over.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use uuid::Uuid;

use super::{Birthday, plan, storage::lease};

/// The pause after a failure; it doubles up to the interval.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// One instance.
pub struct Scheduler {
    birthday: Arc<Birthday>,
    /// Its name in the lease.
    holder: String,
}

/// What an instance did at one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another is at work.
    StoodBy,
    /// It was at work and published so many messages.
    Worked { published: u64 },
}

impl Scheduler {
    pub fn new(birthday: Arc<Birthday>) -> Self {
        Self { birthday, holder: Uuid::now_v7().to_string() }
    }

    /// Works until the process is to end.
    pub async fn run(self) {
        let shutdown = self.birthday.kit.shutdown.clone();
        let interval = self.birthday.settings().interval();
        let mut pause = FIRST_PAUSE;
        while !shutdown.is_cancelled() {
            let step = self.step().await;
            let at_work = matches!(step, Ok(Step::Worked { .. }));
            let wait = match step {
                Ok(Step::Worked { .. }) => interval,
                Ok(Step::StoodBy) => self.third().min(interval),
                Err(error) => {
                    tracing::warn!("the scheduler could not do its work and tries again: {error:#}");
                    pause.min(interval)
                }
            };
            pause = if at_work { FIRST_PAUSE } else { wait.saturating_mul(2) };
            let rest = async {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    // When that fails, so will the next step.
                    _ = self.keep(), if at_work => {}
                }
            };
            shutdown.run_until_cancelled(rest).await;
        }
        if let Err(error) = lease::release(&self.birthday.kit.db.write, &self.holder).await {
            tracing::warn!(%error, "the scheduler's lease was not given back and runs out");
        }
    }

    /// Takes the lease if it is to be had, and does what is due.
    pub async fn step(&self) -> anyhow::Result<Step> {
        let held = self.hold().await?;
        self.birthday.measures.at_work.set(i64::from(held.is_some()));
        let Some(planned) = held else { return Ok(Step::StoodBy) };
        tokio::select! {
            published = self.work(planned) => Ok(Step::Worked { published: published? }),
            lost = self.keep() => lost.map(|()| Step::StoodBy),
        }
    }

    async fn hold(&self) -> sqlx::Result<Option<lease::Planned>> {
        let (now, length) = (self.birthday.clock.now(), self.birthday.settings().lease());
        lease::hold(&self.birthday.kit.db.write, &self.holder, now, length).await
    }

    async fn work(&self, planned: lease::Planned) -> anyhow::Result<u64> {
        let now = self.birthday.clock.now();
        // Also when the clock is back before the last run.
        let age = SignedDuration::from_millis(now.as_millisecond() - planned.planned_ms);
        if age.is_negative() || age >= plan::EVERY {
            self.birthday.plan(now).await?;
        }
        let published = self.birthday.dispatch(now).await?;
        self.birthday.find_lost(now).await?;
        Ok(published)
    }

    /// Renews the lease, and ends when another has it.
    async fn keep(&self) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(self.third()).await;
            if self.hold().await?.is_none() {
                return Ok(());
            }
        }
    }

    /// A third of the lease: two renewals may fail before it runs out.
    fn third(&self) -> Duration {
        Duration::from_millis(self.birthday.settings().birthday_lease_ms / 3)
    }
}
