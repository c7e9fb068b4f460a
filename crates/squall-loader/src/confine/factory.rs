//! An ES module as a function: its imports come from a function it is given, its exports are what it returns.
//!
//! ```text
//! import http from "k6/http";            (function(__squall_import){"use strict";const {default:http}=__squall_import(1);;
//! export const options = { vus: 2 };     const options = { vus: 2 };
//! export default () => http.get("…");    const __squall_default=({default:() => http.get("…")}).default;
//!                                        return {__proto__:null,default:__squall_default,options};})
//! ```
//!
//! Lines stay where they are, and what stands on them stays in order. Exports that nobody asks for are not returned, and
//! functions that nothing refers to then are left out: of a large library a script uses little, in every VU.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

use oxc::ast::ast::{
    BindingIdentifier, Declaration, ExportAllDeclaration, ExportDefaultDeclaration,
    ExportDefaultDeclarationKind, ExportFromDeclaration, ImportDeclaration, ImportDeclarationSpecifier,
    Program, Statement,
};
use oxc::span::{GetSpan, Span};

use super::Wanted;
use super::places::{Nature, Place};
use super::uses::{Breach, Reference, Target, Uses};
use crate::NAMESPACE_EXPORT;
use crate::graph::ModuleId;
use crate::position::Edit;

/// A module as it is to be written.
pub(super) struct Written {
    /// In order of the text.
    pub(super) edits: Vec<Edit>,
    /// Exports that lead to something shared.
    pub(super) shared: HashMap<String, Place>,
}

/// What a module's text does not tell.
pub(super) struct Surroundings<'s> {
    /// By specifier.
    pub(super) ids: HashMap<String, ModuleId>,
    /// The specifiers of CommonJS modules.
    pub(super) common_js: HashSet<String>,
    pub(super) targets: &'s HashMap<String, Target>,
    /// By specifier: what `export *` passes on.
    pub(super) stars: HashMap<String, Vec<String>>,
    pub(super) wanted: Wanted,
}

/// Writes a module that [`Uses::check`] found confined.
pub(super) fn write(
    program: &Program<'_>,
    text: &str,
    uses: &Uses<'_, '_>,
    surroundings: &Surroundings<'_>,
) -> Result<Written, Breach> {
    let mut writer = Writer {
        uses,
        surroundings,
        import: fresh(text, "__squall_import"),
        default: fresh(text, "__squall_default"),
        module: fresh(text, "__squall_module"),
        prologue: String::new(),
        exports: BTreeMap::new(),
        written: Written { edits: Vec::new(), shared: HashMap::new() },
    };
    if text.starts_with("#!") {
        writer.edit(Span::new(0, 2), "//");
    }
    let unused = unused_functions(program, uses, &surroundings.wanted);
    for statement in &program.body {
        match unused.contains(&statement.span()) {
            true => writer.edit(statement.span(), ";"),
            false => writer.statement(statement)?,
        }
    }
    Ok(writer.finish(text))
}

struct Writer<'a, 's> {
    uses: &'s Uses<'a, 's>,
    surroundings: &'s Surroundings<'s>,
    /// Names that the text does not have.
    import: String,
    default: String,
    module: String,
    /// All imports, in their order.
    prologue: String,
    /// By exported name: the expression that gives it.
    exports: BTreeMap<String, String>,
    written: Written,
}

