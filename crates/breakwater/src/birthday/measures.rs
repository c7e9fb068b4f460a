//! The service's metrics.

use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};

use crate::kit::metrics::Metrics;

/// Registered once a process; names get the prefix `breakwater_birthday_`.
#[derive(Clone)]
pub(super) struct Measures {
    pub(super) scheduled: Counter,
    pub(super) enqueued: Counter,
    pub(super) delivered: Counter,
    pub(super) retries: Counter,
    pub(super) dead: Counter,
    pub(super) cancelled: Counter,
    pub(super) repeats: Counter,
    pub(super) lost: Counter,
    pub(super) publish_failures: Counter,
    pub(super) at_work: Gauge,
    pub(super) outbox: Gauge,
    pub(super) queue_ready: Gauge,
    pub(super) queue_delayed: Gauge,
    pub(super) queue_dead: Gauge,
    pub(super) lag_seconds: Histogram,
    pub(super) send_seconds: Histogram,
    pub(super) plan_seconds: Histogram,
    pub(super) dispatch_seconds: Histogram,
}

impl Measures {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let counter = |name, help| metrics.counter(&format!("birthday_{name}"), help);
        let gauge = |name, help| metrics.gauge(&format!("birthday_{name}"), help);
        let seconds = |name, help| metrics.seconds(&format!("birthday_{name}"), help);
        Self {
            scheduled: counter("scheduled", "Messages foreseen and stored"),
            enqueued: counter("enqueued", "Messages published to the queue and confirmed"),
            delivered: counter("delivered", "Messages sent"),
            retries: counter("retries", "Sendings that failed and will be tried again"),
            dead: counter("dead", "Messages given up"),
            cancelled: counter("cancelled", "Messages dropped because they were not wanted any more"),
            repeats: counter("repeats", "Deliveries of messages that had been sent, recognised and dropped"),
            lost: counter("lost", "Messages without news that were scheduled again"),
            publish_failures: counter("publish_failures", "Batches that the queue did not take"),
            at_work: gauge("scheduler_at_work", "1 while this process has the scheduler's lease"),
            outbox: gauge("outbox", "Messages due and not published"),
            queue_ready: gauge("queue_ready", "Messages waiting in the queue"),
            queue_delayed: gauge("queue_delayed", "Messages put off after a failure"),
            queue_dead: gauge("queue_dead", "Dead letters"),
            lag_seconds: seconds(
                "lag_seconds",
                "Time from when a message was due, or known, to its delivery",
            ),
            send_seconds: seconds("send_seconds", "Time taken by one attempt at sending"),
            plan_seconds: seconds("plan_seconds", "Time taken by the daily scheduler"),
            dispatch_seconds: seconds("dispatch_seconds", "Time taken by publishing all that is due"),
        }
    }
}
