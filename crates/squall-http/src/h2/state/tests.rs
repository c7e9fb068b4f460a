use proptest::prelude::*;
use url::Url;

use super::*;

const OK: &[u8] = &[0x88];

/// A connection and what a server says on it.
struct Talk {
    state: State,
    scratch: Scratch,
}

impl Talk {
    fn new() -> Self {
        let mut state = State::new();
        state.sent();
        Self { state, scratch: Scratch::default() }
    }

    fn open(&mut self, body: &'static [u8]) -> Option<u32> {
        let (url, method) = (Url::parse("https://host/").unwrap(), Method::POST);
        let mut message = Message::new(&method, &url, "");
        message.payload = Payload::new(&method, Some(&Bytes::from_static(body)));
        let id = self.state.open(&message, true, &Context::from_waker(Waker::noop()))?;
        self.state.fill_outbox();
        Some(id)
    }

    fn hear(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, kind, flags, stream, payload);
        self.state.receive(&bytes, &mut self.scratch);
    }

    fn hear_setting(&mut self, setting: u16, value: u32) {
        let mut bytes = Vec::new();
        frame::write_settings(&mut bytes, &[(setting, value)]);
        self.state.receive(&bytes, &mut self.scratch);
    }

    /// What is to be sent, as kind, flags, stream and length of each frame.
    fn said(&mut self) -> Vec<(u8, u8, u32, usize)> {
        self.state.fill_outbox();
        let bytes = mem::take(&mut self.state.outbox);
        let (mut rest, mut said) = (&bytes[..], Vec::new());
        while let Some(head) = frame::Head::read(rest) {
            said.push((head.kind, head.flags, head.stream, head.payload_bytes));
            rest = &rest[frame::HEAD_BYTES + head.payload_bytes..];
        }
        said
    }

    fn outcome(&mut self, id: u32) -> Option<Result<(u16, Bytes), (u32, bool)>> {
        let outcome = self.state.take(id, &mut Marks::start())?;
        Some(match outcome {
            Ok(received) => Ok((received.status, received.body.unwrap_or_default())),
            Err(broken) => Err((broken.error.code, broken.is_unseen)),
        })
    }
}

#[test]
fn no_more_streams_are_opened_than_the_server_takes() {
    let mut talk = Talk::new();
    talk.hear_setting(setting::MAX_CONCURRENT_STREAMS, 1);
    assert_eq!(talk.open(b""), Some(1));
    assert_eq!(talk.open(b""), None);
    assert_eq!(talk.state.woken.len(), 0);
    talk.hear(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, OK);
    assert!(matches!(talk.outcome(1), Some(Ok((200, _)))));
    assert_eq!(talk.state.woken.len(), 1, "it is told to try again");
    assert_eq!(talk.open(b""), Some(3));
}

#[test]
fn bodies_keep_to_the_windows() {
    static BODY: [u8; 40_000] = [b'x'; 40_000];
    let mut talk = Talk::new();
    talk.hear_setting(setting::INITIAL_WINDOW_SIZE, 20_000);
    let _ = talk.said();
    talk.open(&BODY);
    let sent = |talk: &mut Talk| -> Vec<(u8, usize)> {
        let data = talk.said().into_iter().filter(|(kind, ..)| *kind == kind::DATA);
        data.map(|(_, flags, _, bytes)| (flags, bytes)).collect()
    };
    assert_eq!(sent(&mut talk), [(0, 16_384), (0, 3_616)], "in frames of the usual size");
    talk.hear_setting(setting::INITIAL_WINDOW_SIZE, 10_000);
    talk.hear(kind::WINDOW_UPDATE, 0, 1, &10_000_u32.to_be_bytes());
    assert_eq!(sent(&mut talk), [], "a smaller window counts what has been sent");
    talk.hear(kind::WINDOW_UPDATE, 0, 1, &100_000_u32.to_be_bytes());
    assert_eq!(sent(&mut talk), [(0, 16_384), (flag::END_STREAM, 3_616)]);
    // 25,535 bytes are left of the connection's window.
    talk.open(&BODY);
    talk.hear(kind::WINDOW_UPDATE, 0, 3, &100_000_u32.to_be_bytes());
    assert_eq!(sent(&mut talk).iter().map(|(_, bytes)| bytes).sum::<usize>(), 25_535);
    talk.hear(kind::WINDOW_UPDATE, 0, 0, &100_000_u32.to_be_bytes());
    assert_eq!(sent(&mut talk).last(), Some(&(flag::END_STREAM, 40_000 - 25_535)));
}

