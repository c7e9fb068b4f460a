//! Flags before variables before defaults.

use super::*;
use crate::{
    args::{Command, Invocation, parse},
    testing::Sandbox,
};

fn resolve(sandbox: &Sandbox, flags: &str) -> Result<RuntimeOptions> {
    let process = sandbox.process(&format!("run a.js {flags}")).0;
    match parse(&process)? {
        Invocation::Command(cli) => match cli.command {
            Command::Run(args) => {
                RuntimeOptions::resolve(&cli.global, &args.flags.runtime, SystemEnv::Shown, &process)
            }
            other => panic!("not a run: {other:?}"),
        },
        Invocation::Help(text) => panic!("not a command: {text}"),
    }
}

#[test]
fn flags_win_over_variables() {
    let sandbox = Sandbox::new().env("K6_SUMMARY_MODE", "full").env("K6_NO_THRESHOLDS", "true");
    let from_env = resolve(&sandbox, "").expect("good settings");
    assert_eq!((from_env.summary_mode, from_env.no_thresholds), (SummaryMode::Full, true));
    let from_flags = resolve(&sandbox, "--summary-mode legacy --no-thresholds=false").expect("good settings");
    assert_eq!((from_flags.summary_mode, from_flags.no_thresholds), (SummaryMode::Legacy, false));
}

#[test]
fn no_summary_disables_the_summary() {
    let options = resolve(&Sandbox::new(), "--no-summary").expect("good settings");
    assert_eq!(options.summary_mode, SummaryMode::Disabled);
}

#[test]
fn the_script_sees_the_environment_and_what_e_adds() {
    let sandbox = Sandbox::new().env("HOME", "/home/me").env("A", "1");
    let env = resolve(&sandbox, "-e A=2=3 -e B").expect("good settings").env;
    assert_eq!((env["HOME"].as_str(), env["A"].as_str(), env["B"].as_str()), ("/home/me", "2=3", ""));
    let env = resolve(&sandbox, "--include-system-env-vars=false -e A=2").expect("good settings").env;
    assert_eq!(env.into_iter().collect::<Vec<_>>(), [("A".to_owned(), "2".to_owned())]);
}

#[test]
fn any_value_of_no_color_counts() {
    assert!(!resolve(&Sandbox::new(), "").expect("good settings").no_color);
    assert!(resolve(&Sandbox::new().env("NO_COLOR", ""), "").expect("good settings").no_color);
    assert!(!resolve(&Sandbox::new().env("K6_NO_COLOR", ""), "").expect("good settings").no_color);
    assert!(resolve(&Sandbox::new().env("K6_NO_COLOR", "0"), "").expect("good settings").no_color);
}

#[test]
fn a_variable_that_is_no_boolean_is_named() {
    let error = resolve(&Sandbox::new().env("K6_NO_THRESHOLDS", "perhaps"), "").expect_err("not a boolean");
    assert_eq!(error.message, "K6_NO_THRESHOLDS is 'perhaps': expected true or false");
}
