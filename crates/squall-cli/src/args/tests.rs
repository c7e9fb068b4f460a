//! What flags are taken for.

use super::*;
use crate::testing::Sandbox;

fn run_flags(command_line: &str) -> (GlobalArgs, RunFlags) {
    match parse(&Sandbox::new().process(command_line).0) {
        Ok(Invocation::Command(cli)) => match cli.command {
            Command::Run(args) => (cli.global, args.flags),
            other => panic!("not a run: {other:?}"),
        },
        other => panic!("not a command: {other:?}"),
    }
}

#[test]
fn short_switches_can_be_bundled() {
    let (global, flags) = run_flags("run -qvwp a.js");
    assert_eq!((global.quiet, global.verbose), (Some(Switch(true)), Some(Switch(true))));
    assert_eq!((flags.options.throw, flags.options.paused), (Some(Switch(true)), Some(Switch(true))));
}

#[test]
fn switches_take_a_boolean() {
    let (_, flags) = run_flags("run --no-setup=false --no-teardown=T --throw a.js");
    assert_eq!(flags.options.no_setup, Some(Switch(false)));
    assert_eq!(flags.options.no_teardown, Some(Switch(true)));
    assert_eq!(flags.options.throw, Some(Switch(true)));
    assert_eq!(flags.options.no_connection_reuse, None);
}

#[test]
fn http_debug_may_stand_alone() {
    assert_eq!(run_flags("run --http-debug a.js").1.options.http_debug.as_deref(), Some("headers"));
    assert_eq!(run_flags("run --http-debug=full a.js").1.options.http_debug.as_deref(), Some("full"));
}

#[test]
fn lists_take_commas_and_repetition() {
    let (_, flags) = run_flags("run -s 1s:2,3s:4 -s 5s:6 -o json=a,b -o csv -e A=1,2 -e B a.js");
    assert_eq!(flags.options.stages, ["1s:2", "3s:4", "5s:6"]);
    assert_eq!(flags.run_only.outs, ["json=a,b", "csv"]);
    assert_eq!(flags.runtime.env, ["A=1,2", "B"]);
}

#[test]
fn global_flags_go_before_or_after_the_command() {
    for line in ["-c x.json --quiet run a.js", "run a.js --quiet -c x.json"] {
        let (global, _) = run_flags(line);
        assert_eq!(global.config.as_deref(), Some("x.json"));
        assert_eq!(global.quiet, Some(Switch(true)));
    }
}

#[test]
fn what_k6_dropped_is_still_taken() {
    run_flags(
        "run --no-summary --summary-mode legacy --no-usage-report --profiling-enabled \
         --compatibility-mode experimental_enhanced --traces-output none --secret-source mock=a --features x,y a.js",
    );
}
