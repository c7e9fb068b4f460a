//! Whether the VUs of a script may share one realm, and the form of its modules in which they do.
//!
//! VUs of a realm have the global object, all that is built in and the objects of host modules in common. They may
//! have them in common when no VU can tell: when nothing of that is ever written to. A module whose text shows this
//! is *confined*. What the text does not show is an [`Escape`], and the script gets a realm for every VU,
//! which is always right and only dearer.
//!
//! How it is shown: names lead to what is shared ([`places`]), and so do `x.constructor`, `x.__proto__` and
//! `Object.getPrototypeOf(x)`. From each such expression the way up the tree is followed to its use ([`uses`]): it may be
//! called, constructed, compared, inherited from, asked for its type, or given a name that is never assigned again, which
//! is then followed likewise. It may not be written to, nor get where it would be out of sight: into
//! an argument, an object, a result. So everything out of sight is the VU's own, and may be written to at will.
//!
//! Functions without a prototype of their own (`http.get`, `parseInt`, `Math.max`) may go anywhere:
//! they have nothing that could be overwritten.
//!
//! What this rests on at run time, since a name computed from data (`a[b][c] = d`) could be `constructor`, and since anyone
//! may try to add to a function: the engine's side makes all that is shared unwritable. Such a write fails as one to a frozen
//! object does; it reaches no other VU. Objects may still have in place of what they inherit something of their own, where
//! the script says so: it assigns to a property of that name, or inherits from objects, functions or errors alone. Of the
//! modules it freezes what their functions return, which is what `import * as ns` sees.
//!
//! How a confined ES module is written is told in [`factory`].

mod assigned;
mod environment;
mod factory;
mod places;
mod uses;

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use oxc::allocator::Allocator;
use oxc::parser::{ParseOptions, Parser};
use oxc::semantic::SemanticBuilder;
use oxc::span::{SourceType, Span};

use self::factory::{Written, write};
use self::places::{Nature, Place};
use self::uses::{Breach, Target, Uses};
use crate::emit::visible_names;
use crate::graph::{ModuleGraph, ModuleId, ModuleKind};
use crate::loader::Draft;
use crate::parse::{Form, Namespace, Request, StaticImport};
use crate::position::Edit;
use crate::stack::with_room_for;

/// Whether the VUs of a script may share a realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// They may: its ES modules are [`ModuleKind::Factory`], to be called once for each VU.
    Shared {
        /// The names of properties that it assigns to: objects may come to have these in place of what they inherit.
        assigned_names: BTreeSet<String>,
        /// It does nothing with `__ENV` but read it: they may have that in common too.
        only_reads_env: bool,
    },
    /// Each needs its own, for this reason.
    Private(Escape),
}

/// What keeps the VUs of a script from sharing a realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escape {
    /// The module's canonical name.
    pub specifier: String,
    /// Line of its source, from 1.
    pub line: u32,
    /// Column of its source in characters, from 1.
    pub column: u32,
    /// What is written there, in a few words.
    pub reason: String,
}

impl fmt::Display for Escape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { specifier, line, column, reason } = self;
        write!(f, "{specifier}:{line}:{column}: {reason}")
    }
}

impl Escape {
    /// The reason of those who ask for realms of their own.
    pub(crate) fn asked_for(specifier: String) -> Self {
        Self { specifier, line: 1, column: 1, reason: "realms of their own are asked for".to_owned() }
    }
}

/// A script whose VUs may share a realm.
pub(crate) struct Confined {
    /// By ES module: the edits that make it a factory.
    pub(crate) edits: HashMap<ModuleId, Vec<Edit>>,
    /// See [`Sharing::Shared`].
    pub(crate) assigned_names: BTreeSet<String>,
    /// See [`Sharing::Shared`].
    pub(crate) only_reads_env: bool,
}

/// What a script is when it is confined, or why it is not.
pub(crate) fn confine(graph: &ModuleGraph, drafts: &[Draft]) -> Result<Confined, Escape> {
    let drafts: HashMap<ModuleId, &Draft> = drafts.iter().map(|draft| (draft.id, draft)).collect();
    let mut confinement =
        Confinement { graph, drafts, order: Vec::new(), wanted: HashMap::new(), shared: HashMap::new() };
    confinement.sort(graph.entry, &mut Vec::new())?;
    confinement.link()?;
    let mut confined =
        Confined { edits: HashMap::new(), assigned_names: BTreeSet::new(), only_reads_env: true };
    for id in std::mem::take(&mut confinement.order) {
        let Some(&draft) = confinement.drafts.get(&id) else { continue };
        let Some(examined) = confinement.examine(draft)? else { continue };
        confined.assigned_names.extend(examined.assigned_names);
        confined.only_reads_env &= examined.only_reads_env;
        if let Some(written) = examined.written {
            confinement.shared.insert(id, written.shared);
            confined.edits.insert(id, written.edits);
        }
    }
    Ok(confined)
}

/// Which exports of a module somebody asks for.
#[derive(Clone, Debug, Default)]
struct Wanted {
    /// Its namespace is taken as a whole, or it is the entry.
    all: bool,
    names: BTreeSet<String>,
}

