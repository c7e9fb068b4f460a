//! The folder of a run's results: one for each test, and the report over all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;
use squall_suite::{Measured, Report, Source};

use crate::error::{Error, Result};

/// What a test's summary is called in its folder.
const SUMMARY: &str = "summary.json";

/// The folder.
pub(super) struct Results {
    folder: PathBuf,
}

/// Where one test's results go.
pub(super) struct TestFolder(PathBuf);

impl Results {
    /// The folder that the user named, which may be there.
    pub(super) fn in_folder(folder: PathBuf) -> Result<Results> {
        fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
        Ok(Results { folder })
    }

    /// A new folder of this name, or with a number at its end while there is one: runs that start in the same second, or at the
    /// same time, each get their own.
    pub(super) fn in_new_folder(parent: &Path, name: &str) -> Result<Results> {
        fs::create_dir_all(parent).map_err(|error| cannot_write(parent, &error))?;
        let numbered = (2..).map(|number: u32| format!("{name}-{number}"));
        for name in std::iter::once(name.to_owned()).chain(numbered) {
            let folder = parent.join(name);
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Results { folder }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(cannot_write(&folder, &error)),
            }
        }
        unreachable!("there are fewer folders than numbers")
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a test's folder. What an earlier run left there does not count any more.
    pub(super) fn of_test(&self, name: &str) -> Result<TestFolder> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
        match fs::remove_file(folder.join(SUMMARY)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot_write(&folder, &error)),
            _ => Ok(TestFolder(folder)),
        }
    }

    /// What a test before this one measured.
    pub(super) fn figure(&self, Source { test, metric, statistic }: &Source) -> Option<f64> {
        let export = TestFolder(self.folder.join(test)).export()?;
        export["metrics"][metric][statistic].as_f64()
    }

    /// Writes what is known so far, for programs and for people.
    pub(super) fn write(&self, report: &Report) -> Result<()> {
        self.replace("suite.json", &format!("{:#}\n", report.to_json()))?;
        self.replace("suite.md", &report.markdown())
    }

    /// In one step, so that a run that is killed leaves the last whole report.
    fn replace(&self, name: &str, text: &str) -> Result<()> {
        let (path, new) = (self.folder.join(name), self.folder.join(format!(".{name}.new")));
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &path))
            .map_err(|error| cannot_write(&path, &error))
    }
}

impl TestFolder {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn summary(&self) -> PathBuf {
        self.0.join(SUMMARY)
    }

    pub(super) fn console_log(&self) -> PathBuf {
        self.0.join("console.log")
    }

    /// What the test measured, if it came so far.
    pub(super) fn measured(&self) -> Option<Measured> {
        Some(Measured::from_export(&self.export()?))
    }

    fn export(&self) -> Option<Value> {
        serde_json::from_str(&fs::read_to_string(self.summary()).ok()?).ok()
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Error {
    Error::usage(format!("cannot keep results in {}: {error}", path.display()))
        .hint("give a folder that can be written to with --output-dir or OUTPUT_DIR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_the_same_second_have_a_folder_each() {
        let parent = tempfile::tempdir().expect("a folder");
        let parent = parent.path().join("results");
        let names = || {
            let results = Results::in_new_folder(&parent, "shop-now").expect("a folder");
            results.folder().file_name().map(|name| name.to_string_lossy().into_owned())
        };
        let mut names: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(names)).collect();
            runs.into_iter().map(|run| run.join().expect("no panic")).collect()
        });
        names.sort();
        assert_eq!(names.iter().flatten().collect::<Vec<_>>(), ["shop-now", "shop-now-2", "shop-now-3"]);
    }
}
