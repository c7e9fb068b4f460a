//! The parser's laws: the same response whatever the pieces it comes in, an answer to any bytes.

use bytes::BytesMut;
use proptest::prelude::*;

use super::body::Decoder;
use super::head::{self, Framing};

/// Parses a response that comes in these pieces: status, headers, body, and what is left over.
fn parse(pieces: &[&[u8]]) -> Result<String, String> {
    let mut buffer = BytesMut::new();
    let mut scanned = 0;
    let mut pieces = pieces.iter();
    let length = loop {
        if let Some(length) = head::find_end(&buffer, &mut scanned) {
            break length;
        }
        let piece = pieces.next().ok_or("no head")?;
        buffer.extend_from_slice(piece);
        head::check_start(&buffer).map_err(|error| error.to_string())?;
    };
    let head = head::parse(&mut buffer, length).map_err(|error| error.to_string())?;
    let framing = head.framing(false).map_err(|error| error.to_string())?;
    let mut decoder = Decoder::new(framing, true);
    let mut rest = Vec::new();
    for piece in std::iter::once(&&buffer[..]).chain(pieces) {
        let taken = decoder.feed(piece).map_err(|error| error.to_string())?;
        rest.extend_from_slice(&piece[taken..]);
    }
    if !decoder.is_done() {
        decoder.end().map_err(|error| error.to_string())?;
    }
    let body = decoder.into_body().unwrap_or_default();
    let (body, rest) = (String::from_utf8_lossy(&body), String::from_utf8_lossy(&rest));
    Ok(format!("{} {:?} {body:?} rest {rest:?}", head.status, head.headers.canonical()))
}

const RESPONSES: [&str; 8] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0a;x=\"y\"\r\n0123456789\r\n0\r\nT: 1\r\n\r\nrest",
    "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\r\nx\r\n0\r\n\r\n",
    "HTTP/1.1 404 \r\nconnection: close\r\n\r\nuntil the end",
    "HTTP/1.0 204 No Content\r\nx-a: 1\r\nX-A: 2\r\n\r\nrest",
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
];

#[test]
fn responses_parse_as_expected() {
    let outcomes = RESPONSES.map(|response| match parse(&[response.as_bytes()]) {
        Ok(text) => text,
        Err(error) => format!("error: {error}"),
    });
    assert_eq!(
        outcomes,
        [
            r#"200 [("Content-Length", "5"), ("X", "a")] "hello" rest """#,
            r#"200 [("Content-Length", "5")] "hello" rest "HTTP/1.1 200 OK\r\n""#,
            r#"200 [] "abc0123456789" rest "rest""#,
            r#"200 [] "x" rest """#,
            r#"404 [] "until the end" rest """#,
            r#"204 [("X-A", "1, 2")] "" rest "rest""#,
            "error: unexpected EOF",
            "error: malformed chunked encoding",
        ]
    );
}

#[test]
fn a_split_anywhere_changes_nothing() {
    for response in RESPONSES.map(str::as_bytes) {
        let whole = parse(&[response]);
        for at in 0..=response.len() {
            let (start, end) = response.split_at(at);
            assert_eq!(parse(&[start, end]), whole, "split at {at}");
        }
        let bytes: Vec<&[u8]> = response.chunks(1).collect();
        assert_eq!(parse(&bytes), whole, "byte by byte");
    }
}

/// Heads that are usual but for a byte here and there.
fn nearly_usual_head() -> impl Strategy<Value = Vec<u8>> {
    let line =
        prop::sample::select(vec!["HTTP/1.1 200 OK", "HTTP/1.1 299 Not so bad", "HTTP/1.0 404 Not Found"]);
    let field = "[A-Za-z-]{1,20}:[ ]{0,2}[ -~]{0,20}";
    let change = (any::<prop::sample::Index>(), any::<u8>());
    let changes = prop::collection::vec(change, 0..3);
    (line, prop::collection::vec(field, 0..40), changes).prop_map(|(line, fields, changes)| {
        let lines = std::iter::once(line.to_owned()).chain(fields);
        let mut head: Vec<u8> = lines.flat_map(|line| (line + "\r\n").into_bytes()).collect();
        head.extend(b"\r\nbody");
        for (index, byte) in changes {
            let index = index.index(head.len());
            head[index] = byte;
        }
        head
    })
}

