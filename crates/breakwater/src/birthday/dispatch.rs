//! The minute scheduler: publishes what is due.
//!
//! Rows are claimed, published, and marked only when the queue has confirmed them. Who dies in between leaves a claim that
//! runs out, and another publishes the rows again; a worker recognises what it has sent. When the queue does not take a
//! batch, its rows stay where they are: the table is the outbox.

use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Birthday,
    storage::{
        messages::{self, Claimed},
        users,
    },
};
use crate::kit::queue::Outgoing;

/// How many leases a claim counts for: by default two minutes, well over the time limit of publishing.
const CLAIM_LEASES: i32 = 4;

/// What is to be done with a message that is claimed.
enum Verdict {
    Publish,
    /// Its user has moved, and it is due later.
    PutOff(Timestamp),
    /// Its user is gone, or has another birthday.
    Drop,
}

impl Birthday {
    /// Publishes all that is due at `now`, and tells how many messages these were.
    pub async fn dispatch(&self, now: Timestamp) -> anyhow::Result<u64> {
        let started = Instant::now();
        let mut published = 0;
        while let Some(batch) = self.dispatch_batch(now).await? {
            published += batch;
            if self.kit.shutdown.is_cancelled() {
                break;
            }
        }
        if published > 0 {
            self.measures.dispatch_seconds.observe(started.elapsed().as_secs_f64());
            tracing::debug!(published, "what was due is in the queue");
        }
        Ok(published)
    }

    /// Publishes one batch. `None`: nothing is due.
    async fn dispatch_batch(&self, now: Timestamp) -> anyhow::Result<Option<u64>> {
        let (db, claim) = (&self.kit.db.write, Uuid::now_v7().to_string());
        let limit = i64::from(self.settings().birthday_batch);
        let hold = self.settings().lease() * CLAIM_LEASES;
        let claimed = messages::claim(db, &claim, now, hold, limit).await?;
        if claimed.is_empty() {
            return Ok(None);
        }
        let mut outgoing = Vec::with_capacity(claimed.len());
        for message in claimed {
            match self.verdict(&message, now) {
                Verdict::Publish => outgoing.push(outgoing_of(message)),
                Verdict::PutOff(due) => messages::put_off(db, &message.id, Some(due)).await?,
                Verdict::Drop => {
                    messages::put_off(db, &message.id, None).await?;
                    self.measures.cancelled.inc();
                }
            }
        }
        if let Err(error) = self.kit.queue.publish(self.queue_name(), &outgoing).await {
            self.measures.publish_failures.inc();
            // If this fails too, the claim runs out.
            messages::unclaim(db, &claim).await?;
            return Err(error.into());
        }
        messages::mark_enqueued(db, &claim, self.clock.now()).await?;
        self.measures.enqueued.inc_by(outgoing.len() as u64);
        Ok(Some(outgoing.len() as u64))
    }

    /// Works out again when the message is due: its user may have changed while it was being planned.
    fn verdict(&self, message: &Claimed, now: Timestamp) -> Verdict {
        let (Some(birthday), Some(zone), Some(since_ms)) =
            (&message.birthday, &message.zone, message.since_ms)
        else {
            return Verdict::Drop;
        };
        let person = match users::person(birthday, zone, since_ms) {
            Ok(person) => person,
            // Planned when it could be understood, so it is due.
            Err(error) => {
                tracing::error!(id = message.id, "cannot work out again when it is due: {error:#}");
                return Verdict::Publish;
            }
        };
        let year = i16::try_from(message.year).ok();
        match year.and_then(|year| self.rules.due(&person, year)) {
            Some(due) if due > now => Verdict::PutOff(due),
            Some(_) => Verdict::Publish,
            None => Verdict::Drop,
        }
    }

    /// Schedules again what was published, is not in the queue, and that no worker has told of: the queue has lost it.
    pub async fn find_lost(&self, now: Timestamp) -> anyhow::Result<u64> {
        let depth = self.kit.queue.depth(self.queue_name()).await?;
        self.measures.queue_ready.set(depth.ready as i64);
        self.measures.queue_delayed.set(depth.delayed as i64);
        self.measures.queue_dead.set(depth.dead as i64);
        self.measures.outbox.set(messages::outbox(&self.kit.db.write, now).await?);
        if depth.ready > 0 {
            return Ok(0);
        }
        let lost = messages::reschedule_lost(&self.kit.db.write, now - self.settings().lost_after()).await?;
        if lost > 0 {
            self.measures.lost.inc_by(lost);
            tracing::warn!(lost, "messages were in the queue and no worker told of them: scheduled again");
        }
        Ok(lost)
    }
}

fn outgoing_of(message: Claimed) -> Outgoing {
    let body = serde_json::json!({ "user_id": message.user_id, "year": message.year }).to_string();
    Outgoing { id: message.id, body: Bytes::from(body) }
}
