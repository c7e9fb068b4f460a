//! Response bodies: whole, or in timed pieces.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;

/// What every endpoint answers with.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(super) fn full(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).boxed_unsync()
}

/// Pieces with a pause after each but the last. Without a length, so HTTP/1.1 sends them as chunks.
pub(super) fn pieces(pieces: Vec<Bytes>, pause: Duration) -> Body {
    let mut pieces = pieces.into_iter();
    let next = stream::unfold((pieces.next(), pieces, true), move |(piece, mut rest, first)| async move {
        let piece = piece?;
        if !first && !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let following = rest.next();
        Some((Ok(Frame::data(piece)), (following, rest, false)))
    });
    StreamBody::new(next).boxed_unsync()
}

/// `length` bytes that look random but depend on the seed alone (SplitMix64).
pub(super) fn seeded(length: usize, seed: u64) -> Bytes {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_bytes() {
        assert_eq!(seeded(20, 1), seeded(20, 1));
        assert_eq!(seeded(20, 1)[..7], seeded(7, 1));
        assert_ne!(seeded(20, 1), seeded(20, 2));
        assert!(seeded(0, 1).is_empty());
    }

    #[tokio::test]
    async fn pieces_come_in_order() {
        let body = pieces(vec![Bytes::from_static(b"a"), Bytes::from_static(b"b")], Duration::ZERO);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "ab");
    }
}
