//! Execution segments: how several instances share one test without talking to each other.
//!
//! A sequence cuts (0, 1] into segments, one an instance. The least common denominator of the cuts gives a cycle of
//! slots; each slot belongs to one segment, spread as evenly as its length allows. Iteration, VU and arrival *n* belong
//! to the owner of slot *n* modulo the cycle, so shares add up exactly and no two instances own the same index.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde_json::Value;

use crate::{OptionValue, OptionsError, node::Node};

/// Slots times segments that a cycle may cost: more is a mistake in the cuts, not a fleet.
const LARGEST_CYCLE: u64 = 10_000_000;

/// Denominators above this are refused, which keeps all arithmetic within `u128`.
const LARGEST_DENOMINATOR: u64 = 1_000_000_000;

/// A number from 0 to 1, exact and in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fraction {
    numerator: u64,
    denominator: u64,
}

impl Fraction {
    const ZERO: Fraction = Fraction { numerator: 0, denominator: 1 };
    const ONE: Fraction = Fraction { numerator: 1, denominator: 1 };

    fn new(numerator: u64, denominator: u64) -> Option<Fraction> {
        let divisor = greatest_common_divisor(numerator, denominator);
        let denominator = denominator.checked_div(divisor)?;
        let fraction = Fraction { numerator: numerator / divisor, denominator };
        (1..=LARGEST_DENOMINATOR).contains(&denominator).then_some(fraction).filter(|f| *f <= Fraction::ONE)
    }

    /// `20%`, `0.2` or `1/5`.
    fn parse(text: &str) -> Option<Fraction> {
        let text = text.trim();
        if let Some((numerator, denominator)) = text.split_once('/') {
            return Fraction::new(numerator.trim().parse().ok()?, denominator.trim().parse().ok()?);
        }
        let (number, scale) = match text.strip_suffix('%') {
            Some(percent) => (percent.trim(), 100),
            None => (text, 1),
        };
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        if !(whole.len() + decimals.len() > 0 && number.chars().all(|c| c.is_ascii_digit() || c == '.')) {
            return None;
        }
        let denominator = 10u64.checked_pow(u32::try_from(decimals.len()).ok()?)?.checked_mul(scale)?;
        Fraction::new(format!("{whole}{decimals}").parse().ok()?, denominator)
    }

    /// `value` times this, rounded half up.
    fn scale(self, value: u64) -> u64 {
        let denominator = u128::from(self.denominator);
        let twice = 2 * u128::from(value) * u128::from(self.numerator);
        // At most `value`, as the fraction is at most one.
        ((twice + denominator) / (2 * denominator)) as u64
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Fraction) -> Ordering {
        let left = u128::from(self.numerator) * u128::from(other.denominator);
        left.cmp(&(u128::from(other.numerator) * u128::from(self.denominator)))
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Fraction) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => self.numerator.fmt(f),
            denominator => write!(f, "{}/{denominator}", self.numerator),
        }
    }
}

/// The part of a test that one instance runs: greater than `from`, up to `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    from: Fraction,
    to: Fraction,
}

impl Segment {
    /// The whole test.
    pub const WHOLE: Segment = Segment { from: Fraction::ZERO, to: Fraction::ONE };

    fn new(from: Fraction, to: Fraction) -> Result<Segment, String> {
        match from < to {
            true => Ok(Segment { from, to }),
            false => Err(format!("segment {from}:{to} must start before it ends")),
        }
    }

    /// This segment's share of `value`, rounded: what k6 reports where no sequence is involved.
    pub fn scale(&self, value: u64) -> u64 {
        let before = self.from.scale(value);
        // (value · to − before), rounded half up, is the rounded product less an integer.
        self.to.scale(value) - before
    }

    /// Numerator of the length, in slots of a cycle.
    fn slots(&self, cycle: u64) -> u64 {
        let at = |cut: Fraction| cut.numerator * (cycle / cut.denominator);
        at(self.to) - at(self.from)
    }
}

