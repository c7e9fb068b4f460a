//! Why a stream or a connection ends (RFC 9113, 7), and how k6 tells.

use std::borrow::Cow;

use squall_net::NetError;

pub(super) type Reason = u32;

pub(super) const NO_ERROR: Reason = 0;
pub(super) const PROTOCOL_ERROR: Reason = 1;
pub(super) const FLOW_CONTROL_ERROR: Reason = 3;
pub(super) const FRAME_SIZE_ERROR: Reason = 6;
pub(super) const REFUSED_STREAM: Reason = 7;
pub(super) const CANCEL: Reason = 8;
pub(super) const COMPRESSION_ERROR: Reason = 9;
pub(super) const ENHANCE_YOUR_CALM: Reason = 11;

const NAMES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// The error with k6's number: which kind it is, plus the protocol's own code.
pub(super) fn error(base: u32, kind: &str, reason: Reason) -> NetError {
    let offset = if (reason as usize) < NAMES.len() { reason + 1 } else { 0 };
    NetError::new(base + offset, format!("http2: {kind} with http2 ErrCode {}", name(reason)))
}

/// The error of a connection's first request when the server wants none.
pub(super) fn turned_away(reason: Reason) -> NetError {
    NetError::generic(format!("http2: Transport received GOAWAY from server ErrCode:{}", name(reason)))
}

fn name(reason: Reason) -> Cow<'static, str> {
    match NAMES.get(reason as usize) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(format!("unknown error code 0x{reason:x}")),
    }
}
