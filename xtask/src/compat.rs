//! `cargo xtask compat`: every script of `compat/scripts` in k6 and in Squall, and where the two disagree.
//!
//! A run is reduced to *facts*, lines of text by facet, from which everything that depends on timing is
//! gone; two runs agree when their facts are equal. `compat/README.md` tells how to add a script.

mod facts;
mod known;
mod run;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;
use similar::{ChangeTag, TextDiff};

use self::facts::Facts;
use self::known::KnownDifferences;
use self::script::Script;
use crate::target::Target;
use crate::tool;

/// Scripts that run at the same time.
const PARALLEL: usize = 2;

/// Lines of a facet's diff that are printed.
const DIFF_LINES_MAX: usize = 12;

#[derive(clap::Args)]
pub struct Args {
    /// Only scripts whose name contains one of these
    names: Vec<String>,
    /// Run k6 against itself, to see that the scripts are deterministic
    #[arg(long)]
    self_check: bool,
    /// Use Squall's debug build
    #[arg(long)]
    debug: bool,
    /// Print the facts of k6's run instead of comparing
    #[arg(long)]
    show: bool,
}

/// Runs the chore; it fails when a script does.
pub fn run(args: &Args) -> Result<ExitCode> {
    let folder = tool::root().join("compat");
    let scripts = Script::all(&folder.join("scripts"), &args.names)?;
    let known = if args.self_check { KnownDifferences::default() } else { KnownDifferences::read(&folder)? };
    let k6 = tool::k6()?;
    let needs_target = scripts.iter().any(|script| script.source.contains("__ENV.BASE"));
    let target = needs_target.then(Target::start).transpose()?;
    let runner = Runner { target, place: tempfile::tempdir()? };
    if args.show {
        runner.show(&k6, &scripts)?;
        return Ok(ExitCode::SUCCESS);
    }
    let other = if args.self_check { k6.clone() } else { tool::squall(!args.debug)? };
    let failed = runner.compare_all(&scripts, |script| {
        let differences = runner.compare(script, &k6, &other)?;
        Ok(known.judge(&script.name, &differences))
    });
    println!("{} passed, {failed} failed", scripts.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is said of a script: fine, or why not.
pub enum Verdict {
    Pass(&'static str),
    Fail(String),
}

/// The facets in which two runs differ, each with its diff.
type Differences = BTreeMap<String, String>;

struct Runner {
    target: Option<Target>,
    place: tempfile::TempDir,
}

impl Runner {
    /// Judges the scripts, a few at a time, printing a line for each; returns how many failed.
    fn compare_all(&self, scripts: &[Script], judge: impl Fn(&Script) -> Result<Verdict> + Sync) -> usize {
        let (next, failed, out) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(()));
        let work = || {
            while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                let verdict = judge(script).unwrap_or_else(|error| Verdict::Fail(format!("  {error:#}\n")));
                let _one_at_a_time = out.lock();
                match verdict {
                    Verdict::Pass(note) => println!("ok    {}{note}", script.name),
                    Verdict::Fail(why) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                        print!("FAIL  {}\n{why}", script.name);
                    }
                }
            }
        };
        thread::scope(|scope| (0..PARALLEL).for_each(|_| drop(scope.spawn(work))));
        failed.into_inner()
    }

    fn compare(&self, script: &Script, first: &Path, second: &Path) -> Result<Differences> {
        let expected = self.facts(script, first, "expected")?;
        let actual = self.facts(script, second, "actual")?;
        Ok(differences(&expected, &actual))
    }

    fn facts(&self, script: &Script, program: &Path, role: &str) -> Result<Facts> {
        let place: PathBuf = self.place.path().join(&script.name).join(role);
        let observed = run::run(script, program, &place, self.target.as_ref())?;
        Ok(facts::facts(script, &observed))
    }

    fn show(&self, program: &Path, scripts: &[Script]) -> Result<()> {
        for script in scripts {
            println!("== {}", script.name);
            for (facet, lines) in self.facts(script, program, "shown")? {
                println!("-- {facet}\n{}", lines.join("\n"));
            }
        }
        Ok(())
    }
}

fn differences(expected: &Facts, actual: &Facts) -> Differences {
    let differing = expected.iter().filter(|(facet, lines)| actual[*facet] != **lines);
    differing.map(|(facet, lines)| (facet.clone(), diff(lines, &actual[facet]))).collect()
}

/// The changed lines only, as many as one can read: `-` is what k6 says, `+` what the other says.
fn diff(expected: &[String], actual: &[String]) -> String {
    let (expected, actual) = (lines(expected), lines(actual));
    let diff = TextDiff::from_lines(&expected, &actual);
    let changed = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal);
    let mut text: Vec<String> =
        changed.map(|change| format!("    {}{}", change.tag(), change.value())).collect();
    let more = text.len().saturating_sub(DIFF_LINES_MAX);
    if more > 0 {
        text.truncate(DIFF_LINES_MAX);
        text.push(format!("    … and {more} more\n"));
    }
    text.concat()
}

fn lines(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}
