//! permessage-deflate (RFC 7692) without context takeover, which is all that k6 offers: a message is compressed by itself,
//! so one compressor and one decompressor serve all sockets of a thread.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::frame::{MESSAGE_BYTES_MAX, Violation};

/// What is offered, and accepted, in the handshake.
pub(crate) const EXTENSION: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The end of a flushed block, which does not travel (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

thread_local! {
    // Level 1 is what Go's WebSocket library uses, and so k6.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static DECOMPRESS: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// The message as it travels.
pub(crate) fn deflate(message: &[u8]) -> Vec<u8> {
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        let mut out = Vec::with_capacity(message.len() / 2 + 64);
        loop {
            let read = compress.total_in() as usize;
            compress
                .compress_vec(&message[read..], &mut out, FlushCompress::Sync)
                .expect("a compressor takes any input");
            // Room left over means that the flush is complete.
            if compress.total_in() as usize == message.len() && out.len() < out.capacity() {
                break;
            }
            out.reserve(out.capacity().max(64));
        }
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        out
    })
}

/// The message as it was.
pub(crate) fn inflate(payload: &[u8]) -> Result<Vec<u8>, Violation> {
    DECOMPRESS.with_borrow_mut(|decompress| {
        decompress.reset(false);
        let mut out = Vec::with_capacity((payload.len() * 3 + 64).min(MESSAGE_BYTES_MAX));
        let mut input = payload;
        let mut tail = &TAIL[..];
        loop {
            let before = decompress.total_in();
            let status = decompress
                .decompress_vec(input, &mut out, FlushDecompress::Sync)
                .map_err(|_| Violation::Protocol("a compressed message cannot be read"))?;
            input = &input[(decompress.total_in() - before) as usize..];
            if out.len() > MESSAGE_BYTES_MAX {
                return Err(Violation::TooLong);
            }
            let has_room = out.len() < out.capacity();
            if status == Status::StreamEnd {
                return Ok(out);
            }
            match (input.is_empty(), has_room) {
                (_, false) => out.reserve(out.capacity()),
                (true, true) if tail.is_empty() => return Ok(out),
                (true, true) => input = std::mem::take(&mut tail),
                (false, true) => return Err(Violation::Protocol("a compressed message cannot be read")),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_deflated_is_inflated(message: Vec<u8>, times in 1_usize..200) {
            let message = message.repeat(times);
            prop_assert_eq!(inflate(&deflate(&message)).unwrap(), message);
        }

        #[test]
        fn garbage_never_panics(payload: Vec<u8>) {
            let _ = inflate(&payload);
        }
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        // RFC 7692 §7.2.3.1: "Hello", compressed.
        assert_eq!(inflate(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).unwrap(), b"Hello");
    }
}
