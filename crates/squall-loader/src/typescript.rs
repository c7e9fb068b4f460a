//! Turns TypeScript into JavaScript: types stripped, enums, namespaces, parameter properties and decorators emitted.
//! Types are not checked.

use std::path::Path;

use oxc::allocator::Allocator;
use oxc::ast::ast::{JSXElement, JSXFragment, Program};
use oxc::ast_visit::Visit;
use oxc::codegen::{Codegen, CodegenOptions};
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::{SourceType, Span};
use oxc::transformer::{
    DecoratorOptions, EnvOptions, HelperLoaderMode, HelperLoaderOptions, JsxOptions, Module,
    TransformOptions, Transformer,
};

use crate::parse::ParseError;
use crate::position::Token;

/// The module that emitted decorators import their helpers from: `squall:decorators/helpers/decorate`.
pub(crate) const HELPER_MODULE: &str = "squall:decorators";

/// JavaScript, and which of its positions come from which of the source's.
pub(crate) struct Stripped {
    pub(crate) code: String,
    pub(crate) tokens: Vec<Token>,
}

/// Whether a file name's extension says TypeScript.
pub(crate) fn is_typescript(name: &str) -> bool {
    [".ts", ".mts", ".cts", ".tsx"].iter().any(|extension| name.ends_with(extension))
}

/// Strips `source`, named `name`.
pub(crate) fn strip(source: &str, name: &str) -> Result<Stripped, ParseError> {
    let allocator = Allocator::default();
    let kind = if name.ends_with(".tsx") { SourceType::tsx() } else { SourceType::ts() };
    let parsed = Parser::new(&allocator, source, kind).parse();
    if let Some(error) = ParseError::first(parsed.diagnostics.iter()) {
        return Err(error);
    }
    let mut program = parsed.program;
    reject_jsx(&program)?;

    let scoping = SemanticBuilder::new().with_enum_eval(true).build(&program).semantic.into_scoping();
    let transformed =
        Transformer::new(&allocator, Path::new(name), &options()).build_with_scoping(scoping, &mut program);
    if let Some(error) = ParseError::first(transformed.diagnostics.iter()) {
        return Err(error);
    }
    let codegen = CodegenOptions { source_map_path: Some(name.into()), ..CodegenOptions::default() };
    let printed = Codegen::new().with_options(codegen).with_source_text(source).build(&program);
    let tokens = printed.map.iter().flat_map(|map| map.get_tokens()).map(token).collect();
    Ok(Stripped { code: printed.code, tokens })
}

/// Only types and decorators are rewritten: the engine knows everything else.
fn options() -> TransformOptions {
    TransformOptions {
        decorator: DecoratorOptions { legacy: true, ..DecoratorOptions::default() },
        jsx: JsxOptions::disable(),
        // `import x = require("y")` and `export = x` become their CommonJS meaning; `import` and `export` stay.
        env: EnvOptions { module: Module::CommonJS, ..EnvOptions::default() },
        helper_loader: HelperLoaderOptions {
            mode: HelperLoaderMode::Runtime,
            module_name: HELPER_MODULE.into(),
        },
        ..TransformOptions::default()
    }
}

fn token(token: oxc_sourcemap::Token) -> Token {
    Token {
        line: token.get_dst_line(),
        column: token.get_dst_col(),
        source_line: token.get_src_line(),
        source_column: token.get_src_col(),
    }
}

fn reject_jsx(program: &Program<'_>) -> Result<(), ParseError> {
    let mut finder = FirstJsx(None);
    finder.visit_program(program);
    finder.0.map_or(Ok(()), |span| {
        Err(ParseError {
            offset: span.start,
            message: "JSX is not supported: a script has nothing to render".into(),
        })
    })
}

struct FirstJsx(Option<Span>);

impl<'a> Visit<'a> for FirstJsx {
    fn visit_jsx_element(&mut self, element: &JSXElement<'a>) {
        self.0.get_or_insert(element.span);
    }

    fn visit_jsx_fragment(&mut self, fragment: &JSXFragment<'a>) {
        self.0.get_or_insert(fragment.span);
    }
}

/// The source of a helper that emitted decorators import, by its specifier.
///
/// They follow the contract of TypeScript's legacy decorators: the last decorator runs first, and each may
/// replace what it decorates.
pub(crate) fn helper(specifier: &str) -> Option<&'static str> {
    match specifier.strip_prefix(HELPER_MODULE)? {
        "/helpers/decorate" => Some(DECORATE),
        "/helpers/decorateParam" => Some(DECORATE_PARAM),
        _ => None,
    }
}

const DECORATE: &str = r"export default function (decorators, target, key, descriptor) {
  const isMember = arguments.length > 2;
  const lookUp = isMember && descriptor === null;
  let result = !isMember ? target : lookUp ? Object.getOwnPropertyDescriptor(target, key) : descriptor;
  for (const decorator of [...decorators].reverse()) {
    const replaced = isMember ? decorator(target, key, result) : decorator(result);
    if (replaced) result = replaced;
  }
  if (isMember && result) Object.defineProperty(target, key, result);
  return result;
}
";

const DECORATE_PARAM: &str = r"export default function (index, decorator) {
  return (target, key) => decorator(target, key, index);
}
";
