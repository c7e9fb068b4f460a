//! The `squall` binary: picks the allocator and hands over to the command line.

/// Thousands of VUs allocate small buffers on every worker; mimalloc keeps threads apart.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    squall_cli::main()
}
