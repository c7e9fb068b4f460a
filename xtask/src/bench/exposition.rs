//! What a metrics endpoint tells, read.

/// Prometheus text.
#[derive(Clone, Debug, Default)]
pub(super) struct Exposition(String);

impl Exposition {
    pub(super) fn new(text: String) -> Exposition {
        Exposition(text)
    }

    /// The sum of the series of this name whose labels have all of `labels` in them, each as `name="value"`.
    pub(super) fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        self.series(name)
            .filter(|(found, _)| labels.iter().all(|label| found.contains(label)))
            .map(|(_, value)| value)
            .sum()
    }

    /// The bound, in seconds, below which the share `q` lies of what a histogram has counted since `before`: the upper
    /// end of its bucket. None where nothing was counted, and infinite beyond the last bucket.
    pub(super) fn quantile(
        &self,
        before: &Exposition,
        histogram: &str,
        labels: &[&str],
        q: f64,
    ) -> Option<f64> {
        let name = format!("{histogram}_bucket");
        let mut bounds: Vec<f64> = self.series(&name).filter_map(|(found, _)| bound(found)).collect();
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        let counted = |bound: f64| {
            let has_bound = |text: &Exposition| -> f64 {
                text.series(&name)
                    .filter(|(found, _)| self::bound(found) == Some(bound))
                    .filter(|(found, _)| labels.iter().all(|label| found.contains(label)))
                    .map(|(_, value)| value)
                    .sum()
            };
            has_bound(self) - has_bound(before)
        };
        let all = counted(f64::INFINITY);
        (all > 0.0).then(|| bounds.into_iter().find(|bound| counted(*bound) >= q * all)).flatten()
    }

    /// The labels and the value of each series of this name.
    fn series(&self, name: &str) -> impl Iterator<Item = (&str, f64)> {
        self.0.lines().filter_map(move |line| {
            let (series, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            let is_this = series.is_empty() || series.starts_with('{');
            is_this.then_some((series, value.parse().ok()?))
        })
    }
}

/// The upper end of a bucket.
fn bound(labels: &str) -> Option<f64> {
    let bound = labels.split_once("le=\"")?.1.split_once('"')?.0;
    match bound {
        "+Inf" => Some(f64::INFINITY),
        bound => bound.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fast: u32, slow: u32) -> Exposition {
        Exposition::new(format!(
            "# TYPE a counter\na_total{{layer=\"data\",outcome=\"hit\"}} {fast}\na_total{{layer=\"data\",outcome=\"miss\"}} 3\n\
             a_total_more 9\nb_bucket{{le=\"0.05\"}} {fast}\nb_bucket{{le=\"0.5\"}} {}\nb_bucket{{le=\"+Inf\"}} {}\nb_count 7\n",
            fast + slow,
            fast + slow
        ))
    }

    #[test]
    fn sums_the_series_that_have_the_labels() {
        let text = text(7, 0);
        assert_eq!((text.sum("a_total", &[]), text.sum("a_total", &["outcome=\"hit\""])), (10.0, 7.0));
        assert_eq!((text.sum("a_total_more", &[]), text.sum("c", &[])), (9.0, 0.0));
    }

    #[test]
    fn reads_a_counter_without_labels() {
        let text = Exposition::new("# TYPE a counter\na_total 7\na_total_more 8\n".to_owned());
        assert_eq!((text.sum("a_total", &[]), text.sum("b_total", &[])), (7.0, 0.0));
    }

    #[test]
    fn finds_the_bucket_of_what_was_counted_since() {
        let (before, after) = (text(100, 0), text(190, 10));
        assert_eq!(after.quantile(&before, "b", &[], 0.9), Some(0.05));
        assert_eq!(after.quantile(&before, "b", &[], 0.91), Some(0.5));
        assert_eq!(after.quantile(&after, "b", &[], 0.5), None);
    }
}
