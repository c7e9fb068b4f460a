//! The QuickJS host: runs scripts as VUs on fibers and gives them k6's modules.
//!
//! A [`Script`] is loaded once; each worker thread makes a [`JsHost`] from a [`Blueprint`], and the engine asks the
//! host for VUs. From there on `vu` is the file to read: a VU is a fiber that runs one task after the other
//! (`stages`), and host functions (`modules`, `globals`) find their VU through `vu::current`.

mod atoms;
mod classes;
mod console;
mod errors;
mod event_loop;
mod globals;
mod guard;
mod modules;
mod network;
mod realm;
mod runtime;
mod script;
mod stacks;
mod stages;
mod tags;
#[cfg(test)]
mod testing;
mod vu;
mod worker;

pub use runtime::stack::mappings_of_stack;
pub use script::Script;
pub use vu::JsVu;
pub use worker::{Blueprint, Exports, JsHost, Settings, SharedData, SummaryFile};
