//! The binary: see [`breakwater::cli`].

use std::process::ExitCode;

/// A request is some twenty small allocations, made on one thread and freed on it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    breakwater::cli::main(std::env::args_os())
}
