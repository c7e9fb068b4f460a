//! Flags and variables as layers of options.

use std::time::Duration;

use squall_options::{HttpDebug, Options, Stage};

use super::*;
use crate::{
    args::{Command, Invocation, parse},
    testing::Sandbox,
};

fn options(flags: &str) -> Options {
    let process = Sandbox::new().process(&format!("run a.js {flags}")).0;
    match parse(&process) {
        Ok(Invocation::Command(cli)) => match cli.command {
            Command::Run(args) => from_flags(&args.flags.options, &process).expect("good flags"),
            other => panic!("not a run: {other:?}"),
        },
        other => panic!("not a command: {other:?}"),
    }
}

#[test]
fn no_flags_set_nothing() {
    assert_eq!(options(""), Options::default());
}

#[test]
fn flags_set_their_options() {
    let options = options(
        "-u 5 -d 1m30s -i 7 -s 10s:3,1s:0 --execution-segment 1/4:2/4 --execution-segment-sequence 0,1/4,2/4,1 \
         --tag a=b=c --tag d=e --http-debug=full --system-tags method,status --vu-memory-limit 256MB \
         --blacklist-ip 10.0.0.0/8 --no-setup=false --console-output c.log",
    );
    assert_eq!((options.vus, options.iterations), (Some(5), Some(7)));
    assert_eq!(options.duration, Some(Duration::from_secs(90)));
    let stages = options.stages.expect("stages").0;
    assert_eq!(stages[0], Stage { duration: Duration::from_secs(10), target: 3 });
    assert_eq!(stages.len(), 2);
    assert_eq!(options.execution_segment.expect("a segment").to_string(), "1/4:1/2");
    assert!(options.execution_segment_sequence.is_some());
    let tags = options.tags.expect("tags");
    assert_eq!((tags["a"].as_str(), tags["d"].as_str()), ("b=c", "e"));
    assert_eq!(options.http_debug, Some(HttpDebug::Full));
    assert_eq!(options.system_tags.expect("system tags").names(), ["method", "status"]);
    assert_eq!(options.vu_memory_limit.expect("a limit").0, 256 << 20);
    assert_eq!(options.no_setup, Some(false));
    assert_eq!(options.console_output.as_deref(), Some("c.log"));
    assert_eq!(options.blacklist_ips.expect("addresses").len(), 1);
}

#[test]
fn variables_set_their_options() {
    let sandbox = Sandbox::new().env("K6_VUS", "3").env("K6_DURATION", "1d").env("K6_TAGS", "a:b");
    let options = from_env(&sandbox.process("run a.js").0).expect("good variables");
    assert_eq!((options.vus, options.duration), (Some(3), Some(Duration::from_secs(24 * 3600))));
}
