//! What the fuzz targets in `fuzz/` run and `cargo test` replays: takes any bytes, panics at what must not be.

mod h2_server;
mod h2_shapes;
mod parsers;
mod script;
mod server;
pub mod shapes;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use arbitrary::Unstructured;
use tokio::io::ReadBuf;

pub use crate::h2::fuzzing::{Field, HeaderDecoder, HeaderEncoder};
pub use parsers::{cookies, decompression, h1_head, multipart, redirect};

use script::Script;

/// Gives the client the next piece that a server has sent, or what of it fits. False when there is none.
fn deliver(readable: &mut VecDeque<Vec<u8>>, delivered: &mut Vec<u8>, buf: &mut ReadBuf<'_>) -> bool {
    let Some(mut bytes) = readable.pop_front() else { return false };
    let rest = bytes.split_off(bytes.len().min(buf.remaining()));
    buf.put_slice(&bytes);
    delivered.extend(bytes);
    if !rest.is_empty() {
        readable.push_front(rest);
    }
    true
}

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

/// Bytes from an HTTP/2 server: whatever they are, exchanges keep their laws, in any pieces.
pub fn h2_response(data: &[u8]) {
    h2_server::same_in_any_pieces(data);
}

/// The same with connections made of frames, good and bad, and of what else may happen to a connection.
pub fn h2_shapes(data: &[u8]) {
    if let Ok(plan) = h2_shapes::plan(&mut Unstructured::new(data)) {
        h2_server::converse(plan);
    }
}

/// Blocks of fields, each with its length in front: read or refused, and what is read can be written and read again.
pub fn hpack(data: &[u8]) {
    let (mut decoder, mut encoder, mut reader) =
        (HeaderDecoder::default(), HeaderEncoder::default(), HeaderDecoder::default());
    for block in blocks(data) {
        let Some(fields) = decoder.fields(block) else { return };
        encoder.limit(block.len() * 16);
        let written = encoder.block(fields.iter().map(|(name, value)| (&name[..], &value[..])));
        let lowered = fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        assert_eq!(reader.fields(&written), Some(lowered.collect()));
    }
}

/// Splits what is fuzzed with: each block has its length in front, the last is what is left.
pub fn blocks(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first()?;
        let (block, behind) = rest.split_at(usize::from(*length).min(rest.len()));
        data = behind;
        Some(block)
    })
}
