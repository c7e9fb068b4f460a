//! What a `suite.toml` says.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Deserializer, de};
use squall_options::parse_duration;
use toml::Spanned;

/// How long a target may take to be ready where the file says nothing.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// Variables that a run of a suite sets itself.
const OURS: [&str; 2] = ["BASE_URL", "OUTPUT_DIR"];

/// A suite: its target, its tests in the order of the file, and the sets of them that one runs together.
#[derive(Clone, Debug)]
pub struct Manifest {
    pub title: String,
    pub target: Target,
    pub tests: Vec<Test>,
    pub sets: Vec<Set>,
}

/// The service that the tests are for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Where it is unless the user says something else.
    pub base_url: Option<String>,
    /// Path that answers 200 when the service takes load. Without it nothing is waited for.
    pub ready: Option<String>,
    /// How long to wait for that.
    #[serde(default = "default_ready_timeout", deserialize_with = "duration")]
    pub ready_timeout: Duration,
    /// System of Breakwater that can stand for the service.
    pub breakwater: Option<String>,
    /// Flags that it is started with.
    #[serde(default)]
    pub breakwater_options: Vec<String>,
}

/// One test: a script and how to run it.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub name: String,
    /// As the file says: relative to its folder.
    pub script: PathBuf,
    pub about: String,
    /// A word for tests of a kind, by which they can be left out together.
    pub kind: Option<String>,
    /// Tests that must have passed before this one runs.
    pub needs: Vec<String>,
    /// What the script finds in `__ENV`.
    pub env: BTreeMap<String, String>,
    /// What it finds there of results of tests that it needs.
    pub env_from: BTreeMap<String, Source>,
    /// More flags of `squall run`.
    pub options: Vec<String>,
    /// More flags of Breakwater: with them this test gets one of its own.
    pub breakwater_options: Vec<String>,
}

/// A figure in the summary of another test.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub test: String,
    pub metric: String,
    /// As `summary.json` calls it: `value`, `p(95)`, `count`.
    pub statistic: String,
}

/// Tests that are run together, and what they find in `__ENV` then.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    pub name: String,
    pub about: String,
    /// In the order of the suite; all of them where the file names none.
    pub tests: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// What one test finds there besides, by its name.
    pub tests_env: BTreeMap<String, BTreeMap<String, String>>,
}

