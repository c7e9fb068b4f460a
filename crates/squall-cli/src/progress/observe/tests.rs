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

fn check(executor: Executor, texts: &[&str]) {
    let scenario = half_way(executor);
    let view = show(&scenario, scenario.elapsed, false, &Stripe::default());
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
    let view = show(&scenario, Duration::ZERO, false, &Stripe::default());
    assert_eq!((view.state, view.texts), (ScenarioState::Waiting, vec!["waiting".into(), "09.0s".into()]));
}

#[test]
fn stops_then_is_done() {
    let mut scenario = constant_vus();
    let view = show(&scenario, seconds(11), false, &Stripe::default());
    assert_eq!((view.state, view.texts[1].as_str()), (ScenarioState::Stopping, "10s"));
    scenario.status = ScenarioStatus::Done;
    let view = show(&scenario, seconds(11), false, &Stripe::default());
    assert_eq!((view.state, view.progress), (ScenarioState::Done, 1.0));
}

#[test]
fn an_abort_shows_how_far_it_came() {
    let mut scenario = constant_vus();
    scenario.status = ScenarioStatus::Done;
    let view = show(&scenario, seconds(5), true, &Stripe::default());
    assert_eq!(
        (view.state, view.progress, view.texts[1].as_str()),
        (ScenarioState::Interrupted, 0.5, "05.0s/10s")
    );
    let view = show(&scenario, seconds(10), true, &Stripe::default());
    assert_eq!(view.state, ScenarioState::Done);
}
