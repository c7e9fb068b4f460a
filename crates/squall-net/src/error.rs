//! What can go wrong between a request and its response, numbered and worded as k6 does.

use std::borrow::Cow;
use std::fmt;
use std::io;

/// k6's `error_code` numbers. Scripts and thresholds match on them.
pub mod code {
    /// Anything without a number of its own.
    pub const GENERIC: u32 = 1000;
    /// A network error that is not one of TCP.
    pub const NON_TCP: u32 = 1010;
    /// The URL cannot be requested.
    pub const INVALID_URL: u32 = 1020;
    /// The request's own timeout ran out.
    pub const REQUEST_TIMEOUT: u32 = 1050;
    /// Name resolution failed.
    pub const DNS: u32 = 1100;
    /// The name does not exist.
    pub const NO_SUCH_HOST: u32 = 1101;
    /// The address is in `blacklistIPs`.
    pub const BLACKLISTED_IP: u32 = 1110;
    /// The name is in `blockHostnames`.
    pub const BLOCKED_HOSTNAME: u32 = 1111;
    /// A TCP error without a number of its own.
    pub const TCP: u32 = 1200;
    /// Wrote to a connection the peer had closed.
    pub const BROKEN_PIPE: u32 = 1201;
    /// An operating system error k6 does not know, on an open connection.
    pub const UNKNOWN_ERRNO: u32 = 1202;
    /// Dialling failed.
    pub const DIAL: u32 = 1210;
    /// Dialling took longer than the dial timeout.
    pub const DIAL_TIMEOUT: u32 = 1211;
    /// Nobody listens there.
    pub const DIAL_REFUSED: u32 = 1212;
    /// An operating system error k6 does not know, while dialling.
    pub const DIAL_UNKNOWN_ERRNO: u32 = 1213;
    /// The peer reset the connection.
    pub const RESET_BY_PEER: u32 = 1220;
    /// A TLS error without a number of its own.
    pub const TLS: u32 = 1300;
    /// The peer does not speak TLS.
    pub const NOT_TLS: u32 = 1301;
    /// The certificate's issuer is not trusted.
    pub const UNKNOWN_AUTHORITY: u32 = 1310;
    /// The certificate is for another name.
    pub const HOSTNAME_MISMATCH: u32 = 1311;
    /// HTTP/2: GOAWAY. Known reasons add 1 + the HTTP/2 error code.
    pub const HTTP2_GOAWAY: u32 = 1610;
    /// HTTP/2: stream reset. Known reasons add 1 + the HTTP/2 error code.
    pub const HTTP2_STREAM: u32 = 1630;
    /// HTTP/2: connection error. Known reasons add 1 + the HTTP/2 error code.
    pub const HTTP2_CONNECTION: u32 = 1650;
    /// The body is not what its `Content-Encoding` says.
    pub const DECOMPRESSION: u32 = 1701;
}

/// A failed request: k6's number and text for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetError {
    /// One of [`code`].
    pub code: u32,
    /// What a script sees as `error`.
    pub text: Cow<'static, str>,
}

impl NetError {
    /// An error with the given number and text.
    pub fn new(code: u32, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into() }
    }

    /// An error without a number of its own.
    pub fn generic(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(code::GENERIC, text)
    }

    /// The request's timeout ran out.
    pub fn timeout() -> Self {
        Self::new(code::REQUEST_TIMEOUT, "request timeout")
    }

    /// `error` as it came from `operation` (`read` or `write`) on an open connection.
    pub fn io(operation: &'static str, error: &io::Error) -> Self {
        if let Some(error) = crate::tls::tls_error(error) {
            return error;
        }
        match error.kind() {
            io::ErrorKind::ConnectionReset => {
                Self::new(code::RESET_BY_PEER, format!("{operation}: connection reset by peer"))
            }
            io::ErrorKind::BrokenPipe => Self::new(code::BROKEN_PIPE, format!("{operation}: broken pipe")),
            io::ErrorKind::UnexpectedEof => Self::generic("unexpected EOF"),
            _ => match error.raw_os_error() {
                Some(errno) => Self::new(code::UNKNOWN_ERRNO, unknown_errno(operation, errno, error)),
                None => Self::new(code::TCP, format!("{operation}: {error}")),
            },
        }
    }

    /// `error` as it came from connecting a socket.
    pub fn dial(error: &io::Error) -> Self {
        match (error.kind(), error.raw_os_error()) {
            (io::ErrorKind::ConnectionRefused, _) => {
                Self::new(code::DIAL_REFUSED, "dial: connection refused")
            }
            (io::ErrorKind::TimedOut, _) => Self::dial_timeout(),
            (io::ErrorKind::ConnectionReset, _) => {
                Self::new(code::RESET_BY_PEER, "dial: connection reset by peer")
            }
            (_, Some(errno)) => Self::new(code::DIAL_UNKNOWN_ERRNO, unknown_errno("dial", errno, error)),
            (_, None) => Self::new(code::DIAL, format!("dial: {error}")),
        }
    }

    /// Connecting took longer than the dial timeout.
    pub fn dial_timeout() -> Self {
        Self::new(code::DIAL_TIMEOUT, "dial: i/o timeout")
    }
}

fn unknown_errno(operation: &str, errno: i32, error: &io::Error) -> String {
    let os = std::env::consts::OS;
    format!("{operation}: unknown errno `{errno}` on {os} with message `{error}`")
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for NetError {}

/// An option that cannot be honoured: found before the run starts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operating_system_errors_get_k6s_numbers() {
        let check = |error: NetError, code, text: &str| {
            assert_eq!(error.code, code);
            assert!(error.text.starts_with(text), "{error}");
        };
        let os = io::Error::from_raw_os_error;
        check(NetError::io("read", &os(libc::ECONNRESET)), 1220, "read: connection reset by peer");
        check(NetError::io("write", &os(libc::EPIPE)), 1201, "write: broken pipe");
        check(NetError::io("read", &os(libc::EIO)), 1202, "read: unknown errno `5` on ");
        check(NetError::io("read", &io::Error::other("x")), 1200, "read: x");
        check(NetError::dial(&os(libc::ECONNREFUSED)), 1212, "dial: connection refused");
        check(NetError::dial(&os(libc::ETIMEDOUT)), 1211, "dial: i/o timeout");
        check(NetError::dial(&os(libc::EMFILE)), 1213, "dial: unknown errno `24` on ");
        check(NetError::dial(&io::Error::other("x")), 1210, "dial: x");
    }
}