impl FromStr for Segment {
    type Err = String;

    /// `a:b`, or `b` for `0:b`; nothing is the whole test.
    fn from_str(text: &str) -> Result<Segment, String> {
        if text.is_empty() {
            return Ok(Segment::WHOLE);
        }
        let (from, to) = text.split_once(':').unwrap_or(("0", text));
        Segment::new(cut(from)?, cut(to)?)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.from, self.to)
    }
}

/// Segments that follow one another, as `0,1/4,1` writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentSequence(Vec<Segment>);

impl SegmentSequence {
    /// The segments, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// This sequence with what is missing before its start and after its end.
    fn filled(&self) -> Vec<Segment> {
        let mut segments = self.0.clone();
        let (start, end) = (self.0[0].from, self.0[self.0.len() - 1].to);
        if start > Fraction::ZERO {
            segments.insert(0, Segment { from: Fraction::ZERO, to: start });
        }
        if end < Fraction::ONE {
            segments.push(Segment { from: end, to: Fraction::ONE });
        }
        segments
    }
}

impl FromStr for SegmentSequence {
    type Err = String;

    fn from_str(text: &str) -> Result<SegmentSequence, String> {
        let cuts = text.split(',').map(cut).collect::<Result<Vec<_>, _>>()?;
        if cuts.len() < 2 {
            return Err(format!("{text:?} is not a sequence of segments (like 0,1/4,1)"));
        }
        cuts.windows(2)
            .map(|pair| Segment::new(pair[0], pair[1]))
            .collect::<Result<_, _>>()
            .map(SegmentSequence)
    }
}

impl fmt::Display for SegmentSequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[0].from.fmt(f)?;
        self.0.iter().try_for_each(|segment| write!(f, ",{}", segment.to))
    }
}

/// Reads and prints a type by its text form.
macro_rules! text_option {
    ($type:ty) => {
        impl OptionValue for $type {
            fn from_json(node: &Node<'_>) -> Result<Self, OptionsError> {
                node.string()?.parse().map_err(|message: String| node.error(message))
            }

            fn to_json(&self) -> Value {
                Value::from(self.to_string())
            }
        }
    };
}

text_option!(Segment);
text_option!(SegmentSequence);

/// Which of all indices (iterations, VUs, arrivals; from 0) belong to one segment of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripe {
    /// For each slot of the cycle, the number of its segment.
    owners: Vec<usize>,
    /// The number of our segment.
    own: usize,
    /// The slots of our segment, ascending; never empty.
    slots: Vec<u64>,
}

impl Stripe {
    /// The stripe of `segment` in `sequence`. Without a sequence the rest of the test is at most one segment on each
    /// side; without a segment the stripe is the whole test. Fails when the sequence lacks the segment or is cut too
    /// finely to deal out.
    pub fn new(
        segment: Option<&Segment>,
        sequence: Option<&SegmentSequence>,
    ) -> Result<Stripe, OptionsError> {
        let Some(segment) = segment else { return Ok(Stripe::default()) };
        let error = |message: String| OptionsError::new("options.executionSegmentSequence", message);
        let alone = SegmentSequence(vec![*segment]);
        let segments = sequence.unwrap_or(&alone).filled();
        let own = segments
            .iter()
            .position(|candidate| candidate == segment)
            .ok_or_else(|| error(format!("does not contain the execution segment {segment}")))?;
        let lengths = cycle(&segments)
            .filter(|cycle| is_dealable(*cycle, segments.len()))
            .map(|cycle| segments.iter().map(|segment| segment.slots(cycle)).collect())
            .ok_or_else(|| {
                error("is cut too finely: its fractions have no small common denominator".to_owned())
            })?;
        Ok(Stripe::deal(lengths, own))
    }

