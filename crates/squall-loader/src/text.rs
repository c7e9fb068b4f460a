//! From the bytes of a file to its text.

/// UTF-8, or UTF-16 behind a byte order mark, as some editors and shells of Windows write it. What is neither
/// becomes replacement characters.
pub fn decode_text(bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        text => String::from_utf8_lossy(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::decode_text;

    #[test]
    fn a_byte_order_mark_tells_utf_16() {
        assert_eq!(decode_text(b"\xff\xfea\0\x3d\xd8\x00\xde"), "a😀");
        assert_eq!(decode_text(b"\xfe\xff\0a"), "a");
        assert_eq!(decode_text("a😀".as_bytes()), "a😀");
        assert_eq!(decode_text(b"a\xff"), "a\u{fffd}");
        assert_eq!(decode_text(b"\xff\xfea"), "");
    }
}
