//! Parts of a test in different processes add up to the whole.

use squall_options::{Executor, Scenario, Segment, SegmentSequence, Stripe};

use crate::harness::{Given, Ran, given, ms, scenario, secs, stages};

fn parts(scenario: &Scenario, length_ms: u64) -> Vec<Ran> {
    let sequence: SegmentSequence = "0,1/4,1/2,1".parse().unwrap();
    let run = |segment: &Segment| {
        let stripe = Stripe::new(Some(segment), Some(&sequence)).unwrap();
        Given { stripe, ..given([scenario.clone()], ms(length_ms)) }.run()
    };
    sequence.segments().iter().map(run).collect()
}

/// Starts and iteration numbers of all parts together are those of the whole.
fn check_partition(executor: Executor, length_ms: u64) {
    let scenario = Scenario { graceful_stop: secs(0), ..scenario("default", executor) };
    let whole = given([scenario.clone()], ms(length_ms)).run();
    let parts = parts(&scenario, length_ms);
    assert!(parts.iter().all(|part| part.starts().len() < whole.starts().len()));
    let mut starts: Vec<_> = parts.iter().flat_map(Ran::starts).collect();
    starts.sort_by(f64::total_cmp);
    assert_eq!(starts, whole.starts());
    let numbers = |runs: &[&Ran]| {
        let mut numbers: Vec<_> =
            runs.iter().flat_map(|ran| ran.iterations().map(|it| it.1.in_test)).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(numbers(&parts.iter().collect::<Vec<_>>()).len(), numbers(&[&whole]).len());
}

#[test]
fn constant_vus() {
    check_partition(Executor::ConstantVus { vus: 7, duration: secs(2) }, 300);
}

#[test]
fn ramping_vus() {
    let line = stages(&[(3000, 9), (1000, 2), (0, 5), (2000, 0)]);
    check_partition(Executor::RampingVus { start_vus: 3, stages: line, graceful_ramp_down: secs(0) }, 400);
}

#[test]
fn constant_arrival_rate() {
    let executor = Executor::ConstantArrivalRate {
        rate: 13,
        time_unit: secs(1),
        duration: secs(5),
        pre_allocated_vus: 40,
        max_vus: 40,
    };
    check_partition(executor, 100);
}

#[test]
fn ramping_arrival_rate() {
    let executor = Executor::RampingArrivalRate {
        start_rate: 2,
        time_unit: secs(1),
        stages: stages(&[(2500, 17), (2500, 3)]),
        pre_allocated_vus: 40,
        max_vus: 40,
    };
    check_partition(executor, 100);
}

#[test]
fn iterations_of_each_vu() {
    check_partition(Executor::PerVuIterations { vus: 6, iterations: 3, max_duration: secs(9) }, 100);
}

#[test]
fn shared_iterations_are_divided() {
    let executor = Executor::SharedIterations { vus: 8, iterations: 21, max_duration: secs(9) };
    let parts = parts(&scenario("default", executor), 100);
    let counts: Vec<_> = parts.iter().map(|part| part.starts().len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 21);
    let mut numbers: Vec<_> =
        parts.iter().flat_map(|part| part.iterations().map(|it| it.1.in_test)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..21).collect::<Vec<_>>());
}

#[test]
fn a_part_without_vus_has_nothing_to_do() {
    let parts = parts(&scenario("default", Executor::ConstantVus { vus: 1, duration: secs(60) }), 1000);
    let ends: Vec<_> = parts.iter().map(|part| part.ended).collect();
    assert_eq!(ends.iter().filter(|end| end.is_zero()).count(), 2);
}

/// As in k6: shared iterations are cut as the VUs are, not as the sequence is.
#[test]
fn shared_iterations_follow_the_vus() {
    let check = |vus, iterations, expected: [&[u64]; 3]| {
        let executor = Executor::SharedIterations { vus, iterations, max_duration: secs(9) };
        for (part, expected) in parts(&scenario("default", executor), 100).iter().zip(expected) {
            let mut numbers: Vec<_> = part.iterations().map(|it| it.1.in_test).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, expected);
        }
    };
    check(1, 3, [&[], &[], &[0, 1, 2]]);
    check(3, 7, [&[1, 4], &[], &[0, 2, 3, 5, 6]]);
}

/// As in k6: who has the only VU has all arrivals.
#[test]
fn arrivals_follow_the_vus() {
    let executor = Executor::ConstantArrivalRate {
        rate: 4,
        time_unit: secs(1),
        duration: ms(1100),
        pre_allocated_vus: 1,
        max_vus: 1,
    };
    let counts: Vec<_> =
        parts(&scenario("default", executor), 100).iter().map(|part| part.starts().len()).collect();
    assert_eq!(counts, [0, 0, 5]);
}
