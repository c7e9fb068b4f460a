//! Bad networks: what a profile does to the connections of a VU, between the socket and everything above it, TLS
//! included.
//!
//! A [`Link`] is a VU's way to the network: its connections share its bandwidth. [`Shaped`] puts one connection on
//! it: what is written waits in a [`path::Path`] until the socket gets it, what the socket brings waits in another
//! until it may be read. Nothing runs in the background: whoever waits for the connection moves it on. [`Meter`]
//! tells how much of a wait was the network's.

mod dialling;
mod link;
mod meter;
mod path;
mod random;
mod shaped;
#[cfg(test)]
mod tests;
mod timeline;

pub(crate) use dialling::Dialling;
pub use link::{Fault, Link};
pub use meter::Passage;
pub(crate) use shaped::Shaped;
