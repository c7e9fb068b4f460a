//! HPACK (RFC 7541): header fields, compressed by what both ends remember of earlier ones.

use std::collections::VecDeque;
use std::ops::Range;

use super::huffman;

/// What each end remembers unless it is told otherwise; we remember no more.
const TABLE_BYTES: usize = 4096;

/// What an entry costs beside its text.
const ENTRY_BYTES: usize = 32;

/// RFC 7541, appendix A; the first has index 1.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// So many of them begin with a colon, and only they.
const STATIC_PSEUDO: usize = 14;

/// The fields that one end remembers, the latest first.
#[derive(Debug)]
struct Table {
    entries: VecDeque<Entry>,
    bytes: usize,
    bytes_max: usize,
}

/// A name and, right behind it, its value.
#[derive(Debug)]
struct Entry {
    text: Box<[u8]>,
    name_bytes: usize,
}

impl Entry {
    fn field(&self) -> (&[u8], &[u8]) {
        self.text.split_at(self.name_bytes)
    }

    fn bytes(&self) -> usize {
        self.text.len() + ENTRY_BYTES
    }
}

impl Table {
    fn new() -> Self {
        Self { entries: VecDeque::new(), bytes: 0, bytes_max: TABLE_BYTES }
    }

    /// The field with this index.
    fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let index = index.checked_sub(1)?;
        match STATIC.get(index) {
            Some((name, value)) => Some((name.as_bytes(), value.as_bytes())),
            None => self.entries.get(index - STATIC.len()).map(Entry::field),
        }
    }

    /// The index of a field that is remembered, or that of another with its name.
    fn find(&self, name: &[u8], value: &[u8]) -> Result<usize, Option<usize>> {
        find(self.entries.iter().map(Entry::field), STATIC.len() + 1, name, value)
    }

    /// Remembers a field. One that is too large makes all others forgotten too.
    fn insert(&mut self, name: &[u8], value: &[u8]) {
        let entry = Entry { text: [name, value].concat().into(), name_bytes: name.len() };
        self.bytes += entry.bytes();
        self.entries.push_front(entry);
        self.evict();
    }

    fn resize(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
        self.evict();
    }

    fn evict(&mut self) {
        while self.bytes > self.bytes_max
            && let Some(entry) = self.entries.pop_back()
        {
            self.bytes -= entry.bytes();
        }
    }
}

/// The same of the fields that have an index for ever.
fn find_static(name: &[u8], value: &[u8]) -> Result<usize, Option<usize>> {
    let (first, fields) = match name.starts_with(b":") {
        true => (1, &STATIC[..STATIC_PSEUDO]),
        false => (1 + STATIC_PSEUDO, &STATIC[STATIC_PSEUDO..]),
    };
    find(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())), first, name, value)
}

/// Looks for a field, whatever the case of its name, among some whose indexes start with `first`.
fn find<'a>(
    fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    first: usize,
    name: &[u8],
    value: &[u8],
) -> Result<usize, Option<usize>> {
    let mut name_index = None;
    for (place, (have, value_there)) in fields.enumerate() {
        if name.len() == have.len() && name.eq_ignore_ascii_case(have) {
            if value == value_there {
                return Ok(first + place);
            }
            name_index.get_or_insert(first + place);
        }
    }
    Err(name_index)
}

/// A block that cannot be read: the connection is lost, as what both ends remember is no longer the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Where a field's name and its value are.
pub(super) type Places = (Range<usize>, Range<usize>);

/// Reads the peer's blocks.
#[derive(Debug)]
pub(super) struct Decoder {
    table: Table,
    /// The block has begun: too late for another size of the table.
    has_fields: bool,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { table: Table::new(), has_fields: false }
    }

    /// Takes the next field off the block and appends it to `text` as a line of HTTP/1.1. Returns the places of its
    /// name and value; None is the block's end.
    pub(super) fn next(
        &mut self,
        block: &mut &[u8],
        text: &mut Vec<u8>,
    ) -> Result<Option<Places>, Malformed> {
        while let Some(first) = block.first().copied() {
            let is_remembered = match first {
                0x80.. => {
                    let index = integer(block, 7)?;
                    let (name, value) = self.table.get(index).ok_or(Malformed)?;
                    self.has_fields = true;
                    return Ok(Some(line(text, |text| push(text, name), |text| push(text, value))?));
                }
                0x40.. => true,
                0x20.. => {
                    let bytes_max = integer(block, 5)?;
                    if bytes_max > TABLE_BYTES || self.has_fields {
                        return Err(Malformed);
                    }
                    self.table.resize(bytes_max);
                    continue;
                }
                // Not to be remembered, or never.
                _ => false,
            };
            let index = integer(block, if is_remembered { 6 } else { 4 })?;
            let rest = std::cell::Cell::new(*block);
            let take = |text: &mut Vec<u8>| {
                let mut block = rest.get();
                let taken = string(&mut block, text);
                rest.set(block);
                taken
            };
            let places = match index {
                0 => line(text, take, take)?,
                index => {
                    let (name, _) = self.table.get(index).ok_or(Malformed)?;
                    line(text, |text| push(text, name), take)?
                }
            };
            *block = rest.get();
            if is_remembered {
                self.table.insert(&text[places.0.clone()], &text[places.1.clone()]);
            }
            self.has_fields = true;
            return Ok(Some(places));
        }
        self.has_fields = false;
        Ok(None)
    }
}

