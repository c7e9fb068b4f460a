//! `squall version`.

use crate::{
    args::{VersionArgs, switch},
    error::Result,
    exit_code::ExitCode,
    process::Process,
};

/// Prints the version, on request as JSON.
pub fn execute(args: &VersionArgs, process: &Process) -> Result<ExitCode> {
    let text = match switch(args.json).unwrap_or(false) {
        true => json(),
        false => text(),
    };
    process.console.print(&text);
    Ok(ExitCode::Success)
}

/// The line that `--version` prints, too.
pub fn text() -> String {
    format!("{} v{} ({}/{})\n", crate::PROGRAM, crate::VERSION, std::env::consts::OS, std::env::consts::ARCH)
}

fn json() -> String {
    let version = serde_json::json!({
        "arch": std::env::consts::ARCH,
        "os": std::env::consts::OS,
        "version": format!("v{}", crate::VERSION),
    });
    format!("{version}\n")
}
