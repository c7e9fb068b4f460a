//! What one module does with what is shared: the reason why it is not confined, if there is one.

use std::collections::{HashMap, HashSet};

use oxc::ast::AstKind;
use oxc::ast::ast::{
    Argument, AssignmentExpression, AssignmentTarget, BinaryExpression, BindingIdentifier, BindingPattern,
    CallExpression, Expression, PropertyKey, PropertyKind,
};
use oxc::semantic::{AstNodes, NodeId, Scoping, Semantic, SymbolId};
use oxc::span::{GetSpan, Span};
use oxc::syntax::operator::{AssignmentOperator, BinaryOperator, LogicalOperator, UnaryOperator};

use super::places::{Nature, Place, is_of_common_js, type_of};

/// Where and why a module is not confined.
#[derive(Debug)]
pub(crate) struct Breach {
    /// Byte offset into the module's text.
    pub(crate) offset: u32,
    pub(crate) reason: String,
}

impl Breach {
    pub(super) fn new(span: Span, reason: impl Into<String>) -> Self {
        Self { offset: span.start, reason: reason.into() }
    }
}

/// What a specifier in the module leads to.
pub(super) enum Target {
    Host(String),
    /// An ES module, and what of its exports is shared.
    Es(HashMap<String, Place>),
    /// CommonJS or JSON.
    Other,
}

/// What refers to a name.
pub(super) enum Reference {
    Code(Span),
    /// The exported name.
    Export(String),
}

/// One module's syntax tree, with what is known of its names.
pub(super) struct Uses<'a, 's> {
    pub(super) scoping: &'s Scoping,
    pub(super) nodes: &'s AstNodes<'a>,
    is_module: bool,
    targets: &'s HashMap<String, Target>,
    /// Names that stand for something shared for as long as they are there.
    tracked: HashMap<SymbolId, Place>,
    /// Declarators whose names are tracked.
    aliases: HashSet<Span>,
    /// Branches that are never taken.
    dead: Vec<Span>,
}

impl<'a, 's> Uses<'a, 's> {
    pub(super) fn new(
        semantic: &'s Semantic<'a>,
        is_module: bool,
        targets: &'s HashMap<String, Target>,
    ) -> Self {
        let mut uses = Self {
            scoping: semantic.scoping(),
            nodes: semantic.nodes(),
            is_module,
            targets,
            tracked: HashMap::new(),
            aliases: HashSet::new(),
            dead: Vec::new(),
        };
        uses.find_dead_branches();
        uses.track_imports();
        while uses.track_declarations() {}
        uses
    }

    /// What of it a name of the module's top level stands for, when that is shared.
    pub(super) fn place_of_top_level(&self, name: &str) -> Option<&Place> {
        self.tracked.get(&self.scoping.get_root_binding(name.into())?)
    }

    /// Whether a name of the module's top level is assigned by nothing but the module's own evaluation.
    pub(super) fn is_settled(&self, name: &str) -> bool {
        self.scoping.get_root_binding(name.into()).is_some_and(|symbol| {
            let mut references = self.scoping.get_resolved_references(symbol);
            references.all(|reference| !reference.is_write() || !self.is_in_function(reference.node_id()))
        })
    }

    /// Whether something refers to a name.
    pub(super) fn is_used(&self, name: &BindingIdentifier<'a>) -> bool {
        name.symbol_id.get().is_some_and(|symbol| !self.scoping.symbol_is_unused(symbol))
    }

    /// Where a name is referred to: what refers to it, or an `export { name as this }`.
    pub(super) fn references(&self, name: &BindingIdentifier<'a>) -> impl Iterator<Item = Reference> {
        let symbol = name.symbol_id.get().into_iter();
        symbol.flat_map(|symbol| self.scoping.get_resolved_references(symbol)).map(|reference| {
            match self.nodes.parent_kind(reference.node_id()) {
                AstKind::ExportSpecifier(it) => Reference::Export(it.exported.name().to_string()),
                _ => Reference::Code(self.span(reference.node_id())),
            }
        })
    }

