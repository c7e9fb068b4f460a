//! Redis without persistence.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Started, prepare};
use crate::daemon::Daemon;
use crate::tool;

/// Starts it and waits until it answers.
pub(super) fn start(folder: &Path) -> Result<Started> {
    let program =
        tool::on_path("redis-server").context("Redis is not installed: `apt-get install redis-server`")?;
    let [port] = tool::free_ports()?;
    let mut command = Command::new(&program);
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(folder);
    let mut daemon = Daemon::spawn("Redis", &mut command, &folder.join("log"), libc::SIGTERM)?;
    daemon.wait_until(|| answers(port).unwrap_or(false))?;
    // `Redis server v=7.0.15 sha=…`.
    let version = prepare(Command::new(&program).arg("--version"))?;
    let version = version.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or_default();
    Ok(Started {
        daemons: vec![daemon],
        variables: vec![("BREAKWATER_TEST_REDIS", format!("redis://127.0.0.1:{port}"))],
        version: format!("Redis {version}"),
    })
}

fn answers(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
