//! The service to try Squall on: Breakwater's Connex in this process, with its data in memory.

use std::net::SocketAddr;

use breakwater::{kit::config::Settings, service::System};

use crate::embedded::Embedded;

/// Users that there are at the start, with the password of the admin.
const USERS: u32 = 1000;
const ADMIN: &str = "admin@example.com:breakwater-demo";

/// Starts it at `address`; port 0 is any free port.
pub fn start(address: SocketAddr) -> anyhow::Result<Embedded> {
    let mut settings = Settings::default();
    settings.server.listen = address;
    // One thread of the machine's few: the rest are Squall's.
    settings.server.workers = 1;
    settings.connex.connex_seed = USERS;
    settings.connex.connex_admin = vec![ADMIN.into()];
    // All load comes from one address.
    settings.connex.connex_sign_ins_per_address = 0;
    settings.connex.connex_sign_ins_per_account = 0;
    Embedded::start(System::Connex, settings)
}
