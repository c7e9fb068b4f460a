//! Turns an entry script into a [`ModuleGraph`]: every file it can reach, resolved, read or fetched, stripped
//! of types, told apart as ES module, CommonJS or JSON, and ready to be evaluated.
//!
//! ```text
//! Entry ─ resolve ─ read | fetch ─ strip types ─ analyse ─┐
//!            ▲                                            ├─ emit ─ ModuleGraph
//!            └──────────── every import ◄─────────────────┘
//! ```
//!
//! There is no JavaScript engine here. What the engine's side has to provide is written on [`ModuleKind`]
//! and [`Module::code`]; what it may ask afterwards is [`ModuleGraph::resolve`] and, for specifiers known only at run
//! time, [`Loader::load_more`].

mod authored;
mod confine;
mod emit;
mod error;
mod graph;
mod loader;
mod parse;
mod position;
mod remote;
mod resolve;
mod stack;
mod text;
mod trace;
mod typescript;
mod understand;

pub use authored::AuthoredPosition;
pub use confine::{Escape, Sharing};
pub use error::{Importer, LoadError};
pub use graph::{Module, ModuleGraph, ModuleId, ModuleKind};
pub use loader::{Entry, Loader, LoaderConfig, Realms};
pub use remote::Fetch;
pub use text::decode_text;
pub use trace::{code_frame, rewrite_stack};

/// The export of a CommonJS module that stands for its namespace, with keys known only once it has run.
///
/// `import * as ns from "./cjs.js"` is emitted as `import { __squall_namespace as ns } from "./cjs.js"`; the engine's
/// side exports under this name what k6 gives as the namespace: the own enumerable properties of `module.exports`.
pub const NAMESPACE_EXPORT: &str = "__squall_namespace";
