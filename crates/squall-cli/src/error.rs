//! What a command reports when it fails: a message, what to do about it, and the exit code.

use std::fmt;

use crate::exit_code::ExitCode;

/// A failure that ends the command. The exit code is its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub exit_code: ExitCode,
    /// What happened, and where.
    pub message: String,
    /// What the user can do next.
    pub hint: Option<String>,
}

/// Result of everything that can end a command.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(exit_code: ExitCode, message: impl Into<String>) -> Error {
        Error { exit_code, message: message.into(), hint: None }
    }

    /// The command line asks for something that does not exist or cannot be done.
    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(ExitCode::Usage, message)
    }

    /// Options or configuration are not valid.
    pub fn config(message: impl Into<String>) -> Error {
        Error::new(ExitCode::InvalidConfig, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Prints it through the log, where users of k6 look for it.
    pub fn log(&self) {
        match &self.hint {
            Some(hint) => tracing::error!(hint, "{}", self.message),
            None => tracing::error!("{}", self.message),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
