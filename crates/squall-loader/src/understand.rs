//! From a module's text to its meaning: the language told by the name, types stripped, syntax analysed.

use serde_json::value::RawValue;

use crate::error::LoadError;
use crate::graph::ModuleKind;
use crate::parse::{Analysis, ParseError, Request, VisibleExports, analyse};
use crate::position::Mapping;
use crate::resolve::Location;
use crate::trace::frame;
use crate::typescript::{is_typescript, strip};

/// A module's text, understood.
pub(crate) struct Understood {
    pub(crate) kind: ModuleKind,
    /// JavaScript, JSON or nothing.
    pub(crate) text: String,
    pub(crate) uses_require: bool,
    pub(crate) reads_options: bool,
    pub(crate) requests: Vec<Request>,
    pub(crate) exports: VisibleExports,
    pub(crate) mapping: Mapping,
}

impl Understood {
    /// Reads `source` as what its location says it is, or as what it parses as.
    pub(crate) fn new(location: &Location, source: &str) -> Result<Self, LoadError> {
        let parsed = match location {
            Location::Host(name) => Ok(Self::opaque(ModuleKind::Host(name.clone()), "")),
            _ if location.file_name().ends_with(".json") => Self::json(source),
            _ if is_typescript(location.file_name()) => Self::typescript(source, location.file_name()),
            Location::Stdin(_) => Self::javascript(source).or_else(|_| Self::typescript(source, "-.ts")),
            _ => Self::javascript(source),
        };
        parsed.map_err(|misread| misread.of(location, source))
    }

    fn opaque(kind: ModuleKind, text: &str) -> Self {
        let (requests, exports) = (Vec::new(), VisibleExports::default());
        Self {
            kind,
            text: text.to_owned(),
            uses_require: false,
            reads_options: false,
            requests,
            exports,
            mapping: Mapping::default(),
        }
    }

    fn json(source: &str) -> Result<Self, Misread> {
        match serde_json::from_str::<&RawValue>(source) {
            Ok(_) => Ok(Self::opaque(ModuleKind::Json, source)),
            Err(error) => Err(Misread {
                line: u32::try_from(error.line()).unwrap_or(u32::MAX).max(1),
                column: u32::try_from(error.column()).unwrap_or(u32::MAX).max(1),
                message: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
            }),
        }
    }

    fn javascript(source: &str) -> Result<Self, Misread> {
        let mapping = Mapping::default();
        let analysis = analyse(source).map_err(|error| Misread::new(error, &mapping, source, source))?;
        Ok(Self::analysed(analysis, source.to_owned(), mapping))
    }

    fn typescript(source: &str, name: &str) -> Result<Self, Misread> {
        let stripped =
            strip(source, name).map_err(|error| Misread::new(error, &Mapping::default(), source, source))?;
        let mapping = Mapping::new(stripped.tokens);
        let analysis =
            analyse(&stripped.code).map_err(|error| Misread::new(error, &mapping, &stripped.code, source))?;
        Ok(Self::analysed(analysis, stripped.code, mapping))
    }

    fn analysed(analysis: Analysis, text: String, mapping: Mapping) -> Self {
        let Analysis { is_module, uses_require, reads_options, requests, exports } = analysis;
        let kind = if is_module { ModuleKind::Es } else { ModuleKind::CommonJs };
        Self { kind, text, uses_require, reads_options, requests, exports, mapping }
    }
}

/// A syntax error at a place in the source.
struct Misread {
    line: u32,
    column: u32,
    message: String,
}

impl Misread {
    /// An error in `text`, which comes from `source` by `mapping`.
    fn new(error: ParseError, mapping: &Mapping, text: &str, source: &str) -> Self {
        let (line, column) = mapping.offset_to_source(text, source, error.offset as usize);
        Self { line, column, message: error.message }
    }

    fn of(self, location: &Location, source: &str) -> LoadError {
        let Self { line, column, message } = self;
        let lines = Mapping::default();
        let text = lines.source_line(source, line).unwrap_or_default();
        LoadError::Syntax {
            file: location.specifier(),
            line,
            column,
            message,
            frame: frame(text, line, column),
        }
    }
}
