//! What runs, in which order, and what a failure holds back.

use std::{collections::BTreeMap, fmt};

use crate::manifest::{Manifest, Set, Source, Test, names_of};

/// The set that runs when the user names none.
const DEFAULT_SET: &str = "quick";

/// Variables that scripts of suites read by convention: how large and how long a test is.
const CONVENTIONAL: [&str; 2] = ["SCALE", "DURATION"];

/// What a user asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A set of the file; without it `quick`, or every test when there is no such set.
    pub set: Option<String>,
    /// Only these tests, and what they need.
    pub tests: Vec<String>,
    /// Names or kinds of tests to leave out.
    pub skip: Vec<String>,
    /// Variables that were set by hand; they beat all others.
    pub env: BTreeMap<String, String>,
    /// The environment, whose variables beat the sets' of the same name. What the file says of a test is part of the test: of
    /// that the environment changes only the scale.
    pub system_env: BTreeMap<String, String>,
}

/// The tests that run, each after what it needs.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    pub set: Option<&'a Set>,
    pub steps: Vec<Step<'a>>,
    /// Tests that would run were they not to be left out.
    pub skipped: Vec<&'a str>,
}

/// One test that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<'a> {
    pub test: &'a Test,
    /// Steps before this one that must have passed. What was left out on purpose holds nothing back.
    pub needs: Vec<&'a str>,
    /// What the script finds in `__ENV` besides the environment.
    pub env: BTreeMap<String, String>,
    /// What it finds there of results of steps before this one; where there are such, they beat `env`.
    pub env_from: BTreeMap<&'a str, &'a Source>,
}

/// Why a request cannot be followed, and what could be asked instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    pub message: String,
    pub hint: String,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PlanError {}

impl<'a> Plan<'a> {
    /// Works out what a request means for a suite.
    ///
    /// # Errors
    /// When there is no such set or test, nothing of that name or kind to skip, or nothing left to run.
    pub fn new(manifest: &'a Manifest, request: &Request) -> Result<Plan<'a>, PlanError> {
        let set = chosen_set(manifest, request)?;
        check_names(manifest, request)?;
        let is_chosen = |test: &&Test| match (request.tests.is_empty(), set) {
            (false, _) => request.tests.contains(&test.name),
            (true, Some(set)) => set.tests.contains(&test.name),
            (true, None) => true,
        };
        let mut ordered = Vec::new();
        for test in manifest.tests.iter().filter(is_chosen) {
            add_after_needs(manifest, test, &mut ordered);
        }
        let (skipped, run): (Vec<&Test>, Vec<&Test>) =
            ordered.into_iter().partition(|test| request.skip.iter().any(|word| is_called(test, word)));
        if run.is_empty() {
            return Err(PlanError {
                message: "nothing is left to run".into(),
                hint: "skip less, or name tests or another set".into(),
            });
        }
        let is_run = |name: &str| run.iter().any(|test| test.name == name);
        let step = |test: &'a Test| Step {
            test,
            needs: test.needs.iter().map(String::as_str).filter(|name| is_run(name)).collect(),
            env: variables(test, set, request),
            env_from: (test.env_from.iter())
                .filter(|(name, source)| is_run(&source.test) && !request.env.contains_key(*name))
                .map(|(name, source)| (name.as_str(), source))
                .collect(),
        };
        Ok(Plan {
            set,
            steps: run.iter().map(|test| step(test)).collect(),
            skipped: skipped.iter().map(|test| test.name.as_str()).collect(),
        })
    }
}

impl Step<'_> {
    /// The first of its needs that has not passed.
    pub fn held_back_by(&self, has_passed: impl Fn(&str) -> bool) -> Option<&str> {
        self.needs.iter().copied().find(|name| !has_passed(name))
    }
}

fn chosen_set<'a>(manifest: &'a Manifest, request: &Request) -> Result<Option<&'a Set>, PlanError> {
    let Some(name) = &request.set else { return Ok(manifest.set(DEFAULT_SET)) };
    manifest.set(name).map(Some).ok_or_else(|| PlanError {
        message: format!("there is no set '{name}'"),
        hint: match manifest.sets.is_empty() {
            true => "the suite has no sets: leave --set out".into(),
            false => format!("the sets are {}", names_of(manifest.sets.iter().map(|set| &set.name))),
        },
    })
}

fn check_names(manifest: &Manifest, request: &Request) -> Result<(), PlanError> {
    let hint = || format!("the tests are {}", names_of(manifest.tests.iter().map(|test| &test.name)));
    if let Some(name) = request.tests.iter().find(|name| manifest.test(name).is_none()) {
        return Err(PlanError { message: format!("there is no test '{name}'"), hint: hint() });
    }
    let is_known = |word: &str| manifest.tests.iter().any(|test| is_called(test, word));
    match request.skip.iter().find(|word| !is_known(word)) {
        None => Ok(()),
        Some(word) => Err(PlanError {
            message: format!("there is no test and no kind of test '{word}' to skip"),
            hint: hint(),
        }),
    }
}

fn is_called(test: &Test, word: &str) -> bool {
    test.name == word || test.kind.as_deref() == Some(word)
}

/// The manifest has no circles, so this ends.
fn add_after_needs<'a>(manifest: &'a Manifest, test: &'a Test, ordered: &mut Vec<&'a Test>) {
    if ordered.iter().any(|known| known.name == test.name) {
        return;
    }
    for need in test.needs.iter().filter_map(|name| manifest.test(name)) {
        add_after_needs(manifest, need, ordered);
    }
    ordered.push(test);
}

/// The test's variables, over them the set's, the set's for this test, the environment's and those set by hand.
fn variables(test: &Test, set: Option<&Set>, request: &Request) -> BTreeMap<String, String> {
    let mut of_set = BTreeMap::new();
    if let Some(set) = set {
        of_set.extend(set.env.clone());
        of_set.extend(set.tests_env.get(&test.name).cloned().unwrap_or_default());
    }
    let is_ours = |name: &str| of_set.contains_key(name) || CONVENTIONAL.contains(&name);
    let system = request.system_env.iter().filter(|(name, value)| !value.is_empty() && is_ours(name));
    let system: Vec<_> = system.map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut env = test.env.clone();
    env.extend(of_set);
    env.extend(system);
    env.extend(request.env.clone());
    env
}

#[cfg(test)]
mod tests;