impl<'a> Writer<'a, '_> {
    fn finish(mut self, text: &str) -> Written {
        let begin = format!("(function({}){{\"use strict\";{}", self.import, self.prologue);
        self.written.edits.insert(0, Edit { start: 0, end: 0, replacement: begin });
        let mut end = "\nreturn {__proto__:null".to_owned();
        for (name, value) in &self.exports {
            let _ = match property(name) {
                key if key == *value => write!(end, ",{key}"),
                key => write!(end, ",{key}:{value}"),
            };
        }
        end.push_str("};})");
        let length = text.len() as u32;
        self.edit(Span::empty(length), &end);
        self.written
    }

    fn statement(&mut self, statement: &Statement<'a>) -> Result<(), Breach> {
        match statement {
            Statement::ImportDeclaration(import) => self.import(import),
            Statement::ExportDeclaration(export) => {
                self.edit(Span::new(export.span.start, export.declaration.span().start), "");
                for name in declared(&export.declaration) {
                    self.export_local(export.span, &name.name, &name.name)?;
                }
            }
            Statement::ExportNamedDeclaration(export) => {
                self.edit(export.span, ";");
                for specifier in &export.specifiers {
                    self.export_local(specifier.span, &specifier.exported.name(), &specifier.local.name())?;
                }
            }
            Statement::ExportFromDeclaration(export) => self.export_from(export),
            Statement::ExportAllDeclaration(export) => self.export_all(export),
            Statement::ExportDefaultDeclaration(export) => self.export_default(export)?,
            _ => {}
        }
        Ok(())
    }

    /// `const {default:a,b:c}=__squall_import(1);`, without what is never used.
    fn import(&mut self, import: &ImportDeclaration<'a>) {
        self.edit(import.span, ";");
        let Some(call) = self.call(&import.source.value) else { return };
        let is_common_js = self.surroundings.common_js.contains(import.source.value.as_str());
        let (mut names, mut namespace) = (Vec::new(), None);
        for specifier in import.specifiers.iter().flatten() {
            let local = specifier.local();
            if !self.uses.is_used(local) {
                continue;
            }
            match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => {
                    names.push(pair(&it.imported.name(), &local.name));
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => {
                    names.push(pair("default", &local.name));
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) if is_common_js => {
                    names.push(pair(NAMESPACE_EXPORT, &local.name));
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => namespace = Some(&local.name),
            }
        }
        let names = (!names.is_empty()).then(|| format!("{{{}}}", names.join(",")));
        let _ = match (names, namespace) {
            (None, None) => write!(self.prologue, "{call};"),
            (Some(names), None) => write!(self.prologue, "const {names}={call};"),
            (None, Some(namespace)) => write!(self.prologue, "const {namespace}={call};"),
            (Some(names), Some(namespace)) => {
                write!(self.prologue, "const {namespace}={call},{names}={namespace};")
            }
        };
    }

    fn export_from(&mut self, export: &ExportFromDeclaration<'a>) {
        self.edit(export.span, ";");
        let specifier = export.source.value.as_str();
        let Some(source) = self.source(specifier) else { return };
        for it in &export.specifiers {
            let (local, exported) = (it.local.name(), it.exported.name());
            self.pass_on(specifier, &local, &exported);
            self.export(&exported, member(&source, &local));
        }
    }

    fn export_all(&mut self, export: &ExportAllDeclaration<'a>) {
        self.edit(export.span, ";");
        let specifier = export.source.value.as_str();
        let Some(source) = self.source(specifier) else { return };
        if let Some(name) = &export.exported {
            if let Some(Target::Host(module)) = self.surroundings.targets.get(specifier) {
                self.written.shared.insert(name.name().to_string(), Place::host(module));
            }
            let is_common_js = self.surroundings.common_js.contains(specifier);
            let namespace = if is_common_js { member(&source, NAMESPACE_EXPORT) } else { source };
            return self.export(&name.name(), namespace);
        }
        for name in self.surroundings.stars.get(specifier).into_iter().flatten() {
            if !self.exports.contains_key(name) {
                self.pass_on(specifier, name, name);
                self.export(name, member(&source, name));
            }
        }
    }

    fn export_default(&mut self, export: &ExportDefaultDeclaration<'a>) -> Result<(), Breach> {
        let name = match &export.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => function.id.as_ref(),
            ExportDefaultDeclarationKind::ClassDeclaration(class) => class.id.as_ref(),
            _ => None,
        };
        let declaration = export.declaration.span();
        let keyword = Span::new(export.span.start, declaration.start);
        if let Some(name) = name {
            self.edit(keyword, "");
            return self.export_local(export.span, "default", &name.name);
        }
        // A function without a name gets that of the property.
        let begin = format!("const {}=({{default:", self.default);
        self.edit(keyword, &begin);
        self.edit(Span::empty(declaration.end), "}).default;");
        if let Some(place) = export.declaration.as_expression().and_then(|it| self.uses.place(it)) {
            self.share("default", &place);
        }
        self.export("default", self.default.clone());
        Ok(())
    }

    fn export_local(&mut self, span: Span, exported: &str, local: &str) -> Result<(), Breach> {
        if !self.uses.is_settled(local) {
            return Err(Breach::new(span, format!("the export {exported} changes while the script runs")));
        }
        if let Some(place) = self.uses.place_of_top_level(local) {
            self.share(exported, &place.clone());
        }
        self.export(exported, local.to_owned());
        Ok(())
    }

    fn export(&mut self, name: &str, value: String) {
        if self.surroundings.wanted.has(name) {
            self.exports.insert(name.to_owned(), value);
        }
    }

    fn pass_on(&mut self, specifier: &str, name: &str, exported: &str) {
        let place = match self.surroundings.targets.get(specifier) {
            Some(Target::Host(module)) => Some(Place::host(module).member(name)),
            Some(Target::Es(shared)) => shared.get(name).cloned(),
            Some(Target::Other) | None => None,
        };
        if let Some(place) = place {
            self.share(exported, &place);
        }
    }

    fn share(&mut self, exported: &str, place: &Place) {
        if place.nature(true) != Nature::Primitive {
            self.written.shared.insert(exported.to_owned(), place.clone());
        }
    }

    /// A constant of the prologue that holds what a module exports.
    fn source(&mut self, specifier: &str) -> Option<String> {
        let call = self.call(specifier)?;
        let name = format!("{}{}", self.module, self.surroundings.ids[specifier].0);
        if !self.prologue.contains(&format!("const {name}=")) {
            let _ = write!(self.prologue, "const {name}={call};");
        }
        Some(name)
    }

    fn call(&self, specifier: &str) -> Option<String> {
        let id = self.surroundings.ids.get(specifier)?;
        Some(format!("{}({})", self.import, id.0))
    }

    fn edit(&mut self, span: Span, replacement: &str) {
        self.written.edits.push(Edit {
            start: span.start as usize,
            end: span.end as usize,
            replacement: replacement.to_owned(),
        });
    }
}

