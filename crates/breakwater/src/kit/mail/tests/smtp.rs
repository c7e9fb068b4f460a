//! The SMTP client, against our own small server and against ones that misbehave.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Counts, LONG, Mail, MailError, Mailer, Server, mail};
use crate::kit::mail::smtp::{Smtp, TIME_LIMIT};
use crate::kit::mail::smtp_sink;

fn mailer(address: SocketAddr, time_limit: Duration) -> Mailer {
    Mailer::Smtp(
        Smtp::new(&format!("smtp://{address}"), "Breakwater <from@example.org>", time_limit).unwrap(),
    )
}

#[tokio::test]
async fn a_message_arrives_as_it_was() {
    let server = Server::start().await;
    let mailer = mailer(server.address, TIME_LIMIT);
    let sent = Mail {
        message_id: "birthday.42.2026@breakwater.example".into(),
        to: "ada@example.org".into(),
        subject: "Happy birthday, Ada".into(),
        text: ".one\r\n..two\r\n.\r\nend\r\n".into(),
    };
    for _ in 0..2 {
        mailer.send(&sent).await.unwrap();
    }
    assert_eq!(server.sink.counts(), Counts { arrivals: 2, shown: 1, repeats: 1, refused: 0 });
    assert_eq!(server.sink.latest(), [sent]);
}

#[tokio::test]
async fn whatever_ends_the_lines_the_whole_text_arrives() {
    let server = Server::start().await;
    let mailer = mailer(server.address, TIME_LIMIT);
    for (number, text) in ["a\n.\nb", "a\r\n.\r\nb", "a\r.\rb", "a\n.\r\nb", "."].iter().enumerate() {
        let text = (*text).to_owned();
        mailer.send(&Mail { text, ..mail(&format!("{number}@x"), "ada@example.org") }).await.unwrap();
    }
    let arrived: Vec<_> = server.sink.latest().into_iter().map(|mail| mail.text).collect();
    assert_eq!(server.sink.counts(), Counts { arrivals: 5, shown: 5, repeats: 0, refused: 0 });
    for text in &arrived[..4] {
        assert!(text.contains('.') && text.trim_end().ends_with('b'), "{text:?}");
    }
    assert_eq!(arrived[4], ".\r\n");
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let server = Server::start().await;
    let mailer = mailer(server.address, TIME_LIMIT);
    let busy = mailer.send(&mail("a@x", "ada@busy.invalid")).await;
    assert!(matches!(&busy, Err(MailError::Temporary(why)) if why.contains("busy")), "{busy:?}");
    let unknown = mailer.send(&mail("b@x", "ada@unknown.invalid")).await;
    assert!(matches!(&unknown, Err(MailError::Permanent(why)) if why.contains("not known")), "{unknown:?}");
    mailer.send(&mail("c@x", "ada@example.org")).await.expect("the connections still work");
}

#[tokio::test]
async fn what_cannot_be_a_message_is_refused_for_good() {
    let server = Server::start().await;
    let mailer = mailer(server.address, TIME_LIMIT);
    let injected = "a@x>\r\nBcc: <eve@example.org";
    for (id, to) in [("a@x", "ada"), ("a@x", ""), (injected, "ada@example.org"), ("", "ada@example.org")] {
        let refused = mailer.send(&mail(id, to)).await;
        assert!(matches!(refused, Err(MailError::Permanent(_))), "{id} {to}: {refused:?}");
    }
    let sly = Mail { subject: "one\r\nBcc: eve@example.org".into(), ..mail("d@x", "ada@example.org") };
    mailer.send(&sly).await.unwrap();
    assert_eq!(server.sink.latest()[0].to, "ada@example.org");
    assert!(!server.sink.latest()[0].text.contains("Bcc"), "the subject stayed one header");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_temporary() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = mailer(closed, TIME_LIMIT).send(&mail("a@x", "ada@example.org")).await.unwrap_err();
    assert!(matches!(error, MailError::Temporary(_)), "{error}");
}

#[tokio::test]
async fn a_silent_server_costs_no_more_than_the_time_limit() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mailer = mailer(silent.local_addr().unwrap(), Duration::from_millis(200));
    let start = Instant::now();
    let error = timeout(LONG, mailer.send(&mail("a@x", "ada@example.org"))).await.unwrap().unwrap_err();
    assert!(matches!(error, MailError::Temporary(_)), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_server_that_does_not_want_us_is_temporary() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"554 not from there\r\n").await.unwrap();
    });
    let error = mailer(address, TIME_LIMIT).send(&mail("a@x", "ada@example.org")).await.unwrap_err();
    assert!(matches!(&error, MailError::Temporary(why) if why.contains("not from there")), "{error}");
}

