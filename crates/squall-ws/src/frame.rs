//! Frames: written masked, read byte by byte or all at once, whatever arrives.

#[cfg(test)]
mod tests;

use crate::deflate;

/// The largest message that is read, after decompression.
pub const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// The most that a control frame may carry (RFC 6455 §5.5).
pub(crate) const CONTROL_BYTES_MAX: usize = 125;

const FIN: u8 = 0x80;
/// The message is compressed (RFC 7692 §6).
const RSV1: u8 = 0x40;
const RSV2_RSV3: u8 = 0x30;
const MASK: u8 = 0x80;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte & 0x0f {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    pub(crate) fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// Appends a whole frame with `payload`, masked with `mask` as a client's must be.
pub(crate) fn write(out: &mut Vec<u8>, opcode: Opcode, is_compressed: bool, mask: [u8; 4], payload: &[u8]) {
    out.reserve(14 + payload.len());
    out.push(FIN | if is_compressed { RSV1 } else { 0 } | opcode as u8);
    match payload.len() {
        length @ 0..=125 => out.push(MASK | length as u8),
        length @ 126..=0xffff => {
            out.push(MASK | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(MASK | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    let start = out.len();
    out.extend_from_slice(payload);
    apply(mask, &mut out[start..]);
}

/// Masks or unmasks, eight bytes at a time.
fn apply(mask: [u8; 4], bytes: &mut [u8]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let word = u64::from_ne_bytes((&*chunk).try_into().expect("chunks of eight")) ^ wide;
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= key;
    }
}

/// What a server may not do, or not to us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// It breaks a rule of the protocol.
    #[error("websocket: {0}")]
    Protocol(&'static str),
    /// A text that is not UTF-8.
    #[error("websocket: a text message is not valid UTF-8")]
    NotUtf8,
    /// A message beyond [`MESSAGE_BYTES_MAX`].
    #[error("websocket: a message is longer than {MESSAGE_BYTES_MAX} bytes")]
    TooLong,
}

impl Violation {
    /// The close code that tells the server (RFC 6455 §7.4.1).
    pub fn close_code(&self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::NotUtf8 => 1007,
            Self::TooLong => 1009,
        }
    }
}

/// Something whole that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// No code is 1005.
    Close(u16, String),
}

/// Reads frames as their bytes arrive.
#[derive(Debug)]
pub(crate) struct Decoder {
    may_compress: bool,
    /// The part of a head that has arrived: two bytes and up to eight of length.
    head: [u8; 10],
    head_length: u8,
    frame: Option<Frame>,
    /// What has arrived of a control frame.
    control: Vec<u8>,
    message: Option<Partial>,
}

/// The frame whose payload is being read.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: Opcode,
    is_last: bool,
    remaining: u64,
}

/// The message whose frames are being read.
#[derive(Debug)]
struct Partial {
    is_text: bool,
    is_compressed: bool,
    bytes: Vec<u8>,
}

impl Decoder {
    pub(crate) fn new(may_compress: bool) -> Self {
        Self { may_compress, head: [0; 10], head_length: 0, frame: None, control: Vec::new(), message: None }
    }

    /// Reads on in `bytes` until something is whole, and takes what it has read off their front. None: all are read.
    pub(crate) fn read(&mut self, bytes: &mut &[u8]) -> Result<Option<Received>, Violation> {
        loop {
            let frame = match self.frame {
                Some(frame) => frame,
                None => match self.read_head(bytes)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            let length = usize::try_from(frame.remaining).unwrap_or(usize::MAX).min(bytes.len());
            let (payload, rest) = bytes.split_at(length);
            *bytes = rest;
            match &mut self.message {
                Some(message) if !frame.opcode.is_control() => message.bytes.extend_from_slice(payload),
                _ => self.control.extend_from_slice(payload),
            }
            let remaining = frame.remaining - length as u64;
            if remaining > 0 {
                self.frame = Some(Frame { remaining, ..frame });
                return Ok(None);
            }
            self.frame = None;
            if let Some(received) = self.end_of_frame(frame)? {
                return Ok(Some(received));
            }
        }
    }

    fn read_head(&mut self, bytes: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        loop {
            let have = usize::from(self.head_length);
            let length_bytes = match self.head[1] {
                126 => 2,
                127 => 8,
                _ => 0,
            };
            let need = if have < 2 { 2 } else { 2 + length_bytes };
            if have == need {
                break;
            }
            let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
            self.head[have] = first;
            self.head_length += 1;
            *bytes = rest;
            if have == 1 && first & MASK != 0 {
                return Err(Violation::Protocol("a server must not mask its frames"));
            }
        }
        let head = std::mem::take(&mut self.head);
        self.head_length = 0;
        let length = match head[1] {
            126 => u64::from(u16::from_be_bytes([head[2], head[3]])),
            127 => u64::from_be_bytes(head[2..10].try_into().expect("eight bytes")),
            short => u64::from(short),
        };
        self.begin_frame(head[0], length).map(Some)
    }

    /// Checks what the head says against what came before.
    fn begin_frame(&mut self, flags: u8, length: u64) -> Result<Frame, Violation> {
        let opcode = Opcode::of(flags).ok_or(Violation::Protocol("a frame has an unknown opcode"))?;
        let (is_last, is_compressed) = (flags & FIN != 0, flags & RSV1 != 0);
        if flags & RSV2_RSV3 != 0 || (is_compressed && !self.may_compress) {
            return Err(Violation::Protocol("a frame uses an extension that was not agreed on"));
        }
        if opcode.is_control() {
            if length > CONTROL_BYTES_MAX as u64 {
                return Err(Violation::Protocol("a control frame is longer than 125 bytes"));
            }
            if !is_last || is_compressed {
                return Err(Violation::Protocol("a control frame is fragmented or compressed"));
            }
            return Ok(Frame { opcode, is_last, remaining: length });
        }
        match (&mut self.message, opcode) {
            (None, Opcode::Continuation) => {
                return Err(Violation::Protocol("a continuation without a beginning"));
            }
            (Some(_), Opcode::Text | Opcode::Binary) => {
                return Err(Violation::Protocol("a message begins within another"));
            }
            (Some(_), _) if is_compressed => {
                return Err(Violation::Protocol("a continuation is marked as compressed"));
            }
            (Some(_), _) => {}
            (message @ None, _) => {
                let is_text = opcode == Opcode::Text;
                *message = Some(Partial { is_text, is_compressed, bytes: Vec::new() });
            }
        }
        let message = self.message.as_mut().expect("begun above or before");
        if length > (MESSAGE_BYTES_MAX - message.bytes.len()) as u64 {
            return Err(Violation::TooLong);
        }
        Ok(Frame { opcode, is_last, remaining: length })
    }

    fn end_of_frame(&mut self, frame: Frame) -> Result<Option<Received>, Violation> {
        if frame.opcode.is_control() {
            let payload = std::mem::take(&mut self.control);
            return Ok(Some(match frame.opcode {
                Opcode::Ping => Received::Ping(payload),
                Opcode::Pong => Received::Pong(payload),
                _ => close(&payload)?,
            }));
        }
        if !frame.is_last {
            return Ok(None);
        }
        let Partial { is_text, is_compressed, bytes } =
            self.message.take().expect("its last frame just ended");
        let bytes = if is_compressed { deflate::inflate(&bytes)? } else { bytes };
        Ok(Some(match is_text {
            true => Received::Text(String::from_utf8(bytes).map_err(|_| Violation::NotUtf8)?),
            false => Received::Binary(bytes),
        }))
    }
}

/// Reads the payload of a close frame.
fn close(payload: &[u8]) -> Result<Received, Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload {
            [] => Ok(Received::Close(1005, String::new())),
            _ => Err(Violation::Protocol("a close frame has half a code")),
        };
    };
    let code = u16::from_be_bytes(*code);
    // Those that are reserved may not be sent; 1004 to 1006 and 1015 stand for what was not said (RFC 6455 §7.4).
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol("a close frame has a code that may not be sent"));
    }
    let reason = String::from_utf8(reason.to_vec()).map_err(|_| Violation::NotUtf8)?;
    Ok(Received::Close(code, reason))
}
