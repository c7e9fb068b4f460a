//! RabbitMQ: one node without plugins, with an epmd of its own, so that it meets no other Erlang on the machine.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Started;
use crate::daemon::Daemon;
use crate::tool;

/// The script behind Debian's `rabbitmq-server`, which would change the user and write to `/var`.
const SCRIPT: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

const USER: &str = "breakwater";
const PASSWORD: &str = "breakwater-test";

/// Above it publishers are held back. The node itself takes 100 MB.
const MEMORY_MAX: &str = "512MB";

/// Starts it and waits until it accepts clients.
pub(super) fn start(folder: &Path) -> Result<Started> {
    let install = "RabbitMQ is not installed: `apt-get install rabbitmq-server`";
    let script = Some(PathBuf::from(SCRIPT)).filter(|path| path.is_file()).context(install)?;
    let epmd = tool::on_path("epmd").context("epmd is not installed: `apt-get install erlang-base`")?;
    let [port, node_port, epmd_port] = tool::free_ports()?;
    let configuration = format!(
        "listeners.tcp.1 = 127.0.0.1:{port}\ndefault_user = {USER}\ndefault_pass = {PASSWORD}\n\
         vm_memory_high_watermark.absolute = {MEMORY_MAX}\n"
    );
    fs::write(folder.join("rabbitmq.conf"), configuration)?;
    fs::write(folder.join("plugins"), "[].\n")?;
    fs::write(folder.join("environment"), "")?;

    let mut command = Command::new(epmd);
    command.args(["-port", &epmd_port.to_string(), "-address", "127.0.0.1"]);
    let mut epmd = Daemon::spawn("epmd", &mut command, &folder.join("epmd.log"), libc::SIGTERM)?;
    epmd.wait_until(|| TcpStream::connect(("127.0.0.1", epmd_port)).is_ok())?;

    let mut command = Command::new(script);
    command
        // The cookie by which nodes know each other is made there.
        .env("HOME", folder)
        .env("ERL_EPMD_PORT", epmd_port.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODENAME", format!("breakwater-{port}@localhost"))
        .env("RABBITMQ_DIST_PORT", node_port.to_string())
        .env("RABBITMQ_CONF_ENV_FILE", folder.join("environment"))
        .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
        .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
        .env("RABBITMQ_LOG_BASE", folder.join("logs"))
        .env("RABBITMQ_PID_FILE", folder.join("pid"))
        // The script becomes the node then, instead of a parent of it, and is ended with it.
        .env("RABBITMQ_ALLOW_INPUT", "1")
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-noinput -kernel inet_dist_use_interface {127,0,0,1}");
    // Nothing is to be kept, and an orderly end takes seconds.
    let mut node = Daemon::spawn("RabbitMQ", &mut command, &folder.join("log"), libc::SIGKILL)?;
    let mut version = None;
    node.wait_until(|| {
        version = greeting(port).ok().and_then(|greeting| version_in(&greeting));
        version.is_some()
    })?;
    Ok(Started {
        daemons: vec![node, epmd],
        variables: vec![("BREAKWATER_TEST_AMQP", format!("amqp://{USER}:{PASSWORD}@127.0.0.1:{port}/%2f"))],
        version: format!("RabbitMQ {}", version.unwrap_or_default()),
    })
}

/// What it says to a client that connects: a frame with its properties.
fn greeting(port: u16) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"AMQP\x00\x00\x09\x01")?;
    // Type and channel, then the length of what follows.
    let mut head = [0; 7];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    let mut body = vec![0; length.min(64 * 1024) as usize];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// The property `version`, a long string: `S`, its length in four bytes, its bytes.
fn version_in(greeting: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"\x07versionS";
    let start = greeting.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
    let (length, rest) = greeting.get(start..)?.split_first_chunk::<4>()?;
    let text = rest.get(..u32::from_be_bytes(*length) as usize)?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_version_in_a_greeting() {
        let greeting = b"\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x063.10.8\x08platformS";
        assert_eq!(version_in(greeting).as_deref(), Some("3.10.8"));
        assert_eq!(version_in(&greeting[..30]), None);
        assert_eq!(version_in(b"HTTP/1.1 400"), None);
    }
}
