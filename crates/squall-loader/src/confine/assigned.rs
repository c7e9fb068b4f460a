//! The names of properties that a module assigns to: objects may come to have these in place of what they inherit.

use oxc::ast::AstKind;
use oxc::ast::ast::{CallExpression, Expression};
use oxc::syntax::operator::BinaryOperator;

use super::uses::Uses;

/// Stands for the names that data may give.
const ANY_NAME: &str = "*";

impl<'a, 's> Uses<'a, 's> {
    /// The names of properties that are assigned to, as far as they are plain to see; [`ANY_NAME`] where data names
    /// properties of a list or another built-in object, so that any word could be one that it inherits.
    pub(super) fn assigned_names(&self) -> impl Iterator<Item = String> {
        self.nodes.iter().filter_map(|node| {
            let name = match node.kind() {
                AstKind::StaticMemberExpression(member) => member.property.name.to_string(),
                AstKind::ComputedMemberExpression(member) => match member.static_property_name() {
                    Some(name) => name.to_string(),
                    None => self.computed_name(&member.object, &member.expression)?,
                },
                AstKind::CallExpression(call) => return self.assigned_by(call),
                _ => return None,
            };
            self.is_written(node.id()).then_some(name)
        })
    }

    /// What `object[key]` may name, when it matters.
    fn computed_name(&self, object: &Expression<'a>, key: &Expression<'a>) -> Option<String> {
        match key {
            Expression::StaticMemberExpression(symbol) if symbol.object.is_specific_id("Symbol") => {
                Some(format!("Symbol.{}", symbol.property.name))
            }
            _ if self.is_number(key) || !self.is_built_in(object) => None,
            _ => Some(ANY_NAME.to_owned()),
        }
    }

    /// `Object.assign([], …)` and the like.
    fn assigned_by(&self, call: &CallExpression<'a>) -> Option<String> {
        let target = call.arguments.first()?.as_expression()?;
        let is_assign = call.callee.is_specific_member_access("Object", "assign");
        (is_assign && self.is_built_in(target)).then(|| ANY_NAME.to_owned())
    }

    /// Whether an expression is plainly a number, as indices are.
    fn is_number(&self, expression: &Expression<'a>) -> bool {
        match expression.get_inner_expression() {
            Expression::NumericLiteral(_) | Expression::UpdateExpression(_) => true,
            Expression::UnaryExpression(unary) => unary.operator.is_arithmetic(),
            Expression::BinaryExpression(it) if it.operator == BinaryOperator::Addition => {
                self.is_number(&it.left) && self.is_number(&it.right)
            }
            Expression::BinaryExpression(it) => it.operator.is_arithmetic() || it.operator.is_bitwise(),
            Expression::StaticMemberExpression(member) => member.property.name == "length",
            Expression::CallExpression(call) => {
                let callee = call.callee.as_member_expression();
                callee.is_some_and(|callee| callee.object().is_specific_id("Math"))
            }
            Expression::Identifier(_) => self.first_value(expression).is_some_and(|first| {
                matches!(first, Expression::NumericLiteral(_) | Expression::UpdateExpression(_))
            }),
            _ => false,
        }
    }

    /// Whether an expression is plainly an object of a built-in class other than `Object`.
    fn is_built_in(&self, expression: &Expression<'a>) -> bool {
        match expression.get_inner_expression() {
            Expression::ArrayExpression(_) | Expression::NewExpression(_) => true,
            Expression::FunctionExpression(_) | Expression::ArrowFunctionExpression(_) => true,
            Expression::CallExpression(call) => call.callee.as_member_expression().is_some_and(|callee| {
                let makes_list = ["concat", "filter", "flat", "from", "map", "of", "slice", "split"];
                callee.static_property_name().is_some_and(|name| makes_list.contains(&name))
            }),
            identifier @ Expression::Identifier(_) => {
                let first = self.first_value(identifier).filter(|first| !first.is_identifier_reference());
                first.is_some_and(|first| self.is_built_in(first))
            }
            _ => false,
        }
    }

    /// What a variable is declared with.
    fn first_value(&self, identifier: &Expression<'a>) -> Option<&'s Expression<'a>> {
        let Expression::Identifier(identifier) = identifier.get_inner_expression() else { return None };
        let symbol = self.scoping.get_reference(identifier.reference_id.get()?).symbol_id()?;
        let declaration = self.scoping.symbol_declaration(symbol);
        match self.nodes.kind(declaration) {
            AstKind::VariableDeclarator(declarator) => declarator.init.as_ref(),
            _ => None,
        }
    }
}
