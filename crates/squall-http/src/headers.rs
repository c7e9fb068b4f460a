//! Response headers kept as they came: one buffer and the places in it.
//!
//! Most scripts read no header or one, so names are made canonical and values joined only on demand.

use std::ops::Range;

use bytes::Bytes;

/// The fields of a response head, in wire order.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    text: Bytes,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
struct Field {
    name: Range<u32>,
    value: Range<u32>,
}

impl Headers {
    pub(crate) fn with_text(text: Bytes, fields: usize) -> Self {
        Self { text, fields: Vec::with_capacity(fields) }
    }

    /// Adds a field whose name and value lie at these places of the text.
    pub(crate) fn push(&mut self, name: Range<usize>, value: Range<usize>) {
        let narrow = |range: Range<usize>| range.start as u32..range.end as u32;
        self.fields.push(Field { name: narrow(name), value: narrow(value) });
    }

    /// The whole head, from the status line to the empty line.
    pub fn head(&self) -> &Bytes {
        &self.text
    }

    fn slice(&self, range: &Range<u32>) -> &[u8] {
        &self.text[range.start as usize..range.end as usize]
    }

    /// The fields in wire order: name as sent, value as bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| (self.slice(&field.name), self.slice(&field.value)))
    }

    /// All values of a field; the name's case does not matter.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.iter()
            .filter(move |(have, _)| have.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The first value of a field, when it is text.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.iter();
        let (_, value) = fields.find(|(have, _)| have.eq_ignore_ascii_case(name.as_bytes()))?;
        std::str::from_utf8(value).ok()
    }

    /// Whether one of the comma-separated values of a field is this token.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        let mut values = self.get_all(name).flat_map(|value| value.split(|byte| *byte == b','));
        values.any(|have| have.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// k6's `res.headers`: canonical names, values of one name joined with `", "`, in wire order. Without what
    /// Go keeps to itself: how the message was framed, and that the connection ends.
    pub fn canonical(&self) -> Vec<(String, String)> {
        let is_http11 = self.head().starts_with(b"HTTP/1.1");
        let is_chunked = is_http11 && self.get_all("transfer-encoding").next().is_some();
        let is_last = is_http11 && self.has_token("connection", "close");
        let is_hidden = |name: &str| match name {
            "Transfer-Encoding" => true,
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
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
