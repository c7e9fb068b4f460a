//! Response headers kept as they came: one buffer and the places in it.
//!
//! Most scripts read no header or one, so names are made canonical and values joined only on demand.

use std::ops::Range;

use bytes::Bytes;

/// A field's place in the text: start and end of its name and of its value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place([u32; 4]);

/// A place as it is kept.
const FIELD_BYTES: usize = size_of::<Place>();

impl Place {
    /// The field with a name and a value there.
    pub(crate) fn new(name: Range<usize>, value: Range<usize>) -> Self {
        Self([name.start, name.end, value.start, value.end].map(|index| index as u32))
    }

    fn from_bytes(bytes: &[u8; FIELD_BYTES]) -> Self {
        let (indices, _) = bytes.as_chunks();
        Self(std::array::from_fn(|number| u32::from_ne_bytes(indices[number])))
    }

    fn name_bytes(self) -> usize {
        (self.0[1] - self.0[0]) as usize
    }

    fn name(self, head: &[u8]) -> &[u8] {
        &head[self.0[0] as usize..self.0[1] as usize]
    }

    fn value(self, head: &[u8]) -> &[u8] {
        &head[self.0[2] as usize..self.0[3] as usize]
    }
}

/// The fields of a response head, in wire order.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// The head, and behind it the places of each field's name and value: one allocation holds both.
    bytes: Bytes,
    head_bytes: usize,
    /// The lengths of the names, as bits: it ends most look-ups of a field that is not there.
    name_lengths: u64,
}

impl Headers {
    /// The headers of this head, whose fields are at these places.
    pub(crate) fn new(head: &[u8], fields: impl ExactSizeIterator<Item = Place>) -> Self {
        let mut bytes = Vec::with_capacity(head.len() + fields.len() * FIELD_BYTES);
        bytes.extend_from_slice(head);
        let mut name_lengths = 0;
        for place in fields {
            name_lengths |= length_bit(place.name_bytes());
            bytes.extend_from_slice(place.0.map(u32::to_ne_bytes).as_flattened());
        }
        Self { bytes: bytes.into(), head_bytes: head.len(), name_lengths }
    }

    /// The whole head, from the status line to the empty line.
    pub fn head(&self) -> &[u8] {
        &self.bytes[..self.head_bytes]
    }

    /// The fields in wire order: name as sent, value as bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let (head, places) = self.parts();
        places.iter().map(|place| {
            let place = Place::from_bytes(place);
            (place.name(head), place.value(head))
        })
    }

    /// All values of a field; the name's case does not matter.
    pub fn get_all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let (head, places) = self.parts();
        let may_be_there = self.name_lengths & length_bit(name.len()) != 0;
        let places = if may_be_there { places } else { &[] };
        places.iter().filter_map(move |place| {
            let place = Place::from_bytes(place);
            let is_it =
                place.name_bytes() == name.len() && place.name(head).eq_ignore_ascii_case(name.as_bytes());
            is_it.then(|| place.value(head))
        })
    }

    fn parts(&self) -> (&[u8], &[[u8; FIELD_BYTES]]) {
        let (head, places) = self.bytes.split_at(self.head_bytes);
        (head, places.as_chunks().0)
    }

    /// The first value of a field, when it is text.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.get_all(name).next()?;
        std::str::from_utf8(value).ok()
    }

    /// Whether one of the comma-separated values of a field is this token.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        let is_token = |have: &[u8]| have.trim_ascii().eq_ignore_ascii_case(token.as_bytes());
        self.get_all(name).any(|value| match value.contains(&b',') {
            true => value.split(|byte| *byte == b',').any(is_token),
            false => is_token(value),
        })
    }

    /// k6's `res.headers`: canonical names, values of one name joined with `", "`, in wire order. Without what
    /// Go keeps to itself: how the message was framed, and that the connection ends.
    pub fn canonical(&self) -> Vec<(String, String)> {
        let is_http1 = self.head().starts_with(b"HTTP/1");
        let is_http11 = self.head().starts_with(b"HTTP/1.1");
        let is_chunked = is_http11 && self.get_all("transfer-encoding").next().is_some();
        let is_last = is_http11 && self.has_token("connection", "close");
        let is_hidden = |name: &str| match name {
            "Transfer-Encoding" => is_http1,
            "Content-Length" | "Trailer" => is_chunked,
            "Connection" => is_last,
            _ => false,
        };
        let mut joined: Vec<(String, String)> = Vec::new();
        for (name, value) in self.iter() {
            let name = canonical_name(&String::from_utf8_lossy(name));
            if is_hidden(&name) {
                continue;
            }
            let value = String::from_utf8_lossy(value);
            match joined.iter_mut().find(|(have, _)| *have == name) {
                // Lengths that differ have been refused.
                Some((name, _)) if name == "Content-Length" => {}
                Some((_, values)) => {
                    values.push_str(", ");
                    values.push_str(&value);
                }
                None => joined.push((name, value.into_owned())),
            }
        }
        joined
    }
}

fn length_bit(bytes: usize) -> u64 {
    1 << bytes.min(63)
}

/// A header name as Go writes it: `x-request-id` → `X-Request-Id`. A name that is no token stays.
pub fn canonical_name(name: &str) -> String {
    if !name.bytes().all(is_token_byte) {
        return name.to_owned();
    }
    let mut upper = true;
    name.chars()
        .map(|char| {
            let char = if upper { char.to_ascii_uppercase() } else { char.to_ascii_lowercase() };
            upper = char == '-';
            char
        })
        .collect()
}

/// RFC 9110, 5.6.2.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}
