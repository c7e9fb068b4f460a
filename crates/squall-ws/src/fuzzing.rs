//! What the fuzz target in `fuzz/` runs and `cargo test` replays: takes any bytes, panics at what must not be.

use crate::{
    deflate,
    frame::{Decoder, MESSAGE_BYTES_MAX, Received, Violation},
};

/// What a server sends, after a byte that says whether compression was agreed on and in what pieces it comes: it reads the
/// same in pieces of any size, up to what breaks a rule; what was read is within bounds.
pub fn frames(data: &[u8]) {
    let Some((&way, bytes)) = data.split_first() else { return };
    let may_compress = way & 1 != 0;
    let whole = read(bytes, bytes.len(), may_compress);
    let pieces = read(bytes, usize::from(way >> 1) + 1, may_compress);
    assert_eq!(whole, pieces, "the same in any pieces");
    for received in &whole.0 {
        match received {
            Received::Text(text) => {
                assert!(text.len() <= MESSAGE_BYTES_MAX);
                assert_eq!(
                    deflate::inflate(&deflate::deflate(text.as_bytes())).as_deref(),
                    Ok(text.as_bytes())
                );
            }
            Received::Binary(bytes) => assert!(bytes.len() <= MESSAGE_BYTES_MAX),
            Received::Ping(payload) | Received::Pong(payload) => assert!(payload.len() <= 125),
            Received::Close(code, reason) => {
                assert!(
                    reason.len() <= 123 && (1000..5000).contains(code) && ![1004, 1006, 1015].contains(code)
                );
            }
        }
    }
}

/// Everything that is read when the bytes come in pieces of this size, and what ended it.
fn read(bytes: &[u8], piece: usize, may_compress: bool) -> (Vec<Received>, Option<Violation>) {
    let mut decoder = Decoder::new(may_compress);
    let mut received = Vec::new();
    for mut arrived in bytes.chunks(piece.max(1)) {
        loop {
            match decoder.read(&mut arrived) {
                Ok(Some(whole)) => received.push(whole),
                Ok(None) => break,
                Err(violation) => return (received, Some(violation)),
            }
        }
        assert!(arrived.is_empty(), "all is read, or something is whole");
    }
    (received, None)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::prelude::*;

    #[test]
    fn the_seeds_keep_the_laws() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/ws_frames");
        for file in fs::read_dir(seeds).expect("the target has seeds") {
            let seed = fs::read(file.expect("an entry").path()).expect("a seed");
            // Prefixes are seeds too: whatever can break off does.
            (0..=seed.len()).for_each(|length| super::frames(&seed[..length]));
        }
    }

    proptest! {
        #[test]
        fn anything_keeps_the_laws(data: Vec<u8>) {
            super::frames(&data);
        }
    }
}
