//! The tags that a VU's samples carry, and the cache that keeps equal tag sets one object.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use rustc_hash::FxHashMap;
use squall_metrics::{MetricId, Recorder, SeriesId, TagSet, TagText};

/// Entries of the cache before it starts afresh: scripts that make up group names must not grow it for ever.
const CACHE_LIMIT: usize = 10_000;

/// Entries for tags that scripts give before they start afresh.
const CUSTOM_LIMIT: usize = 1024;

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

/// A base with a script's own tags.
struct CustomSet {
    set: Arc<TagSet>,
    /// Keeps its address from being another's.
    _base: Arc<TagSet>,
}

/// `set.with(key, value)` and the like, remembered.
#[derive(Default)]
pub(crate) struct TagCache {
    sets: RefCell<FxHashMap<(Arc<TagSet>, &'static str), ByValue>>,
    /// By the bytes of [`CustomTags`] on a base.
    custom: RefCell<FxHashMap<Box<[u8]>, CustomSet>>,
    /// Where paths are put together.
    path: RefCell<String>,
}

impl TagCache {
    pub(crate) fn with(&self, base: &Arc<TagSet>, key: &'static str, value: &str) -> Arc<TagSet> {
        let mut sets = self.sets.borrow_mut();
        let place = (Arc::clone(base), key);
        if sets.len() >= CACHE_LIMIT && !sets.contains_key(&place) {
            sets.clear();
        }
        let by_value = sets.entry(place).or_default();
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

    /// The value is these parts in a row.
    pub(crate) fn with_path(&self, base: &Arc<TagSet>, key: &'static str, parts: &[&str]) -> Arc<TagSet> {
        let mut path = self.path.borrow_mut();
        path.clear();
        path.extend(parts.iter().copied());
        self.with(base, key, &path)
    }

    /// The base with a script's own tags.
    pub(crate) fn with_custom(&self, base: &Arc<TagSet>, custom: &mut CustomTags) -> Arc<TagSet> {
        if custom.is_empty() {
            return Arc::clone(base);
        }
        custom.set_base(base);
        let mut sets = self.custom.borrow_mut();
        if let Some(known) = sets.get(&*custom.bytes) {
            return Arc::clone(&known.set);
        }
        if sets.len() >= CUSTOM_LIMIT {
            sets.clear();
        }
        let set = base.with_all(custom.iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        let known = CustomSet { set: Arc::clone(&set), _base: Arc::clone(base) };
        sets.insert(custom.bytes.as_slice().into(), known);
        set
    }
}

/// Tags as a script gives them, in the form that the cache knows sets by: the base's address, then each key and value
/// after its length.
pub(crate) struct CustomTags {
    bytes: Vec<u8>,
}

const BASE_BYTES: usize = size_of::<usize>();
const LENGTH_BYTES: usize = size_of::<usize>();

/// A buffer that has grown beyond this is given up.
const BUFFER_BYTES_MAX: usize = 4096;

thread_local! {
    /// The buffer of tags that are not in use: one is enough nearly always.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Default for CustomTags {
    fn default() -> CustomTags {
        let mut bytes = BUFFER.take();
        bytes.clear();
        bytes.extend([0; BASE_BYTES]);
        CustomTags { bytes }
    }
}

impl Drop for CustomTags {
    fn drop(&mut self) {
        if self.bytes.capacity() <= BUFFER_BYTES_MAX {
            BUFFER.set(std::mem::take(&mut self.bytes));
        }
    }
}

impl CustomTags {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.len() == BASE_BYTES
    }

    /// Adds a tag; of two with the same key the later one counts.
    pub(crate) fn push(&mut self, key: &str, value: &str) {
        for text in [key, value] {
            self.bytes.extend(text.len().to_ne_bytes());
            self.bytes.extend(text.as_bytes());
        }
    }

    fn set_base(&mut self, base: &Arc<TagSet>) {
        self.bytes[..BASE_BYTES].copy_from_slice(&(Arc::as_ptr(base) as usize).to_ne_bytes());
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = &self.bytes[BASE_BYTES..];
        let mut next_text = move || {
            let (length, after) = rest.split_first_chunk::<LENGTH_BYTES>()?;
            let (text, after) = after.split_at(usize::from_ne_bytes(*length));
            rest = after;
            Some(std::str::from_utf8(text).expect("it was text"))
        };
        std::iter::from_fn(move || Some((next_text()?, next_text()?)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(tags: &[(&str, &str)]) -> CustomTags {
        let mut custom = CustomTags::default();
        tags.iter().for_each(|(key, value)| custom.push(key, value));
        custom
    }

    #[test]
    fn a_script_s_tags_make_the_same_set_each_time() {
        let cache = TagCache::default();
        let base = TagSet::new([("group", ""), ("kind", "base")]);
        let set = cache.with_custom(&base, &mut custom(&[("kind", "order"), ("a", "1")]));
        assert_eq!(set, TagSet::new([("a", "1"), ("group", ""), ("kind", "order")]));
        assert!(Arc::ptr_eq(&set, &cache.with_custom(&base, &mut custom(&[("kind", "order"), ("a", "1")]))));
        assert!(Arc::ptr_eq(&base, &cache.with_custom(&base, &mut custom(&[]))));
    }

    #[test]
    fn what_differs_in_base_key_or_value_is_another_set() {
        let cache = TagCache::default();
        let (base, other) = (TagSet::new([("group", "")]), TagSet::new([("group", "::g")]));
        let check = |base: &Arc<TagSet>, tags: &[(&'static str, &'static str)]| {
            let set = cache.with_custom(base, &mut custom(tags));
            assert_eq!(set, base.with_all(tags.iter().copied()), "{tags:?}");
        };
        check(&base, &[("ab", "c")]);
        check(&base, &[("a", "bc")]);
        check(&base, &[("a", "b"), ("c", "")]);
        check(&base, &[("a", "b"), ("", "c")]);
        check(&base, &[("a", "1"), ("a", "2")]);
        check(&other, &[("ab", "c")]);
    }

    #[test]
    fn tags_without_end_are_forgotten() {
        let cache = TagCache::default();
        let base = TagSet::empty();
        for number in 0..CUSTOM_LIMIT + 1 {
            cache.with_custom(&base, &mut custom(&[("id", &number.to_string())]));
        }
        assert_eq!(cache.custom.borrow().len(), 1);
    }

    #[test]
    fn bases_without_end_are_forgotten() {
        let cache = TagCache::default();
        for number in 0..2 * CACHE_LIMIT {
            let base = TagSet::new([("id", number.to_string())]);
            let set = cache.with(&base, "group", "::a");
            assert_eq!(set.get("group"), Some("::a"));
            assert!(Arc::ptr_eq(&set, &cache.with(&base, "group", "::a")));
        }
        assert!(cache.sets.borrow().len() <= CACHE_LIMIT);
    }
}
