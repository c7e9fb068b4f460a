//! From positions in the code that runs to positions in the file as it was written.

/// How emitted code relates to its source.
#[derive(Debug, Default)]
pub(crate) struct Mapping;

impl Mapping {
    /// The source position of a position in the emitted code; both count from 1.
    pub(crate) fn original(&self, line: u32, column: u32) -> (u32, u32) {
        (line, column)
    }
}
