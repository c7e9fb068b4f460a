//! A small mail server (RFC 5321) in front of a [`Sink`]: takes messages, delivers them nowhere.
//!
//! Lines, messages, receivers, connections and silence are bounded. There is no TLS and no sign-in.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Mail, MailError, Sink};

/// The longest line with its end, of commands and of text: the standard's 1,000, and room for those who take no notice.
const LINE_BYTES: usize = 4096;

/// The largest message.
const MESSAGE_BYTES: usize = 1 << 20;

/// The most receivers of one message.
const RECEIVERS: usize = 100;

/// The most connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 1000;

/// How long a client may say nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// Serves on `listener` until `stop` is cancelled; what is under way then is cut off.
pub async fn serve(listener: TcpListener, sink: Sink, stop: CancellationToken) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let accepting = async {
        loop {
            let permit = connections.clone().acquire_owned().await.expect("the semaphore is never closed");
            let socket = match listener.accept().await {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    // Out of file descriptors, as a rule: it passes when connections end.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            // Replies are short and awaited.
            let _ = socket.set_nodelay(true);
            let (sink, stop) = (sink.clone(), stop.clone());
            tokio::spawn(async move {
                let _permit = permit;
                let (read, write) = socket.into_split();
                let mut session = Session::new(read, write, sink);
                if let Some(Err(error)) = stop.run_until_cancelled(session.run()).await {
                    tracing::debug!(%error, "an SMTP connection broke");
                }
            });
        }
    };
    stop.run_until_cancelled(accepting).await;
}

/// One client's connection.
struct Session<R, W> {
    read: BufReader<R>,
    write: BufWriter<W>,
    sink: Sink,
    /// Between MAIL and the end of DATA.
    mail_from: bool,
    receivers: Vec<String>,
}

/// A line as it came.
enum Line {
    Complete(Vec<u8>),
    /// Longer than is allowed; what it was is forgotten.
    TooLong,
    /// The client is gone.
    End,
}

