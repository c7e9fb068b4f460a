//! The metrics of a run: names, kinds, and ids that are handed out in order of registration.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, RwLock},
};

/// A metric of one [`Registry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricId(pub u32);

/// How a metric's samples are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// Sum of all values.
    Counter,
    /// Last value, minimum and maximum.
    Gauge,
    /// Share of values that are not zero.
    Rate,
    /// Distribution of all values.
    Trend,
}

impl MetricKind {
    /// k6's word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Rate => "rate",
            MetricKind::Trend => "trend",
        }
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a metric's values are, for showing them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contains {
    /// Plain numbers.
    Default,
    /// Milliseconds.
    Time,
    /// Bytes.
    Data,
}

impl Contains {
    /// k6's word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Contains::Default => "default",
            Contains::Time => "time",
            Contains::Data => "data",
        }
    }
}

impl fmt::Display for Contains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A metric as it was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricInfo {
    pub id: MetricId,
    pub name: Arc<str>,
    pub kind: MetricKind,
    pub contains: Contains,
}

/// Why a metric could not be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Not a letter or underscore followed by 1 to 128 letters, digits or underscores.
    #[error(
        "invalid metric name '{0}': it must start with a letter or underscore and have 2 to 129 \
         letters (without accents), digits and underscores"
    )]
    Name(String),
    /// Registered before with another kind.
    #[error("metric '{name}' already exists as a {existing}, it cannot also be a {wanted}")]
    Kind { name: String, existing: MetricKind, wanted: MetricKind },
    /// Registered before with other contents.
    #[error("metric '{name}' already exists with values of type '{existing}', not '{wanted}'")]
    Contains { name: String, existing: Contains, wanted: Contains },
}

/// All metrics of a run. Init code registers more of them while VUs start, on any thread.
#[derive(Debug)]
pub struct Registry {
    metrics: RwLock<Metrics>,
}

#[derive(Debug, Default)]
struct Metrics {
    by_id: Vec<Arc<MetricInfo>>,
    by_name: HashMap<Arc<str>, MetricId>,
}

impl Registry {
    /// A registry that holds the metrics of [`builtin`].
    pub fn new() -> Registry {
        let mut metrics = Metrics::default();
        for &(name, kind, contains) in builtin::ALL {
            metrics.add(name, kind, contains);
        }
        Registry { metrics: RwLock::new(metrics) }
    }

    /// Adds a metric, or finds the one of the same name, kind and contents.
    pub fn register(
        &self,
        name: &str,
        kind: MetricKind,
        contains: Contains,
    ) -> Result<MetricId, RegisterError> {
        if !is_metric_name(name) {
            return Err(RegisterError::Name(name.to_owned()));
        }
        let mut metrics = self.metrics.write().expect("no panic under this lock");
        match metrics.find(name) {
            None => Ok(metrics.add(name, kind, contains)),
            Some(info) => same_metric(info, kind, contains),
        }
    }

    /// The metric of this name.
    pub fn find(&self, name: &str) -> Option<MetricId> {
        self.metrics.read().expect("no panic under this lock").find(name).map(|info| info.id)
    }

    /// What was registered under this id. Panics when the id is another registry's.
    pub fn info(&self, id: MetricId) -> Arc<MetricInfo> {
        Arc::clone(&self.metrics.read().expect("no panic under this lock").by_id[id.0 as usize])
    }

    /// How many metrics there are; their ids are below it.
    pub fn count(&self) -> usize {
        self.metrics.read().expect("no panic under this lock").by_id.len()
    }
}

impl Default for Registry {
    fn default() -> Registry {
        Registry::new()
    }
}

impl Metrics {
    fn find(&self, name: &str) -> Option<&Arc<MetricInfo>> {
        self.by_name.get(name).map(|id| &self.by_id[id.0 as usize])
    }

    fn add(&mut self, name: &str, kind: MetricKind, contains: Contains) -> MetricId {
        let id = MetricId(u32::try_from(self.by_id.len()).expect("fewer metrics than 2^32"));
        let name: Arc<str> = name.into();
        self.by_name.insert(Arc::clone(&name), id);
        self.by_id.push(Arc::new(MetricInfo { id, name, kind, contains }));
        id
    }
}

fn same_metric(info: &MetricInfo, kind: MetricKind, contains: Contains) -> Result<MetricId, RegisterError> {
    let name = info.name.to_string();
    if info.kind != kind {
        return Err(RegisterError::Kind { name, existing: info.kind, wanted: kind });
    }
    if info.contains != contains {
        return Err(RegisterError::Contains { name, existing: info.contains, wanted: contains });
    }
    Ok(info.id)
}

fn is_metric_name(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (2..=129).contains(&name.len()) && name.bytes().all(is_word) && !name.as_bytes()[0].is_ascii_digit()
}

/// The metrics that every run has, with fixed ids.
pub mod builtin {
    use super::{Contains, Contains::*, MetricId, MetricKind, MetricKind::*};

