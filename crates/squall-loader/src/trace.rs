//! Stack traces and code frames in terms of what the user wrote.

use crate::authored::AuthoredPosition;
use crate::graph::ModuleGraph;

/// How much of a long line a frame shows: minified files have lines of a megabyte.
const FRAME_WIDTH: usize = 120;

/// Rewrites every `file:line:column` of a QuickJS stack trace to the position in the source.
/// Frames of files that are not in the graph stay as they are.
pub fn rewrite_stack(graph: &ModuleGraph, stack: &str) -> String {
    stack
        .split_inclusive('\n')
        .map(|frame| rewrite_frame(graph, frame).unwrap_or_else(|| frame.to_owned()))
        .collect()
}

/// The source line of a position (in the source, from 1) with a caret under the column; empty when there is no such line.
/// `file` is a module's canonical name, or one that [`rewrite_stack`] took from a source map.
pub fn code_frame(graph: &ModuleGraph, file: &str, line: u32, column: u32) -> String {
    let text = match graph.find(file) {
        Some(id) => graph.module(id).source_line(line),
        None => {
            let mut maps = graph.modules.iter().filter_map(|module| module.authored.get()?.as_ref());
            maps.find_map(|map| map.line(file, line))
        }
    };
    text.map(|text| frame(text, line, column)).unwrap_or_default()
}

/// `    at name (file:line:column)` or `    at file:line:column`.
fn rewrite_frame(graph: &ModuleGraph, frame: &str) -> Option<String> {
    let body = frame.trim_end().trim_end_matches(')');
    let tail = &frame[body.len()..];
    let (rest, column) = body.rsplit_once(':')?;
    let (rest, line) = rest.rsplit_once(':')?;
    let (line, column) = (line.parse().ok()?, column.parse().ok()?);
    // A specifier has no space but may have a parenthesis, so every possible beginning is tried.
    let starts = std::iter::once(0).chain(rest.match_indices([' ', '(']).map(|(index, _)| index + 1));
    let (start, module) =
        starts.into_iter().find_map(|start| Some((start, graph.module(graph.find(&rest[start..])?))))?;
    let (line, column) = module.original_position(line, engine_column(line, column));
    let before = &rest[..start];
    Some(match module.authored_position(line, column) {
        Some(AuthoredPosition { file, line, column }) => format!("{before}{file}:{line}:{column}{tail}"),
        None => format!("{before}{}:{line}:{column}{tail}", module.specifier),
    })
}

/// On the first line QuickJS counts columns from 0, and gives 1 for both 0 and 1.
fn engine_column(line: u32, column: u32) -> u32 {
    if line == 1 && column > 1 { column.saturating_add(1) } else { column }
}

/// A source line with its number and a caret under `column` (characters, from 1).
pub(crate) fn frame(text: &str, line: u32, column: u32) -> String {
    let characters: Vec<char> = text.chars().map(printable).collect();
    let caret = (column.saturating_sub(1) as usize).min(characters.len());
    let start = if characters.len() <= FRAME_WIDTH { 0 } else { caret.saturating_sub(FRAME_WIDTH / 2) };
    let shown = || characters.iter().skip(start).take(FRAME_WIDTH);
    let line_text: String = shown().collect();
    // Tabs stay tabs, so that the caret stands where the character does.
    let padding: String =
        shown().take(caret - start).map(|&character| if character == '\t' { '\t' } else { ' ' }).collect();
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    format!("{number} | {line_text}\n{gutter} | {padding}^")
}

/// A terminal must not obey what a broken file contains.
fn printable(character: char) -> char {
    if character.is_control() && character != '\t' { '\u{fffd}' } else { character }
}
