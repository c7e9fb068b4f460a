//! Groups, their checks and their metrics: the tree that summaries show.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::{MetricId, MetricInfo, RateSink, SeriesDelta, Sink, builtin};

/// Stands before each name in the path of a group.
pub const GROUP_SEPARATOR: &str = "::";

/// How deep groups may be nested: a tag can claim any depth, and the tree is walked recursively.
const DEPTH_LIMIT: usize = 100;

/// A group, a scenario or the whole run. Checks and groups are in the order of their first sample.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Checks by name.
    pub checks: IndexMap<String, RateSink>,
    /// Groups by name.
    pub groups: IndexMap<String, Section>,
    /// What was recorded here and not in one of the groups.
    pub metrics: BTreeMap<MetricId, Sink>,
}

/// What the full summary tells beyond totals.
#[derive(Clone, Debug, Default)]
pub struct Sections {
    /// Groups of the scenario `default`.
    pub default: Section,
    /// The other scenarios, by name. A scenario's own metrics hold those of its groups too.
    pub scenarios: BTreeMap<String, Section>,
}

impl Section {
    /// The group of a path such as `::outer::inner`, made when it is new. What is deeper than
    /// [`DEPTH_LIMIT`] counts as its ancestor.
    pub(crate) fn group_mut(&mut self, path: &str) -> &mut Section {
        let names = path.split(GROUP_SEPARATOR).filter(|name| !name.is_empty()).take(DEPTH_LIMIT);
        names.fold(self, |section, name| {
            if !section.groups.contains_key(name) {
                section.groups.insert(name.to_owned(), Section::default());
            }
            &mut section.groups[name]
        })
    }

    fn add(&mut self, delta: &SeriesDelta, info: &MetricInfo) {
        self.metrics.entry(delta.metric).or_insert_with(|| Sink::new(info.kind)).merge(&delta.sink);
        merge_check(&mut self.checks, delta);
    }
}

impl Sections {
    /// Adds to the scenario and the group of a series. Setup and teardown belong to neither.
    pub(crate) fn add(&mut self, delta: &SeriesDelta, info: &MetricInfo) {
        let scenario = delta.tags.get("scenario").unwrap_or("default");
        let Some(path) = delta.tags.get("group").filter(|path| !is_lifecycle(path)) else { return };
        if scenario != "default" && !self.scenarios.contains_key(scenario) {
            self.scenarios.insert(scenario.to_owned(), Section::default());
        }
        let section = match self.scenarios.get_mut(scenario) {
            Some(section) => {
                section.add(delta, info);
                section
            }
            None => &mut self.default,
        };
        if !path.is_empty() {
            section.group_mut(path).add(delta, info);
        }
    }
}

/// Adds a series to its check, if it is one of a check.
pub(crate) fn merge_check(checks: &mut IndexMap<String, RateSink>, delta: &SeriesDelta) {
    let (builtin::CHECKS, Some(name), Sink::Rate(rate)) =
        (delta.metric, delta.tags.get("check"), &delta.sink)
    else {
        return;
    };
    match checks.get_mut(name) {
        Some(known) => known.merge(rate),
        None => {
            checks.insert(name.to_owned(), *rate);
        }
    }
}

/// k6 runs setup and teardown in groups of these names.
fn is_lifecycle(path: &str) -> bool {
    matches!(path.split(GROUP_SEPARATOR).nth(1), Some("setup" | "teardown"))
}
