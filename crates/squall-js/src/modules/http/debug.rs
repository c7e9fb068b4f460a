//! `httpDebug`: requests and responses in the log, in k6's form.

use std::{cell::Cell, sync::Arc};

use squall_http::{WireEvent, WireLog};
use squall_metrics::TagSet;
use squall_options::HttpDebug;

use crate::vu::VuState;

/// What logs the messages of a call with these tags, if the options ask for it. A response has the `request_id`
/// of its request; each redirect and each answer to a challenge is a pair of its own.
pub(super) fn wire_log(vu: &VuState, tags: &Arc<TagSet>) -> Option<WireLog> {
    let has_bodies = match vu.worker.settings.options.http_debug? {
        HttpDebug::Off => return None,
        HttpDebug::Headers => false,
        HttpDebug::Full => true,
    };
    let tags = Arc::clone(tags);
    let (vu_id, iter) = (vu.id_in_test, vu.iteration.get().in_vu);
    let request_id = Cell::new(0u128);
    Some(WireLog::new(move |event| {
        let (title, head, body) = match event {
            WireEvent::Request { head, body } => {
                request_id.set(rand::random());
                ("Request", head, body)
            }
            WireEvent::Response { head, body } => ("Response", head, body),
        };
        let message = text(head, if has_bodies { body } else { &[] });
        tracing::info!(
            group = tags.get("group"),
            iter,
            request_id = uuid(request_id.get()),
            scenario = tags.get("scenario"),
            source = "http-debug",
            vu = vu_id,
            "{title}:\n{message}\n"
        );
    }))
}

/// A message with plain line ends.
fn text(head: &[u8], body: &[u8]) -> String {
    let text = [String::from_utf8_lossy(head), String::from_utf8_lossy(body)].concat();
    text.replace("\r\n", "\n")
}

/// The groups of 8, 4, 4, 4 and 12 digits in which identifiers are written (RFC 9562).
fn uuid(id: u128) -> String {
    let digits = format!("{id:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_readable() {
        assert_eq!(text(b"GET / HTTP/1.1\r\n\r\n", b"a\xff"), "GET / HTTP/1.1\n\na\u{fffd}");
        assert_eq!(uuid(1), "00000000-0000-0000-0000-000000000001");
    }
}
