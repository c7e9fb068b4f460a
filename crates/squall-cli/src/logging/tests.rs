//! Lines as k6 1.1.0 prints them.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;

use super::*;
use crate::{exit_code::ExitCode, testing::Sandbox};

fn record(level: Level, message: &str, fields: &[(&'static str, &str)]) -> Record {
    Record {
        time: Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC),
        elapsed_seconds: 7,
        level,
        message: message.into(),
        fields: fields.iter().map(|&(name, value)| (name, json!(value))).collect(),
    }
}

fn console(message: &str) -> Record {
    record(Level::INFO, message, &[("source", "console")])
}

#[test]
fn logfmt_quotes_as_go_does() {
    let check = |message: &str, quoted: &str| {
        let expected = format!("time=\"1970-01-01T00:00:00Z\" level=info msg={quoted} source=console\n");
        assert_eq!(Format::Text.line(&console(message), Style::Plain), expected);
    };
    check("plain", "plain");
    check("/^@+-._", "/^@+-._");
    check("a=b", r#""a=b""#);
    check("hi \"there\"\nx=1", r#""hi \"there\"\nx=1""#);
    check("é 漢 q'x <&>", r#""é 漢 q'x <&>""#);
    check("tab\tx\u{1}\u{2028}", r#""tab\tx\x01\u2028""#);
    check("\\", r#""\\""#);
    check("e\u{301}", "\"e\u{301}\"");
}

#[test]
fn logfmt_leaves_an_empty_message_out() {
    let line = Format::Text.line(&console(""), Style::Plain);
    assert_eq!(line, "time=\"1970-01-01T00:00:00Z\" level=info source=console\n");
}

#[test]
fn logfmt_keeps_the_zone() {
    let mut record = console("x");
    record.time = record.time.with_time_zone(TimeZone::fixed(jiff::tz::offset(5)));
    assert!(Format::Text.line(&record, Style::Plain).starts_with("time=\"1970-01-01T05:00:00+05:00\" "));
}

#[test]
fn terminals_get_colours_and_padding() {
    let line = Format::Text.line(&console("é 漢"), Style::Terminal);
    let expected = format!("\x1b[36mINFO\x1b[0m[0007] {:<44}  \x1b[36msource\x1b[0m=console\n", "é 漢");
    assert_eq!(line, expected);
    let line = Format::Text.line(
        &record(Level::ERROR, "Error: boom\n\tat default\n", &[("scenario", "default")]),
        Style::Terminal,
    );
    let expected = "\x1b[31mERRO\x1b[0m[0007] Error: boom\n\tat default                      \x1b[31mscenario\x1b[0m=default\n";
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), expected.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn json_sorts_keys_and_escapes_html() {
    let line = Format::Json.line(&console("<&>\u{2028}\t\u{1}"), Style::Plain);
    let expected = r#"{"level":"info","msg":"\u003c\u0026\u003e\u2028\t\u0001","source":"console","time":"1970-01-01T00:00:00Z"}"#;
    assert_eq!(line, format!("{expected}\n"));
    let line = Format::Json.line(&record(Level::WARN, "", &[("executor", "x")]), Style::Plain);
    assert_eq!(
        line,
        "{\"executor\":\"x\",\"level\":\"warning\",\"msg\":\"\",\"time\":\"1970-01-01T00:00:00Z\"}\n"
    );
}

#[test]
fn raw_is_the_message() {
    assert_eq!(Format::Raw.line(&console("hi\nyou"), Style::Plain), "hi\nyou\n");
}

#[test]
fn settings_follow_flags() {
    let parse = |output| LogSettings::parse(None, Some(output), false);
    assert_eq!(parse("none").map(|settings| settings.target), Ok(Target::None));
    let settings = parse("file=a.log,level=error").expect("good settings");
    assert_eq!((settings.level, settings.target), (LevelFilter::ERROR, Target::File("a.log".into())));
    for bad in ["paper", "file", "file=", "file=a,level=loud", "file=a,mode=w", "loki=x"] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}

/// Logs an event of each kind as a command with these flags would.
fn log(sandbox: &Sandbox, flags: &str, console_output: Option<&str>) -> (String, String) {
    let (process, stdout, stderr) = sandbox.process(&format!("run a.js {flags}"));
    let Ok(crate::args::Invocation::Command(cli)) = crate::args::parse(&process) else { panic!("bad flags") };
    let logging = start(&cli, &process).expect("good settings");
    if let Some(name) = console_output {
        logging.redirect_console(name, &process).expect("a writable file");
    }
    tracing::debug!("details");
    tracing::warn!(target: "hyper::proto", "not ours");
    tracing::info!(source = "console", "said {}", "so");
    tracing::error!(code = 7, "failed");
    (stdout.text(), stderr.text())
}

#[test]
fn only_squalls_own_events_are_logged() {
    let (stdout, stderr) = log(&Sandbox::new(), "--log-format raw", None);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", "said so\nfailed\n"));
    let (_, stderr) = log(&Sandbox::new(), "--log-format raw -v", None);
    assert_eq!(stderr, "details\nsaid so\nfailed\n");
}

#[test]
fn output_goes_where_it_is_asked_to_go() {
    let (stdout, stderr) = log(&Sandbox::new(), "--log-output stdout --log-format raw", None);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("said so\nfailed\n", ""));
    assert_eq!(log(&Sandbox::new(), "--log-output none", None), (String::new(), String::new()));
    let sandbox = Sandbox::new().file("x.log", "before\n");
    let (stdout, stderr) = log(&sandbox, "--log-output file=x.log,level=error --log-format raw", None);
    assert_eq!((stdout, stderr, sandbox.read("x.log")), ("".into(), "".into(), "before\nfailed\n".into()));
}

#[test]
fn console_output_takes_what_scripts_print() {
    let sandbox = Sandbox::new().terminal();
    let (_, stderr) = log(&sandbox, "", Some("console.log"));
    assert!(!stderr.contains("said so") && stderr.contains("failed"), "{stderr}");
    let logged = sandbox.read("console.log");
    assert!(logged.ends_with(" level=info msg=\"said so\"\n"), "{logged}");
}

#[test]
fn colours_can_be_turned_off() {
    for sandbox in [Sandbox::new().terminal().env("NO_COLOR", "1"), Sandbox::new()] {
        assert!(!log(&sandbox, "", None).1.contains('\x1b'));
    }
    assert!(!log(&Sandbox::new().terminal(), "--no-color", None).1.contains('\x1b'));
    assert!(log(&Sandbox::new().terminal(), "", None).1.contains('\x1b'));
}

#[test]
fn errors_before_the_logger_look_the_same() {
    let output = Sandbox::new().terminal().run("run --log-output paper a.js");
    assert_eq!(output.exit_code, ExitCode::Usage);
    assert!(
        output.stderr.starts_with("\x1b[31mERRO\x1b[0m[0000] unknown log output 'paper'"),
        "{}",
        output.stderr
    );
}
