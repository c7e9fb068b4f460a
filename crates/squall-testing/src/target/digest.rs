//! The server's side of digest authentication (RFC 7616 with MD5), with a fixed nonce.

use std::collections::HashMap;

use md5::{Digest as _, Md5};

const REALM: &str = "squall";
const NONCE: &str = "dcd98b7102dd2f0e8b11d0f600bfb0c093";

/// The challenge; `qop` may be empty, as in RFC 2069.
pub(super) fn challenge(qop: &str) -> String {
    let qop = if qop.is_empty() { String::new() } else { format!(", qop=\"{qop}\"") };
    format!("Digest realm=\"{REALM}\", nonce=\"{NONCE}\"{qop}, algorithm=MD5")
}

/// Whether an `Authorization` header proves the password for this request.
pub(super) fn is_authorized(header: &str, method: &str, user: &str, password: &str) -> bool {
    let Some(fields) = header.strip_prefix("Digest ") else { return false };
    let fields: HashMap<&str, &str> = fields
        .split(',')
        .filter_map(|field| field.trim().split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect();
    let field = |name| fields.get(name).copied().unwrap_or_default();
    let secret = hash(&format!("{user}:{REALM}:{password}"));
    let request = hash(&format!("{method}:{}", field("uri")));
    let expected = match field("qop") {
        "" => hash(&format!("{secret}:{NONCE}:{request}")),
        qop => {
            let (count, cnonce) = (field("nc"), field("cnonce"));
            hash(&format!("{secret}:{NONCE}:{count}:{cnonce}:{qop}:{request}"))
        }
    };
    field("username") == user && field("nonce") == NONCE && field("response") == expected
}

fn hash(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_is_accepted() {
        let secret = hash("u:squall:p");
        let response = hash(&format!("{secret}:{NONCE}:{}", hash("GET:/x")));
        let header = format!(
            "Digest username=\"u\", realm=\"squall\", nonce=\"{NONCE}\", uri=\"/x\", response=\"{response}\""
        );
        assert!(is_authorized(&header, "GET", "u", "p"));
        assert!(!is_authorized(&header, "POST", "u", "p"));
        assert!(!is_authorized(&header, "GET", "u", "other"));
        assert!(!is_authorized("Basic x", "GET", "u", "p"));
        assert!(!is_authorized("Digest", "GET", "", ""));
    }
}
