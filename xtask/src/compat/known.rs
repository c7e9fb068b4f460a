//! `known-differences.toml`: where Squall is meant to differ from k6, or does not agree yet.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Differences, Verdict};

/// The list, by script. A difference that is gone must leave the list.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownDifferences {
    #[serde(default)]
    difference: Vec<Known>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// The script's name.
    script: String,
    /// The facets that differ.
    what: Vec<String>,
    /// Why that is right, or what is missing. Read by people only.
    #[serde(rename = "reason")]
    _reason: String,
}

impl KnownDifferences {
    /// Reads the list in `folder`.
    pub(super) fn read(folder: &Path) -> Result<KnownDifferences> {
        let path = folder.join("known-differences.toml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Passes a script that differs exactly where the list says.
    pub(super) fn judge(&self, script: &str, differences: &Differences) -> Verdict {
        let known: BTreeSet<&str> = self.facets(script).collect();
        let new = differences.iter().filter(|(facet, _)| !known.contains(facet.as_str()));
        let mut why: String = new.map(|(facet, diff)| format!("  {facet}\n{diff}")).collect();
        for facet in known.iter().filter(|facet| !differences.contains_key(**facet)) {
            why += &format!("  {facet} agrees: take it off known-differences.toml\n");
        }
        match (why.is_empty(), known.is_empty()) {
            (false, _) => Verdict::Fail(why),
            (true, true) => Verdict::Pass(""),
            (true, false) => Verdict::Pass(" (known differences)"),
        }
    }

    fn facets(&self, script: &str) -> impl Iterator<Item = &str> {
        let known = self.difference.iter().filter(move |known| known.script == script);
        known.flat_map(|known| known.what.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool;

    fn judge(differing: &[&str]) -> bool {
        let list = "[[difference]]\nscript = \"a\"\nwhat = [\"exit\"]\nreason = \"because\"";
        let known: KnownDifferences = toml::from_str(list).unwrap();
        let differences = differing.iter().map(|facet| ((*facet).to_owned(), String::new())).collect();
        matches!(known.judge("a", &differences), Verdict::Pass(_))
    }

    #[test]
    fn only_the_listed_difference_passes() {
        assert!(judge(&["exit"]));
        assert!(!judge(&["exit", "console"]));
        assert!(!judge(&[]), "a difference that is gone must leave the list");
    }

    #[test]
    fn the_list_names_scripts_that_exist() {
        let folder = tool::root().join("compat");
        for known in KnownDifferences::read(&folder).unwrap().difference {
            let exists = ["js", "ts"]
                .iter()
                .any(|kind| folder.join(format!("scripts/{}.{kind}", known.script)).exists());
            assert!(exists, "{}", known.script);
        }
    }
}