    /// The first breach, in no particular order.
    pub(super) fn check(&self) -> Result<(), Breach> {
        for (name, references) in self.scoping.root_unresolved_references() {
            for &reference in references {
                let reference = self.scoping.get_reference(reference);
                self.global(name.as_str(), reference.node_id(), reference.is_write())?;
            }
        }
        for (&symbol, place) in &self.tracked {
            for reference in self.scoping.get_resolved_references(symbol) {
                let node = reference.node_id();
                if reference.is_write() {
                    return Err(Breach::new(self.span(node), format!("{place} is written to")));
                }
                self.used(node, place.clone())?;
            }
        }
        self.nodes.iter().try_for_each(|node| self.node(node.id()))
    }

    // --- What is known before anything is checked ---

    fn find_dead_branches(&mut self) {
        let mut dead = Vec::new();
        for node in self.nodes.iter() {
            match node.kind() {
                AstKind::IfStatement(statement) => match self.truth(&statement.test) {
                    Some(true) => dead.extend(statement.alternate.as_ref().map(GetSpan::span)),
                    Some(false) => dead.push(statement.consequent.span()),
                    None => {}
                },
                AstKind::ConditionalExpression(choice) => match self.truth(&choice.test) {
                    Some(true) => dead.push(choice.alternate.span()),
                    Some(false) => dead.push(choice.consequent.span()),
                    None => {}
                },
                AstKind::LogicalExpression(logical) => {
                    let short_circuits = match logical.operator {
                        LogicalOperator::And => Some(false),
                        LogicalOperator::Or => Some(true),
                        LogicalOperator::Coalesce => continue,
                    };
                    if self.truth(&logical.left) == short_circuits {
                        dead.push(logical.right.span());
                    }
                }
                _ => {}
            }
        }
        self.dead = dead;
    }

    /// Whether a condition holds, when that depends on no more than what exists: which of its worlds a universal
    /// module is in.
    fn truth(&self, condition: &Expression<'a>) -> Option<bool> {
        match condition.without_parentheses() {
            Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::LogicalNot => {
                self.truth(&unary.argument).map(|truth| !truth)
            }
            Expression::LogicalExpression(logical) => {
                let (left, right) = (self.truth(&logical.left), self.truth(&logical.right));
                match logical.operator {
                    LogicalOperator::And if left == Some(false) || right == Some(false) => Some(false),
                    LogicalOperator::Or if left == Some(true) || right == Some(true) => Some(true),
                    LogicalOperator::And | LogicalOperator::Or if left.is_some() && right.is_some() => right,
                    _ => None,
                }
            }
            Expression::BinaryExpression(binary) => self.compared_type(binary),
            Expression::Identifier(name) if !self.is_module && self.is_unresolved(condition) => {
                matches!(name.name.as_str(), "exports" | "module").then_some(true)
            }
            Expression::StaticMemberExpression(member) if !self.is_module => {
                let is_exports = member.object.is_specific_id("module") && member.property.name == "exports";
                (is_exports && self.is_unresolved(&member.object)).then_some(true)
            }
            _ => None,
        }
    }

    /// `typeof x === "undefined"`, either way round.
    fn compared_type(&self, binary: &BinaryExpression<'a>) -> Option<bool> {
        let is_equal = match binary.operator {
            BinaryOperator::Equality | BinaryOperator::StrictEquality => true,
            BinaryOperator::Inequality | BinaryOperator::StrictInequality => false,
            _ => return None,
        };
        let ((Expression::UnaryExpression(unary), Expression::StringLiteral(expected))
        | (Expression::StringLiteral(expected), Expression::UnaryExpression(unary))) =
            (binary.left.without_parentheses(), binary.right.without_parentheses())
        else {
            return None;
        };
        let Expression::Identifier(name) = unary.argument.without_parentheses() else { return None };
        if unary.operator != UnaryOperator::Typeof || !self.is_unresolved(&unary.argument) {
            return None;
        }
        Some((type_of(&name.name, self.is_module)? == expected.value.as_str()) == is_equal)
    }

    fn is_unresolved(&self, expression: &Expression<'a>) -> bool {
        let Expression::Identifier(name) = expression.without_parentheses() else { return false };
        self.symbol(name.reference_id.get()).is_none()
    }

    fn symbol(&self, reference: Option<oxc::semantic::ReferenceId>) -> Option<SymbolId> {
        self.scoping.get_reference(reference?).symbol_id()
    }

