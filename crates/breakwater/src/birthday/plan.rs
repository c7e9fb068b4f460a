//! The daily scheduler: stores the messages of the days to come.
//!
//! It looks further ahead than to its next run, and back to where the last one ended, so days on which nothing ran are made
//! up for. What is stored already is left as it is, so it may run as often as it likes, and many at once.

use std::time::Instant;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};

use super::{
    Birthday,
    clock::at_ms,
    rules::Window,
    storage::{
        lease,
        messages::{self, Planned},
        users::{self, User},
    },
};

/// How often it runs.
pub const EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How far ahead messages are stored: a run that fails leaves a day to notice.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(48);

/// Looked at again at each run: clocks of several machines do not agree.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// People read at a time.
const PAGE: i64 = 1_000;

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanReport {
    /// People whose birthday may be near.
    pub people: u64,
    /// Messages that were not stored before.
    pub scheduled: u64,
}

impl Birthday {
    /// Stores the messages that are due up to [`AHEAD`] from `now`.
    pub async fn plan(&self, now: Timestamp) -> anyhow::Result<PlanReport> {
        let started = Instant::now();
        let window = self.window(now, lease::planned(&self.kit.db.write).await?);
        let mut report = PlanReport::default();
        for day in window.days() {
            for month_day in self.rules.celebrated_on(day) {
                self.plan_born_on(month_day, window, now, &mut report).await?;
            }
        }
        lease::note(&self.kit.db.write, now, window.until).await?;
        self.measures.plan_seconds.observe(started.elapsed().as_secs_f64());
        tracing::info!(people = report.people, scheduled = report.scheduled, until = %window.until, "messages are planned");
        Ok(report)
    }

    /// From where the last run ended, if that is not too long ago; a clock that was ahead then does not count.
    fn window(&self, now: Timestamp, planned: lease::Planned) -> Window {
        let known =
            if planned.planned_until_ms == 0 { now } else { at_ms(planned.planned_until_ms).min(now) };
        Window { from: known.max(self.earliest(now)) - OVERLAP, until: now + AHEAD }
    }

    /// Messages that were due before are too late.
    fn earliest(&self, now: Timestamp) -> Timestamp {
        now - SignedDuration::from_hours(24 * i64::from(self.settings().birthday_late_days))
    }

    async fn plan_born_on(
        &self,
        month_day: i64,
        window: Window,
        now: Timestamp,
        report: &mut PlanReport,
    ) -> anyhow::Result<()> {
        let mut after = String::new();
        loop {
            let people = users::born_on(&self.kit.db.read, month_day, &after, PAGE).await?;
            let Some(last) = people.last() else { return Ok(()) };
            after.clone_from(&last.id);
            let planned: Vec<Planned> = people.iter().filter_map(|user| self.foresee(user, window)).collect();
            let mut connection = self.kit.db.write.acquire().await?;
            report.people += people.len() as u64;
            report.scheduled += self.store(&mut connection, &planned, now).await?;
            if (people.len() as i64) < PAGE {
                return Ok(());
            }
        }
    }

    /// The user's message that is due within the window. A row that cannot be understood is logged and left out: it must
    /// not keep everybody else from their messages.
    fn foresee(&self, user: &User, window: Window) -> Option<Planned> {
        let person = user.person().with_context(|| format!("user {}", user.id));
        let person = person.inspect_err(|error| tracing::error!("cannot plan: {error:#}")).ok()?;
        let (year, due) = self.rules.within(&person, window)?;
        Some(Planned { user_id: user.id.clone(), version: user.version, year, due })
    }

    /// The message that is to be stored at once for a user who is new or has changed. What is further off is left to the
    /// daily run.
    pub(super) fn foresee_soon(&self, user: &User, now: Timestamp) -> Option<Planned> {
        self.foresee(user, Window { from: self.earliest(now) - OVERLAP, until: now + AHEAD })
    }

    pub(super) async fn store(
        &self,
        connection: &mut sqlx::AnyConnection,
        planned: &[Planned],
        now: Timestamp,
    ) -> sqlx::Result<u64> {
        let scheduled = messages::plan(connection, planned, now).await?;
        self.measures.scheduled.inc_by(scheduled);
        Ok(scheduled)
    }
}
