//! The sink of a trend: every value while there are few, a log-linear histogram after.
//!
//! A bucket is the sign, the exponent and the 7 highest mantissa bits of a value, so it is at most 1/128
//! of its lower bound wide and its middle is at most 1/256 (0.4 %) off. Counts are dense over the range
//! that was seen: a trend of 0.01 ms to 10 s takes 20 KB, however many values it gets.

/// Up to so many values a trend keeps them all and its percentiles are exact.
pub const EXACT_LIMIT: usize = 4096;

/// Mantissa bits of an `f64` that a bucket ignores.
const BUCKET_SHIFT: u32 = 52 - 7;

/// Values closer to zero count as zero, which bounds the range of a histogram.
const SMALLEST: f64 = 1e-15;

/// Distribution of a trend's values. Count, sum, minimum and maximum are exact.
#[derive(Clone, Debug)]
pub struct TrendSink {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    Exact(Vec<f64>),
    Buckets(Box<Histogram>),
}

#[derive(Clone, Debug, Default)]
struct Histogram {
    /// Buckets by magnitude.
    negative: Counts,
    zero: u64,
    positive: Counts,
}

/// Counts of the buckets `first..first + counts.len()`.
#[derive(Clone, Debug, Default)]
struct Counts {
    first: usize,
    counts: Vec<u64>,
}

impl Default for TrendSink {
    fn default() -> TrendSink {
        TrendSink::with_values(Values::Exact(Vec::new()))
    }
}

impl TrendSink {
    fn with_values(values: Values) -> TrendSink {
        TrendSink { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, values }
    }

