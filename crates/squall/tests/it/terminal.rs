//! What a person at a terminal sees: bars and colours, unless asked not to.

use std::{
    fs::File,
    io::Read,
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::sandbox::Sandbox;

/// Runs a script on a terminal and gives what the terminal got.
fn on_a_terminal(arguments: &[&str], env: &[(&str, &str)]) -> String {
    let sandbox = Sandbox::with_script("export default () => console.log('counted');");
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("the system has terminals");
    grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("it is ours");
    let name = ptsname(&controller, Vec::new()).expect("it has a name");
    let terminal = File::options().read(true).write(true).open(name.to_str().expect("it is ASCII")).unwrap();
    let stream = || Stdio::from(OwnedFd::from(terminal.try_clone().unwrap()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
    command.args(["run", "script.js"]).args(arguments).current_dir(sandbox.path("")).env_clear();
    command.envs(env.iter().copied()).stdin(Stdio::null()).stdout(stream()).stderr(stream());
    let mut child = command.spawn().expect("the program starts");
    // Only the program holds the terminal from here on: reading fails when it is gone.
    drop((command, terminal));
    let mut shown = Vec::new();
    let _ = File::from(controller).read_to_end(&mut shown);
    assert!(child.wait().expect("it is our child").success());
    String::from_utf8(shown).expect("the program writes UTF-8")
}

const GREEN: &str = "\x1b[32m";

#[test]
fn a_terminal_gets_bars_and_colours() {
    let shown = on_a_terminal(&[], &[]);
    assert!(shown.contains(GREEN) && shown.contains("[====") && shown.contains("INFO"), "{shown}");
}

#[test]
fn colours_can_be_refused() {
    for (arguments, env) in
        [(&["--no-color"][..], &[][..]), (&[], &[("NO_COLOR", "")]), (&[], &[("K6_NO_COLOR", "1")])]
    {
        let shown = on_a_terminal(arguments, env);
        assert!(!has_colours(&shown) && shown.contains("[===="), "{shown:?}");
    }
}

/// Whether a control sequence sets a colour: one that ends with `m`. Others move the cursor.
fn has_colours(shown: &str) -> bool {
    let sequences = shown.split("\x1b[").skip(1);
    sequences.filter_map(|text| text.chars().find(char::is_ascii_alphabetic)).any(|end| end == 'm')
}

#[test]
fn a_dumb_terminal_gets_lines() {
    let shown = on_a_terminal(&[], &[("TERM", "dumb")]);
    assert!(!shown.contains('\x1b') && shown.contains("[ 100% ]"), "{shown:?}");
}

#[test]
fn quiet_leaves_the_summary() {
    let shown = on_a_terminal(&["--quiet"], &[]);
    assert!(!shown.contains("[====") && shown.contains("iterations"), "{shown}");
}
