//! The cases: a system, what it is asked, and how much of it is aimed at.

use anyhow::Result;

use super::api::Api;
use super::wrk::Load;

/// A load on a system.
pub(super) struct Case {
    pub(super) system: &'static str,
    pub(super) title: &'static str,
    /// Requests a second on one core.
    pub(super) goal: Option<f64>,
    /// Flags of the service beyond its defaults.
    pub(super) flags: &'static [&'static str],
    /// Whether it is about a real server and says nothing without.
    pub(super) needs_servers: bool,
    /// Makes what the requests need and returns them.
    pub(super) prepare: fn(&Api) -> Result<Load>,
}

pub(super) const CASES: [Case; 1] = [Case {
    system: "fluxor",
    title: "GET /health",
    goal: Some(80_000.0),
    flags: &[],
    needs_servers: false,
    prepare: |_| Ok(Load::get("/health", None)),
}];
