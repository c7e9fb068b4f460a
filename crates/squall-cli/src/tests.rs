//! Whole commands, in this process.

use std::{fs, path::Path};

use insta::assert_snapshot;

use crate::{demo::target, exit_code::ExitCode, testing::Sandbox};

#[test]
fn usage_errors_say_what_to_do() {
    let check = |command_line: &str| {
        let output = Sandbox::new().run(command_line);
        assert_eq!((output.exit_code, output.stdout.as_str()), (ExitCode::Usage, ""), "{command_line}");
        format!("$ squall {command_line}\n{}", output.stderr)
    };
    let lines: String = [
        "run",
        "run a.js b.js",
        "fly",
        "run --nope a.js",
        "run --vu 4 a.js",
        "run -u many a.js",
        "run -d 10 a.js",
        "run -s 10s a.js",
        "run --tag a= a.js",
        "run -e 1st=2 a.js",
        "run --no-setup=maybe a.js",
        "run --summary-mode tiny a.js",
        "run --compatibility-mode es1 a.js",
        "run --type archive a.js",
        "run --log-output paper a.js",
        "run --log-output file=x.log,level=loud a.js",
        "run --log-output file=none/x.log a.js",
        "run --system-tags method --summary-trend-stats p(101) a.js",
        "completion tcsh",
    ]
    .map(check)
    .concat();
    assert_snapshot!(lines);
}

#[test]
fn bad_environment_and_configuration_are_invalid_config() {
    let check = |sandbox: Sandbox, command_line: &str| {
        let output = sandbox.run(command_line);
        assert_eq!(output.exit_code, ExitCode::InvalidConfig, "{command_line}");
        output.stderr
    };
    let lines = [
        check(Sandbox::new().env("K6_VUS", "many"), "run a.js"),
        check(Sandbox::new(), "run -c missing.json a.js"),
        check(Sandbox::new().env("K6_CONFIG", "missing.json"), "run a.js"),
        check(Sandbox::new().file("c.json", "{\"vus\":"), "run -c c.json a.js"),
        check(Sandbox::new().file("c.json", r#"{"vus":"many"}"#), "run -c c.json a.js"),
    ]
    .concat();
    assert_snapshot!(lines);
}

#[test]
fn help_of_every_command() {
    let help = |command: &str| {
        format!("$ squall {command} --help\n{}\n", Sandbox::new().run(&format!("{command} --help")).stdout)
    };
    assert_snapshot!(
        ["", "run", "suite", "suite run", "suite list", "inspect", "new", "demo", "version", "completion"]
            .map(help)
            .concat()
    );
}

#[test]
fn version_is_a_line() {
    let output = Sandbox::new().run("version");
    assert!(output.stdout.starts_with(&format!("squall v{} (", crate::VERSION)), "{}", output.stdout);
    assert_eq!(output.stdout, Sandbox::new().run("--version").stdout);
}

#[test]
fn version_as_json_has_k6s_key() {
    let output = Sandbox::new().run("version --json");
    let json: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(json["version"], format!("v{}", crate::VERSION));
}

#[test]
fn every_shell_gets_a_completion_of_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = Sandbox::new().run(&format!("completion {shell}"));
        assert_eq!(output.exit_code, ExitCode::Success);
        for word in ["inspect", "demo", "summary-export"] {
            assert!(output.stdout.contains(word), "{word} in {shell}");
        }
    }
}

