//! Whether a module does nothing with `__ENV` but read it. VUs have an environment of their own each, since k6 lets them
//! write to it; where none does and no scenario adds to it, one of a realm serves them all.

use oxc::ast::AstKind;
use oxc::ast::ast::{BindingPattern, CallExpression};
use oxc::semantic::NodeId;
use oxc::span::GetSpan;
use oxc::syntax::operator::BinaryOperator;

use super::uses::Uses;

const ENV: &str = "__ENV";

/// They look at an object's properties and keep nothing of it. What they return is text here, where for other shared objects
/// (`Place::only_reads`) it could be written to.
const READERS: &[&str] = &["Object.entries", "Object.keys", "Object.values", "JSON.stringify"];

impl<'a, 's> Uses<'a, 's> {
    /// Whether all that goes by this name is plainly the environment, and plainly read.
    pub(super) fn only_read_env(&self) -> bool {
        // It may be a property of the global object, or a name of the script's own, which may or may not be in force.
        let is_named = self.nodes.iter().any(|node| match node.kind() {
            AstKind::IdentifierName(name) => name.name == ENV,
            AstKind::BindingIdentifier(name) => name.name == ENV,
            AstKind::StringLiteral(text) => text.value == ENV,
            AstKind::TemplateElement(text) => text.value.cooked.is_some_and(|text| text == ENV),
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
            // What it is an instance of, a class may say for itself.
            AstKind::BinaryExpression(it) => it.operator != BinaryOperator::Instanceof,
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