impl Wanted {
    fn has(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}

/// A module that is confined.
struct Examined {
    /// As a factory, when it is an ES module.
    written: Option<Written>,
    assigned_names: BTreeSet<String>,
    only_reads_env: bool,
}

struct Confinement<'g> {
    graph: &'g ModuleGraph,
    drafts: HashMap<ModuleId, &'g Draft>,
    /// Modules before those that import them.
    order: Vec<ModuleId>,
    wanted: HashMap<ModuleId, Wanted>,
    /// By ES module: which exports are shared.
    shared: HashMap<ModuleId, HashMap<String, Place>>,
}

impl<'g> Confinement<'g> {
    fn is_es(&self, id: ModuleId) -> bool {
        self.graph.module(id).kind == ModuleKind::Es
    }

    fn requests(&self, id: ModuleId) -> impl Iterator<Item = (&'g Request, ModuleId)> + use<'g> {
        let module = self.graph.module(id);
        let draft = self.drafts.get(&id).copied();
        draft
            .into_iter()
            .flat_map(|draft| &draft.requests)
            .filter_map(|request| Some((request, *module.imports.get(&request.specifier)?)))
    }

    fn static_imports(
        &self,
        id: ModuleId,
    ) -> impl Iterator<Item = (&'g Request, &'g StaticImport, ModuleId)> + use<'g> {
        self.requests(id).filter_map(|(request, target)| match &request.form {
            Form::Static(taken) => Some((request, taken, target)),
            Form::Require | Form::Dynamic => None,
        })
    }

    /// Puts a module behind all it asks for. Functions can only be called one after the other, so ES modules in a
    /// cycle stay modules.
    fn sort(&mut self, id: ModuleId, path: &mut Vec<ModuleId>) -> Result<(), Escape> {
        if self.order.contains(&id) {
            return Ok(());
        }
        path.push(id);
        for (request, target) in self.requests(id) {
            match path.iter().position(|&it| it == target) {
                Some(start) if path[start..].iter().any(|&it| self.is_es(it)) => {
                    return Err(self.escape(id, request.offset, "ES modules import each other in a cycle"));
                }
                Some(_) => {}
                None => self.sort(target, path)?,
            }
        }
        path.pop();
        self.order.push(id);
        Ok(())
    }

    /// Finds out which exports are asked for, and that they are there: for a missing one the engine has its error.
    fn link(&mut self) -> Result<(), Escape> {
        self.wanted.insert(self.graph.entry, Wanted { all: true, names: BTreeSet::new() });
        for id in self.order.clone().into_iter().rev() {
            for (request, taken, target) in self.static_imports(id) {
                let mut names: Vec<String> = taken.names.clone();
                names.extend(taken.default.then(|| "default".to_owned()));
                if taken.star.is_some() {
                    names.extend(self.names_by_star(id, &request.specifier));
                }
                for name in &names {
                    let sources = self.sources(target, name);
                    if sources != 1 {
                        let reason = format!("{name} is exported {sources} times by {}", request.specifier);
                        return Err(self.escape(id, request.offset, &reason));
                    }
                }
                let members = taken.namespace.as_ref().map(|namespace| self.members(target, namespace));
                let wanted = self.wanted.entry(target).or_default();
                wanted.all |= members == Some(None);
                wanted.names.extend(members.flatten().into_iter().flatten().cloned());
                wanted.names.extend(names);
                let is_unknown =
                    matches!(self.graph.module(target).kind, ModuleKind::Host(_) | ModuleKind::Json);
                if taken.star.is_some() && is_unknown {
                    return Err(self.escape(id, request.offset, "what `export *` passes on is not known"));
                }
            }
        }
        Ok(())
    }

