//! `squall new`.

use crate::{exit_code::ExitCode, testing::Sandbox};

#[test]
fn writes_a_script_but_not_over_another() {
    let sandbox = Sandbox::new();
    let output = sandbox.run("new");
    assert_eq!(output.exit_code, ExitCode::Success);
    assert_eq!(
        output.stdout,
        "Wrote script.js from the minimal template. Run it with: squall run script.js\n"
    );
    assert!(sandbox.read("script.js").contains("export default function"));

    let output = sandbox.run("new --template protocol");
    assert_eq!(output.exit_code, ExitCode::Usage);
    assert_eq!(
        output.stderr,
        "time=T level=error msg=\"script.js already exists\" hint=\"use --force to overwrite it\"\n"
    );
    assert_eq!(sandbox.run("new -f --template protocol").exit_code, ExitCode::Success);
    assert!(sandbox.read("script.js").starts_with("// script.js: "));
}

#[test]
fn takes_a_template_of_the_users() {
    let sandbox = Sandbox::new().file("mine.txt", "// {{ .ScriptName }} of {{.ProjectID}}\n");
    let output = sandbox.run("new a.js --template mine.txt --project-id 7");
    assert_eq!(output.exit_code, ExitCode::Success);
    assert_eq!(sandbox.read("a.js"), "// a.js of 7\n");
}

#[test]
fn says_that_there_are_no_browsers() {
    let output = Sandbox::new().run("new --template browser");
    assert_eq!(output.exit_code, ExitCode::Usage);
    assert!(output.stderr.contains("does not drive browsers"), "{}", output.stderr);
}
