//! One test as a process of its own: what it prints is shown and kept, and signals reach it.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, set_parent_process_death_signal, waitid,
};
use squall_suite::Verdict;

use crate::{console::Console, exit_code::ExitCode, process::Interrupts};

/// Runs a command to its end. Everything it prints goes to the console and to `log`. The first signal asks it to finish,
/// the second to stop, the third ends it.
pub(super) async fn run(
    mut command: Command,
    log: &Path,
    console: &Console,
    interrupts: &mut Interrupts,
) -> io::Result<ExitStatus> {
    let log = Arc::new(Mutex::new(File::create(log)?));
    // In a group of its own: a terminal sends Ctrl-C to the whole group, and we pass it on. Nobody could stop a test whose
    // suite was killed, so it ends with it.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: between fork and exec this makes one system call and touches no memory.
    unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?)) };
    let mut child = command.spawn()?;
    let readers = [
        child.stdout.take().map(|stream| forward(stream, Arc::clone(&log), console, Console::print_bytes)),
        child.stderr.take().map(|stream| {
            forward(stream, Arc::clone(&log), console, |console, line| {
                console.print_error(&String::from_utf8_lossy(line));
            })
        }),
    ];
    wait(&child, interrupts).await?;
    for reader in readers.into_iter().flatten() {
        // A panic there has been printed; the verdict stands.
        let _ = reader.join();
    }
    child.wait()
}

/// Passes lines on until the stream ends. What cannot be kept or shown does not stop the test.
fn forward(
    stream: impl Read + Send + 'static,
    log: Arc<Mutex<File>>,
    console: &Console,
    print: fn(&Console, &[u8]),
) -> JoinHandle<()> {
    let console = console.clone();
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            print(&console, &line);
            let mut log = log.lock().expect("no panic under this lock");
            let _ = log.write_all(&line);
            line.clear();
        }
    })
}

/// Waits until the process has ended, and leaves it to be reaped: until then its id is no one else's.
async fn wait(child: &Child, interrupts: &mut Interrupts) -> io::Result<()> {
    let pid = Pid::from_child(child);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let mut ended =
        tokio::task::spawn_blocking(move || rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), options)));
    let mut passed_on = 0;
    loop {
        tokio::select! {
            result = &mut ended => {
                result.map_err(io::Error::other)??;
                return Ok(());
            }
            count = interrupts.beyond(passed_on) => {
                while passed_on < count {
                    passed_on += 1;
                    kill_process(pid, if passed_on < 3 { Signal::INT } else { Signal::KILL })?;
                }
            }
        }
    }
}

/// What the end of a process means, and the exit code that it stands for.
pub(super) fn verdict(status: ExitStatus) -> (Verdict, ExitCode) {
    let Some(number) = status.code() else {
        let signal = status.signal().unwrap_or_default();
        return (Verdict::Failed(format!("ended by signal {signal}")), ExitCode::InternalError);
    };
    match ExitCode::from_number(number) {
        Some(ExitCode::Success) => (Verdict::Passed, ExitCode::Success),
        Some(ExitCode::ThresholdsFailed) => (Verdict::ThresholdsFailed, ExitCode::ThresholdsFailed),
        Some(code) => (Verdict::Failed(code.meaning().to_owned()), code),
        None => (Verdict::Failed(format!("exit code {number}")), ExitCode::InternalError),
    }
}
