//! Messages to people: a sink in the process, or SMTP.
//!
//! Whoever sends repeats a message under the same `message_id` when it does not know how the first try ended, and whoever
//! receives shows it once: the sink does, and so do mailboxes.

mod sink;
#[cfg(feature = "servers")]
mod smtp;
pub mod smtp_sink;

#[cfg(test)]
mod tests;

pub use sink::{Counts, Sink};

/// A plain-text message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What the receiver recognises repeats by: `something@domain`, without angle brackets, the same for each try.
    pub message_id: String,
    /// The address of the receiver.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Where messages go. Clones share it.
#[derive(Clone)]
pub enum Mailer {
    /// Kept in this process.
    Sink(Sink),
    /// A mail server.
    #[cfg(feature = "servers")]
    Smtp(smtp::Smtp),
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The address names no place we know.
    #[error(
        "the mail server's URL is not usable: {0}; give `sink:`, `smtp://user:password@host:port` \
         (`?tls=required` for STARTTLS) or `smtps://…`"
    )]
    Url(String),
    /// It may work later: retry.
    #[error("the message was not sent, try again later: {0}")]
    Temporary(String),
    /// This message will never be sent: no retry helps.
    #[error("the message cannot be sent: {0}")]
    Permanent(String),
}

impl Mailer {
    /// The place at `url`: `sink:` (`sink:?delay_ms=20` takes so long for each message), or a mail server by `smtp://`,
    /// `smtp://…?tls=required` (STARTTLS) or `smtps://`. `from` is the sender's address. Connects with the first message.
    pub fn new(url: &str, from: &str) -> Result<Self, MailError> {
        match url.split_once(':') {
            Some(("sink", options)) => Ok(Self::Sink(Sink::from_options(options)?)),
            #[cfg(feature = "servers")]
            Some(("smtp" | "smtps", _)) => Ok(Self::Smtp(smtp::Smtp::new(url, from, smtp::TIME_LIMIT)?)),
            #[cfg(not(feature = "servers"))]
            Some(("smtp" | "smtps", _)) => Err(MailError::Url(format!(
                "this build cannot send as `{from}` to a mail server (feature `servers`)"
            ))),
            _ => Err(MailError::Url("its scheme is not known".into())),
        }
    }

    /// Sends one message. Done when the receiver has taken responsibility for it.
    pub async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        match self {
            Self::Sink(sink) => sink.take(mail.clone()).await,
            #[cfg(feature = "servers")]
            Self::Smtp(smtp) => smtp.send(mail).await,
        }
    }
}
