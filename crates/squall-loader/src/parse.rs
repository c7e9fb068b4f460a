//! Reads one file's syntax: ES module or CommonJS, what it imports and under which names, and, for
//! CommonJS, the exports that can be seen without running it.

mod thisless;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    Argument, AssignmentExpression, CallExpression, ChainElement, ExportAllDeclaration,
    ExportFromDeclaration, Expression, Function, ImportDeclaration, ImportDeclarationSpecifier,
    ImportExpression, MemberExpression, ObjectExpression, ObjectPropertyKind, StaticMemberExpression,
    StringLiteral, TaggedTemplateExpression, ThisExpression, WithClause,
};
use oxc::ast_visit::{Visit, walk};
use oxc::diagnostics::{OxcDiagnostic, Severity};
use oxc::parser::{ParseOptions, Parser};
use oxc::semantic::{ScopeFlags, Scoping, SemanticBuilder, SymbolId};
use oxc::span::{GetSpan, SourceType, Span};
use oxc::syntax::module_record::ModuleRecord;

use self::thisless::thisless_exports;

/// What the loader needs to know of a file's syntax. Offsets are bytes into the parsed text.
#[derive(Debug, Default)]
pub(crate) struct Analysis {
    /// It has `import`, `export` or top-level `await`.
    pub(crate) is_module: bool,
    /// It calls or mentions a `require` that it does not declare.
    pub(crate) uses_require: bool,
    /// A function in it refers to the file's own top-level `options`.
    pub(crate) reads_options: bool,
    /// What it asks for, in order of the text.
    pub(crate) requests: Vec<Request>,
    /// What it visibly exports.
    pub(crate) exports: VisibleExports,
}

/// The exports that a file's text shows: all of an ES module's, some of a CommonJS module's.
#[derive(Debug, Default)]
pub(crate) struct VisibleExports {
    /// An ES module has a default export.
    pub(crate) default: bool,
    /// All but `default`; in CommonJS `exports.x =`, `module.exports = { x }`, `Object.defineProperty(exports, "x")`.
    pub(crate) names: BTreeSet<String>,
    /// Specifiers whose exports are passed on: `export *`, and in CommonJS `module.exports = require("x")`
    /// and `__exportStar(require("x"))`.
    pub(crate) passed_on: Vec<String>,
    /// Names in an ES module of functions that pay no heed to what they are called on: they do not mention `this`.
    pub(crate) thisless: BTreeSet<String>,
    /// `export { name as exported } from "x"` in an ES module: by what is exported, the specifier and the name there.
    pub(crate) passed_by_name: BTreeMap<String, (String, String)>,
}

impl VisibleExports {
    /// Whether an ES module itself exports this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        if name == "default" { self.default } else { self.names.contains(name) }
    }
}

/// One literal specifier.
#[derive(Debug)]
pub(crate) struct Request {
    /// As written.
    pub(crate) specifier: String,
    /// Where it is written.
    pub(crate) offset: u32,
    /// How it is asked for.
    pub(crate) form: Form,
}

/// How a module is asked for.
#[derive(Debug)]
pub(crate) enum Form {
    /// `import … from` or `export … from`: it must be there before anything runs.
    Static(StaticImport),
    /// `require("x")`.
    Require,
    /// `import("x")`.
    Dynamic,
}

/// What a static import takes.
#[derive(Debug, Default)]
pub(crate) struct StaticImport {
    /// Names imported or re-exported.
    pub(crate) names: Vec<String>,
    /// `import local from "x"`.
    pub(crate) default: bool,
    /// `* as local`, to be replaced when the target's keys are known only at run time.
    pub(crate) namespace: Option<Namespace>,
    /// In `export * from "x"`, from after `export` up to the specifier.
    pub(crate) star: Option<Span>,
    /// `with { type: "json" }` and the space before it.
    pub(crate) attributes: Option<Span>,
}