    fn track_imports(&mut self) {
        for node in self.nodes.iter() {
            let (local, imported) = match node.kind() {
                AstKind::ImportSpecifier(it) => (&it.local, Some(it.imported.name().to_string())),
                AstKind::ImportDefaultSpecifier(it) => (&it.local, Some("default".to_owned())),
                AstKind::ImportNamespaceSpecifier(it) => (&it.local, None),
                _ => continue,
            };
            let AstKind::ImportDeclaration(import) = self.nodes.parent_kind(node.id()) else { continue };
            let place = match (self.targets.get(import.source.value.as_str()), imported) {
                (Some(Target::Host(module)), None) => Some(Place::host(module)),
                (Some(Target::Host(module)), Some(name)) => Some(Place::host(module).member(&name)),
                (Some(Target::Es(shared)), Some(name)) => shared.get(&name).cloned(),
                _ => None,
            };
            if let (Some(place), Some(symbol)) = (place, local.symbol_id.get()) {
                self.track(symbol, place);
            }
        }
    }

    /// Follows `const get = http.get` and `const { floor } = Math`; whether that found more.
    fn track_declarations(&mut self) -> bool {
        let before = self.aliases.len();
        for node in self.nodes.iter() {
            if let AstKind::VariableDeclarator(declarator) = node.kind()
                && !self.aliases.contains(&declarator.span)
                && let Some(place) = declarator.init.as_ref().and_then(|init| self.place(init))
                && self.can_alias(&declarator.id)
            {
                self.aliases.insert(declarator.span);
                self.alias(&declarator.id, &place);
            }
        }
        self.aliases.len() > before
    }

    fn can_alias(&self, pattern: &BindingPattern<'a>) -> bool {
        match pattern {
            BindingPattern::BindingIdentifier(name) => name.symbol_id.get().is_some_and(|symbol| {
                !self.scoping.symbol_is_mutated(symbol)
                    && self.scoping.symbol_redeclarations(symbol).is_empty()
            }),
            BindingPattern::ObjectPattern(object) => {
                object.rest.is_none()
                    && object.properties.iter().all(|property| {
                        !property.computed
                            && property.key.static_name().is_some()
                            && self.can_alias(&property.value)
                    })
            }
            BindingPattern::AssignmentPattern(pattern) => self.can_alias(&pattern.left),
            BindingPattern::ArrayPattern(_) => false,
        }
    }

