//! A WebSocket client for load (RFC 6455, and RFC 7692 for compression), usable without JavaScript.
//!
//! A [`Socket`] keeps no buffer while nothing crosses it: bytes are read into one of the thread, and frames go out in the
//! write that finds room. Futures are not `Send`: run them on a current-thread runtime.

mod deflate;
mod frame;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
mod socket;

pub use frame::{MESSAGE_BYTES_MAX, Violation};
pub use handshake::{Connected, Failed, Handshake, Response, connect};
pub use socket::{Event, Message, Socket};
