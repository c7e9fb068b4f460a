//! What must stay true of the tree, as tests: the walls between crates, the map in ARCHITECTURE.md, file headers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Crates from top to bottom: one may only depend on those of later rows.
const LAYERS: [&[&str]; 6] = [
    &["squall", "xtask"],
    &["squall-cli"],
    &["squall-js", "squall-output", "squall-report", "squall-suite"],
    &["squall-engine", "squall-loader", "squall-http", "squall-ws"],
    &["squall-net"],
    &["squall-options", "squall-metrics", "breakwater"],
];

/// For tests of any crate, and a part of none.
const TESTING: &str = "squall-testing";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

/// The workspace's packages, as cargo sees them.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().expect("packages have names")
}

fn layer(name: &str) -> usize {
    let found = LAYERS.iter().position(|layer| layer.contains(&name));
    found.unwrap_or_else(|| panic!("{name} has no layer: give it one in xtask/src/tidy.rs"))
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false if entry.extension().is_some_and(|extension| extension == "rs") => found.push(entry),
                false => {}
            }
        }
    }
    found
}

#[test]
fn dependencies_point_down() {
    let packages = packages();
    let ours: Vec<&str> = packages.iter().map(name).collect();
    for package in packages.iter().filter(|package| name(package) != TESTING) {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let below = name(dependency);
            let is_for_tests = dependency["kind"].as_str() == Some("dev");
            if !ours.contains(&below) || is_for_tests {
                continue;
            }
            assert_ne!(below, TESTING, "{} needs {TESTING} outside of tests", name(package));
            assert!(layer(name(package)) < layer(below), "{} must not depend on {below}", name(package));
        }
    }
}

#[test]
fn the_engine_and_the_pure_crates_do_no_io_of_their_own() {
    let forbidden = [
        ("squall-options", ["std::fs", "std::net::Tcp", "std::env"]),
        ("squall-metrics", ["std::fs", "std::net", "std::env"]),
        ("squall-report", ["std::fs", "std::net", "std::env"]),
        ("squall-engine", ["std::fs", "std::net", "std::env"]),
    ];
    for file in sources() {
        let path = file.to_string_lossy();
        let rules = forbidden.iter().filter(|(name, _)| path.contains(&format!("crates/{name}/src")));
        for word in rules.flat_map(|(_, words)| words) {
            let text = fs::read_to_string(&file).expect("a source file");
            assert!(!text.contains(word), "{path} uses {word}");
        }
    }
}

#[test]
fn the_map_names_every_crate() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for package in packages() {
        assert!(
            map.contains(&format!("| `{}` |", name(&package))),
            "ARCHITECTURE.md lacks {}",
            name(&package)
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    // `tests.rs` is what its parent says it is.
    for file in sources().into_iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = fs::read_to_string(&file).expect("a source file");
        assert!(text.starts_with("//!"), "{} does not open with its job", file.display());
    }
}
