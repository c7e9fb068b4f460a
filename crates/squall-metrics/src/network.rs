//! The metrics of network profiles. They are there only in runs that have one, so that other summaries are k6's.

use crate::{Contains, MetricId, MetricKind, RegisterError, Registry};

/// Their ids in one registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkMetrics {
    /// `network_delay`: how much of an exchange the network profile has taken. `http_req_duration` less it is the
    /// server's time.
    pub delay: MetricId,
    /// `network_connect_delay`: the same for the way to a connection, that is of `http_req_blocked`; 0 where there was one.
    pub connect_delay: MetricId,
    /// `network_faults`: what was done to connections on purpose, by the tag `fault`.
    pub faults: MetricId,
}

impl NetworkMetrics {
    /// Adds them to a registry, or finds them there.
    ///
    /// # Errors
    /// The script has registered another metric under one of the names.
    pub fn register(registry: &Registry) -> Result<NetworkMetrics, RegisterError> {
        Ok(NetworkMetrics {
            delay: registry.register("network_delay", MetricKind::Trend, Contains::Time)?,
            connect_delay: registry.register("network_connect_delay", MetricKind::Trend, Contains::Time)?,
            faults: registry.register("network_faults", MetricKind::Counter, Contains::Default)?,
        })
    }
}
