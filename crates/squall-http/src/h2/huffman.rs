//! The Huffman code of HPACK (RFC 7541, 5.2 and appendix B).
//!
//! The code is canonical: shorter codes first, and among those of a length the symbols in order. So the lengths are
//! all there is to know, and the tables are made of them when this is compiled.

/// How many bits each byte's code has, and in the end that of the mark for the end.
const CODE_BITS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, //
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, //
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, //
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, //
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, //
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, //
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, //
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, //
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, //
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, //
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, //
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, //
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, //
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, //
    30,
];

const SYMBOLS: usize = 257;
const CODE_BITS_MAX: usize = 30;

/// Codes up to this length are looked up at once: they are those of nearly everything in a header.
const SHORT_BITS: u32 = 8;

static TABLES: Tables = Tables::new();

struct Tables {
    /// Each symbol's code.
    codes: [u32; SYMBOLS],
    /// The symbols in the order of their codes.
    symbols: [u16; SYMBOLS],
    /// Of the codes of each length: the first, how many there are, and where their symbols start.
    lengths: [(u32, u32, u16); CODE_BITS_MAX + 1],
    /// The symbol and the length of the code that these bits start with; without a length the code is longer.
    short: [(u8, u8); 1 << SHORT_BITS],
}

impl Tables {
    const fn new() -> Self {
        let mut tables = Self {
            codes: [0; SYMBOLS],
            symbols: [0; SYMBOLS],
            lengths: [(0, 0, 0); CODE_BITS_MAX + 1],
            short: [(0, 0); 1 << SHORT_BITS],
        };
        let (mut code, mut place, mut bits) = (0, 0, 1);
        while bits <= CODE_BITS_MAX {
            code <<= 1;
            let (first, start) = (code, place);
            let mut symbol = 0;
            while symbol < SYMBOLS {
                if CODE_BITS[symbol] as usize == bits {
                    tables.codes[symbol] = code;
                    tables.symbols[place] = symbol as u16;
                    if bits <= SHORT_BITS as usize {
                        tables.fill_short(code, bits, symbol as u8);
                    }
                    code += 1;
                    place += 1;
                }
                symbol += 1;
            }
            tables.lengths[bits] = (first, code - first, start as u16);
            bits += 1;
        }
        tables
    }

    const fn fill_short(&mut self, code: u32, bits: usize, symbol: u8) {
        let free_bits = SHORT_BITS as usize - bits;
        let mut rest = 0;
        while rest < 1 << free_bits {
            self.short[(code as usize) << free_bits | rest] = (symbol, bits as u8);
            rest += 1;
        }
    }

    /// The symbol whose code starts these bits, and the code's length.
    fn find(&self, bits: u32) -> (u16, u32) {
        let (symbol, length) = self.short[(bits >> (32 - SHORT_BITS)) as usize];
        if length != 0 {
            return (symbol.into(), length.into());
        }
        for length in SHORT_BITS as usize + 1..=CODE_BITS_MAX {
            let (first, count, start) = self.lengths[length];
            let nth = (bits >> (32 - length)).wrapping_sub(first);
            if nth < count {
                return (self.symbols[usize::from(start) + nth as usize], length as u32);
            }
        }
        unreachable!("the code is complete")
    }
}

/// How many bytes `text` has when it is encoded.
pub(super) fn encoded_bytes(text: &[u8]) -> usize {
    let bits: usize = text.iter().map(|byte| usize::from(CODE_BITS[usize::from(*byte)])).sum();
    bits.div_ceil(8)
}

/// Appends `text`, encoded, to `output`.
pub(super) fn encode(text: &[u8], output: &mut Vec<u8>) {
    let (mut window, mut have) = (0_u64, 0_u32);
    for byte in text {
        let symbol = usize::from(*byte);
        window = window << CODE_BITS[symbol] | u64::from(TABLES.codes[symbol]);
        have += u32::from(CODE_BITS[symbol]);
        while have >= 8 {
            have -= 8;
            output.push((window >> have) as u8);
        }
    }
    if have > 0 {
        // The rest of the last byte is the start of the mark for the end: ones.
        output.push((window << (8 - have)) as u8 | 0xff >> have);
    }
}

/// Appends what `input` encodes to `output`. None is for what encodes nothing.
pub(super) fn decode(mut input: &[u8], output: &mut Vec<u8>) -> Option<()> {
    let start = output.len();
    // No code is shorter than five bits.
    output.resize(start + input.len() * 8 / 5, 0);
    let text = &mut output[start..];
    let mut text_bytes = 0;
    // The next bits, from the highest down, and how many they are.
    let (mut window, mut have) = (0_u64, 0_u32);
    loop {
        if let Some(next) = input.first_chunk() {
            // As many whole bytes as there is room for; what is behind them does not count and is taken again.
            window |= u64::from_be_bytes(*next) >> have;
            let bytes = (63 - have) / 8;
            input = &input[bytes as usize..];
            have += bytes * 8;
            window &= !(u64::MAX >> have);
        }
        while have <= 56
            && let Some((byte, rest)) = input.split_first()
        {
            window |= u64::from(*byte) << (56 - have);
            have += 8;
            input = rest;
        }
        while have >= SHORT_BITS {
            let (symbol, length) = TABLES.short[(window >> (64 - SHORT_BITS)) as usize];
            if length == 0 {
                break;
            }
            text[text_bytes] = symbol;
            text_bytes += 1;
            window <<= length;
            have -= u32::from(length);
        }
        if have < CODE_BITS_MAX as u32 && !input.is_empty() {
            continue;
        }
        // A long code, or the end.
        let (symbol, length) = TABLES.find((window >> 32) as u32);
        if length > have {
            output.truncate(start + text_bytes);
            let is_padding = have < 8 && window.leading_ones() >= have;
            return is_padding.then_some(());
        }
        text[text_bytes] = u8::try_from(symbol).ok()?;
        text_bytes += 1;
        window <<= length;
        have -= length;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(input: &[u8]) -> Option<Vec<u8>> {
        let mut output = Vec::new();
        decode(input, &mut output).map(|()| output)
    }

    #[test]
    fn the_examples_of_the_specification() {
        let check = |text: &str, hex: &[u8]| {
            let mut encoded = Vec::new();
            encode(text.as_bytes(), &mut encoded);
            assert_eq!(encoded, hex, "{text}");
            assert_eq!(encoded_bytes(text.as_bytes()), hex.len());
            assert_eq!(decoded(hex).as_deref(), Some(text.as_bytes()));
        };
        check("", &[]);
        check("www.example.com", b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff");
        check("no-cache", b"\xa8\xeb\x10\x64\x9c\xbf");
        check("custom-value", b"\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf");
        check(
            "Mon, 21 Oct 2013 20:13:21 GMT",
            b"\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff",
        );
    }

    #[test]
    fn padding_is_short_and_of_ones() {
        assert_eq!(decoded(&[0b0001_1111]), Some(b"a".to_vec()));
        assert_eq!(decoded(&[0b0001_1110]), None, "a zero");
        assert_eq!(decoded(&[0b0001_1111, 0xff]), None, "more than seven bits");
        assert_eq!(decoded(&[0xff; 4]), None, "the mark for the end");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut encoded = Vec::new();
            encode(&text, &mut encoded);
            prop_assert_eq!(encoded.len(), encoded_bytes(&text));
            prop_assert_eq!(decoded(&encoded), Some(text));
        }
    }
}
