//! What servers may send and what they may not, frame by frame, and what we answer: the ground that the Autobahn test suite
//! covers, whose program needs a Python that is gone.

use std::{rc::Rc, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};
use squall_net::{Dialer, NetConfig, Traffic};
use squall_testing::websocket_frame as frame;
use squall_ws::{Event, Handshake, connect};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes()[..], reason].concat())
}

async fn accept(listener: TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap().into());
    }
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let accept =
        Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        STANDARD.encode(accept)
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream
}

/// What the client said: opcodes with payloads, unmasked.
fn said(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, length, rest @ ..] = bytes {
        let length = usize::from(length & 0x7f);
        assert!(length < 126 && first & 0x80 != 0, "a control frame");
        let (mask, rest) = rest.split_at(4);
        let (payload, rest) = rest.split_at(length);
        frames.push((first & 0x0f, payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect()));
        bytes = rest;
    }
    frames
}

/// What happens to a socket whose server sends `bytes` and then waits for its end, and what it says.
async fn hear(bytes: Vec<u8>) -> (Vec<Event>, Vec<(u8, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
    let server = tokio::spawn(async move {
        let mut stream = accept(listener).await;
        // A client that has ended the connection does not read the rest.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    });
    let handshake = Handshake {
        url: &url,
        headers: &[],
        protocols: &[],
        offers_deflate: false,
        user_agent: "squall",
        cookies: "",
    };
    let dialer = Arc::new(Dialer::new(NetConfig::default()).unwrap());
    let mut socket = connect(&dialer, 1, &Rc::new(Traffic::default()), handshake).await.unwrap().socket;
    let mut events = Vec::new();
    loop {
        let event = socket.next().await;
        let is_last =
            matches!(event, Event::End | Event::Violation(_) | Event::Broken(_) | Event::Closing(..));
        events.push(event);
        if is_last {
            break;
        }
    }
    drop(socket);
    (events, said(&server.await.unwrap()))
}

async fn check_heard(bytes: Vec<u8>, expected: Vec<Event>) {
    let (mut events, said) = hear(bytes.clone()).await;
    assert_eq!(events.pop(), Some(Event::End), "{bytes:02x?}");
    assert_eq!(events, expected, "{bytes:02x?}");
    let pongs = expected.iter().filter_map(|event| match event {
        Event::Ping(payload) => Some((10, payload.clone())),
        _ => None,
    });
    assert_eq!(said, pongs.collect::<Vec<_>>(), "{bytes:02x?}");
}

async fn check_refused(bytes: Vec<u8>, code: u16) {
    let (events, said) = hear([frame(0x81, b"before"), bytes.clone()].concat()).await;
    assert_eq!(events[0], Event::Text("before".to_owned()), "{bytes:02x?}");
    assert!(matches!(events.last(), Some(Event::Violation(_))), "{bytes:02x?}: {events:?}");
    assert_eq!(said.last(), Some(&(8, code.to_be_bytes().to_vec())), "{bytes:02x?}");
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

#[tokio::test(flavor = "current_thread")]
async fn lengths_and_pieces() {
    for length in [0, 1, 125, 126, 127, 128, 0xffff, 0x10000, 1 << 20] {
        check_heard(frame(0x81, &vec![b'*'; length]), vec![text(&"*".repeat(length))]).await;
        check_heard(frame(0x82, &vec![0xfe; length]), vec![Event::Binary(vec![0xfe; length])]).await;
    }
    let pieces = [frame(0x01, b"fr"), frame(0x00, b""), frame(0x00, b"ag"), frame(0x80, b"ment")];
    check_heard(pieces.concat(), vec![text("fragment")]).await;
    let between = [frame(0x02, b"a"), frame(0x89, b"ping"), frame(0x8a, b"pong"), frame(0x80, b"b")];
    let events =
        vec![Event::Ping(b"ping".to_vec()), Event::Pong(b"pong".to_vec()), Event::Binary(b"ab".to_vec())];
    check_heard(between.concat(), events).await;
}

#[tokio::test(flavor = "current_thread")]
async fn pings() {
    for payload in [&b""[..], b"hello", &[0, 0xff, 0xfe], &[0xfe; 125]] {
        check_heard(frame(0x89, payload), vec![Event::Ping(payload.to_vec())]).await;
    }
    let ten: Vec<u8> = (0..10).flat_map(|number| frame(0x89, &[number])).collect();
    check_heard(ten, (0..10).map(|number| Event::Ping(vec![number])).collect()).await;
    check_refused(frame(0x89, &[0xfe; 126]), 1002).await;
    check_refused([frame(0x09, b"fragmented"), frame(0x80, b"")].concat(), 1002).await;
}

#[tokio::test(flavor = "current_thread")]
async fn reserved_bits_and_opcodes() {
    for first in [0xc1, 0xa1, 0x91, 0xf1, 0xc9, 0xa9, 0x98] {
        check_refused(frame(first, b"x"), 1002).await;
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        check_refused(frame(0x80 | opcode, b""), 1002).await;
    }
    // Masked, as only clients may.
    check_refused(vec![0x81, 0x81, 1, 2, 3, 4, 5], 1002).await;
}

#[tokio::test(flavor = "current_thread")]
async fn fragments_out_of_order() {
    check_refused(frame(0x80, b"no beginning"), 1002).await;
    check_refused(frame(0x00, b"no beginning"), 1002).await;
    check_refused([frame(0x01, b"a"), frame(0x81, b"b")].concat(), 1002).await;
    check_refused([frame(0x01, b"a"), frame(0x80, b"b"), frame(0x00, b"c")].concat(), 1002).await;
}

#[tokio::test(flavor = "current_thread")]
async fn texts_are_utf8() {
    for valid in ["κόσμε", "\u{0}", "\u{7ff}", "\u{ffff}", "\u{10ffff}", "\u{fdd0}"] {
        let bytes: Vec<Vec<u8>> = valid.bytes().map(|byte| frame(0x00, &[byte])).collect();
        check_heard([frame(0x01, b""), bytes.concat(), frame(0x80, b"")].concat(), vec![text(valid)]).await;
    }
    let invalid: [&[u8]; 6] = [
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        b"\xf4\x90\x80\x80",
        b"\xc0\xaf",
        b"\x80",
        b"\xfe",
        b"cut \xe2\x82",
    ];
    for bytes in invalid {
        check_refused(frame(0x81, bytes), 1007).await;
        check_heard(frame(0x82, bytes), vec![Event::Binary(bytes.to_vec())]).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn farewells() {
    let valid =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
    for code in valid {
        let (events, said) = hear([close(code, b"bye"), frame(0x81, b"not heard any more")].concat()).await;
        assert_eq!(events, [Event::Closing(code, "bye".to_owned())]);
        assert_eq!(said, [(8, code.to_be_bytes().to_vec())]);
    }
    assert_eq!(hear(frame(0x88, b"")).await, (vec![Event::Closing(1005, String::new())], vec![(8, vec![])]));
    let longest = "r".repeat(123);
    assert_eq!(hear(close(1000, longest.as_bytes())).await.0, [Event::Closing(1000, longest)]);
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        check_refused(close(code, b""), 1002).await;
    }
    check_refused(frame(0x88, &[3]), 1002).await;
    check_refused(close(1000, &[b'r'; 124]), 1002).await;
    check_refused(close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"), 1007).await;
}

#[tokio::test(flavor = "current_thread")]
async fn ends_without_a_farewell() {
    for bytes in [vec![], vec![0x81], vec![0x81, 5, b'h'], frame(0x01, b"no end")] {
        check_heard(bytes, Vec::new()).await;
    }
    // Longer than anything that is read: refused before it comes.
    check_refused([vec![0x82, 127], (1_u64 << 40).to_be_bytes().to_vec()].concat(), 1009).await;
}
