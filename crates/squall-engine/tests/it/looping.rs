//! Executors whose VUs iterate one after the other.

use squall_engine::{ExternalState, Requirements};
use squall_metrics::builtin;
use squall_options::{Executor, Scenario, Stripe};

use crate::harness::{Given, Ran, given, ms, scenario, secs, stages};

fn check(given: Given, expected: &str) -> Ran {
    let ran = given.run();
    assert_eq!(ran.by_vu(), expected);
    ran
}

fn constant(vus: u64, duration: u64) -> Scenario {
    scenario("default", Executor::ConstantVus { vus, duration: ms(duration) })
}

fn ramping(start_vus: u64, line: &[(u64, u64)], graceful_ramp_down: u64) -> Scenario {
    let graceful_ramp_down = ms(graceful_ramp_down);
    scenario("default", Executor::RampingVus { start_vus, stages: stages(line), graceful_ramp_down })
}

#[test]
fn constant_vus_start_no_iteration_at_the_end() {
    check(given([constant(2, 1000)], ms(400)), "vu1: 0-400 400-800 800-1200\nvu2: 0-400 400-800 800-1200");
    check(given([constant(1, 1000)], ms(500)), "vu1: 0-500 500-1000");
}

#[test]
fn iterations_are_interrupted_when_the_graceful_stop_is_over() {
    let scenario = Scenario { graceful_stop: ms(100), ..constant(2, 1000) };
    let given = given([scenario], ms(0)).length(|vu, _| if vu.0 == 1 { ms(1050) } else { ms(5000) });
    let ran = check(given, "vu1: 0-1050\nvu2: 0-1100!");
    assert_eq!((ran.interrupted(), ran.ended), (1, ms(1100)));
}

#[test]
fn no_graceful_stop_interrupts_at_once() {
    let scenario = Scenario { graceful_stop: ms(0), ..constant(1, 1000) };
    check(given([scenario], ms(700)), "vu1: 0-700 700-1000!");
}

#[test]
fn iterations_are_shared_by_whoever_is_free() {
    let executor = Executor::SharedIterations { vus: 2, iterations: 5, max_duration: secs(10) };
    let given = given([scenario("default", executor)], ms(0)).length(|vu, _| ms(100 * vu.0));
    let ran = check(given, "vu1: 0-100 100-200 200-300\nvu2: 0-200 200-400");
    assert_eq!(ran.dropped(), 0.0);
    assert!(ran.total(builtin::DROPPED_ITERATIONS).is_none());
}

#[test]
fn shared_iterations_that_find_no_time_are_dropped() {
    let executor = Executor::SharedIterations { vus: 2, iterations: 10, max_duration: secs(1) };
    let ran =
        check(given([scenario("default", executor)], ms(600)), "vu1: 0-600 600-1200\nvu2: 0-600 600-1200");
    assert_eq!(ran.dropped(), 6.0);
}

#[test]
fn each_vu_runs_its_own_iterations() {
    let executor = Executor::PerVuIterations { vus: 2, iterations: 3, max_duration: secs(1) };
    let given = given([scenario("default", executor)], ms(0)).length(|vu, _| ms(300 * vu.0));
    let ran = check(given, "vu1: 0-300 300-600 600-900\nvu2: 0-600 600-1200");
    assert_eq!(ran.dropped(), 1.0);
}

#[test]
fn ramping_vus_start_where_the_line_reaches_their_number() {
    let given = given([ramping(0, &[(1000, 4), (500, 4)], 0)], ms(10_000));
    check(given, "vu1: 250-10250\nvu2: 500-10500\nvu3: 750-10750\nvu4: 1000-11000");
}

#[test]
fn ramping_vus_stop_where_the_line_falls_below_their_number() {
    // From 4 to 0: the fourth VU goes when the line is at 3. Each finishes its iteration.
    let ran = given([ramping(4, &[(4000, 0)], 30_000)], ms(300)).run();
    let last_starts: Vec<_> = (1..=4)
        .map(|vu| {
            ran.iterations().filter(|(id, ..)| id.0 == vu).map(|(.., start)| start.as_millis()).max().unwrap()
        })
        .collect();
    assert_eq!(last_starts, [3900, 2700, 1800, 900]);
}

#[test]
fn graceful_ramp_down_ends_in_an_interruption() {
    let given = given([ramping(2, &[(1000, 0), (5000, 0)], 200)], ms(10_000));
    let ran = check(given, "vu1: 0-1200!\nvu2: 0-700!");
    assert_eq!(ran.interrupted(), 2);
}

