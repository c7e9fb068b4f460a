use std::time::Duration;

use proptest::prelude::*;
use squall_options::{Segment, SegmentSequence, Stage, Stripe};

use super::ArrivalSchedule;

const SECOND: Duration = Duration::from_secs(1);

fn starts(schedule: &ArrivalSchedule) -> Vec<Duration> {
    (0..).map_while(|n| schedule.start_of(n)).collect()
}

/// Arrivals between two times of a schedule, computed in a way of its own: by small steps of the rate.
fn integral(schedule: &ArrivalSchedule, time_unit: Duration) -> f64 {
    const STEPS: u32 = 20_000;
    let step = schedule.duration() / STEPS;
    let rates = (0..STEPS).map(|index| schedule.rate_at(step * index + step / 2));
    rates.map(|rate| rate * step.div_duration_f64(time_unit)).sum()
}

fn any_stages() -> impl Strategy<Value = Vec<Stage>> {
    let stage = (0_u64..60_000, 0_u64..200)
        .prop_map(|(millis, target)| Stage { duration: Duration::from_millis(millis), target });
    prop::collection::vec(stage, 1..6)
}

fn any_sequence() -> impl Strategy<Value = SegmentSequence> {
    prop::sample::select(vec!["0,1", "0,1/2,1", "0,1/3,1/2,1", "0,1/7,2/7,5/7,1", "0,3/10,1"])
        .prop_map(|text| text.parse().expect("a valid sequence"))
}

#[test]
fn a_constant_rate_is_exact_after_a_week() {
    let week = 7 * 24 * 3600;
    let schedule = ArrivalSchedule::constant(3, SECOND, Duration::from_secs(week));
    assert_eq!(schedule.start_of(3 * (week - 1)), Some(Duration::from_secs(week - 1)));
    assert_eq!(schedule.start_of(1), Some(Duration::from_nanos(333_333_333)));
    assert_eq!((schedule.count(), schedule.start_of(3 * week)), (3 * week, None));
}

#[test]
fn area_carries_over_from_stage_to_stage() {
    // Each stage has area 0.75 iterations.
    let stages = [Stage { duration: Duration::from_millis(750), target: 1 }; 4];
    let schedule = ArrivalSchedule::ramping(1, SECOND, &stages);
    assert_eq!(starts(&schedule), [1, 2, 3].map(Duration::from_secs));
}

#[test]
fn nothing_arrives_at_rate_zero() {
    let pause = Stage { duration: SECOND, target: 0 };
    assert_eq!(ArrivalSchedule::ramping(0, SECOND, &[pause]).count(), 0);
    let jump = Stage { duration: Duration::ZERO, target: 2 };
    let level = Stage { duration: SECOND, target: 2 };
    let schedule = ArrivalSchedule::ramping(0, SECOND, &[pause, jump, level]);
    assert_eq!(starts(&schedule), [1500, 2000].map(Duration::from_millis));
}

#[test]
fn absurd_rates_neither_overflow_nor_hang() {
    let long = Duration::from_nanos(u64::MAX / 2);
    let schedule = ArrivalSchedule::constant(u64::MAX, Duration::from_nanos(1), long);
    assert_eq!((schedule.count(), schedule.start_of(0)), (u64::MAX, Some(Duration::ZERO)));
    assert!(schedule.start_of(u64::MAX - 1).is_some());
}

proptest! {
    #[test]
    fn starts_never_go_back_and_lie_within_the_schedule(start_rate in 0_u64..200, stages in any_stages()) {
        let schedule = ArrivalSchedule::ramping(start_rate, SECOND, &stages);
        let starts = starts(&schedule);
        prop_assert!(starts.is_sorted());
        prop_assert!(starts.iter().all(|start| *start <= schedule.duration()));
        prop_assert_eq!(starts.len() as u64, schedule.count());
    }

    #[test]
    fn the_count_is_the_integral_of_the_rate(start_rate in 0_u64..200, stages in any_stages()) {
        let schedule = ArrivalSchedule::ramping(start_rate, SECOND, &stages);
        let error = schedule.count() as f64 - integral(&schedule, SECOND);
        // The steps are coarse where stages jump.
        prop_assert!(error.abs() <= 1.0 + 0.02 * schedule.count() as f64, "off by {error}");
    }

    #[test]
    fn a_constant_rate_starts_rate_times_time(rate in 1_u64..5_000, unit_ms in 1_u64..5_000, millis in 0_u64..20_000) {
        let (unit, duration) = (Duration::from_millis(unit_ms), Duration::from_millis(millis));
        let count = ArrivalSchedule::constant(rate, unit, duration).count();
        let expected = rate as f64 * duration.div_duration_f64(unit);
        prop_assert!((count as f64 - expected).abs() <= 1.0, "{count} instead of {expected}");
    }

    #[test]
    fn a_level_ramp_is_a_constant_rate_one_interval_later(rate in 1_u64..1_000, seconds in 1_u64..20) {
        let duration = Duration::from_secs(seconds);
        let ramp = ArrivalSchedule::ramping(rate, SECOND, &[Stage { duration, target: rate }]);
        let constant = ArrivalSchedule::constant(rate, SECOND, duration);
        let later = [&starts(&constant)[1..], &[duration]].concat();
        prop_assert_eq!(starts(&ramp), later);
    }

    #[test]
    fn segments_partition_the_arrivals(rate in 1_u64..300, sequence in any_sequence()) {
        let schedule = ArrivalSchedule::constant(rate, SECOND, Duration::from_secs(3));
        let mut dealt: Vec<_> = sequence.segments().iter().flat_map(|segment: &Segment| {
            let stripe = Stripe::new(Some(segment), Some(&sequence)).expect("a segment of the sequence");
            (0..stripe.share_of(schedule.count())).map(move |n| stripe.global_index(n)).collect::<Vec<_>>()
        }).collect();
        dealt.sort_unstable();
        prop_assert_eq!(dealt, (0..schedule.count()).collect::<Vec<_>>());
    }
}
