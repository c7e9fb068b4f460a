//! Which exports of an ES module are functions without `this`.
//!
//! `lib.f()` hands the whole namespace to `f` as its `this`. What a script takes from a namespace is plain to see only when
//! no such function looks at it. A function may be anything by the time it is called (a method of some class, a built-in
//! one), so what counts is one that is written in the module's top level and is never assigned anew.

use std::collections::{BTreeSet, HashSet};

use oxc::ast::ast::{
    BindingIdentifier, Declaration, ExportDefaultDeclarationKind, Expression, Function, ModuleExportName,
    Program, Statement, VariableDeclaration,
};
use oxc::semantic::Scoping;
use oxc::span::Span;

/// The exported names. `with_this` are the functions that mention it.
pub(super) fn thisless_exports(
    program: &Program<'_>,
    scoping: &Scoping,
    with_this: &HashSet<Span>,
) -> BTreeSet<String> {
    let mut finder = Finder { scoping, with_this, locals: BTreeSet::new() };
    program.body.iter().for_each(|statement| finder.statement(statement));
    program.body.iter().flat_map(|statement| finder.exported(statement)).collect()
}

struct Finder<'s> {
    scoping: &'s Scoping,
    with_this: &'s HashSet<Span>,
    /// Names of the top level.
    locals: BTreeSet<String>,
}

impl Finder<'_> {
    fn statement(&mut self, statement: &Statement<'_>) {
        match statement {
            Statement::FunctionDeclaration(function) => self.function(function),
            Statement::VariableDeclaration(variables) => self.variables(variables),
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::FunctionDeclaration(function) => self.function(function),
                Declaration::VariableDeclaration(variables) => self.variables(variables),
                _ => {}
            },
            Statement::ExportDefaultDeclaration(export) => {
                if let ExportDefaultDeclarationKind::FunctionDeclaration(function) = &export.declaration {
                    self.function(function);
                }
            }
            _ => {}
        }
    }

    fn function(&mut self, function: &Function<'_>) {
        if let Some(name) = &function.id
            && self.is_thisless(function)
        {
            self.local(name);
        }
    }

    fn variables(&mut self, variables: &VariableDeclaration<'_>) {
        for declarator in &variables.declarations {
            if let Some(name) = declarator.id.get_binding_identifier()
                && declarator.init.as_ref().is_some_and(|init| self.is_thisless_value(init))
            {
                self.local(name);
            }
        }
    }

    fn local(&mut self, name: &BindingIdentifier<'_>) {
        let Some(symbol) = name.symbol_id.get() else { return };
        if !self.scoping.symbol_is_mutated(symbol) && self.scoping.symbol_redeclarations(symbol).is_empty() {
            self.locals.insert(name.name.to_string());
        }
    }

    fn is_thisless(&self, function: &Function<'_>) -> bool {
        !self.with_this.contains(&function.span)
    }

    /// Arrow functions of the top level have no `this`.
    fn is_thisless_value(&self, value: &Expression<'_>) -> bool {
        match value.without_parentheses() {
            Expression::ArrowFunctionExpression(_) => true,
            Expression::FunctionExpression(function) => self.is_thisless(function),
            Expression::Identifier(name) => self.locals.contains(name.name.as_str()),
            _ => false,
        }
    }

    fn exported(&self, statement: &Statement<'_>) -> Vec<String> {
        let named = |name: &BindingIdentifier<'_>| {
            self.locals.contains(name.name.as_str()).then(|| name.name.to_string())
        };
        match statement {
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::FunctionDeclaration(function) => {
                    function.id.as_ref().and_then(named).into_iter().collect()
                }
                Declaration::VariableDeclaration(variables) => {
                    let names = variables.declarations.iter().filter_map(|it| it.id.get_binding_identifier());
                    names.filter_map(named).collect()
                }
                _ => Vec::new(),
            },
            Statement::ExportNamedDeclaration(export) => {
                let thisless = export.specifiers.iter().filter(|it| match &it.local {
                    ModuleExportName::IdentifierReference(name) => self.locals.contains(name.name.as_str()),
                    _ => false,
                });
                thisless.map(|specifier| specifier.exported.name().to_string()).collect()
            }
            Statement::ExportDefaultDeclaration(export) => {
                let is_thisless = match &export.declaration {
                    ExportDefaultDeclarationKind::FunctionDeclaration(function) => match &function.id {
                        Some(name) => named(name).is_some(),
                        None => self.is_thisless(function),
                    },
                    declaration => {
                        declaration.as_expression().is_some_and(|value| self.is_thisless_value(value))
                    }
                };
                is_thisless.then(|| "default".to_owned()).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}
