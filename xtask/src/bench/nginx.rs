//! nginx with the configuration of `benches/`, on free ports and in a folder of its own, with a fresh certificate.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::case::Listener;
use crate::{process, tool};

/// A running nginx. Dropping it ends it.
pub(super) struct Nginx {
    child: Child,
    ports: Ports,
    /// What it says of itself, `nginx version: nginx/1.22.1`.
    pub(super) version: String,
    _folder: tempfile::TempDir,
}

#[derive(Clone, Copy)]
struct Ports {
    http: u16,
    https: u16,
    http2: u16,
}

impl Nginx {
    /// Starts nginx and waits until it listens.
    pub(super) fn start() -> Result<Nginx> {
        let program = tool::nginx()?;
        let folder = tempfile::tempdir()?;
        let [http, https, http2] = tool::free_ports()?;
        let ports = Ports { http, https, http2 };
        let config = write_files(folder.path(), ports)?;
        // nginx tells its version on standard error.
        let version =
            String::from_utf8_lossy(&Command::new(&program).arg("-v").output()?.stderr).trim().to_owned();
        let child = Command::new(program)
            .arg("-p")
            .arg(folder.path())
            .args(["-c", &config, "-e", "stderr"])
            .spawn()?;
        let mut nginx = Nginx { child, ports, version, _folder: folder };
        nginx.wait_for(ports.http)?;
        Ok(nginx)
    }

    /// The root of what it serves, `http://127.0.0.1:PORT/`.
    pub(super) fn url(&self, listener: Listener) -> String {
        match listener {
            Listener::Http | Listener::Sockets => format!("http://127.0.0.1:{}/", self.ports.http),
            Listener::Https => format!("https://127.0.0.1:{}/", self.ports.https),
            Listener::Http2 => format!("https://127.0.0.1:{}/", self.ports.http2),
        }
    }

    fn wait_for(&mut self, port: u16) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(5);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = self.child.try_wait().context("waiting for nginx")? {
                bail!("nginx ended at once: {status}");
            }
            if Instant::now() > deadline {
                bail!("nginx does not listen");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        process::signal(self.child.id(), libc::SIGTERM);
        let _ = self.child.wait();
    }
}

/// Writes the configuration and what it names; returns the configuration's path.
fn write_files(folder: &Path, ports: Ports) -> Result<String> {
    let template = fs::read_to_string(tool::root().join("benches/nginx.conf"))?;
    let directory = folder.display().to_string();
    let config = folder.join("nginx.conf");
    fs::write(&config, template.replace("@PORT@", &ports.http.to_string()).replace("@DIR@", &directory))?;

    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    fs::write(folder.join("cert.pem"), certified.cert.pem())?;
    fs::write(folder.join("key.pem"), certified.signing_key.serialize_pem())?;
    let tls = format!(
        "listen 127.0.0.1:{} ssl backlog=65535;\nlisten 127.0.0.1:{} ssl http2 backlog=65535;\n\
         ssl_certificate {directory}/cert.pem;\nssl_certificate_key {directory}/key.pem;\n\
         ssl_protocols TLSv1.2 TLSv1.3;\n",
        ports.https, ports.http2
    );
    fs::write(folder.join("tls.conf"), tls)?;

    let line = "All work and no play makes Jack a dull boy, as is well known.  \n";
    fs::write(folder.join("100kb.txt"), line.repeat(100_000 / line.len() + 1).split_at(100_000).0)?;
    Ok(config.display().to_string())
}
