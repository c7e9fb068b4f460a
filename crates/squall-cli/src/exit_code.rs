//! How the process tells its caller what happened. The numbers are k6's.

/// Exit codes, as scripts and CI systems know them from k6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

impl ExitCode {
    const ALL: [ExitCode; 14] = [
        ExitCode::Success,
        ExitCode::ThresholdsFailed,
        ExitCode::SetupTimeout,
        ExitCode::TeardownTimeout,
        ExitCode::Timeout,
        ExitCode::StoppedByApi,
        ExitCode::InvalidConfig,
        ExitCode::Interrupted,
        ExitCode::ApiUnavailable,
        ExitCode::ScriptException,
        ExitCode::ScriptAborted,
        ExitCode::InternalError,
        ExitCode::MarkedFailed,
        ExitCode::Usage,
    ];

    /// The code that a process of Squall ended with.
    pub fn from_number(number: i32) -> Option<ExitCode> {
        ExitCode::ALL.into_iter().find(|&code| code as i32 == number)
    }

    /// What it tells, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            ExitCode::Success => "it went well",
            ExitCode::ThresholdsFailed => "thresholds failed",
            ExitCode::SetupTimeout => "setup() took too long",
            ExitCode::TeardownTimeout => "teardown() took too long",
            ExitCode::Timeout => "it took too long",
            ExitCode::StoppedByApi => "it was stopped through the control API",
            ExitCode::InvalidConfig => "its options are not valid",
            ExitCode::Interrupted => "it was interrupted",
            ExitCode::ApiUnavailable => "the control API could not listen",
            ExitCode::ScriptException => "the script threw an exception outside iterations",
            ExitCode::ScriptAborted => "the script called exec.test.abort()",
            ExitCode::InternalError => "a bug of Squall",
            ExitCode::MarkedFailed => "the script called exec.test.fail()",
            ExitCode::Usage => "it could not be started",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code as u8)
    }
}
