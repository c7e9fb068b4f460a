//! The test target as a program, to compare load generators against: prints its addresses, serves until killed.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use squall_testing::{Target, TargetOptions};

const USAGE: &str = "usage: target [--listen ADDRESS:PORT] [--tls] [--ca-file FILE]";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "target: {error}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mut options = TargetOptions { tls: false, ..TargetOptions::default() };
    let mut ca_file = None;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" => {
                let address = arguments.next().and_then(|text| text.parse::<SocketAddr>().ok());
                options.listen = address.ok_or("--listen wants ADDRESS:PORT")?;
            }
            "--tls" => options.tls = true,
            "--ca-file" => ca_file = Some(arguments.next().ok_or("--ca-file wants a file")?),
            other => return Err(format!("unknown argument {other}")),
        }
    }
    let target = Target::with_options(options).map_err(|error| error.to_string())?;
    if let Some(file) = ca_file {
        std::fs::write(&file, target.ca_pem()).map_err(|error| format!("{file}: {error}"))?;
    }
    let mut stdout = std::io::stdout().lock();
    let mut print = |url: String| writeln!(stdout, "{url}").and_then(|()| stdout.flush());
    print(format!("http://{}", target.address())).map_err(|error| error.to_string())?;
    if let Some(address) = target.tls_address() {
        print(format!("https://{address}")).map_err(|error| error.to_string())?;
    }
    loop {
        std::thread::park();
    }
}