/// A namespace import or re-export.
#[derive(Debug)]
pub(crate) struct Namespace {
    /// From the `*`, or before it, to the end of the name.
    pub(crate) span: Span,
    /// The name as written.
    pub(crate) local: String,
    /// What is taken from it, when it is plain to see that this is all.
    pub(crate) members: Option<Members>,
}

/// The members of a namespace that a module names, in `lib.name` and `lib?.name`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    pub(crate) names: BTreeSet<String>,
    /// Those that are called, so that the namespace is their `this`.
    pub(crate) called: BTreeSet<String>,
    /// How often it is referred to in this way.
    references: usize,
}

/// Why a text does not parse.
#[derive(Debug)]
pub(crate) struct ParseError {
    /// Byte offset into the text.
    pub(crate) offset: u32,
    /// The parser's words.
    pub(crate) message: String,
}

impl ParseError {
    /// The first error among diagnostics.
    pub(crate) fn first<'d>(diagnostics: impl IntoIterator<Item = &'d OxcDiagnostic>) -> Option<Self> {
        let error = diagnostics.into_iter().find(|diagnostic| diagnostic.severity == Severity::Error)?;
        let offset = error.labels.first().map_or(0, |label| label.offset());
        Some(Self { offset, message: error.message.to_string() })
    }
}

/// Reads JavaScript. A file without `import`, `export` and top-level `await` is CommonJS, as in k6, and is read by
/// the rules of sloppy mode (`with`, octal numbers, a `return` outside functions).
pub(crate) fn analyse(text: &str) -> Result<Analysis, ParseError> {
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, text, SourceType::unambiguous()).with_options(options).parse();
    if let Some(error) = ParseError::first(parsed.diagnostics.iter()) {
        return Err(error);
    }
    let scoping = SemanticBuilder::new().build(&parsed.program).semantic.into_scoping();
    let uses_require = scoping.root_unresolved_references().keys().any(|name| name.as_str() == "require");
    let is_module = parsed.program.source_type.is_module();
    let reads_options = functions_read_options(&scoping);
    let analysis = Analysis { is_module, uses_require, reads_options, ..Analysis::default() };
    let mut visitor = Visitor {
        scoping: &scoping,
        analysis,
        namespaces: HashMap::new(),
        members: HashMap::new(),
        functions: Vec::new(),
        with_this: HashSet::new(),
    };
    visitor.visit_program(&parsed.program);
    visitor.settle_namespaces();
    let Visitor { mut analysis, with_this, .. } = visitor;
    if is_module {
        analysis.exports.names = exported_names(&parsed.module_record);
        analysis.exports.default = parsed.module_record.exported_bindings.contains_key("default")
            || parsed.module_record.local_export_entries.iter().any(|entry| entry.export_name.is_default());
        analysis.exports.thisless = thisless_exports(&parsed.program, &scoping, &with_this);
    }
    Ok(analysis)
}

fn functions_read_options(scoping: &Scoping) -> bool {
    let Some(options) = scoping.get_root_binding("options".into()) else { return false };
    let is_in_function =
        |scope| scoping.scope_ancestors(scope).any(|it| scoping.scope_flags(it).is_function());
    scoping.get_resolved_references(options).any(|reference| is_in_function(reference.scope_id()))
}

fn exported_names(record: &ModuleRecord<'_>) -> BTreeSet<String> {
    let names = record.exported_bindings.keys().map(ToString::to_string);
    names.filter(|name| name != "default").collect()
}

struct Visitor<'s> {
    scoping: &'s Scoping,
    analysis: Analysis,
    /// By index of the request: the name that a namespace is imported under.
    namespaces: HashMap<usize, SymbolId>,
    /// By imported name: what is taken from it.
    members: HashMap<SymbolId, Members>,
    /// The functions around, without arrow functions, as these have the `this` of where they stand.
    functions: Vec<Span>,
    /// Functions that mention `this`.
    with_this: HashSet<Span>,
}

