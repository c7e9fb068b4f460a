//! `httpDebug`: showing the messages of a call to whoever wants to see them.

use std::fmt;
use std::rc::Rc;

/// Is shown every message of a call: each request before it is sent, each response after it has arrived.
#[derive(Clone)]
pub struct WireLog(Rc<dyn Fn(WireEvent<'_>)>);

/// A message as it goes over the wire; an HTTP/2 head is written out as HTTP/1.1 would.
#[derive(Clone, Copy, Debug)]
pub enum WireEvent<'a> {
    /// A request is about to be sent.
    Request {
        /// Request line and headers, with the empty line.
        head: &'a [u8],
        /// The body, compressed if asked for.
        body: &'a [u8],
    },
    /// The response to the last request has arrived.
    Response {
        /// Status line and headers, with the empty line.
        head: &'a [u8],
        /// The body as received; empty when it was not kept.
        body: &'a [u8],
    },
}

impl WireLog {
    /// A log that hands every message to `show`.
    pub fn new(show: impl Fn(WireEvent<'_>) + 'static) -> Self {
        Self(Rc::new(show))
    }

    pub(crate) fn request(&self, head: &str, body: &[u8]) {
        (self.0)(WireEvent::Request { head: head.as_bytes(), body });
    }

    pub(crate) fn response(&self, head: &[u8], body: &[u8]) {
        (self.0)(WireEvent::Response { head, body });
    }
}

impl fmt::Debug for WireLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireLog").finish_non_exhaustive()
    }
}
