//! Response bodies: takes bytes as they come, in pieces of any size, and tells where the body ends.

use bytes::buf::Limit;
use bytes::{BufMut as _, Bytes};
use squall_net::NetError;

use super::head::{Framing, check_fields};

/// A body that is kept may not be longer than this.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 30;

/// A chunk's size line, extensions included.
const SIZE_LINE_BYTES_MAX: usize = 4096;

/// What chunks may cost beyond a fair price; k6's limit.
const OVERHEAD_BYTES_MAX: u64 = 16 << 10;

/// Trailers, which nobody reads, are not waited for any longer; k6's limit.
const TRAILER_BYTES_MAX: usize = 4096;

/// Lengths are promises: no more than this is reserved on one.
const RESERVED_BYTES_MAX: u64 = 1 << 20;

/// It is not worth a system call to read into less.
const SPACE_BYTES_MIN: usize = 16 << 10;

/// A body on its way in.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    /// None discards what comes.
    kept: Option<Vec<u8>>,
    /// What size lines have cost so far, less what is fair.
    overhead_bytes: u64,
    trailer: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// So many bytes are missing.
    Length(u64),
    UntilClose,
    Chunked(Chunk),
    Done,
}

/// ```text
/// Size ─CRLF─► Data ─► DataEnd ─CRLF─► Size
///   └─ CRLF after 0 ─► End ─CRLF─► done
///                       └─► Trailer ─CRLF CRLF─► done
/// ```
#[derive(Clone, Copy, Debug)]
enum Chunk {
    Size(SizeLine),
    Data(u64),
    DataEnd { has_cr: bool },
    End { has_cr: bool },
    Trailer,
}

#[derive(Clone, Copy, Debug, Default)]
struct SizeLine {
    value: u64,
    digits: u32,
    bytes: usize,
    part: SizePart,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SizePart {
    #[default]
    Digits,
    /// White space, which only the line's end may follow.
    Blank,
    /// Means nothing to us.
    Extension,
    /// The line ends with the next byte.
    Cr,
}

impl Decoder {
    /// A decoder for a body framed like this.
    pub(crate) fn new(framing: Framing, keep: bool) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(bytes) => State::Length(bytes),
            Framing::Chunked => State::Chunked(Chunk::Size(SizeLine::default())),
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, kept: keep.then(Vec::new), overhead_bytes: 0, trailer: Vec::new() }
    }

    /// Where the rest of a body of known length can be read to, once its start is there. There is a byte more than
    /// is missing: should it be filled, something comes behind the body.
    pub(crate) fn space(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let (State::Length(missing), Some(kept)) = (&self.state, &mut self.kept) else { return None };
        let wanted = wanted_bytes(*missing);
        if kept.capacity() - kept.len() < wanted.min(SPACE_BYTES_MIN) {
            // Beyond what was reserved on a promise, as much again as has come.
            kept.reserve(wanted.min(kept.len().max(RESERVED_BYTES_MAX as usize)));
        }
        Some(kept.limit(wanted))
    }

    /// Takes note of so many bytes in that space and says how many of them are not the body's.
    pub(crate) fn filled(&mut self, bytes: usize) -> Result<usize, NetError> {
        let (State::Length(missing), Some(kept)) = (&mut self.state, &mut self.kept) else {
            return Ok(bytes);
        };
        let excess = (bytes as u64).saturating_sub(*missing) as usize;
        *missing -= (bytes - excess) as u64;
        if *missing == 0 {
            self.state = State::Done;
        }
        kept.truncate(kept.len() - excess);
        check_body_limit(kept.len())?;
        Ok(excess)
    }

    /// Whether the body is complete.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Takes the body's part of `input` and says how much that was: less than all only at the body's end.
    pub(crate) fn feed(&mut self, input: &[u8]) -> Result<usize, NetError> {
        let mut rest = input;
        while !rest.is_empty() && !self.is_done() {
            let taken = self.step(rest)?;
            rest = &rest[taken..];
        }
        Ok(input.len() - rest.len())
    }

    /// The connection has ended: is the body complete now?
    pub(crate) fn end(&mut self) -> Result<(), NetError> {
        match self.state {
            State::UntilClose | State::Done => {
                self.state = State::Done;
                Ok(())
            }
            State::Chunked(Chunk::End { .. }) => {
                Err(NetError::generic("http: unexpected EOF reading trailer"))
            }
            State::Chunked(Chunk::Trailer) => Err(trailer_too_long()),
            _ => Err(NetError::generic("unexpected EOF")),
        }
    }

    /// What was kept.
    pub(crate) fn into_body(self) -> Option<Bytes> {
        self.kept.map(Bytes::from)
    }

    fn step(&mut self, input: &[u8]) -> Result<usize, NetError> {
        match &mut self.state {
            State::Done => Ok(0),
            State::UntilClose => {
                keep(&mut self.kept, input)?;
                Ok(input.len())
            }
            State::Length(missing) => {
                let taken = keep_up_to(&mut self.kept, input, missing)?;
                if *missing == 0 {
                    self.state = State::Done;
                }
                Ok(taken)
            }
            State::Chunked(Chunk::Data(missing)) => {
                let taken = keep_up_to(&mut self.kept, input, missing)?;
                if *missing == 0 {
                    self.state = State::Chunked(Chunk::DataEnd { has_cr: false });
                }
                Ok(taken)
            }
            State::Chunked(chunk) => {
                let chunk = *chunk;
                self.state = match self.framing_byte(chunk, input[0])? {
                    Some(next) => State::Chunked(next),
                    None => State::Done,
                };
                Ok(1)
            }
        }
    }

    /// One byte of the framing; None ends the body. As strict as k6 about line ends: where one reader sees
    /// a line and another does not, responses are smuggled.
    fn framing_byte(&mut self, chunk: Chunk, byte: u8) -> Result<Option<Chunk>, NetError> {
        match (chunk, byte) {
            (Chunk::Size(line), b'\n') => self.size_line_end(line).map(Some),
            (Chunk::Size(line), byte) => line.with(byte).map(|line| Some(Chunk::Size(line))),
            (Chunk::Data(_), _) => unreachable!("data is taken in bulk"),
            (Chunk::DataEnd { has_cr: false }, b'\r') => Ok(Some(Chunk::DataEnd { has_cr: true })),
            (Chunk::DataEnd { has_cr: true }, b'\n') => Ok(Some(Chunk::Size(SizeLine::default()))),
            (Chunk::DataEnd { .. }, _) => Err(NetError::generic("malformed chunked encoding")),
            (Chunk::End { has_cr: false }, b'\r') => Ok(Some(Chunk::End { has_cr: true })),
            (Chunk::End { has_cr: true }, b'\n') => Ok(None),
            (Chunk::End { has_cr }, byte) => {
                self.trailer.extend(has_cr.then_some(b'\r'));
                self.trailer_byte(byte)
            }
            (Chunk::Trailer, byte) => self.trailer_byte(byte),
        }
    }

    fn size_line_end(&mut self, line: SizeLine) -> Result<Chunk, NetError> {
        if line.part != SizePart::Cr {
            return Err(NetError::generic("chunked line ends with bare LF"));
        }
        if line.digits == 0 {
            return Err(NetError::generic("empty hex number for chunk length"));
        }
        // One byte a chunk is fair, long extensions are not.
        let fair_bytes = line.value.saturating_mul(2).saturating_add(16);
        self.overhead_bytes = (self.overhead_bytes + line.bytes as u64 + 1).saturating_sub(fair_bytes);
        if self.overhead_bytes > OVERHEAD_BYTES_MAX {
            return Err(NetError::generic("chunked encoding contains too much non-data"));
        }
        Ok(if line.value == 0 { Chunk::End { has_cr: false } } else { Chunk::Data(line.value) })
    }

    fn trailer_byte(&mut self, byte: u8) -> Result<Option<Chunk>, NetError> {
        self.trailer.push(byte);
        if self.trailer.ends_with(b"\r\n\r\n") {
            return check_fields(&self.trailer).map(|()| None);
        }
        if self.trailer.len() >= TRAILER_BYTES_MAX {
            return Err(trailer_too_long());
        }
        Ok(Some(Chunk::Trailer))
    }
}

