//! What senders may rely on: each message shown once, errors told apart, a server that keeps to the protocol.

#[cfg(feature = "servers")]
mod smtp;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Counts, Mail, MailError, Mailer, Sink, smtp_sink};

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(20);

fn mail(message_id: &str, to: &str) -> Mail {
    let (subject, text) = ("Happy birthday".into(), "Many happy returns!\r\n".into());
    Mail { message_id: message_id.into(), to: to.into(), subject, text }
}

#[tokio::test]
async fn each_id_is_shown_once() {
    let mailer = Mailer::new("sink:", "from@example.org").unwrap();
    let Mailer::Sink(sink) = &mailer else { panic!("a sink") };
    for id in ["a@x", "b@x", "a@x", "", ""] {
        mailer.send(&mail(id, "ada@example.org")).await.unwrap();
    }
    assert_eq!(sink.counts(), Counts { arrivals: 5, shown: 4, repeats: 1, refused: 0 });
    assert!(sink.has("b@x") && !sink.has("c@x"));
    assert_eq!(sink.latest()[1], mail("b@x", "ada@example.org"));
}

#[tokio::test]
async fn some_addresses_refuse() {
    let sink = Sink::new(Duration::ZERO);
    let ends = |results: &[Result<(), MailError>]| {
        let word = |result: &Result<(), MailError>| match result {
            Ok(()) => "sent",
            Err(MailError::Temporary(_)) => "temporary",
            Err(MailError::Permanent(_)) => "permanent",
            Err(MailError::Url(_)) => "url",
        };
        results.iter().map(word).collect::<Vec<_>>().join(" ")
    };
    let mut results = Vec::new();
    for to in [
        "ada@later.invalid",
        "ada@later.invalid",
        "ada@busy.invalid",
        "ada@busy.invalid",
        "ada@unknown.invalid",
    ] {
        results.push(sink.take(mail("a@x", to)).await);
    }
    assert_eq!(ends(&results), "temporary sent temporary temporary permanent");
    assert_eq!(sink.counts(), Counts { arrivals: 5, shown: 1, repeats: 0, refused: 4 });
}

#[tokio::test(start_paused = true)]
async fn a_sink_takes_its_time_for_each_message_but_not_one_after_the_other() {
    let mailer = Mailer::new("sink:?delay_ms=200", "from@example.org").unwrap();
    let start = Instant::now();
    let (first, second) = (mail("a@x", "ada@example.org"), mail("b@x", "ada@example.org"));
    let (first, second) = tokio::join!(mailer.send(&first), mailer.send(&second));
    first.and(second).unwrap();
    assert_eq!(start.elapsed().as_millis(), 200);
}

#[test]
fn urls_that_name_no_place_are_refused() {
    for url in [
        "",
        "sink",
        "sink:?delay=5",
        "sink:?delay_ms=soon",
        "pigeon://roof",
        "smtp://user:geheim@host:99999999",
    ] {
        let error = Mailer::new(url, "from@example.org").err().expect(url);
        assert!(matches!(error, MailError::Url(_)), "{url}: {error}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

/// A mail server that stops with the test.
struct Server {
    address: std::net::SocketAddr,
    sink: Sink,
    stop: CancellationToken,
    _guard: DropGuard,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, sink, stop) =
            (listener.local_addr().unwrap(), Sink::new(Duration::ZERO), CancellationToken::new());
        tokio::spawn(smtp_sink::serve(listener, sink.clone(), stop.clone()));
        Self { address, sink, stop: stop.clone(), _guard: stop.drop_guard() }
    }

    /// Sends `lines` in one go and returns the codes of all replies until the server closes.
    async fn talk(&self, lines: &str) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let (mut read, mut write) = socket.split();
        let mut replies = String::new();
        let lines = lines.replace("\r\n", "\n").replace('\n', "\r\n");
        let talking =
            async { tokio::join!(write.write_all(lines.as_bytes()), read.read_to_string(&mut replies)) };
        let (written, read) = timeout(LONG, talking).await.expect("the server answers in time");
        written.unwrap();
        read.unwrap();
        replies
            .lines()
            .filter(|line| line.as_bytes()[3] == b' ')
            .map(|line| &line[..3])
            .collect::<Vec<_>>()
            .join(" ")
    }
}

