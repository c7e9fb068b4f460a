//! Tags of a sample: small, immutable, sorted sets that are cheap to compare and to share.

use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::{Arc, LazyLock},
};

use rustc_hash::FxHasher;
use serde::{Serialize, Serializer, ser::SerializeMap};

/// A tag's key or value: cheap to clone.
#[derive(Clone)]
pub enum TagText {
    /// Known to the program.
    Static(&'static str),
    /// Made by the run.
    Shared(Arc<str>),
}

/// Tags sorted by key, each key once. Made once, then passed about as `Arc<TagSet>`.
///
/// The hash is computed when the set is made, so looking a set up costs no more than comparing it.
#[derive(Clone)]
pub struct TagSet {
    tags: Box<[(TagText, TagText)]>,
    hash: u64,
}

impl TagSet {
    /// The set of these tags; of two with the same key the later one stays.
    pub fn new<K: Into<TagText>, V: Into<TagText>>(tags: impl IntoIterator<Item = (K, V)>) -> Arc<TagSet> {
        TagSet::from_vec(tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The set without tags.
    pub fn empty() -> Arc<TagSet> {
        static EMPTY: LazyLock<Arc<TagSet>> = LazyLock::new(|| TagSet::from_vec(Vec::new()));
        Arc::clone(&EMPTY)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.get_text(key).map(|value| &**value)
    }

    /// The value of a key, to be shared.
    pub fn get_text(&self, key: &str) -> Option<&TagText> {
        let index = self.tags.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
        Some(&self.tags[index].1)
    }

    /// Keys and values in order of the keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.tags.iter().map(|(key, value)| (&**key, &**value))
    }

    /// How many tags there are.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether there is no tag.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// These tags and one more, or one replaced.
    pub fn with(&self, key: impl Into<TagText>, value: impl Into<TagText>) -> Arc<TagSet> {
        self.with_all([(key, value)])
    }

    /// These tags and more, or some replaced; of two with the same key the later one stays.
    pub fn with_all<K: Into<TagText>, V: Into<TagText>>(
        &self,
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Arc<TagSet> {
        let more = tags.into_iter().map(|(key, value)| (key.into(), value.into()));
        TagSet::from_vec(self.tags.iter().cloned().chain(more).collect())
    }

    /// These tags but one.
    pub fn without(&self, key: &str) -> Arc<TagSet> {
        TagSet::from_vec(self.tags.iter().filter(|(known, _)| **known != *key).cloned().collect())
    }

    /// Whether every tag of `other` is here with the same value.
    pub fn contains_all(&self, other: &TagSet) -> bool {
        other.iter().all(|(key, value)| self.get(key) == Some(value))
    }

    fn from_vec(mut tags: Vec<(TagText, TagText)>) -> Arc<TagSet> {
        tags.sort_by(|(a, _), (b, _)| a.cmp(b));
        // Sorting is stable: of equal keys the last is the latest, and `dedup` keeps the first.
        tags.reverse();
        tags.dedup_by(|(a, _), (b, _)| a == b);
        tags.reverse();
        let mut hasher = FxHasher::default();
        tags.hash(&mut hasher);
        Arc::new(TagSet { hash: hasher.finish(), tags: tags.into_boxed_slice() })
    }
}

impl PartialEq for TagSet {
    fn eq(&self, other: &TagSet) -> bool {
        std::ptr::eq(self, other) || (self.hash == other.hash && self.tags == other.tags)
    }
}

impl Eq for TagSet {}

impl Hash for TagSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl fmt::Debug for TagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for TagSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Deref for TagText {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            TagText::Static(text) => text,
            TagText::Shared(text) => text,
        }
    }
}

impl PartialEq for TagText {
    fn eq(&self, other: &TagText) -> bool {
        **self == **other
    }
}

impl Eq for TagText {}

impl PartialOrd for TagText {
    fn partial_cmp(&self, other: &TagText) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TagText {
    fn cmp(&self, other: &TagText) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for TagText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for TagText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Display for TagText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl From<&'static str> for TagText {
    fn from(text: &'static str) -> TagText {
        TagText::Static(text)
    }
}

impl From<String> for TagText {
    fn from(text: String) -> TagText {
        TagText::Shared(text.into())
    }
}

impl From<Arc<str>> for TagText {
    fn from(text: Arc<str>) -> TagText {
        TagText::Shared(text)
    }
}

impl From<&TagText> for TagText {
    fn from(text: &TagText) -> TagText {
        text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sorted_and_the_last_value_stays() {
        let tags = TagSet::new([("url", "/"), ("method", "GET"), ("url", "/a")]);
        insta::assert_debug_snapshot!(tags, @r#"
        {
            "method": "GET",
            "url": "/a",
        }
        "#);
        assert_eq!(tags.get("url"), Some("/a"));
        assert_eq!(tags.get("name"), None);
    }

    #[test]
    fn equal_tags_are_equal_sets_however_they_came_about() {
        let direct = TagSet::new([("a", "1"), ("b", "2")]);
        let built =
            TagSet::empty().with("b", String::from("9")).with("a", "1").with_all([("b", "2"), ("c", "3")]);
        assert_ne!(direct, built);
        assert_eq!(direct, built.without("c"));
        assert!(built.contains_all(&direct) && !direct.contains_all(&built));
    }
}
