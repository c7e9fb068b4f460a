//! Samples of a socket, and the pings that wait for their answers.

use std::{cell::RefCell, net::IpAddr, sync::Arc};

use squall_engine::Time;
use squall_metrics::{MetricId, SeriesId, TagSet, TagText, builtin};
use squall_options::SystemTag;

use crate::vu::VuState;

/// Pings that are remembered until they are answered; of more the oldest are forgotten.
const PINGS_MAX: usize = 1024;

/// How a socket's samples are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// `k6/ws`: a `name` is a tag like any other.
    Url,
    /// `k6/websockets`: `name` and `url` are equal, as in `k6/http`.
    NameAndUrl,
}

/// What an attempt to connect adds to a socket's tags.
pub(super) struct Facts<'a> {
    pub(super) url: &'a str,
    pub(super) naming: Naming,
    /// The status and sub-protocol of the server's answer.
    pub(super) answer: Option<(u16, &'a str)>,
    pub(super) ip: Option<IpAddr>,
}

/// The series of one socket.
pub(super) struct Meter {
    started: Time,
    session_duration: SeriesId,
    sent: SeriesId,
    received: SeriesId,
    ping: SeriesId,
}

impl Meter {
    /// Records the attempt to connect that began at `started`: how long it took, and how much of that the network.
    pub(super) fn new(
        vu: &VuState,
        base: &Arc<TagSet>,
        facts: &Facts,
        started: Time,
        [took_ms, network_ms]: [f64; 2],
    ) -> Meter {
        let tags = tags(vu, base, facts);
        let series = |metric: MetricId| vu.worker.recorder.borrow_mut().series(metric, &tags);
        record(vu, series(builtin::WS_SESSIONS), 1.0);
        record(vu, series(builtin::WS_CONNECTING), took_ms);
        if let Some(metrics) = vu.worker.network_metrics.filter(|_| vu.traffic.is_shaped()) {
            record(vu, series(metrics.delay), network_ms);
        }
        Meter {
            started,
            session_duration: series(builtin::WS_SESSION_DURATION),
            sent: series(builtin::WS_MSGS_SENT),
            received: series(builtin::WS_MSGS_RECEIVED),
            ping: series(builtin::WS_PING),
        }
    }

    pub(super) fn record_sent(&self, vu: &VuState) {
        record(vu, self.sent, 1.0);
    }

    pub(super) fn record_received(&self, vu: &VuState) {
        record(vu, self.received, 1.0);
    }

    pub(super) fn record_end(&self, vu: &VuState) {
        record(vu, self.session_duration, millis_since(vu, self.started));
    }

    /// Records the answer to a ping. False: there was no such ping.
    pub(super) fn record_pong(&self, vu: &VuState, pings: &Pings, payload: &[u8]) -> bool {
        let Some(sent) = pings.take(payload) else { return false };
        record(vu, self.ping, millis_since(vu, sent));
        true
    }
}

fn millis_since(vu: &VuState, time: Time) -> f64 {
    (vu.worker.clock.now() - time).as_secs_f64() * 1e3
}

/// What happens to a VU that has been told to stop is not measured any more, as in k6.
fn record(vu: &VuState, series: SeriesId, value: f64) {
    if vu.is_stopped() {
        return;
    }
    let metadata = vu.sample_metadata();
    let now = vu.worker.clock.now();
    vu.worker.recorder.borrow_mut().record_with(series, value, now, metadata.as_ref());
}

fn tags(vu: &VuState, base: &Arc<TagSet>, facts: &Facts) -> Arc<TagSet> {
    let settings = &vu.worker.settings;
    let mut tags: Vec<(TagText, TagText)> = Vec::with_capacity(5);
    let mut add = |tag: SystemTag, value: TagText| {
        if settings.has_tag(tag) {
            tags.push((tag.name().into(), value));
        }
    };
    let own_name = base.get_text("name").filter(|_| facts.naming == Naming::NameAndUrl);
    let url = own_name.cloned().unwrap_or_else(|| facts.url.to_owned().into());
    if facts.naming == Naming::NameAndUrl {
        add(SystemTag::Name, url.clone());
    }
    add(SystemTag::Url, url);
    if let Some((status, protocol)) = facts.answer {
        add(SystemTag::Status, status.to_string().into());
        add(SystemTag::Subproto, protocol.to_owned().into());
    }
    if let Some(ip) = facts.ip {
        add(SystemTag::Ip, ip.to_string().into());
    }
    base.with_all(tags)
}

/// Pings that were sent: numbered, as their payload says.
#[derive(Default)]
pub(super) struct Pings(RefCell<Sent>);

#[derive(Default)]
struct Sent {
    count: u64,
    unanswered: Vec<(u64, Time)>,
}

impl Pings {
    /// The payload of the next ping, which is sent now.
    pub(super) fn next(&self, now: Time) -> String {
        let mut sent = self.0.borrow_mut();
        let number = sent.count;
        sent.count += 1;
        if sent.unanswered.len() == PINGS_MAX {
            sent.unanswered.remove(0);
        }
        sent.unanswered.push((number, now));
        number.to_string()
    }

    /// When the ping with this payload was sent.
    fn take(&self, payload: &[u8]) -> Option<Time> {
        let number: u64 = std::str::from_utf8(payload).ok()?.parse().ok()?;
        let unanswered = &mut self.0.borrow_mut().unanswered;
        let place = unanswered.iter().position(|&(known, _)| known == number)?;
        Some(unanswered.remove(place).1)
    }
}