fn push(text: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Malformed> {
    text.extend_from_slice(bytes);
    Ok(())
}

/// Appends a line of what writes its name and its value.
fn line(
    text: &mut Vec<u8>,
    name: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
    value: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<Places, Malformed> {
    let start = text.len();
    name(text)?;
    let name = start..text.len();
    text.extend_from_slice(b": ");
    let start = text.len();
    value(text)?;
    let value = start..text.len();
    text.extend_from_slice(b"\r\n");
    Ok((name, value))
}

/// Takes a number that starts in the low bits of the first byte.
fn integer(block: &mut &[u8], prefix_bits: u32) -> Result<usize, Malformed> {
    let (first, mut rest) = block.split_first().ok_or(Malformed)?;
    let prefix_max = (1_usize << prefix_bits) - 1;
    let mut value = usize::from(*first) & prefix_max;
    if value == prefix_max {
        // Four more bytes: no number here needs more than 28 bits.
        let mut shift = 0;
        loop {
            let (byte, behind) = rest.split_first().ok_or(Malformed)?;
            rest = behind;
            value += usize::from(byte & 0x7f) << shift;
            shift += 7;
            match byte & 0x80 {
                0 => break,
                _ if shift > 21 => return Err(Malformed),
                _ => {}
            }
        }
    }
    *block = rest;
    Ok(value)
}

/// Takes a text and appends it to `text`.
fn string(block: &mut &[u8], text: &mut Vec<u8>) -> Result<(), Malformed> {
    let is_encoded = block.first().is_some_and(|byte| byte & 0x80 != 0);
    let bytes = integer(block, 7)?;
    let (string, rest) = block.split_at_checked(bytes).ok_or(Malformed)?;
    *block = rest;
    match is_encoded {
        true => huffman::decode(string, text).ok_or(Malformed),
        false => push(text, string),
    }
}

/// Writes our blocks. Like k6 it remembers every field that fits, paths and cookies too.
#[derive(Debug)]
pub(super) struct Encoder {
    table: Table,
    /// The table's size has been changed, and in between it was so small: the peer has yet to hear of it.
    shrunk_bytes: Option<usize>,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { table: Table::new(), shrunk_bytes: None }
    }

    /// The peer will remember no more than so many bytes.
    pub(super) fn limit(&mut self, bytes_max: usize) {
        let bytes_max = bytes_max.min(TABLE_BYTES);
        if bytes_max != self.table.bytes_max {
            self.shrunk_bytes = Some(self.shrunk_bytes.map_or(bytes_max, |bytes| bytes.min(bytes_max)));
            self.table.resize(bytes_max);
        }
    }

    /// Starts a block.
    pub(super) fn start(&mut self, block: &mut Vec<u8>) {
        let Some(shrunk_bytes) = self.shrunk_bytes.take() else { return };
        if shrunk_bytes < self.table.bytes_max {
            push_integer(block, 0x20, 5, shrunk_bytes);
        }
        push_integer(block, 0x20, 5, self.table.bytes_max);
    }

    /// Appends a field to the block. The name's case does not matter.
    pub(super) fn field(&mut self, name: &[u8], value: &[u8], block: &mut Vec<u8>) {
        let table = &mut self.table;
        // A request's line is made of fields that have their place for ever, other fields of such that we gave one.
        let found = match name.starts_with(b":") {
            true => find_static(name, value)
                .or_else(|found| table.find(name, value).map_err(|last| found.or(last))),
            false => table
                .find(name, value)
                .or_else(|found| find_static(name, value).map_err(|last| last.or(found))),
        };
        let name_index = match found {
            Ok(index) => return push_integer(block, 0x80, 7, index),
            Err(name_index) => name_index,
        };
        let is_remembered = name.len() + value.len() + ENTRY_BYTES <= table.bytes_max;
        let (mark, prefix_bits) = if is_remembered { (0x40, 6) } else { (0, 4) };
        push_integer(block, mark, prefix_bits, name_index.unwrap_or_default());
        if name_index.is_none() || is_remembered {
            let name = name.to_ascii_lowercase();
            if name_index.is_none() {
                push_string(block, &name);
            }
            if is_remembered {
                table.insert(&name, value);
            }
        }
        push_string(block, value);
    }
}

fn push_integer(block: &mut Vec<u8>, mark: u8, prefix_bits: u32, value: usize) {
    let prefix_max = (1_usize << prefix_bits) - 1;
    if value < prefix_max {
        return block.push(mark | value as u8);
    }
    block.push(mark | prefix_max as u8);
    let mut rest = value - prefix_max;
    while rest >= 0x80 {
        block.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    block.push(rest as u8);
}

/// Appends a text in whichever form is shorter.
fn push_string(block: &mut Vec<u8>, text: &[u8]) {
    let encoded_bytes = huffman::encoded_bytes(text);
    if encoded_bytes < text.len() {
        push_integer(block, 0x80, 7, encoded_bytes);
        huffman::encode(text, block);
    } else {
        push_integer(block, 0, 7, text.len());
        block.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(decoder: &mut Decoder, mut block: &[u8]) -> Result<String, Malformed> {
        let mut text = Vec::new();
        while let Some((name, value)) = decoder.next(&mut block, &mut text)? {
            assert_eq!(text[name.end..value.start], *b": ");
            assert_eq!(value.end + 2, text.len());
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn encode(encoder: &mut Encoder, fields: &[(String, String)]) -> Vec<u8> {
        let mut block = Vec::new();
        encoder.start(&mut block);
        for (name, value) in fields {
            encoder.field(name.as_bytes(), value.as_bytes(), &mut block);
        }
        block
    }

    #[test]
    fn the_requests_of_the_specification() {
        let owned = |fields: &[(&str, &str)]| -> Vec<_> {
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
        let mut check = |fields: &[(&str, &str)], bytes: &[u8]| {
            let block = encode(&mut encoder, &owned(fields));
            assert_eq!(block, bytes);
            let line = |(name, value): &(&str, &str)| format!("{}: {value}\r\n", name.to_lowercase());
            assert_eq!(decode(&mut decoder, &block), Ok(fields.iter().map(line).collect()));
        };
        let (get, http, path) = ((":method", "GET"), (":scheme", "http"), (":path", "/"));
        let host = (":authority", "www.example.com");
        check(
            &[get, http, path, host],
            b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
        );
        check(
            &[get, http, path, host, ("Cache-Control", "no-cache")],
            b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
        );
        check(
            &[
                get,
                (":scheme", "https"),
                (":path", "/index.html"),
                host,
                ("custom-key", "custom-value"),
            ],
            b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf",
        );
    }

    #[test]
    fn a_table_that_was_made_smaller_is_announced() {
        let fields = [("a".to_owned(), "b".to_owned())];
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
        encode(&mut encoder, &fields);
        encoder.limit(0);
        encoder.limit(100_000);
        let block = encode(&mut encoder, &fields);
        assert_eq!(block[..4], [0x20, 0x3f, 0xe1, 0x1f], "down to 0, up to 4,096");
        assert_eq!(decode(&mut decoder, &block).as_deref(), Ok("a: b\r\n"));
    }

    #[test]
    fn malformed_blocks_are_refused() {
        for block in [
            &[0x80][..],                              // index 0
            &[0xbe],                                  // nothing is remembered
            &[0x3f, 0xe2, 0x1f],                      // a table larger than agreed
            &[0x88, 0x20],                            // a table's size behind a field
            &[0x40, 0x01],                            // text cut off
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], // a number without end
            &[0x00, 0x81, 0x00, 0x00],                // a Huffman code cut off
        ] {
            assert_eq!(decode(&mut Decoder::new(), block), Err(Malformed), "{block:x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            blocks in proptest::collection::vec(
                (0..5_usize, proptest::collection::vec(("[a-d]{1,2}", "[ -~]{0,600}"), 0..6)), 1..8,
            ),
        ) {
            let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
            for (size, fields) in blocks {
                encoder.limit(size * 1000);
                let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                let block = encode(&mut encoder, &fields);
                prop_assert_eq!(decode(&mut decoder, &block), Ok(lines));
                prop_assert_eq!(encoder.table.bytes, decoder.table.bytes);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(block in proptest::collection::vec(any::<u8>(), 0..128)) {
            let _ = decode(&mut Decoder::new(), &block);
        }
    }
}
