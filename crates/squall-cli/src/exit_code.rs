//! How the process tells its caller what happened. The numbers are k6's.

/// Exit codes, as scripts and CI systems know them from k6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The command did what it was asked; thresholds held. Iterations may have thrown.
    Success = 0,
    /// A threshold failed, at the end or through `abortOnFail`.
    ThresholdsFailed = 99,
    /// `setup()` took longer than `setupTimeout`.
    SetupTimeout = 100,
    /// `teardown()` took longer than `teardownTimeout`.
    TeardownTimeout = 101,
    /// Another part of the run took too long.
    Timeout = 102,
    /// Stopped through the control API.
    StoppedByApi = 103,
    /// Options, configuration or thresholds are not valid.
    InvalidConfig = 104,
    /// SIGINT or SIGTERM.
    Interrupted = 105,
    /// The control API could not listen on `--address`.
    ApiUnavailable = 106,
    /// Syntax error, failed import, or an exception in init, setup or teardown.
    ScriptException = 107,
    /// The script called `exec.test.abort()`.
    ScriptAborted = 108,
    /// A bug of Squall.
    InternalError = 109,
    /// The script called `exec.test.fail()`.
    MarkedFailed = 110,
    /// Everything else: unknown flag or command, missing script, unknown output.
    Usage = 255,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code as u8)
    }
}