#[tokio::test]
async fn refused_credentials_are_temporary_and_not_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut sign_in = String::new();
        let (socket, _) = listener.accept().await.unwrap();
        let (read, mut write) = socket.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 hello\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let reply: &[u8] = match line.get(..4) {
                Some("EHLO") => b"250-hello\r\n250 AUTH PLAIN LOGIN\r\n",
                Some("AUTH") => {
                    sign_in = line;
                    b"535 wrong\r\n"
                }
                _ => b"221 bye\r\n",
            };
            write.write_all(reply).await.unwrap();
        }
        sign_in
    });
    let mailer = Mailer::new(&format!("smtp://ada%40home:geheim@{address}"), "from@example.org").unwrap();
    let error = mailer.send(&mail("a@x", "ada@example.org")).await.unwrap_err();
    assert!(matches!(error, MailError::Temporary(_)), "{error}");
    assert!(error.to_string().contains("535") && !error.to_string().contains("geheim"), "{error}");
    // base64 of "\0ada@home\0geheim"
    assert_eq!(timeout(LONG, server).await.unwrap().unwrap(), "AUTH PLAIN AGFkYUBob21lAGdlaGVpbQ==");
}

/// More messages at a time than connections: all arrive.
#[tokio::test]
async fn many_at_a_time_share_the_connections() {
    let server = Server::start().await;
    let mailer = mailer(server.address, TIME_LIMIT);
    let messages: Vec<_> = (0..100).map(|id| mail(&format!("{id}@x"), "ada@example.org")).collect();
    for sent in join_all(messages.iter().map(|message| mailer.send(message))).await {
        sent.unwrap();
    }
    assert_eq!(server.sink.counts(), Counts { arrivals: 100, shown: 100, repeats: 0, refused: 0 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures: run it with --profile quick"]
#[expect(clippy::print_stderr, reason = "figures for whoever runs this test with --nocapture")]
async fn rate() {
    let server = Server::start().await;
    let mailer = mailer(server.address, TIME_LIMIT);
    let (senders, each) = (16, 500);
    let start = Instant::now();
    join_all((0..senders).map(|sender| {
        let mailer = mailer.clone();
        tokio::spawn(async move {
            for id in 0..each {
                mailer.send(&mail(&format!("{sender}.{id}@x"), "ada@example.org")).await.unwrap();
            }
        })
    }))
    .await;
    let rate = f64::from(senders * each) / start.elapsed().as_secs_f64();
    eprintln!("{rate:.0} messages/s by SMTP");
    assert_eq!(server.sink.counts().shown, u64::try_from(senders * each).unwrap());
    if !cfg!(debug_assertions) {
        assert!(rate >= 1000.0, "{rate}");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_has_ended_is_replaced() {
    let server = Server::start().await;
    let mailer = mailer(server.address, TIME_LIMIT);
    mailer.send(&mail("a@x", "ada@example.org")).await.unwrap();
    server.stop.cancel();
    let again = loop {
        // The port is free when the server has let it go.
        if let Ok(listener) = TcpListener::bind(server.address).await {
            break listener;
        }
        tokio::task::yield_now().await;
    };
    tokio::spawn(smtp_sink::serve(again, server.sink.clone(), CancellationToken::new()));
    mailer.send(&mail("b@x", "ada@example.org")).await.unwrap();
    assert_eq!(server.sink.counts().shown, 2);
}

#[test]
fn urls_are_read_with_care() {
    let check = |url: &str, good: bool| {
        let made = Mailer::new(url, "from@example.org");
        assert_eq!(made.is_ok(), good, "{url}: {:?}", made.err());
    };
    for url in [
        "smtp://host",
        "smtp://host:2525",
        "smtp://[::1]:25",
        "smtps://user:p%40ss@host",
        "smtp://u:p@host?tls=required",
    ] {
        check(url, true);
    }
    for url in [
        "smtp://",
        "smtp://user:%4@host",
        "smtp://user:%zz@host",
        "smtp://host?tls=maybe",
        "smtps://host?tls=required",
    ] {
        check(url, false);
    }
}
