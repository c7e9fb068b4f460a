use std::time::Duration;

use proptest::prelude::*;
use squall_options::{SegmentSequence, Stage, Stripe};

use super::{Span, Tenure, VuRamp, part};
use crate::Time;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn any_stages() -> impl Strategy<Value = Vec<Stage>> {
    let stage =
        (0_u64..60_000, 0_u64..50).prop_map(|(millis, target)| Stage { duration: ms(millis), target });
    prop::collection::vec(stage, 1..6)
}

fn ramp(
    start_vus: u64,
    stages: &[Stage],
    graceful_ramp_down: Duration,
    graceful_stop: Duration,
) -> VuRamp<'_> {
    VuRamp { start_vus, stages, graceful_ramp_down, graceful_stop }
}

fn tenures(start_vus: u64, stages: &[Stage]) -> Vec<Tenure> {
    ramp(start_vus, stages, ms(0), ms(0)).tenures(&Stripe::default())
}

fn running_at(tenures: &[Tenure], time: Time) -> u64 {
    let spans = tenures.iter().flat_map(|tenure| &tenure.spans);
    spans.filter(|span| span.start <= time && time < span.stop).count() as u64
}

/// Height of the line in the middle of a stage.
fn height_in_the_middle(start_vus: u64, stages: &[Stage], stage: usize) -> (Time, f64) {
    let from = stage.checked_sub(1).map_or(start_vus, |before| stages[before].target);
    let start: Duration = stages[..stage].iter().map(|stage| stage.duration).sum();
    (start + stages[stage].duration / 2, (from + stages[stage].target) as f64 / 2.0)
}

#[test]
fn the_grace_joins_spans_of_one_slot() {
    let stages = [(1000, 0), (500, 0), (0, 1), (500, 1)]
        .map(|(millis, target)| Stage { duration: ms(millis), target });
    let grace = |grace| ramp(1, &stages, ms(grace), ms(300)).tenures(&Stripe::default());
    let spans = [Span { start: ms(0), stop: ms(1000) }, Span { start: ms(1500), stop: ms(2000) }];
    let apart = spans.map(|span| Tenure { spans: vec![span], interrupt_at: span.stop + ms(300) });
    assert_eq!(grace(300), apart);
    assert_eq!(grace(500), [Tenure { spans: spans.to_vec(), interrupt_at: ms(2300) }]);
}

#[test]
fn parts_of_long_ramps_are_exact() {
    assert_eq!(part(Duration::from_secs(1_000_000_000), 1, 3), Duration::new(333_333_333, 333_333_333));
}

proptest! {
    #[test]
    fn as_many_vus_run_as_the_line_is_high(start_vus in 0_u64..50, stages in any_stages()) {
        let tenures = tenures(start_vus, &stages);
        for stage in (0..stages.len()).filter(|&stage| !stages[stage].duration.is_zero()) {
            let (time, height) = height_in_the_middle(start_vus, &stages, stage);
            let running = running_at(&tenures, time) as f64;
            prop_assert!((running - height).abs() <= 1.0, "{running} VUs at {time:?}, the line is at {height}");
        }
    }

    #[test]
    fn tenures_follow_each_other_in_order(start_vus in 0_u64..50, stages in any_stages(), grace in 0_u64..9_000) {
        let end: Duration = stages.iter().map(|stage| stage.duration).sum();
        let tenures = ramp(start_vus, &stages, ms(grace), ms(100)).tenures(&Stripe::default());
        prop_assert!(tenures.is_sorted_by_key(Tenure::start));
        for tenure in tenures {
            prop_assert!(tenure.spans.iter().all(|span| span.start <= span.stop && span.stop <= end));
            prop_assert!(tenure.spans.is_sorted_by(|one, next| one.stop <= next.start));
            prop_assert!(tenure.interrupt_at <= end + ms(100));
        }
    }

    #[test]
    fn segments_partition_the_spans(start_vus in 0_u64..50, stages in any_stages()) {
        let sequence: SegmentSequence = "0,1/4,1/2,1".parse().expect("a valid sequence");
        let mut parts: Vec<_> = sequence.segments().iter().flat_map(|segment| {
            let stripe = Stripe::new(Some(segment), Some(&sequence)).expect("a segment of the sequence");
            ramp(start_vus, &stages, ms(0), ms(0)).tenures(&stripe)
        }).collect();
        let mut whole = tenures(start_vus, &stages);
        parts.sort();
        whole.sort();
        prop_assert_eq!(parts, whole);
    }
}
