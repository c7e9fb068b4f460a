//! The sign-ins that have ended while access tokens of theirs may still be about.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use prometheus_client::metrics::gauge::Gauge;
use uuid::Uuid;

use crate::kit::metrics::Metrics;

/// Families and the time from which none of their access tokens is good anyhow.
#[derive(Debug)]
pub(super) struct Revoked {
    until_ms: RwLock<HashMap<Uuid, i64>>,
    count: Gauge,
}

impl Revoked {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let count = metrics.gauge("auth_revoked_sign_ins", "Ended sign-ins whose tokens are refused");
        Self { until_ms: RwLock::default(), count }
    }

    pub(super) fn has(&self, family: Uuid) -> bool {
        self.until_ms.read().unwrap_or_else(PoisonError::into_inner).contains_key(&family)
    }

    /// Adds families, each with the time (ms since 1970) until which it must be known.
    pub(super) fn add(&self, families: impl IntoIterator<Item = (Uuid, i64)>) {
        self.change(|until_ms| until_ms.extend(families));
    }

    pub(super) fn forget_expired(&self, now_ms: i64) {
        self.change(|until_ms| until_ms.retain(|_, until| now_ms < *until));
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<Uuid, i64>)) {
        let mut until_ms = self.until_ms.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut until_ms);
        self.count.set(until_ms.len() as i64);
    }
}
