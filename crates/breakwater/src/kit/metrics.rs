//! Prometheus metrics: one registry a process.