#[test]
fn windows_are_opened_again() {
    let mut talk = Talk::new();
    talk.open(b"");
    talk.hear(kind::HEADERS, flag::END_HEADERS, 1, OK);
    let _ = talk.said();
    let piece = [b'x'; frame::PAYLOAD_BYTES_MAX];
    for _ in 0..STREAM_WINDOW_BYTES as usize / piece.len() / 2 {
        assert_eq!(talk.said(), []);
        talk.hear(kind::DATA, 0, 1, &piece);
    }
    assert_eq!(talk.said(), [(kind::WINDOW_UPDATE, 0, 1, 4)]);
}

#[test]
fn an_early_answer_ends_the_sending() {
    static BODY: [u8; 100_000] = [b'x'; 100_000];
    let mut talk = Talk::new();
    talk.open(&BODY);
    let _ = talk.said();
    talk.hear(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, OK);
    assert!(matches!(talk.outcome(1), Some(Ok((200, _)))));
    assert_eq!(talk.said(), [(kind::RST_STREAM, 0, 1, 4)]);
}

#[test]
fn what_comes_for_a_cancelled_stream_is_passed_over() {
    let mut talk = Talk::new();
    let (first, second) = (talk.open(b"").unwrap(), talk.open(b"").unwrap());
    let _ = talk.said();
    talk.state.cancel(first);
    assert_eq!(talk.said(), [(kind::RST_STREAM, 0, first, 4)]);
    // It is remembered by both ends all the same.
    talk.hear(kind::HEADERS, flag::END_HEADERS, first, b"\x48\x03404\x40\x01a\x01b");
    talk.hear(kind::DATA, flag::END_STREAM, first, b"x");
    talk.hear(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, second, b"\xbf\xbe");
    assert!(matches!(talk.outcome(second), Some(Ok((404, _)))));
    assert_eq!(talk.said(), []);
}