    fn alias(&mut self, pattern: &BindingPattern<'a>, place: &Place) {
        match pattern {
            BindingPattern::BindingIdentifier(name) => {
                if let Some(symbol) = name.symbol_id.get() {
                    self.track(symbol, place.clone());
                }
            }
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    if let Some(key) = property.key.static_name() {
                        self.alias(&property.value, &place.member(&key));
                    }
                }
            }
            BindingPattern::AssignmentPattern(pattern) => self.alias(&pattern.left, place),
            BindingPattern::ArrayPattern(_) => {}
        }
    }

    fn track(&mut self, symbol: SymbolId, place: Place) {
        if place.nature(self.is_module) != Nature::Primitive {
            self.tracked.insert(symbol, place);
        }
    }

    /// What an expression leads to, when that is shared and plain to see.
    pub(super) fn place(&self, expression: &Expression<'a>) -> Option<Place> {
        match expression.get_inner_expression() {
            Expression::Identifier(name) => match self.symbol(name.reference_id.get()) {
                Some(symbol) => self.tracked.get(&symbol).cloned(),
                None => Some(Place::global(&name.name)),
            },
            Expression::StaticMemberExpression(member) => {
                self.member_place(&member.object, &member.property.name)
            }
            Expression::ComputedMemberExpression(member) => {
                self.member_place(&member.object, member.static_property_name()?.as_str())
            }
            Expression::CallExpression(call) => self.result(call),
            Expression::SequenceExpression(sequence) => self.place(sequence.expressions.last()?),
            Expression::ChainExpression(chain) => match &chain.expression {
                oxc::ast::ast::ChainElement::StaticMemberExpression(member) => {
                    self.member_place(&member.object, &member.property.name)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn member_place(&self, object: &Expression<'a>, name: &str) -> Option<Place> {
        match self.place(object) {
            Some(place) => Some(place.member(name)),
            None if matches!(name, "constructor" | "__proto__")
                && !matches!(object, Expression::ThisExpression(_)) =>
            {
                Some(Place::unknown())
            }
            None => None,
        }
    }

    /// What a call gives, when that is shared.
    fn result(&self, call: &CallExpression<'a>) -> Option<Place> {
        let callee = self.place(&call.callee)?;
        if callee.gives_prototypes() {
            return Some(Place::unknown());
        }
        if callee != Place::global("require") || self.is_module {
            return None;
        }
        match self.targets.get(call.common_js_require()?.value.as_str()) {
            Some(Target::Host(module)) => Some(Place::host(module)),
            _ => None,
        }
    }

    // --- What is checked ---

    fn global(&self, name: &str, node: NodeId, is_write: bool) -> Result<(), Breach> {
        if self.is_dead(node) {
            return Ok(());
        }
        let span = self.span(node);
        let breach = |reason: &str| Err(Breach::new(span, reason));
        let is_common_js = !self.is_module && is_of_common_js(name);
        match name {
            "arguments" if self.function_of(node).is_some() => Ok(()),
            "arguments" => breach("`arguments` stands outside of functions"),
            "require" if self.is_module => breach("an ES module uses require()"),
            _ if is_write && is_common_js && name != "require" => Ok(()),
            _ if is_write => Err(Breach::new(span, format!("the global {name} is written to"))),
            _ => self.used(node, Place::global(name)),
        }
    }

    /// What else has a meaning that is not plain to see.
    fn node(&self, id: NodeId) -> Result<(), Breach> {
        let kind = self.nodes.kind(id);
        let breach = |reason: &str| Err(Breach::new(kind.span(), reason));
        match kind {
            AstKind::ImportExpression(_) => breach("import() is not supported"),
            AstKind::ImportMeta(_) => breach("import.meta is not supported"),
            AstKind::WithStatement(_) => breach("names within `with` may be anything"),
            AstKind::AwaitExpression(_) if !self.is_in_function(id) => {
                breach("top-level await is not supported")
            }
            AstKind::ForOfStatement(it) if it.r#await && !self.is_in_function(id) => {
                breach("top-level await is not supported")
            }
            AstKind::ReturnStatement(_) if self.is_module && !self.is_in_function(id) => {
                breach("`return` stands outside of functions")
            }
            AstKind::ThisExpression(_) if !self.is_dead(id) => self.this(id),
            AstKind::StaticMemberExpression(member) => {
                self.member(id, &member.object, member.property.name.as_str())
            }
            AstKind::ComputedMemberExpression(member) => match member.static_property_name() {
                Some(name) => self.member(id, &member.object, name.as_str()),
                None => Ok(()),
            },
            AstKind::BindingProperty(property) => self.taken_apart(&property.key),
            AstKind::AssignmentTargetPropertyProperty(property) => self.taken_apart(&property.name),
            AstKind::AssignmentTargetPropertyIdentifier(property)
                if matches!(property.binding.name.as_str(), "constructor" | "__proto__") =>
            {
                breach("what is shared is taken from an object")
            }
            AstKind::StringLiteral(literal)
                if matches!(literal.value.as_str(), "constructor" | "__proto__")
                    && !self.is_harmless_text(id) =>
            {
                breach("the name of what is shared may be computed")
            }
            AstKind::CallExpression(call) => self.require(call),
            _ => Ok(()),
        }
    }

    /// Reading `x.constructor` and its like of something that is the script's own.
    fn member(&self, id: NodeId, object: &Expression<'a>, name: &str) -> Result<(), Breach> {
        if matches!(name, "__defineGetter__" | "__defineSetter__" | "__lookupGetter__" | "__lookupSetter__") {
            return Err(Breach::new(self.span(id), format!("{name} may reach what is shared")));
        }
        let is_shared = match name {
            "constructor" | "__proto__" => !(name == "constructor" && self.is_this_of_class(object)),
            "prototype" => matches!(object, Expression::Super(_)),
            _ => false,
        };
        // What begins with something shared has been followed from there.
        if !is_shared || self.is_dead(id) || self.is_written(id) || self.place(object).is_some() {
            return Ok(());
        }
        self.used(id, Place::unknown())
    }

    fn is_this_of_class(&self, object: &Expression<'a>) -> bool {
        let Expression::ThisExpression(this) = object.without_parentheses() else { return false };
        let mut ancestors = self.nodes.ancestors(this.node_id.get());
        ancestors
            .find_map(|node| match node.kind() {
                AstKind::Function(_) => {
                    Some(matches!(self.nodes.parent_kind(node.id()), AstKind::MethodDefinition(_)))
                }
                AstKind::PropertyDefinition(_) | AstKind::StaticBlock(_) => Some(true),
                _ => None,
            })
            .unwrap_or(false)
    }

    fn taken_apart(&self, key: &PropertyKey<'a>) -> Result<(), Breach> {
        match key.static_name().as_deref() {
            Some("constructor" | "__proto__") => {
                Err(Breach::new(key.span(), "what is shared is taken from an object"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the text `"constructor"` stands where it names no property that is read later on.
    fn is_harmless_text(&self, id: NodeId) -> bool {
        let span = self.span(id);
        match self.nodes.parent_kind(id) {
            AstKind::BinaryExpression(_)
            | AstKind::SwitchCase(_)
            | AstKind::ArrayExpression(_)
            | AstKind::ExpressionStatement(_)
            | AstKind::MethodDefinition(_)
            | AstKind::ImportSpecifier(_)
            // Read and written names are seen as members.
            | AstKind::ComputedMemberExpression(_) => true,
            AstKind::ObjectProperty(property) => property.key.span() == span || property.key.is_specific_static_name("key"),
            AstKind::CallExpression(call) => match call.callee.get_inner_expression() {
                Expression::StaticMemberExpression(member) => matches!(
                    member.property.name.as_str(),
                    "hasOwnProperty" | "hasOwn" | "includes" | "indexOf" | "has" | "call" | "defineProperty"
                ),
                _ => false,
            },
            _ => false,
        }
    }

    /// The calls to `require` of a CommonJS module.
    fn require(&self, call: &CallExpression<'a>) -> Result<(), Breach> {
        let is_require = call.callee.is_specific_id("require") && self.is_unresolved(&call.callee);
        if self.is_module || !is_require || self.is_dead(call.node_id.get()) {
            return Ok(());
        }
        let breach = |reason: &str| Err(Breach::new(call.span, reason));
        match call.common_js_require().map(|literal| self.targets.get(literal.value.as_str())) {
            None => breach("what require() asks for is computed"),
            Some(Some(Target::Es(_))) => breach("require() of an ES module"),
            Some(_) => Ok(()),
        }
    }

    /// Follows what stands at `node`, which is `place`, to where it is used.
    fn used(&self, mut node: NodeId, mut place: Place) -> Result<(), Breach> {
        if self.is_dead(node) {
            return Ok(());
        }
        loop {
            let parent = self.nodes.parent_id(node);
            let span = self.span(node);
            let is_this = |expression: &Expression<'a>| expression.span() == span;
            let kind = self.nodes.kind(parent);
            match kind {
                AstKind::ParenthesizedExpression(_) | AstKind::ChainExpression(_) => {
                    node = parent;
                    continue;
                }
                AstKind::StaticMemberExpression(member) if is_this(&member.object) => {
                    place = place.member(&member.property.name);
                    node = parent;
                    continue;
                }
                AstKind::ComputedMemberExpression(member) if is_this(&member.object) => {
                    if let Some(name) = member.static_property_name() {
                        place = place.member(&name);
                        node = parent;
                        continue;
                    }
                    return self.computed(parent, &place);
                }
                AstKind::CallExpression(call) if is_this(&call.callee) => {
                    if self.result(call).is_none() {
                        return self.called(span, &place);
                    }
                    // Required, or the prototype of something.
                    place = self.result(call).unwrap_or_else(Place::unknown);
                    node = parent;
                    continue;
                }
                _ => {}
            }
            if self.is_written(node) {
                let is_writable = place.is_writable(self.is_module);
                return if is_writable { Ok(()) } else { self.breach(span, &place, "is written to") };
            }
            let nature = place.nature(self.is_module);
            if matches!(nature, Nature::Primitive | Nature::Own) {
                return Ok(());
            }
            let goes_up = match kind {
                AstKind::SequenceExpression(sequence) => sequence.expressions.last().is_some_and(is_this),
                AstKind::LogicalExpression(logical) => {
                    logical.operator != LogicalOperator::And || is_this(&logical.right)
                }
                AstKind::ConditionalExpression(choice) => !is_this(&choice.test),
                AstKind::AwaitExpression(_) => true,
                _ => false,
            };
            if !goes_up {
                return self.consumed(node, &place, nature);
            }
            node = parent;
        }
    }

    /// `http[method]`: who knows which, so it may only be called.
    fn computed(&self, member: NodeId, place: &Place) -> Result<(), Breach> {
        let span = self.span(member);
        if self.is_written(member) {
            let is_writable = place.member("*").is_writable(self.is_module);
            return if is_writable { Ok(()) } else { self.breach(span, place, "is written to") };
        }
        let is_called = match self.nodes.parent_kind(member) {
            AstKind::CallExpression(call) => call.callee.span() == span,
            _ => false,
        };
        match place.member("*").nature(self.is_module) {
            Nature::Own | Nature::Primitive => Ok(()),
            _ if is_called && place.has_methods_safe_to_call() => Ok(()),
            _ => self.breach(span, place, "is read by a computed name"),
        }
    }

    fn called(&self, span: Span, callee: &Place) -> Result<(), Breach> {
        if callee.is_unsafe_to_call() { self.breach(span, callee, "is called") } else { Ok(()) }
    }

    /// Where the way up ends: what is shared must not get out of sight here.
    fn consumed(&self, node: NodeId, place: &Place, nature: Nature) -> Result<(), Breach> {
        let span = self.span(node);
        let is_this = |expression: &Expression<'a>| expression.span() == span;
        let parent = self.nodes.parent_id(node);
        let may_be_inherited_from = place.may_be_inherited_from(self.is_module);
        let is_fine = match self.nodes.kind(parent) {
            AstKind::ExpressionStatement(_)
            | AstKind::UnaryExpression(_)
            | AstKind::BinaryExpression(_)
            | AstKind::LogicalExpression(_)
            | AstKind::ConditionalExpression(_)
            | AstKind::SequenceExpression(_)
            | AstKind::IfStatement(_)
            | AstKind::WhileStatement(_)
            | AstKind::DoWhileStatement(_)
            | AstKind::ForStatement(_)
            | AstKind::SwitchStatement(_)
            | AstKind::SwitchCase(_)
            | AstKind::ForInStatement(_)
            | AstKind::ComputedMemberExpression(_)
            | AstKind::ExportSpecifier(_)
            | AstKind::MethodDefinition(_)
            | AstKind::PrivateInExpression(_) => true,
            AstKind::ExportDefaultDeclaration(export) => {
                export.declaration.as_expression().is_some_and(|it| self.place(it).is_some())
            }
            AstKind::TemplateLiteral(_) => {
                !matches!(self.nodes.parent_kind(parent), AstKind::TaggedTemplateExpression(_))
            }
            AstKind::TaggedTemplateExpression(_) => return self.called(span, place),
            AstKind::NewExpression(new) if is_this(&new.callee) => return self.called(span, place),
            AstKind::Class(class) if class.heritage.as_ref().is_some_and(|it| is_this(&it.expression)) => {
                return self.called(span, place);
            }
            AstKind::CallExpression(call) => self.is_fine_argument(call, span, place, nature),
            AstKind::VariableDeclarator(declarator) => self.aliases.contains(&declarator.span),
            AstKind::AssignmentExpression(assignment) => {
                is_arithmetic(assignment.operator) || (may_be_inherited_from && is_to_proto(assignment))
            }
            AstKind::ObjectProperty(property) => {
                let is_proto = property.kind == PropertyKind::Init
                    && !property.computed
                    && property.key.is_specific_static_name("__proto__");
                (property.computed && property.key.span() == span) || (is_proto && may_be_inherited_from)
            }
            AstKind::PropertyDefinition(property) => property.computed && property.key.span() == span,
            _ => false,
        };
        if is_fine || nature == Nature::Function {
            return Ok(());
        }
        self.breach(span, place, "gets where it may be written to")
    }

    fn is_fine_argument(&self, call: &CallExpression<'a>, span: Span, place: &Place, nature: Nature) -> bool {
        let index = call.arguments.iter().position(|argument| argument.span() == span);
        let Some(callee) = self.place(&call.callee) else {
            let method = call.callee.get_inner_expression().as_member_expression();
            let method = method.and_then(|member| member.static_property_name());
            return place.is_conversion() && method.is_some_and(|name| CALLING_METHODS.contains(&name));
        };
        let takes_prototype = match index {
            Some(0) => callee.is("Object.create"),
            Some(1) => callee.is("Object.setPrototypeOf") || callee.is("Reflect.setPrototypeOf"),
            _ => false,
        };
        let is_constructed = index == Some(0)
            && nature == Nature::Class
            && !place.is_unsafe_to_call()
            && callee.is("Reflect.construct");
        let is_text = callee.is("JSON.stringify") && call.arguments.len() == 1;
        let is_callback = index == Some(1) && place.is_conversion() && callee.is("Array.from");
        callee.only_reads()
            || is_text
            || is_constructed
            || is_callback
            || (takes_prototype && place.may_be_inherited_from(self.is_module))
    }

    /// Whether the expression at `node` is the target of an assignment or its like.
    pub(super) fn is_written(&self, node: NodeId) -> bool {
        let span = self.span(node);
        match self.nodes.parent_kind(node) {
            AstKind::AssignmentExpression(assignment) => assignment.left.span() == span,
            AstKind::UpdateExpression(_) => true,
            AstKind::UnaryExpression(unary) => unary.operator == UnaryOperator::Delete,
            AstKind::ForInStatement(it) => it.left.span() == span,
            AstKind::ForOfStatement(it) => it.left.span() == span,
            AstKind::ArrayAssignmentTarget(_) | AstKind::AssignmentTargetRest(_) => true,
            AstKind::AssignmentTargetWithDefault(it) => it.binding.span() == span,
            AstKind::AssignmentTargetPropertyProperty(it) => it.binding.span() == span,
            // `delete (x.y)` and `delete x?.y`
            AstKind::ParenthesizedExpression(_) | AstKind::ChainExpression(_) => {
                self.is_written(self.nodes.parent_id(node))
            }
            _ => false,
        }
    }

    // --- `this` of sloppy functions ---

    /// `this` is the global object in a sloppy function that is called as it is.
    fn this(&self, id: NodeId) -> Result<(), Breach> {
        if self.scoping.scope_flags(self.nodes.get_node(id).scope_id()).is_strict_mode() {
            return Ok(());
        }
        match self.function_of(id) {
            Some(function) if !self.has_own_this(function) => {
                Err(Breach::new(self.span(id), "`this` may be the global object"))
            }
            _ => Ok(()),
        }
    }

    fn has_own_this(&self, function: NodeId) -> bool {
        let AstKind::Function(it) = self.nodes.kind(function) else { return true };
        if let Some(symbol) = it.id.as_ref().and_then(|id| id.symbol_id.get())
            && it.is_declaration()
        {
            return self.is_called_with_this(symbol);
        }
        let span = it.span;
        let mut node = self.nodes.parent_id(function);
        while let AstKind::ParenthesizedExpression(_) = self.nodes.kind(node) {
            node = self.nodes.parent_id(node);
        }
        match self.nodes.kind(node) {
            AstKind::MethodDefinition(_) | AstKind::ObjectProperty(_) | AstKind::PropertyDefinition(_) => {
                true
            }
            AstKind::NewExpression(new) => new.callee.span().contains_inclusive(span),
            AstKind::AssignmentExpression(assignment) => match &assignment.left {
                AssignmentTarget::AssignmentTargetIdentifier(name) => {
                    self.symbol(name.reference_id.get()).is_some_and(|it| self.is_called_with_this(it))
                }
                AssignmentTarget::StaticMemberExpression(member) => {
                    !is_export(&member.object, &member.property.name)
                        || member.property.name.starts_with(char::is_uppercase)
                }
                AssignmentTarget::ComputedMemberExpression(_) => true,
                _ => false,
            },
            AstKind::VariableDeclarator(declarator) => {
                let name = declarator.id.get_binding_identifier();
                let symbol = name.and_then(|name| name.symbol_id.get());
                symbol.is_some_and(|it| self.is_called_with_this(it))
            }
            AstKind::StaticMemberExpression(member) => self.is_given_this(node, &member.property.name),
            _ => false,
        }
    }

    /// `(function () { … }).call(this)`
    fn is_given_this(&self, member: NodeId, method: &str) -> bool {
        let AstKind::CallExpression(call) = self.nodes.parent_kind(member) else { return false };
        if !matches!(method, "call" | "apply" | "bind") || call.callee.span() != self.span(member) {
            return false;
        }
        match call.arguments.first() {
            Some(Argument::ThisExpression(this)) => self.this(this.node_id.get()).is_ok(),
            Some(Argument::NullLiteral(_) | Argument::SpreadElement(_)) | None => false,
            Some(argument) => argument.as_expression().is_some_and(|it| !it.is_specific_id("undefined")),
        }
    }

    /// Whether a function of this name is used as a constructor or a method and never called as it is.
    fn is_called_with_this(&self, symbol: SymbolId) -> bool {
        self.scoping.get_resolved_references(symbol).all(|reference| {
            let node = reference.node_id();
            match self.nodes.parent_kind(node) {
                AstKind::CallExpression(call) => {
                    call.callee.span() != self.span(node) && self.is_constructor(symbol)
                }
                AstKind::NewExpression(_)
                | AstKind::StaticMemberExpression(_)
                | AstKind::ComputedMemberExpression(_)
                | AstKind::BinaryExpression(_)
                | AstKind::AssignmentExpression(_)
                | AstKind::ObjectProperty(_) => true,
                _ => self.is_constructor(symbol),
            }
        }) || self.guards_itself(symbol)
    }

    /// Named like one, or with something on its prototype, or made with `new` somewhere.
    fn is_constructor(&self, symbol: SymbolId) -> bool {
        self.scoping.symbol_name(symbol).starts_with(char::is_uppercase)
            || self.scoping.get_resolved_references(symbol).any(|reference| {
                match self.nodes.parent_kind(reference.node_id()) {
                    AstKind::NewExpression(new) => new.callee.span() == self.span(reference.node_id()),
                    AstKind::StaticMemberExpression(member) => member.property.name == "prototype",
                    _ => false,
                }
            })
    }

    /// `if (!(this instanceof F)) return new F()`
    fn guards_itself(&self, symbol: SymbolId) -> bool {
        self.scoping.get_resolved_references(symbol).any(|reference| {
            match self.nodes.parent_kind(reference.node_id()) {
                AstKind::BinaryExpression(binary) => {
                    binary.operator == BinaryOperator::Instanceof
                        && matches!(binary.left, Expression::ThisExpression(_))
                }
                _ => false,
            }
        })
    }

    // --- Where things are ---

    /// The innermost function around a node that has a `this` of its own, or code of a class.
    fn function_of(&self, node: NodeId) -> Option<NodeId> {
        self.nodes
            .ancestors(node)
            .find(|ancestor| {
                matches!(
                    ancestor.kind(),
                    AstKind::Function(_) | AstKind::PropertyDefinition(_) | AstKind::StaticBlock(_)
                )
            })
            .map(oxc::semantic::AstNode::id)
    }

    /// Whether code runs later than the module, or not in its function.
    fn is_in_function(&self, node: NodeId) -> bool {
        self.nodes.ancestor_kinds(node).any(|kind| {
            matches!(
                kind,
                AstKind::Function(_)
                    | AstKind::ArrowFunctionExpression(_)
                    | AstKind::PropertyDefinition(_)
                    | AstKind::StaticBlock(_)
            )
        })
    }

    fn is_dead(&self, node: NodeId) -> bool {
        let span = self.span(node);
        self.dead.iter().any(|dead| dead.contains_inclusive(span))
    }

    fn span(&self, node: NodeId) -> Span {
        self.nodes.kind(node).span()
    }

    fn breach<T>(&self, span: Span, place: &Place, what: &str) -> Result<T, Breach> {
        Err(Breach::new(span, format!("{place} {what}")))
    }
}

/// `module.exports` and `exports.x`: what is exported is called by who knows whom.
fn is_export(object: &Expression<'_>, name: &str) -> bool {
    match object.get_inner_expression() {
        Expression::Identifier(it) => it.name == "exports" || (it.name == "module" && name == "exports"),
        object => object.is_specific_member_access("module", "exports"),
    }
}

fn is_arithmetic(operator: AssignmentOperator) -> bool {
    !matches!(
        operator,
        AssignmentOperator::Assign
            | AssignmentOperator::LogicalAnd
            | AssignmentOperator::LogicalOr
            | AssignmentOperator::LogicalNullish
    )
}

fn is_to_proto(assignment: &AssignmentExpression<'_>) -> bool {
    match &assignment.left {
        AssignmentTarget::StaticMemberExpression(member) => member.property.name == "__proto__",
        _ => false,
    }
}

/// Methods that call what they are given and give it to nobody.
const CALLING_METHODS: &[&str] = &[
    "every",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "flatMap",
    "forEach",
    "map",
    "replace",
    "replaceAll",
    "some",
    "then",
];
