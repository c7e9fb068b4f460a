//! Frames as a server may send them, cut anywhere, and what it may not send.

use proptest::prelude::*;
use squall_testing::websocket_frame as frame;

use super::*;

/// Everything that is read of `bytes` when they arrive in pieces of `piece` bytes.
fn read_all(bytes: &[u8], piece: usize, may_compress: bool) -> Result<Vec<Received>, Violation> {
    let mut decoder = Decoder::new(may_compress);
    let mut received = Vec::new();
    for mut arrived in bytes.chunks(piece.max(1)) {
        while let Some(whole) = decoder.read(&mut arrived)? {
            received.push(whole);
        }
        assert!(arrived.is_empty());
    }
    Ok(received)
}

fn violation(bytes: &[u8]) -> Violation {
    read_all(bytes, bytes.len(), false).expect_err("a violation")
}

proptest! {
    #[test]
    fn messages_are_read_however_they_are_cut(
        messages in prop::collection::vec((any::<bool>(), "\\PC{0,300}", 1_usize..4), 0..8),
        piece in 1_usize..600,
        compressed: bool,
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (is_text, text, fragments) in messages {
            let payload = if compressed { deflate::deflate(text.as_bytes()) } else { text.clone().into_bytes() };
            let size = payload.len().div_ceil(fragments).max(1);
            let mut parts: Vec<&[u8]> = payload.chunks(size).collect();
            if parts.is_empty() {
                parts.push(&[]);
            }
            for (index, part) in parts.iter().enumerate() {
                let opcode = match (index, is_text) { (0, true) => 1, (0, false) => 2, _ => 0 };
                let fin = if index + 1 == parts.len() { FIN } else { 0 };
                let rsv1 = if compressed && index == 0 { RSV1 } else { 0 };
                bytes.extend(frame(fin | rsv1 | opcode, part));
                // A control frame may come between the fragments of a message.
                bytes.extend(frame(FIN | 9, b"hi"));
            }
            expected.extend(parts.iter().skip(1).map(|_| Received::Ping(b"hi".to_vec())));
            expected.push(match is_text {
                true => Received::Text(text),
                false => Received::Binary(text.into_bytes()),
            });
            expected.push(Received::Ping(b"hi".to_vec()));
        }
        prop_assert_eq!(read_all(&bytes, piece, true).unwrap(), expected);
    }

    #[test]
    fn what_is_written_is_masked_and_reads_the_same(payload: Vec<u8>, mask: [u8; 4], times in 1_usize..800) {
        let payload = payload.repeat(times);
        let mut out = Vec::new();
        write(&mut out, Opcode::Binary, false, mask, &payload);
        prop_assert_eq!(out[0], FIN | 2);
        prop_assert_eq!(out[1] & MASK, MASK);
        // Unmasked, it is what a server would have written.
        let start = out.len() - payload.len();
        apply(mask, &mut out[start..]);
        prop_assert_eq!(&out[start..], &payload[..]);
        prop_assert_eq!(&out[start - 4..start], &mask[..]);
    }

    #[test]
    fn garbage_never_panics(bytes: Vec<u8>, piece in 1_usize..20) {
        let _ = read_all(&bytes, piece, true);
    }
}

#[test]
fn what_a_server_may_not_do_is_told_by_its_code() {
    let not_utf8 = violation(&frame(FIN | 1, &[0xff]));
    assert_eq!((&not_utf8, not_utf8.close_code()), (&Violation::NotUtf8, 1007));
    let protocol: [(&str, Vec<u8>); 9] = [
        ("unknown opcode", frame(FIN | 3, b"")),
        ("extension", frame(FIN | RSV1 | 1, b"")),
        ("extension", frame(FIN | 0x10 | 1, b"")),
        ("without a beginning", frame(FIN, b"")),
        ("within another", [frame(1, b"a"), frame(FIN | 1, b"b")].concat()),
        ("fragmented", frame(9, b"")),
        ("125", frame(FIN | 9, &[0; 126])),
        ("mask", vec![FIN | 1, MASK]),
        ("half a code", frame(FIN | 8, &[3])),
    ];
    for (part, bytes) in protocol {
        let violation = violation(&bytes);
        assert!(violation.to_string().contains(part), "{part} in {violation}");
        assert_eq!(violation.close_code(), 1002);
    }
    let mut endless = vec![FIN | 2, 127];
    endless.extend_from_slice(&u64::MAX.to_be_bytes());
    assert_eq!(violation(&endless).close_code(), 1009);
}

#[test]
fn farewells_have_a_code_and_a_reason() {
    let read = |payload: &[u8]| read_all(&frame(FIN | 8, payload), 1, false);
    assert_eq!(read(b"").unwrap(), [Received::Close(1005, String::new())]);
    assert_eq!(read(b"\x03\xe8bye").unwrap(), [Received::Close(1000, "bye".to_owned())]);
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
        assert!(read(&code.to_be_bytes()).is_err(), "{code}");
    }
}
