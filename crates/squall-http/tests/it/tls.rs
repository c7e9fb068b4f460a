//! Certificates good and bad, both protocols, and what a handshake leaves behind.

use bytes::Bytes;
use squall_http::{ClientConfig, Method, Protocol, Request};
use squall_net::NetConfig;
use squall_options::{CipherSuite, FromText as _, TlsAuth, TlsVersion};
use squall_testing::{Authority, Credentials, ScriptedServer, Step, Target, Validity};

use crate::{Vu, body_json, error, headers, http2_frame as frame, request, run};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn scripts() -> Vec<Vec<Step>> {
    vec![vec![Step::read_head(), Step::write(OK)]]
}

fn server(authority: &Authority, name: &str, validity: Validity) -> ScriptedServer {
    let config = authority.server(&[name], validity).server_config(&["http/1.1"], None);
    ScriptedServer::start_tls(config, scripts())
}

#[test]
fn a_trusted_server_answers_over_tls() {
    let authority = Authority::new();
    let server = server(&authority, "localhost", Validity::Current);
    run(async {
        let response = Vu::trusting(authority.pem()).get(server.https_url("/")).await;
        let exchange = response.exchange;
        assert_eq!((exchange.status, exchange.protocol), (200, Protocol::Http11));
        let tls = exchange.tls.expect("it is encrypted");
        assert_eq!((tls.version, tls.cipher_suite), ("tls1.3", "TLS_AES_256_GCM_SHA384"));
        assert!(!exchange.timings.tls_handshaking.is_zero());
        assert!(exchange.timings.blocked > exchange.timings.tls_handshaking);
    });
}

#[test]
fn bad_certificates_have_their_numbers() {
    let authority = Authority::new();
    let check = |vu: Vu, server: ScriptedServer, code, text: &str| {
        let response = run(async { vu.get(server.https_url("/")).await });
        let timings = &response.exchange.timings;
        assert!(!timings.connecting.is_zero() && timings.blocked.is_zero(), "{timings:?}");
        let (have, message) = error(&response);
        assert_eq!(have, code, "{message}");
        assert!(message.starts_with(text), "{message}");
    };
    let trusting = || Vu::trusting(authority.pem());
    let current = || server(&authority, "localhost", Validity::Current);
    check(Vu::trusting(Authority::new().pem()), current(), 1310, "x509: unknown authority");
    let wrong = server(&authority, "other.test", Validity::Current);
    check(trusting(), wrong, 1311, "x509: certificate doesn't match hostname");
    let expired = server(&authority, "localhost", Validity::Expired);
    let text = "x509: certificate has expired or is not yet valid: current time 20";
    check(trusting(), expired, 1000, text);
    let early = server(&authority, "localhost", Validity::NotYet);
    check(trusting(), early, 1000, text);
    let wrong_twice = server(&Authority::new(), "other.test", Validity::Current);
    check(trusting(), wrong_twice, 1311, "x509: certificate doesn't match hostname");
}

#[test]
fn a_server_may_be_its_own_authority() {
    let check = |names: &[&str], is_trusted: bool, expected: u32| {
        let credentials = Credentials::self_signed(names);
        let server = ScriptedServer::start_tls(credentials.server_config(&["http/1.1"], None), scripts());
        let vu = if is_trusted { Vu::trusting(credentials.cert_pem) } else { Vu::new() };
        let exchange = run(async { vu.get(server.https_url("/")).await }).exchange;
        assert_eq!(exchange.error_code(), expected, "{:?}", exchange.error);
    };
    check(&["localhost"], true, 0);
    check(&["localhost"], false, 1310);
    check(&["other.test"], true, 1311);
    check(&["other.test"], false, 1311);
}

#[test]
fn verification_can_be_skipped() {
    let authority = Authority::new();
    let server = server(&authority, "other.test", Validity::Expired);
    let mut net = NetConfig::default();
    net.tls.insecure_skip_verify = true;
    let response = run(async { Vu::with(net, ClientConfig::default()).get(server.https_url("/")).await });
    assert_eq!(response.exchange.status, 200);
}

#[test]
fn a_server_without_tls_is_told_apart() {
    for answer in ["SSH-2.0-x\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let server = ScriptedServer::start(vec![vec![Step::Read(5), Step::write(answer)]]);
        let response = run(async { Vu::new().get(server.https_url("/")).await });
        let text = "tls: first record does not look like a TLS handshake".to_owned();
        assert_eq!(error(&response), (1301, text));
    }
    let server = ScriptedServer::start(vec![vec![Step::Read(5)]]);
    let (code, _) = error(&run(async { Vu::new().get(server.https_url("/")).await }));
    assert!(matches!(code, 1000 | 1220), "{code}");
}

