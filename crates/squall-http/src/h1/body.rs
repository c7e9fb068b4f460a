//! Response bodies: takes bytes as they come, in pieces of any size, and tells where the body ends.

use bytes::Bytes;
use squall_net::NetError;

use super::head::{Framing, HEAD_BYTES_MAX};

/// A body that is kept may not be longer than this.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 30;

/// A chunk's size line, extensions included.
const SIZE_LINE_BYTES_MAX: usize = 4096;

/// Lengths are promises: no more than this is reserved on one.
const RESERVED_BYTES_MAX: u64 = 1 << 20;

/// A body on its way in.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    /// None discards what comes.
    kept: Option<Vec<u8>>,
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
/// Size ─LF─► Data ─► DataEnd ─LF─► Size
///   └─ LF after 0 ─► Trailer ─ empty line ─► done
/// ```
#[derive(Debug)]
enum Chunk {
    Size { value: u64, digits: u32, extension: bool, line_bytes: usize },
    Data(u64),
    DataEnd,
    Trailer { line_bytes: usize, total_bytes: usize },
}

impl Chunk {
    const START: Self = Self::Size { value: 0, digits: 0, extension: false, line_bytes: 0 };
}

impl Decoder {
    /// A decoder for a body framed like this.
    pub(crate) fn new(framing: Framing, keep: bool) -> Self {
        let (state, reserved) = match framing {
            Framing::Empty | Framing::Length(0) => (State::Done, 0),
            Framing::Length(bytes) => (State::Length(bytes), bytes.min(RESERVED_BYTES_MAX)),
            Framing::Chunked => (State::Chunked(Chunk::START), 0),
            Framing::UntilClose => (State::UntilClose, 0),
        };
        Self { state, kept: keep.then(|| Vec::with_capacity(reserved as usize)) }
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
                    self.state = State::Chunked(Chunk::DataEnd);
                }
                Ok(taken)
            }
            State::Chunked(chunk) => {
                self.state = match chunk.next(input[0])? {
                    Some(next) => State::Chunked(next),
                    None => State::Done,
                };
                Ok(1)
            }
        }
    }
}

impl Chunk {
    /// One byte of the framing; None ends the body.
    fn next(&mut self, byte: u8) -> Result<Option<Self>, NetError> {
        match *self {
            Self::Size { value, digits, extension, line_bytes } => {
                size_byte(byte, value, digits, extension, line_bytes + 1).map(Some)
            }
            Self::Data(_) => unreachable!("data is taken in bulk"),
            Self::DataEnd => match byte {
                b'\r' => Ok(Some(Self::DataEnd)),
                b'\n' => Ok(Some(Self::START)),
                _ => Err(NetError::generic("malformed chunked encoding")),
            },
            Self::Trailer { total_bytes, .. } if total_bytes == HEAD_BYTES_MAX => {
                Err(NetError::generic(format!("the trailers are longer than {HEAD_BYTES_MAX} bytes")))
            }
            Self::Trailer { line_bytes, total_bytes } => Ok(match byte {
                b'\n' if line_bytes == 0 => None,
                b'\n' => Some(Self::Trailer { line_bytes: 0, total_bytes: total_bytes + 1 }),
                b'\r' => Some(Self::Trailer { line_bytes, total_bytes: total_bytes + 1 }),
                _ => Some(Self::Trailer { line_bytes: 1, total_bytes: total_bytes + 1 }),
            }),
        }
    }
}

fn size_byte(
    byte: u8,
    value: u64,
    digits: u32,
    extension: bool,
    line_bytes: usize,
) -> Result<Chunk, NetError> {
    if line_bytes > SIZE_LINE_BYTES_MAX {
        return Err(NetError::generic("header line too long"));
    }
    match byte {
        b'\n' if digits == 0 => Err(NetError::generic("empty hex number for chunk length")),
        b'\n' if value == 0 => Ok(Chunk::Trailer { line_bytes: 0, total_bytes: 0 }),
        b'\n' => Ok(Chunk::Data(value)),
        _ if extension => Ok(Chunk::Size { value, digits, extension, line_bytes }),
        // Extensions mean nothing to us; white space before the line's end is tolerated.
        b';' | b' ' | b'\t' | b'\r' => Ok(Chunk::Size { value, digits, extension: true, line_bytes }),
        _ => {
            let digit = (byte as char).to_digit(16);
            let digit = digit.ok_or_else(|| NetError::generic("invalid byte in chunk length"))?;
            if digits == 16 {
                return Err(NetError::generic("http chunk length too large"));
            }
            let value = value << 4 | u64::from(digit);
            Ok(Chunk::Size { value, digits: digits + 1, extension, line_bytes })
        }
    }
}

fn keep_up_to(kept: &mut Option<Vec<u8>>, input: &[u8], missing: &mut u64) -> Result<usize, NetError> {
    let taken = usize::try_from(*missing).map_or(input.len(), |missing| missing.min(input.len()));
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
