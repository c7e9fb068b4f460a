use std::{fs, io::Read, path::Path, sync::Arc};

use squall_metrics::{
    AggregateConfig, Contains, MetricId, MetricKind, Registry, Sample, SampleSink, TagSet, ThresholdSpec,
    builtin,
};

use super::*;

fn thresholds() -> Vec<(String, Vec<ThresholdSpec>)> {
    let spec = |expression: &str, abort_on_fail| ThresholdSpec {
        expression: expression.to_owned(),
        abort_on_fail,
        delay_abort_eval: Some(Duration::from_secs(70)),
    };
    vec![
        ("http_reqs".to_owned(), vec![spec("count>1", false), spec("rate>1", true)]),
        ("http_reqs{status:200, method:GET}".to_owned(), vec![]),
    ]
}

fn aggregate() -> Aggregate {
    let config = AggregateConfig { thresholds: thresholds(), ..AggregateConfig::default() };
    Aggregate::new(Arc::new(Registry::new()), config).unwrap()
}

fn start_in(spec: &str, aggregate: &Aggregate) -> Result<OutputHandle, OutputError> {
    let started_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
    let context = OutputContext {
        aggregate,
        thresholds: &thresholds(),
        started_at,
        system_tags: SystemTags::default(),
        env: &|_| None,
    };
    start(spec, &context)
}

fn sample(metric: MetricId, value: f64, at_ms: u64, tags: &[(&'static str, &'static str)]) -> Sample {
    let tags = TagSet::new(tags.iter().copied());
    Sample { metric, tags, at: Duration::from_millis(at_ms), value, metadata: None }
}

fn samples() -> Arc<[Sample]> {
    let tags = [("group", ""), ("method", "GET"), ("status", "200"), ("b", "x,\"y\""), ("a", "<é>\n")];
    let metadata = Some(TagSet::new([("vu", "1"), ("iter", "0")]));
    [
        Sample { metadata, ..sample(builtin::HTTP_REQS, 1.0, 0, &tags) },
        sample(builtin::HTTP_REQ_WAITING, 0.123_456_789, 60, &tags[..2]),
        sample(builtin::HTTP_REQS, 1.0, 1500, &[]),
        sample(builtin::VUS, 1e18, 1500, &[]),
    ]
    .into()
}

/// What the output `name` writes into a file of this name.
fn written(name: &str, file: &Path) -> Vec<u8> {
    let output = start_in(&format!("{name}={}", file.display()), &aggregate()).unwrap();
    output.push(samples());
    assert_eq!(output.finish().unwrap(), OutputReport { samples: 4, dropped: 0 });
    fs::read(file).unwrap()
}