impl Manifest {
    /// Reads the text of a `suite.toml`.
    ///
    /// # Errors
    /// When it is not TOML, has unknown keys or lacks some, or when what it says does not fit together.
    pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
        let file: File = toml::from_str(text).map_err(|error| ManifestError {
            line: error.span().map(|span| line_of(text, span.start)),
            message: error.message().replace('\n', " "),
            hint: "docs/suites.md tells every key".into(),
        })?;
        let tests = file.tests.iter().map(|(name, test)| (format!("tests.{name}"), test.span()));
        let sets = file.sets.iter().map(|(name, set)| (format!("sets.{name}"), set.span()));
        let lines: BTreeMap<String, usize> =
            tests.chain(sets).map(|(table, span)| (table, line_of(text, span.start))).collect();
        let tests: Vec<Test> =
            in_file_order(file.tests).map(|(name, test): (String, TestTable)| test.named(name)).collect();
        let all: Vec<String> = tests.iter().map(|test| test.name.clone()).collect();
        let sets =
            in_file_order(file.sets).map(|(name, set): (String, SetTable)| set.named(name, &all)).collect();
        let manifest = Manifest { title: file.title, target: file.target, tests, sets };
        manifest.check().map_err(|Problem { key, message, hint }| {
            let table = key.split('.').take(2).collect::<Vec<_>>().join(".");
            ManifestError { line: lines.get(&table).copied(), message: format!("{key}: {message}"), hint }
        })?;
        Ok(manifest)
    }

    /// Whether the scripts that it names are there.
    ///
    /// # Errors
    /// The first that `is_there` does not know.
    pub fn check_scripts(&self, is_there: impl Fn(&Path) -> bool) -> Result<(), ManifestError> {
        match self.tests.iter().find(|test| !is_there(&test.script)) {
            None => Ok(()),
            Some(test) => Err(ManifestError {
                line: None,
                message: format!("tests.{}.script: there is no file {}", test.name, test.script.display()),
                hint: "give its path from the folder of the suite's file".into(),
            }),
        }
    }

    /// The test of this name.
    pub fn test(&self, name: &str) -> Option<&Test> {
        self.tests.iter().find(|test| test.name == name)
    }

    /// The set of this name.
    pub fn set(&self, name: &str) -> Option<&Set> {
        self.sets.iter().find(|set| set.name == name)
    }

    fn check(&self) -> Result<(), Problem> {
        if self.tests.is_empty() {
            return Err(Problem::new("tests", "there are none", "add a table [tests.NAME] with a script"));
        }
        check_target(&self.target)?;
        for test in &self.tests {
            let key = |key: &str| format!("tests.{}.{key}", test.name);
            check_name(&format!("tests.{}", test.name), &test.name)?;
            self.check_tests(&key("needs"), &test.needs)?;
            check_variables(&key("env"), test.env.keys())?;
            check_variables(&key("env_from"), test.env_from.keys())?;
            check_sources(&key("env_from"), test)?;
            self.check_circle(test)?;
        }
        for set in &self.sets {
            let key = |key: &str| format!("sets.{}.{key}", set.name);
            check_name(&format!("sets.{}", set.name), &set.name)?;
            self.check_tests(&key("tests"), &set.tests)?;
            self.check_tests(&key("tests_env"), set.tests_env.keys())?;
            check_variables(&key("env"), set.env.keys())?;
            for (test, env) in &set.tests_env {
                check_variables(&key(&format!("tests_env.{test}")), env.keys())?;
            }
        }
        Ok(())
    }

    fn check_tests<'a>(&self, key: &str, names: impl IntoIterator<Item = &'a String>) -> Result<(), Problem> {
        match names.into_iter().find(|name| self.test(name).is_none()) {
            None => Ok(()),
            Some(name) => {
                let hint = format!("the tests are {}", names_of(self.tests.iter().map(|test| &test.name)));
                Err(Problem::new(key, format!("there is no test '{name}'"), hint))
            }
        }
    }

    /// Whether a test needs itself, at whatever distance.
    fn check_circle(&self, test: &Test) -> Result<(), Problem> {
        let mut paths = vec![vec![test]];
        let mut seen = vec![];
        while let Some(path) = paths.pop() {
            let last = path[path.len() - 1];
            for need in last.needs.iter().filter_map(|name| self.test(name)) {
                if need.name == test.name {
                    let names: Vec<&str> = path.iter().map(|test| test.name.as_str()).collect();
                    let circle = format!("{} → {} is a circle", names.join(" → "), test.name);
                    let hint = "a test can need only what does not need it";
                    return Err(Problem::new(&format!("tests.{}.needs", test.name), circle, hint));
                }
                if !seen.contains(&&need.name) {
                    seen.push(&need.name);
                    paths.push([path.as_slice(), &[need]].concat());
                }
            }
        }
        Ok(())
    }
}

/// What is wrong with a suite's file, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// Line of the file, from 1.
    pub line: Option<usize>,
    /// The key, and what is wrong with it.
    pub message: String,
    pub hint: String,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ManifestError {}

/// A key whose value does not fit.
struct Problem {
    key: String,
    message: String,
    hint: String,
}

impl Problem {
    fn new(key: &str, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { key: key.into(), message: message.into(), hint: hint.into() }
    }
}

fn check_target(target: &Target) -> Result<(), Problem> {
    if let Some(url) = &target.base_url {
        check_base_url(url).map_err(|(message, hint)| Problem::new("target.base_url", message, hint))?;
    }
    match &target.ready {
        Some(path) if !path.starts_with('/') => {
            let message = format!("'{path}' does not begin with /");
            Err(Problem::new("target.ready", message, "it is a path such as /ready"))
        }
        _ => Ok(()),
    }
}

fn check_base_url(url: &str) -> Result<(), (String, &'static str)> {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')) {
        true => Ok(()),
        false => {
            Err((format!("'{url}' is no address of a service"), "use one such as http://127.0.0.1:8080"))
        }
    }
}