    /// All that a module's namespace is asked for, when that is certain. A function that looks at its `this` sees the whole.
    fn members(&self, id: ModuleId, namespace: &'g Namespace) -> Option<&'g BTreeSet<String>> {
        let members = namespace.members.as_ref().filter(|_| self.is_es(id))?;
        let is_certain = members.names.iter().all(|name| match self.sources(id, name) {
            0 => true,
            1 => !members.called.contains(name) || self.is_thisless(id, name),
            _ => false,
        });
        is_certain.then_some(&members.names)
    }

    /// Whether what an ES module exports is a function without `this`.
    fn is_thisless(&self, id: ModuleId, name: &str) -> bool {
        let module = self.graph.module(id);
        let is_thisless_in = |specifier: &str, name: &str| {
            module.imports.get(specifier).is_some_and(|&target| self.is_thisless(target, name))
        };
        match module.exports.passed_by_name.get(name) {
            _ if module.kind != ModuleKind::Es => false,
            Some((specifier, name)) => is_thisless_in(specifier, name),
            None if module.exports.has(name) => module.exports.thisless.contains(name),
            None => module.exports.passed_on.iter().any(|specifier| is_thisless_in(specifier, name)),
        }
    }

    /// How many modules a name could come from when it is imported from `id`.
    fn sources(&self, id: ModuleId, name: &str) -> usize {
        let module = self.graph.module(id);
        if module.kind != ModuleKind::Es || module.exports.has(name) {
            return 1;
        }
        let stars = self.static_imports(id).filter(|(_, taken, _)| taken.star.is_some());
        let in_stars = stars.map(|(_, _, target)| match self.graph.module(target).kind {
            ModuleKind::CommonJs => usize::from(visible_names(self.graph, target).contains(name)),
            _ => self.sources(target, name),
        });
        if name == "default" { 0 } else { in_stars.sum() }
    }

    /// The names that a module passes on by `export * from specifier` and somebody asks for.
    fn names_by_star(&self, id: ModuleId, specifier: &str) -> Vec<String> {
        let module = self.graph.module(id);
        let Some(&target) = module.imports.get(specifier) else { return Vec::new() };
        let wanted = self.wanted.get(&id).cloned().unwrap_or_default();
        let visible = visible_names(self.graph, target).into_iter();
        visible.filter(|name| name != "default" && !module.exports.has(name) && wanted.has(name)).collect()
    }

    /// Checks a module, and writes it when it is an ES module.
    fn examine(&self, draft: &Draft) -> Result<Option<Examined>, Escape> {
        let kind = &self.graph.module(draft.id).kind;
        let is_module = match kind {
            ModuleKind::Es => true,
            ModuleKind::CommonJs => false,
            ModuleKind::Json | ModuleKind::Host(_) | ModuleKind::Factory => return Ok(None),
        };
        self.check_namespaces(draft.id)?;
        let targets: HashMap<String, Target> = self
            .requests(draft.id)
            .map(|(request, target)| (request.specifier.clone(), self.target(target)))
            .collect();
        with_room_for(&draft.text, || self.parse(draft, is_module, &targets))
            .map(Some)
            .map_err(|breach| self.escape(draft.id, breach.offset, &breach.reason))
    }

    /// A namespace is an object like any other, so nothing shared may be in it.
    fn check_namespaces(&self, id: ModuleId) -> Result<(), Escape> {
        for (request, taken, target) in self.static_imports(id) {
            let passed_on = self.shared.get(&target).into_iter().flatten();
            let mut objects =
                passed_on.filter(|(_, place)| matches!(place.nature(true), Nature::Object | Nature::Class));
            if taken.namespace.is_some()
                && let Some((_, place)) = objects.next()
            {
                return Err(self.escape(id, request.offset, &format!("{place} is in a namespace")));
            }
        }
        Ok(())
    }

    fn target(&self, id: ModuleId) -> Target {
        match &self.graph.module(id).kind {
            ModuleKind::Host(name) => Target::Host(name.clone()),
            ModuleKind::Es => Target::Es(self.shared.get(&id).cloned().unwrap_or_default()),
            _ => Target::Other,
        }
    }

    fn parse(
        &self,
        draft: &Draft,
        is_module: bool,
        targets: &HashMap<String, Target>,
    ) -> Result<Examined, Breach> {
        let allocator = Allocator::default();
        let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
        let parsed =
            Parser::new(&allocator, &draft.text, SourceType::unambiguous()).with_options(options).parse();
        let built = SemanticBuilder::new()
            .with_build_nodes(true)
            .with_check_syntax_error(is_module)
            .build(&parsed.program);
        if is_module && !built.diagnostics.is_empty() {
            return Err(Breach::new(Span::default(), "the engine has something to say on its syntax"));
        }
        let uses = Uses::new(&built.semantic, is_module, targets);
        uses.check()?;
        let surroundings = || self.surroundings(draft.id, targets);
        let write = || write(&parsed.program, &draft.text, &uses, &surroundings());
        let written = is_module.then(write).transpose()?;
        Ok(Examined {
            written,
            assigned_names: uses.assigned_names().collect(),
            only_reads_env: uses.only_read_env(),
        })
    }

    fn surroundings<'s>(
        &self,
        id: ModuleId,
        targets: &'s HashMap<String, Target>,
    ) -> factory::Surroundings<'s> {
        let stars = self.static_imports(id).filter(|(_, taken, _)| taken.star.is_some());
        factory::Surroundings {
            ids: self.requests(id).map(|(request, target)| (request.specifier.clone(), target)).collect(),
            common_js: self
                .requests(id)
                .filter(|(_, target)| self.graph.module(*target).kind == ModuleKind::CommonJs)
                .map(|(request, _)| request.specifier.clone())
                .collect(),
            targets,
            stars: stars
                .map(|(request, _, _)| {
                    (request.specifier.clone(), self.names_by_star(id, &request.specifier))
                })
                .collect(),
            wanted: self.wanted.get(&id).cloned().unwrap_or_default(),
        }
    }

    fn escape(&self, id: ModuleId, offset: u32, reason: &str) -> Escape {
        let module = self.graph.module(id);
        let text = self.drafts.get(&id).map_or("", |draft| draft.text.as_str());
        let (line, column) = module.mapping.offset_to_source(text, &module.source, offset as usize);
        Escape { specifier: module.specifier.clone(), line, column, reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests;