#[test]
fn graceful_stop_bounds_the_graceful_ramp_down() {
    let scenario = Scenario { graceful_stop: ms(100), ..ramping(2, &[(1000, 0)], 30_000) };
    check(given([scenario], ms(10_000)), "vu1: 0-1100!\nvu2: 0-1100!");
}

#[test]
fn a_ramp_up_within_the_grace_keeps_the_running_iteration() {
    // Down at 0.5 s, up again at 0.6 s: the iteration goes on and the VU with it.
    let line = [(500, 1), (0, 0), (100, 0), (0, 1), (400, 1)];
    let scenario = Scenario { graceful_stop: ms(0), ..ramping(1, &line, 1000) };
    check(given([scenario], ms(700)), "vu1: 0-700 700-1000!");
}

#[test]
fn stages_of_no_length_jump() {
    let line = [(0, 3), (1000, 3), (0, 1), (1000, 1)];
    let ran = given([ramping(1, &line, 0)], ms(600)).run();
    assert_eq!(
        ran.by_vu(),
        "vu1: 0-600 600-1200 1200-1800 1800-2400\nvu2: 0-600 600-1000!\nvu3: 0-600 600-1000!"
    );
}

#[test]
fn ten_minutes_of_ramps_are_exact() {
    let line = [(300_000, 100), (300_000, 0)];
    let ran = given([ramping(0, &line, 30_000)], ms(1_000_000)).run();
    let expected: Vec<_> = (1..=100).map(|nth| 3_000.0 * nth as f64).collect();
    assert_eq!(ran.starts(), expected);
}

#[test]
fn later_scenarios_reuse_vus_that_idled_longest() {
    let first = scenario("a", Executor::PerVuIterations { vus: 2, iterations: 1, max_duration: secs(1) });
    let second = Executor::PerVuIterations { vus: 1, iterations: 2, max_duration: secs(1) };
    let second = Scenario { start_time: secs(40), ..scenario("b", second) };
    assert_eq!(Requirements::of(&[first.clone(), second.clone()], &Stripe::default()).vus_planned, 2);
    let given = given([first, second], ms(0)).length(|vu, _| ms(100 * (3 - vu.0)));
    let ran = check(given, "a vu1: 0-200\na vu2: 0-100\nb vu2: 40000-40100 40100-40200");
    let numbers: Vec<_> = ran
        .iterations()
        .filter(|it| it.0.0 == 2)
        .map(|it| (it.1.in_vu, it.1.in_vu_scenario, it.1.in_test))
        .collect();
    assert_eq!(numbers, [(0, 0, 1), (1, 0, 0), (2, 1, 1)]);
}

#[test]
fn short_iterations_are_padded() {
    let given = Given { min_iteration_duration: ms(500), ..given([constant(1, 1200)], ms(100)) };
    let ran = check(given, "vu1: 0-100 500-600 1000-1100");
    assert_eq!(ran.ended, ms(1500));
}

#[test]
fn externally_controlled_vus_follow_their_control() {
    let executor = Executor::ExternallyControlled { vus: 1, max_vus: 2, duration: Some(secs(3)) };
    let given = given([scenario("external", executor)], ms(400)).meddle(|run| async move {
        let external = run.external.unwrap();
        run.clock.sleep_until(ms(500)).await;
        external.set(ExternalState { vus: 3, vus_max: 3, is_paused: false });
        run.clock.sleep_until(ms(1000)).await;
        external.set(ExternalState { is_paused: true, ..external.state() });
        run.clock.sleep_until(ms(2500)).await;
        external.set(ExternalState { vus: 1, vus_max: 3, is_paused: false });
    });
    check(
        given,
        "external vu1: 0-400 400-800 800-1200 2500-2900 2900-3300\n\
         external vu2: 500-900 900-1300\n\
         external vu3: 500-900 900-1300",
    );
}

#[test]
fn an_endless_external_scenario_ends_with_the_run() {
    let executor = Executor::ExternallyControlled { vus: 1, max_vus: 1, duration: None };
    let given = given([scenario("external", executor)], ms(400)).meddle(|run| async move {
        run.clock.sleep_until(ms(900)).await;
        run.state.abort(squall_engine::AbortReason::Signal);
    });
    check(given, "external vu1: 0-400 400-800 800-900!");
}