#[test]
fn json_lines() {
    let directory = tempfile::tempdir().unwrap();
    let text = String::from_utf8(written("json", &directory.path().join("out.json"))).unwrap();
    insta::assert_snapshot!(text, @r#"
    {"type":"Metric","data":{"name":"http_reqs","type":"counter","contains":"default","thresholds":["count>1",{"threshold":"rate>1","abortOnFail":true,"delayAbortEval":"1m10s"}],"submetrics":[{"name":"http_reqs{status:200, method:GET}","suffix":"status:200, method:GET","tags":{"method":"GET","status":"200"}}]},"metric":"http_reqs"}
    {"metric":"http_reqs","type":"Point","data":{"time":"2026-01-02T03:04:05Z","value":1,"tags":{"a":"<é>\n","b":"x,\"y\"","group":"","method":"GET","status":"200"},"metadata":{"iter":"0","vu":"1"}}}
    {"type":"Metric","data":{"name":"http_req_waiting","type":"trend","contains":"time","thresholds":[],"submetrics":null},"metric":"http_req_waiting"}
    {"metric":"http_req_waiting","type":"Point","data":{"time":"2026-01-02T03:04:05.06Z","value":0.123456789,"tags":{"group":"","method":"GET"}}}
    {"metric":"http_reqs","type":"Point","data":{"time":"2026-01-02T03:04:06.5Z","value":1,"tags":{}}}
    {"type":"Metric","data":{"name":"vus","type":"gauge","contains":"default","thresholds":[],"submetrics":null},"metric":"vus"}
    {"metric":"vus","type":"Point","data":{"time":"2026-01-02T03:04:06.5Z","value":1e+18,"tags":{}}}
    "#);
}

/// As in k6: nobody evaluates them, and the output still declares them.
#[test]
fn thresholds_that_are_off_are_declared() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.json");
    let aggregate = Aggregate::new(Arc::new(Registry::new()), AggregateConfig::default()).unwrap();
    let output = start_in(&format!("json={}", file.display()), &aggregate).unwrap();
    output.push(samples());
    output.finish().unwrap();
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(r#""thresholds":["count>1","#), "{text}");
}

#[test]
fn csv_rows() {
    let directory = tempfile::tempdir().unwrap();
    let text = String::from_utf8(written("csv", &directory.path().join("out.csv"))).unwrap();
    insta::assert_snapshot!(text, @r#"
    metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata
    http_reqs,1767323045,1.000000,,,,,,GET,,,,,200,,,,"a=<é>
    &b=x,""y""",iter=0&vu=1
    http_req_waiting,1767323045,0.123457,,,,,,GET,,,,,,,,,,
    http_reqs,1767323046,1.000000,,,,,,,,,,,,,,,,
    vus,1767323046,1000000000000000000.000000,,,,,,,,,,,,,,,,
    "#);
}

#[test]
fn gz_at_the_end_of_the_name_compresses() {
    let directory = tempfile::tempdir().unwrap();
    let plain = written("json", &directory.path().join("out.json"));
    let packed = written("json", &directory.path().join("out.json.gz"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&*packed).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
}

#[test]
fn a_metric_of_a_late_vu_gets_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("out.json");
    let aggregate = aggregate();
    let output = start_in(&format!("json={}", file.display()), &aggregate).unwrap();
    let late = aggregate.registry().register("late", MetricKind::Rate, Contains::Default).unwrap();
    output.push([sample(late, 1.0, 0, &[])].into());
    output.finish().unwrap();
    assert!(fs::read_to_string(file).unwrap().starts_with(r#"{"type":"Metric","data":{"name":"late""#));
}

#[test]
fn what_cannot_start_says_why() {
    let error = |spec: &str| start_in(spec, &aggregate()).err().unwrap().to_string();
    insta::assert_snapshot!(error("kafka=x"), @"unknown output 'kafka', available are: csv, json");
    insta::assert_snapshot!(error("csv=file=x"), @"csv output: unknown key 'file', known are fileName, saveInterval and timeFormat");
    insta::assert_snapshot!(error("json=/nonexistent/x.json"), @"json output: cannot create /nonexistent/x.json: No such file or directory (os error 2)");
}

#[test]
fn a_full_queue_drops_and_counts() {
    /// Waits for the test before each batch.
    struct Gate(std::sync::mpsc::Receiver<()>);
    impl Encoder for Gate {
        fn samples(&mut self, _: &[Sample], _: &mut dyn io::Write) -> io::Result<()> {
            self.0.recv().map_err(io::Error::other)
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let target = target::Target::open("json", path.to_str().unwrap()).unwrap();
    let (open, gate) = std::sync::mpsc::channel();
    let output = OutputHandle::with_limit("json", target, Gate(gate), 6).unwrap();
    // The thread may take the first batch out of the queue at once or not: two more cannot both fit.
    output.push(samples());
    output.push(samples());
    output.push(samples());
    (0..3).for_each(|_| open.send(()).unwrap());
    let report = output.finish().unwrap();
    assert!(report.dropped >= 4, "{report:?}");
    assert_eq!(report.samples + report.dropped, 12);
    output.push(samples());
    assert_eq!(output.finish().unwrap().dropped, report.dropped + 4);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_at_the_end() {
    let output = start_in("json=/dev/full", &aggregate()).unwrap();
    output.push(samples());
    let error = output.finish().unwrap_err().to_string();
    insta::assert_snapshot!(error, @"json output: cannot write to /dev/full: No space left on device (os error 28); samples are lost");
}
