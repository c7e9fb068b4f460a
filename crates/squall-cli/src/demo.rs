//! What `squall demo` runs: the load test of Connex's suite, and Connex itself. Both are in the program.

use squall_loader::Fetch;
use squall_suite::Manifest;

pub mod target;

/// The suite that the demo is taken from.
const SUITE: &str = include_str!("../../../suites/connex/suite.toml");

/// Where the program's own scripts seem to lie: an address that nobody has, so that nothing else is meant by it.
const BASE: &str = "https://squall.invalid/suites/";

/// The test, in [`BUNDLE`].
pub const SCRIPT: &str = "https://squall.invalid/suites/connex/load.js";

/// Everything that the test consists of, by its path in `suites/`.
macro_rules! bundle {
    ($($path:literal),*) => {
        &[$(($path, include_str!(concat!("../../../suites/", $path)))),*]
    };
}
const BUNDLE: &[(&str, &str)] = bundle!(
    "connex/load.js",
    "connex/api.js",
    "lib/http.js",
    "lib/people.js",
    "lib/random.js",
    "lib/scale.js"
);

/// An ordinary day of 30 users in 20 seconds. Flags of the user come later and count more.
pub const ENV: [&str; 2] = ["SCALE=0.3", "DURATION=20s"];

/// The suite's file.
pub fn suite() -> Manifest {
    Manifest::parse(SUITE).expect("a test reads it")
}

/// Gives the program's own scripts by their addresses.
pub struct Bundle;

impl Fetch for Bundle {
    fn get(&self, url: &str) -> Result<String, String> {
        let found = BUNDLE.iter().find(|(path, _)| url.strip_prefix(BASE) == Some(path));
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "it is not in the program".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suites_file_is_good_and_tells_how_the_target_is_started() {
        let target = suite().target;
        assert_eq!(target.breakwater.as_deref(), Some("connex"));
        crate::embedded::settings(&target.breakwater_options).unwrap();
    }
}
