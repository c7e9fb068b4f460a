//! `squall suite list`: which suites there are, or what one consists of.

use std::fmt::Write;

use squall_suite::Manifest;

use super::load::{self, Suite};
use crate::{args::SuiteListArgs, error::Result, exit_code::ExitCode, process::Process};

/// Prints them.
pub(super) fn execute(args: &SuiteListArgs, process: &Process) -> Result<ExitCode> {
    let text = match &args.suite {
        Some(argument) => describe(&Suite::load(argument, process)?.manifest),
        None => all(process)?,
    };
    process.console.print(&text);
    Ok(ExitCode::Success)
}

fn all(process: &Process) -> Result<String> {
    let mut rows = Vec::new();
    for name in load::names(process) {
        let title = Suite::load(&name, process)?.manifest.title;
        rows.push((name, title));
    }
    match rows.is_empty() {
        true => Ok("There are no suites here: a suite is a file suites/NAME/suite.toml.\n".into()),
        false => Ok(table(&rows)),
    }
}

fn describe(manifest: &Manifest) -> String {
    let tests = manifest.tests.iter().map(|test| {
        let kind = test.kind.as_ref().map(|kind| format!("[{kind}]"));
        let needs = (!test.needs.is_empty()).then(|| format!("(after {})", test.needs.join(", ")));
        let about = Some(test.about.clone()).filter(|about| !about.is_empty());
        let words: Vec<String> = [about, kind, needs].into_iter().flatten().collect();
        (test.name.clone(), words.join(" "))
    });
    let sets = manifest.sets.iter().map(|set| {
        let env = set.env.iter().map(|(name, value)| format!(" {name}={value}"));
        let about = Some(format!("{}: ", set.about)).filter(|_| !set.about.is_empty()).unwrap_or_default();
        (set.name.clone(), format!("{about}{}{}", set.tests.join(", "), env.collect::<String>()))
    });
    let (tests, sets): (Vec<_>, Vec<_>) = (tests.collect(), sets.collect());
    let mut text = format!("{}\n\nTests:\n{}", manifest.title, table(&tests));
    if !sets.is_empty() {
        // Writing into a string cannot fail.
        let _ = write!(text, "\nSets:\n{}", table(&sets));
    }
    text
}

fn table(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter()
        .map(|(name, about)| format!("  {name:<width$}  {about}").trim_end().to_owned() + "\n")
        .collect()
}
