//! The one error of this crate: where in the options, what was found, what is expected.

use std::fmt;

/// An option that cannot be used. Shows as `options.stages[1].target: expected an integer, found "x"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionsError {
    /// Where: `options.stages[1].target`, `K6_VUS`, or empty when the problem is not one key's.
    pub path: String,
    /// What is wrong, as a clause.
    pub message: String,
}

impl OptionsError {
    /// An error about the value at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> OptionsError {
        OptionsError { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.message),
            false => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

impl std::error::Error for OptionsError {}