#[test]
fn a_farewell_ends_what_was_opened_too_late() {
    let mut talk = Talk::new();
    talk.open(b"");
    talk.open(b"");
    talk.hear(kind::GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    assert!(!talk.state.is_open());
    assert_eq!(talk.outcome(3), Some(Err((code::HTTP2_GOAWAY + 1, true))), "it can be sent again");
    assert_eq!(talk.outcome(1), None);
    talk.hear(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, OK);
    assert!(matches!(talk.outcome(1), Some(Ok((200, _)))));
}

#[test]
fn a_long_head_goes_out_in_pieces() {
    let (url, method) = (Url::parse("https://host/").unwrap(), Method::GET);
    let mut message = Message::new(&method, &url, "");
    // Seven bits a character.
    message.set("Cookie".into(), "k".repeat(40_000).into());
    let mut talk = Talk::new();
    talk.state.open(&message, true, &Context::from_waker(Waker::noop()));
    let said: Vec<_> = talk.said().into_iter().map(|(kind, flags, _, _)| (kind, flags)).collect();
    let (headers, continuation) = (kind::HEADERS, kind::CONTINUATION);
    assert_eq!(said, [(headers, flag::END_STREAM), (continuation, 0), (continuation, flag::END_HEADERS)]);
}

#[test]
fn bad_responses_end_their_stream_alone() {
    let check = |frames: &[(u8, u8, &[u8])]| {
        let mut talk = Talk::new();
        talk.open(b"");
        let _ = talk.said();
        for (kind, flags, payload) in frames {
            talk.hear(*kind, *flags, 1, payload);
        }
        assert_eq!(talk.outcome(1), Some(Err((code::HTTP2_STREAM + 2, false))), "{frames:?}");
        assert_eq!(talk.said(), [(kind::RST_STREAM, 0, 1, 4)]);
        assert!(talk.state.is_open());
    };
    let whole = flag::END_HEADERS | flag::END_STREAM;
    check(&[(kind::HEADERS, whole, b"\x00\x01a\x01b")]); // without a status
    check(&[(kind::HEADERS, whole, b"\x88\x88")]); // with two
    check(&[(kind::HEADERS, whole, b"\x08\x0220")]); // with no number for one
    check(&[(kind::HEADERS, whole, b"\x00\x01a\x01b\x88")]); // with one behind a field
    check(&[(kind::HEADERS, whole, b"\x08\x03100")]); // with an answer to come that does not
    check(&[(kind::HEADERS, whole, b"\x88\x00\x01A\x01b")]); // with a name in upper case
    check(&[(kind::HEADERS, whole, b"\x88\x00\x01a\x01\n")]); // with a line end in a value
    check(&[(kind::DATA, 0, b"x")]); // with a body before its head
    check(&[(kind::WINDOW_UPDATE, 0, &[0; 4])]); // with a window that is not widened
}

#[test]
fn errors_of_the_connection_end_it() {
    let check = |kind, flags, stream, payload: &[u8], reason| {
        let mut talk = Talk::new();
        talk.open(b"");
        let _ = talk.said();
        talk.hear(kind, flags, stream, payload);
        let number = code::HTTP2_CONNECTION + 1 + reason;
        assert_eq!(talk.outcome(1), Some(Err((number, false))), "{kind} {flags} {stream} {payload:?}");
        assert_eq!(talk.said(), [(kind::GOAWAY, 0, 0, 8)]);
        assert!(!talk.state.is_open());
    };
    check(kind::DATA, 0, 0, b"", reason::PROTOCOL_ERROR);
    check(kind::DATA, 0, 3, b"", reason::PROTOCOL_ERROR);
    check(kind::DATA, flag::PADDED, 1, b"\x01", reason::PROTOCOL_ERROR);
    check(kind::HEADERS, flag::END_HEADERS, 2, OK, reason::PROTOCOL_ERROR);
    check(kind::HEADERS, flag::END_HEADERS, 1, &[0x80], reason::COMPRESSION_ERROR);
    check(kind::CONTINUATION, flag::END_HEADERS, 1, OK, reason::PROTOCOL_ERROR);
    check(kind::PUSH_PROMISE, 0, 1, OK, reason::PROTOCOL_ERROR);
    check(kind::SETTINGS, 0, 1, b"", reason::PROTOCOL_ERROR);
    check(kind::SETTINGS, 0, 0, b"x", reason::FRAME_SIZE_ERROR);
    check(kind::SETTINGS, flag::ACK, 0, &[0; 6], reason::FRAME_SIZE_ERROR);
    check(kind::PING, 0, 0, b"x", reason::FRAME_SIZE_ERROR);
    check(kind::GOAWAY, 0, 0, b"x", reason::FRAME_SIZE_ERROR);
    check(kind::WINDOW_UPDATE, 0, 0, &[0; 4], reason::PROTOCOL_ERROR);
    check(kind::WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff], reason::FLOW_CONTROL_ERROR);
}

#[test]
fn a_second_head_ends_the_connection() {
    for (flags, block) in
        [(flag::END_HEADERS, &b"\x00\x01a\x01b"[..]), (flag::END_STREAM | flag::END_HEADERS, OK)]
    {
        let mut talk = Talk::new();
        talk.open(b"");
        talk.hear(kind::HEADERS, flag::END_HEADERS, 1, OK);
        talk.hear(kind::HEADERS, flags, 1, block);
        let number = code::HTTP2_CONNECTION + 1 + reason::PROTOCOL_ERROR;
        assert_eq!(talk.outcome(1), Some(Err((number, false))));
    }
}

#[test]
fn what_is_no_frame_ends_the_connection() {
    let mut talk = Talk::new();
    talk.open(b"");
    talk.state.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n", &mut talk.scratch);
    assert_eq!(talk.outcome(1), Some(Err((code::GENERIC, false))));
    assert!(!talk.state.is_open());
}

