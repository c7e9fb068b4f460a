//! The service to try Squall on: Breakwater's Connex in this process, with its data in memory.

use std::net::SocketAddr;

use anyhow::Error;
use breakwater::service::System;

use crate::embedded::{self, Embedded};

/// Starts it at `address`, as its suite wants it; port 0 is any free port.
pub fn start(address: SocketAddr) -> anyhow::Result<Embedded> {
    let mut settings = embedded::settings(&super::suite().target.breakwater_options).map_err(Error::msg)?;
    settings.server.listen = address;
    // One thread of the machine's few: the rest are Squall's.
    settings.server.workers = 1;
    Embedded::start(System::Connex, settings)
}
