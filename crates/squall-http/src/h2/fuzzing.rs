//! Doors for the fuzz targets: to the header codec, and to what a connection holds.

use super::{Connection, Wire, hpack};

/// A name and its value.
pub type Field = (Vec<u8>, Vec<u8>);

/// Reads blocks of fields.
#[derive(Debug)]
pub struct HeaderDecoder(hpack::Decoder);

impl Default for HeaderDecoder {
    fn default() -> Self {
        Self(hpack::Decoder::new())
    }
}

impl HeaderDecoder {
    /// The fields of a block; None is for what is none. A field is seen before what follows is known to be good.
    pub fn decode(&mut self, mut block: &[u8], mut see: impl FnMut(&[u8], &[u8])) -> Option<()> {
        let mut line = Vec::new();
        while let Some((name, value)) = self.0.next(&mut block, &mut line).ok()? {
            assert_eq!([&line[..name.end], b": ", &line[value.clone()], b"\r\n"].concat(), line);
            assert_eq!((name.start, name.end + 2), (0, value.start));
            see(&line[name], &line[value]);
            line.clear();
        }
        Some(())
    }

    /// The fields of a block, all or none.
    pub fn fields(&mut self, block: &[u8]) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        self.decode(block, |name, value| fields.push((name.to_vec(), value.to_vec())))?;
        Some(fields)
    }
}

/// Writes blocks of fields.
#[derive(Debug)]
pub struct HeaderEncoder(hpack::Encoder);

impl Default for HeaderEncoder {
    fn default() -> Self {
        Self(hpack::Encoder::new())
    }
}

impl HeaderEncoder {
    /// The peer will remember no more than so many bytes.
    pub fn limit(&mut self, bytes_max: usize) {
        self.0.limit(bytes_max);
    }

    /// A block with these fields.
    pub fn block<'a>(&mut self, fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
        let mut block = Vec::new();
        self.0.start(&mut block);
        for (name, value) in fields {
            self.0.field(name, value, &mut block);
        }
        block
    }
}

impl<S: Wire> Connection<S> {
    /// Whether it is of no more use to anyone.
    pub(crate) fn has_ended(&self) -> bool {
        self.link.borrow().state.has_ended()
    }

    /// What waits to be sent.
    pub(crate) fn unsent_bytes(&self) -> usize {
        let link = self.link.borrow();
        link.state.outbox.len() - link.sent_bytes
    }

    /// What it keeps that a server has made it keep, without bodies.
    pub(crate) fn held_bytes(&self) -> usize {
        self.link.borrow().state.held_bytes()
    }
}