#[test]
fn bodies_are_as_long_as_they_were_said_to_be() {
    let check = |head: &[u8], body: &[u8], outcome: Result<(u16, Bytes), (u32, bool)>| {
        let mut talk = Talk::new();
        talk.open(b"");
        talk.hear(kind::HEADERS, flag::END_HEADERS, 1, head);
        talk.hear(kind::DATA, flag::END_STREAM, 1, body);
        assert_eq!(talk.outcome(1), Some(outcome), "{head:?} {body:?}");
        assert!(talk.state.is_open());
    };
    let body = |text: &'static str| Ok((200, Bytes::from(text)));
    check(b"\x88\x0f\x0d\x012", b"xx", body("xx"));
    check(b"\x88\x0f\x0d\x012", b"x", Err((code::GENERIC, false)));
    check(b"\x88\x0f\x0d\x012", b"xxx", Err((code::GENERIC, false)));
    // What is no word about the length.
    check(b"\x88\x0f\x0d\x01z", b"xx", body("xx"));
    check(b"\x88\x0f\x0d\x012\x0f\x0d\x013", b"xxxx", body("xxxx"));
}

#[test]
fn a_first_request_that_is_turned_away_is_not_sent_again() {
    let mut talk = Talk::new();
    talk.open(b"");
    talk.open(b"");
    talk.hear(kind::GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 11]);
    assert_eq!(talk.outcome(1), Some(Err((code::GENERIC, false))));
    assert_eq!(talk.outcome(3), Some(Err((code::HTTP2_GOAWAY + 12, true))));
}

#[test]
fn who_asks_for_ever_and_never_listens_is_left() {
    for kind in [kind::PING, kind::SETTINGS] {
        let mut talk = Talk::new();
        talk.open(b"");
        let payload: &[u8] = if kind == kind::PING { &[0; 8] } else { &[] };
        for _ in 0..ANSWERS_MAX {
            talk.hear(kind, 0, 0, payload);
        }
        assert!(talk.state.is_open());
        talk.hear(kind, 0, 0, payload);
        let number = code::HTTP2_CONNECTION + 1 + reason::ENHANCE_YOUR_CALM;
        assert_eq!(talk.outcome(1), Some(Err((number, false))));
        let held_bytes = talk.state.outbox.len();
        talk.hear(kind, 0, 0, payload);
        assert_eq!(talk.state.outbox.len(), held_bytes);
    }
}

#[test]
fn a_stream_that_has_ended_is_not_refused_again() {
    let mut talk = Talk::new();
    talk.open(b"");
    let _ = talk.said();
    for _ in 0..3 {
        talk.hear(kind::WINDOW_UPDATE, 0, 1, &[0; 4]);
    }
    assert_eq!(talk.said(), [(kind::RST_STREAM, 0, 1, 4)]);
}

#[test]
fn heads_have_a_limit_however_small_they_were_made() {
    let mut talk = Talk::new();
    talk.open(b"");
    // A field of 4,000 bytes, remembered and repeated with a byte a time.
    let mut block = b"\x88\x40\x01a\x7f\xa1\x1e".to_vec();
    block.extend([b'x'; 4000]);
    block.resize(block.len() + 300, 0xbe);
    talk.hear(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, &block);
    assert_eq!(talk.outcome(1), Some(Err((code::GENERIC, false))));
}

proptest! {
    #[test]
    fn frames_may_come_in_any_pieces(
        frames in proptest::collection::vec((0..11_u8, any::<u8>(), 0..6_u32, "[\\x00-\\xff]{0,8}|\\PC{0,8}"), 0..12),
        cuts in proptest::collection::vec(1..40_usize, 1..8),
    ) {
        let mut bytes = Vec::new();
        for (kind, flags, stream, payload) in &frames {
            frame::write(&mut bytes, *kind, *flags, *stream, payload.as_bytes());
        }
        let hear = |pieces: &mut dyn Iterator<Item = usize>| {
            let mut talk = Talk::new();
            talk.open(b"");
            talk.open(b"body");
            let mut rest = &bytes[..];
            while let (false, Some(cut)) = (rest.is_empty(), pieces.next()) {
                let (piece, behind) = rest.split_at(cut.min(rest.len()));
                talk.state.receive(piece, &mut talk.scratch);
                rest = behind;
            }
            (talk.outcome(1), talk.outcome(3), talk.said(), talk.state.is_open())
        };
        let whole = hear(&mut [bytes.len().max(1)].into_iter());
        prop_assert_eq!(hear(&mut cuts.iter().copied().cycle()), whole);
    }
}
