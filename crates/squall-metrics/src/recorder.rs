//! The worker's end: turns samples into additions to series. This is the hot path of every request.
//!
//! A series is resolved once, by hashing; after that a sample is an index and an addition. What a worker
//! collected is drained as a [`Snapshot`] every second or so and merged by the conductor.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use rustc_hash::FxBuildHasher;

use crate::{MetricId, Registry, Sample, Sink, TagSet, TagText};

/// Series that a recorder keeps by default before it folds tags.
pub const SERIES_LIMIT: usize = 100_000;

/// Value that replaces all further values of a tag that made too many series.
const FOLDED: &str = "__other__";

/// Keys that are folded at most. When that is not enough, samples of new series lose all their tags.
const FOLDED_KEYS_LIMIT: usize = 10;

/// A metric with a tag set, in one [`Recorder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeriesId(u32);

/// Collects the samples of one worker.
pub struct Recorder {
    registry: Arc<Registry>,
    index: HashMap<(MetricId, Arc<TagSet>), SeriesId, FxBuildHasher>,
    series: Vec<Series>,
    /// Series with samples since the last drain, in the order of their first sample.
    touched: Vec<SeriesId>,
    raw: Option<Vec<Sample>>,
    series_limit: usize,
    folded_keys: Vec<TagText>,
}

struct Series {
    sink: Sink,
    touched: bool,
    metric: MetricId,
    tags: Arc<TagSet>,
}

/// What a recorder collected between two drains.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Only series with samples, in the order of their first sample.
    pub series: Vec<SeriesDelta>,
    /// Keys of tags with so many values that further values are counted as `__other__`.
    pub folded_keys: Vec<TagText>,
}

/// The samples of one series between two drains.
#[derive(Debug)]
pub struct SeriesDelta {
    /// The series' metric.
    pub metric: MetricId,
    /// The series' tags.
    pub tags: Arc<TagSet>,
    /// What was added.
    pub sink: Sink,
}

impl Recorder {
    /// A recorder that keeps [`SERIES_LIMIT`] series.
    pub fn new(registry: Arc<Registry>) -> Recorder {
        Recorder::with_series_limit(registry, SERIES_LIMIT)
    }

    /// A recorder that keeps about `series_limit` series. Beyond it the values of the tag with most
    /// values become `__other__`; should that not be enough, the tag with next most values follows, and so on.
    pub fn with_series_limit(registry: Arc<Registry>, series_limit: usize) -> Recorder {
        Recorder {
            registry,
            index: HashMap::default(),
            series: Vec::new(),
            touched: Vec::new(),
            raw: None,
            series_limit,
            folded_keys: Vec::new(),
        }
    }

    /// Finds or opens the series of a metric with these tags. Keep the answer: it holds as long as the recorder.
    pub fn series(&mut self, metric: MetricId, tags: &Arc<TagSet>) -> SeriesId {
        if let Some(&id) = self.index.get(&(metric, Arc::clone(tags))) {
            return id;
        }
        if self.series.len() < self.series_limit {
            return self.open(metric, Arc::clone(tags));
        }
        self.folded_series(metric, tags)
    }

    /// Adds a sample taken `at` a time since the run's start.
    #[inline]
    pub fn record(&mut self, series: SeriesId, value: f64, at: Duration) {
        self.record_with(series, value, at, None);
    }

    /// Adds a sample with metadata, which only raw samples carry.
    #[inline]
    pub fn record_with(&mut self, id: SeriesId, value: f64, at: Duration, metadata: Option<&Arc<TagSet>>) {
        let series = &mut self.series[id.0 as usize];
        series.sink.add(value, at);
        if !series.touched {
            series.touched = true;
            self.touched.push(id);
        }
        if let Some(raw) = &mut self.raw {
            let (metric, tags) = (series.metric, Arc::clone(&series.tags));
            raw.push(Sample { metric, tags, at, value, metadata: metadata.cloned() });
        }
    }

    /// From now on keeps raw samples too, until they are taken.
    pub fn enable_raw(&mut self) {
        self.raw.get_or_insert_default();
    }

    /// How many raw samples are waiting to be taken.
    pub fn raw_len(&self) -> usize {
        self.raw.as_ref().map_or(0, Vec::len)
    }

    /// Takes the raw samples since the last call; none unless they were enabled.
    pub fn take_raw(&mut self) -> Vec<Sample> {
        match &mut self.raw {
            Some(raw) => {
                let capacity = raw.len();
                std::mem::replace(raw, Vec::with_capacity(capacity))
            }
            None => Vec::new(),
        }
    }

    /// Takes what was recorded since the last drain. Series and their ids stay.
    pub fn drain(&mut self) -> Snapshot {
        let series = self.touched.drain(..).map(|id| self.series[id.0 as usize].drain()).collect();
        Snapshot { series, folded_keys: self.folded_keys.clone() }
    }

    fn open(&mut self, metric: MetricId, tags: Arc<TagSet>) -> SeriesId {
        let id = SeriesId(u32::try_from(self.series.len()).expect("fewer series than 2^32"));
        let sink = Sink::new(self.registry.info(metric).kind);
        self.series.push(Series { sink, touched: false, metric, tags: Arc::clone(&tags) });
        self.index.insert((metric, tags), id);
        id
    }

    /// The series that takes in what is beyond the limit. A tenth more series may open for each key that
    /// is folded, so that the other tags still get theirs; in the end only the metric is left.
    #[cold]
    fn folded_series(&mut self, metric: MetricId, tags: &Arc<TagSet>) -> SeriesId {
        loop {
            let folded = self.fold(tags);
            if let Some(&id) = self.index.get(&(metric, Arc::clone(&folded))) {
                return id;
            }
            let allowed = self.series_limit + self.folded_keys.len() * (self.series_limit / 10);
            if self.series.len() < allowed {
                return self.open(metric, folded);
            }
            if self.folded_keys.len() == FOLDED_KEYS_LIMIT {
                return self.untagged_series(metric);
            }
            match self.widest_key() {
                Some(key) => self.folded_keys.push(key),
                None => return self.untagged_series(metric),
            }
        }
    }

