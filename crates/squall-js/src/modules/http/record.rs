//! Samples of an exchange: k6's nine, with the tags that tell exchanges apart.

use std::{cell::RefCell, collections::HashMap, net::IpAddr, rc::Rc, sync::Arc};

use rustc_hash::FxBuildHasher;
use squall_http::{Exchange, Method, millis};
use squall_metrics::{MetricId, SeriesId, TagSet, TagText, builtin};
use squall_options::SystemTag;

use crate::vu::VuState;

/// Metrics of an exchange in k6's order; `http_req_failed` exists only where something is expected.
const METRICS: [MetricId; 9] = [
    builtin::HTTP_REQS,
    builtin::HTTP_REQ_DURATION,
    builtin::HTTP_REQ_BLOCKED,
    builtin::HTTP_REQ_CONNECTING,
    builtin::HTTP_REQ_TLS_HANDSHAKING,
    builtin::HTTP_REQ_SENDING,
    builtin::HTTP_REQ_WAITING,
    builtin::HTTP_REQ_RECEIVING,
    builtin::HTTP_REQ_FAILED,
];

/// Entries of the cache before it starts afresh: URLs with ids in them must not grow it for ever.
const CACHE_LIMIT: usize = 4096;

/// The series of exchanges that were seen before: of [`METRICS`], then those of a network profile.
#[derive(Default)]
pub(crate) struct RequestSeriesCache {
    series: RefCell<HashMap<Key, Rc<[SeriesId]>, FxBuildHasher>>,
}

/// All that an exchange's tags are made of.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    base: Arc<TagSet>,
    name: Arc<str>,
    method: Method,
    status: u16,
    protocol: &'static str,
    error: Option<(u32, Option<Arc<str>>)>,
    tls_version: Option<&'static str>,
    ip: Option<IpAddr>,
    is_expected: Option<bool>,
}

/// The series of the last exchange with a URL: mostly those of the next one too.
#[derive(Default)]
pub(super) struct LastExchange(RefCell<Option<(Key, Rc<[SeriesId]>)>>);

impl LastExchange {
    /// The series, if this exchange has the same tags as the last one. Comparing costs a tenth of making a key.
    fn get(&self, facts: &Facts) -> Option<Rc<[SeriesId]>> {
        let last = self.0.borrow();
        let (key, series) = last.as_ref()?;
        facts.match_key(key).then(|| Rc::clone(series))
    }
}

/// What an exchange's key is made from.
struct Facts<'a> {
    base: &'a Arc<TagSet>,
    name: &'a Arc<str>,
    exchange: &'a Exchange,
    ip: Option<IpAddr>,
    is_expected: Option<bool>,
}

impl Facts<'_> {
    fn match_key(&self, key: &Key) -> bool {
        let exchange = self.exchange;
        Arc::ptr_eq(&key.base, self.base)
            && Arc::ptr_eq(&key.name, self.name)
            && key.method == exchange.method
            && key.status == exchange.status
            && key.protocol == exchange.protocol.as_str()
            && key.error.is_none()
            && exchange.error_code() == 0
            && key.tls_version == exchange.tls.as_ref().map(|tls| tls.version)
            && key.ip == self.ip
            && key.is_expected == self.is_expected
    }

    fn key(&self) -> Key {
        let exchange = self.exchange;
        let error = (exchange.error_code() != 0)
            .then(|| (exchange.error_code(), exchange.error.as_ref().map(|error| Arc::from(&*error.text))));
        Key {
            base: Arc::clone(self.base),
            name: Arc::clone(self.name),
            method: exchange.method.clone(),
            status: exchange.status,
            protocol: exchange.protocol.as_str(),
            error,
            tls_version: exchange.tls.as_ref().map(|tls| tls.version),
            ip: self.ip,
            is_expected: self.is_expected,
        }
    }
}

