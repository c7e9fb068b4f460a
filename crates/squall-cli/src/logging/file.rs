//! A file that logs go to. When it can take no more, that is told once and the run goes on.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Mutex,
};

use crate::{
    console::Console,
    error::{Error, Result},
};

/// A file that lines are appended to.
pub(super) struct LogFile {
    path: PathBuf,
    /// Nothing after the first line that could not be written.
    file: Mutex<Option<File>>,
    console: Console,
}

impl LogFile {
    /// Opens it as k6 does: appending, readable by its owner only. Its directory must exist.
    pub(super) fn open(path: &Path, console: &Console) -> Result<LogFile> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(|error| Error::usage(cannot_write(path, &error)))?;
        Ok(LogFile { path: path.to_owned(), file: Mutex::new(Some(file)), console: console.clone() })
    }

    pub(super) fn append(&self, line: &str) {
        let mut file = self.file.lock().expect("no panic under this lock");
        let Some(open) = &mut *file else { return };
        if let Err(error) = open.write_all(line.as_bytes()) {
            *file = None;
            self.console
                .print_error(&format!("{}; the rest of the log is lost\n", cannot_write(&self.path, &error)));
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write the log file {}: {error}", path.display())
}
