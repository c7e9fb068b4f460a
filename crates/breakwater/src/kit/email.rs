//! Addresses of people.

#[cfg(test)]
mod tests;

use serde::Serialize;

/// An address, in lower case. Mail systems tell letter cases apart before the @ in theory alone, and people never do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Longest that a mail can be sent to (RFC 5321, section 4.5.3.1.3, without the brackets).
    const BYTES_MAX: usize = 254;

    /// `text` if it has the form `local@domain` that hosts on the internet accept: RFC 5321 without quoted local parts and
    /// address literals. Otherwise what is wrong, to be said after the field's name.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "must be an address like name@example.com";
        if text.len() > Self::BYTES_MAX {
            return Err("may have 254 characters");
        }
        let (local, domain) = text.split_once('@').ok_or(FORM)?;
        let dotted = |text: &str, part: fn(&str) -> bool| text.split('.').all(part);
        let good_local = local.len() <= 64
            && dotted(local, |atom| {
                !atom.is_empty()
                    && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
            });
        let good_domain = domain.contains('.')
            && dotted(domain, |label| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            });
        (good_local && good_domain).then(|| Self(text.to_ascii_lowercase())).ok_or(FORM)
    }

    /// What was parsed before it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