/// Records an exchange. `is_expected`: whether the response is what the script expects; `None` when it
/// does not care.
pub(super) fn exchange(
    vu: &VuState,
    base: &Arc<TagSet>,
    name: &Arc<str>,
    last: &LastExchange,
    exchange: &Exchange,
    is_expected: Option<bool>,
) {
    let has_ip = vu.worker.settings.has_tag(SystemTag::Ip);
    let ip = exchange.remote.filter(|_| has_ip).map(|remote| remote.ip());
    let facts = Facts { base, name, exchange, ip, is_expected };
    let series = last.get(&facts).unwrap_or_else(|| {
        let key = facts.key();
        let series = resolve(vu, key.clone());
        *last.0.borrow_mut() = Some((key, Rc::clone(&series)));
        series
    });
    let timings = &exchange.timings;
    let values = [
        1.0,
        millis(timings.duration()),
        millis(timings.blocked),
        millis(timings.connecting),
        millis(timings.tls_handshaking),
        millis(timings.sending),
        millis(timings.waiting),
        millis(timings.receiving),
        f64::from(u8::from(is_expected == Some(false))),
    ];
    let now = vu.worker.clock.now();
    let metadata = vu.sample_metadata();
    let mut recorder = vu.worker.recorder.borrow_mut();
    let (of_exchange, of_network) = series.split_at(metrics_of(is_expected).len());
    for (&series, value) in of_exchange.iter().zip(values) {
        recorder.record_with(series, value, now, metadata.as_ref());
    }
    if let Some(delay) = exchange.network_delay {
        for (&series, value) in of_network.iter().zip([delay.transfer, delay.connecting]) {
            recorder.record_with(series, millis(value), now, metadata.as_ref());
        }
    }
}

/// The last of them is there only where something is expected.
fn metrics_of(is_expected: Option<bool>) -> &'static [MetricId] {
    if is_expected.is_some() { &METRICS } else { &METRICS[..METRICS.len() - 1] }
}

fn resolve(vu: &VuState, key: Key) -> Rc<[SeriesId]> {
    let mut cache = vu.worker.request_series.series.borrow_mut();
    if let Some(series) = cache.get(&key) {
        return Rc::clone(series);
    }
    if cache.len() >= CACHE_LIMIT {
        cache.clear();
    }
    let tags = tags(vu, &key);
    let mut recorder = vu.worker.recorder.borrow_mut();
    // The base has the network's name: with another network the key is another.
    let network = vu.worker.network_metrics.filter(|_| vu.traffic.is_shaped());
    let of_network = network.map(|metrics| [metrics.delay, metrics.connect_delay]);
    let metrics = metrics_of(key.is_expected).iter().copied().chain(of_network.into_iter().flatten());
    let series: Rc<[SeriesId]> = metrics.map(|metric| recorder.series(metric, &tags)).collect();
    cache.insert(key, Rc::clone(&series));
    series
}

fn tags(vu: &VuState, key: &Key) -> Arc<TagSet> {
    let settings = &vu.worker.settings;
    let mut tags: Vec<(TagText, TagText)> = Vec::with_capacity(10);
    let mut add = |tag: SystemTag, value: TagText| {
        if settings.has_tag(tag) {
            tags.push((tag.name().into(), value));
        }
    };
    // The script's own `name` tag stays, a `url` tag does not: k6 shows the name as the URL, so that ids in URLs
    // make no series.
    let name = key.base.get_text("name").cloned().unwrap_or_else(|| TagText::Shared(Arc::clone(&key.name)));
    add(SystemTag::Name, name.clone());
    add(SystemTag::Url, name);
    add(SystemTag::Method, key.method.as_str().to_owned().into());
    add(SystemTag::Status, key.status.to_string().into());
    if key.status != 0 {
        add(SystemTag::Proto, key.protocol.into());
    }
    if let Some((code, text)) = &key.error {
        add(SystemTag::ErrorCode, code.to_string().into());
        if let Some(text) = text {
            add(SystemTag::Error, TagText::Shared(Arc::clone(text)));
        }
    }
    if let Some(version) = key.tls_version {
        add(SystemTag::TlsVersion, version.into());
    }
    if let Some(ip) = key.ip {
        add(SystemTag::Ip, ip.to_string().into());
    }
    if let Some(is_expected) = key.is_expected {
        add(SystemTag::ExpectedResponse, if is_expected { "true" } else { "false" }.into());
    }
    key.base.with_all(tags)
}
