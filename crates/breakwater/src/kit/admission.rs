//! Admission control: how much work may be in progress, how much may wait, and what is refused at once.
//!
//! A service is fastest with a certain amount of work in progress. More does not raise its throughput; it lengthens every
//! answer, and at last memory or sockets run out. [`Admission`] keeps the work at that amount ([`Limits`]): of `max_clients`
//! the share `utilisation` may be in progress, the others wait in the order they came, and who finds no place is refused at
//! once with 503 and a `Retry-After`. A refusal costs next to nothing, so it stays quick however many ask.
//!
//! What is counted: one request, from its admission to the end of its answer's body (as far as the server has taken it over
//! into the connection's buffer), or to the moment its client goes away. An upgraded connection counts until its handshake is
//! answered. A client that goes away while it waits leaves the line as soon as the server sees it, which for a request whose body
//! has not been read is not before its turn.
//!
//! A request that is answered without waiting for anything (a database, a body, a client that reads slowly) is in progress only
//! while a thread works on it, so there are never more of these than threads: they wait in the runtime's queue, not in the line.
//! The limits are for what takes time while it takes no CPU, and for memory.
//!
//! # What the default limits promise
//!
//! 5,000 clients with a utilisation of 67 % are 3,350 requests in progress and 1,650 waiting. Given a service that answers
//! 3,350 requests at a time with a 95th percentile below 50 ms:
//!
//! - **Below 3,350 clients** nothing waits and nothing is refused: the answers are the service's own, p95 < 50 ms.
//! - **From 3,350 to 5,000** every client has a place. Those who wait, wait their turn, at most 150 ms, hence p95 ≤ 200 ms. A
//!   refusal happens only to who has waited that long: when the service is slower than it should be for a moment.
//! - **Beyond 5,000** who finds no place is refused at once. Of 10,000 clients 5,000 hold a place at any moment and 5,000 do
//!   not: if the refused ask again no sooner than others get their answers, about half of the requests are refused, and those
//!   admitted are answered as in the region before. Memory stays that of 5,000 clients. (Clients that ask again at once
//!   without heeding `Retry-After` are refused as often as they ask; the share of refusals then says how fast they ask.)
//!
//! # How
//!
//! One 64-bit word holds the requests in progress, those waiting, and the limit (`gate`). With room free, admission is one
//! compare-and-swap (and a count), and so is the end: no lock, no allocation, no boxed future. Only who waits takes a lock.

mod gate;
mod layer;
mod metrics;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use gate::{Answer, Gate};
pub use gate::{Permit, Waiting};
pub use layer::{Admitted, AdmittedBody, ResponseFuture};
use serde::Serialize;

/// How much work a service takes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    max_clients: u32,
    utilisation: f64,
    max_wait: Duration,
}

impl Limits {
    /// The most clients that can be counted.
    pub const MAX_CLIENTS: u32 = gate::COUNT_MAX;

    /// `max_clients` have a place, the share `utilisation` of them (above 0, at most 1) in progress and the others waiting, none
    /// longer than `max_wait`.
    pub fn new(max_clients: u32, utilisation: f64, max_wait: Duration) -> Result<Self, LimitsError> {
        if !(1..=Self::MAX_CLIENTS).contains(&max_clients) {
            return Err(LimitsError::MaxClients(max_clients));
        }
        if !(utilisation > 0.0 && utilisation <= 1.0) {
            return Err(LimitsError::Utilisation(utilisation));
        }
        Ok(Self { max_clients, utilisation, max_wait })
    }

    /// Clients that have a place, in progress or waiting.
    pub fn max_clients(&self) -> u32 {
        self.max_clients
    }

    /// The share of the places whose requests are in progress.
    pub fn utilisation(&self) -> f64 {
        self.utilisation
    }

    /// The longest a request waits for its turn.
    pub fn max_wait(&self) -> Duration {
        self.max_wait
    }

    /// Requests that may be in progress at once: the share of the places, rounded, at least one.
    pub fn max_in_progress(&self) -> u32 {
        // Rounded, for 5,000 × 0.67 is 3,350 and a little less or more as floating point has it.
        ((f64::from(self.max_clients) * self.utilisation).round() as u32).clamp(1, self.max_clients)
    }

    /// Requests that may wait at once.
    pub fn max_waiting(&self) -> u32 {
        self.max_clients - self.max_in_progress()
    }
}

impl Default for Limits {
    /// 5,000 clients, 67 % of them in progress. 150 ms of waiting and 50 ms of work make the 200 ms promised at capacity.
    fn default() -> Self {
        Self { max_clients: 5_000, utilisation: 0.67, max_wait: Duration::from_millis(150) }
    }
}

/// Limits that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum LimitsError {
    /// No clients at all, or more than can be counted.
    #[error("max_clients is {0}; it has to be from 1 to {max}", max = Limits::MAX_CLIENTS)]
    MaxClients(u32),
    /// A share of nothing, or of more than all.
    #[error("utilisation is {0}; it has to be above 0 and at most 1")]
    Utilisation(f64),
}

/// Why a request was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// All places were taken.
    Full,
    /// It had a place in the line, and its turn did not come within [`Limits::max_wait`].
    WaitedTooLong,
}

/// A request that was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service is at capacity ({reason:?}), ask again in {retry_after_s} s")]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// When the line should have been worked off at the rate of the last seconds, from 1 to 30 seconds.
    pub retry_after_s: u32,
}

/// What an admission control has to tell at a moment. The counts go up from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = AdmissionFigures)]
pub struct Figures {
    /// Requests in progress.
    pub in_progress: u32,
    /// Requests waiting.
    pub waiting: u32,
    /// Requests admitted, at once or after waiting.
    pub admitted: u64,
    /// Requests refused because all places were taken.
    pub refused_full: u64,
    /// Requests refused because they had waited too long.
    pub refused_waited_too_long: u64,
    /// Clients that went away while they waited.
    pub gone_while_waiting: u64,
}

/// The admission control of a service. Clones are the same control; as a tower layer it guards what is below it.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Gate>);

impl Admission {
    /// An admission control with nothing in progress.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Gate::new(limits)))
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.0.limits()
    }

    /// Puts other limits in force. Raised limits admit who waits at once. Lowered limits end nothing: what is in progress ends
    /// as it would have, who waits keeps the place and the time, and nothing is admitted until the work is below the new limit.
    pub fn set_limits(&self, limits: Limits) {
        self.0.set_limits(limits);
        tracing::info!(
            max_clients = limits.max_clients,
            utilisation = limits.utilisation,
            max_wait_ms = limits.max_wait.as_millis() as u64,
            "admission limits changed"
        );
    }

    /// The figures now.
    pub fn figures(&self) -> Figures {
        self.0.figures()
    }

    /// Waits for a turn, if there is a place. Dropping the future leaves the line.
    pub async fn admit(&self) -> Result<Permit, Refusal> {
        match self.0.ask() {
            Answer::Admitted(permit) => Ok(permit),
            Answer::Waiting(waiting) => waiting.await,
            Answer::Refused(refusal) => Err(refusal),
        }
    }
}
