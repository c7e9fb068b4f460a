//! Executors that start iterations at a rate, whatever the VUs do.

use std::time::Duration;

use squall_metrics::{Sink, builtin};
use squall_options::{Executor, Scenario};

use crate::harness::{Call, Given, Ran, given, ms, scenario, secs, stages};

fn constant(rate: u64, duration: Duration, vus: (u64, u64)) -> Scenario {
    let (pre_allocated_vus, max_vus) = vus;
    let executor =
        Executor::ConstantArrivalRate { rate, time_unit: secs(1), duration, pre_allocated_vus, max_vus };
    scenario("default", executor)
}

fn ramping(start_rate: u64, line: &[(u64, u64)], vus: u64) -> Scenario {
    let executor = Executor::RampingArrivalRate {
        start_rate,
        time_unit: secs(1),
        stages: stages(line),
        pre_allocated_vus: vus,
        max_vus: vus,
    };
    scenario("default", executor)
}

fn lateness_ms_max(ran: &Ran) -> f64 {
    match &ran.total(builtin::ITERATION_LATENESS).expect("arrivals have a lateness").sink {
        Sink::Trend(trend) => trend.max(),
        _ => unreachable!("lateness is a trend"),
    }
}

#[test]
fn a_constant_rate_starts_at_once_and_never_at_the_end() {
    let ran = given([constant(5, secs(1), (2, 2))], ms(150)).run();
    assert_eq!(ran.starts(), [0.0, 200.0, 400.0, 600.0, 800.0]);
    assert_eq!((ran.dropped(), lateness_ms_max(&ran)), (0.0, 0.0));
}

#[test]
fn any_number_of_workers_keeps_the_same_times() {
    for workers in 1..=5 {
        let ran = Given { workers, ..given([constant(7, secs(10), (5, 5))], ms(300)) }.run();
        let expected: Vec<_> = (0..70_u64).map(|n| (n * 1_000_000_000 / 7) as f64 / 1e6).collect();
        let close =
            ran.starts().iter().zip(&expected).all(|(start, expected)| (start - expected).abs() < 1e-6);
        assert!(close && ran.starts().len() == 70, "{workers} workers: {:?}", ran.starts());
        assert_eq!(ran.dropped(), 0.0);
    }
}

#[test]
fn a_ramp_starts_an_iteration_where_the_area_reaches_a_whole_number() {
    // Rate 8t: the n-th start is at sqrt(n / 4).
    let ran = given([ramping(0, &[(1000, 8), (500, 8)], 20)], ms(100)).run();
    let starts: Vec<_> = ran.starts().iter().map(|start| (start * 1e6).round() as u64).collect();
    let expected = [
        500_000_000,
        707_106_781,
        866_025_404,
        1_000_000_000,
        1_125_000_000,
        1_250_000_000,
        1_375_000_000,
        1_500_000_000,
    ];
    assert_eq!(starts, expected);
}

#[test]
fn an_idle_vu_of_another_worker_takes_the_arrival() {
    // The only VU lives on the first of two workers; every other arrival is the second's.
    let ran = given([constant(4, secs(1), (1, 1))], ms(100)).run();
    assert_eq!(ran.by_vu(), "vu1: 0-100 250-350 500-600 750-850");
}

#[test]
fn arrivals_without_an_idle_vu_are_dropped() {
    let ran = given([constant(10, secs(1), (1, 1))], ms(250)).run();
    assert_eq!(ran.by_vu(), "vu1: 0-250 300-550 600-850 900-1150");
    assert_eq!(ran.dropped(), 6.0);
}

#[test]
fn idle_vus_take_turns() {
    let ran = Given { workers: 1, ..given([constant(4, secs(1), (2, 2))], ms(100)) }.run();
    assert_eq!(ran.by_vu(), "vu1: 0-100 500-600\nvu2: 250-350 750-850");
}

#[test]
fn vus_are_added_one_at_a_time_up_to_the_maximum() {
    // A VU takes 150 ms to initialise; each dropped arrival asks for one when none is on its way.
    let scenario = constant(10, secs(1), (1, 3));
    let given = Given { init: Call::Takes(ms(150)), ..given([scenario], secs(10)) };
    let ran = given.run();
    let starts: Vec<_> = ran.starts().iter().map(|start| start - 150.0).collect();
    // 100 asks, 250 is ready; 400 asks, 550 is ready.
    assert_eq!(starts, [0.0, 300.0, 600.0]);
    assert_eq!(ran.dropped(), 7.0);
}

#[test]
fn all_vus_may_be_unplanned() {
    let ran = given([constant(10, ms(500), (0, 1))], ms(10)).run();
    assert_eq!(ran.starts(), [100.0, 200.0, 300.0, 400.0]);
}

#[test]
fn iterations_are_interrupted_when_the_graceful_stop_is_over() {
    let scenario = Scenario { graceful_stop: ms(200), ..constant(2, secs(1), (2, 2)) };
    let ran = given([scenario], ms(600)).run();
    assert_eq!(ran.by_vu(), "vu1: 0-600\nvu2: 500-1100");
    let scenario = Scenario { graceful_stop: ms(50), ..constant(2, secs(1), (2, 2)) };
    let ran = given([scenario], ms(600)).run();
    assert_eq!(ran.by_vu(), "vu1: 0-600\nvu2: 500-1050!");
}

#[test]
fn thousands_of_arrivals_a_second_all_start() {
    let ran = given([constant(5_000, secs(4), (100, 100))], ms(15)).run();
    assert_eq!((ran.starts().len(), ran.dropped()), (20_000, 0.0));
    let mut in_test: Vec<_> = ran.iterations().map(|(_, iteration, _)| iteration.in_test).collect();
    in_test.sort_unstable();
    assert_eq!(in_test, (0..20_000).collect::<Vec<_>>());
}

#[test]
fn started_and_dropped_are_what_was_planned() {
    let given = given([ramping(3, &[(2000, 50), (0, 10), (3000, 0), (1000, 20)], 3)], ms(0))
        .length(|vu, iteration| ms(37 * vu.0 + 11 * (iteration.in_vu % 5)));
    let ran = given.run();
    // By the area: 53 + 15 + 10.
    assert_eq!(ran.starts().len() as f64 + ran.dropped(), 78.0);
}

#[test]
fn iterations_know_when_they_should_have_started() {
    let ran = given([constant(5, secs(1), (1, 1))], ms(10)).run();
    assert!(ran.iterations().all(|(_, iteration, start)| iteration.intended_start == Some(start)));
}