/// Names of tests are names of folders, too.
fn check_name(key: &str, name: &str) -> Result<(), Problem> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !name.is_empty() && name.chars().all(is_plain) {
        true => Ok(()),
        false => Err(Problem::new(
            key,
            format!("'{name}' cannot be a name"),
            "use letters, digits, hyphens and underscores",
        )),
    }
}

/// A test's results are there before this one runs only when it needs that test.
fn check_sources(key: &str, test: &Test) -> Result<(), Problem> {
    match test.env_from.iter().find(|(_, source)| !test.needs.contains(&source.test)) {
        None => Ok(()),
        Some((name, Source { test: other, .. })) => Err(Problem::new(
            &format!("{key}.{name}"),
            format!("'{other}' is not among what the test needs"),
            format!("add it: needs = [\"{other}\"]"),
        )),
    }
}

fn check_variables<'a>(
    key: &str,
    mut names: impl Iterator<Item = &'a String> + Clone,
) -> Result<(), Problem> {
    let is_good = |name: &&String| {
        name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
            && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    };
    if let Some(name) = names.clone().find(|name| OURS.contains(&name.as_str())) {
        let hint = "give target.base_url, and --output-dir when it runs";
        return Err(Problem::new(key, format!("{name} is what every script is told anyway"), hint));
    }
    match names.find(|name| !is_good(name)) {
        None => Ok(()),
        Some(name) => Err(Problem::new(
            key,
            format!("'{name}' cannot be the name of an environment variable"),
            "use letters, digits and underscores",
        )),
    }
}

/// Names for a message.
pub(crate) fn names_of<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The file as it is written. Spans tell the order of its tables, which TOML itself has none of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    #[serde(default)]
    target: Target,
    #[serde(default)]
    tests: BTreeMap<String, Spanned<TestTable>>,
    #[serde(default)]
    sets: BTreeMap<String, Spanned<SetTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestTable {
    script: PathBuf,
    #[serde(default)]
    about: String,
    kind: Option<String>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, Text>,
    #[serde(default)]
    env_from: BTreeMap<String, Source>,
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    breakwater_options: Vec<String>,
}

impl TestTable {
    fn named(self, name: String) -> Test {
        let TestTable { script, about, kind, needs, env, env_from, options, breakwater_options } = self;
        Test { name, script, about, kind, needs, env: texts(env), env_from, options, breakwater_options }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetTable {
    #[serde(default)]
    about: String,
    tests: Option<Vec<String>>,
    #[serde(default)]
    env: BTreeMap<String, Text>,
    #[serde(default)]
    tests_env: BTreeMap<String, BTreeMap<String, Text>>,
}

impl SetTable {
    fn named(self, name: String, all: &[String]) -> Set {
        Set {
            name,
            about: self.about,
            tests: self.tests.unwrap_or_else(|| all.to_vec()),
            env: texts(self.env),
            tests_env: self.tests_env.into_iter().map(|(test, env)| (test, texts(env))).collect(),
        }
    }
}

/// A value of a variable: numbers and booleans may stand without quotes.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Text(text)),
            toml::Value::Integer(number) => Ok(Text(number.to_string())),
            toml::Value::Float(number) => Ok(Text(number.to_string())),
            toml::Value::Boolean(value) => Ok(Text(value.to_string())),
            other => Err(de::Error::custom(format!(
                "the value of a variable is a text, a number or a boolean, not {}",
                other.type_str()
            ))),
        }
    }
}

fn texts(env: BTreeMap<String, Text>) -> BTreeMap<String, String> {
    env.into_iter().map(|(name, Text(value))| (name, value)).collect()
}

fn in_file_order<T>(tables: BTreeMap<String, Spanned<T>>) -> impl Iterator<Item = (String, T)> {
    let mut tables: Vec<_> = tables.into_iter().collect();
    tables.sort_by_key(|(_, table)| table.span().start);
    tables.into_iter().map(|(name, table)| (name, table.into_inner()))
}

fn default_ready_timeout() -> Duration {
    READY_TIMEOUT
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(|_| de::Error::custom(format!("'{text}' is no duration such as 30s or 1m")))
}

/// Number of the line at this byte, from 1.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests;
