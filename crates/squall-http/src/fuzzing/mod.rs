//! What the fuzz targets in `fuzz/` run and `cargo test` replays: takes any bytes, panics at what must not be.

mod parsers;
mod script;
mod server;
pub mod shapes;
#[cfg(test)]
mod tests;

use arbitrary::Unstructured;

pub use parsers::{cookies, decompression, h1_head, multipart, redirect};

use script::Script;

/// A conversation in the notation of [`shapes`]: whatever a server does, exchanges keep their laws.
pub fn h1_response(data: &[u8]) {
    server::converse(Script::parse(data));
    server::same_in_any_pieces(data);
}

/// The same with conversations made of the shapes that have fooled HTTP clients.
pub fn h1_shapes(data: &[u8]) {
    if let Ok(conversation) = shapes::conversation(&mut Unstructured::new(data)) {
        h1_response(&conversation);
    }
}
