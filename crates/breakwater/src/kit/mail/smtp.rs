//! Sending by SMTP: pooled connections, time limits, and errors told apart by whether a retry can help.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Mail, MailError};

/// How long the server may take for one message, connecting included.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Connections at a time: what a mail server takes from one client without complaint, and enough for hundreds of messages a
/// second at tens of milliseconds each.
const CONNECTIONS: u32 = 16;

/// A mail server.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    /// The pool keeps connections but opens as many as are asked for.
    connections: Arc<Semaphore>,
    from: Mailbox,
    time_limit: Duration,
}

impl Smtp {
    pub(super) fn new(url: &str, from: &str, time_limit: Duration) -> Result<Self, MailError> {
        // What the parser says does not quote the URL, so no password either.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|error| MailError::Url(describe(&error)))?;
        let from = from
            .parse()
            .map_err(|error| MailError::Url(format!("the sender `{from}` is no address: {error}")))?;
        Ok(Self {
            transport: builder
                .timeout(Some(time_limit))
                .pool_config(PoolConfig::new().max_size(CONNECTIONS))
                .build(),
            connections: Arc::new(Semaphore::new(CONNECTIONS as usize)),
            from,
            time_limit,
        })
    }

    pub(super) async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        let sending = async {
            let _permit = self.connections.acquire().await.expect("the semaphore is never closed");
            self.transport.send(message).await
        };
        match timeout(self.time_limit, sending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(classify(&error)),
            Err(_) => Err(MailError::Temporary("the mail server does not answer in time".into())),
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailError> {
        let permanent = |what: &str| MailError::Permanent(what.to_owned());
        if mail.message_id.is_empty()
            || !mail.message_id.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>".contains(&byte))
        {
            return Err(permanent("its id is not of the form `something@domain`"));
        }
        let to: Mailbox =
            mail.to.parse().map_err(|error| permanent(&format!("`{}` is no address: {error}", mail.to)))?;
        Message::builder()
            .message_id(Some(format!("<{}>", mail.message_id)))
            .date_now()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.as_str())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|error| permanent(&error.to_string()))
    }
}

/// Permanent is only what the server refuses for good (5xx). Refused credentials (53x) are so too, but that is about us and
/// not about the message: it can be sent when they are put right.
fn classify(error: &smtp::Error) -> MailError {
    let credentials = error.status().is_some_and(|code| code.to_string().starts_with("53"));
    if error.is_permanent() && !credentials {
        MailError::Permanent(describe(error))
    } else {
        MailError::Temporary(describe(error))
    }
}

/// The error with its causes.
fn describe(error: &smtp::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        // Some errors tell their cause already.
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}
