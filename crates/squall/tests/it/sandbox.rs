//! A directory of its own and an empty environment to run the program in.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Nothing here takes a tenth of this; a program that does hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place to run the program in.
pub(crate) struct Sandbox {
    directory: Arc<TempDir>,
    env: Vec<(&'static str, String)>,
}

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Sandbox { directory: Arc::new(directory), env: Vec::new() }
    }

    /// A sandbox with a script called `script.js`.
    pub(crate) fn with_script(text: &str) -> Sandbox {
        Sandbox::new().file("script.js", text)
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Sandbox {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("below the sandbox")).expect("a directory");
        fs::write(path, content).expect("a file");
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Sandbox {
        self.env.push((name, value.into()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a readable file")
    }

    /// Runs `squall run script.js` with more arguments to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.start(arguments).finish()
    }

    /// Starts `squall run script.js` with more arguments.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(&[&["run", "script.js"], arguments].concat())
    }

    /// Starts `squall` with these arguments.
    pub(crate) fn start_with(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
        command.args(arguments);
        self.spawn(command)
    }

    /// Runs a line of the shell, in which `squall` is the program.
    pub(crate) fn shell(&self, line: &str) -> Output {
        let mut command = Command::new("/bin/sh");
        let program = env!("CARGO_BIN_EXE_squall");
        command.args(["-c", &format!("squall() {{ \"{program}\" \"$@\"; }}\n{line}")]);
        self.spawn(command).finish()
    }

    fn spawn(&self, mut command: Command) -> Running {
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.directory.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let (sender, lines) = mpsc::channel();
        forward(child.stdout.take().expect("it is piped"), Line::Stdout, sender.clone());
        forward(child.stderr.take().expect("it is piped"), Line::Stderr, sender);
        let (stdout, stderr, directory) = (String::new(), String::new(), Arc::clone(&self.directory));
        Running { child, lines, stdout, stderr, _directory: directory }
    }
}

/// Runs a script with arguments and checks how it ends and what it says on standard error.
#[track_caller]
pub(crate) fn check(script: &str, arguments: &[&str], exit_code: i32, message: &str) -> Output {
    let output = Sandbox::with_script(script).run(arguments);
    output.check(exit_code, message);
    output
}

enum Line {
    Stdout(String),
    Stderr(String),
}

fn forward(stream: impl Read + Send + 'static, line: fn(String) -> Line, lines: Sender<Line>) {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut bytes = Vec::new();
        while stream.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if lines.send(line(text)).is_err() {
                return;
            }
            bytes.clear();
        }
    });
}

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<Line>,
    stdout: String,
    stderr: String,
    /// It may outlive its sandbox.
    _directory: Arc<TempDir>,
}

impl Running {
    /// Reads until a line of standard error has this text.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.stderr.lines().last().is_some_and(|line| line.contains(text)) {
            assert!(self.read_line(), "it ended without {text:?}: {}", self.stderr);
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it is our child");
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Output {
        while self.read_line() {}
        let status = self.child.wait().expect("it is our child");
        let output = Output { status, stdout: self.stdout, stderr: self.stderr };
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
        output
    }

    /// Keeps the next line of either stream; false at the end of both.
    #[track_caller]
    fn read_line(&mut self) -> bool {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(Line::Stdout(line)) => self.stdout.push_str(&line),
            Ok(Line::Stderr(line)) => self.stderr.push_str(&line),
            Err(mpsc::RecvTimeoutError::Disconnected) => return false,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = self.child.kill();
                panic!("it hangs after: {}", self.stderr);
            }
        }
        true
    }
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    #[track_caller]
    pub(crate) fn check(&self, exit_code: i32, message: &str) {
        assert_eq!(self.status.code(), Some(exit_code), "{}", self.stderr);
        assert!(self.stderr.contains(message), "no {message:?} in {}", self.stderr);
    }

    /// Whether the summary counts so many iterations.
    #[track_caller]
    pub(crate) fn check_iterations(&self, count: usize) {
        let found = self.stdout.lines().find_map(|line| line.trim().strip_prefix("iterations."));
        let counted = found.and_then(|line| line.split_whitespace().nth(1));
        assert_eq!(counted, Some(count.to_string().as_str()), "{}\n{}", self.stdout, self.stderr);
    }
}