#[test]
fn the_exit_code_tells_how_a_run_ended() {
    let check = |expected: ExitCode, flags: &str, script: &str| {
        let output = Sandbox::new().file("a.js", script).run(&format!("run -q {flags} a.js"));
        assert_eq!(output.exit_code, expected, "{script}\n{}", output.stderr);
    };
    let with_exec = |call: &str| {
        format!("import exec from 'k6/execution'; export default function () {{ exec.test.{call} }}")
    };
    let failing = "export const options = { thresholds: { iterations: ['count>5'] } };";
    let nothing = "export default function () {}";
    check(ExitCode::Success, "", nothing);
    check(ExitCode::Success, "", "export default function () { throw new Error('x') }");
    check(ExitCode::ThresholdsFailed, "", &format!("{failing} {nothing}"));
    check(ExitCode::Success, "--no-thresholds", &format!("{failing} {nothing}"));
    check(ExitCode::InvalidConfig, "-u 2 -i 1", nothing);
    check(ExitCode::ScriptException, "", "export default function () {");
    check(ExitCode::ScriptException, "", &format!("export function setup() {{ throw 1 }} {nothing}"));
    check(ExitCode::Success, "--no-setup", &format!("export function setup() {{ throw 1 }} {nothing}"));
    check(ExitCode::ScriptAborted, "", &with_exec("abort('why')"));
    check(ExitCode::MarkedFailed, "", &format!("{failing} {}", with_exec("fail('bad')")));
    check(ExitCode::Usage, "-o paper", nothing);
    assert_eq!(Sandbox::new().run("run missing.js").exit_code, ExitCode::Usage);
    assert_eq!(Sandbox::new().stdin(nothing).run("run -q -").exit_code, ExitCode::Success);
}

#[test]
fn inspect_prints_the_options_and_what_they_need() {
    let script = "export const options = { vus: 3, duration: '10s' }; export default function () {}";
    let json = |command_line: &str| -> serde_json::Value {
        let output = Sandbox::new().file("a.js", script).env("K6_VUS", "4").run(command_line);
        serde_json::from_str(&output.stdout).expect("JSON")
    };
    let options = json("inspect a.js");
    assert_eq!((&options["vus"], &options["duration"]), (&3.into(), &"10s".into()));
    let options = json("inspect --execution-requirements a.js");
    assert_eq!((&options["maxVUs"], &options["totalDuration"]), (&4.into(), &"40s".into()));
}

#[test]
fn standard_output_carries_banner_progress_and_summary() {
    let script = "export default function () {}";
    let output = Sandbox::new().file("a.js", script).run("run a.js");
    for part in ["s q u a l l", "execution: local", "iteration_duration", "default ✓ [ 100% ] 1 VUs"] {
        assert!(output.stdout.contains(part), "{part} in {}", output.stdout);
    }
    let output = Sandbox::new().file("a.js", script).run("run -q --no-summary a.js");
    assert_eq!(output.stdout, "");
}

#[test]
fn the_demo_is_in_the_program() {
    let output = Sandbox::new().run("demo -q -u 1 -i 1 --no-thresholds");
    assert_eq!(output.exit_code, ExitCode::Success, "{output:?}");
    assert!(output.stdout.contains("checks_succeeded...................: 100.00%"), "{}", output.stdout);
}

/// Every script of `examples/` against the demo's target, all at the same time: most of what they do is wait.
#[test]
fn every_example_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let scripts = fs::read_dir(&folder).expect("examples").map(|entry| entry.expect("an entry").path());
    let scripts: Vec<_> = scripts.filter(|path| path.extension().is_some_and(|it| it == "js")).collect();
    assert_eq!(scripts.len(), 11);
    let target = target::start(([127, 0, 0, 1], 0).into()).expect("a free port");
    let base_url = target.base_url();
    std::thread::scope(|scope| {
        for script in &scripts {
            let base_url = &base_url;
            scope.spawn(move || {
                let script = script.display();
                let output = Sandbox::new().run(&format!("inspect -e BASE_URL={base_url} {script}"));
                assert_eq!(output.exit_code, ExitCode::Success, "{script}: {output:?}");
                // How fast it goes is no matter of a test, and the thresholds are about that.
                let command_line = format!("run -q --no-thresholds -e BASE_URL={base_url} {script}");
                let output = Sandbox::new().run(&command_line);
                assert_eq!(output.exit_code, ExitCode::Success, "{script}: {output:?}");
                assert!(!output.stdout.contains('✗'), "{script}: {}", output.stdout);
            });
        }
    });
}

#[test]
fn the_grammar_is_sound() {
    crate::args::command().debug_assert();
}

#[test]
fn thresholds_on_metadata_are_worth_one_warning() {
    let script = r"
        export const options = { thresholds: { 'iterations{vu:1}': ['count>=0'], 'iterations{iter:0}': ['count>=0'] } };
        export default function () {}
    ";
    let output = Sandbox::new().file("a.js", script).run("run -q a.js");
    assert_eq!(output.stderr.matches("which are metadata and not tags").count(), 1, "{}", output.stderr);
}