    macro_rules! builtins {
        ($($(#[$doc:meta])* $id:ident = $name:literal, $kind:ident, $contains:ident;)*) => {
            /// In the order of their ids.
            pub(super) const ALL: &[(&str, MetricKind, Contains)] = &[$(($name, $kind, $contains)),*];

            #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "one word numbers and names a metric")]
            enum Order { $($id),* }

            $($(#[$doc])* pub const $id: MetricId = MetricId(Order::$id as u32);)*
        };
    }

    builtins! {
        /// VUs that run an iteration now.
        VUS = "vus", Gauge, Default;
        /// VUs that are initialised.
        VUS_MAX = "vus_max", Gauge, Default;
        /// Iterations that came to their end.
        ITERATIONS = "iterations", Counter, Default;
        /// Length of an iteration.
        ITERATION_DURATION = "iteration_duration", Trend, Time;
        /// Iterations that an executor could not start.
        DROPPED_ITERATIONS = "dropped_iterations", Counter, Default;
        /// Actual start minus intended start of an iteration; Squall's own.
        ITERATION_LATENESS = "iteration_lateness", Trend, Time;
        /// Results of `check()`.
        CHECKS = "checks", Rate, Default;
        /// Length of a `group()` call.
        GROUP_DURATION = "group_duration", Trend, Time;
        /// HTTP requests.
        HTTP_REQS = "http_reqs", Counter, Default;
        /// HTTP requests with an unexpected response.
        HTTP_REQ_FAILED = "http_req_failed", Rate, Default;
        /// Sending + waiting + receiving.
        HTTP_REQ_DURATION = "http_req_duration", Trend, Time;
        /// From asking for a connection to having it.
        HTTP_REQ_BLOCKED = "http_req_blocked", Trend, Time;
        /// TCP connect.
        HTTP_REQ_CONNECTING = "http_req_connecting", Trend, Time;
        /// TLS handshake.
        HTTP_REQ_TLS_HANDSHAKING = "http_req_tls_handshaking", Trend, Time;
        /// Writing the request.
        HTTP_REQ_SENDING = "http_req_sending", Trend, Time;
        /// From the request's last byte to the response's first.
        HTTP_REQ_WAITING = "http_req_waiting", Trend, Time;
        /// Reading the response.
        HTTP_REQ_RECEIVING = "http_req_receiving", Trend, Time;
        /// WebSocket sessions.
        WS_SESSIONS = "ws_sessions", Counter, Default;
        /// WebSocket messages sent.
        WS_MSGS_SENT = "ws_msgs_sent", Counter, Default;
        /// WebSocket messages received.
        WS_MSGS_RECEIVED = "ws_msgs_received", Counter, Default;
        /// From a WebSocket ping to its pong.
        WS_PING = "ws_ping", Trend, Time;
        /// Length of a WebSocket session.
        WS_SESSION_DURATION = "ws_session_duration", Trend, Time;
        /// WebSocket connect and upgrade.
        WS_CONNECTING = "ws_connecting", Trend, Time;
        /// Length of a gRPC call.
        GRPC_REQ_DURATION = "grpc_req_duration", Trend, Time;
        /// Bytes sent, TLS included.
        DATA_SENT = "data_sent", Counter, Data;
        /// Bytes received, TLS included.
        DATA_RECEIVED = "data_received", Counter, Data;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtins_have_their_ids() {
        let registry = Registry::new();
        assert_eq!(registry.find("vus"), Some(builtin::VUS));
        assert_eq!(registry.find("http_reqs"), Some(builtin::HTTP_REQS));
        assert_eq!(registry.find("data_received"), Some(builtin::DATA_RECEIVED));
        let lateness = registry.info(builtin::ITERATION_LATENESS);
        assert_eq!(
            (&*lateness.name, lateness.kind, lateness.contains),
            ("iteration_lateness", MetricKind::Trend, Contains::Time)
        );
    }

    #[test]
    fn names_follow_k6() {
        let registry = Registry::new();
        let register = |name: &str| registry.register(name, MetricKind::Counter, Contains::Default);
        for good in ["ab", "_1", "A_b9", &"x".repeat(129)] {
            assert!(register(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "1a", "a-b", "a.b", "é1", "a b", &"x".repeat(130)] {
            assert_eq!(register(bad), Err(RegisterError::Name(bad.to_owned())));
        }
    }

    #[test]
    fn same_name_must_mean_the_same_metric() {
        let registry = Registry::new();
        let first = registry.register("orders", MetricKind::Trend, Contains::Default);
        assert_eq!(registry.register("orders", MetricKind::Trend, Contains::Default), first);
        insta::assert_snapshot!(
            registry.register("orders", MetricKind::Rate, Contains::Default).unwrap_err(),
            @"metric 'orders' already exists as a trend, it cannot also be a rate"
        );
        insta::assert_snapshot!(
            registry.register("orders", MetricKind::Trend, Contains::Time).unwrap_err(),
            @"metric 'orders' already exists with values of type 'default', not 'time'"
        );
        assert!(registry.register("http_reqs", MetricKind::Counter, Contains::Default).is_ok());
    }
}