proptest! {
    #[test]
    fn a_usual_head_is_what_the_parser_makes_of_it(bytes in nearly_usual_head()) {
        if let Some((head, length)) = head::parse_usual(&bytes) {
            prop_assert_eq!(Some(length), head::find_end(&bytes, &mut 0));
            let parsed = head::parse(&mut &bytes[..], length).unwrap();
            prop_assert_eq!(format!("{head:?}"), format!("{parsed:?}"));
        }
    }

    #[test]
    fn splits_change_nothing(which in 0..RESPONSES.len(), cuts in prop::collection::vec(1usize..20, 1..40)) {
        let response = RESPONSES[which].as_bytes();
        let (mut pieces, mut rest) = (Vec::new(), response);
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        prop_assert_eq!(parse(&pieces), parse(&[response]));
    }

    #[test]
    fn any_bytes_get_an_answer(bytes: Vec<u8>) {
        let _ = parse(&[&bytes]);
        let with_head = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &bytes[..]].concat();
        let _ = parse(&[&with_head]);
        let in_head = [b"HTTP/1.1 200 OK\r\n", &bytes[..], b"\r\n\r\n"].concat();
        let _ = parse(&[&in_head]);
    }

    #[test]
    fn chunks_give_their_data(chunks in prop::collection::vec("[a-z]{1,50}", 0..10)) {
        let mut wire = String::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for chunk in &chunks {
            wire.push_str(&format!("{:X}\r\n{chunk}\r\n", chunk.len()));
        }
        wire.push_str("0\r\n\r\n");
        let parsed = parse(&[wire.as_bytes()]).unwrap();
        let expected = format!("{:?} rest \"\"", chunks.concat());
        prop_assert!(parsed.ends_with(&expected), "{}", parsed);
    }
}

fn framing(headers: &str, status: u16, to_head_request: bool) -> Result<(Framing, bool), String> {
    let text = format!("HTTP/1.1 {status} X\r\n{headers}\r\n");
    let mut buffer = BytesMut::from(text.as_bytes());
    let length = buffer.len();
    let head = head::parse(&mut buffer, length).map_err(|error| error.to_string())?;
    let framing = head.framing(to_head_request).map_err(|error| error.to_string())?;
    Ok((framing, head.keeps_alive(framing)))
}

#[test]
fn framing_follows_the_headers_and_the_status() {
    let check = |headers, expected| assert_eq!(framing(headers, 200, false), Ok(expected), "{headers}");
    check("Content-Length: 3\r\n", (Framing::Length(3), true));
    check("Content-Length: 3\r\nContent-Length: 3\r\n", (Framing::Length(3), true));
    check("Content-Length: 3\r\nConnection: x, Close\r\n", (Framing::Length(3), false));
    check("", (Framing::UntilClose, false));
    check("Transfer-Encoding: Chunked\r\n", (Framing::Chunked, true));
    // Two ways to tell the length: chunks win, the connection is not trusted again.
    check("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", (Framing::Chunked, false));
    for status in [204, 304] {
        assert_eq!(framing("Content-Length: 3\r\n", status, false), Ok((Framing::Empty, true)));
    }
    assert_eq!(framing("Content-Length: 3\r\n", 200, true), Ok((Framing::Empty, true)));
}

