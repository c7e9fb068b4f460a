//! The conductor's end: merges what the workers recorded into totals, checks and thresholds.

use std::{collections::HashMap, sync::Arc, time::Duration};

use indexmap::IndexMap;

use crate::{
    MetricId, MetricInfo, RateSink, Registry, Section, Sections, Selector, SelectorError, SeriesDelta, Sink,
    Snapshot, TagText, Threshold, ThresholdError, ThresholdSpec, builtin, section::merge_check,
};

/// What an [`Aggregate`] is to keep.
#[derive(Clone, Debug, Default)]
pub struct AggregateConfig {
    /// Thresholds by `metric` or `metric{tag:value}`.
    pub thresholds: Vec<(String, Vec<ThresholdSpec>)>,
    /// Keep `http_req_duration{expected_response:true}`, as k6 does unless that system tag is off.
    pub expected_response: bool,
    /// Keep metrics by group and scenario, for the full summary.
    pub sections: bool,
}

/// Why the thresholds of a run make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AggregateError {
    /// The key is not the name of a metric or submetric.
    #[error("invalid threshold key: {0}")]
    Selector(#[from] SelectorError),
    /// Neither built in nor created by the script's init code.
    #[error("invalid threshold defined on '{key}': there is no metric '{metric}'")]
    UnknownMetric { key: String, metric: String },
    /// The expression is malformed or not for this kind of metric.
    #[error("invalid threshold defined on '{key}': {error}")]
    Threshold { key: String, error: ThresholdError },
}

/// All samples so far of a metric or submetric.
#[derive(Clone, Debug)]
pub struct MetricTotal {
    /// The metric.
    pub info: Arc<MetricInfo>,
    /// What the submetric selects; `None` for the metric itself.
    pub selector: Option<Selector>,
    /// The samples.
    pub sink: Sink,
    /// In the order of the options.
    pub thresholds: Vec<Threshold>,
    /// A key of the `thresholds` option names it or one of its submetrics, so it is shown even without samples.
    named: bool,
}

/// Where thresholds stand after an evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThresholdOutcome {
    /// Names of the metrics and submetrics with a threshold that does not hold, sorted.
    pub crossed: Vec<String>,
    /// A threshold asks for the end of the run.
    pub abort: bool,
}

/// Totals of a run: metrics, submetrics, checks, groups and thresholds.
pub struct Aggregate {
    registry: Arc<Registry>,
    totals: Vec<MetricTotal>,
    /// Indices into `totals`: a metric's own first, its submetrics' after.
    by_metric: HashMap<MetricId, Vec<usize>>,
    checks: IndexMap<String, RateSink>,
    root_group: Section,
    sections: Option<Sections>,
    folded_keys: Vec<TagText>,
}

impl Aggregate {
    /// Made when init code has registered the script's metrics.
    pub fn new(registry: Arc<Registry>, config: AggregateConfig) -> Result<Aggregate, AggregateError> {
        let mut aggregate = Aggregate {
            registry,
            totals: Vec::new(),
            by_metric: HashMap::new(),
            checks: IndexMap::new(),
            root_group: Section::default(),
            sections: config.sections.then(Sections::default),
            folded_keys: Vec::new(),
        };
        for (key, specs) in &config.thresholds {
            aggregate.add_thresholds(key, specs)?;
        }
        if config.expected_response {
            let selector = Selector::parse("http_req_duration{expected_response:true}")?;
            aggregate.total_index(builtin::HTTP_REQ_DURATION, &selector);
        }
        Ok(aggregate)
    }

    /// Adds what a worker recorded.
    pub fn merge(&mut self, snapshot: &Snapshot) {
        for delta in &snapshot.series {
            self.merge_series(delta);
        }
        for key in &snapshot.folded_keys {
            if !self.folded_keys.contains(key) {
                self.folded_keys.push(key.clone());
            }
        }
    }

    /// Evaluates the thresholds of metrics that have samples.
    pub fn evaluate(&mut self, run_duration: Duration) -> ThresholdOutcome {
        self.evaluate_where(run_duration, |total| total.sink.count() > 0)
    }

    /// Evaluates all thresholds, at the end of the run.
    pub fn evaluate_final(&mut self, run_duration: Duration) -> ThresholdOutcome {
        self.evaluate_where(run_duration, |_| true)
    }

    /// Metrics and submetrics that have samples or are named by a threshold, by name; submetrics follow their metric.
    pub fn totals(&self) -> Vec<&MetricTotal> {
        let is_shown = |total: &&MetricTotal| total.sink.count() > 0 || total.named;
        let mut totals: Vec<_> = self.totals.iter().filter(is_shown).collect();
        totals.sort_by_key(|total| (&total.info.name, total.suffix()));
        totals
    }

    /// All samples of a metric, if it has any or was named by a threshold.
    pub fn total(&self, metric: MetricId) -> Option<&MetricTotal> {
        Some(&self.totals[self.by_metric.get(&metric)?[0]])
    }

