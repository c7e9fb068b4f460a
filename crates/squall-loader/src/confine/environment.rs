//! Whether a module does nothing with `__ENV` but read it. VUs have an environment of their own each, since k6 lets them
//! write to it; where none does, one of a realm serves them all.

use oxc::ast::AstKind;
use oxc::ast::ast::{BindingPattern, CallExpression};
use oxc::semantic::NodeId;
use oxc::span::GetSpan;

use super::uses::Uses;

const ENV: &str = "__ENV";

/// They look at an object's properties and keep nothing of it.
const READERS: &[&str] = &["Object.entries", "Object.keys", "Object.values", "JSON.stringify"];

impl<'a, 's> Uses<'a, 's> {
    /// Whether every use of `__ENV` that there can be is seen to read it.
    pub(super) fn only_read_env(&self) -> bool {
        // It may be a property of the global object, by whatever name that goes.
        let is_named = self.nodes.iter().any(|node| match node.kind() {
            AstKind::IdentifierName(name) => name.name == ENV,
            AstKind::StringLiteral(text) => text.value == ENV,
            AstKind::TemplateElement(text) => text.value.raw == ENV,
            _ => false,
        });
        let globals = self.scoping.root_unresolved_references();
        let mut references = globals.iter().filter(|(name, _)| name.as_str() == ENV).flat_map(|(_, all)| all);
        !is_named
            && references.all(|&reference| self.reads_env(self.scoping.get_reference(reference).node_id()))
    }

    fn reads_env(&self, node: NodeId) -> bool {
        let span = self.nodes.kind(node).span();
        let parent = self.nodes.parent_id(node);
        match self.nodes.kind(parent) {
            AstKind::StaticMemberExpression(_) => self.is_read(parent),
            AstKind::ComputedMemberExpression(member) => {
                member.expression.span() != span && self.is_read(parent)
            }
            AstKind::VariableDeclarator(declarator) => {
                matches!(declarator.id, BindingPattern::ObjectPattern(_))
            }
            AstKind::SpreadElement(_) => {
                matches!(self.nodes.parent_kind(parent), AstKind::ObjectExpression(_))
            }
            AstKind::CallExpression(call) => self.is_reader(call) && call.arguments.len() == 1,
            AstKind::ForInStatement(each) => each.right.span() == span,
            AstKind::BinaryExpression(_) => true,
            AstKind::UnaryExpression(_) => !self.is_written(node),
            _ => false,
        }
    }

    /// Whether a member is read, and not called with the whole as its `this`.
    fn is_read(&self, member: NodeId) -> bool {
        let span = self.nodes.kind(member).span();
        let is_called = match self.nodes.parent_kind(member) {
            AstKind::CallExpression(call) => call.callee.span() == span,
            AstKind::ParenthesizedExpression(_) | AstKind::ChainExpression(_) => {
                !self.is_read(self.nodes.parent_id(member))
            }
            AstKind::TaggedTemplateExpression(_) => true,
            _ => false,
        };
        !is_called && !self.is_written(member)
    }

    fn is_reader(&self, call: &CallExpression<'a>) -> bool {
        self.place(&call.callee).is_some_and(|callee| READERS.iter().any(|reader| callee.is(reader)))
    }
}