/// What DATA brought.
enum Content {
    Message(String),
    TooLarge,
    End,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Session<R, W> {
    fn new(read: R, write: W, sink: Sink) -> Self {
        let (read, write) = (BufReader::new(read), BufWriter::new(write));
        Self { read, write, sink, mail_from: false, receivers: Vec::new() }
    }

    async fn run(&mut self) -> std::io::Result<()> {
        self.reply("220 breakwater sink").await?;
        loop {
            let line = match self.line().await? {
                Line::Complete(line) => line,
                Line::TooLong => {
                    self.reply("500 the line is too long").await?;
                    continue;
                }
                Line::End => return Ok(()),
            };
            let line = String::from_utf8_lossy(&line);
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    self.reset();
                    let size = format!("250-SIZE {MESSAGE_BYTES}\r\n250-8BITMIME\r\n250 PIPELINING");
                    self.reply(&format!("250-breakwater\r\n{size}")).await?;
                }
                "HELO" => {
                    self.reset();
                    self.reply("250 breakwater").await?;
                }
                "MAIL" if self.mail_from => self.reply("503 there is a sender already").await?,
                "MAIL" => match address(rest, "FROM:") {
                    Some(_) => {
                        self.mail_from = true;
                        self.reply("250 the sender is fine").await?;
                    }
                    None => self.reply("501 MAIL FROM:<address>").await?,
                },
                "RCPT" if !self.mail_from => self.reply("503 MAIL comes first").await?,
                "RCPT" if self.receivers.len() == RECEIVERS => self.reply("452 too many receivers").await?,
                "RCPT" => match address(rest, "TO:").filter(|to| !to.is_empty()) {
                    Some(to) => {
                        self.receivers.push(to.to_owned());
                        self.reply("250 the receiver is fine").await?;
                    }
                    None => self.reply("501 RCPT TO:<address>").await?,
                },
                "DATA" if self.receivers.is_empty() => self.reply("503 RCPT comes first").await?,
                "DATA" => {
                    self.reply("354 end with a line that is one dot").await?;
                    let answer = match self.content().await? {
                        Content::Message(content) => self.deliver(&content).await,
                        Content::TooLarge => format!("552 the message has more than {MESSAGE_BYTES} bytes"),
                        Content::End => return Ok(()),
                    };
                    self.reset();
                    self.reply(&answer).await?;
                }
                "RSET" => {
                    self.reset();
                    self.reply("250 forgotten").await?;
                }
                "NOOP" => self.reply("250 nothing done").await?,
                "QUIT" => {
                    self.reply("221 goodbye").await?;
                    return timeout(SILENCE, self.write.flush()).await?;
                }
                _ => self.reply("500 the command is not known").await?,
            }
        }
    }

    fn reset(&mut self) {
        self.mail_from = false;
        self.receivers.clear();
    }

    /// Hands the message to the sink; the reply to the client.
    async fn deliver(&mut self, content: &str) -> String {
        let (head, text) = content.split_once("\r\n\r\n").unwrap_or((content, ""));
        let message_id = header(head, "message-id").trim_matches(['<', '>']).to_owned();
        let mail = Mail {
            message_id,
            to: self.receivers.join(", "),
            subject: header(head, "subject"),
            text: text.to_owned(),
        };
        match self.sink.take(mail).await {
            Ok(()) => "250 the message is here".into(),
            Err(MailError::Permanent(why)) => format!("550 {why}"),
            Err(MailError::Temporary(why) | MailError::Url(why)) => format!("451 {why}"),
        }
    }

    /// The lines up to the one that is a dot, without the dots that stuff others (RFC 5321, 4.5.2).
    async fn content(&mut self) -> std::io::Result<Content> {
        let mut content = Vec::new();
        let mut too_large = false;
        loop {
            match self.line().await? {
                Line::Complete(line) if line == b"." => break,
                Line::Complete(line) if content.len() + line.len() <= MESSAGE_BYTES && !too_large => {
                    content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
                    content.extend_from_slice(b"\r\n");
                }
                Line::Complete(_) | Line::TooLong => too_large = true,
                Line::End => return Ok(Content::End),
            }
        }
        if too_large {
            return Ok(Content::TooLarge);
        }
        Ok(Content::Message(String::from_utf8_lossy(&content).into_owned()))
    }

    /// The next line; a client that takes too long over it is as good as gone.
    async fn line(&mut self) -> std::io::Result<Line> {
        timeout(SILENCE, self.read_line()).await.unwrap_or(Ok(Line::End))
    }

    async fn read_line(&mut self) -> std::io::Result<Line> {
        let mut line = Vec::new();
        let mut too_long = false;
        loop {
            if self.read.buffer().is_empty() {
                self.write.flush().await?;
            }
            let bytes = self.read.fill_buf().await?;
            if bytes.is_empty() {
                return Ok(Line::End);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[..end.map_or(bytes.len(), |end| end + 1)];
            too_long |= line.len() + part.len() > LINE_BYTES;
            if !too_long {
                line.extend_from_slice(part);
            }
            let length = part.len();
            self.read.consume(length);
            if end.is_some() {
                if too_long {
                    return Ok(Line::TooLong);
                }
                let text = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")).unwrap_or(&line);
                line.truncate(text.len());
                return Ok(Line::Complete(line));
            }
        }
    }

    /// Replies to commands that came together go together: they leave before the next wait. A client that does not read
    /// them is cut off.
    async fn reply(&mut self, reply: &str) -> std::io::Result<()> {
        timeout(SILENCE, self.write.write_all(format!("{reply}\r\n").as_bytes())).await?
    }
}

/// The address in `FROM:<a@b> SIZE=1` or `TO:<a@b>`.
fn address<'a>(rest: &'a str, keyword: &str) -> Option<&'a str> {
    let (head, tail) = rest.split_at_checked(keyword.len())?;
    let (address, _parameters) = tail.trim_start().strip_prefix('<')?.split_once('>')?;
    head.eq_ignore_ascii_case(keyword).then_some(address)
}

/// The first header of that name, its folded lines joined; empty if there is none.
fn header(head: &str, name: &str) -> String {
    let mut lines = head.split("\r\n").skip_while(|line| {
        let found = line.split_once(':').map(|(found, _)| found);
        !found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    });
    let Some((_, first)) = lines.next().and_then(|line| line.split_once(':')) else {
        return String::new();
    };
    let folded = lines.take_while(|line| line.starts_with([' ', '\t'])).map(str::trim);
    std::iter::once(first.trim()).chain(folded).collect::<Vec<_>>().join(" ").trim().to_owned()
}
