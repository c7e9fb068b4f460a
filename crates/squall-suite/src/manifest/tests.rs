//! Good files, and what bad ones are told.

use insta::assert_snapshot;

use super::*;

const GOOD: &str = r#"
title = "Connex: accounts API"

[target]
base_url = "http://127.0.0.1:8080"
ready = "/ready"
ready_timeout = "1m30s"
breakwater = "connex"
breakwater_options = ["--connex-seed=1000"]

[tests.smoke]
script = "smoke.js"
about = "basic function"

[tests.load]
script = "load.js"
needs = ["smoke"]
env = { USERS = 100, NAME = "a b", FAST = true, SHARE = 0.5 }
options = ["--vus", "3"]

[tests.break]
script = "stress.js"
kind = "stress"
needs = ["smoke"]

[sets.full]
about = "everything"

[sets.smoke]
tests = ["smoke"]
env = { DURATION = "5s" }
tests_env.smoke = { SCALE = 0.1 }
"#;

#[test]
fn a_good_file_is_taken_in_its_order() {
    let manifest = Manifest::parse(GOOD).unwrap();
    let names = |names: Vec<&String>| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(names(manifest.tests.iter().map(|test| &test.name).collect()), "smoke load break");
    assert_eq!(names(manifest.sets.iter().map(|set| &set.name).collect()), "full smoke");
    assert_eq!(manifest.target.ready_timeout, Duration::from_secs(90));
    let load = manifest.test("load").unwrap();
    let env: Vec<_> = load.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(env, ["FAST=true", "NAME=a b", "SHARE=0.5", "USERS=100"]);
    assert_eq!(manifest.set("full").unwrap().tests, ["smoke", "load", "break"]);
    assert_eq!(manifest.set("smoke").unwrap().tests_env["smoke"]["SCALE"], "0.1");
}

#[test]
fn the_shortest_file_is_a_title_and_a_script() {
    let manifest = Manifest::parse("title = 'T'\ntests.one.script = 'a.js'").unwrap();
    assert_eq!((manifest.tests.len(), manifest.target.ready), (1, None));
}

#[test]
fn bad_files_are_told_where_and_what_to_do() {
    let check = |text: &str| {
        let ManifestError { line, message, hint } = Manifest::parse(text).unwrap_err();
        let line = line.map_or_else(|| "-".to_owned(), |line| line.to_string());
        format!("{}\n  {line}: {message}\n  hint: {hint}\n", text.replace('\n', " ⏎ "))
    };
    let test = |more: &str| format!("title = 'T'\n[tests.a]\nscript = 'a.js'\n{more}");
    let texts = [
        "title = ".to_owned(),
        "tests.a.script = 'a.js'".to_owned(),
        "title = 'T'".to_owned(),
        "title = 'T'\nlimits = 1".to_owned(),
        "title = 'T'\n[tests.a]\nabout = 'no script'".to_owned(),
        test("scritp = 'b.js'"),
        test("needs = ['b']"),
        test("needs = ['a']"),
        test(
            "needs = ['c']\n[tests.b]\nscript = 'b.js'\nneeds = ['a']\n[tests.c]\nscript = 'c.js'\nneeds = ['b']",
        ),
        test("env = { '1ST' = 1 }"),
        test("env = { LIST = [1] }"),
        test("env = { BASE_URL = 'http://here' }"),
        test("env_from.RATE = { test = 'a', metric = 'm', statistic = 'value' }"),
        test("env_from.RATE = { test = 'a', metric = 'm' }"),
        test("env_from.'A-B' = { test = 'a', metric = 'm', statistic = 'value' }"),
        test("[tests.'b/c']\nscript = 'b.js'"),
        test("[target]\nbase_url = 'localhost:8080'"),
        test("[target]\nready = 'ready'"),
        test("[target]\nready_timeout = 'soon'"),
        test("[target]\nready_timeout = 60"),
        test("[sets.quick]\ntests = ['a', 'b']"),
        test("[sets.quick]\ntests_env.b = { SCALE = 1 }"),
    ];
    assert_snapshot!(texts.iter().map(|text| check(text)).collect::<String>());
}

#[test]
fn scripts_must_be_there() {
    let manifest = Manifest::parse(GOOD).unwrap();
    manifest.check_scripts(|_| true).unwrap();
    let error = manifest.check_scripts(|script| script != Path::new("load.js")).unwrap_err();
    assert_eq!(error.message, "tests.load.script: there is no file load.js");
}

#[test]
fn many_ways_to_the_same_need_are_no_circle() {
    let mut text = "title = 'T'\n[tests.t0]\nscript = 'a.js'\n".to_owned();
    for number in 1..40 {
        let needs: Vec<String> = (0..number).map(|need| format!("'t{need}'")).collect();
        text += &format!("[tests.t{number}]\nscript = 'a.js'\nneeds = [{}]\n", needs.join(", "));
    }
    assert_eq!(Manifest::parse(&text).unwrap().tests.len(), 40);
}
