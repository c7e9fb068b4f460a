//! From positions in the code that runs to positions in the file as it was written.
//!
//! Code differs from its source by splices (an import rewritten, a wrapper put around) and, for TypeScript, by
//! having been printed anew. Splices never change the number of lines.
//!
//! Engines count columns in bytes, source maps in UTF-16 units, editors in characters. Here columns of code are
//! bytes and columns of source are characters; both count from 1.

use std::sync::OnceLock;

/// A replacement of part of a text.
#[derive(Debug)]
pub(crate) struct Edit {
    /// First byte replaced.
    pub(crate) start: usize,
    /// First byte kept.
    pub(crate) end: usize,
    /// A single line.
    pub(crate) replacement: String,
}

/// An edit as seen from the result, within one line.
#[derive(Debug, PartialEq, Eq)]
struct Splice {
    line: u32,
    /// Zero-based byte column in the result.
    column: usize,
    inserted_bytes: usize,
    removed_bytes: usize,
}

/// A printed position and the source's it came from; zero-based, columns in UTF-16 units, as in a source map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) source_line: u32,
    pub(crate) source_column: u32,
}

/// How emitted code relates to its source.
#[derive(Debug, Default)]
pub(crate) struct Mapping {
    splices: Vec<Splice>,
    /// In order of the printed position; empty when the source was not printed anew.
    tokens: Vec<Token>,
    code_lines: LineStarts,
    source_lines: LineStarts,
}

impl Mapping {
    /// The mapping of a text that was printed with these tokens, or read as it is.
    pub(crate) fn new(tokens: Vec<Token>) -> Self {
        Self { tokens, ..Self::default() }
    }

    /// Applies edits, in order and without overlap, to `text` and remembers them.
    /// The newlines of what is removed are kept.
    pub(crate) fn splice(&mut self, text: &str, edits: &[Edit]) -> String {
        let added: usize = edits.iter().map(|edit| edit.replacement.len()).sum();
        let mut result = String::with_capacity(text.len() + added);
        let (mut line, mut line_start, mut kept) = (1, 0, 0);
        for edit in edits {
            for (newline, _) in text[kept..edit.start].match_indices('\n') {
                line += 1;
                line_start = result.len() + newline + 1;
            }
            result.push_str(&text[kept..edit.start]);
            let mut removed = text[edit.start..edit.end].split('\n');
            self.splices.push(Splice {
                line,
                column: result.len() - line_start,
                inserted_bytes: edit.replacement.len(),
                removed_bytes: removed.next().unwrap_or_default().len(),
            });
            result.push_str(&edit.replacement);
            for rest in removed {
                result.push('\n');
                line += 1;
                line_start = result.len();
                let removed_bytes = rest.len();
                self.splices.push(Splice { line, column: 0, inserted_bytes: 0, removed_bytes });
            }
            kept = edit.end;
        }
        result.push_str(&text[kept..]);
        result
    }

    /// The source position of a position in the emitted code.
    pub(crate) fn original(&self, code: &str, source: &str, line: u32, column: u32) -> (u32, u32) {
        let (line, column) = (line.max(1), (column as usize).saturating_sub(1));
        let unspliced = self.unsplice(line, column);
        if self.tokens.is_empty() {
            let text = self.source_line(source, line).unwrap_or_default();
            return (line, one_based(prefix(text, unspliced).chars().count()));
        }
        let text = self.code_lines.line(code, line).unwrap_or_default();
        let before = prefix(text, column);
        let utf16 = unspliced.saturating_sub(before.len() - before.encode_utf16().count());
        self.printed_from(source, line, utf16)
    }

    /// The source position of a byte offset in the text before splicing.
    pub(crate) fn offset_to_source(&self, text: &str, source: &str, offset: usize) -> (u32, u32) {
        let before = prefix(text, offset);
        let line = one_based(before.matches('\n').count());
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let in_line = &before[start..];
        if self.tokens.is_empty() {
            return (line, one_based(in_line.chars().count()));
        }
        self.printed_from(source, line, in_line.encode_utf16().count())
    }

    /// A line of the source, counting from 1, without its end.
    pub(crate) fn source_line<'t>(&self, source: &'t str, line: u32) -> Option<&'t str> {
        self.source_lines.line(source, line)
    }

    fn unsplice(&self, line: u32, column: usize) -> usize {
        let first = self.splices.partition_point(|splice| splice.line < line);
        let mut result = column;
        for splice in self.splices[first..].iter().take_while(|splice| splice.line == line) {
            if column < splice.column {
                break;
            }
            // A position inside what was inserted belongs to where it was inserted.
            let inside = (column - splice.column).min(splice.inserted_bytes);
            result = result - inside + if inside == splice.inserted_bytes { splice.removed_bytes } else { 0 };
        }
        result
    }

    fn printed_from(&self, source: &str, line: u32, utf16_column: usize) -> (u32, u32) {
        let wanted = (line - 1, u32::try_from(utf16_column).unwrap_or(u32::MAX));
        let next = self.tokens.partition_point(|token| (token.line, token.column) <= wanted);
        let Some(token) = self.tokens.get(next.saturating_sub(1)) else { return (line, 1) };
        let source_line = token.source_line + 1;
        let text = self.source_line(source, source_line).unwrap_or_default();
        (source_line, one_based(characters_before_utf16(text, token.source_column as usize)))
    }
}

/// Where the lines of a text begin, found when first asked for: most modules never are.
#[derive(Debug, Default)]
struct LineStarts(OnceLock<Vec<usize>>);

impl LineStarts {
    fn line<'t>(&self, text: &'t str, line: u32) -> Option<&'t str> {
        let starts = self.0.get_or_init(|| {
            std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect()
        });
        let index = (line as usize).checked_sub(1)?;
        let start = *starts.get(index)?;
        let end = starts.get(index + 1).map_or(text.len(), |next| next - 1);
        Some(text[start..end].trim_end_matches('\r'))
    }
}

/// At most `bytes` of a text, cut back to a character.
fn prefix(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn characters_before_utf16(text: &str, utf16: usize) -> usize {
    let mut units = 0;
    text.chars()
        .take_while(|character| {
            units += character.len_utf16();
            units <= utf16
        })
        .count()
}

fn one_based(index: usize) -> u32 {
    u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1))
}
