//! The binary: see [`breakwater::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    breakwater::cli::main(std::env::args_os())
}
