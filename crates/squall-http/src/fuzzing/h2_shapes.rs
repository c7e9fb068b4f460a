//! What servers may do with an HTTP/2 connection: frames in and out of order, the usual ones first.

use std::mem;

use arbitrary::{Result, Unstructured};

use super::HeaderEncoder;
use super::h2_server::{Ask, Deed, Kind, Plan};
use super::shapes::{rarely, usual};

const KINDS: [Kind; 6] =
    [Kind::Get, Kind::Post(10), Kind::Head, Kind::Post(100_000), Kind::Post(16_384), Kind::Post(65_536)];

/// Heads as an encoder writes them.
const HEADS: [&[(&str, &str)]; 16] = [
    &[(":status", "200")],
    &[(":status", "200"), ("content-length", "5")],
    &[(":status", "200"), ("content-type", "text/plain"), ("set-cookie", "a=1"), ("set-cookie", "b=2")],
    &[(":status", "103"), ("link", "</a>")],
    &[(":status", "100")],
    &[(":status", "204")],
    &[(":status", "304"), ("content-length", "5")],
    &[("trailer", "x")],
    &[("x", "y"), (":status", "200")],
    &[(":status", "200"), (":status", "200")],
    &[(":status", "200"), ("content-length", "5"), ("content-length", "7")],
    &[(":status", "200"), ("content-length", "+5")],
    &[(":status", "200"), ("connection", "close"), ("transfer-encoding", "chunked")],
    &[(":status", "200"), ("x", "a\r\nb: c")],
    &[(":status", "20"), ("", "x")],
    &[(":path", "/"), (":status", "200")],
];

/// Pieces of blocks that no encoder of ours writes.
const PIECES: [&[u8]; 16] = [
    b"\x88",
    b"\x40\x01a\x01b",
    b"\xbe",
    b"\x20",
    b"\x3f\xe1\x1f",
    b"\x3f\xe2\x1f",
    b"\x80",
    b"\x10\x01a\x81\x1f",
    b"\x00\x82\xff\xff\x00",
    b"\xff\xff\xff\xff\x7f",
    b"\x0f\x0d\x015",
    b"\x08\x03200",
    b"\x48\x03404",
    b"\x40\x01A\x00",
    b"\x7f\x80\x80\x00\x01x",
    b"\x00",
];

/// A number of a setting and what a server may want it to be.
const SETTINGS: [(u16, u32); 16] = [
    (3, 100),
    (3, 1),
    (3, 0),
    (4, 65_535),
    (4, 0),
    (4, 1),
    (4, 0x7fff_ffff),
    (4, 0x8000_0000),
    (1, 0),
    (1, 4096),
    (1, u32::MAX),
    (5, 16_384),
    (5, 16_383),
    (5, 0xff_ffff),
    (6, 1),
    (0x9999, 7),
];

const WINDOW_UPDATES: [u32; 6] = [10_000, 1, 65_535, 0, 0x7fff_ffff, 0xffff_ffff];

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// A connection from the first request on.
pub(super) fn plan(u: &mut Unstructured<'_>) -> Result<Plan> {
    let window_bytes = if rarely(u, 4)? { u.choose_index(40_000)? } else { usize::MAX };
    let mut server = Server::default();
    let requests = u.int_in_range(1..=3)?;
    for _ in 0..requests {
        server.ask(u)?;
    }
    if !rarely(u, 8)? {
        server.frame(4, 0, 0, &[]);
    }
    while !u.is_empty() && server.deeds.len() < 200 {
        server.act(u)?;
    }
    server.send();
    Ok(Plan { window_bytes, deeds: server.deeds })
}

#[derive(Default)]
struct Server {
    deeds: Vec<Deed>,
    requests: usize,
    wire: Vec<u8>,
    encoder: HeaderEncoder,
}

impl Server {
    fn ask(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.requests += 1;
        self.deeds.push(Deed::Ask(Ask { kind: *usual(u, &KINDS)?, keep_body: !rarely(u, 4)? }));
        Ok(())
    }

    /// What was said until here comes in a read of its own.
    fn send(&mut self) {
        if !self.wire.is_empty() {
            self.deeds.push(Deed::Send(mem::take(&mut self.wire)));
        }
    }