#[tokio::test]
async fn the_protocol_is_kept_to() {
    let server = Server::start().await;
    let check = async |lines: &str, codes: &str| assert_eq!(server.talk(lines).await, codes, "{lines}");
    check("NOOP\nQUIT\n", "220 250 221").await;
    check("ehlo me\nHELO me\nnoop\nVRFY ada\nquit\n", "220 250 250 250 500 221").await;
    check("RCPT TO:<a@b>\nDATA\nMAIL FROM:<>\nDATA\nMAIL FROM:<a@b>\nQUIT\n", "220 503 503 250 503 503 221")
        .await;
    check(
        "MAIL a@b\nMAIL FROM: <a@b> SIZE=3\nRCPT TO:<>\nRCPT a\nRCPT to:<a@b>\nQUIT\n",
        "220 501 250 501 501 250 221",
    )
    .await;
    check("MAIL FROM:<a@b>\nRSET\nRCPT TO:<a@b>\nQUIT\n", "220 250 250 503 221").await;
    check("MAIL FROM:<\u{e4}\u{20ac}>\n\nMÄIL\nQUIT\n", "220 250 500 500 221").await;
    assert_eq!(server.sink.counts(), Counts::default());
}

#[tokio::test]
async fn messages_arrive_without_the_dots_that_stuff_them() {
    let server = Server::start().await;
    let one = "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nRCPT TO:<e@f>\nDATA\nSubject: one\n two\nMESSAGE-ID:\n <id@x>\n\n\
               ..dot\n...\nno dot.\n\n.\n";
    let bare = "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\n.\n";
    assert_eq!(
        server.talk(&format!("{one}{one}{bare}QUIT\n")).await,
        "220 250 250 250 354 250 250 250 250 354 250 250 250 354 250 221"
    );
    assert_eq!(server.sink.counts(), Counts { arrivals: 3, shown: 2, repeats: 1, refused: 0 });
    let expected = Mail {
        message_id: "id@x".into(),
        to: "c@d, e@f".into(),
        subject: "one two".into(),
        text: ".dot\r\n..\r\nno dot.\r\n\r\n".into(),
    };
    assert_eq!(server.sink.latest()[0], expected);
}

#[tokio::test]
async fn sizes_are_bounded() {
    let server = Server::start().await;
    let long = "x".repeat(10_000);
    assert_eq!(server.talk(&format!("NOOP {long}\nNOOP\nQUIT\n")).await, "220 500 250 221");

    let start = "MAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\n";
    assert_eq!(server.talk(&format!("{start}{long}\n.\nNOOP\nQUIT\n")).await, "220 250 250 354 552 250 221");
    let large = "a line of the message\n".repeat(60_000);
    assert_eq!(server.talk(&format!("{start}{large}.\nNOOP\nQUIT\n")).await, "220 250 250 354 552 250 221");
    assert_eq!(server.sink.counts().arrivals, 0);

    let receivers = "RCPT TO:<c@d>\n".repeat(101);
    let codes = server.talk(&format!("MAIL FROM:<a@b>\n{receivers}QUIT\n")).await;
    assert!(codes.ends_with("250 452 221"), "{codes}");
    assert_eq!(codes.matches("250").count(), 101);
}

#[tokio::test]
async fn a_message_that_is_cut_off_does_not_count() {
    let server = Server::start().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: half\r\n").await.unwrap();
    socket.shutdown().await.unwrap();
    let mut replies = String::new();
    timeout(LONG, socket.read_to_string(&mut replies)).await.unwrap().unwrap();
    assert!(replies.contains("354"), "{replies}");
    assert_eq!(server.sink.counts(), Counts::default());
}

#[tokio::test]
async fn a_server_that_is_stopped_ends_its_connections() {
    let server = Server::start().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let mut greeting = [0; 3];
    socket.read_exact(&mut greeting).await.unwrap();
    server.stop.cancel();
    let mut rest = String::new();
    timeout(LONG, socket.read_to_string(&mut rest)).await.expect("it is closed").unwrap();
    assert!(!rest.contains("221"));
}
