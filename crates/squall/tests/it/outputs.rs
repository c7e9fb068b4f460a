//! Outputs that cannot be written: told once, in the exit code, and nothing else is lost.

use std::io::{BufRead, BufReader};

use rustix::process::Signal;

use crate::sandbox::{Sandbox, check};

const EMPTY: &str = "export default function () {}";

#[test]
fn a_full_disk_is_told_once_and_the_summary_stays() {
    let output =
        check(EMPTY, &["--out", "json=/dev/full", "--iterations", "1000"], 255, "No space left on device");
    assert_eq!(output.stderr.matches("No space left").count(), 1, "{}", output.stderr);
    output.check_iterations(1000);
}

#[test]
fn an_output_that_cannot_be_opened_stops_the_test_before_it_starts() {
    check(
        EMPTY,
        &["--out", "csv=/nodir/x.csv"],
        255,
        "cannot create /nodir/x.csv: No such file or directory",
    );
    check(EMPTY, &["--out", "json=/nodir/x.json"], 255, "cannot create /nodir/x.json");
}

#[test]
fn a_killed_run_leaves_what_was_flushed() {
    let script =
        "import { sleep } from 'k6'; import http from 'k6/http'; import { Counter } from 'k6/metrics';
        const done = new Counter('done_before');
        export default () => { done.add(1); console.log('counted'); sleep(60); }";
    let sandbox = Sandbox::with_script(script);
    let mut running = sandbox.start(&["--out", "json=samples.json"]);
    running.wait_for("counted");
    let path = sandbox.path("samples.json");
    // The file grows while the run goes on: its reader sees the sample before the end.
    let seen = std::iter::repeat_with(|| std::fs::read_to_string(&path).unwrap_or_default())
        .take_while(|text| !text.contains("\"Point\",\"data\":"))
        .inspect(|_| std::thread::yield_now());
    let _ = seen.count();
    running.signal(Signal::KILL);
    assert_eq!(running.finish().status.code(), None);
    let lines = BufReader::new(std::fs::File::open(path).unwrap()).lines();
    let points = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
    assert!(points.into_iter().any(|line| line["type"] == "Point"));
}

#[test]
fn a_file_at_its_size_limit_is_an_error_of_the_output() {
    let sandbox = Sandbox::with_script(EMPTY);
    let output = sandbox.shell("ulimit -f 8; squall run --out json=samples.json -i 2000 script.js");
    output.check(255, "json output: cannot write to samples.json: File too large");
    output.check_iterations(2000);
}
