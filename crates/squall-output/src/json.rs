//! The json output: a line for each metric when it is first seen, and a line for each sample.

use std::{
    collections::HashSet,
    io::{self, Write},
    sync::Arc,
};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use squall_metrics::{MetricId, MetricInfo, Registry, Sample, TagSet, ThresholdSpec};
use squall_options::format_go_duration;

use crate::{Encoder, OutputContext, OutputError, OutputHandle, WallClock, target::Target};

/// Starts the output; the argument is a path, and `-` or nothing is standard output.
pub(crate) fn start(path: &str, context: &OutputContext<'_>) -> Result<OutputHandle, OutputError> {
    let target = Target::open("json", if path.is_empty() { "-" } else { path })?;
    OutputHandle::start("json", target, JsonEncoder::new(context))
}

struct JsonEncoder {
    registry: Arc<Registry>,
    clock: WallClock,
    /// Metrics by id, as of the start, with their thresholds and submetrics.
    metrics: Vec<MetricLine>,
    seen: HashSet<MetricId>,
}

/// What the lines of a metric say.
struct MetricLine {
    info: Arc<MetricInfo>,
    thresholds: Vec<Value>,
    submetrics: Vec<Value>,
}

#[derive(Serialize)]
struct Point<'a> {
    metric: &'a str,
    r#type: &'static str,
    data: PointData<'a>,
}

#[derive(Serialize)]
struct PointData<'a> {
    time: jiff::Timestamp,
    #[serde(serialize_with = "number")]
    value: f64,
    tags: &'a TagSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a TagSet>,
}

impl JsonEncoder {
    fn new(context: &OutputContext<'_>) -> JsonEncoder {
        let registry = Arc::clone(context.aggregate.registry());
        let ids = (0..registry.count()).map(|id| MetricId(id as u32));
        let metrics = ids.map(|id| MetricLine::new(registry.info(id), context)).collect();
        JsonEncoder { registry, clock: WallClock::new(context), metrics, seen: HashSet::new() }
    }

    /// A script may create a metric in some VUs only, after the output has started.
    fn learn(&mut self, metric: MetricId) {
        while self.metrics.len() <= metric.0 as usize {
            let id = MetricId(self.metrics.len() as u32);
            self.metrics.push(MetricLine::bare(self.registry.info(id)));
        }
    }
}

impl Encoder for JsonEncoder {
    fn samples(&mut self, samples: &[Sample], out: &mut dyn Write) -> io::Result<()> {
        samples.iter().try_for_each(|sample| self.sample(sample, out))
    }
}

impl JsonEncoder {
    fn sample(&mut self, sample: &Sample, out: &mut dyn Write) -> io::Result<()> {
        self.learn(sample.metric);
        let metric = &self.metrics[sample.metric.0 as usize];
        if self.seen.insert(sample.metric) {
            writeln!(out, "{}", metric.to_json())?;
        }
        let metadata = sample.metadata.as_deref().filter(|metadata| !metadata.is_empty());
        let time = self.clock.at(sample.at);
        let data = PointData { time, value: sample.value, tags: &sample.tags, metadata };
        serde_json::to_writer(&mut *out, &Point { metric: &metric.info.name, r#type: "Point", data })?;
        out.write_all(b"\n")
    }
}

impl MetricLine {
    /// As in k6, thresholds are those of the options, even if nobody evaluates them.
    fn new(info: Arc<MetricInfo>, context: &OutputContext<'_>) -> MetricLine {
        let own = context.thresholds.iter().filter(|(key, _)| *key == *info.name);
        let thresholds = own.flat_map(|(_, specs)| specs).map(threshold).collect();
        let totals = context.aggregate.totals_of(info.id);
        let submetrics = totals.filter_map(|total| {
            let selector = total.selector.as_ref()?;
            let (suffix, tags) = (&selector.suffix, &*selector.tags);
            Some(json!({ "name": total.name(), "suffix": suffix, "tags": tags }))
        });
        MetricLine { thresholds, submetrics: submetrics.collect(), info }
    }

    fn bare(info: Arc<MetricInfo>) -> MetricLine {
        MetricLine { info, thresholds: Vec::new(), submetrics: Vec::new() }
    }

    fn to_json(&self) -> Value {
        let submetrics =
            if self.submetrics.is_empty() { Value::Null } else { self.submetrics.clone().into() };
        json!({
            "type": "Metric",
            "data": {
                "name": &*self.info.name,
                "type": self.info.kind.name(),
                "contains": self.info.contains.name(),
                "thresholds": self.thresholds,
                "submetrics": submetrics,
            },
            "metric": &*self.info.name,
        })
    }
}

/// The expression alone, unless the threshold may end the run.
fn threshold(spec: &ThresholdSpec) -> Value {
    if !spec.abort_on_fail {
        return spec.expression.clone().into();
    }
    json!({
        "threshold": spec.expression,
        "abortOnFail": true,
        "delayAbortEval": spec.delay_abort_eval.map(format_go_duration),
    })
}

/// Whole numbers without a decimal point, as Go writes them.
fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT_INTEGERS {
        serializer.serialize_i64(*value as i64)
    } else {
        serializer.serialize_f64(*value)
    }
}
