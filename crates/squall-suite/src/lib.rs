//! Suites: the tests of one service, described by a `suite.toml`.
//!
//! ```text
//! suite.toml ─ Manifest ─ Plan: what runs, in which order ─ Outcome of each test ─ Report over all
//! ```
//!
//! Reads no files and starts no processes; the command line does.

mod manifest;
mod outcome;
mod plan;
mod report;

pub use manifest::{Manifest, ManifestError, Set, Source, Target, Test};
pub use outcome::{Measured, Outcome, Verdict};
pub use plan::{Plan, PlanError, Request, Step};
pub use report::Report;
