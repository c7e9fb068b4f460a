//! Who has signed in lately, for the metrics.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
};
use uuid::Uuid;

use crate::kit::metrics::Metrics;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRealm {
    pub(super) realm: &'static str,
}

/// The users of each realm whose last access token is still good. Each instance counts its own.
pub(super) struct Active {
    /// Until when (ms since 1970).
    users: Mutex<HashMap<(&'static str, Uuid), i64>>,
    gauges: Family<OfRealm, Gauge>,
}

impl Active {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let help = "Users whose last access token is still good";
        Self {
            users: Mutex::default(),
            gauges: metrics.register("auth_active_users", help, Family::default()),
        }
    }

    pub(super) fn enter(&self, realm: &'static str, user_id: Uuid, until_ms: i64) {
        if self.lock().insert((realm, user_id), until_ms).is_none() {
            self.gauge(realm).inc();
        }
    }

    pub(super) fn leave(&self, realm: &'static str, user_id: Uuid) {
        if self.lock().remove(&(realm, user_id)).is_some() {
            self.gauge(realm).dec();
        }
    }

    pub(super) fn forget_expired(&self, now_ms: i64) {
        self.lock().retain(|(realm, _), until| {
            let good = now_ms < *until;
            if !good {
                self.gauge(realm).dec();
            }
            good
        });
    }

    fn gauge(&self, realm: &'static str) -> Gauge {
        self.gauges.get_or_create_owned(&OfRealm { realm })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(&'static str, Uuid), i64>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