    fn then(&mut self, deed: Deed) {
        self.send();
        self.deeds.push(deed);
    }

    fn act(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=31_u8)? {
            0..=7 => self.answer(u)?,
            8..=10 => self.head(u)?,
            11..=13 => self.data(u)?,
            14 => {
                let (stream, reason) = (self.stream(u)?, reason(u)?);
                self.frame(3, 0, stream, &reason);
            }
            15 => self.settings(u)?,
            16 => {
                let flags = u8::from(rarely(u, 2)?);
                self.frame(6, flags, 0, b"pingpong");
            }
            17 => {
                let last = u.int_in_range(0..=9_u32)?;
                let payload = [last.to_be_bytes().to_vec(), reason(u)?].concat();
                self.frame(7, 0, 0, &payload);
            }
            18..=19 => {
                let stream = if rarely(u, 2)? { 0 } else { self.stream(u)? };
                let bytes = usual(u, &WINDOW_UPDATES)?.to_be_bytes();
                self.frame(8, 0, stream, &bytes);
            }
            20 => self.arbitrary(u)?,
            21 => {
                let stream = self.stream(u)?;
                self.frame(5, END_HEADERS, stream, b"\0\0\0\x02\x88");
            }
            22 => self.flood(u)?,
            23 => self.break_off(u)?,
            24..=25 => self.send(),
            26 if self.requests < 6 => {
                self.send();
                self.ask(u)?;
            }
            27 => {
                let number = u.choose_index(self.requests)?;
                self.then(Deed::GiveUp(number));
            }
            28..=29 => {
                let bytes = u.int_in_range(1..=60_000)?;
                self.then(Deed::Take(bytes));
            }
            30 if rarely(u, 3)? => self.then(Deed::Refuse),
            31 if rarely(u, 3)? => {
                let deed = if rarely(u, 2)? { Deed::Close } else { Deed::Reset };
                self.then(deed);
            }
            _ => {}
        }
        Ok(())
    }

    /// Mostly one there is.
    fn stream(&self, u: &mut Unstructured<'_>) -> Result<u32> {
        let number = u.choose_index(self.requests.max(1))? as u32;
        if rarely(u, 12)? { u.int_in_range(0..=20) } else { Ok(number * 2 + 1) }
    }

    /// All of a response that is in order.
    fn answer(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let stream = self.stream(u)?;
        let has_body = !rarely(u, 3)?;
        let block = self.encoder.block([(&b":status"[..], &b"200"[..]), (b"x-id", b"12345678")]);
        let flags = if has_body { END_HEADERS } else { END_HEADERS | END_STREAM };
        self.frame(1, flags, stream, &block);
        if has_body {
            let bytes = u.int_in_range(0..=20_000)?.min(16_384);
            self.frame(0, END_STREAM, stream, &vec![b'0' + stream as u8 % 10; bytes]);
        }
        Ok(())
    }

    fn head(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let stream = self.stream(u)?;
        let mut block = match rarely(u, 4)? {
            true => Vec::new(),
            false => {
                let head = usual(u, &HEADS)?.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
                self.encoder.block(head)
            }
        };
        while rarely(u, 4)? {
            block.extend_from_slice(u.choose(&PIECES)?);
        }
        if rarely(u, 8)? {
            let long = vec![b'v'; u.int_in_range(0..=70_000)?];
            block.extend(self.encoder.block([(&b"long"[..], &long[..])]));
        }
        if rarely(u, 16)? && !block.is_empty() {
            let at = u.choose_index(block.len())?;
            block[at] = u.arbitrary()?;
        }
        let mut pieces = Vec::new();
        let mut rest = &block[..];
        while rest.len() > 16_000 || (!rest.is_empty() && rarely(u, 8)?) {
            let (piece, behind) = rest.split_at(u.int_in_range(0..=rest.len().min(16_000))?);
            pieces.push(piece);
            rest = behind;
            if pieces.len() > 100 {
                break;
            }
        }
        pieces.push(&rest[..rest.len().min(16_000)]);
        let last = pieces.len() - 1;
        for (number, piece) in pieces.into_iter().enumerate() {
            let mut flags = if number == last && !rarely(u, 16)? { END_HEADERS } else { 0 };
            let kind = if number == 0 { 1 } else { 9 };
            let mut payload = piece.to_vec();
            if number == 0 {
                flags |= u8::from(rarely(u, 2)?);
                if rarely(u, 8)? {
                    flags |= PRIORITY;
                    payload = [b"\x80\0\0\x03\xff", piece].concat();
                }
                self.pad(&mut flags, &mut payload, u)?;
            }
            self.frame(kind, flags, stream, &payload);
            if rarely(u, 16)? {
                self.send();
            }
        }
        Ok(())
    }

    fn data(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let stream = self.stream(u)?;
        let bytes = *usual(u, &[5, 0, 1, 16_000, 300])?;
        let mut payload = vec![b'0' + stream as u8 % 10; bytes];
        let mut flags = u8::from(rarely(u, 2)?);
        self.pad(&mut flags, &mut payload, u)?;
        self.frame(0, flags, stream, &payload);
        Ok(())
    }

    fn pad(&mut self, flags: &mut u8, payload: &mut Vec<u8>, u: &mut Unstructured<'_>) -> Result<()> {
        if rarely(u, 6)? {
            let padding_bytes = u.arbitrary::<u8>()?;
            let have = if rarely(u, 6)? { u.arbitrary::<u8>()? } else { padding_bytes };
            *flags |= PADDED;
            payload.insert(0, padding_bytes);
            payload.extend(vec![0; have.into()]);
        }
        Ok(())
    }

    fn settings(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        if rarely(u, 6)? {
            self.frame(4, 1, 0, &[]);
            return Ok(());
        }
        let mut payload = Vec::new();
        while rarely(u, 2)? {
            let (setting, value) = u.choose(&SETTINGS)?;
            payload.extend(setting.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        self.frame(4, 0, 0, &payload);
        Ok(())
    }

    /// A frame, over and over.
    fn flood(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let stream = self.stream(u)?;
        let frames: [(u8, u8, u32, &[u8]); 9] = [
            (6, 0, 0, b"pingpong"),
            (4, 0, 0, b""),
            (9, 0, stream, b""),
            (9, 0, stream, &[0x88; 8000]),
            (0, 0, stream, b""),
            (0, PADDED, stream, b"\x02xx"),
            (8, 0, stream, &[0; 4]),
            (1, END_HEADERS, stream, b"\x08\x03103"),
            (3, 0, stream, &[0; 4]),
        ];
        let (kind, flags, stream, payload) = *u.choose(&frames)?;
        let times = u.int_in_range(0..=if payload.len() > 100 { 300 } else { 15_000 })?;
        let mut frame = Vec::new();
        push_frame(&mut frame, kind, flags, stream, payload);
        self.wire.extend(frame.repeat(times));
        Ok(())
    }

    fn arbitrary(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let kind = if rarely(u, 2)? { u.arbitrary()? } else { u.int_in_range(0..=10)? };
        let (flags, stream) = (u.arbitrary()?, self.stream(u)?);
        let bytes = u.int_in_range(0..=40_usize)?;
        let payload = u.bytes(bytes.min(u.len()))?;
        self.frame(kind, flags, stream, payload);
        Ok(())
    }

    /// Leaves some of what was said out.
    fn break_off(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        if rarely(u, 3)? && !self.wire.is_empty() {
            let at = u.choose_index(self.wire.len())?;
            if rarely(u, 2)? {
                self.wire.truncate(at);
            } else {
                let rest = self.wire.split_off(at);
                self.send();
                self.wire = rest;
            }
        }
        Ok(())
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        push_frame(&mut self.wire, kind, flags, stream, payload);
    }
}

fn reason(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let reason = u.int_in_range(0..=15_u32)?;
    Ok(if rarely(u, 16)? { Vec::new() } else { reason.to_be_bytes().to_vec() })
}

fn push_frame(wire: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    wire.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    wire.extend([kind, flags]);
    wire.extend(stream.to_be_bytes());
    wire.extend_from_slice(payload);
}
