//! The other readers of foreign bytes, each with what must hold of its result.

use bytes::{Bytes, BytesMut};
use http::Method;
use url::Url;

use crate::cookies::{CookieJar, cookie_header, response_cookies};
use crate::encoding::{Encoding, compress, decompress_up_to};
use crate::h1::head;
use crate::headers::Headers;
use crate::message::Message;
use crate::multipart::Multipart;
use crate::redirect;

/// A head: its end is found in any pieces, and what is read of it lies in it.
pub fn h1_head(data: &[u8]) {
    let end = head::find_end(data, &mut 0);
    let mut scanned = 0;
    let in_pieces = (0..=data.len()).find_map(|length| head::find_end(&data[..length], &mut scanned));
    assert_eq!(end, in_pieces, "the end depends on the pieces");
    if let Some((usual, length)) = head::parse_usual(data) {
        assert_eq!(Some(length), end, "a usual head has another end");
        let parsed = head::parse(&mut &data[..], length).expect("a usual head is a head");
        assert_eq!(format!("{usual:?}"), format!("{parsed:?}"), "a usual head is read otherwise");
    }
    let Some(length) = end else { return };
    let _ = head::check_start(data);
    let mut buffer = BytesMut::from(data);
    let Ok(head) = head::parse(&mut buffer, length) else { return };
    assert_eq!(buffer, data[length..], "the body starts behind the head");
    assert!(head.status < 1000);
    for (name, value) in head.headers.iter() {
        assert!(!name.is_empty() && !name.contains(&b':'), "no name");
        assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)), "a value of two lines");
        assert_eq!(value, value.trim_ascii(), "a value in white space");
    }
    for to_head_request in [false, true] {
        if let Ok(framing) = head.framing(to_head_request) {
            let _ = head.keeps_alive(framing);
        }
    }
}

/// `Set-Cookie` values, one a line: whatever they are, what is sent back is one line of printable text.
pub fn cookies(data: &[u8]) {
    let headers = fields("Set-Cookie", data.split(|byte| *byte == b'\n'));
    let _ = response_cookies(&headers);
    let mut jar = CookieJar::new();
    let url = |text| Url::parse(text).expect("a URL");
    jar.store_response(&url("https://www.example.com/a/b"), &headers);
    jar.store_response(&url("http://127.0.0.1/"), &headers);
    for text in ["https://www.example.com/a/b/c", "http://sub.www.example.com/", "http://127.0.0.1/"] {
        let url = url(text);
        let header = cookie_header(None, &[], Some(&jar), &url);
        assert!(!header.chars().any(|char| matches!(char, '\r' | '\n')), "{header:?} is more than a header");
        jar.clear(&url);
        assert!(jar.cookies_for_url(&url).is_empty());
    }
}

/// A `Location`: where it leads can be asked for in one well-formed request.
pub fn redirect(data: &[u8]) {
    let headers = fields("Location", std::iter::once(data));
    for base in ["http://user:secret@example.com:8080/a/b?c#d", "https://[::1]/"] {
        let base = Url::parse(base).expect("a URL");
        for status in [302, 307] {
            let Ok(Some(redirect)) = redirect::next(&Method::POST, &base, status, &headers) else { continue };
            let referer = redirect.referer.as_deref().unwrap_or_default();
            assert!(!referer.contains("secret"), "{referer} tells a secret");
            if matches!(redirect.url.scheme(), "http" | "https") {
                check_request(&redirect.method, &redirect.url);
            }
        }
    }
}

fn check_request(method: &Method, url: &Url) {
    let head = Message::new(method, url, "agent").head(None);
    let mut fields = [httparse::EMPTY_HEADER; 8];
    let mut request = httparse::Request::new(&mut fields);
    let parsed = request.parse(head.as_bytes());
    assert_eq!(parsed, Ok(httparse::Status::Complete(head.len())), "{head:?} is no request");
    assert_eq!(request.method, Some(method.as_str()));
    assert!(request.path.is_some_and(|path| path.starts_with('/')), "{head:?}");
    let host = request.headers.iter().find(|field| field.name == "Host");
    assert!(host.is_some_and(|host| !host.value.is_empty() && !host.value.contains(&b' ')), "{head:?}");
}

/// A form of these names and data (divided by line feeds): what a reader finds is what was put in.
pub fn multipart(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (name, filename) = (text(), text());
    let value = parts.next().unwrap_or_default();
    let mut form = Multipart::with_boundary("b0undary".to_owned());
    form.field(&name, value);
    form.file(&name, &filename, "text/plain", value);
    let body = form.finish();
    let body = body.strip_prefix(b"--b0undary\r\n").expect("it starts with the boundary");
    let body = body.strip_suffix(b"\r\n--b0undary--\r\n").expect("it ends with the boundary");
    let (field, body) = split(body, b"\r\n\r\n");
    assert_eq!(field.iter().filter(|byte| **byte == b'\n').count(), 0, "a line was smuggled in");
    let body = body.strip_prefix(value).expect("the field's value");
    let body = body.strip_prefix(b"\r\n--b0undary\r\n").expect("the boundary between");
    let (file, data) = split(body, b"\r\n\r\n");
    assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), 1, "a line was smuggled in");
    assert_eq!(data, value);
}

fn split<'d>(data: &'d [u8], at: &[u8]) -> (&'d [u8], &'d [u8]) {
    let index = memchr::memmem::find(data, at).expect("a part has a head");
    (&data[..index], &data[index + at.len()..])
}

/// A coded body; the first byte chooses the chain. Bombs end at the limit, and what was coded here comes back.
pub fn decompression(data: &[u8]) {
    const LIMIT_BYTES: u64 = 1 << 20;
    const CHAINS: [&[Encoding]; 6] = [
        &[Encoding::Gzip],
        &[Encoding::Deflate],
        &[Encoding::Brotli],
        &[Encoding::Zstd],
        &[Encoding::Gzip, Encoding::Brotli],
        &[Encoding::Zstd, Encoding::Zstd],
    ];
    let Some((choice, data)) = data.split_first() else { return };
    let chain = CHAINS[usize::from(*choice) % CHAINS.len()];
    let names: Vec<_> = chain.iter().map(|encoding| encoding.as_str()).collect();
    let names = names.join(", ");
    let data = Bytes::copy_from_slice(data);
    if let Ok(decoded) = decompress_up_to(data.clone(), &names, LIMIT_BYTES) {
        assert!(decoded.len() as u64 <= LIMIT_BYTES);
    }
    let coded = compress(&data, chain).expect("memory takes everything");
    assert_eq!(decompress_up_to(coded, &names, LIMIT_BYTES).ok(), Some(data));
}

/// Headers of one name with these values, as far as they can be in a head.
fn fields<'d>(name: &str, values: impl Iterator<Item = &'d [u8]>) -> Headers {
    let mut text = b"HTTP/1.1 200 OK\r\n".to_vec();
    for value in values {
        text.extend(format!("{name}: ").bytes());
        text.extend(value.iter().filter(|byte| **byte >= b' ' && **byte != 0x7f));
        text.extend(b"\r\n");
    }
    text.extend(b"\r\n");
    let length = text.len();
    head::parse(&mut BytesMut::from(&text[..]), length).map(|head| head.headers).unwrap_or_default()
}