#[test]
fn client_certificates_are_shown_to_their_hosts() {
    let authority = Authority::new();
    let client = authority.client("vu");
    let server = || {
        let credentials = authority.server(&["localhost"], Validity::Current);
        let config = credentials.server_config(&["http/1.1"], Some(&authority));
        ScriptedServer::start_tls(config, scripts())
    };
    let send = |domains: &[&str]| {
        let mut net = NetConfig::default();
        net.tls.extra_roots_pem = vec![authority.pem()];
        net.tls.client_certificates = vec![TlsAuth {
            cert: client.cert_pem.clone(),
            key: client.key_pem.clone(),
            password: None,
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        }];
        let server = server();
        run(async { Vu::with(net, ClientConfig::default()).get(server.https_url("/")).await })
    };
    assert_eq!(send(&[]).exchange.status, 200);
    assert_eq!(send(&["localhost"]).exchange.status, 200);
    let required = (1010, "remote error: tls: certificate required".to_owned());
    assert_eq!(error(&send(&["other.test"])), required);
}

#[test]
fn versions_and_suites_are_honoured() {
    let target = Target::start();
    let mut net = NetConfig::default();
    net.tls.extra_roots_pem = vec![target.ca_pem()];
    net.tls.versions.max = Some(TlsVersion::Tls12);
    net.tls.cipher_suites = vec![CipherSuite::from_text("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305").unwrap()];
    let response = run(async { Vu::with(net, ClientConfig::default()).get(target.https_url("/get")).await });
    let tls = response.exchange.tls.expect("it is encrypted");
    assert_eq!((tls.version, tls.cipher_suite), ("tls1.2", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305"));
}

#[test]
fn http2_is_chosen_and_its_connection_shared() {
    let target = Target::start();
    run(async {
        let vu = Vu::trusting(target.ca_pem());
        let first = vu.get(target.https_url("/get?a=1")).await;
        assert_eq!(first.exchange.error, None);
        assert_eq!(first.exchange.protocol.as_str(), "HTTP/2.0");
        assert_eq!(first.status_text(), "200 OK");
        assert_eq!(first.headers.canonical()[0].0, "Content-Type");
        let post = Request {
            body: Some(Bytes::from_static(b"{\"a\":1}")),
            headers: headers(&[("x-own", "1")]),
            ..request(Method::POST, target.https_url("/post"))
        };
        let second = vu.send(&post).await;
        assert!(second.exchange.timings.connecting.is_zero(), "the connection is shared");
        let echo = body_json(&second);
        assert_eq!((&echo["json"]["a"], &echo["headers"]["X-Own"]), (&1.into(), &"1".into()));
        assert_eq!(echo["headers"]["User-Agent"], "test");
        assert_eq!(vu.connections.idle_count(), 1);
        vu.connections.close_idle();
        assert_eq!(vu.get(target.https_url("/gzip")).await.exchange.error, None);
        assert_eq!(vu.get(target.https_url("/redirect/1")).await.exchange.status, 200);
    });
}

#[test]
fn a_broken_http2_stream_has_its_number() {
    let target = Target::start();
    let response = run(async { Vu::trusting(target.ca_pem()).get(target.https_url("/drop")).await });
    assert_eq!(error(&response), (1633, "http2: stream error with http2 ErrCode INTERNAL_ERROR".into()));
}

#[test]
fn http2_errors_have_their_numbers() {
    let authority = Authority::new();
    let credentials = authority.server(&["localhost"], Validity::Current);
    let (settings, reset, go_away) = (4, 3, 7);
    let arrived = || Step::ReadUntil(Bytes::from_static(b"the end"));
    let check = |frame_sent: Vec<u8>, code, text: &str| {
        let config = credentials.server_config(&["h2"], None);
        let answer = [frame(settings, 0, 0, &[]), frame_sent].concat();
        let script = vec![arrived(), Step::Write(answer.into()), Step::ReadToEnd];
        let server = ScriptedServer::start_tls(config, vec![script]);
        let post = Request {
            body: Some(Bytes::from_static(b"the end")),
            ..request(Method::POST, server.https_url("/"))
        };
        let response = run(async { Vu::trusting(authority.pem()).send(&post).await });
        assert_eq!(error(&response), (code, text.to_owned()));
    };
    let calm = [0, 0, 0, 0, 0, 0, 0, 11];
    let turned_away = "http2: Transport received GOAWAY from server ErrCode:ENHANCE_YOUR_CALM";
    check(frame(go_away, 0, 0, &calm), 1000, turned_away);
    check(frame(reset, 0, 1, &[0, 0, 0, 2]), 1633, "http2: stream error with http2 ErrCode INTERNAL_ERROR");
    check(
        frame(reset, 0, 1, &[0, 0, 0, 99]),
        1630,
        "http2: stream error with http2 ErrCode unknown error code 0x63",
    );
    let data_without_stream = frame(0, 0, 0, b"x");
    check(data_without_stream, 1652, "http2: connection error with http2 ErrCode PROTOCOL_ERROR");
}
