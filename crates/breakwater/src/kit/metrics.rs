//! Prometheus metrics: one registry a process.

use std::{
    fmt,
    hash::Hash,
    sync::{Arc, Mutex},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Metric, Registry},
};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of the histograms of durations, in seconds: from 100 µs, three a decade.
const SECONDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Where everything that counts is registered. Cloning shares it. Names get the prefix `breakwater_`; helps end
/// without a full stop, because the encoder adds it.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("breakwater");
        registry.register_collector(Box::new(Process));
        Self { registry: Arc::new(Mutex::new(registry)) }
    }
}

impl Metrics {
    /// Registers any metric and gives it back.
    pub fn register<M: Metric + Clone>(&self, name: &str, help: &str, metric: M) -> M {
        self.registry.lock().expect("no one panics here").register(name, help, metric.clone());
        metric
    }

    /// The name goes without `_total`: the encoder adds it.
    pub fn counter(&self, name: &str, help: &str) -> Counter {
        self.register(name, help, Counter::default())
    }

    pub fn gauge(&self, name: &str, help: &str) -> Gauge {
        self.register(name, help, Gauge::default())
    }

    /// A histogram of seconds.
    pub fn seconds(&self, name: &str, help: &str) -> Histogram {
        self.register(name, help, seconds())
    }

    /// Counters by label. Ask for a series once and keep it: finding it costs a lock.
    pub fn counters<L>(&self, name: &str, help: &str) -> Family<L, Counter>
    where
        L: Clone + Hash + Eq + EncodeLabelSet + fmt::Debug + Send + Sync + 'static,
    {
        self.register(name, help, Family::default())
    }

    /// Histograms of seconds by label.
    pub fn seconds_by<L>(&self, name: &str, help: &str) -> Family<L, Histogram>
    where
        L: Clone + Hash + Eq + EncodeLabelSet + fmt::Debug + Send + Sync + 'static,
    {
        self.register(name, help, Family::new_with_constructor(seconds as fn() -> Histogram))
    }

    /// Adds figures that are read when somebody asks, such as the depth of a queue.
    pub fn collector(&self, collector: Box<dyn Collector>) {
        self.registry.lock().expect("no one panics here").register_collector(collector);
    }

    /// All of it in the text format of OpenMetrics, which Prometheus reads.
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(16 << 10);
        let registry = self.registry.lock().expect("no one panics here");
        text::encode(&mut out, &registry).expect("a String takes everything");
        out
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

/// What the kernel knows of this process, read at each scrape.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let usage = Usage::now();
        let cpu = ConstCounter::new(usage.cpu_seconds);
        let out = encoder.encode_descriptor(
            "process_cpu_seconds",
            "User and system time spent",
            None,
            cpu.metric_type(),
        )?;
        cpu.encode(out)?;
        let resident = ConstGauge::new(usage.resident_bytes as i64);
        let out = encoder.encode_descriptor(
            "process_resident_memory_bytes",
            "Memory resident in RAM",
            None,
            resident.metric_type(),
        )?;
        resident.encode(out)
    }
}

/// What this process has used. Zeros where there is no `/proc`.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub cpu_seconds: f64,
    pub resident_bytes: u64,
}

impl Usage {
    pub fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The command's name, in parentheses, may hold spaces: fields are counted behind it (proc_pid_stat(5)).
        let fields: Vec<u64> = match stat.rsplit_once(") ") {
            Some((_, rest)) => rest.split(' ').map(|field| field.parse().unwrap_or(0)).collect(),
            None => Vec::new(),
        };
        let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0);
        // Linux counts user and system time in hundredths and memory in pages of 4 KiB on the machines we run on.
        Self { cpu_seconds: (field(14) + field(15)) as f64 / 100.0, resident_bytes: field(24) * 4096 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_what_was_counted_and_what_the_process_uses() {
        let metrics = Metrics::default();
        metrics.counter("letters", "Letters sent").inc_by(3);
        metrics.seconds("wait_seconds", "Time waited").observe(0.03);
        let text = metrics.text();
        assert!(text.contains("breakwater_letters_total 3"), "{text}");
        assert!(text.contains("breakwater_wait_seconds_bucket{le=\"0.05\"} 1"), "{text}");
        assert!(text.contains("breakwater_process_resident_memory_bytes "), "{text}");
        assert!(text.ends_with("# EOF\n"));
        assert!(Usage::now().resident_bytes > 100_000);
    }
}
