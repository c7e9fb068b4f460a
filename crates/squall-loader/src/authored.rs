//! The source map that a bundle brings along: where its author wrote what the bundle holds.
//!
//! Read only when an error is shown; one that cannot be read is a warning, as in k6.

use std::fs;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use oxc_sourcemap::SourceMap;
use tracing::warn;

use crate::resolve::Location;

/// A position in a file that a source map names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthoredPosition {
    /// As the map has it: `webpack:///src/main.ts`.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// A source map, read.
#[derive(Debug)]
pub(crate) struct Authored(SourceMap<'static>);

impl Authored {
    /// The map that `source`, read from `location`, names in its last `sourceMappingURL` comment.
    /// A remote module's is left alone: an error message is no reason to use the network.
    pub(crate) fn read(location: &Location, source: &str) -> Option<Self> {
        let url = map_url(source)?;
        let map = match url.strip_prefix("data:") {
            Some(data) => inline(data),
            None => fs::read_to_string(location.beside(url)?).map_err(|error| error.to_string()),
        };
        let parsed = map.and_then(|map| {
            SourceMap::from_json_string(&map).map(SourceMap::into_owned).map_err(|error| error.to_string())
        });
        parsed
            .map(Self)
            .inspect_err(|error| warn!("cannot read the source map of {}: {error}", location.specifier()))
            .ok()
    }

    /// What a position in the bundle comes from; zero-based, in UTF-16 units.
    pub(crate) fn position(&self, line: u32, column: u32) -> Option<AuthoredPosition> {
        let table = self.0.generate_lookup_table();
        let token = self.0.lookup_source_view_token(&table, line, column)?;
        Some(AuthoredPosition {
            file: self.full_name(token.get_source()?),
            line: token.get_src_line().saturating_add(1),
            column: token.get_src_col().saturating_add(1),
        })
    }

    /// A line, from 1, of a file that the map holds the text of.
    pub(crate) fn line(&self, file: &str, line: u32) -> Option<&str> {
        let mut files = self.0.get_sources().zip(self.0.get_source_contents());
        let (_, text) = files.find(|(name, _)| self.full_name(name) == file)?;
        text?.lines().nth((line as usize).checked_sub(1)?)
    }

    fn full_name(&self, source: &str) -> String {
        match self.0.get_source_root().unwrap_or_default() {
            "" => source.to_owned(),
            root if root.ends_with('/') => format!("{root}{source}"),
            root => format!("{root}/{source}"),
        }
    }
}

fn map_url(source: &str) -> Option<&str> {
    let marker = "# sourceMappingURL=";
    let start = source.rfind(marker)?;
    let comment = source[..start].ends_with("//");
    comment.then(|| source[start + marker.len()..].split_whitespace().next()).flatten()
}

/// The text of a `data:` URL without its scheme.
fn inline(data: &str) -> Result<String, String> {
    let (_, encoded) = data.split_once(";base64,").ok_or("a data URL without base64")?;
    let bytes = BASE64_STANDARD.decode(encoded).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}
