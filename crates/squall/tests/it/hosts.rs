//! Hosts that do not exist, do not answer, or answer nonsense: an error code of the request, and the run goes on.

use std::iter::repeat_n;

use bytes::Bytes;
use squall_testing::{Authority, ScriptedServer, Signal, Step, Validity};

use crate::sandbox::Sandbox;

/// Requests every URL once and gives `code error` for each.
#[track_caller]
fn errors_of(urls: &[String], sandbox: Sandbox) -> Vec<String> {
    let script = "import http from 'k6/http';
        export default () => {
            for (const url of JSON.parse(__ENV.URLS)) {
                const response = http.get(url, { timeout: '500ms' });
                console.log(`answer: ${response.error_code} ${response.error}`);
            }
        }";
    let urls = serde_json::to_string(urls).unwrap();
    let output = sandbox.file("script.js", script).env("URLS", urls).run(&["--log-format", "raw"]);
    output.check(0, "");
    output.check_iterations(1);
    output.stderr.lines().filter_map(|line| line.strip_prefix("answer: ")).map(str::to_owned).collect()
}

/// A server that reads a request and then does this.
fn answering(steps: impl IntoIterator<Item = Step>) -> ScriptedServer {
    ScriptedServer::start(vec![std::iter::once(Step::read_head()).chain(steps).collect()])
}

/// Megabytes of the same.
fn megabytes(byte: u8, count: usize) -> impl Iterator<Item = Step> {
    repeat_n(Step::Write(Bytes::from(vec![byte; 1_000_000])), count)
}

#[track_caller]
fn check(servers: Vec<(ScriptedServer, &str)>) {
    let urls: Vec<String> = servers.iter().map(|(server, _)| server.url("/")).collect();
    let expected: Vec<&str> = servers.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(errors_of(&urls, Sandbox::new()), expected);
}

#[test]
fn hosts_that_break_off_or_stall() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
    let chunks = || megabytes(b'x', 10_000);
    check(vec![
        (answering([Step::Reset]), "1220 read: connection reset by peer"),
        (answering([]), "1000 EOF"),
        (answering([Step::Wait(Signal::new())]), "1050 request timeout"),
        (answering([Step::write(half)]), "1000 unexpected EOF"),
        (answering([Step::write(half), Step::Reset]), "1220 read: connection reset by peer"),
        (answering([Step::write(half), Step::Wait(Signal::new())]), "1050 request timeout"),
        (
            answering([Step::write("HTTP/1.1 200 OK\r\n\r\n")].into_iter().chain(chunks())),
            "1050 request timeout",
        ),
        (
            answering(
                [Step::write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFF\r\n")]
                    .into_iter()
                    .chain(chunks()),
            ),
            "1050 request timeout",
        ),
    ]);
}

#[test]
fn hosts_that_answer_nonsense() {
    let too_long = "1000 net/http: server response headers exceeded 1048576 bytes; aborted";
    let says = |text: &str| answering([Step::write(text)]);
    check(vec![
        (says("hello\n"), "1000 malformed HTTP response \"hello\""),
        (says("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), "1000 bad Content-Length \"-5\""),
        (says("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nhi"), "1000 unexpected EOF"),
        (
            says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi"),
            "1000 http: message cannot contain multiple Content-Length headers; got [\"2\" \"3\"]",
        ),
        (
            says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"),
            "1000 invalid byte in chunk length",
        ),
        (
            says("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi"),
            "1701 error decompressing response body (unexpected end of file)",
        ),
        (
            says("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
            "1000 unsupported response status: 101 Switching Protocols",
        ),
        (
            answering([Step::write("HTTP/1.1 200 OK\r\nX: ")].into_iter().chain(megabytes(b'x', 100))),
            too_long,
        ),
        (
            answering(
                [Step::write("HTTP/1.1 200 OK\r\n")]
                    .into_iter()
                    .chain(repeat_n(Step::write(&"X: y\r\n".repeat(100_000)), 170)),
            ),
            too_long,
        ),
    ]);
}

#[test]
fn addresses_that_lead_nowhere() {
    let urls = [
        "http://127.0.0.1:1/",
        "http://nope.invalid/",
        "http://127.0.0.1:99999/",
        "ftp://localhost/",
        "http://",
        "",
    ];
    let errors = errors_of(&urls.map(String::from), Sandbox::new());
    let codes: Vec<&str> = errors.iter().filter_map(|error| error.split(' ').next()).collect();
    assert_eq!(codes, ["1212", "1101", "1020", "1000", "1000", "1000"], "{errors:?}");
}

#[test]
fn certificates_that_do_not_hold() {
    let authority = Authority::new();
    let server = |names: &[&str], validity| {
        let config = authority.server(names, validity).server_config(&["http/1.1"], None);
        ScriptedServer::start_tls(
            config,
            vec![vec![Step::read_head(), Step::write("HTTP/1.1 204 No Content\r\n\r\n")]],
        )
    };
    let good = server(&["localhost"], Validity::Current);
    let expired = server(&["localhost"], Validity::Expired);
    let other = server(&["example.com"], Validity::Current);
    let plain =
        ScriptedServer::start(vec![vec![Step::Read(1), Step::write("HTTP/1.1 400 Bad Request\r\n\r\n")]]);
    let urls = [&good, &expired, &other, &plain].map(|server| server.https_url("/"));
    // Trusted from the directory that the program runs in.
    let sandbox = Sandbox::new().file("authority.pem", authority.pem()).env("SSL_CERT_FILE", "authority.pem");
    let errors = errors_of(&urls, sandbox);
    let expected = [
        "0 ",
        "1000 x509: certificate has expired or is not yet valid: current time",
        "1311 x509: certificate doesn't match hostname",
        "1301 tls: first record does not look like a TLS handshake",
    ];
    let is_as_expected =
        errors.iter().zip(expected).filter(|(error, start)| error.starts_with(start)).count();
    assert_eq!(is_as_expected, expected.len(), "{errors:#?}");
}

#[test]
fn a_host_that_redirects_in_circles_is_left_at_the_limit() {
    let script = "import http from 'k6/http';
        export default () => console.log(http.get(__ENV.URL, JSON.parse(__ENV.PARAMS)).status);";
    let run = |params: &str| {
        let hop = [
            Step::read_head(),
            Step::write("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        ];
        let server = ScriptedServer::start(vec![std::iter::repeat_n(hop, 11).flatten().collect()]);
        Sandbox::with_script(script).env("URL", server.url("/")).env("PARAMS", params).run(&[])
    };
    let output = run("{}");
    output.check(0, "msg=302");
    output.check(0, "Stopped after 10 redirects");
    let output = run(r#"{ "redirects": 3 }"#);
    output.check(0, "msg=302");
    assert!(!output.stderr.contains("Stopped"), "{}", output.stderr);
}
