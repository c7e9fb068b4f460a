//! Why a script could not be loaded, said so that its author knows where to look and what to do.

use std::fmt;

use thiserror::Error;

/// Where an import is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Importer {
    /// The importing module's canonical name.
    pub file: String,
    /// Line of the specifier, from 1.
    pub line: u32,
    /// Column of the specifier, from 1.
    pub column: u32,
    /// The source line with a caret under the specifier.
    pub frame: String,
}

impl fmt::Display for Importer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}\n{}", self.file, self.line, self.column, self.frame)
    }
}

/// A module that could not be loaded.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LoadError {
    /// A specifier leads nowhere, or the file or URL it leads to cannot be read.
    #[error("cannot load module {specifier:?}: {reason}{}{}", at(importer), hinted(hint))]
    Module {
        /// The specifier as written, or the entry's path.
        specifier: String,
        /// Who imports it; `None` for the entry and for specifiers computed at run time.
        importer: Option<Box<Importer>>,
        /// What went wrong.
        reason: String,
        /// What to do about it, when there is something to suggest.
        hint: Option<String>,
    },
    /// A file is not valid JavaScript, TypeScript or JSON.
    #[error("SyntaxError: {message}\n    at {file}:{line}:{column}\n{frame}")]
    Syntax {
        /// The file's canonical name.
        file: String,
        /// Line, from 1.
        line: u32,
        /// Column, from 1.
        column: u32,
        /// What the parser says.
        message: String,
        /// The source line with a caret under the column.
        frame: String,
    },
}

fn at(importer: &Option<Box<Importer>>) -> String {
    importer.as_ref().map(|importer| format!("\n    at {importer}")).unwrap_or_default()
}

fn hinted(hint: &Option<String>) -> String {
    hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default()
}
