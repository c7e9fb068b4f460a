//! What an HTTP/2 server has not looked at is sent again, as k6 does it; what it may have looked at is not.

use bytes::Bytes;
use squall_http::{Method, Request};
use squall_testing::{Authority, ScriptedServer, Step, Validity};

use crate::{Vu, error, http2_frame as frame, request, run};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

const END: u8 = 5;

fn ok(stream: u8) -> Vec<u8> {
    frame(HEADERS, END, stream, b"\x88")
}

fn reset(stream: u8, reason: u8) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &[0, 0, 0, reason])
}

fn farewell(last: u8, reason: u8) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[0, 0, 0, last, 0, 0, 0, reason])
}

/// Answers each request with these bytes, one after the other; the connection ends at an answer without any.
fn script(answers: &[Vec<u8>]) -> Vec<Step> {
    let mut script = vec![Step::Write(frame(SETTINGS, 0, 0, &[]).into())];
    for answer in answers {
        script.push(Step::ReadUntil(Bytes::from_static(b"the end")));
        if answer.is_empty() {
            return script;
        }
        script.push(Step::Write(answer.clone().into()));
    }
    script.push(Step::ReadToEnd);
    script
}

/// Sends two requests over connections with these answers: each has this status, or fails with this text.
fn check(method: &Method, scripts: &[&[Vec<u8>]], expected: [Result<u16, &str>; 2]) {
    let authority = Authority::new();
    let config = authority.server(&["localhost"], Validity::Current).server_config(&["h2"], None);
    let scripts = scripts.iter().map(|answers| script(answers)).collect();
    let server = ScriptedServer::start_tls(config, scripts);
    let vu = Vu::trusting(authority.pem());
    run(async {
        for expected in expected {
            let body = Some(Bytes::from_static(b"the end"));
            let response = vu.send(&Request { body, ..request(method.clone(), server.https_url("/")) }).await;
            match expected {
                Ok(status) => {
                    assert_eq!(response.exchange.error, None);
                    assert_eq!(response.exchange.status, status);
                }
                Err(text) => assert_eq!(error(&response).1, text),
            }
        }
    });
}

#[test]
fn what_was_refused_is_sent_again() {
    for method in [Method::GET, Method::POST] {
        for reason in [7, 1] {
            check(&method, &[&[reset(1, reason), ok(3), ok(5)]], [Ok(200), Ok(200)]);
            check(&method, &[&[ok(1), reset(3, reason), ok(5)]], [Ok(200), Ok(200)]);
        }
    }
}

#[test]
fn what_came_after_a_farewell_is_sent_again() {
    for method in [Method::GET, Method::POST] {
        check(&method, &[&[farewell(0, 0)], &[ok(1), ok(3)]], [Ok(200), Ok(200)]);
        check(&method, &[&[ok(1), farewell(1, 0)], &[ok(1)]], [Ok(200), Ok(200)]);
        check(&method, &[&[ok(1), farewell(1, 2)], &[ok(1)]], [Ok(200), Ok(200)]);
        let error = "http2: Transport received GOAWAY from server ErrCode:INTERNAL_ERROR";
        check(&method, &[&[farewell(0, 2)], &[ok(1)]], [Err(error), Ok(200)]);
    }
}

#[test]
fn what_may_have_been_looked_at_is_not() {
    for method in [Method::GET, Method::POST] {
        let cancelled = "http2: stream error with http2 ErrCode CANCEL";
        check(&method, &[&[ok(1), reset(3, 8)]], [Ok(200), Err(cancelled)]);
        check(&method, &[&[ok(1), Vec::new()], &[ok(1)]], [Ok(200), Err("unexpected EOF")]);
    }
}