    /// The stripe for what follows the VUs: iterations shared among `vus` VUs, or arrivals that `vus` VUs serve. As in
    /// k6, an instance takes of them as much as it has of the VUs; `None` when it has no VU.
    pub fn by_share_of(&self, vus: u64) -> Option<Stripe> {
        if self.share_of(vus) == 0 {
            return None;
        }
        let segments = self.owners.iter().max().map_or(0, |last| last + 1);
        if !is_dealable(vus, segments) {
            return Some(self.clone());
        }
        let cycle = self.owners.len() as u64;
        let mut lengths = vec![0; segments];
        for (slot, &owner) in self.owners.iter().enumerate() {
            lengths[owner] += vus / cycle + u64::from((slot as u64) < vus % cycle);
        }
        Some(Stripe::deal(lengths, self.own))
    }

    /// The global index of this segment's `local`-th own index.
    pub fn global_index(&self, local: u64) -> u64 {
        let own = self.slots.len() as u64;
        (local / own)
            .saturating_mul(self.owners.len() as u64)
            .saturating_add(self.slots[(local % own) as usize])
    }

    /// How many of the indices below `total` are this segment's own.
    pub fn share_of(&self, total: u64) -> u64 {
        let cycle = self.owners.len() as u64;
        let rest = total % cycle;
        total / cycle * self.slots.len() as u64 + self.slots.partition_point(|&slot| slot < rest) as u64
    }

    /// This segment's part of the whole, 0 to 1.
    pub fn fraction(&self) -> f64 {
        self.slots.len() as f64 / self.owners.len() as f64
    }

    /// Deals the slots of a cycle to segments of these lengths: each slot goes to the longest segment that has had no
    /// more than its even pace. The lengths add up to the cycle, so some segment always is behind, and each ends with
    /// exactly its length.
    fn deal(mut lengths: Vec<u64>, own: usize) -> Stripe {
        let divisor = lengths.iter().copied().fold(0, greatest_common_divisor);
        lengths.iter_mut().for_each(|length| *length /= divisor);
        let cycle: u64 = lengths.iter().sum();
        let mut by_length: Vec<usize> = (0..lengths.len()).collect();
        by_length.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
        let mut dealt = vec![0; lengths.len()];
        let mut next_owner = |slot: u64| {
            let is_behind = |&index: &usize| dealt[index] * cycle <= slot * lengths[index];
            let owner = by_length.iter().copied().find(is_behind).expect("the lengths add up to the cycle");
            dealt[owner] += 1;
            owner
        };
        let owners: Vec<usize> = (0..cycle).map(&mut next_owner).collect();
        let slots = (0..cycle).filter(|&slot| owners[slot as usize] == own).collect();
        Stripe { owners, own, slots }
    }
}

impl Default for Stripe {
    /// The whole test.
    fn default() -> Stripe {
        Stripe { owners: vec![0], own: 0, slots: vec![0] }
    }
}

/// Whether dealing a cycle among that many segments takes moments.
fn is_dealable(cycle: u64, segments: usize) -> bool {
    cycle.saturating_mul(segments as u64) <= LARGEST_CYCLE
}

/// Least common denominator of all cuts; `None` when it is out of bounds.
fn cycle(segments: &[Segment]) -> Option<u64> {
    segments.iter().try_fold(1u64, |cycle, segment| {
        let denominator = segment.to.denominator;
        let next = cycle / greatest_common_divisor(cycle, denominator);
        next.checked_mul(denominator).filter(|&cycle| cycle <= LARGEST_CYCLE)
    })
}

