//! The servers of a run: nginx, and the test target where there are sockets.

use anyhow::Result;

use super::case::Listener;
use super::nginx::Nginx;
use crate::target::Target;

/// What the tools talk to. Dropping it ends them.
pub(super) struct Servers {
    pub(super) nginx: Nginx,
    target: Option<Target>,
}

impl Servers {
    /// Starts nginx, and the target if there are sockets.
    pub(super) fn start(has_sockets: bool) -> Result<Servers> {
        let target = if has_sockets { Some(Target::start_release()?) } else { None };
        Ok(Servers { nginx: Nginx::start()?, target })
    }

    /// The root of what a listener serves.
    pub(super) fn url(&self, listener: Listener) -> String {
        match (&self.target, listener) {
            (Some(target), Listener::Sockets) => format!("{}/", target.base),
            _ => self.nginx.url(listener),
        }
    }
}
