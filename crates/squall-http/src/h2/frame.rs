//! Frames (RFC 9113, 4 and 6): their kinds and flags, and how they are written.

/// What a client says first.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const HEAD_BYTES: usize = 9;

/// The longest payload that may be sent to one who has not said otherwise: we have not.
pub(super) const PAYLOAD_BYTES_MAX: usize = 1 << 14;

/// What windows are until something is said about them, and the most that they may be.
pub(super) const WINDOW_BYTES: i64 = (1 << 16) - 1;
pub(super) const WINDOW_BYTES_MAX: i64 = (1 << 31) - 1;

pub(super) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PUSH_PROMISE: u8 = 5;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

pub(super) mod flag {
    pub(crate) const ACK: u8 = 1;
    pub(crate) const END_STREAM: u8 = 1;
    pub(crate) const END_HEADERS: u8 = 4;
    pub(crate) const PADDED: u8 = 8;
    pub(crate) const PRIORITY: u8 = 0x20;
}

pub(super) mod setting {
    pub(crate) const HEADER_TABLE_SIZE: u16 = 1;
    pub(crate) const ENABLE_PUSH: u16 = 2;
    pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(crate) const MAX_FRAME_SIZE: u16 = 5;
    pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 6;
}

/// The start of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) payload_bytes: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Head {
    /// Reads it, once it is there.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, kind, flags, stream @ ..] = *bytes.first_chunk::<HEAD_BYTES>()?;
        Some(Self {
            payload_bytes: u32::from_be_bytes([0, a, b, c]) as usize,
            kind,
            flags,
            stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
        })
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn bytes(&self) -> [u8; HEAD_BYTES] {
        let [_, a, b, c] = (self.payload_bytes as u32).to_be_bytes();
        let [d, e, f, g] = self.stream.to_be_bytes();
        [a, b, c, self.kind, self.flags, d, e, f, g]
    }
}

/// Appends a frame.
pub(super) fn write(output: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let head = Head { payload_bytes: payload.len(), kind, flags, stream };
    output.extend_from_slice(&head.bytes());
    output.extend_from_slice(payload);
}

/// Appends the settings.
pub(super) fn write_settings(output: &mut Vec<u8>, settings: &[(u16, u32)]) {
    let mut payload = Vec::with_capacity(settings.len() * 6);
    for (setting, value) in settings {
        payload.extend_from_slice(&setting.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    write(output, kind::SETTINGS, 0, 0, &payload);
}

/// Appends a block of fields that `write_block` writes: a frame, or as many as it takes.
pub(super) fn write_fields(
    output: &mut Vec<u8>,
    stream: u32,
    ends_stream: bool,
    payload_bytes_max: usize,
    write_block: impl FnOnce(&mut Vec<u8>),
) {
    let start = output.len();
    output.extend_from_slice(&[0; HEAD_BYTES]);
    write_block(output);
    let payload_bytes = output.len() - start - HEAD_BYTES;
    let flags = if ends_stream { flag::END_STREAM } else { 0 };
    let is_whole = payload_bytes <= payload_bytes_max;
    let head = Head {
        payload_bytes: payload_bytes.min(payload_bytes_max),
        kind: kind::HEADERS,
        flags: flags | if is_whole { flag::END_HEADERS } else { 0 },
        stream,
    };
    output[start..start + HEAD_BYTES].copy_from_slice(&head.bytes());
    if is_whole {
        return;
    }
    let rest = output.split_off(start + HEAD_BYTES + payload_bytes_max);
    let mut pieces = rest.chunks(payload_bytes_max).peekable();
    while let Some(piece) = pieces.next() {
        let flags = if pieces.peek().is_none() { flag::END_HEADERS } else { 0 };
        write(output, kind::CONTINUATION, flags, stream, piece);
    }
}
