//! What Loki gets.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use jiff::{Timestamp, tz::TimeZone};
use tracing::Level;

use super::*;
use crate::testing::Sandbox;

fn settings(text: &str) -> LokiSettings {
    LokiSettings::parse(text).expect("good settings").0
}

fn record(message: &str, source: &str) -> Record {
    Record {
        time: Timestamp::from_nanosecond(1_234_567_890).expect("a time").to_zoned(TimeZone::UTC),
        elapsed_seconds: 0,
        level: Level::WARN,
        message: message.into(),
        fields: vec![("source", source.into())],
    }
}

#[test]
fn settings_have_k6s_names_and_defaults() {
    assert_eq!(settings("").url.as_str(), DEFAULT_URL);
    let (settings, level) = LokiSettings::parse(
        "=https://[::1]:1/x?y=z,limit=5,msgMaxSize=20,pushPeriod=2s,level=error,\
         allowedLabels=[level,source],label.app=a=b,header.X-Y=z,profile",
    )
    .expect("good settings");
    assert_eq!(settings.url.as_str(), "https://[::1]:1/x?y=z");
    assert_eq!((settings.limit, settings.message_chars_max), (5, 20));
    assert_eq!((settings.push_period, level), (Duration::from_secs(2), Some(LevelFilter::ERROR)));
    assert_eq!(settings.allowed_labels, Some(vec!["level".into(), "source".into()]));
    assert_eq!(settings.labels, [("app".into(), "a=b".into())]);
    assert_eq!(settings.headers, [("X-Y".into(), "z".into())]);
    for bad in
        ["=ftp://x", "=x", ",limit=0", ",limit=x", ",pushPeriod=0s", ",zork=1", ",level=loud", ",label.=x"]
    {
        assert!(LokiSettings::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn fields_are_labels_unless_told_otherwise() {
    let settings = settings(",label.app=x");
    let entries = ["a", "b"].map(|message| settings.entry(&record(message, "console")));
    let expected = r#"{"streams":[{"stream":{"level":"warning","source":"console","app":"x"},"values":[["1234567890","a"],["1234567890","b"]]}]}"#;
    assert_eq!(body(entries.into()), expected);
}

#[test]
fn other_fields_go_into_the_message() {
    let entry = settings(",allowedLabels=[level]").entry(&record("a", "the console"));
    assert_eq!(entry.message, "a source=\"the console\"");
    assert_eq!(entry.labels, [("level".into(), "warning".into())]);
}

#[test]
fn long_messages_lose_their_middle() {
    let shorten = |text: &str| shortened(text.into(), 6);
    assert_eq!(shorten("äbcdef"), "äbcdef");
    assert_eq!(shorten("äbcdefgh"), "äbc... omitting 2 characters ...fgh");
}

#[test]
fn pushes_what_is_within_the_limit_and_counts_the_rest() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a push");
        let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&request).contains("]}]}") {
            let count = stream.read(&mut chunk).expect("the rest of the push");
            request.extend_from_slice(&chunk[..count]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("a reader");
        String::from_utf8_lossy(&request).into_owned()
    });
    let (process, _, stderr) = Sandbox::new().process("run a.js");
    let text = format!("=http://{address}/push?a=b,limit=1,pushPeriod=1h,header.X-Tenant=t");
    let loki = Loki::start(settings(&text), process.console.clone()).expect("a thread");
    for message in ["first", "second", "third"] {
        loki.add(&record(message, "console"));
    }
    loki.finish();
    let request = server.join().expect("no panic");
    assert!(request.starts_with("POST /push?a=b HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("x-tenant: t\r\n") && request.contains(&format!("host: {address}\r\n")),
        "{request}"
    );
    assert!(request.contains("first") && !request.contains("second"), "{request}");
    assert!(request.contains("2 log messages were dropped"), "{request}");
    assert_eq!(stderr.text(), "");
}

#[test]
fn says_once_that_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let (process, _, stderr) = Sandbox::new().process("run a.js");
    let loki =
        Loki::start(settings(&format!("=http://{address}")), process.console.clone()).expect("a thread");
    loki.add(&record("a", "console"));
    loki.finish();
    loki.finish();
    assert!(
        stderr.text().starts_with(&format!("cannot push logs to http://{address}/: ")),
        "{}",
        stderr.text()
    );
    assert_eq!(stderr.text().lines().count(), 1);
}
