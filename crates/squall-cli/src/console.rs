//! Standard output and error, shared by logs, results and the progress block that stays at the bottom of a
//! terminal. A closed stream does not end a run: what is measured still counts.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard},
};

/// One of the standard streams.
pub struct Stream {
    pub writer: Box<dyn Write + Send>,
    /// Asks how large the terminal behind it is; `None` when it is not a terminal.
    pub terminal: Option<fn() -> TerminalSize>,
}

/// Size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    pub columns: usize,
    pub rows: usize,
}

/// Cheap to clone; all clones write to the same streams, a call at a time.
#[derive(Clone)]
pub struct Console {
    shared: Arc<Mutex<Shared>>,
    stdout_terminal: Option<fn() -> TerminalSize>,
    stderr_is_terminal: bool,
}

struct Shared {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    /// Why standard output lost something first.
    stdout_error: Option<io::Error>,
    /// The block at the bottom of the terminal.
    live: String,
}

impl Console {
    pub fn new(stdout: Stream, stderr: Stream) -> Console {
        Console {
            stdout_terminal: stdout.terminal,
            stderr_is_terminal: stderr.terminal.is_some(),
            shared: Arc::new(Mutex::new(Shared {
                stdout: stdout.writer,
                stderr: stderr.writer,
                stdout_error: None,
                live: String::new(),
            })),
        }
    }

    /// Size of the terminal that standard output goes to, if it goes to one.
    pub fn stdout_size(&self) -> Option<TerminalSize> {
        self.stdout_terminal.map(|ask| ask())
    }

    pub fn stdout_is_terminal(&self) -> bool {
        self.stdout_terminal.is_some()
    }

    pub fn stderr_is_terminal(&self) -> bool {
        self.stderr_is_terminal
    }

    /// Writes to standard output, above the live block.
    pub fn print(&self, text: &str) {
        self.print_bytes(text.as_bytes());
    }

    /// As [`Console::print`], for output that need not be text.
    pub fn print_bytes(&self, bytes: &[u8]) {
        self.shared().above_live(|shared| shared.write_stdout(bytes));
    }

    /// Writes to standard error, above the live block.
    pub fn print_error(&self, text: &str) {
        // Nobody is left to tell when this fails.
        self.shared().above_live(|shared| drop(write(&mut shared.stderr, text.as_bytes())));
    }

    /// Replaces the block that stays at the bottom of the terminal; each of its lines ends in a newline and
    /// is no wider than the terminal. An empty block removes it.
    pub fn set_live(&self, block: String) {
        let mut shared = self.shared();
        let frame = redraw(&shared.live, &block);
        shared.write_stdout(frame.as_bytes());
        shared.live = block;
    }

    /// Why not everything that was printed has reached standard output; asked once.
    pub fn take_stdout_error(&self) -> Option<io::Error> {
        self.shared().stdout_error.take()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no panic under this lock")
    }
}

impl Shared {
    fn above_live(&mut self, write_text: impl FnOnce(&mut Shared)) {
        if self.live.is_empty() {
            return write_text(self);
        }
        let live = std::mem::take(&mut self.live);
        self.write_stdout(redraw(&live, "").as_bytes());
        write_text(self);
        self.write_stdout(live.as_bytes());
        self.live = live;
    }

    fn write_stdout(&mut self, bytes: &[u8]) {
        if let Err(error) = write(&mut self.stdout, bytes) {
            self.stdout_error.get_or_insert(error);
        }
    }
}

/// Terminal commands that turn block `old`, just above the cursor, into `new`. Lines are overwritten and only
/// what is left over is erased, so nothing flickers.
fn redraw(old: &str, new: &str) -> String {
    let mut frame = String::new();
    let lines = old.lines().count();
    if lines > 0 {
        frame.push_str(&format!("\x1b[{lines}A\r"));
    }
    for line in new.lines() {
        frame.push_str(line);
        frame.push_str("\x1b[K\n");
    }
    frame.push_str("\x1b[J");
    frame
}

fn write(stream: &mut Box<dyn Write + Send>, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}