    /// Adds a value; what is not a number is left out.
    #[inline]
    pub fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        match &mut self.values {
            Values::Exact(values) if values.len() < EXACT_LIMIT => values.push(value),
            Values::Exact(_) => self.histogram().add(value),
            Values::Buckets(histogram) => histogram.add(value),
        }
    }

    /// Adds the values of another trend.
    pub fn merge(&mut self, other: &TrendSink) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        match (&mut self.values, &other.values) {
            (Values::Exact(values), Values::Exact(more)) if values.len() + more.len() <= EXACT_LIMIT => {
                values.extend_from_slice(more);
            }
            (_, Values::Exact(more)) => more.iter().for_each(|&value| self.histogram().add(value)),
            (_, Values::Buckets(more)) => self.histogram().merge(more),
        }
    }

    /// Takes the contents out. A trend that became a histogram stays one: it has had its exact values.
    pub(crate) fn take(&mut self) -> TrendSink {
        let empty = match &self.values {
            Values::Exact(_) => Values::Exact(Vec::new()),
            Values::Buckets(_) => Values::Buckets(Box::default()),
        };
        std::mem::replace(self, TrendSink::with_values(empty))
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Sum of the values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Smallest value; 0 without values.
    pub fn min(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.min }
    }

    /// Largest value; 0 without values.
    pub fn max(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.max }
    }

    /// Mean of the values; 0 without values.
    pub fn avg(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// Median.
    pub fn med(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Whether percentiles are exact.
    pub fn is_exact(&self) -> bool {
        matches!(self.values, Values::Exact(_))
    }

    /// The value at rank `q * (n - 1)`, interpolated linearly between neighbours, as k6 computes it.
    /// `q` is from 0 to 1; 0 without values.
    pub fn quantile(&self, q: f64) -> f64 {
        self.quantiles(&[q])[0]
    }

    /// Several quantiles at the price of one sort.
    pub fn quantiles(&self, qs: &[f64]) -> Vec<f64> {
        if self.count == 0 {
            return vec![0.0; qs.len()];
        }
        match &self.values {
            Values::Exact(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable_by(f64::total_cmp);
                qs.iter().map(|&q| interpolate(q, self.count, |rank| sorted[rank as usize])).collect()
            }
            Values::Buckets(histogram) => qs
                .iter()
                .map(|&q| interpolate(q, self.count, |rank| self.value_at(histogram, rank)))
                .collect(),
        }
    }

    fn value_at(&self, histogram: &Histogram, rank: u64) -> f64 {
        match rank {
            0 => self.min,
            _ if rank + 1 == self.count => self.max,
            _ => histogram.value_at(rank).clamp(self.min, self.max),
        }
    }

    /// The histogram, made from the exact values when there is none yet.
    #[cold]
    fn become_histogram(&mut self) {
        if let Values::Exact(values) = &self.values {
            let mut histogram = Box::<Histogram>::default();
            values.iter().for_each(|&value| histogram.add(value));
            self.values = Values::Buckets(histogram);
        }
    }

    fn histogram(&mut self) -> &mut Histogram {
        self.become_histogram();
        match &mut self.values {
            Values::Buckets(histogram) => histogram,
            Values::Exact(_) => unreachable!("it just became a histogram"),
        }
    }
}

fn interpolate(q: f64, count: u64, value_at: impl Fn(u64) -> f64) -> f64 {
    let rank = q.clamp(0.0, 1.0) * (count - 1) as f64;
    let below = rank.floor();
    let low = value_at(below as u64);
    let fraction = rank - below;
    if fraction == 0.0 {
        return low;
    }
    low + (value_at(below as u64 + 1) - low) * fraction
}

impl Histogram {
    #[inline]
    fn add(&mut self, value: f64) {
        if value >= SMALLEST {
            self.positive.add(bucket(value), 1);
        } else if value <= -SMALLEST {
            self.negative.add(bucket(-value), 1);
        } else {
            self.zero += 1;
        }
    }

    fn merge(&mut self, other: &Histogram) {
        self.negative.merge(&other.negative);
        self.zero += other.zero;
        self.positive.merge(&other.positive);
    }

    /// The middle of the bucket that holds the value of this rank, from 0.
    fn value_at(&self, rank: u64) -> f64 {
        let mut seen = 0;
        let negative = self.negative.iter().rev().map(|(bucket, count)| (-middle(bucket), count));
        let positive = self.positive.iter().map(|(bucket, count)| (middle(bucket), count));
        for (value, count) in negative.chain([(0.0, self.zero)]).chain(positive) {
            seen += count;
            if rank < seen {
                return value;
            }
        }
        unreachable!("rank {rank} of {seen} values")
    }
}

/// Bucket of a positive value.
fn bucket(value: f64) -> usize {
    (value.to_bits() >> BUCKET_SHIFT) as usize
}

/// Middle of a bucket of positive values.
fn middle(bucket: usize) -> f64 {
    let low = f64::from_bits((bucket as u64) << BUCKET_SHIFT);
    if low.is_infinite() {
        low
    } else {
        f64::from_bits(((bucket as u64) << BUCKET_SHIFT) | (1 << (BUCKET_SHIFT - 1)))
    }
}

impl Counts {
    #[inline]
    fn add(&mut self, bucket: usize, count: u64) {
        match self.counts.get_mut(bucket.wrapping_sub(self.first)) {
            Some(known) => *known += count,
            None => {
                self.cover(bucket, bucket + 1);
                self.counts[bucket - self.first] = count;
            }
        }
    }

    fn merge(&mut self, other: &Counts) {
        if other.counts.is_empty() {
            return;
        }
        self.cover(other.first, other.first + other.counts.len());
        let offset = other.first - self.first;
        for (known, more) in self.counts[offset..].iter_mut().zip(&other.counts) {
            *known += more;
        }
    }

    /// Grows the range to hold the buckets `first..end`.
    #[cold]
    fn cover(&mut self, first: usize, end: usize) {
        if self.counts.is_empty() {
            self.first = first;
        }
        if first < self.first {
            self.counts.splice(0..0, std::iter::repeat_n(0, self.first - first));
            self.first = first;
        }
        if end > self.first + self.counts.len() {
            self.counts.resize(end - self.first, 0);
        }
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, u64)> {
        self.counts.iter().enumerate().map(|(index, &count)| (self.first + index, count))
    }
}

#[cfg(test)]
mod tests;
