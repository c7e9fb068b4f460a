//! What stands at the right of each executor's bar.

use std::collections::BTreeMap;

use squall_engine::scenario::ScenarioRun;
use squall_metrics::TagSet;
use squall_options::Scenario;

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A scenario half way through ten seconds, with three VUs at work of four, and seven iterations done of ten.
fn half_way(executor: Executor) -> engine::ScenarioView {
    let counts_iterations =
        matches!(executor, Executor::SharedIterations { .. } | Executor::PerVuIterations { .. });
    let run = ScenarioRun {
        config: Scenario {
            name: "s".into(),
            start_time: seconds(30),
            graceful_stop: Duration::ZERO,
            env: BTreeMap::new(),
            exec: "default".into(),
            tags: BTreeMap::new(),
            executor,
        },
        tags: TagSet::empty(),
        stripe: Stripe::default(),
        started: Time::from_secs(100).into(),
        duration: Some(seconds(10)),
        iterations_started: 8.into(),
        iterations_planned: counts_iterations.then_some(10),
        iterations_completed: 7.into(),
    };
    engine::ScenarioView {
        run: Arc::new(run),
        status: ScenarioStatus::Running,
        vus: 3,
        vus_held: 4,
        iterations_completed: 7,
        rate: Some(90.0),
        elapsed: seconds(5),
        time_left: Some(seconds(5)),
        fraction: 0.5,
    }
}

fn constant_vus() -> engine::ScenarioView {
    half_way(Executor::ConstantVus { vus: 4, duration: seconds(10) })
}

/// The scenario as it is shown when this is the first look at it.
fn look(scenario: &engine::ScenarioView, aborted: bool) -> ScenarioView {
    let mut seen = Seen::default();
    seen.look(scenario);
    show(scenario, seen, aborted, &Stripe::default())
}

fn check(executor: Executor, texts: &[&str]) {
    let view = look(&half_way(executor), false);
    assert_eq!(view.state, ScenarioState::Running);
    assert_eq!(view.texts, texts);
}

#[test]
fn every_executor_has_its_words() {
    let stages = vec![Stage { duration: seconds(4), target: 12 }, Stage { duration: seconds(6), target: 0 }];
    let (pre_allocated_vus, max_vus) = (4, 8);
    let (time_unit, duration, max_duration) = (seconds(60), seconds(10), seconds(10));
    check(
        Executor::SharedIterations { vus: 4, iterations: 10, max_duration },
        &["4 VUs", "05.0s/10s", "07/10 shared iters"],
    );
    check(
        Executor::PerVuIterations { vus: 2, iterations: 5, max_duration },
        &["2 VUs", "05.0s/10s", "07/10 iters, 5 per VU"],
    );
    check(Executor::ConstantVus { vus: 4, duration }, &["4 VUs", "05.0s/10s"]);
    check(
        Executor::RampingVus { start_vus: 1, stages: stages.clone(), graceful_ramp_down: duration },
        &["03/12 VUs", "05.0s/10s"],
    );
    check(
        Executor::ConstantArrivalRate { rate: 90, time_unit, duration, pre_allocated_vus, max_vus },
        &["3/4 VUs", "05.0s/10s", "1.50 iters/s"],
    );
    check(
        Executor::RampingArrivalRate { start_rate: 0, time_unit, stages, pre_allocated_vus, max_vus },
        &["3/4 VUs", "05.0s/10s", "1.50 iters/s"],
    );
    check(Executor::ExternallyControlled { vus: 3, max_vus: 8, duration: None }, &["3/8 VUs", "5.0s"]);
}

#[test]
fn waits_for_its_start() {
    let mut scenario = constant_vus();
    scenario.status = ScenarioStatus::Waiting(seconds(9));
    let view = look(&scenario, false);
    assert_eq!((view.state, view.texts), (ScenarioState::Waiting, vec!["waiting".into(), "09.0s".into()]));
}

#[test]
fn stops_then_is_done() {
    let mut scenario = constant_vus();
    scenario.elapsed = seconds(11);
    let view = look(&scenario, false);
    assert_eq!((view.state, view.texts[1].as_str()), (ScenarioState::Stopping, "10s"));
    scenario.status = ScenarioStatus::Done;
    let view = look(&scenario, false);
    assert_eq!((view.state, view.progress), (ScenarioState::Done, 1.0));
}

#[test]
fn an_abort_shows_how_far_it_came() {
    let mut scenario = constant_vus();
    scenario.status = ScenarioStatus::Done;
    let view = look(&scenario, true);
    let shown = (view.state, view.progress, view.texts[1].as_str());
    assert_eq!(shown, (ScenarioState::Interrupted, 0.5, "05.0s/10s"));
    scenario.elapsed = seconds(10);
    assert_eq!(look(&scenario, true).state, ScenarioState::Done);
}

#[test]
fn the_end_is_remembered() {
    let (mut scenario, mut seen) = (constant_vus(), Seen::default());
    scenario.status = ScenarioStatus::Done;
    seen.look(&scenario);
    (scenario.elapsed, scenario.vus_held) = (seconds(60), 0);
    seen.look(&scenario);
    assert_eq!((seen.ended_after, seen.vus_held_max), (Some(seconds(5)), 4));
}