impl SizeLine {
    /// The line with one more byte, which does not end it.
    fn with(self, byte: u8) -> Result<Self, NetError> {
        let bytes = self.bytes + 1;
        if bytes >= SIZE_LINE_BYTES_MAX {
            return Err(NetError::generic("header line too long"));
        }
        let part = match (self.part, byte) {
            (SizePart::Cr, _) => return Err(NetError::generic("invalid CR in chunked line")),
            (_, b'\r') => SizePart::Cr,
            (SizePart::Extension, _) | (SizePart::Digits, b';') => SizePart::Extension,
            (_, b' ' | b'\t') => SizePart::Blank,
            (SizePart::Digits, byte) => return Self { bytes, ..self }.with_digit(byte),
            (SizePart::Blank, _) => return Err(NetError::generic("invalid byte in chunk length")),
        };
        Ok(Self { bytes, part, ..self })
    }

    fn with_digit(self, byte: u8) -> Result<Self, NetError> {
        let digit = (byte as char).to_digit(16);
        let digit = digit.ok_or_else(|| NetError::generic("invalid byte in chunk length"))?;
        if self.digits == 16 {
            return Err(NetError::generic("http chunk length too large"));
        }
        Ok(Self { value: self.value << 4 | u64::from(digit), digits: self.digits + 1, ..self })
    }
}

fn trailer_too_long() -> NetError {
    NetError::generic("http: suspiciously long trailer after chunked body")
}

/// The bytes of a body's rest with one to tell what comes behind it.
fn wanted_bytes(missing: u64) -> usize {
    usize::try_from(missing).unwrap_or(usize::MAX).saturating_add(1)
}

fn keep_up_to(kept: &mut Option<Vec<u8>>, input: &[u8], missing: &mut u64) -> Result<usize, NetError> {
    let taken = usize::try_from(*missing).map_or(input.len(), |missing| missing.min(input.len()));
    if let Some(kept) = kept
        && kept.capacity() == 0
    {
        let is_all = taken as u64 == *missing;
        let reserved = if is_all { taken } else { wanted_bytes((*missing).min(RESERVED_BYTES_MAX)) };
        kept.reserve_exact(reserved);
    }
    keep(kept, &input[..taken])?;
    *missing -= taken as u64;
    Ok(taken)
}

fn keep(kept: &mut Option<Vec<u8>>, bytes: &[u8]) -> Result<(), NetError> {
    let Some(kept) = kept else { return Ok(()) };
    check_body_limit(kept.len() + bytes.len())?;
    kept.extend_from_slice(bytes);
    Ok(())
}

/// Refuses bodies that would eat the machine.
pub(crate) fn check_body_limit(bytes: usize) -> Result<(), NetError> {
    if bytes <= BODY_BYTES_MAX {
        return Ok(());
    }
    Err(NetError::generic(format!(
        "the response's body is longer than {BODY_BYTES_MAX} bytes; discard it with responseType 'none'"
    )))
}
