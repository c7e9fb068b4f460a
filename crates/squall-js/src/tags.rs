//! The tags that a VU's samples carry, and the cache that keeps equal tag sets one object.

use std::{cell::RefCell, sync::Arc};

use rustc_hash::FxHashMap;
use squall_metrics::{MetricId, Recorder, SeriesId, TagSet, TagText};

/// Entries of the cache before it starts afresh: scripts that make up group names must not grow it for ever.
const CACHE_LIMIT: usize = 10_000;

/// A VU's tags. Scripts change them through `exec.vu.metrics.tags` and `group`; a new scenario sets them anew.
pub(crate) struct VuTags {
    current: RefCell<Arc<TagSet>>,
    metadata: RefCell<Option<Arc<TagSet>>>,
}

impl VuTags {
    pub(crate) fn new(base: Arc<TagSet>) -> VuTags {
        VuTags { current: RefCell::new(base), metadata: RefCell::default() }
    }

    pub(crate) fn current(&self) -> Arc<TagSet> {
        Arc::clone(&self.current.borrow())
    }

    /// Makes `tags` current and returns what was.
    pub(crate) fn replace(&self, tags: Arc<TagSet>) -> Arc<TagSet> {
        self.current.replace(tags)
    }

    /// Begins a scenario.
    pub(crate) fn set_base(&self, base: Arc<TagSet>) {
        self.current.replace(base);
        self.metadata.replace(None);
    }

    pub(crate) fn metadata(&self) -> Option<Arc<TagSet>> {
        self.metadata.borrow().clone()
    }

    pub(crate) fn set_metadata(&self, metadata: Option<Arc<TagSet>>) {
        self.metadata.replace(metadata);
    }
}

/// The sets that a base and a key make, by the key's value.
type ByValue = FxHashMap<Arc<str>, Arc<TagSet>>;

/// `set.with(key, value)`, remembered.
#[derive(Default)]
pub(crate) struct TagCache {
    sets: RefCell<FxHashMap<(Arc<TagSet>, &'static str), ByValue>>,
}

impl TagCache {
    pub(crate) fn with(&self, base: &Arc<TagSet>, key: &'static str, value: &str) -> Arc<TagSet> {
        let mut sets = self.sets.borrow_mut();
        let by_value = sets.entry((Arc::clone(base), key)).or_default();
        if let Some(set) = by_value.get(value) {
            return Arc::clone(set);
        }
        if by_value.len() >= CACHE_LIMIT {
            by_value.clear();
        }
        let value: Arc<str> = value.into();
        let set = base.with(key, TagText::Shared(Arc::clone(&value)));
        by_value.insert(value, Arc::clone(&set));
        set
    }
}

/// The series of some metrics with the tags that were asked for last: mostly the same again.
pub(crate) struct LastSeries<const N: usize>(RefCell<Option<(Arc<TagSet>, [SeriesId; N])>>);

impl<const N: usize> Default for LastSeries<N> {
    fn default() -> LastSeries<N> {
        LastSeries(RefCell::new(None))
    }
}

impl<const N: usize> LastSeries<N> {
    /// `metrics` must be the same each time.
    pub(crate) fn get(
        &self,
        tags: &Arc<TagSet>,
        metrics: [MetricId; N],
        recorder: &mut Recorder,
    ) -> [SeriesId; N] {
        let mut last = self.0.borrow_mut();
        if let Some((known, series)) = &*last
            && Arc::ptr_eq(known, tags)
        {
            return *series;
        }
        let series = metrics.map(|metric| recorder.series(metric, tags));
        *last = Some((Arc::clone(tags), series));
        series
    }
}
