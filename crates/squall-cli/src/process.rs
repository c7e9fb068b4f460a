//! The one place that touches process state: arguments, environment, standard streams, signals and exit.
//! Everything else is handed a [`Process`], so a test can run a whole command inside itself.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use rustix::process::Signal;
use terminal_size::{Height, Width};
use tokio::{signal::unix::SignalKind, sync::watch};
use tracing::{Dispatch, dispatcher::DefaultGuard};

use crate::{
    console::{Console, Stream, TerminalSize},
    exit_code::ExitCode,
    resources::Resources,
};

/// What a command may take from the process it runs in.
pub struct Process {
    /// Arguments, the program's name first.
    pub args: Vec<OsString>,
    /// The program's own file, for commands that start it again.
    pub executable: PathBuf,
    /// Environment; what is not UTF-8 has been replaced.
    pub env: BTreeMap<String, String>,
    pub current_dir: PathBuf,
    pub stdin: Box<dyn Read + Send>,
    pub console: Console,
    pub resources: Resources,
    /// Makes a logger receive events; the guard, if there is one, ends that.
    pub install_logger: fn(Dispatch) -> Option<DefaultGuard>,
    /// Starts to catch SIGINT and SIGTERM; the second ends the process at once.
    pub trap_signals: fn() -> io::Result<Interrupts>,
    /// Starts to catch SIGINT and SIGTERM, and leaves it to the command what each of them means.
    pub count_signals: fn() -> io::Result<Interrupts>,
}

impl Process {
    /// The real one.
    pub fn current() -> Process {
        // A dumb terminal can neither move its cursor nor show colours: as in k6, it gets what a file gets.
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let size_on = |is_terminal: bool| -> Option<fn() -> TerminalSize> {
            (is_terminal && !is_dumb).then_some(terminal_size_now)
        };
        Process {
            args: std::env::args_os().collect(),
            executable: std::env::current_exe().unwrap_or_else(|_| PathBuf::from(crate::PROGRAM)),
            env: std::env::vars_os()
                .map(|(name, value)| {
                    (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
                })
                .collect(),
            current_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            stdin: Box::new(io::stdin()),
            console: Console::new(
                Stream { terminal: size_on(io::stdout().is_terminal()), writer: Box::new(io::stdout()) },
                Stream { terminal: size_on(io::stderr().is_terminal()), writer: Box::new(io::stderr()) },
            ),
            resources: Resources::claim(),
            install_logger: install_global_logger,
            trap_signals: Interrupts::trap,
            count_signals: || Interrupts::catch(|_| {}),
        }
    }

    /// `path` as seen from the current directory.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.current_dir.join(path)
    }

    /// Whether the environment asks for no colours: by `K6_NO_COLOR`, or by `NO_COLOR` whatever its value.
    pub fn env_forbids_color(&self) -> bool {
        self.env("K6_NO_COLOR").is_some() || self.env.contains_key("NO_COLOR")
    }

    /// Value of an environment variable, when it is set and not empty.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Size of the terminal, or the traditional one when it does not say.
fn terminal_size_now() -> TerminalSize {
    match terminal_size::terminal_size() {
        Some((Width(columns), Height(rows))) if columns > 0 && rows > 0 => {
            TerminalSize { columns: columns.into(), rows: rows.into() }
        }
        _ => TerminalSize { columns: 80, rows: 24 },
    }
}

/// The real process has one logger, seen by every thread.
fn install_global_logger(dispatch: Dispatch) -> Option<DefaultGuard> {
    // The second attempt of a process keeps the first logger: only tests try twice.
    let _ = tracing::dispatcher::set_global_default(dispatch);
    None
}

/// Counts the signals that ask the run to end.
#[derive(Clone)]
pub struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Interrupts that `count` drives.
    pub fn new(count: watch::Receiver<u32>) -> Interrupts {
        Interrupts(count)
    }

    /// Catches SIGINT and SIGTERM on a thread of its own: the second of them ends the process at once,
    /// even when the run no longer listens.
    fn trap() -> io::Result<Interrupts> {
        Interrupts::catch(|count| {
            if count == 2 {
                std::process::exit(ExitCode::Interrupted as i32);
            }
        })
    }

    /// Catches SIGINT and SIGTERM on a thread of its own, which tells `on_signal` the how manieth it is.
    fn catch(on_signal: impl Fn(u32) + Send + 'static) -> io::Result<Interrupts> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let guard = runtime.enter();
        let mut interrupt = tokio::signal::unix::signal(SignalKind::interrupt())?;
        let mut terminate = tokio::signal::unix::signal(SignalKind::terminate())?;
        // A file at its size limit (ulimit -f) is an error of whoever writes it, not the end of the process.
        drop(tokio::signal::unix::signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
        drop(guard);
        let (sender, receiver) = watch::channel(0);
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    sender.send_modify(|count| *count += 1);
                    on_signal(*sender.borrow());
                }
            })
        })?;
        Ok(Interrupts(receiver))
    }

    /// Whether a signal has come.
    pub fn have_come(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Ready once the first signal has come.
    pub async fn first(&mut self) {
        self.beyond(0).await;
    }

    /// Ready once more than `count` signals have come; says how many.
    pub async fn beyond(&mut self, count: u32) -> u32 {
        match self.0.wait_for(|&now| now > count).await {
            Ok(now) => *now,
            // Nobody can send any more: wait for ever.
            Err(_) => std::future::pending().await,
        }
    }
}
