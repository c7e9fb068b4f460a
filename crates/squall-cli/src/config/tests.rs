//! Where the configuration comes from.

use super::*;
use crate::testing::Sandbox;

fn vus(sandbox: &Sandbox, config_flag: Option<&str>) -> Option<u64> {
    let global = GlobalArgs { config: config_flag.map(str::to_owned), ..GlobalArgs::default() };
    read(&global, &sandbox.process("run a.js").0).expect("a good configuration").options.vus
}

#[test]
fn the_flag_wins_over_the_variable_over_the_default_place() {
    let sandbox = Sandbox::new()
        .file("flag.json", r#"{"vus":1}"#)
        .file("variable.json", r#"{"vus":2}"#)
        .file("home/.config/squall/config.json", r#"{"vus":3}"#);
    let home = sandbox.path("home").display().to_string();
    let sandbox = sandbox.env("HOME", &home);
    assert_eq!(vus(&sandbox, None), Some(3));
    let sandbox = sandbox.env("K6_CONFIG", "variable.json");
    assert_eq!(vus(&sandbox, None), Some(2));
    assert_eq!(vus(&sandbox, Some("flag.json")), Some(1));
}

#[test]
fn k6s_own_file_is_used_when_there_is_no_other() {
    let sandbox = Sandbox::new().file("xdg/k6/config.json", r#"{"vus":4}"#);
    let xdg = sandbox.path("xdg").display().to_string();
    assert_eq!(vus(&sandbox.env("XDG_CONFIG_HOME", &xdg), None), Some(4));
}

#[test]
fn the_default_file_may_be_missing() {
    assert_eq!(vus(&Sandbox::new().env("HOME", "/nowhere"), None), None);
}
