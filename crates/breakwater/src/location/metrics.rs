//! What Location counts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

use crate::kit::metrics::Metrics;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// Series that are found once.
#[derive(Clone)]
pub(super) struct Counts {
    pub(super) connections: Gauge,
    pub(super) sessions: Gauge,
    pub(super) updates: Counter,
    pub(super) refused: Counter,
    pub(super) deliveries: Counter,
    pub(super) skipped: Counter,
    pub(super) frames: Counter,
    pub(super) resumed: Counter,
    pub(super) delay: Histogram,
    pub(super) connect: Histogram,
    closes: Family<Reason, Counter>,
}

impl Counts {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let counter = |name, help| metrics.counter(name, help);
        Self {
            connections: metrics.gauge("location_connections", "WebSocket connections that are open"),
            sessions: metrics.gauge("location_open_sessions", "Sessions with members on this instance"),
            updates: counter("location_updates", "Positions received from participants"),
            refused: counter("location_refused", "Messages refused: unreadable, out of bounds or too many"),
            deliveries: counter("location_deliveries", "Positions written to members"),
            skipped: counter(
                "location_skipped",
                "Positions not written to a member because a newer one of the same participant took their place",
            ),
            frames: counter("location_frames", "Messages of positions written to members"),
            resumed: counter(
                "location_resumed",
                "Connections that went on from where an earlier one had been",
            ),
            delay: metrics.seconds(
                "location_broadcast_delay_seconds",
                "From receiving a position to having written it, of the oldest in each message",
            ),
            connect: metrics.seconds(
                "location_connect_seconds",
                "From the request for a socket to its first message written",
            ),
            closes: metrics.counters("location_closes", "Connections closed, by reason"),
        }
    }

    /// A connection has ended.
    pub(super) fn closed(&self, reason: &'static str) {
        self.closes.get_or_create(&Reason { reason }).inc();
    }
}
