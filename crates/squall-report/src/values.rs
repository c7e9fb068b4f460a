//! The numbers that a metric's sink has for summaries.

use std::time::Duration;

use squall_metrics::{Sink, TrendSink};
use squall_options::TrendStat;

/// Names and values of a sink as `handleSummary` calls them.
pub(crate) fn of_sink(sink: &Sink, stats: &[TrendStat], run_duration: Duration) -> Vec<(String, f64)> {
    let named =
        |values: &[(&str, f64)]| values.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
    match sink {
        Sink::Counter(sink) => named(&[("count", sink.sum), ("rate", sink.rate(run_duration))]),
        Sink::Gauge(sink) => named(&[("value", sink.last), ("min", sink.min), ("max", sink.max)]),
        Sink::Rate(sink) => {
            let (trues, total) = (sink.trues as f64, sink.total as f64);
            named(&[("rate", sink.rate()), ("passes", trues), ("fails", total - trues)])
        }
        Sink::Trend(sink) => of_trend(sink, stats),
    }
}

/// The columns of a trend.
pub(crate) fn of_trend(sink: &TrendSink, stats: &[TrendStat]) -> Vec<(String, f64)> {
    let ranks: Vec<f64> = stats.iter().filter_map(rank).collect();
    let mut quantiles = sink.quantiles(&ranks).into_iter();
    let mut value = |stat: &TrendStat| match stat {
        TrendStat::Avg => sink.avg(),
        TrendStat::Min => sink.min(),
        TrendStat::Max => sink.max(),
        TrendStat::Count => sink.count() as f64,
        TrendStat::Med | TrendStat::P(_) => quantiles.next().expect("a quantile for each rank"),
    };
    stats.iter().map(|stat| (stat.name(), value(stat))).collect()
}

fn rank(stat: &TrendStat) -> Option<f64> {
    match stat {
        TrendStat::Med => Some(0.5),
        TrendStat::P(percent) => Some(percent / 100.0),
        TrendStat::Avg | TrendStat::Min | TrendStat::Max | TrendStat::Count => None,
    }
}
