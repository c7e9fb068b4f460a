//! Writes the code of a module once the kinds of all it imports are known.
//!
//! JavaScript stays as it was written but for what an ES module cannot say of a CommonJS one: its keys are known only
//! at run time, while an engine links imports before anything runs.

use std::collections::{BTreeSet, HashSet};

use crate::NAMESPACE_EXPORT;
use crate::graph::{ModuleGraph, ModuleId, ModuleKind};
use crate::loader::Draft;
use crate::parse::{Form, Request, StaticImport};
use crate::position::Edit;

/// What emitting a module amounts to.
#[derive(Debug, Default)]
pub(crate) struct Emission {
    /// To be made in its text, in order.
    pub(crate) edits: Vec<Edit>,
    /// Names it takes from modules whose exports are known only at run time.
    pub(crate) requested: Vec<(ModuleId, BTreeSet<String>)>,
}

/// What is to be done for one module.
pub(crate) fn emission(graph: &ModuleGraph, draft: &Draft) -> Emission {
    let mut writer = Writer { graph, draft, exported: BTreeSet::new(), emission: Emission::default() };
    match graph.module(draft.id).kind {
        ModuleKind::Es => writer.es(),
        ModuleKind::CommonJs => writer.common_js(),
        ModuleKind::Json | ModuleKind::Host(_) | ModuleKind::Factory => {}
    }
    writer.emission
}

struct Writer<'g> {
    graph: &'g ModuleGraph,
    draft: &'g Draft,
    /// Names that `export *` may no longer export: the module's own and those already expanded.
    exported: BTreeSet<String>,
    emission: Emission,
}

impl Writer<'_> {
    fn es(&mut self) {
        if self.draft.uses_require {
            self.edit(0, 0, "const require=import.meta.require;");
        }
        self.hide_hashbang();
        self.exported.clone_from(&self.graph.module(self.draft.id).exports.names);
        self.requests();
    }

    fn common_js(&mut self) {
        self.edit(0, 0, "(function(exports,require,module,__filename,__dirname){");
        self.hide_hashbang();
        self.requests();
        let end = self.draft.text.len() as u32;
        self.edit(end, end, "\n})");
    }

    /// `#!` is no longer at the start of a file, or the engine may not know it; the line becomes a comment.
    fn hide_hashbang(&mut self) {
        if self.draft.text.starts_with("#!") {
            self.edit(0, 2, "//");
        }
    }

    fn requests(&mut self) {
        for request in &self.draft.requests {
            let Some(&target) = self.graph.module(self.draft.id).imports.get(&request.specifier) else {
                continue;
            };
            match &request.form {
                Form::Static(taken) => self.static_import(target, request, taken),
                Form::Dynamic if self.kind(target) == &ModuleKind::CommonJs => {
                    let names = visible_names(self.graph, target);
                    self.emission.requested.push((target, names));
                }
                Form::Dynamic | Form::Require => {}
            }
        }
    }

    fn static_import(&mut self, target: ModuleId, request: &Request, taken: &StaticImport) {
        if self.kind(target) != &ModuleKind::Es {
            let names = taken.names.iter().filter(|name| *name != "default").cloned().collect();
            self.emission.requested.push((target, names));
        }
        if self.kind(target) == &ModuleKind::CommonJs {
            if let Some(namespace) = &taken.namespace {
                let replacement = format!(" {{ {NAMESPACE_EXPORT} as {} }}", namespace.local);
                self.edit(namespace.span.start, namespace.span.end, &replacement);
            }
            if let Some(star) = taken.star {
                self.expand_star(target, star.start, request.offset);
            }
        }
        // The kind is told by the file, and not every engine's loader accepts attributes.
        if let Some(attributes) = taken.attributes {
            self.edit(attributes.start, attributes.end, "");
        }
    }

    /// `export * from "./cjs.js"` becomes `export { a, b } from "./cjs.js"`.
    fn expand_star(&mut self, target: ModuleId, start: u32, end: u32) {
        let visible = visible_names(self.graph, target);
        let names: BTreeSet<String> = visible.difference(&self.exported).cloned().collect();
        let list = names.iter().cloned().collect::<Vec<_>>().join(", ");
        self.edit(start, end, &format!(" {{ {list} }} from "));
        self.exported.extend(names.iter().cloned());
        self.emission.requested.push((target, names));
    }

    fn kind(&self, id: ModuleId) -> &ModuleKind {
        &self.graph.module(id).kind
    }

    fn edit(&mut self, start: u32, end: u32, replacement: &str) {
        self.emission.edits.push(Edit {
            start: start as usize,
            end: end as usize,
            replacement: replacement.to_owned(),
        });
    }
}

/// The names a module visibly exports, through what it passes on.
pub(crate) fn visible_names(graph: &ModuleGraph, id: ModuleId) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut seen, mut pending) = (HashSet::new(), vec![id]);
    while let Some(id) = pending.pop() {
        if seen.insert(id) {
            let module = graph.module(id);
            names.extend(module.exports.names.iter().cloned());
            pending.extend(
                module.exports.passed_on.iter().filter_map(|specifier| module.imports.get(specifier)),
            );
        }
    }
    names
}
