//! Location's deliveries, which its own example measures: the core alone on one core, and with sockets on all of them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::row;
use super::wrk::Measured;

/// The rows of both measurements.
pub(super) fn measure(program: &Path, seconds: u64) -> Result<Vec<String>> {
    let seconds = format!("{seconds}");
    let pinned = ["-c", "0"].map(str::as_ref).into_iter().chain([program.as_os_str()]);
    let board = said(Command::new("taskset").args(pinned).args(["board", "--seconds", &seconds]))?;
    let sockets = said(Command::new(program).args(["sockets", "--seconds", &seconds]))?;
    let command =
        format!("cargo run --release -p breakwater --example deliveries -- sockets --seconds {seconds}");
    Ok(vec![
        row(
            "location",
            "positions delivered, the core alone",
            Some(100_000.0),
            &board,
            "`taskset -c 0 deliveries board`",
        ),
        row(
            "location",
            "positions delivered to 5,000 sockets that send 25,000 a second, clients in the process",
            None,
            &sockets,
            &format!("`{command}`"),
        ),
    ])
}

fn said(command: &mut Command) -> Result<Measured> {
    let output = command.output().context("starting the example deliveries")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "deliveries: {}", String::from_utf8_lossy(&output.stderr).trim());
    measured(&text).with_context(|| format!("deliveries does not tell a rate:\n{text}"))
}

/// `board: 2404156 updates/s, 120207808 deliveries/s, …, 0.72 cores` and `… p50 304 ms, p95 688 ms, p99 815 ms, …`.
fn measured(text: &str) -> Option<Measured> {
    let number = |before: &str| {
        let (head, _) = text.split_once(before)?;
        head.rsplit([' ', '\n']).next()?.parse::<f64>().ok()
    };
    let delay = |name: &str| text.split_once(name)?.1.split_once(" ms")?.0.parse::<f64>().ok();
    let (rate, cores) = (number(" deliveries/s")?, number(" cores")?);
    Some(Measured { rate, p50_ms: delay(" p50 "), p99_ms: delay(" p99 "), cpu_us: cores * 1e6 / rate })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_example_says() {
        let text = "sockets: 5000 members joined\n\
                    sockets: 25000 updates/s, 500000 deliveries/s in 25807 frames/s; 1.50 cores, clients included\n\
                    sockets: delay: p50 304 ms, p95 688 ms, p99 815 ms, max 1113 ms\n";
        let expected = Measured { rate: 500_000.0, p50_ms: Some(304.0), p99_ms: Some(815.0), cpu_us: 3.0 };
        assert_eq!(measured(text), Some(expected));
        assert_eq!(measured("nothing"), None);
    }
}