impl Visitor<'_> {
    /// Tells of each namespace what is taken from it, unless something else becomes of it.
    fn settle_namespaces(&mut self) {
        for (&index, &symbol) in &self.namespaces {
            let members = self.members.remove(&symbol).unwrap_or_default();
            if let Form::Static(StaticImport { namespace: Some(namespace), .. }) =
                &mut self.analysis.requests[index].form
                && self.scoping.get_resolved_references(symbol).count() == members.references
            {
                namespace.members = Some(members);
            }
        }
    }

    /// What is taken from an imported name, when `object` is one.
    fn members_of(&mut self, object: &Expression<'_>) -> Option<&mut Members> {
        let Expression::Identifier(name) = object.without_parentheses() else { return None };
        let symbol = self.scoping.get_reference(name.reference_id.get()?).symbol_id()?;
        let is_import = self.scoping.symbol_flags(symbol).is_import();
        is_import.then(|| self.members.entry(symbol).or_default())
    }

    /// `lib.name()`, also `(lib?.name)()`.
    fn called(&mut self, callee: &Expression<'_>) {
        let member = match callee.without_parentheses() {
            Expression::StaticMemberExpression(member) => member,
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::StaticMemberExpression(member) => member,
                _ => return,
            },
            _ => return,
        };
        if let Some(members) = self.members_of(&member.object) {
            members.called.insert(member.property.name.to_string());
        }
    }

    fn request(&mut self, literal: &StringLiteral<'_>, form: Form) {
        self.analysis.requests.push(Request {
            specifier: literal.value.to_string(),
            offset: literal.span.start,
            form,
        });
    }

    /// Whether the call is to the host's `require`, not to a parameter of that name as in bundles.
    fn is_host_require(&self, call: &CallExpression<'_>) -> bool {
        let Expression::Identifier(callee) = &call.callee else { return false };
        callee.name == "require"
            && callee
                .reference_id
                .get()
                .is_some_and(|id| self.scoping.get_reference(id).symbol_id().is_none())
    }

    fn exports_object(&mut self, object: &ObjectExpression<'_>) {
        for property in &object.properties {
            if let ObjectPropertyKind::ObjectProperty(property) = property
                && let Some(name) = property.key.static_name()
            {
                self.export_name(&name);
            }
        }
    }

    fn export_name(&mut self, name: &str) {
        if is_plain_name(name) {
            self.analysis.exports.names.insert(name.to_owned());
        }
    }

    fn pass_on(&mut self, call: &CallExpression<'_>) {
        if let Some(literal) = call.common_js_require() {
            self.analysis.exports.passed_on.push(literal.value.to_string());
        }
    }
}

