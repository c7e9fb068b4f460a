//! A sealed process for tests: no environment, a directory of its own, streams that end in memory.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio::sync::watch;

use crate::{
    console::{Console, Stream, TerminalSize},
    execute,
    exit_code::ExitCode,
    process::{Interrupts, Process},
    resources::Resources,
};

/// A place to run commands in.
pub(crate) struct Sandbox {
    directory: TempDir,
    env: Vec<(String, String)>,
    stdin: &'static str,
    terminal: bool,
}

/// What a command printed and how it ended.
#[derive(Debug)]
#[must_use = "snapshot it or assert its exit code"]
pub(crate) struct Output {
    pub(crate) exit_code: ExitCode,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Sandbox { directory, env: Vec::new(), stdin: "", terminal: false }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Sandbox {
        self.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn stdin(mut self, text: &'static str) -> Sandbox {
        self.stdin = text;
        self
    }

    /// Both output streams are a terminal of 80 columns.
    pub(crate) fn terminal(mut self) -> Sandbox {
        self.terminal = true;
        self
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Sandbox {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("below the sandbox")).expect("a directory");
        fs::write(path, text).expect("a file");
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a readable file")
    }

    /// The process that a command line would run in, and what it prints.
    pub(crate) fn process(&self, command_line: &str) -> (Process, Captured, Captured) {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let terminal: Option<fn() -> TerminalSize> =
            if self.terminal { Some(|| TerminalSize { columns: 80, rows: 24 }) } else { None };
        let args = ["squall"].into_iter().chain(command_line.split_whitespace());
        let process = Process {
            args: args.map(OsString::from).collect(),
            // Commands that start the program again are tested with the real one.
            executable: PathBuf::from("/nonexistent/squall"),
            env: self.env.iter().cloned().collect(),
            current_dir: self.directory.path().to_owned(),
            stdin: Box::new(self.stdin.as_bytes()),
            console: Console::new(
                Stream { writer: Box::new(stdout.clone()), terminal },
                Stream { writer: Box::new(stderr.clone()), terminal },
            ),
            resources: Resources {
                open_files: u64::MAX,
                free_memory_bytes: None,
                mappings: None,
                mappings_of_vu: 0,
            },
            install_logger: |dispatch| Some(tracing::dispatcher::set_default(&dispatch)),
            trap_signals: || Ok(Interrupts::new(watch::channel(0).1)),
            count_signals: || Ok(Interrupts::new(watch::channel(0).1)),
        };
        (process, stdout, stderr)
    }

    pub(crate) fn run(&self, command_line: &str) -> Output {
        let (process, stdout, stderr) = self.process(command_line);
        let exit_code = execute(process);
        Output { exit_code, stdout: stdout.text(), stderr: self.normalized(&stderr.text()) }
    }

    /// Without what differs between runs: the time and the sandbox's path.
    fn normalized(&self, text: &str) -> String {
        let directory = self.directory.path().display().to_string();
        let lines = text.lines().map(|line| match line.strip_prefix("time=\"") {
            Some(rest) => format!("time=T{}\n", &rest[rest.find('"').map_or(0, |quote| quote + 1)..]),
            None => format!("{line}\n"),
        });
        lines.collect::<String>().replace(&directory, "SANDBOX")
    }
}

/// A stream that keeps what is written.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic under this lock")).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic under this lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