fn cut(text: &str) -> Result<Fraction, String> {
    Fraction::parse(text).ok_or_else(|| format!("{text:?} is not a part of a test (like 20%, 0.2 or 1/5)"))
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(text.parse::<Segment>().map(|segment| segment.to_string()).as_deref(), Ok(expected));
    }

    fn stripes(sequence: &str) -> Vec<Stripe> {
        let sequence: SegmentSequence = sequence.parse().expect("a sequence");
        let stripe = |segment| Stripe::new(Some(segment), Some(&sequence)).expect("in the sequence");
        sequence.segments().iter().map(stripe).collect()
    }

    #[test]
    fn reads_every_notation() {
        check("", "0:1");
        check("20%", "0:1/5");
        check("0.2", "0:1/5");
        check("1/5", "0:1/5");
        check("1", "0:1");
        check("10%:0.5", "1/10:1/2");
        check("2/6:4/6", "1/3:2/3");
        check("12.5%", "0:1/8");
    }

    #[test]
    fn refuses_the_rest() {
        for text in
            ["0", "1/0", "2", "2:1", "1/2:1/2", "-1/2", "a", "0.1.2", "1e-3", ".", "%", "1/9999999999"]
        {
            assert!(text.parse::<Segment>().is_err(), "{text:?}");
        }
        for text in ["", "0", "1,0", "0,1/2,1/2,1", "0,x"] {
            assert!(text.parse::<SegmentSequence>().is_err(), "{text:?}");
        }
    }

    /// The indices are those that k6 1.1 gives to the VUs of three instances.
    #[test]
    fn deals_slots_as_k6_does() {
        let dealt: Vec<_> = stripes("0,1/6,1/2,1").into_iter().map(|stripe| stripe.slots).collect();
        assert_eq!(dealt, [vec![5], vec![1, 3], vec![0, 2, 4]]);
    }

    /// The same for the arrivals that seven VUs serve, and the iterations that five VUs share.
    #[test]
    fn what_follows_vus_is_dealt_as_k6_does() {
        let by_share = |vus: u64| -> Vec<_> {
            stripes("0,1/6,1/2,1")
                .iter()
                .map(|stripe| stripe.by_share_of(vus).map(|part| part.slots))
                .collect()
        };
        assert_eq!(by_share(7), [Some(vec![3]), Some(vec![1, 5]), Some(vec![0, 2, 4, 6])]);
        assert_eq!(by_share(5), [None, Some(vec![1, 3]), Some(vec![0, 2, 4])]);
        assert_eq!(Stripe::default().by_share_of(u64::MAX), Some(Stripe::default()));
    }

    #[test]
    fn a_segment_alone_leaves_the_rest_to_others() {
        let stripe = Stripe::new(Some(&"1/3:2/3".parse().expect("a segment")), None).expect("valid");
        assert_eq!((stripe.owners.len(), stripe.slots.len()), (3, 1));
        assert_eq!(Stripe::new(None, None), Ok(Stripe::default()));
    }

    #[test]
    fn refuses_foreign_and_too_fine_segments() {
        let sequence: SegmentSequence = "0,1/3,1".parse().expect("a sequence");
        let foreign = "1/2".parse().expect("a segment");
        assert_eq!(
            Stripe::new(Some(&foreign), Some(&sequence)).unwrap_err().to_string(),
            "options.executionSegmentSequence: does not contain the execution segment 0:1/2"
        );
        assert!(Stripe::new(Some(&"1/999999937".parse().expect("a segment")), None).is_err());
    }

    proptest! {
        #[test]
        fn stripes_partition_the_indices(
            lengths in prop::collection::vec(1u64..20, 1..8),
            total in 0u64..2_000,
        ) {
            let whole: u64 = lengths.iter().sum();
            let cuts = lengths.iter().scan(0, |end, length| { *end += length; Some(format!(",{end}/{whole}")) });
            let stripes = stripes(&format!("0{}", cuts.collect::<String>()));
            let mut owned: Vec<u64> = stripes
                .iter()
                .flat_map(|stripe| (0..stripe.share_of(total)).map(|local| stripe.global_index(local)))
                .collect();
            owned.sort_unstable();
            prop_assert_eq!(owned, (0..total).collect::<Vec<_>>());
        }

        #[test]
        fn scaled_shares_add_up(cut in 1u64..100, value in 0..u64::MAX) {
            let (low, high): (Segment, Segment) =
                (format!("0:{cut}/100").parse().expect("valid"), format!("{cut}/100:1").parse().expect("valid"));
            prop_assert_eq!(low.scale(value) + high.scale(value), value);
        }
    }
}