impl<'a> Visit<'a> for Visitor<'_> {
    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        let mut taken = StaticImport {
            attributes: attributes(&import.source, import.with_clause.as_deref()),
            ..StaticImport::default()
        };
        for specifier in import.specifiers.iter().flatten() {
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(named) => {
                    taken.names.push(named.imported.name().to_string());
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => taken.default = true,
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(namespace) => {
                    let local = namespace.local.name.to_string();
                    taken.namespace = Some(Namespace { span: namespace.span, local, members: None });
                    let symbol = namespace.local.symbol_id.get();
                    self.namespaces.extend(symbol.map(|symbol| (self.analysis.requests.len(), symbol)));
                }
            }
        }
        self.request(&import.source, Form::Static(taken));
    }

    fn visit_export_from_declaration(&mut self, export: &ExportFromDeclaration<'a>) {
        let names = export.specifiers.iter().map(|specifier| specifier.local.name().to_string()).collect();
        for specifier in &export.specifiers {
            let from = (export.source.value.to_string(), specifier.local.name().to_string());
            self.analysis.exports.passed_by_name.insert(specifier.exported.name().to_string(), from);
        }
        let attributes = attributes(&export.source, export.with_clause.as_deref());
        self.request(
            &export.source,
            Form::Static(StaticImport { names, attributes, ..StaticImport::default() }),
        );
    }

    fn visit_export_all_declaration(&mut self, export: &ExportAllDeclaration<'a>) {
        // The parser keeps no position of the `*`; what is replaced is all between `export` and the name's end.
        let start = export.span.start + "export".len() as u32;
        let mut taken = StaticImport {
            attributes: attributes(&export.source, export.with_clause.as_deref()),
            ..StaticImport::default()
        };
        match &export.exported {
            Some(name) => {
                let span = Span::new(start, name.span().end);
                taken.namespace = Some(Namespace { span, local: name.to_string(), members: None });
            }
            None => {
                taken.star = Some(Span::new(start, export.source.span.start));
                self.analysis.exports.passed_on.push(export.source.value.to_string());
            }
        }
        self.request(&export.source, Form::Static(taken));
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        if let Expression::StringLiteral(literal) = &import.source {
            self.request(literal, Form::Dynamic);
        }
        walk::walk_import_expression(self, import);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        if let Some(literal) = call.common_js_require()
            && self.is_host_require(call)
        {
            self.request(literal, Form::Require);
        }
        match call.arguments.as_slice() {
            [Argument::CallExpression(required), ..] if is_export_star(&call.callee) => {
                self.pass_on(required)
            }
            [target, Argument::StringLiteral(name), ..]
                if call.callee.is_specific_member_access("Object", "defineProperty")
                    && target.as_expression().is_some_and(is_exports) =>
            {
                self.export_name(&name.value);
            }
            _ => {}
        }
        self.called(&call.callee);
        walk::walk_call_expression(self, call);
    }

    fn visit_tagged_template_expression(&mut self, template: &TaggedTemplateExpression<'a>) {
        self.called(&template.tag);
        walk::walk_tagged_template_expression(self, template);
    }

    fn visit_static_member_expression(&mut self, member: &StaticMemberExpression<'a>) {
        if let Some(members) = self.members_of(&member.object) {
            members.names.insert(member.property.name.to_string());
            members.references += 1;
        }
        walk::walk_static_member_expression(self, member);
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.functions.push(function.span);
        walk::walk_function(self, function, flags);
        self.functions.pop();
    }

    /// That of a class's fields counts for the function around the class, which errs on the safe side.
    fn visit_this_expression(&mut self, _: &ThisExpression) {
        self.with_this.extend(self.functions.last());
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        if let Some(target) = assignment.left.as_member_expression() {
            if is_module_exports(target) {
                match &assignment.right {
                    Expression::ObjectExpression(object) => self.exports_object(object),
                    Expression::CallExpression(required) => self.pass_on(required),
                    _ => {}
                }
            } else if is_exports(target.object())
                && let Some(name) = target.static_property_name()
            {
                self.export_name(name);
            }
        }
        walk::walk_assignment_expression(self, assignment);
    }
}

/// From the end of the specifier, as the clause's own span leaves `with` out.
fn attributes(source: &StringLiteral<'_>, clause: Option<&WithClause<'_>>) -> Option<Span> {
    clause.map(|clause| Span::new(source.span.end, clause.span.end))
}

fn is_exports(expression: &Expression<'_>) -> bool {
    expression.is_specific_id("exports") || expression.is_specific_member_access("module", "exports")
}

fn is_module_exports(target: &MemberExpression<'_>) -> bool {
    target.is_specific_member_access("module", "exports")
}

/// What TypeScript emits for `export *`: `__exportStar(require("x"), exports)`, also through tslib, and `__export`.
fn is_export_star(callee: &Expression<'_>) -> bool {
    let name = match callee.get_inner_expression() {
        Expression::Identifier(identifier) => identifier.name.as_str(),
        Expression::StaticMemberExpression(member) => member.property.name.as_str(),
        _ => return false,
    };
    matches!(name, "__exportStar" | "__export")
}

/// Whether a name can stand in `export { name }` and is not one that `export *` leaves out.
fn is_plain_name(name: &str) -> bool {
    let mut characters = name.chars();
    !matches!(name, "default" | "__esModule")
        && characters.next().is_some_and(|first| first.is_alphabetic() || matches!(first, '_' | '$'))
        && characters.all(|character| character.is_alphanumeric() || matches!(character, '_' | '$'))
}