    /// A metric and its submetrics in the order of the options, the metric itself first.
    pub fn totals_of(&self, metric: MetricId) -> impl Iterator<Item = &MetricTotal> {
        self.by_metric.get(&metric).into_iter().flatten().map(|&index| &self.totals[index])
    }

    /// Checks of all groups by name, in the order of their first sample.
    pub fn checks(&self) -> &IndexMap<String, RateSink> {
        &self.checks
    }

    /// Groups and checks as a tree, without metrics.
    pub fn root_group(&self) -> &Section {
        &self.root_group
    }

    /// Groups and scenarios with their metrics, if they were asked for.
    pub fn sections(&self) -> Option<&Sections> {
        self.sections.as_ref()
    }

    /// Keys of tags with so many values that further ones were counted as `__other__`.
    pub fn folded_keys(&self) -> &[TagText] {
        &self.folded_keys
    }

    /// The metrics that ids stand for.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    fn add_thresholds(&mut self, key: &str, specs: &[ThresholdSpec]) -> Result<(), AggregateError> {
        let selector = Selector::parse(key)?;
        let unknown =
            || AggregateError::UnknownMetric { key: key.to_owned(), metric: selector.metric.clone() };
        let metric = self.registry.find(&selector.metric).ok_or_else(unknown)?;
        let whole = self.whole_index(metric);
        self.totals[whole].named = true;
        let index = self.total_index(metric, &selector);
        let total = &mut self.totals[index];
        total.named = true;
        for spec in specs {
            let threshold = Threshold::new(spec, total.info.kind);
            total
                .thresholds
                .push(threshold.map_err(|error| AggregateError::Threshold { key: key.to_owned(), error })?);
        }
        Ok(())
    }

    /// Index of the metric's or submetric's total, made when it is new. Submetrics with the same tags are one.
    fn total_index(&mut self, metric: MetricId, selector: &Selector) -> usize {
        let whole = self.whole_index(metric);
        if selector.suffix.is_none() {
            return whole;
        }
        let same =
            |total: &MetricTotal| total.selector.as_ref().is_some_and(|known| known.tags == selector.tags);
        if let Some(&index) = self.by_metric[&metric].iter().find(|&&index| same(&self.totals[index])) {
            return index;
        }
        self.push_total(metric, Some(selector.clone()))
    }

    fn whole_index(&mut self, metric: MetricId) -> usize {
        match self.by_metric.get(&metric) {
            Some(indices) => indices[0],
            None => self.push_total(metric, None),
        }
    }

    fn push_total(&mut self, metric: MetricId, selector: Option<Selector>) -> usize {
        let info = self.registry.info(metric);
        let sink = Sink::new(info.kind);
        self.totals.push(MetricTotal { info, selector, sink, thresholds: Vec::new(), named: false });
        let index = self.totals.len() - 1;
        self.by_metric.entry(metric).or_default().push(index);
        index
    }

    fn merge_series(&mut self, delta: &SeriesDelta) {
        let whole = self.whole_index(delta.metric);
        for &index in &self.by_metric[&delta.metric] {
            let total = &mut self.totals[index];
            if total.selector.as_ref().is_none_or(|selector| delta.tags.contains_all(&selector.tags)) {
                total.sink.merge(&delta.sink);
            }
        }
        self.merge_groups(delta);
        if let Some(sections) = &mut self.sections {
            sections.add(delta, &self.totals[whole].info);
        }
    }

    fn merge_groups(&mut self, delta: &SeriesDelta) {
        if delta.metric != builtin::CHECKS && delta.metric != builtin::GROUP_DURATION {
            return;
        }
        let group = self.root_group.group_mut(delta.tags.get("group").unwrap_or_default());
        merge_check(&mut group.checks, delta);
        merge_check(&mut self.checks, delta);
    }

    fn evaluate_where(
        &mut self,
        run_duration: Duration,
        counts: impl Fn(&MetricTotal) -> bool,
    ) -> ThresholdOutcome {
        let mut outcome = ThresholdOutcome::default();
        for total in self.totals.iter_mut().filter(|total| counts(total)) {
            for threshold in &mut total.thresholds {
                threshold.evaluate(&total.sink, run_duration);
                outcome.abort |= threshold.aborts(run_duration);
            }
        }
        outcome.crossed =
            self.totals.iter().filter(|total| total.is_crossed()).map(MetricTotal::name).collect();
        outcome.crossed.sort();
        outcome
    }
}

impl MetricTotal {
    /// Name of the metric or `metric{selector}`, as thresholds write it.
    pub fn name(&self) -> String {
        match self.suffix() {
            None => self.info.name.to_string(),
            Some(suffix) => format!("{}{{{suffix}}}", self.info.name),
        }
    }

    /// The text between the braces of a submetric's name.
    pub fn suffix(&self) -> Option<&str> {
        self.selector.as_ref()?.suffix.as_deref()
    }

    /// Whether a threshold did not hold when it was last evaluated.
    pub fn is_crossed(&self) -> bool {
        self.thresholds.iter().any(|threshold| !threshold.ok)
    }
}

#[cfg(test)]
mod tests;
