//! The `network` option: how the network between a VU and its servers behaves, for all VUs, by scenario, or by
//! weighted shares of the VUs.
//!
//! [`NetworkProfile`] is one behaviour, [`NetworkShares`] divides VUs among several, [`Network`] is the whole option.
//! What the numbers do to a connection is up to whoever connects.

mod conditions;
mod presets;
mod profile;
mod shares;
#[cfg(test)]
mod tests;

pub use conditions::{Chance, Conditions, Stalls};
pub use presets::PRESET_NAMES;
pub use profile::{NetworkBand, NetworkProfile};
pub use shares::{Network, NetworkShares};
