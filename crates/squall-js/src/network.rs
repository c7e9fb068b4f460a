//! The network of a VU in a scenario: chosen when it takes the scenario on, recorded with what the VU does.

use std::rc::Rc;
use std::sync::Arc;

use squall_engine::{Time, scenario::ScenarioRun};
use squall_metrics::{NetworkMetrics, TagSet};
use squall_net::Link;
use squall_options::NetworkProfile;
use tokio::time::Instant;

use crate::vu::VuState;

/// Has the VU's connections go through the scenario's network from now on. Connections over another are closed.
pub(crate) fn enter(vu: &VuState, scenario: &ScenarioRun) {
    let link = profile(vu, scenario).filter(|profile| profile.is_active()).map(|profile| {
        let seed = vu.worker.settings.options.network_seed();
        Rc::new(Link::new(profile, seed, vu.id_in_test, test_start(vu)))
    });
    if link.is_some() || vu.traffic.is_shaped() {
        vu.traffic.set_link(link);
        crate::modules::http::close_idle(vu);
    }
}

/// The scenario's tags, with the network's name where there are networks.
pub(crate) fn tags(vu: &VuState, scenario: &ScenarioRun) -> Arc<TagSet> {
    match profile(vu, scenario) {
        Some(profile) => vu.worker.tag_cache.with(&scenario.tags, "network", &profile.name),
        None => Arc::clone(&scenario.tags),
    }
}

/// What the VU gets of the scenario's networks, if any of them does anything.
fn profile<'a>(vu: &'a VuState, scenario: &ScenarioRun) -> Option<&'a Arc<NetworkProfile>> {
    // Mostly there is none, and this is asked whenever a VU begins.
    vu.worker.network_metrics?;
    let options = &vu.worker.settings.options;
    let shares = options.network_of(&scenario.config.name).filter(|shares| shares.is_active())?;
    Some(shares.of_vu(vu.id_in_test, options.network_seed()))
}

/// When the test began, by the clock that connections go by.
fn test_start(vu: &VuState) -> Instant {
    let now = Instant::now();
    let elapsed = |started: &Time| vu.worker.clock.now().saturating_sub(*started);
    let elapsed = vu.run().test_started.get().map(elapsed);
    elapsed.and_then(|elapsed| now.checked_sub(elapsed)).unwrap_or(now)
}

/// Records what was done to the VU's connections on purpose since the last time.
pub(crate) fn record_faults(vu: &VuState, now: Time) {
    let (Some(NetworkMetrics { faults, .. }), Some(link)) = (vu.worker.network_metrics, vu.traffic.link())
    else {
        return;
    };
    for (fault, count) in link.take_faults() {
        let tags = vu.worker.tag_cache.with(&vu.tags.current(), "fault", fault.name());
        let mut recorder = vu.worker.recorder.borrow_mut();
        let series = recorder.series(faults, &tags);
        recorder.record_with(series, count as f64, now, vu.sample_metadata().as_ref());
    }
}
