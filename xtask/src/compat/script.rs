//! A script of the suite: its name, and the run that its leading comments ask for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// What is compared unless a script says otherwise.
const DEFAULT_FACETS: [&str; 8] =
    ["checks", "console", "counts", "errors", "exit", "json", "submetrics", "thresholds"];

/// Facets that a script must ask for.
const OTHER_FACETS: [&str; 3] = ["files", "stdout", "text"];

/// A script and how to run it.
#[derive(Debug)]
pub(super) struct Script {
    /// The file's name without its extension.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// The script's text.
    pub(super) source: String,
    /// The sub-command, `run` unless said otherwise.
    pub(super) command: String,
    pub(super) flags: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    /// Facets to compare.
    pub(super) facets: Vec<String>,
    /// Metrics whose numbers depend on timing.
    pub(super) ignored_metrics: Vec<String>,
    /// Whether console lines may come in any order.
    pub(super) any_order: bool,
    /// Whether the script goes to standard input.
    pub(super) stdin: bool,
    /// A line of the log at which the run gets SIGINT.
    pub(super) interrupt_on: Option<String>,
    /// Files to put into the run's folder.
    pub(super) files: Vec<(String, String)>,
}

impl Script {
    /// The scripts in `folder` whose names contain one of `names`, or all.
    pub(super) fn all(folder: &Path, names: &[String]) -> Result<Vec<Script>> {
        let mut scripts = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if path.is_file()
                && (names.is_empty() || names.iter().any(|wanted| name.contains(wanted.as_str())))
            {
                scripts.push(Script::read(&path)?);
            }
        }
        scripts.sort_by(|a, b| a.name.cmp(&b.name));
        if scripts.is_empty() {
            bail!("no script in {} is called so", folder.display());
        }
        Ok(scripts)
    }

    fn read(path: &Path) -> Result<Script> {
        let source = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Script::parse(path, source).with_context(|| path.display().to_string())
    }

    /// Reads the `// key: value` lines at the top of `source`.
    fn parse(path: &Path, source: String) -> Result<Script> {
        let mut script = Script {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            path: path.to_owned(),
            source: String::new(),
            command: "run".to_owned(),
            flags: Vec::new(),
            env: Vec::new(),
            facets: DEFAULT_FACETS.map(str::to_owned).to_vec(),
            ignored_metrics: Vec::new(),
            any_order: false,
            stdin: false,
            interrupt_on: None,
            files: Vec::new(),
        };
        let header = source.lines().map_while(|line| line.strip_prefix("//"));
        for (key, value) in header.filter_map(directive) {
            script.set(key, value)?;
        }
        script.source = source;
        Ok(script)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "command" => self.command = value.to_owned(),
            "flags" => self.flags.extend(words(value, char::is_whitespace)),
            "env" => self.env.extend(words(value, char::is_whitespace).map(|pair| split(&pair, '='))),
            "compare" => self.compare(value)?,
            "ignore" => self.ignored_metrics.extend(words(value, is_comma)),
            "order" => self.any_order = value == "any",
            "stdin" => self.stdin = value == "yes",
            "interrupt-on" => self.interrupt_on = Some(value.to_owned()),
            "file" => self.files.push(split(value, ' ')),
            _ => bail!("unknown key `{key}` in the header"),
        }
        Ok(())
    }

    /// `a, b` compares just those, `+a, -b` changes the default.
    fn compare(&mut self, value: &str) -> Result<()> {
        if !value.starts_with(['+', '-']) {
            self.facets.clear();
        }
        for word in words(value, is_comma) {
            let facet = word.trim_start_matches(['+', '-']);
            if !DEFAULT_FACETS.contains(&facet) && !OTHER_FACETS.contains(&facet) {
                bail!("unknown facet `{facet}` in the header");
            }
            self.facets.retain(|known| known != facet);
            if !word.starts_with('-') {
                self.facets.push(facet.to_owned());
            }
        }
        Ok(())
    }
}

/// ` key: value` as a pair; anything else is prose.
fn directive(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once(':')?;
    let is_key = key.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    is_key.then(|| (key, value.trim()))
}

fn words(text: &str, separator: fn(char) -> bool) -> impl Iterator<Item = String> {
    text.split(separator).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned)
}

fn is_comma(c: char) -> bool {
    c == ','
}

fn split(pair: &str, separator: char) -> (String, String) {
    let (key, value) = pair.split_once(separator).unwrap_or((pair, ""));
    (key.to_owned(), value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool;

    fn parse(source: &str) -> Result<Script> {
        Script::parse(Path::new("a/name.js"), source.to_owned())
    }

    #[test]
    fn header_sets_the_run() {
        let script = parse(
            "// What it shows: prose.\n// flags: -u 2 --tag a=b\n// env: A=1 B=x=y\n// ignore: vus, a\n\nx",
        )
        .unwrap();
        assert_eq!(script.name, "name");
        assert_eq!(script.flags, ["-u", "2", "--tag", "a=b"]);
        assert_eq!(script.env, [("A".into(), "1".into()), ("B".into(), "x=y".into())]);
        assert_eq!(script.ignored_metrics, ["vus", "a"]);
    }

    #[test]
    fn compare_replaces_or_changes_the_facets() {
        assert_eq!(parse("// compare: exit, text").unwrap().facets, ["exit", "text"]);
        let changed = parse("// compare: +files, -json").unwrap().facets;
        assert!(changed.contains(&"files".to_owned()) && !changed.contains(&"json".to_owned()));
        assert!(changed.contains(&"console".to_owned()));
    }

    #[test]
    fn scripts_have_sound_headers_and_names_of_their_own() {
        let scripts = Script::all(&tool::root().join("compat/scripts"), &[]).unwrap();
        assert!(scripts.windows(2).all(|pair| pair[0].name != pair[1].name));
    }

    #[test]
    fn misspelt_header_is_an_error() {
        assert!(parse("// flag: -u 2").is_err());
        assert!(parse("// compare: exits").is_err());
    }
}