#[test]
fn ambiguous_framing_is_refused() {
    let check = |headers, expected: &str| {
        assert_eq!(framing(headers, 200, false), Err(expected.to_owned()), "{headers}");
    };
    check(
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        r#"http: message cannot contain multiple Content-Length headers; got ["5" "6"]"#,
    );
    check(
        "Content-Length: 5\r\nContent-Length: 05\r\n",
        r#"http: message cannot contain multiple Content-Length headers; got ["5" "05"]"#,
    );
    check("Content-Length:\r\n", r#"invalid empty Content-Length """#);
    check("Content-Length: 9223372036854775808\r\n", r#"bad Content-Length "9223372036854775808""#);
    check("Content-Length: x\r\n", r#"bad Content-Length "x""#);
    check("Content-Length: -1\r\n", r#"bad Content-Length "-1""#);
    check("Content-Length: +1\r\n", r#"bad Content-Length "+1""#);
    check("Content-Length: 99999999999999999999\r\n", r#"bad Content-Length "99999999999999999999""#);
    check("Transfer-Encoding: gzip\r\n", r#"unsupported transfer encoding: "gzip""#);
    check(
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        r#"too many transfer encodings: ["chunked" "chunked"]"#,
    );
    for (status, to_head_request) in [(204, false), (304, false), (200, true)] {
        let refused = framing("Content-Length: x\r\n", status, to_head_request);
        assert_eq!(refused, Err(r#"bad Content-Length "x""#.to_owned()));
    }
}

#[test]
fn what_is_wrong_with_a_head_is_told_in_gos_words() {
    let check = |head: &str, expected: &str| {
        let wire = format!("{head}\r\n\r\n");
        assert_eq!(parse(&[wire.as_bytes()]), Err(expected.to_owned()), "{head}");
    };
    let check_field = |field: &str, expected: &str| check(&format!("HTTP/1.1 200 OK\r\n{field}"), expected);
    check("HTTP/1.1", r#"malformed HTTP response "HTTP/1.1""#);
    check("HTTP/1.1 20 OK", r#"malformed HTTP status code "20""#);
    check("HTTP/1.1 2x0 OK", r#"malformed HTTP status code "2x0""#);
    check("HTTP/1.12 200 OK", r#"malformed HTTP version "HTTP/1.12""#);
    check("\u{15}\u{3}", r#"malformed HTTP response "\x15\x03""#);
    check_field("bad header", r#"malformed MIME header: missing colon: "bad header""#);
    check_field("X : a", "malformed MIME header line: X : a");
    check_field("X: a\0b", "malformed MIME header line: X: a\0b");
    check_field("A: b\r\n: c", "malformed MIME header line: : c");
    check_field(" X: a", "malformed MIME header initial line:  X: a");
}

#[test]
fn folded_fields_are_one_line() {
    let check = |head: &str, expected: &str| {
        let wire = format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{head}\r\n\r\n");
        let expected = format!(r#"200 [("Content-Length", "0"), {expected}] "" rest """#);
        assert_eq!(parse(&[wire.as_bytes()]), Ok(expected), "{head}");
    };
    check("X: a\r\n b", r#"("X", "a b")"#);
    check("X: a \r\n \t b: c\n\td\r\nY: z", r#"("X", "a b: c d"), ("Y", "z")"#);
    check("X:\r\n b", r#"("X", "b")"#);
}

#[test]
fn usual_heads_are_read_in_one_pass() {
    let is_usual = |head: &str| head::parse_usual(head.as_bytes()).is_some();
    assert!(is_usual("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: 2\r\nX:e\r\n\r\n{}"));
    assert!(is_usual("HTTP/1.1 404 Not Found\r\n\r\n{}"));
    let unusual = [
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
    ];
    for head in unusual {
        assert!(!is_usual(head), "{head:?}");
    }
}

#[test]
fn empty_lines_are_no_head() {
    // Behind an informational head they come without having been looked at before.
    for text in ["\n\n", "\r\n\r\n", "\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n"] {
        let mut buffer = BytesMut::from(text.as_bytes());
        let length = head::find_end(&buffer, &mut 0).unwrap();
        let error = head::parse(&mut buffer, length).unwrap_err();
        assert_eq!(error.text, r#"malformed HTTP response """#, "{text:?}");
    }
}

#[test]
fn reasons_are_what_the_server_wrote() {
    let check = |line: &str, expected: &str| {
        let text = format!("{line}\r\n\r\n");
        let head = head::parse(&mut BytesMut::from(text.as_bytes()), text.len()).unwrap();
        assert_eq!(head.reason, expected, "{line}");
    };
    check("HTTP/1.1 200 OK", "OK");
    check("HTTP/1.1  299 Not so\tusual", "Not so\tusual");
    check("HTTP/1.1 200 é à", "é à");
    check("HTTP/1.1 200 ", "");
    check("HTTP/1.1 200", "");
}

#[test]
fn tokens_decide_about_the_connection() {
    let check = |head: &str, expected| {
        let text = format!("{head}\r\nContent-Length: 0\r\n\r\n");
        let head = head::parse(&mut BytesMut::from(text.as_bytes()), text.len()).unwrap();
        assert_eq!(head.keeps_alive(head.framing(false).unwrap()), expected, "{text}");
    };
    check("HTTP/1.1 200 OK", true);
    check("HTTP/1.1 200 OK\r\nConnection: x ,CLOSE", false);
    check("HTTP/1.1 200 OK\r\nConnection: closed", true);
    check("HTTP/1.1 099 Low", false);
    check("HTTP/1.0 200 OK", false);
    check("HTTP/1.0 200 OK\r\nConnection: Keep-Alive", true);
    check("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nConnection: close", false);
}

#[test]
fn what_go_keeps_to_itself_is_not_shown() {
    let check = |response: &str, expected: &str| {
        let shown = parse(&[response.as_bytes()]).unwrap();
        assert_eq!(shown, format!(r#"200 [{expected}] "" rest """#), "{response}");
    };
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\nTrailer: T\r\n\r\n0\r\n\r\n",
        "",
    );
    check("HTTP/1.1 200 OK\r\nConnection: close, x\r\n\r\n", "");
    check(
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        r#"("Connection", "close")"#,
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\nConnection: x\r\n\r\n",
        r#"("Content-Length", "0"), ("Connection", "x")"#,
    );
}

#[test]
fn chunk_sizes_are_checked() {
    let check = |body: &str, expected: &str| {
        let wire = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        assert_eq!(parse(&[wire.as_bytes()]), Err(expected.to_owned()), "{body}");
    };
    check("zz\r\nabc", "invalid byte in chunk length");
    check("\r\n", "empty hex number for chunk length");
    check("10000000000000000\r\n", "http chunk length too large");
    check("-1\r\n", "invalid byte in chunk length");
    check("3\r\nab", "unexpected EOF");
    check("3\nabc\r\n0\r\n\r\n", "chunked line ends with bare LF");
    check("3\r\nabc\n0\r\n\r\n", "malformed chunked encoding");
    check("3\r\nabc\r\r\n0\r\n\r\n", "malformed chunked encoding");
    check("3\rx\r\nabc", "invalid CR in chunked line");
    check("3;x\ry\r\nabc", "invalid CR in chunked line");
    check("3 x\r\nabc", "invalid byte in chunk length");
    check("3 ;x\r\nabc", "invalid byte in chunk length");
    check(";x\r\nabc", "empty hex number for chunk length");
    let wasteful = format!("1;{}\r\na\r\n", "x".repeat(100)).repeat(1000);
    check(&wasteful, "chunked encoding contains too much non-data");
    let too_long = "http: suspiciously long trailer after chunked body";
    check("0\r\n", "http: unexpected EOF reading trailer");
    check("0\r\nTrailer: x", too_long);
    check("0\r\nT: 1\n\n", too_long);
    check("0\r\n\r\r\n", too_long);
    check("0\r\nT\r\n\r\n", r#"malformed MIME header: missing colon: "T""#);
    check("0\r\nT: \0\r\n\r\n", "malformed MIME header line: T: \0");
    check(&format!("1;{}", "x".repeat(5000)), "header line too long");
    check(&("0\r\n".to_owned() + &"T: 1\r\n".repeat(1000)), too_long);
}

#[test]
fn many_headers_and_empty_values_are_fine() {
    let fields: String = (0..1000).map(|i| format!("X-{i}:\r\n")).collect();
    let text = format!("HTTP/1.1 200 OK\r\n{fields}Y: z\r\n\r\n");
    let mut buffer = BytesMut::from(text.as_bytes());
    let head = head::parse(&mut buffer, text.len()).unwrap();
    assert_eq!(head.headers.iter().count(), 1001);
    assert_eq!(head.headers.get("x-999"), Some(""));
    assert_eq!(head.headers.get("y"), Some("z"));
}