/// Functions of the top level that no code refers to but that of such functions.
fn unused_functions(program: &Program<'_>, uses: &Uses<'_, '_>, wanted: &Wanted) -> HashSet<Span> {
    let functions: Vec<(Span, &BindingIdentifier<'_>, bool)> = program
        .body
        .iter()
        .filter_map(|statement| match statement {
            Statement::FunctionDeclaration(it) => Some((it.span, it.id.as_ref()?, false)),
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::FunctionDeclaration(it) => {
                    let name = it.id.as_ref()?;
                    Some((export.span, name, wanted.has(&name.name)))
                }
                _ => None,
            },
            _ => None,
        })
        .collect();
    let mut used: Vec<usize> = Vec::new();
    // By function: those it refers to.
    let mut needs: Vec<Vec<usize>> = vec![Vec::new(); functions.len()];
    for (index, (_, name, is_wanted)) in functions.iter().enumerate() {
        let mut is_used = *is_wanted;
        for reference in uses.references(name) {
            match reference {
                Reference::Export(exported) => is_used |= wanted.has(&exported),
                Reference::Code(span) => {
                    let next = functions.partition_point(|(it, ..)| it.start <= span.start);
                    match next.checked_sub(1).filter(|&it| functions[it].0.contains_inclusive(span)) {
                        Some(user) => needs[user].push(index),
                        None => is_used = true,
                    }
                }
            }
        }
        if is_used {
            used.push(index);
        }
    }
    let mut unused: HashSet<Span> = functions.iter().map(|(span, ..)| *span).collect();
    while let Some(index) = used.pop() {
        if unused.remove(&functions[index].0) {
            used.append(&mut needs[index]);
        }
    }
    unused
}

fn declared<'d, 'a>(declaration: &'d Declaration<'a>) -> Vec<&'d BindingIdentifier<'a>> {
    match declaration {
        Declaration::VariableDeclaration(it) => {
            it.declarations.iter().flat_map(|it| it.id.get_binding_identifiers()).collect()
        }
        Declaration::FunctionDeclaration(it) => it.id.iter().collect(),
        Declaration::ClassDeclaration(it) => it.id.iter().collect(),
        _ => Vec::new(),
    }
}

/// A name that begins like `base` and does not occur in the text.
fn fresh(text: &str, base: &str) -> String {
    let mut name = base.to_owned();
    while text.contains(&name) {
        name.push('_');
    }
    name
}

fn pair(name: &str, local: &str) -> String {
    match property(name) {
        key if key == local => key,
        key => format!("{key}:{local}"),
    }
}

/// A name as a key of an object literal. `__proto__` would set the prototype.
fn property(name: &str) -> String {
    match name {
        "__proto__" => "[\"__proto__\"]".to_owned(),
        _ if is_identifier(name) => name.to_owned(),
        _ => quoted(name),
    }
}

fn member(object: &str, name: &str) -> String {
    if is_identifier(name) { format!("{object}.{name}") } else { format!("{object}[{}]", quoted(name)) }
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

fn is_identifier(name: &str) -> bool {
    oxc::syntax::identifier::is_identifier_name(name)
}
