//! Servers to test against, in the test's own process and on free loopback ports.
//!
//! - [`Target`]: a well-behaved HTTP server with an endpoint for everything a client can do.
//! - [`ScriptedServer`]: raw TCP or TLS that does exactly what it is told, faults included.
//! - [`Authority`]: certificates for both, good and bad ones.
//! - [`CountingAllocator`]: what a program allocates.
//!
//! Each server has a thread with a runtime of its own, so tests may use any runtime, also one
//! with a paused clock. Dropping a server stops it.

mod certificates;
mod counting;
mod scripted;
mod server;
mod target;

pub use certificates::{Authority, Credentials, Validity};
pub use counting::{Allocated, CountingAllocator};
pub use scripted::{ScriptedServer, Signal, Step};
pub use target::{Target, TargetOptions, websocket_frame};
