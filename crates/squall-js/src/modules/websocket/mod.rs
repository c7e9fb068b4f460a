//! `k6/ws` and `k6/websockets`: sockets as scripts see them.
//!
//! [`opening`] reads what both are told and connects, [`meter`] records their samples. Of `k6/ws` [`blocking`] is the
//! socket: it has a loop of its own, which holds the fiber until it is closed. Of `k6/websockets` [`line`] is the
//! socket, a source of events for the VU's loop, [`object`] what the script holds of it, [`blob`] its bytes.
//! The wire is `squall-ws`'s.

use rquickjs::{Ctx, Function, Object, Result};

mod blob;
mod blocking;
mod line;
mod meter;
mod object;
mod opening;

/// `k6/ws`.
pub(crate) fn blocking_exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    module.set("connect", Function::new(ctx.clone(), blocking::connect)?.with_name("connect")?)?;
    Ok(module)
}

/// `k6/websockets`.
pub(crate) fn exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let module = Object::new(ctx.clone())?;
    module.set("WebSocket", object::constructor(ctx)?)?;
    module.set("Blob", blob::constructor(ctx)?)?;
    Ok(module)
}

/// `k6/experimental/websockets`, which is the same.
pub(crate) fn experimental_exports<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    super::load(ctx, "k6/websockets")
}

/// What Go's WebSocket library says of a farewell that is an error: scripts compare with it.
fn farewell_text(code: u16, reason: &str) -> String {
    let meaning = match code {
        1000 => " (normal)",
        1001 => " (going away)",
        1002 => " (protocol error)",
        1003 => " (unsupported data)",
        1005 => " (no status)",
        1006 => " (abnormal closure)",
        1007 => " (invalid payload data)",
        1008 => " (policy violation)",
        1009 => " (message too big)",
        1010 => " (mandatory extension missing)",
        1011 => " (internal server error)",
        1015 => " (TLS handshake error)",
        _ => "",
    };
    let separator = if reason.is_empty() { "" } else { ": " };
    format!("websocket: close {code}{meaning}{separator}{reason}")
}

/// Whether a farewell with this code is one that a script expects.
fn is_expected(code: u16) -> bool {
    matches!(code, 1000 | 1001)
}

/// What stands for a connection that ended without a farewell: code and reason.
const UNEXPECTED_END: (u16, &str) = (1006, "unexpected EOF");