    fn untagged_series(&mut self, metric: MetricId) -> SeriesId {
        let tags = TagSet::empty();
        match self.index.get(&(metric, Arc::clone(&tags))) {
            Some(&id) => id,
            None => self.open(metric, tags),
        }
    }

    fn fold(&self, tags: &Arc<TagSet>) -> Arc<TagSet> {
        let keys = self.folded_keys.iter().filter(|key| tags.get(key).is_some());
        tags.with_all(keys.map(|key| (key, FOLDED)))
    }

    /// The tag key with most values of those that are not folded yet.
    fn widest_key(&self) -> Option<TagText> {
        let mut values: HashMap<&str, HashSet<&str, FxBuildHasher>> = HashMap::new();
        for (key, value) in self.series.iter().flat_map(|series| series.tags.iter()) {
            values.entry(key).or_default().insert(value);
        }
        values.retain(|&key, _| !self.folded_keys.iter().any(|folded| **folded == *key));
        let widest = values.iter().max_by_key(|(key, values)| (values.len(), **key))?;
        Some(TagText::from(widest.0.to_string()))
    }
}

impl Series {
    fn drain(&mut self) -> SeriesDelta {
        self.touched = false;
        SeriesDelta { metric: self.metric, tags: Arc::clone(&self.tags), sink: self.sink.take() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Contains, MetricKind, builtin};

    fn recorder(series_limit: usize) -> Recorder {
        Recorder::with_series_limit(Arc::new(Registry::new()), series_limit)
    }

    fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_drain_holds_touched_series_in_order_and_empties_them() {
        let mut recorder = recorder(SERIES_LIMIT);
        let tags = TagSet::new([("url", "/")]);
        let duration = recorder.series(builtin::HTTP_REQ_DURATION, &tags);
        let requests = recorder.series(builtin::HTTP_REQS, &tags);
        assert_eq!(recorder.series(builtin::HTTP_REQS, &TagSet::new([("url", "/")])), requests);
        recorder.series(builtin::VUS, &tags);
        recorder.record(requests, 1.0, at(1));
        recorder.record(duration, 3.5, at(1));
        recorder.record(requests, 1.0, at(2));

        let drained: Vec<_> =
            recorder.drain().series.iter().map(|series| (series.metric, series.sink.count())).collect();
        assert_eq!(drained, [(builtin::HTTP_REQS, 2), (builtin::HTTP_REQ_DURATION, 1)]);
        assert!(recorder.drain().series.is_empty());
    }

    #[test]
    fn raw_samples_exist_when_asked_for() {
        let mut recorder = recorder(SERIES_LIMIT);
        let tags = TagSet::new([("url", "/")]);
        let series = recorder.series(builtin::HTTP_REQS, &tags);
        recorder.record(series, 1.0, at(1));
        assert!(recorder.take_raw().is_empty());
        recorder.enable_raw();
        let metadata = TagSet::new([("vu", "1")]);
        recorder.record_with(series, 2.0, at(2), Some(&metadata));
        let expected =
            Sample { metric: builtin::HTTP_REQS, tags, at: at(2), value: 2.0, metadata: Some(metadata) };
        assert_eq!(recorder.take_raw(), [expected]);
        assert!(recorder.take_raw().is_empty());
    }

    #[test]
    fn the_widest_tag_folds_at_the_limit_and_nothing_is_lost() {
        let mut recorder = recorder(100);
        for index in 0..1000 {
            let method = if index % 2 == 0 { "GET" } else { "PUT" };
            let tags = TagSet::new([("url", format!("/{index}")), ("method", method.to_owned())]);
            let series = recorder.series(builtin::HTTP_REQS, &tags);
            recorder.record(series, 1.0, at(1));
        }
        let snapshot = recorder.drain();
        assert_eq!(snapshot.folded_keys, [TagText::from("url")]);
        assert_eq!(snapshot.series.len(), 102);
        assert_eq!(snapshot.series.iter().map(|series| series.sink.count()).sum::<u64>(), 1000);
        let other = &snapshot.series[101].tags;
        assert_eq!((other.get("url"), other.get("method")), (Some("__other__"), Some("PUT")));
    }

    #[test]
    fn tags_that_run_away_together_stay_bounded() {
        let check = |tags: fn(String) -> Arc<TagSet>| {
            let mut recorder = recorder(100);
            for index in 0..5000 {
                let series = recorder.series(builtin::HTTP_REQS, &tags(index.to_string()));
                recorder.record(series, 1.0, at(1));
            }
            assert!(recorder.series.len() <= 201, "{}", recorder.series.len());
            assert_eq!(recorder.drain().series.iter().map(|series| series.sink.count()).sum::<u64>(), 5000);
        };
        check(|index| TagSet::new([("a", index.clone()), ("b", index.clone()), ("c", index)]));
        check(|index| TagSet::new([(index.clone(), index)]));
    }

    #[test]
    fn metrics_registered_late_are_known() {
        let registry = Arc::new(Registry::new());
        let mut recorder = Recorder::new(Arc::clone(&registry));
        let orders = registry.register("orders", MetricKind::Rate, Contains::Default).unwrap();
        let series = recorder.series(orders, &TagSet::empty());
        recorder.record(series, 0.0, at(0));
        assert_eq!(recorder.drain().series[0].sink.kind(), MetricKind::Rate);
    }
}
