//! Sending by SMTP: pooled connections, time limits, and errors told apart by whether a retry can help.
//!
//! Connections are lettre's, the pool is ours: lettre's own sends the end of a message in a packet of its own, which waits for
//! the server's delayed acknowledgement, 40 ms a message.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::Uri;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Mail, MailError};

/// How long the server may take for one message, connecting included.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Connections at a time: what a mail server takes from one client without complaint, and enough for hundreds of messages a
/// second at tens of milliseconds each.
const CONNECTIONS: usize = 16;

/// A mail server. Clones share its connections.
#[derive(Clone)]
pub struct Smtp(Arc<Shared>);

struct Shared {
    server: Server,
    from: Mailbox,
    /// Connections that nobody uses.
    idle: Mutex<Vec<AsyncSmtpConnection>>,
    /// Bounds those in use.
    in_use: Semaphore,
    time_limit: Duration,
}

/// How to connect.
struct Server {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
}

enum Security {
    None,
    StartTls(TlsParameters),
    Tls(TlsParameters),
}

impl Smtp {
    pub(super) fn new(url: &str, from: &str, time_limit: Duration) -> Result<Self, MailError> {
        let from = from
            .parse()
            .map_err(|error| MailError::Url(format!("the sender `{from}` is no address: {error}")))?;
        Ok(Self(Arc::new(Shared {
            server: Server::new(url)?,
            from,
            idle: Mutex::default(),
            in_use: Semaphore::new(CONNECTIONS),
            time_limit,
        })))
    }

    pub(super) async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        let sending = async {
            let _permit = self.0.in_use.acquire().await.expect("the semaphore is never closed");
            // A server that does not take us may well take the message, once that is put right.
            let mut connection =
                self.connection().await.map_err(|error| MailError::Temporary(describe(&error)))?;
            let sent = transmit(&mut connection, &message).await;
            // After a refusal the connection is good for the next message, after any other error it is not.
            let refused = sent.as_ref().is_err_and(|error| error.status().is_some());
            if sent.is_ok() || refused && connection.command(Rset).await.is_ok() {
                self.idle().push(connection);
            }
            sent.map_err(|error| classify(&error))
        };
        timeout(self.0.time_limit, sending)
            .await
            .unwrap_or_else(|_| Err(MailError::Temporary("the mail server does not answer in time".into())))
    }

    /// A connection that still works, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, Error> {
        let idle = self.idle().pop();
        if let Some(mut connection) = idle
            && connection.test_connected().await
        {
            return Ok(connection);
        }
        self.0.server.connect().await
    }

    fn idle(&self) -> MutexGuard<'_, Vec<AsyncSmtpConnection>> {
        self.0.idle.lock().expect("no code that holds this lock panics")
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let permanent = |what: &str| MailError::Permanent(what.to_owned());
        let graphic = |byte: u8| byte.is_ascii_graphic() && !b"<>".contains(&byte);
        if mail.message_id.is_empty() || !mail.message_id.bytes().all(graphic) {
            return Err(permanent("its id is not of the form `something@domain`"));
        }
        let to: Mailbox =
            mail.to.parse().map_err(|error| permanent(&format!("`{}` is no address: {error}", mail.to)))?;
        if !to.email.to_string().is_ascii() {
            return Err(permanent("addresses beyond ASCII are not supported"));
        }
        Message::builder()
            .message_id(Some(format!("<{}>", mail.message_id)))
            .date_now()
            .from(self.0.from.clone())
            .to(to)
            .subject(mail.subject.as_str())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|error| permanent(&error.to_string()))
    }
}

impl Server {
    fn new(url: &str) -> Result<Self, MailError> {
        let wrong = |what: &str| MailError::Url(what.to_owned());
        // What the parser says is not passed on: the URL has a password in it.
        let uri: Uri = url.parse().map_err(|_| wrong("it does not have the form of a URL"))?;
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        let (user, host_and_port) = match authority.as_str().rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, authority.as_str()),
        };
        if host_and_port != authority.host() && authority.port_u16().is_none() {
            return Err(wrong("its port is no number up to 65535"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let tls = || TlsParameters::new(host.clone()).map_err(|error| MailError::Url(describe(&error)));
        let (security, port) = match (uri.scheme_str(), uri.query()) {
            (Some("smtps"), None) => (Security::Tls(tls()?), SUBMISSIONS_PORT),
            (Some("smtp"), Some("tls=required")) => (Security::StartTls(tls()?), SUBMISSION_PORT),
            (Some("smtp"), None) => (Security::None, SMTP_PORT),
            _ => return Err(wrong("only `tls=required` may follow `?`, and only with `smtp://`")),
        };
        let credentials = match user {
            None => None,
            Some(user) => {
                let (user, password) = user.split_once(':').unwrap_or((user, ""));
                let decoded = decode(user).zip(decode(password));
                Some(Credentials::from(decoded.ok_or_else(|| wrong("a `%` in it stands for no character"))?))
            }
        };
        Ok(Self { port: authority.port_u16().unwrap_or(port), host, security, credentials })
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let hello = ClientId::default();
        let wrapped = match &self.security {
            Security::Tls(parameters) => Some(parameters.clone()),
            Security::None | Security::StartTls(_) => None,
        };
        let address = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, None, &hello, wrapped, None).await?;
        if let Security::StartTls(parameters) = &self.security {
            connection.starttls(parameters.clone(), &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// One message over one connection.
async fn transmit(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), Error> {
    let envelope = message.envelope();
    connection.command(MailFrom::new(envelope.from().cloned(), Vec::new())).await?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
    }
    connection.command(Data).await?;
    connection.command(stuffed(&message.formatted())).await?;
    Ok(())
}

/// The message as DATA wants it: a dot more before each line that starts with one, and a line that is a dot at the end (RFC
/// 5321, 4.5.2).
fn stuffed(message: &[u8]) -> String {
    // What is not ASCII has been encoded.
    let mut lines = String::from_utf8_lossy(message).replace("\r\n.", "\r\n..");
    if !lines.ends_with("\r\n") {
        lines.push_str("\r\n");
    }
    lines + ".\r\n"
}

/// Resolves `%40` and the like.
fn decode(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Permanent is only what the server refuses for good (5xx). That it wants credentials (53x) is so too, but it is about us
/// and not about the message.
fn classify(error: &Error) -> MailError {
    let credentials = error.status().is_some_and(|code| code.to_string().starts_with("53"));
    if error.is_permanent() && !credentials {
        MailError::Permanent(describe(error))
    } else {
        MailError::Temporary(describe(error))
    }
}

/// The error with its causes.
fn describe(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        // Some errors tell their cause already.
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}
