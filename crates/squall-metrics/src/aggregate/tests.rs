use super::*;
use crate::{Contains, MetricKind, Recorder, TagSet};

struct Run {
    recorder: Recorder,
    aggregate: Aggregate,
}

fn spec(expression: &str) -> ThresholdSpec {
    ThresholdSpec { expression: expression.to_owned(), abort_on_fail: false, delay_abort_eval: None }
}

fn config(thresholds: &[(&str, &[&str])]) -> AggregateConfig {
    let specs = |list: &[&str]| list.iter().map(|expression| spec(expression)).collect();
    let thresholds = thresholds.iter().map(|(key, list)| (key.to_string(), specs(list))).collect();
    AggregateConfig { thresholds, expected_response: true, sections: true }
}

fn run(config: AggregateConfig) -> Run {
    let registry = Arc::new(Registry::new());
    registry.register("orders", MetricKind::Counter, Contains::Default).unwrap();
    let recorder = Recorder::new(Arc::clone(&registry));
    Run { recorder, aggregate: Aggregate::new(registry, config).unwrap() }
}

impl Run {
    fn record(&mut self, metric: &str, value: f64, tags: &[(&'static str, &'static str)]) {
        let metric = self.aggregate.registry().find(metric).unwrap();
        let series = self.recorder.series(metric, &TagSet::new(tags.iter().copied()));
        self.recorder.record(series, value, secs(1));
    }

    fn merge(&mut self) {
        self.aggregate.merge(&self.recorder.drain());
    }

    fn counts(&self) -> Vec<(String, u64)> {
        self.aggregate.totals().iter().map(|total| (total.name(), total.sink.count())).collect()
    }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn submetrics_get_the_samples_with_their_tags() {
    let mut run =
        run(config(&[("http_req_duration{status:200, method:GET}", &["max<9"]), ("orders{kind:a}", &[])]));
    let duration = "http_req_duration";
    run.record(duration, 1.0, &[("status", "200"), ("method", "GET"), ("expected_response", "true")]);
    run.record(duration, 1.0, &[("status", "200"), ("method", "PUT"), ("expected_response", "true")]);
    run.record(duration, 1.0, &[("status", "404"), ("method", "GET"), ("expected_response", "false")]);
    run.record("http_req_waiting", 1.0, &[]);
    run.merge();
    insta::assert_debug_snapshot!(run.counts(), @r#"
    [
        (
            "http_req_duration",
            3,
        ),
        (
            "http_req_duration{expected_response:true}",
            2,
        ),
        (
            "http_req_duration{status:200, method:GET}",
            1,
        ),
        (
            "http_req_waiting",
            1,
        ),
        (
            "orders",
            0,
        ),
        (
            "orders{kind:a}",
            0,
        ),
    ]
    "#);
}

#[test]
fn checks_are_counted_by_name_and_by_group() {
    let mut run = run(config(&[]));
    run.record("checks", 1.0, &[("check", "ok"), ("group", "")]);
    run.record("checks", 0.0, &[("check", "ok"), ("group", "::a::b")]);
    run.record("checks", 1.0, &[("check", "fast"), ("group", "::a::b")]);
    run.merge();
    run.record("group_duration", 5.0, &[("group", "::c")]);
    run.record("http_reqs", 5.0, &[("group", "::setup")]);
    run.merge();
    let checks: Vec<_> =
        run.aggregate.checks().iter().map(|(name, rate)| (&**name, rate.trues, rate.total)).collect();
    assert_eq!(checks, [("ok", 1, 2), ("fast", 1, 1)]);
    let root = run.aggregate.root_group();
    assert_eq!(root.groups.keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(root.checks["ok"], RateSink { trues: 1, total: 1 });
    assert_eq!(root.groups["a"].groups["b"].checks["ok"], RateSink { trues: 0, total: 1 });
}

#[test]
fn sections_hold_scenarios_and_groups() {
    let mut run = run(config(&[]));
    run.record("http_reqs", 1.0, &[("scenario", "default"), ("group", "::a")]);
    run.record("http_reqs", 1.0, &[("scenario", "shop"), ("group", "::b::c")]);
    run.record("http_reqs", 1.0, &[("scenario", "shop"), ("group", "")]);
    run.record("http_reqs", 1.0, &[("group", "::setup")]);
    run.record("vus", 1.0, &[]);
    run.merge();
    let sections = run.aggregate.sections().unwrap();
    let requests = |section: &Section| section.metrics.get(&builtin::HTTP_REQS).map_or(0, Sink::count);
    assert_eq!(sections.default.groups.keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(requests(&sections.default.groups["a"]), 1);
    let shop = &sections.scenarios["shop"];
    assert_eq!(
        (requests(shop), requests(&shop.groups["b"]), requests(&shop.groups["b"].groups["c"])),
        (2, 0, 1)
    );
}

#[test]
fn thresholds_are_judged_during_the_run_and_at_its_end() {
    let mut run = run(config(&[
        ("http_reqs", &["count>=2", "rate>1"]),
        ("http_req_duration", &["avg<1", "p(95)>0"]),
        ("checks", &["rate>0.9"]),
        ("vus", &["value==0"]),
    ]));
    assert_eq!(run.aggregate.evaluate(secs(2)), ThresholdOutcome::default());
    run.record("http_reqs", 1.0, &[]);
    run.record("http_reqs", 1.0, &[]);
    run.merge();
    assert_eq!(run.aggregate.evaluate(secs(2)).crossed, ["http_reqs"]);
    assert_eq!(run.aggregate.evaluate(secs(1)).crossed, [""; 0]);
    assert_eq!(run.aggregate.evaluate_final(secs(1)).crossed, ["http_req_duration"]);
}

#[test]
fn abort_waits_for_its_delay() {
    let spec = ThresholdSpec {
        expression: "rate<0.1".into(),
        abort_on_fail: true,
        delay_abort_eval: Some(secs(10)),
    };
    let thresholds = vec![("http_req_failed".to_owned(), vec![spec])];
    let mut run = run(AggregateConfig { thresholds, ..AggregateConfig::default() });
    run.record("http_req_failed", 1.0, &[]);
    run.merge();
    let abort = |run: &mut Run, at| run.aggregate.evaluate(secs(at)).abort;
    assert_eq!((abort(&mut run, 2), abort(&mut run, 10), abort(&mut run, 12)), (false, false, true));
}

#[test]
fn thresholds_that_make_no_sense_are_errors() {
    let error = |key: &str, expression: &str| {
        let config = config(&[(key, &[expression])]);
        Aggregate::new(Arc::new(Registry::new()), config).err().unwrap().to_string()
    };
    insta::assert_snapshot!(error("nope", "rate<1"), @"invalid threshold defined on 'nope': there is no metric 'nope'");
    insta::assert_snapshot!(error("nope{a:b}", "rate<1"), @"invalid threshold defined on 'nope{a:b}': there is no metric 'nope'");
    insta::assert_snapshot!(error("checks{a}", "rate<1"), @"invalid threshold key: 'a' in 'checks{a}' is not tag:value");
    insta::assert_snapshot!(error("checks", "rate<"), @"invalid threshold defined on 'checks': threshold 'rate<' is malformed at column 6: expected a number");
    insta::assert_snapshot!(error("checks", "count<1"), @"invalid threshold defined on 'checks': threshold 'count<1' does not apply to a rate, which has rate");
}
