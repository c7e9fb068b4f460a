use proptest::{collection::vec, prelude::*};

use super::*;

fn trend(values: &[f64]) -> TrendSink {
    let mut trend = TrendSink::default();
    values.iter().for_each(|&value| trend.add(value));
    trend
}

/// The same values, as a histogram however few they are.
fn histogram(values: &[f64]) -> TrendSink {
    let mut trend = trend(values);
    trend.become_histogram();
    trend
}

fn exact_quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    interpolate(q, sorted.len() as u64, |rank| sorted[rank as usize])
}

const QUANTILES: [f64; 7] = [0.0, 0.1, 0.5, 0.9, 0.95, 0.999, 1.0];

/// All that a trend tells, to compare trends by.
fn facts(trend: &TrendSink) -> (u64, f64, f64, f64, Vec<f64>) {
    (trend.count(), trend.sum(), trend.min(), trend.max(), trend.quantiles(&QUANTILES))
}

#[test]
fn without_values_everything_is_zero() {
    let empty = TrendSink::default();
    assert_eq!((facts(&empty), empty.avg()), ((0, 0.0, 0.0, 0.0, vec![0.0; 7]), 0.0));
}

#[test]
fn few_values_are_exact() {
    let trend = trend(&[4.0, 1.0, 3.0, 2.0]);
    assert_eq!((trend.avg(), trend.med(), trend.min(), trend.max()), (2.5, 2.5, 1.0, 4.0));
    assert_eq!(trend.quantile(0.9), 3.7);
}

#[test]
fn many_values_become_a_histogram_that_stays() {
    let values: Vec<f64> = (0..=EXACT_LIMIT).map(|value| value as f64).collect();
    let mut trend = trend(&values);
    assert!(!trend.is_exact());
    assert_eq!((trend.min(), trend.max(), trend.count()), (0.0, 4096.0, 4097));
    assert!((trend.med() / 2048.0 - 1.0).abs() < 0.004);
    assert_eq!(trend.take().count(), 4097);
    assert_eq!((trend.count(), trend.is_exact(), trend.med()), (0, false, 0.0));
}

#[test]
fn odd_values_do_no_harm() {
    let odd =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, -0.0, f64::MAX, f64::MIN, 5e-324];
    let trend = histogram(&odd);
    assert_eq!(trend.count(), 7);
    assert_eq!((trend.min(), trend.max()), (f64::NEG_INFINITY, f64::INFINITY));
    assert_eq!(trend.med(), 0.0);
}

#[test]
fn memory_does_not_grow_with_the_number_of_values() {
    let mut trend = TrendSink::default();
    for index in 0..1_000_000 {
        trend.add(0.01 + f64::from(index % 10_007));
    }
    let Values::Buckets(histogram) = &trend.values else { panic!("a histogram") };
    assert!(histogram.positive.counts.len() < 3000);
}

proptest! {
    #[test]
    fn histogram_quantiles_are_within_half_a_percent(
        values in vec(prop_oneof![0.001..100_000.0, Just(0.0), -1000.0..-0.001], 1..500),
        q in 0.0..=1.0,
    ) {
        let (exact, estimate) = (exact_quantile(&values, q), histogram(&values).quantile(q));
        // Between a negative and a positive neighbour the errors of both add up.
        let nearby = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let bound = if values.iter().any(|&value| value < 0.0) { nearby } else { exact.abs() };
        prop_assert!((estimate - exact).abs() <= bound * 0.005 + 1e-12, "{estimate} for {exact}");
    }

    #[test]
    fn merging_equals_adding(values in vec(-1000i32..1000, 0..300), cut in 0.0..1.0) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let (left, right) = values.split_at((values.len() as f64 * cut) as usize);
        for part in [trend, histogram] {
            let mut merged = part(left);
            merged.merge(&trend(right));
            prop_assert_eq!(facts(&merged), facts(&part(&values)));
        }
    }

    #[test]
    fn merge_is_commutative_and_associative(parts in vec((vec(-1000i32..1000, 0..50), any::<bool>()), 3)) {
        let parts: Vec<TrendSink> = parts.into_iter().map(|(values, bucketed)| {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            if bucketed { histogram(&values) } else { trend(&values) }
        }).collect();
        let merged = |order: [usize; 3]| {
            let mut all = parts[order[0]].clone();
            all.merge(&parts[order[1]]);
            all.merge(&parts[order[2]]);
            facts(&all)
        };
        let mut right = parts[1].clone();
        right.merge(&parts[2]);
        let mut nested = parts[0].clone();
        nested.merge(&right);
        prop_assert_eq!(merged([0, 1, 2]), facts(&nested));
        prop_assert_eq!(merged([0, 1, 2]), merged([2, 1, 0]));
        prop_assert_eq!(merged([0, 1, 2]), merged([1, 0, 2]));
    }
}
