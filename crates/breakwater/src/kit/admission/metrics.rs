//! The figures of an admission control for Prometheus.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::Histogram;

use super::Admission;

/// Bounds in seconds: fine below the default longest wait of 150 ms, coarse above.
pub(super) fn wait_histogram() -> Histogram {
    Histogram::new([0.001, 0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.5, 1.0, 5.0])
}

/// For [`Metrics::collector`](crate::kit::metrics::Metrics::collector): the figures are read when somebody asks for them, so
/// that counting costs requests nothing more.
impl Collector for Admission {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let figures = self.figures();
        let limits = self.limits();

        let mut gauge = |name: &str, help: &str, value: f64| {
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
        };
        gauge("admission_in_progress", "Requests in progress", figures.in_progress.into())?;
        gauge("admission_waiting", "Requests waiting to be admitted", figures.waiting.into())?;
        gauge(
            "admission_max_in_progress",
            "Requests that may be in progress",
            limits.max_in_progress().into(),
        )?;
        gauge("admission_max_waiting", "Requests that may wait", limits.max_waiting().into())?;
        gauge("admission_max_wait_seconds", "The longest a request waits", limits.max_wait().as_secs_f64())?;

        let mut counter = |name: &str, help: &str, value: u64| {
            encoder
                .encode_descriptor(name, help, None, MetricType::Counter)?
                .encode_counter::<NoLabelSet, _, f64>(&value, None)
        };
        counter("admission_admitted", "Requests admitted", figures.admitted)?;
        counter("admission_gone", "Clients that went away while they waited", figures.gone_while_waiting)?;

        let mut refused =
            encoder.encode_descriptor("admission_refused", "Requests refused", None, MetricType::Counter)?;
        for (reason, value) in
            [("full", figures.refused_full), ("waited_too_long", figures.refused_waited_too_long)]
        {
            refused
                .encode_family(&[("reason", reason)])?
                .encode_counter::<NoLabelSet, _, f64>(&value, None)?;
        }

        let help = "Seconds waited by requests that were not admitted or refused at once";
        let wait = encoder.encode_descriptor("admission_wait_seconds", help, None, MetricType::Histogram)?;
        self.0.wait_s.encode(wait)
    }
}
