//! What `squall demo` runs: a script of ours and a target for it.

pub mod target;

/// The demo's script; finds its target in `BASE_URL`.
pub const SCRIPT: &str = include_str!("demo/demo.js");
